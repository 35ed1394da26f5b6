"""
Who may read which edition: the one place that opens the editions of an issue to a scope.

An edition is read whole or not at all, so it is given to whoever the matrix gives `report` for the
edition's area or one above it. Whatever else is asked for is answered as if it were not there.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Final, NamedTuple
from zoneinfo import ZoneInfo

import msgspec

from dashboard.reports import story
from dashboard.reports.gather import EDITIONS
from dashboard.reports.making import FROZEN, name_of, read_edition, read_head
from data.access import NotVisibleError, decide
from data.issues import IssueError
from data.manifest import SnapshotError
from data.store import Store

if TYPE_CHECKING:
    from pathlib import Path

    from dashboard.reports.document import Document
    from dashboard.reports.facts import Edition, Place
    from data.access import Scope
    from data.issues import Issue

ACTION: Final = "report"
ZONE: Final = "Asia/Shanghai"
"""Zone of the day of issue where neither the frozen city nor a published one is there any more."""


class Around(NamedTuple):
    """Editions that a reader of one may go on to: from the top down to it, and one level down."""

    above: tuple[Place, ...]
    below: tuple[Place, ...]


def editions(scope: Scope, issue: Issue) -> list[tuple[str, str]]:
    """Level and code of the editions that a scope begins with: its own areas, the highest first."""
    decision = decide(scope, ACTION)
    if decision.covers_city:
        return [one for one in _all(issue) if one[0] == EDITIONS[0]]
    return [one for one in _all(issue) if one in decision.areas]


def edition(scope: Scope, home: Path, issue: Issue, level: str, code: str) -> Edition:
    """
    Read an edition that the scope covers.

    Raises
    ------
    NotVisibleError
        There is none, or the scope does not cover it: the same answer.
    IssueError
        It is damaged.
    """
    if name_of(level, code) not in issue.files:
        raise NotVisibleError("no such edition")
    try:
        found = read_edition(home, issue, level, code)
    except IssueError:
        # What is damaged does not tell whose it is.
        if covers(scope, ((level, code),)):
            raise
        raise NotVisibleError("no such edition") from None
    if not covers(scope, found.path):
        raise NotVisibleError("no such edition")
    return found


def covers(scope: Scope, path: tuple[tuple[str, str], ...]) -> bool:
    """Whether a scope may read the edition of the area at the end of a path from the top down."""
    decision = decide(scope, ACTION)
    return decision.covers_city or not decision.areas.isdisjoint(path)


def find(issue: Issue, reference: str) -> tuple[str, str]:
    """
    Level and code of the edition that `code` names, or `level.code`.

    Raises
    ------
    NotVisibleError
        The issue has no such edition.
    """
    level, _, code = reference.partition(".")
    for one in ((level, code), *((name, reference) for name in EDITIONS)):
        if one[0] in EDITIONS and name_of(*one) in issue.files:
            return one
    raise NotVisibleError("no such edition")


def around(scope: Scope, home: Path, issue: Issue, shown: Edition) -> Around:
    """Editions above and below one, of those that the scope may read."""
    above = (_place(scope, home, issue, *one) for one in shown.path[:-1])
    below = tuple(
        standing.place
        for level in shown.levels[:1]
        for standing in level.areas
        if name_of(level.level, standing.place.code) in issue.files
    )
    found = tuple(place for place in above if place is not None)
    return Around(found, tuple(sorted(below, key=lambda place: place.code)))


def own_places(scope: Scope, home: Path, issue: Issue) -> list[Place]:
    """Areas of the editions that a scope begins with; those that cannot be read are left out."""
    found = (_place(scope, home, issue, *one) for one in editions(scope, issue))
    return [place for place in found if place is not None]


def document(home: Path, issue: Issue, shown: Edition, *, lang: str) -> Document:
    """
    Write an edition in words; its day of issue is that of the city's clock.

    Raises
    ------
    IssueError
        The head of the issue is damaged.
    """
    try:
        head = read_head(home, issue)
    except msgspec.ValidationError as error:
        raise IssueError(f"the head of issue {issue.week} is no head: {error}") from None
    return story.document(shown, head, issue, lang=lang, issued=issued_on(home, issue))


def issued_on(home: Path, issue: Issue) -> dt.date:
    """Day of issue by the clock of the city as it was issued."""
    zone = ZONE
    for place in (home / FROZEN / issue.frozen, home):
        store = Store(place)
        try:
            zone = store.manifest(store.current_id()).city["time_zone"]
        except SnapshotError:
            continue
        break
    return dt.datetime.fromisoformat(issue.created_at).astimezone(ZoneInfo(zone)).date()


def _place(scope: Scope, home: Path, issue: Issue, level: str, code: str) -> Place | None:
    """The area of another edition; its damage is told to whoever opens it."""
    try:
        return edition(scope, home, issue, level, code).place
    except (NotVisibleError, IssueError):
        return None


def _all(issue: Issue) -> list[tuple[str, str]]:
    """Level and code of every edition, the highest levels first."""
    named = (name.removesuffix(".json").partition("-") for name in sorted(issue.files))
    found = [(level, code) for level, dash, code in named if dash and level in EDITIONS]
    return sorted(found, key=lambda one: EDITIONS.index(one[0]))

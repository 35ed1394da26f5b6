"""What a letter could be written for: the findings of an edition that a rule of the city names."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Final

import msgspec

from dashboard.letters.evidence import Evidence
from dashboard.reports import making
from dashboard.reports.story_areas import ORANGE, RED
from data import issues
from data.issues import IssueError
from data.letters.settings import LetterSettings, read_letter_settings
from data.letters.store import Basis

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from dashboard.reports.facts import Edition, Place, Standing
    from dashboard.reports.making import Head
    from data.issues import Issue
    from data.letters.settings import Rule

    Path_ = tuple[tuple[str, str], ...]

PATTERNS: Final = {"hot_lasting": "lasting", "hot_new": "new"}


class Candidate(msgspec.Struct, frozen=True):
    """A finding with the letter that it asks for; `id` names it in a form."""

    id: str
    evidence: Evidence
    basis: Basis


def settings_of(home: Path, issue: Issue) -> LetterSettings:
    """
    The rules that an issue was made with; the default for one that froze none.

    Raises
    ------
    IssueError
        They are damaged.
    """
    if making.LETTERS not in issue.files:
        return read_letter_settings(None)
    try:
        return msgspec.json.decode(issues.content(home, issue, making.LETTERS), type=LetterSettings)
    except msgspec.ValidationError as error:
        raise IssueError(f"the letters of issue {issue.week} cannot be read: {error}") from None


def frozen(settings: LetterSettings) -> bytes:
    """Rules as an issue keeps them."""
    return msgspec.json.encode(settings)


def candidates(
    home: Path,
    issue: Issue,
    edition: Edition,
    *,
    path_of: Callable[[str, str], Path_ | None],
) -> list[Candidate]:
    """
    Every finding of an edition, the most serious rule first.

    Parameters
    ----------
    edition
        One that the reader may read whole.
    path_of
        Level and code to the path of an area from the top down; None for one that is no more.

    Raises
    ------
    IssueError
        A file of the issue is damaged.
    """
    settings = settings_of(home, issue)
    head = making.read_head(home, issue)
    found = []
    for rule in settings.rules:
        for place, fired in _fired(edition, rule):
            told = _evidence(edition, head, issue, settings, rule, place, fired)
            path = path_of(place.level, place.code) or _known_path(edition, place)
            found.append(_candidate(told, path))
    return found


def _candidate(told: Evidence, path: Path_) -> Candidate:
    basis = Basis(
        told.letter,
        path,
        told.week.label,
        told.version,
        told.snapshot,
        told.rule,
        msgspec.json.encode(told).decode(),
        *told.codes[told.letter],
        about=told.about,
    )
    return Candidate(basis.key[:24], told, basis)


def _fired(edition: Edition, rule: Rule) -> Iterator[tuple[Place, dict[str, object]]]:
    """Places on which a rule fires, and what it fired on."""
    if rule.name in PATTERNS:
        for spot in edition.spots:
            if spot.pattern == PATTERNS[rule.name]:
                yield spot.place, {"spot": spot}
    elif rule.name == "overdue":
        for clock in edition.clocks:
            if clock.overdue >= max(rule.least, 1):
                yield edition.place, {"clock": clock}
    else:
        for level in edition.levels[:2]:
            for one in level.areas:
                if _stands(one, rule):
                    yield one.place, {"standing": one}


def _stands(one: Standing, rule: Rule) -> bool:
    """Whether a rule about the standing of an area fires."""
    if rule.name == "more":
        return one.counted.verdict == "more"
    if rule.name == "repeat_red":
        repeated = one.now.repeat_red if one.now else 0
        return one.colour == RED and repeated >= max(rule.least, 1)
    return one.colour == {"red": RED, "orange": ORANGE}[rule.name]


def _evidence(  # noqa: PLR0917 - all that a letter is made of
    edition: Edition,
    head: Head,
    issue: Issue,
    settings: LetterSettings,
    rule: Rule,
    place: Place,
    fired: dict[str, object],
) -> Evidence:
    told = Evidence(
        rule=rule.name,
        letter=rule.letter,
        least=rule.least,
        days=rule.days,
        place=place,
        week=edition.week,
        before=edition.before,
        number=issue.number,
        year=issue.year,
        version=issue.version,
        snapshot=edition.snapshot or issue.snapshot,
        as_of=edition.trust.as_of,
        title_zh=head.title_zh,
        title_en=head.title_en,
        publisher_zh=head.publisher_zh,
        publisher_en=head.publisher_en,
        copies_zh=head.copies_zh,
        copies_en=head.copies_en,
        notice_zh=edition.notice_zh,
        notice_en=edition.notice_en,
        addressee_zh=place.name_zh,
        addressee_en=place.name_en or place.name_zh,
        palette=edition.palette,
        codes=settings.codes,
        **fired,  # type: ignore[arg-type]  # one of standing, spot, clock
    )
    unit = settings.addressee(place.level, told.colour)
    if unit is None:
        return told
    return msgspec.structs.replace(
        told,
        addressee_zh=unit.name_zh.replace("{area}", place.name_zh),
        addressee_en=unit.name_en.replace("{area}", place.name_en or place.name_zh),
    )


def _known_path(edition: Edition, place: Place) -> Path_:
    """What the edition itself tells of the path of an area that is no more."""
    own = (place.level, place.code)
    return edition.path if edition.path[-1] == own else (*edition.path, own)


def due_on(told: Evidence, today: dt.date) -> dt.date:
    """Day by which an answer is asked for."""
    return today + dt.timedelta(days=told.days)

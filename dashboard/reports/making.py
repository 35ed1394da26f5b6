"""An issue from a frozen snapshot: one edition for the city, each county and each township."""

from __future__ import annotations

import datetime as dt
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import msgspec
import numpy as np

from dashboard import assessment
from dashboard.areas import Area, hierarchy
from dashboard.reports import facts, gather
from dashboard.reports.outlines import Outlines, outlines, outlines_from
from dashboard.reports.since import since
from data import issues, periods
from data.access import Grant, Scope
from data.issues import Issue, IssueError
from data.report_settings import TEMPLATE
from data.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from data.report_settings import ReportSettings
    from data.store import Snapshot

FROZEN: Final = "issued"
"""Folder of the frozen maps in a home."""

WHOLE: Final = Scope(user="report", grants=frozenset({Grant("leader")}))
HEAD: Final = "head.json"
OUTLINES: Final = "outlines.json"
LETTERS: Final = "letters.json"
"""The city's `letters.toml` as it was when the issue was made."""

WORKERS: Final = 2
"""Editions that are made at once: while one asks the database, the other is put together."""


class Head(msgspec.Struct, frozen=True, kw_only=True):
    """What stands at the head of every edition of an issue."""

    title_zh: str
    title_en: str
    publisher_zh: str
    publisher_en: str
    copies_zh: str
    copies_en: str


@dataclass(frozen=True)
class Wanted:
    """
    The issue to be made.

    Attributes
    ----------
    week
        Label of a period that the snapshot counts.
    frozen
        Name of the frozen map.
    by
        Who issues it, a login or the name of a process.
    reason
        Why it is corrected; empty for a first version.
    """

    week: str
    frozen: str
    by: str
    reason: str = ""


def make(
    home: Path,
    wanted: Wanted,
    settings: ReportSettings,
    *,
    progress: Callable[[int, int], None],
    template: bytes = b"",
    letters: bytes = b"",
    now: dt.datetime | None = None,
) -> Issue:
    """
    Make every edition of a week from its frozen map, and issue them.

    Parameters
    ----------
    progress
        Called with the editions that are done, and how many there are.
    template
        The city's own Word template, frozen with the issue; empty where it has none.
    letters
        The rules for letters, frozen with the issue (`dashboard.letters.candidates.frozen`).

    Raises
    ------
    IssueError
        The snapshot does not count the week, or the issue cannot be written.
    SnapshotError
        The frozen map is missing or damaged.
    """
    snapshot = Store(home / FROZEN / wanted.frozen).current()
    end = issues.period_of(snapshot.manifest, wanted.week)
    last = _last_before(home, wanted.week)
    then = Store(home / FROZEN / last.frozen).current() if last else None
    areas = _areas(snapshot, end)
    day = periods.Window(end, 1, snapshot.manifest.grain).last_day
    files = {
        HEAD: msgspec.json.encode(_head(settings)),
        OUTLINES: msgspec.json.encode(outlines(WHOLE, snapshot, day)),
        **({TEMPLATE: template} if template else {}),
        **({LETTERS: letters} if letters else {}),
    }

    def made(area: Area) -> tuple[str, bytes]:
        edition = _edition(snapshot, area, end, settings)
        if last and then:
            code = hierarchy(WHOLE, snapshot).code(area)
            start = periods.parse_label(last.week, grain=snapshot.manifest.grain)
            found = since(WHOLE, snapshot, then, code, start, week=last.week)
            edition = msgspec.structs.replace(edition, since=found)
        return name_of(edition.place.level, edition.place.code), facts.to_json(edition)

    progress(0, len(areas))
    with ThreadPoolExecutor(WORKERS) as pool:
        for done, (name, content) in enumerate(pool.map(made, areas), start=1):
            files[name] = content
            progress(done, len(areas))
    return issues.put(
        home,
        wanted.week,
        files,
        snapshot=snapshot.id,
        frozen=wanted.frozen,
        by=wanted.by,
        reason=wanted.reason,
        now=now,
    )


def name_of(level: str, code: str) -> str:
    """Name of an edition's file."""
    return f"{level}-{code}.json"


def read_edition(home: Path, issue: Issue, level: str, code: str) -> facts.Edition:
    """
    Read one edition of an issue, as it was issued.

    Raises
    ------
    IssueError
        There is none, or it is damaged.
    """
    content = issues.content(home, issue, name_of(level, code))
    try:
        return facts.edition_from(content)
    except msgspec.ValidationError as error:
        raise IssueError(
            f"{level} {code} of issue {issue.week} was made by another version: {error}"
        ) from None


def read_head(home: Path, issue: Issue) -> Head:
    """Read the head of an issue's editions."""
    return msgspec.json.decode(issues.content(home, issue, HEAD), type=Head)


def read_outlines(home: Path, issue: Issue) -> Outlines:
    """Read the outlines that the maps of an issue are drawn from."""
    return outlines_from(issues.content(home, issue, OUTLINES))


def _edition(
    snapshot: Snapshot, area: Area, end: dt.date, settings: ReportSettings
) -> facts.Edition:
    """One edition, with the names and colours that it is printed in."""
    tree = hierarchy(WHOLE, snapshot)
    code = str(tree.at(area.level).codes[area.index])
    top = area.level == tree.order[0]
    scope = WHOLE if top else Scope("report", frozenset({Grant("leader", area.level, code)}))
    edition = gather.edition(scope, snapshot, area, end)
    city = snapshot.manifest.city
    return msgspec.structs.replace(
        edition,
        palette=_palette(snapshot),
        duties=_duties(settings, edition.week.last),
        city_zh=city["name_zh"],
        city_en=city["name_en"],
        notice_zh=city["notice_zh"],
        notice_en=city["notice_en"],
        exposure_zh=city["exposure_unit_zh"],
        exposure_en=city["exposure_unit_en"],
        snapshot=snapshot.id,
    )


def _palette(snapshot: Snapshot) -> facts.Palette | None:
    settings = assessment.settings(WHOLE, snapshot)
    if settings is None:
        return None
    shown = settings.index.palette
    return facts.Palette(
        names_zh=shown.names_zh,
        names_en=shown.names_en,
        tints=shown.tints,
        edges=settings.index.colours.edges,
    )


def _duties(settings: ReportSettings, last: dt.date) -> tuple[facts.Step, ...]:
    return tuple(
        facts.Step(
            colour=one.colour,
            name_zh=one.name_zh,
            name_en=one.name_en,
            due=last + dt.timedelta(days=one.days) if one.days else None,
        )
        for one in settings.meetings
    )


def _head(settings: ReportSettings) -> Head:
    return Head(
        title_zh=settings.title_zh,
        title_en=settings.title_en,
        publisher_zh=settings.publisher_zh,
        publisher_en=settings.publisher_en,
        copies_zh=settings.copies_zh,
        copies_en=settings.copies_en,
    )


def _areas(snapshot: Snapshot, end: dt.date) -> list[Area]:
    """Every area that gets an edition: those that are valid on the week's last day."""
    tree = hierarchy(WHOLE, snapshot)
    day = periods.Window(end, 1, snapshot.manifest.grain).last_day

    def valid() -> Iterator[Area]:
        for level in tree.order:
            if level in gather.EDITIONS:
                for index in np.flatnonzero(tree.at(level).valid_on(day)).tolist():
                    yield Area(level, index)

    return list(valid())


def _last_before(home: Path, week: str) -> Issue | None:
    """The newest version of the newest issue of an earlier week."""
    return next((one for one in issues.issues(home) if one.week < week), None)

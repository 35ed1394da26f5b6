"""Where the weekly report leads: other issues, areas above and below, the live pages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import urlencode

from dashboard.pages import render
from dashboard.reports import reading, sentences
from dashboard.reports.making import name_of
from data.access import decide, narrowed
from data.letters.store import CHANGE

if TYPE_CHECKING:
    from pathlib import Path

    from dashboard.pages.render import Link as MenuLink
    from dashboard.pages.weekly import Opened
    from dashboard.reports.document import Maps
    from dashboard.reports.facts import Place
    from data.access import Scope
    from data.issues import Issue

PARTS: Final = (
    ("overall", "/index", "index"),
    ("map", "/", "index"),
    ("moves", "/areas", "expected"),
    ("attention", "/index", "index"),
    ("spots", "/hotspots", "hotspots"),
    ("clocks", "/areas", "clocks"),
    ("record", "/forecast", "forecast"),
    ("trust", "/data", "counts"),
)
"""Parts of a report in order: name, the live page that goes on with it, the method."""


class AreaLink(NamedTuple):
    """An area of the map: what it is said to be on both, whether that differs, where it leads."""

    now: str
    before: str
    has_changed: bool
    href: str


class Pickers(NamedTuple):
    """Links to other editions of the issue, and to other issues of the area."""

    own: list[MenuLink]
    above: list[MenuLink]
    here: str
    below: list[MenuLink]
    level: str
    issues: list[MenuLink]
    number: str
    earlier: str
    later: str
    file: str


def href(issue: Issue, area: str, *, endpoint: str = "weekly") -> str:
    """Address of an edition, for ever the same: a correction does not take its place."""
    return render.address(endpoint, week=issue.week, version=issue.version, area=area)


def live(path: str, opened: Opened) -> str:
    """Address of a live page at the edition's area and week."""
    return _live(path, opened.area, opened.issue.week)


def pickers(scope: Scope, home: Path, opened: Opened) -> Pickers:
    """Everything that the reader may go on to."""
    told, issue = render.words(), opened.issue
    near = reading.around(scope, home, issue, opened.edition)
    known = [one for one in opened.known if _has(one, opened.edition.place)]
    newest = {one.week: one for one in reversed(known)}
    weeks = sorted(newest)
    at = weeks.index(issue.week)
    below = near.below[0].level if near.below else ""
    return Pickers(
        own=_own(scope, home, opened),
        above=[_place(place, issue) for place in near.above],
        here=sentences.name(opened.edition.place, told),
        below=[_place(place, issue) for place in near.below],
        level=told(f"rep_level_{below}") if below else "",
        issues=[
            render.Link(named(one), href(one, opened.area), is_here=one == issue) for one in known
        ],
        number=named(issue),
        earlier=href(newest[weeks[at - 1]], opened.area) if at else "",
        later=href(newest[weeks[at + 1]], opened.area) if at + 1 < len(weeks) else "",
        file=href(issue, opened.area, endpoint="weekly_file"),
    )


def newer(opened: Opened) -> str:
    """Address of the correction of what is shown; empty where this is the newest version."""
    newest = next(one for one in opened.known if one.week == opened.issue.week)
    if newest.version == opened.issue.version or not _has(newest, opened.edition.place):
        return ""
    return href(newest, opened.area)


def areas(opened: Opened, maps: Maps) -> dict[str, AreaLink]:
    """What the map says of each area by its code; a click leads to its edition, or to the map."""
    told, issue = render.words(), opened.issue
    level = opened.edition.level(maps.level)
    colours = {colour: name for colour, name, _ in maps.legend}
    found = {}
    for place in (one.place for one in level.areas) if level else ():
        area = f"{place.level}.{place.code}"
        to = href(issue, area) if _has(issue, place) else _live("/", area, issue.week)
        name = sentences.name(place, told)
        now, before = maps.now[place.code], maps.before[place.code]
        found[place.code] = AreaLink(
            now=told("weekly_area", name=name, colour=colours[now]),
            before=told("weekly_area", name=name, colour=colours[before]),
            has_changed=now != before,
            href=to,
        )
    return found


def letters(scope: Scope, opened: Opened) -> str:
    """Where letters for the red and orange areas are drafted; "" for who may not."""
    covered = reading.covers(narrowed(scope, CHANGE), opened.edition.path)
    if not (decide(scope, CHANGE).is_allowed and covered):
        return ""
    return render.address(
        "letters",
        week=opened.issue.week,
        version=opened.issue.version,
        area=opened.area,
        _anchor="write",
    )


def _own(scope: Scope, home: Path, opened: Opened) -> list[MenuLink]:
    """The reader's own areas, where there are several."""
    if len(reading.editions(scope, opened.issue)) < 2:
        return []
    return [_place(one, opened.issue) for one in reading.own_places(scope, home, opened.issue)]


def _place(place: Place, issue: Issue) -> MenuLink:
    name = sentences.name(place, render.words())
    return render.Link(name, href(issue, f"{place.level}.{place.code}"), is_here=False)


def _has(issue: Issue, place: Place) -> bool:
    return name_of(place.level, place.code) in issue.files


def named(issue: Issue) -> str:
    """Number, version and week of an issue."""
    told = render.words()
    version = told("rep_version", n=issue.version) if issue.version > 1 else ""
    number = told("rep_number", year=issue.year, n=issue.number)
    return f"{number}{version} · {issue.week}"


def _live(path: str, area: str, week: str) -> str:
    measure = {"measure": "index"} if path == "/" else {}
    return render.map_address(f"{path}?{urlencode({'area': area, 'end': week, **measure})}")

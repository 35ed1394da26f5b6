"""One edition of an issue from a snapshot, under the scope of its reader."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from dashboard import assessment
from dashboard.areas import Area, hierarchy
from dashboard.reports import compared, evidence, standings
from dashboard.reports.facts import Edition, Group
from data import periods
from data.periods import PERIODS_PER_YEAR

if TYPE_CHECKING:
    import datetime as dt

    from data.access import Scope
    from data.store import Snapshot

EDITIONS: Final = ("city", "county", "township")
"""Levels whose areas get an edition of their own."""

ALL: Final = 2_000
"""More areas than any next level of an area has."""

LISTED: Final = 20
"""Red and orange areas of a lower level that are named, the highest risk first."""


def edition(scope: Scope, snapshot: Snapshot, area: Area, end: dt.date) -> Edition:
    """
    Everything that the report tells one area of a week.

    Raises
    ------
    NotVisibleError
        The area is unknown or outside the scope.
    """
    tree = hierarchy(scope, snapshot)
    tree.check(area)
    grain = snapshot.manifest.grain
    before = periods.shift(end, -1, grain=grain)
    year = periods.shift(end, -PERIODS_PER_YEAR[grain], grain=grain)
    below = tree.below(area.level)
    found, counts = evidence.spots(scope, snapshot, area, end)
    following = periods.shift(end, 1, grain=grain)
    return Edition(
        place=standings.place(scope, snapshot, area),
        path=tuple((one.level, str(tree.at(one.level).codes[one.index])) for one in _path(
            snapshot, scope, area)),
        week=evidence.days(end, snapshot),
        before=evidence.days(before, snapshot),
        year=evidence.days(year, snapshot),
        standing=standings.standing(scope, snapshot, area, end),
        groups=groups(scope, snapshot, area, end),
        levels=tuple(
            standings.level(scope, snapshot, area, name, end, most=_most(area, name, below))
            for name in below
        ),
        spots=found,
        spot_counts=counts,
        clocks=evidence.clocks(scope, snapshot, area, end),
        cohort=evidence.cohort(scope, snapshot, area),
        records=evidence.records(scope, snapshot, below[:2], end),
        foretold=evidence.foretold(
            scope, snapshot, area, end, below=below[0] if below else ""
        ),
        ahead=evidence.foretold(scope, snapshot, area, following, below=""),
        trust=evidence.trust(scope, snapshot, area, end),
    )  # fmt: skip


def groups(scope: Scope, snapshot: Snapshot, area: Area, end: dt.date) -> tuple[Group, ...]:
    """The groups of categories of an area in the week, most incidents first."""
    settings = assessment.settings(scope, snapshot)
    if settings is None:
        return ()
    rows = compared.group_counts(scope, snapshot, area, end)
    rows = rows[rows.index.isin(list(settings.groups))]
    said = compared.verdicts(rows)
    found = [
        Group(
            name=str(name),
            name_zh=settings.groups[str(name)][0],
            name_en=settings.groups[str(name)][1],
            counted=compared.counted(row, verdict),
        )
        for (name, row), verdict in zip(rows.iterrows(), said, strict=True)
    ]
    return tuple(sorted(found, key=lambda one: (-one.counted.now, one.name)))


def _most(area: Area, name: str, below: tuple[str, ...]) -> int:
    """Areas of a level that an edition lists: all of the next one, and the city's townships."""
    return ALL if name == below[0] or (name in EDITIONS and area.level == EDITIONS[0]) else LISTED


def _path(snapshot: Snapshot, scope: Scope, area: Area) -> list[Area]:
    """From the top of the city down to the area, those above the scope too."""
    tree = hierarchy(scope, snapshot)
    path = [area]
    while (depth := tree.order.index(path[0].level)) > 0:
        parent = int(tree.at(path[0].level).parents[path[0].index])
        if parent < 0:
            break
        path.insert(0, Area(tree.order[depth - 1], parent))
    return path

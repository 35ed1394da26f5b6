"""Everything that a wall tells of an area out of a snapshot, read once: figures, no words."""

from __future__ import annotations

import datetime as dt  # noqa: TC003 - a dataclass of figures
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from dashboard.areas import Area, hierarchy
from dashboard.cache import scoped_cache
from dashboard.desk import index_list, source_list
from dashboard.phone.due import due
from dashboard.phone.facts import palette
from dashboard.phone.own import last_day
from dashboard.reports import evidence, standings
from dashboard.situation.drawing import map_level

if TYPE_CHECKING:
    from dashboard.desk.source_list import Placing, Source
    from dashboard.phone.due import Due
    from dashboard.reports.facts import Clock, Cohort, Days, Palette, Spot, Standing, Trust
    from data.access import Scope
    from data.store import Snapshot

RANKED: Final = 12
"""Areas of the ranking."""


@dataclass(frozen=True)
class Ranked:
    """
    One row of the ranking.

    Attributes
    ----------
    index, moved
        Safety index and its change, as they are printed: to one decimal; None = not known.
    """

    area: Area
    name_zh: str
    name_en: str
    colour: int
    index: float | None
    moved: float | None
    incidents: int


@dataclass(frozen=True)
class Board:
    """
    One area on a wall.

    Attributes
    ----------
    ranking
        Areas of the level that the map names, the lowest index first; grey ones last.
    ranked, grey
        Areas of that level in all, and those without an index.
    spots, spot_counts
        Hot spots of each pattern that are named, and how many there are.
    overdue_facilities, facilities
        Inspection points whose day has passed, of so many; None = no register.
    """

    area: Area
    week: Days
    standing: Standing
    palette: Palette | None
    level: str
    ranking: tuple[Ranked, ...]
    ranked: int
    grey: int
    spots: tuple[Spot, ...]
    spot_counts: dict[str, int]
    clocks: tuple[Clock, ...]
    due: Due | None
    cohort: Cohort | None
    trust: Trust
    placing: Placing | None
    sources: tuple[Source, ...]
    overdue_facilities: int | None
    facilities: int | None
    last_day: dt.date


@scoped_cache
def board(scope: Scope, snapshot: Snapshot, area: Area) -> Board:
    """
    Read what a wall tells of an area.

    Raises
    ------
    NotVisibleError
        The area is unknown or outside the scope.
    """
    hierarchy(scope, snapshot).check(area)
    end = snapshot.manifest.last_period
    level = map_level(scope, snapshot, area)
    ranking = _ranking(scope, snapshot, area, level) if level else []
    spots, counts = evidence.spots(scope, snapshot, area, end)
    placings = source_list.unplaced(scope, snapshot, area, end)
    overdue, facilities = _facilities(scope, snapshot, area)
    return Board(
        area=area,
        week=evidence.days(end, snapshot),
        standing=standings.standing(scope, snapshot, area, end),
        palette=palette(scope, snapshot),
        level=level,
        ranking=tuple(ranking[:RANKED]),
        ranked=len(ranking),
        grey=sum(one.colour == 0 for one in ranking),
        spots=spots,
        spot_counts=counts,
        clocks=evidence.clocks(scope, snapshot, area, end),
        due=due(scope, snapshot, area),
        cohort=evidence.cohort(scope, snapshot, area),
        trust=evidence.trust(scope, snapshot, area, end),
        placing=placings[-1] if placings else None,
        sources=source_list.sources(scope, snapshot),
        overdue_facilities=overdue,
        facilities=facilities,
        last_day=last_day(snapshot),
    )


def _ranking(scope: Scope, snapshot: Snapshot, area: Area, level: str) -> list[Ranked]:
    """Areas by their index, the lowest first; those without one come last."""
    rows = index_list.rows(scope, snapshot, area, level, snapshot.manifest.last_period)
    if rows.empty:
        return []
    areas = hierarchy(scope, snapshot).at(level)
    found = [
        Ranked(
            area=Area(level, index),
            name_zh=str(areas.names_zh[index]),
            name_en=str(areas.names_en[index]),
            colour=int(row["colour"]),
            index=_known(row["safety_index"]),
            # The stored change is that of the risk.
            moved=None if np.isnan(row["moved"]) else _moved(row["safety_index"], row["moved"]),
            incidents=int(row["n"]),
        )
        for row in rows.to_dict("records")
        for index in (int(row["area_index"]),)
    ]
    found.sort(key=lambda one: (one.index is None, -one.colour, one.index or 0.0))
    return found


def _moved(safety: float, risk_moved: float) -> float:
    """Change of the index as it is printed, so that two printed figures differ by it."""
    return round(round(safety, 1) - round(safety + risk_moved, 1), 1)


def _known(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def _facilities(scope: Scope, snapshot: Snapshot, area: Area) -> tuple[int | None, int | None]:
    """Overdue facilities of an area, and all; None where no register is kept."""
    hierarchy(scope, snapshot).check(area)
    if "facilities_due" not in snapshot.tables():
        return None, None
    ((overdue, total),) = snapshot.rows(
        "SELECT sum(overdue), sum(total) FROM facilities_due WHERE level = ? AND area_index = ?",
        [area.level, area.index],
    )
    return (None, None) if total is None else (int(overdue), int(total))

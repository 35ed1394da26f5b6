"""
Protected figures: what may be given beyond a scope's own areas, from the stored releases alone.

Nothing here reads an exact table, so no answer made of it can mix the two tiers. NaN = withheld.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from dashboard.areas import Area, all_areas
from dashboard.cache import scoped_cache, scoped_cache_of_few
from data import rates, releases
from data.access import Edition, NotVisibleError, decide
from data.periods import Window

if TYPE_CHECKING:
    import datetime as dt

    from numpy.typing import NDArray

    from data.access import Scope
    from data.rates import AreaRates
    from data.store import Snapshot

ALL: Final = releases.ALL
"""Category index of the sum over all categories."""

RECENT: Final = 4
"""Released periods that a comparison sums up."""


def edition(scope: Scope) -> Edition:
    """Edition that the scope may see beyond its own areas; "" = none."""
    return decide(scope, "compare").edition


@scoped_cache
def released_starts(scope: Scope, snapshot: Snapshot) -> tuple[dt.date, ...]:
    """First days of the released periods, oldest first; empty where there are none."""
    chosen = edition(scope)
    return releases.released_starts(snapshot, chosen) if chosen else ()


@scoped_cache
def released_levels(scope: Scope, snapshot: Snapshot) -> tuple[str, ...]:
    """Levels that the newest release tells totals of, from the top down."""
    chosen = edition(scope)
    return releases.released_levels(snapshot, chosen) if chosen else ()


def threshold(scope: Scope, snapshot: Snapshot) -> int:
    """Least count that the newest release gives."""
    return releases.threshold(snapshot, edition(scope))


@scoped_cache_of_few
def level_counts(
    scope: Scope, snapshot: Snapshot, level: str, category: int
) -> NDArray[np.float64]:
    """Incidents per released period and area of one level, shape (n periods, n areas)."""
    starts = released_starts(scope, snapshot)
    return releases.released_counts(snapshot, edition(scope), level, starts, category)


def window_counts(
    scope: Scope, snapshot: Snapshot, level: str, window: Window, category: int = ALL
) -> NDArray[np.float64]:
    """Incidents of a window of whole released periods per area; withheld if any period is."""
    row_of = {start: row for row, start in enumerate(released_starts(scope, snapshot))}
    rows = [row_of.get(start, -1) for start in window.starts]
    if -1 in rows:
        return np.full(len(all_areas(scope, snapshot).at(level)), np.nan)
    return np.asarray(level_counts(scope, snapshot, level, category)[rows].sum(axis=0))


def series(
    scope: Scope, snapshot: Snapshot, area: Area, category: int = ALL
) -> tuple[tuple[dt.date, ...], NDArray[np.float64]]:
    """Released periods and the area's incidents in each."""
    starts = released_starts(scope, snapshot)
    if not starts:
        return (), np.zeros(0)
    found = level_counts(scope, snapshot, area.level, category)
    return starts, found[:, area.index]


@scoped_cache_of_few
def level_rates(
    scope: Scope, snapshot: Snapshot, level: str, window: Window, category: int = ALL
) -> AreaRates:
    """Rates and bands of a level from released counts alone; a withheld area has no band."""
    tree = all_areas(scope, snapshot)
    chain = tree.levels[: tree.order.index(level) + 1]
    counts = [window_counts(scope, snapshot, areas.level, window, category) for areas in chain]
    exposures = [
        np.where(np.isnan(count) | ~areas.valid_on(window.last_day), np.nan, areas.exposure)
        for areas, count in zip(chain, counts, strict=True)
    ]
    return rates.rates_by_level(
        [np.nan_to_num(count).astype(np.int64) for count in counts],
        exposures,
        [areas.parents for areas in chain],
        periods=window.periods,
    )[-1]


@dataclass(frozen=True)
class Compared:
    """One area of a comparison; None = withheld."""

    area: Area
    relation: str
    """`own`, `sibling` or `above`."""
    latest: int | None
    recent: int | None
    rate: float
    """Incidents per exposure unit and period over the recent periods; NaN = withheld."""


@dataclass(frozen=True)
class Comparison:
    """An area beside its siblings and what lies above, all from one release."""

    rows: tuple[Compared, ...]
    latest: Window
    recent: Window


def comparison(scope: Scope, snapshot: Snapshot, area: Area) -> Comparison | None:
    """
    Compare an own area with its siblings and the areas above it; None without releases.

    Raises
    ------
    NotVisibleError
        The area is not one of the scope's own: others are compared with, never asked about.
    """
    tree = all_areas(scope, snapshot)
    if not tree.at(area.level).visible[area.index]:
        raise NotVisibleError("no such area")
    starts = released_starts(scope, snapshot)
    if not starts or area.level not in released_levels(scope, snapshot):
        return None
    grain = snapshot.manifest.grain
    latest = Window(starts[-1], 1, grain)
    recent = Window(starts[-1], min(RECENT, len(starts)), grain)

    def compared(one: Area, relation: str) -> Compared:
        newest = window_counts(scope, snapshot, one.level, latest)[one.index]
        summed = window_counts(scope, snapshot, one.level, recent)[one.index]
        rate = summed / float(tree.at(one.level).exposure[one.index]) / recent.periods
        return Compared(one, relation, known(newest), known(summed), float(rate))

    rows = [compared(area, "own")]
    level = tree.at(area.level)
    parent = int(level.parents[area.index])
    same = (level.parents == parent) & level.valid_on(latest.last_day)
    siblings = [Area(area.level, int(i)) for i in np.flatnonzero(same) if i != area.index]
    rows += [compared(one, "sibling") for one in siblings]
    rows += [
        compared(one, "above")
        for one in tree.line_up(area)
        if one.level in released_levels(scope, snapshot)
    ]
    return Comparison(tuple(rows), latest, recent)


def known(value: float) -> int | None:
    """A released count as a number; None where it is withheld."""
    return None if np.isnan(value) else int(value)

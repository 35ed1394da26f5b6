"""What the panels say about one area: its rate with all that led to it, and its neighbours."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from dashboard import queries
from dashboard.areas import Area, hierarchy
from data.periods import PERIODS_PER_YEAR

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dashboard.queries import Selection
    from data.access import Scope
    from data.rates import AreaRates
    from data.store import Snapshot

OTHERS: Final = 3
"""Other areas that an area above must have before figures that lean on it are told."""

RANKED: Final = 20
"""Areas that the ranking lists one by one."""


@dataclass(frozen=True)
class RateRow:
    """One area's figures; NaN is no data. Rates are incidents per exposure unit and period."""

    area: Area
    count: int
    exposure: float
    rate: float
    prior_rate: float
    strength: float
    shrunk_rate: float
    lower: float
    upper: float
    ratio: float
    p_above: float
    band: int
    small_sample: bool
    previous: int | None
    """Incidents in the window just before; None where it is not covered."""
    is_alone: bool
    """The area above is outside the scope and has so few others in it that what leans on it would
    tell of them: prior, strength, shrunk rate, its interval and P are NaN, R has one decimal."""


@dataclass(frozen=True)
class Changes:
    """Incidents of one area in the window and in two windows to compare with; None = unknown."""

    count: int | None
    previous: int | None
    last_year: int | None


@dataclass(frozen=True)
class Ranking:
    """Areas of one level inside a focus; the parts add up to `total`."""

    rows: tuple[RateRow, ...]
    others: int
    other_areas: int
    retired: int
    retired_areas: int
    not_placed: int
    total: int
    placed_nowhere: int
    """Beside the total: incidents of the window that lie in no area at all; 0 below the city, and
    for a scope short of the whole city."""

    @property
    def unplaced(self) -> int:
        """Incidents that no area of the level shows."""
        return self.not_placed + self.placed_nowhere

    @property
    def recorded(self) -> int:
        """All incidents that the figures of the focus stand for, placed or not."""
        return self.total + self.placed_nowhere


def rate_row(scope: Scope, snapshot: Snapshot, area: Area, selection: Selection) -> RateRow:
    """
    Figures of one area in the window.

    Raises
    ------
    NotVisibleError
        The area is unknown or outside the scope.
    """
    hierarchy(scope, snapshot).check(area)
    (row,) = _rows(scope, snapshot, area.level, np.array([area.index]), selection)
    return row


def changes(scope: Scope, snapshot: Snapshot, area: Area, selection: Selection) -> Changes:
    """
    Incidents of one area in the window, in the one before and in the same one last year.

    Raises
    ------
    NotVisibleError
        The area is unknown or outside the scope.
    """
    series = queries.area_series(scope, snapshot, area, selection)
    window, year = selection.window, PERIODS_PER_YEAR[selection.window.grain]
    # A longer one would be compared with a part of itself.
    last_year = series.total(window.earlier(year)) if window.periods <= year else None
    return Changes(
        count=series.total(window),
        previous=series.total(window.earlier(window.periods)),
        last_year=last_year,
    )


def ranking(
    scope: Scope, snapshot: Snapshot, focus: Area, level: str, selection: Selection
) -> Ranking:
    """
    Rank the areas of a level inside the focus by P(rate > city rate).

    Areas that are no longer valid and incidents that lie in no area of the level stand as sums.

    Raises
    ------
    NotVisibleError
        The focus is unknown or outside the scope.
    """
    tree = hierarchy(scope, snapshot)
    tree.check(focus)
    areas = tree.at(level)
    rates = queries.level_rates(scope, snapshot, level, selection)
    inside = tree.inside(level, focus)
    valid = inside & areas.valid_on(selection.window.last_day)
    candidates = np.flatnonzero(valid)
    listed = _highest(rates, candidates)
    counts = queries.window_counts(scope, snapshot, focus.level, selection)
    total = int(counts[focus.index])
    whole = scope.sees_all and focus.level == tree.order[0]
    return Ranking(
        rows=_rows(scope, snapshot, level, listed, selection),
        others=int(rates.count[valid].sum() - rates.count[listed].sum()),
        other_areas=len(candidates) - len(listed),
        retired=int(rates.count[inside & ~valid].sum()),
        retired_areas=int(np.count_nonzero(rates.count[inside & ~valid])),
        not_placed=total - int(rates.count[inside].sum()),
        total=total,
        placed_nowhere=int(counts[-1]) if whole else 0,
    )


def _highest(rates: AreaRates, candidates: NDArray[np.int64]) -> NDArray[np.int64]:
    """The first `RANKED` candidates; ties go to the larger count, then to the lower index."""
    # NaN ranks last.
    risk = np.nan_to_num(rates.p_above(candidates), nan=-1.0)
    if len(candidates) > RANKED:
        # Sort only those that can be listed: all that reach the last listed probability.
        reach = risk >= -np.partition(-risk, RANKED - 1)[RANKED - 1]
        candidates, risk = candidates[reach], risk[reach]
    order = np.lexsort((candidates, -rates.count[candidates], -risk))
    return candidates[order[:RANKED]]


def _rows(
    scope: Scope, snapshot: Snapshot, level: str, rows: NDArray[np.int64], selection: Selection
) -> tuple[RateRow, ...]:
    """Figures of some areas of one level, in the given order."""
    rates = queries.level_rates(scope, snapshot, level, selection)
    earlier = selection.earlier(selection.window.periods)
    known = earlier.window.start >= snapshot.manifest.first_period
    past = queries.window_counts(scope, snapshot, level, earlier) if known else None
    lower, upper = rates.interval(rows)
    p_above = rates.p_above(rows)
    alone = _alone(scope, snapshot, level, rows, selection)

    def leaning(value: float, at: int) -> float:
        return math.nan if alone[at] else float(value)

    return tuple(
        RateRow(
            area=Area(level, i),
            count=int(rates.count[i]),
            exposure=float(rates.exposure[i]),
            rate=float(rates.rate[i]),
            prior_rate=leaning(rates.prior_rate[i], at),
            strength=leaning(rates.strength[i], at),
            shrunk_rate=leaning(rates.shrunk_rate[i], at),
            lower=leaning(lower[at], at),
            upper=leaning(upper[at], at),
            ratio=float(rates.ratio[i].round(1) if alone[at] else rates.ratio[i]),
            p_above=leaning(p_above[at], at),
            band=int(rates.band[i]),
            small_sample=bool(rates.small_sample[i]),
            previous=None if past is None else int(past[i]),
            is_alone=bool(alone[at]),
        )
        for at, i in enumerate(rows.tolist())
    )


def _alone(
    scope: Scope, snapshot: Snapshot, level: str, rows: NDArray[np.int64], selection: Selection
) -> NDArray[np.bool_]:
    """Which areas lean on one above that is not visible and has fewer than `OTHERS` others."""
    tree = hierarchy(scope, snapshot)
    areas, depth = tree.at(level), tree.order.index(level)
    parents = areas.parents[rows]
    if scope.sees_all or depth == 0:
        return np.zeros(len(rows), dtype=bool)
    valid = areas.valid_on(selection.window.last_day) & (areas.parents >= 0)
    above = tree.levels[depth - 1]
    others = np.bincount(areas.parents[valid], minlength=len(above))[parents] - 1
    return np.asarray(~above.visible[parents] & (others < OTHERS))

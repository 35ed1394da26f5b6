"""What the panels say about one area: its rate with all that led to it, and its neighbours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from dashboard import queries
from dashboard.areas import Area, hierarchy
from data.periods import PERIODS_PER_YEAR

if TYPE_CHECKING:
    from dashboard.queries import Selection
    from data.access import Scope
    from data.store import Snapshot

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


def rate_row(scope: Scope, snapshot: Snapshot, area: Area, selection: Selection) -> RateRow:
    """
    Figures of one area in the window.

    Raises
    ------
    NotVisibleError
        The area is unknown or outside the scope.
    """
    hierarchy(scope, snapshot).check(area)
    return _row(scope, snapshot, area, selection)


def changes(scope: Scope, snapshot: Snapshot, area: Area, selection: Selection) -> Changes:
    """
    Incidents of one area in the window, in the one before and in the same one last year.

    Raises
    ------
    NotVisibleError
        The area is unknown or outside the scope.
    """
    series = queries.area_series(scope, snapshot, area, selection)
    window = selection.window
    return Changes(
        count=series.total(window),
        previous=series.total(window.earlier(window.periods)),
        last_year=series.total(window.earlier(PERIODS_PER_YEAR[window.grain])),
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
    # NaN ranks last; ties go to the larger count, then to the lower index.
    risk = np.nan_to_num(rates.p_above[candidates], nan=-1.0)
    order = np.lexsort((candidates, -rates.count[candidates], -risk))
    listed = candidates[order[:RANKED]]
    total = int(queries.window_counts(scope, snapshot, focus.level, selection)[focus.index])
    return Ranking(
        rows=tuple(
            _row(scope, snapshot, Area(level, index), selection) for index in listed.tolist()
        ),
        others=int(rates.count[valid].sum() - rates.count[listed].sum()),
        other_areas=len(candidates) - len(listed),
        retired=int(rates.count[inside & ~valid].sum()),
        retired_areas=int(np.count_nonzero(rates.count[inside & ~valid])),
        not_placed=total - int(rates.count[inside].sum()),
        total=total,
    )


def _row(scope: Scope, snapshot: Snapshot, area: Area, selection: Selection) -> RateRow:
    rates = queries.level_rates(scope, snapshot, area.level, selection)
    earlier = selection.earlier(selection.window.periods)
    known = earlier.window.start >= snapshot.manifest.first_period
    past = queries.window_counts(scope, snapshot, area.level, earlier) if known else None
    i = area.index
    return RateRow(
        area=area,
        count=int(rates.count[i]),
        exposure=float(rates.exposure[i]),
        rate=float(rates.rate[i]),
        prior_rate=float(rates.prior_rate[i]),
        strength=float(rates.strength[i]),
        shrunk_rate=float(rates.shrunk_rate[i]),
        lower=float(rates.lower[i]),
        upper=float(rates.upper[i]),
        ratio=float(rates.ratio[i]),
        p_above=float(rates.p_above[i]),
        band=int(rates.band[i]),
        small_sample=bool(rates.small_sample[i]),
        previous=None if past is None else int(past[i]),
    )

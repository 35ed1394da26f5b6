"""
Rates per 10,000 residents or households or per km², with intervals and rank intervals.

Rates are shrunk down the levels (`data.rates`, Gamma-Poisson); beside them stands the exact
interval of the raw rate (Garwood 1936, Biometrika 28, 437). A rank is never told without the range
that the posterior leaves it (Goldstein and Spiegelhalter 1996, JRSS A 159, 385).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from scipy import special

from data.periods import Window, exposure_days
from data.rates import AreaRates, probability_above, rates_by_level
from etl.analyse.expected import known_share
from etl.analyse.frames import stacked
from etl.analyse.observed import by_area, known_rows

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pandas as pd

    from etl.analyse.bed import Areas, Bed, Floats, Ints

PER: Final = {"residents": 10_000.0, "households": 10_000.0, "km2": 1.0}
"""Denominator to the number of its units that a rate is told for."""

SMALL: Final = ("community", "grid")
SMALL_WINDOW_WEEKS: Final = 4
"""Weeks of the window of small areas; of larger ones, and by months, one period."""

HIGH: Final = 1.5
"""Multiple of the rate of the parent, or of the city, from which a rate is called high."""

POINTS: Final = (0.05, 0.95)
_DRAWS: Final = 400
_POOLED_DRAWS: Final = 2
_MANY: Final = 400
"""From so many areas on, an area's rank follows from its own rate: the others' average out."""


@dataclass(frozen=True)
class Ranks:
    """Rank 1 = highest and its 90 % range, each shape (n areas,), whole numbers."""

    rank: Ints
    lower: Ints
    upper: Ints


def window_of(bed: Bed, level: str) -> int:
    """Periods in the window of a level."""
    return SMALL_WINDOW_WEEKS if bed.grain == "week" and level in SMALL else 1


def garwood(count: Ints) -> tuple[Floats, Floats]:
    """Exact 90 % interval of the mean of a Poisson count; lower bound 0 of no events."""
    distinct, place = _distinct(count)
    some = np.where(distinct > 0, distinct, 1)
    lower = np.where(distinct > 0, special.gammaincinv(some, POINTS[0]), 0.0)
    return lower[place], special.gammaincinv(distinct + 1, POINTS[1])[place]


def posterior_interval(count: Ints, strength: float, scale: Floats) -> tuple[Floats, Floats]:
    """5 % and 95 % point of the Gamma posteriors of shape `strength` + count."""
    distinct, place = _distinct(count)
    lower, upper = (
        special.gammaincinv(strength + distinct, point)[place] / scale for point in POINTS
    )
    return lower, upper


def _distinct(count: Ints) -> tuple[Ints, Ints]:
    """Distinct counts, of which there are few, and the place of each count among them."""
    seen = np.bincount(count) > 0
    return np.flatnonzero(seen), (np.cumsum(seen) - 1)[count]


def ranks(count: Ints, strength: float, scale: Floats, *, threshold: float, seed: int) -> Ranks:
    """
    Rank areas by how surely their rate is high, with the range of ranks of the rate itself.

    Parameters
    ----------
    count, strength, scale
        Gamma posterior of each area's rate, of shape `strength` + count; shape (n areas,).
    threshold
        Rate from which it is high. Areas alike in P(rate > threshold) go by their mean rate.
    seed
        Of the simulation, so that the same data give the same ranges.

    Returns
    -------
    ranks
        The range holds the rank of the area's true rate with 90 % probability; it is widened to
        hold the rank that is told.
    """
    number, shape = len(count), np.asarray(strength + count, dtype=np.float64)
    order = np.lexsort((-shape / scale, -probability_above(shape, scale, rate=threshold)))
    rank = np.empty(number, dtype=np.int64)
    rank[order] = np.arange(1, number + 1)
    draw = np.random.default_rng(seed)
    if number < _MANY:
        drawn = draw.gamma(shape, 1 / scale, (_DRAWS, number))
        places = np.argsort(np.argsort(-drawn, axis=1), axis=1) + 1
        lower, upper = np.quantile(places, POINTS, axis=0, method="nearest")
    else:
        pooled = np.sort(draw.gamma(shape, 1 / scale, (_POOLED_DRAWS, number)).ravel())
        # Others above a rate: their share among the pooled draws, times their number.
        upper, lower = (
            1 + (number - 1) * (1 - np.searchsorted(pooled, one) / len(pooled))
            for one in posterior_interval(count, strength, scale)
        )
    return Ranks(
        rank,
        np.minimum(rank, np.floor(lower).astype(np.int64)),
        np.maximum(rank, np.minimum(np.ceil(upper), number).astype(np.int64)),
    )


def area_rates(
    bed: Bed, at: int, known_on: np.datetime64, *, detailed: bool = True
) -> pd.DataFrame:
    """
    Rates of all levels for the windows that end with a period: the `area_rates` table.

    Reported events of all groups, as known on a day. A denominator that is known of no area is
    left out; an area that does not know it keeps its count, and its rate is empty. Unless
    `detailed`, only the first denominator that is known is told.
    """
    parts: list[dict[str, Any]] = []
    for periods in sorted({window_of(bed, level) for level in bed.levels}):
        # Levels below the lowest one with this window have no say in it.
        depth = max(one for one, level in enumerate(bed.levels) if window_of(bed, level) == periods)
        if at + 1 >= periods:
            levels = bed.areas[: depth + 1]
            parts += _window(bed, levels, at, known_on, periods=periods, detailed=detailed)
    return stacked(parts, length="area_index")


def _window(
    bed: Bed,
    levels: Sequence[Areas],
    at: int,
    known_on: np.datetime64,
    *,
    periods: int,
    detailed: bool,
) -> Iterator[dict[str, Any]]:
    """Rows of each denominator and level that has this window."""
    window = Window(bed.starts[at].astype(object), periods, bed.grain)
    kept, parents = valid_tree(levels, bed.ends[at])
    span = range(at - periods + 1, at + 1)
    known = float(np.mean([known_share(bed, "all", at=one, known_on=known_on) for one in span]))
    every = by_area(bed, known_rows(bed, "all", span[0], at, known_on))
    counts = [count[rows].astype(np.int64) for count, rows in zip(every, kept, strict=False)]
    valid = [_valid_share(one, window)[rows] for one, rows in zip(levels, kept, strict=True)]
    for denominator, per in PER.items():
        units = [_units(one, denominator)[rows] / per
                 for one, rows in zip(levels, kept, strict=True)]  # fmt: skip
        if not any(np.any(one > 0) for one in units):
            continue
        exposures = [unit * days * known for unit, days in zip(units, valid, strict=True)]
        found = rates_by_level(counts, exposures, parents, periods=periods)
        for areas, rows, rates in zip(levels, kept, found, strict=True):
            if window_of(bed, areas.level) == periods:
                yield {
                    "level": areas.level,
                    "period_end": bed.starts[at].astype("datetime64[s]"),
                    "area_index": rows,
                    "denominator": denominator,
                    "per": per,
                    **_figures(rates, periods=periods, seed=int(bed.starts[at].astype(np.int64))),
                }
        if not detailed:
            return


def _units(areas: Areas, denominator: str) -> Floats:
    return areas.area_km2 if denominator == "km2" else getattr(areas, denominator)


def valid_tree(areas: Sequence[Areas], day: np.datetime64) -> tuple[list[Ints], list[Ints]]:
    """
    Areas of each level that are valid on a day, with all above them.

    Returns
    -------
    rows
        Positions of the areas, per level.
    parents
        Position of each one's parent among the rows of the level above; -1 at the top.
    """
    kept, parents = [], []
    place = np.zeros(0, dtype=np.int64)
    for depth, one in enumerate(areas):
        valid = one.valid(day)
        if depth:
            valid &= (one.parent >= 0) & (place[one.parent] >= 0)
        rows = np.flatnonzero(valid)
        kept.append(rows)
        parents.append(place[one.parent[rows]] if depth else np.full(len(rows), -1))
        place = np.full(len(one), -1, dtype=np.int64)
        place[rows] = np.arange(len(rows))
    return kept, parents


def _valid_share(areas: Areas, window: Window) -> Floats:
    """Share of the window's days on which each area is valid."""
    days = exposure_days(areas.valid_from, areas.valid_to, window)
    length = (np.datetime64(window.last_day) - np.datetime64(window.start)).astype(np.int64) + 1
    return np.asarray(days / float(length))


def _figures(rates: AreaRates, *, periods: int, seed: int) -> dict[str, Any]:
    """Columns of the table; empty where the exposure is unknown, unranked in a city without any."""
    at_risk = rates.exposure * periods
    every = rates.count.astype(np.int64)
    low, high = garwood(every)
    ranked = np.isfinite(rates.shrunk_rate) & np.isfinite(rates.scale)
    count, scale, parent = every[ranked], rates.scale[ranked], rates.prior_rate[ranked]
    strength = float(rates.strength[ranked][0]) if ranked.any() else 1.0

    def spread(values: Floats | Ints) -> Floats:
        found = np.full(len(ranked), np.nan)
        found[ranked] = values
        return found

    lower, upper = posterior_interval(count, strength, scale)
    places = ranks(count, strength, scale, threshold=HIGH * rates.city_rate, seed=seed)
    return {
        "periods": periods,
        "count": every,
        "exposure": at_risk,
        "rate": rates.rate,
        "lower": low / at_risk,
        "upper": high / at_risk,
        "shrunk_rate": rates.shrunk_rate,
        "posterior_lower": spread(lower),
        "posterior_upper": spread(upper),
        "p_high": spread(np.asarray(special.gammaincc(strength + count, scale * HIGH * parent))),
        "rank": spread(places.rank),
        "rank_lower": spread(places.lower),
        "rank_upper": spread(places.upper),
    }

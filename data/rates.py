"""
The first, plainly defined rate and band of an area: one definition for pipeline and screen.

The rate of an area is shrunk towards its parent's rate, level by level from the city down
(Gamma-Poisson model). The band compares the shrunk rate with the city's rate in the same window
and lets a colour stand only where the posterior probability supports it. Methods: Clayton and
Kaldor 1987 (Biometrics 43, 671); moments after Marshall 1991 (Applied Statistics 40, 283).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy import special

if TYPE_CHECKING:
    from collections.abc import Sequence

    from data.periods import Grain

Floats = NDArray[np.float64]
Ints = NDArray[np.integer]

BAND_EDGES: Final = (1.1, 1.3, 1.5)
"""Lower edges of bands 2 (yellow), 3 (orange) and 4 (red) in multiples of the city's rate."""

BAND_GATES: Final = (0.80, 0.95, 0.99)
"""Least P(rate > city rate) at which bands 2, 3 and 4 stand; below it the band drops a step."""

SMALL_SAMPLE: Final = 3
"""Fewer incidents than this in a window: marked, and at most band 2."""

NO_DATA: Final = 0
"""Band of an area whose exposure is unknown."""

STRENGTH_RANGE: Final = (0.05, 50.0)
INTERVAL: Final = (0.05, 0.95)
BASELINE_PERIODS: Final[dict[Grain, int]] = {"week": 15, "month": 6}
"""Periods before the shown one from which its expected range is taken."""


Rows = NDArray[np.int64] | slice
"""Positions of some areas, or all of them."""

ALL_ROWS: Final = slice(None)


@dataclass(frozen=True)
class AreaRates:
    """
    Rates of the areas of one level, each array of shape (n areas,); NaN is no data.

    `shape` and `scale` are those of the posterior Gamma distribution. What has to be integrated
    from it is computed for the areas that are asked for: a map needs none of it.
    """

    count: Ints
    exposure: Floats
    rate: Floats
    prior_rate: Floats
    strength: Floats
    shrunk_rate: Floats
    ratio: Floats
    band: NDArray[np.int8]
    small_sample: NDArray[np.bool_]
    shape: Floats
    scale: Floats
    city_rate: float

    def p_above(self, rows: Rows = ALL_ROWS) -> Floats:
        """P(rate > city rate) of some areas, shape (n rows,)."""
        return probability_above(self.shape[rows], self.scale[rows], rate=self.city_rate)

    def interval(self, rows: Rows = ALL_ROWS) -> tuple[Floats, Floats]:
        """Lower and upper bound of the 90 % interval of some areas, each shape (n rows,)."""
        shape, scale = self.shape[rows], self.scale[rows]
        none = self.shrunk_rate[rows] == 0
        lower, upper = (
            np.where(none, 0.0, special.gammaincinv(shape, point) / scale) for point in INTERVAL
        )
        return lower, upper

    def figures(self) -> dict[str, NDArray[Any]]:
        """Every figure of every area under its name in the `area_risk` table."""
        lower, upper = self.interval()
        return {
            "count": self.count,
            "exposure": self.exposure,
            "rate": self.rate,
            "prior_rate": self.prior_rate,
            "strength": self.strength,
            "shrunk_rate": self.shrunk_rate,
            "lower": lower,
            "upper": upper,
            "ratio": self.ratio,
            "p_above": self.p_above(),
            "band": self.band,
            "small_sample": self.small_sample,
        }


def probability_above(shape: Floats, scale: Floats, *, rate: float) -> Floats:
    """Probability that a Gamma variable of given shape and inverse scale exceeds a rate."""
    return np.asarray(special.gammaincc(shape, scale * rate))


def prior_strength(count: Ints, expected: Floats) -> float:
    """
    Shape of the Gamma prior by the method of moments, within `STRENGTH_RANGE`.

    Parameters
    ----------
    count
        Incidents per area, shape (n,).
    expected
        Incidents expected at the prior rate, shape (n,); NaN rows are left out.
    """
    known = np.isfinite(expected) & (expected > 0)
    observed, mean = count[known].astype(float), expected[known]
    excess = float(np.sum((observed - mean) ** 2 - mean))
    low, high = STRENGTH_RANGE
    if excess <= 0:
        return high
    return float(np.clip(np.sum(mean**2) / excess, low, high))


def area_rates(
    count: Ints, exposure: Floats, *, prior_rate: Floats, city_rate: float, periods: int
) -> AreaRates:
    """
    Shrink the rates of one level towards given prior rates and band them.

    Parameters
    ----------
    count
        Incidents per area in the window, shape (n,).
    exposure
        Denominator per area in the city's unit (10,000 residents, 1,000 households or km²);
        NaN or 0 = unknown.
    prior_rate
        Shrunk rate of each area's parent, incidents per exposure unit and period, shape (n,).
    city_rate
        The city's rate in the same window, same unit.
    periods
        Periods in the window.
    """
    known = np.isfinite(exposure) & (exposure > 0) & np.isfinite(prior_rate)
    at_risk = np.where(known, exposure * periods, np.nan)
    # A city without any incident has rate 0 everywhere: known, but no ratio to speak of.
    prior = np.where(known & (prior_rate > 0), prior_rate, np.nan)
    strength = prior_strength(count, at_risk * prior)
    shape = np.asarray(strength + count, dtype=np.float64)
    scale = strength / prior + at_risk
    none = known & (prior_rate == 0)
    shrunk = np.where(none, 0.0, shape / scale)
    ratio = shrunk / city_rate if city_rate > 0 else np.full(len(count), np.nan)
    # A gate is asked only where a band reaches it; elsewhere the integral would be thrown away.
    p_above = np.full(len(count), np.nan)
    gated = np.flatnonzero(ratio >= BAND_EDGES[0])
    p_above[gated] = probability_above(shape[gated], scale[gated], rate=city_rate)
    small = np.asarray(count < SMALL_SAMPLE)
    return AreaRates(
        count=count,
        exposure=np.where(known, exposure, np.nan),
        rate=count / at_risk,
        prior_rate=np.where(known, prior_rate, np.nan),
        strength=np.where(known, strength, np.nan),
        shrunk_rate=shrunk,
        ratio=ratio,
        band=np.where(none, 1, bands(ratio, p_above, small_sample=small)).astype(np.int8),
        small_sample=small,
        shape=shape,
        scale=scale,
        city_rate=city_rate,
    )


def bands(ratio: Floats, p_above: Floats, *, small_sample: NDArray[np.bool_]) -> NDArray[np.int8]:
    """
    Band 1 (blue) to 4 (red) of each ratio to the city's rate; 0 where the ratio is NaN.

    Edges are half-open: a ratio of exactly 1.1 is yellow. A band whose gate fails drops one step
    and is tested again; a small sample is at most yellow. `p_above` may be NaN where the ratio
    stays below the first edge.
    """
    band = 1 + np.searchsorted(BAND_EDGES, np.nan_to_num(ratio), side="right")
    for step in (4, 3, 2):
        fails = (band == step) & ~(p_above >= BAND_GATES[step - 2])
        band = np.where(fails, step - 1, band)
    band = np.where(small_sample, np.minimum(band, 2), band)
    return np.where(np.isfinite(ratio), band, NO_DATA).astype(np.int8)


def rates_by_level(
    counts: Sequence[Ints],
    exposures: Sequence[Floats],
    parents: Sequence[Ints],
    *,
    periods: int,
) -> list[AreaRates]:
    """
    Rates of every level, the city first, each shrunk to the level above it.

    Parameters
    ----------
    counts, exposures
        One array per level from the top down, shape (n areas of the level,).
    parents
        Position of each area's parent in the level above; ignored for the top level.
    periods
        Periods in the window.

    Returns
    -------
    levels
        One `AreaRates` per level. An area without exposure passes its own prior on to its
        children, so that they lean on the nearest known ancestor.
    """
    city_exposure = float(np.nansum(exposures[0])) * periods
    city_rate = float(np.sum(counts[0])) / city_exposure if city_exposure > 0 else float("nan")
    levels: list[AreaRates] = []
    passed_on = np.full(1, city_rate)
    for depth, (count, exposure) in enumerate(zip(counts, exposures, strict=True)):
        prior = np.full(len(count), city_rate) if depth == 0 else passed_on[parents[depth]]
        rates = area_rates(count, exposure, prior_rate=prior, city_rate=city_rate, periods=periods)
        levels.append(rates)
        passed_on = np.where(np.isfinite(rates.shrunk_rate), rates.shrunk_rate, prior)
    return levels


@dataclass(frozen=True)
class ExpectedRange:
    """Expected incidents per period with a 90 % range, shape (n periods,); NaN is no data."""

    mean: Floats
    lower: Floats
    upper: Floats


def expected_range(count: Ints, *, grain: Grain) -> ExpectedRange:
    """
    What the periods just before each period lead one to expect in it, without look-ahead.

    Mean and variance of the `BASELINE_PERIODS` earlier periods give a negative binomial (Poisson
    where the variance does not exceed the mean); its 5 % and 95 % points bound the range.

    Parameters
    ----------
    count
        Incidents per consecutive period, shape (n,). The first periods have no baseline: NaN.
    """
    length = BASELINE_PERIODS[grain]
    mean = np.full(len(count), np.nan)
    lower, upper = mean.copy(), mean.copy()
    if len(count) <= length:
        return ExpectedRange(mean, lower, upper)
    past = np.lib.stride_tricks.sliding_window_view(count[:-1].astype(float), length)
    centre, variance = past.mean(axis=1), past.var(axis=1, ddof=1)
    over = variance > centre
    size = np.where(over, centre**2 / np.where(over, variance - centre, 1.0), 1.0)
    share = size / (size + centre)
    for bound, point in ((lower, INTERVAL[0]), (upper, INTERVAL[1])):
        bound[length:] = np.where(
            over, _negative_binomial_point(point, size, share), _poisson_point(point, centre)
        )
    mean[length:] = centre
    # An area without any incident in its baseline expects none; its range is the point 0.
    lower[length:][centre == 0] = upper[length:][centre == 0] = 0.0
    return ExpectedRange(mean, lower, upper)


# `scipy.stats` has both points too, but takes half a second to import at every start.
def _negative_binomial_point(point: float, size: Floats, share: Floats) -> Floats:
    """Least count whose distribution function reaches a probability, shape as `size`."""
    reached = np.ceil(special.nbdtrik(point, size, share))
    below = np.maximum(reached - 1, 0)
    # The inverse is continuous and inexact; the distribution function decides.
    return np.asarray(np.where(special.betainc(size, below + 1, share) >= point, below, reached))


def _poisson_point(point: float, mean: Floats) -> Floats:
    """Least count whose distribution function reaches a probability, shape as `mean`."""
    reached = np.ceil(special.pdtrik(point, mean))
    below = np.maximum(reached - 1, 0)
    return np.asarray(np.where(special.pdtr(below, mean) >= point, below, reached))

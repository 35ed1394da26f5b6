"""
The tests behind the signals: exceedance of an area and of its ring, and slow rises.

Exceedance is the upper tail of the negative binomial, with the false discovery rate controlled per
level (Benjamini and Hochberg 1995, JRSS B 57, 289). Slow rises: a cumulative sum of residuals (Page
1954, Biometrika 41, 100) after the variance-stabilising root of Anscombe 1948 (Biometrika 35, 246).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from etl.analyse.expected import upper_tail
from etl.analyse.hotspots.discovery import false_discovery
from etl.analyse.hotspots.exceedance import ring_sums
from etl.analyse.negative_binomial import relative_variance, size_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from scipy import sparse

    from data.signal_settings import Colour, SignalSettings
    from etl.analyse.bed import Floats

AREA, RING, CUSUM = "area", "ring", "cusum"
_LOOKED_AT: Final = 2.0
"""Standard deviations above the mean below which no count has a small probability."""
_OUTLIER: Final = 4.0
_ANSCOMBE: Final = 0.375


@dataclass(frozen=True)
class Counted:
    """
    What is to be tested of every area of a level, arrays of shape (n areas,).

    `mean` is what was expected to be known by the day, NaN = no data; `size` that of the negative
    binomial, inf = Poisson; `by` tells whether counts are the areas' own or those of their rings.
    """

    by: str
    observed: Floats
    mean: Floats
    size: Floats


@dataclass(frozen=True)
class Test(Counted):
    """Counts with their probability (NaN = no data) and colour (0 = none), shape (n areas,)."""

    p: Floats
    colour: NDArray[np.int8]


def exceedance(counted: Counted, *, settings: SignalSettings, lowest: bool) -> Test:
    """Test counts against their expectation."""
    observed, mean = counted.observed, counted.mean
    p = small_tail(observed, mean, counted.size)
    colour = colours(p, observed, mean, settings.colours, lowest=lowest)
    return Test(counted.by, observed, mean, counted.size, p, colour)


def small_tail(observed: Floats, mean: Floats, size: Floats) -> Floats:
    """P(N >= observed) where it may be small, 1 elsewhere, NaN where the mean is unknown."""
    known = np.isfinite(mean)
    p = np.where(known, 1.0, np.nan)
    bar = mean + _LOOKED_AT * np.sqrt(mean + mean**2 / size)
    high = known & (observed > bar)
    p[high] = upper_tail(observed[high], mean[high], size[high])
    return p


def colours(
    p: Floats, observed: Floats, mean: Floats, limits: Sequence[Colour], *, lowest: bool
) -> NDArray[np.int8]:
    """Highest colour all of whose limits are met, 0 = none; arrays of shape (n areas, …)."""
    found = np.zeros(p.shape, dtype=np.int8)
    adjusted = false_discovery(p)
    for one in limits:
        ratio = one.ratio if lowest else one.ratio_above
        share = one.false_share if lowest else one.false_share_above
        met = (p <= one.p) & (adjusted <= share)
        met &= (observed >= one.events) & (observed >= ratio * mean)
        found[met] = one.number
    return found


def ring_counted(own: Counted, before: tuple[Floats, Floats], ring: sparse.csr_array) -> Counted:
    """
    Counts of each area with its neighbours.

    Areas that are themselves unknown have no ring, and count in no other's.

    Parameters
    ----------
    before
        Observed and expected ring sums of the last windows, shape (n, windows) each.
    """
    unknown = np.isnan(own.mean)
    return Counted(
        RING,
        ring_sums(ring, np.where(unknown, 0.0, own.observed)),
        np.where(unknown, np.nan, ring_sums(ring, own.mean)),
        ring_size(own.mean, own.size, before, ring),
    )


def ring_size(
    mean: Floats, size: Floats, past: tuple[Floats, Floats], ring: sparse.csr_array
) -> Floats:
    """
    Size of the sum over each ring, shape (n,): that of its areas, were they independent, and what
    the rings of the last windows scattered beyond it.

    Rings beyond `_OUTLIER` standard deviations are cut to it, so that a surge does not hide the
    next one.

    Parameters
    ----------
    mean, size
        Of the areas themselves, shape (n,); unknown ones (NaN) count nothing.
    past
        Observed and expected ring sums of the last windows, shape (n, windows) each.
    """
    sums = ring_sums(ring, mean)
    squares = ring_sums(ring, np.nan_to_num(mean) ** 2 / size)
    own = np.where(sums > 0, squares / np.where(sums > 0, sums, 1.0) ** 2, 0.0)
    observed, expected = past
    reach = _OUTLIER * np.sqrt(expected + own[:, None] * expected**2)
    cut = np.clip(observed, expected - reach, expected + reach)
    common = relative_variance(cut, expected, known=own[:, None])
    return size_of(own + np.nan_to_num(common))


def residuals(observed: Floats, mean: Floats, size: Floats) -> Floats:
    """Residuals in standard deviations, about normal even for small means; any shape."""
    root = np.sqrt(observed + _ANSCOMBE) - np.sqrt(mean + _ANSCOMBE)
    return np.asarray(2 * root / np.sqrt(1 + mean / size))


def cumulative(residual: Floats, settings: SignalSettings) -> Floats:
    """Cumulative sum at the end of consecutive windows, shape (n, windows) to (n,)."""
    found = np.zeros(len(residual))
    for step in np.minimum(residual, settings.cusum_cap).T:
        found = np.maximum(0.0, found + step - settings.cusum_slack)
    return found


def slow_rise(counted: Counted, past: tuple[Floats, Floats], *, settings: SignalSettings) -> Test:
    """
    Test for slow rises; `past` holds observed and expected counts of the windows before.

    The colour stands only while the last window adds to the sum.
    """
    observed, mean, size = counted.observed, counted.mean, counted.size
    series = np.column_stack([past[0], observed])[:, -settings.cusum_weeks :]
    means = np.column_stack([past[1], mean])[:, -settings.cusum_weeks :]
    steps = residuals(series, means, size[:, None])
    rising = (cumulative(steps, settings) >= settings.cusum_limit) & (
        steps[:, -1] > settings.cusum_slack
    )
    met = rising & (observed >= settings.colours[0].events)
    colour = np.where(met, settings.cusum_colour, 0).astype(np.int8)
    p = np.where(np.isfinite(mean), 1.0, np.nan)
    p[met] = upper_tail(observed[met], mean[met], size[met])
    return Test(CUSUM, observed, mean, size, p, colour)

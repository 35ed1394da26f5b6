"""
Tails, intervals and sizes of the negative binomial in its mean and size; size inf is Poisson.

Variance = mean + mean² / size.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from scipy import special

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from etl.analyse.bed import Flags, Floats

LEAST_SIZE: Final = 0.1
_STEPS: Final = 24
"""Counts that are walked through one by one; most areas' intervals end earlier."""


def upper_tail(observed: ArrayLike, mean: ArrayLike, size: ArrayLike) -> Floats:
    """
    P(N >= observed), by the incomplete beta and gamma functions.

    Parameters
    ----------
    observed, mean, size
        Arrays that broadcast; size inf = Poisson. NaN in any gives NaN.

    Returns
    -------
    probability
        1 where nothing was observed; 0 where the mean is 0 and something was.
    """
    count, centre, spread = (
        np.asarray(one, dtype=np.float64) for one in np.broadcast_arrays(observed, mean, size)
    )
    poisson = ~np.isfinite(spread)
    finite = np.where(poisson, 1.0, spread)
    some = np.where(count > 0, count, 1.0)
    found = np.where(
        poisson,
        special.gammainc(some, centre),
        special.betainc(some, finite, centre / (centre + finite)),
    )
    unknown = np.isnan(count) | np.isnan(centre) | np.isnan(spread)
    return np.where(unknown, np.nan, np.where(count > 0, found, 1.0))


def interval(mean: ArrayLike, size: ArrayLike, coverage: float = 0.9) -> tuple[Floats, Floats]:
    """
    Least counts whose distribution function reaches (1 - coverage) / 2 and its complement.

    Counts are whole, so that the range holds at least `coverage`. NaN where the mean is NaN.
    """
    centre, spread = (np.asarray(one, dtype=np.float64) for one in np.broadcast_arrays(mean, size))
    shape = centre.shape
    points = ((1 - coverage) / 2, (1 + coverage) / 2)
    lower, upper = _points(centre.ravel(), spread.ravel(), points)
    return lower.reshape(shape), upper.reshape(shape)


def _points(mean: Floats, size: Floats, points: tuple[float, float]) -> tuple[Floats, Floats]:
    """Both bounds by adding up probabilities from 0; whoever needs more steps is searched for."""
    lower, upper = np.zeros(len(mean)), np.zeros(len(mean))
    unknown = ~np.isfinite(mean)
    lower[unknown] = upper[unknown] = np.nan
    left = np.flatnonzero(~unknown)
    centre, inverse = mean[left], 1 / size[left]
    over = np.log1p(centre * inverse)
    mass = np.exp(-np.where(inverse > 0, over / np.where(inverse > 0, inverse, 1.0), centre))
    # P(k) / P(k - 1) = base × (1 + (k - 1) / size) / k.
    base = centre / (1 + centre * inverse)
    reached = mass
    for count in range(_STEPS):
        more = reached < points[1]
        left, mass, reached = left[more], mass[more], reached[more]
        base, inverse = base[more], inverse[more]
        if not len(left):
            break
        upper[left] = count + 1
        lower[left[reached < points[0]]] = count + 1
        mass = mass * base * (1 + count * inverse) / (count + 1)
        reached = reached + mass
    for bound, point in ((lower, points[0]), (upper, points[1])):
        far = left[bound[left] == _STEPS]
        bound[far] = _search(mean[far], size[far], point)
    return lower, upper


def _search(mean: Floats, size: Floats, point: float) -> Floats:
    """Least count whose distribution function reaches a probability, by halving."""
    # Cantelli: no point lies farther from the mean, whatever the distribution.
    odds = max(point, 1 - point) / min(point, 1 - point)
    reach = np.sqrt(odds * (mean + mean**2 / size))
    low, high = np.maximum(np.floor(mean - reach) - 1, -1.0), np.ceil(mean + reach) + 1
    while np.any(high - low > 1):
        middle = np.floor((low + high) / 2)
        enough: Flags = 1 - upper_tail(middle + 1, mean, size) >= point
        low, high = np.where(enough, low, middle), np.where(enough, middle, high)
    return np.asarray(high)


def relative_variance(observed: Floats, mean: Floats, *, known: Floats | float = 0.0) -> float:
    """
    Variance beyond Poisson's in units of mean², by moments; at least 0, NaN without any mean.

    Σ((o - e)² - e - known × e²) / Σe²: the inverse of the size common to all of them.

    Parameters
    ----------
    observed, mean
        Same shape; NaN left out.
    known
        Part of it that is accounted for elsewhere, for instance by the uncertainty of a share.
    """
    used = np.isfinite(mean) & np.isfinite(observed)
    squares = float(np.sum(mean**2, where=used))
    if squares <= 0:
        return float("nan")
    excess = (observed - mean) ** 2 - mean - known * mean**2
    return max(0.0, float(np.sum(excess, where=used)) / squares)


def size_of(variance: ArrayLike) -> Floats:
    """Size of a relative variance: its inverse, at least `LEAST_SIZE`; 0 gives inf."""
    given = np.asarray(variance, dtype=np.float64)
    inverse = 1 / np.where(given > 0, given, 1.0)
    return np.where(given > 0, np.maximum(inverse, LEAST_SIZE), np.inf)


def moment_size(observed: Floats, mean: Floats) -> float:
    """
    One size for all by the method of moments: `size_of(relative_variance(...))`.

    For sums over rings of cells: pass the ring sums of observed and expected counts of the last
    periods, shape (n, periods). Poisson (inf) where they scatter no more than Poisson's.
    """
    variance = relative_variance(observed, mean)
    return float(size_of(0.0 if np.isnan(variance) else variance))

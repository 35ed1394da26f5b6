"""
Where it clusters: the local statistic Gi* with an exact permutation p-value.

Getis and Ord 1992 (Geogr. Analysis 24, 189), Ord and Getis 1995 (Geogr. Analysis 27, 286), weights
0/1 including the area itself. The usual normal p-value is wrong for sparse counts (it finds hot
spots in 97-100 % of maps of pure noise); here the null distribution of a sum over k areas is the
k-fold convolution of the counts' own histogram: what random permutation of the map would give, with
replacement, so that it errs to the safe side where k is no longer small beside n.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from scipy import fft

from etl.analyse.hotspots.discovery import discoveries

if TYPE_CHECKING:
    from scipy import sparse

    from etl.analyse.bed import Flags, Floats, Ints

FALSE_DISCOVERIES: Final = 0.05
LEAST_P: Final = 1e-12
"""Smaller p-values are given as this one: the transform's rounding is of the order 1e-15."""
LEAST_AREAS: Final = 30
"""Fewer areas have no distribution to speak of: no data."""


@dataclass(frozen=True)
class Clusters:
    """
    Gi* of one window, each array of shape (n areas,); NaN is no data.

    Attributes
    ----------
    ring
        Count of the area and its neighbours.
    z
        Gi*; 0 where all counts are equal.
    p, p_cold
        P(sum >= ring), P(sum <= ring) under random permutation.
    hot, cold
        Which stand at the false discovery rate.
    """

    ring: Floats
    z: Floats
    p: Floats
    p_cold: Floats
    hot: Flags
    cold: Flags


def gi_star(
    counts: Floats,
    ring: sparse.csr_array,
    *,
    study: Flags | None = None,
    rate: float = FALSE_DISCOVERIES,
) -> Clusters:
    """
    Gi* of counts with exact p-values.

    Parameters
    ----------
    counts
        Whole numbers, shape (n,).
    ring
        0/1 matrix, n x n, with ones on the diagonal.
    study
        Areas that belong to the map, shape (n,); the others are neither tested nor neighbours.
    rate
        False discovery rate of `hot` and of `cold`.
    """
    n = len(counts)
    inside = np.ones(n, dtype=bool) if study is None else study
    values = np.where(inside, counts, 0.0)
    sums = ring @ values
    sizes = np.rint(ring @ inside.astype(np.float64)).astype(np.int64)
    z, p, p_cold = (np.full(n, np.nan) for _ in range(3))
    if inside.sum() >= LEAST_AREAS:
        z[inside] = z_scores(sums[inside], sizes[inside], values[inside])
        p[inside], p_cold[inside] = sum_tails(sums[inside], sizes[inside], values[inside])
    hot, cold = discoveries(p, rate=rate), discoveries(p_cold, rate=rate)
    return Clusters(np.where(inside, sums, np.nan), z, p, p_cold, hot, cold)


def z_scores(sums: Floats, sizes: Ints, values: Floats) -> Floats:
    """
    Standardised ring sums.

    Parameters
    ----------
    sums
        Ring sums, shape (n,) or, for a cube, (n, m).
    sizes
        Areas in each ring, itself included, shape (n,).
    values
        Counts of all areas, shape as `sums`.

    Returns
    -------
    z
        Shape as `sums`; 0 where the counts do not vary or a ring holds every area.
    """
    n = len(values)
    mean, spread = values.mean(axis=0), values.std(axis=0)
    k = sizes.astype(np.float64).reshape(-1, *[1] * (sums.ndim - 1))
    scale = spread * np.sqrt(np.maximum(n * k - k**2, 0.0) / max(n - 1, 1))
    above = sums - k * mean
    return np.asarray(np.divide(above, scale, out=np.zeros_like(above), where=scale > 0))


def sum_tails(sums: Floats, sizes: Ints, values: Floats) -> tuple[Floats, Floats]:
    """
    Chance that as many areas drawn at random hold as much, or as little, as each ring does.

    Parameters
    ----------
    sums, sizes
        Ring sums and areas in each ring, shape (n,).
    values
        Whole counts of all areas, shape (n,).

    Returns
    -------
    upper, lower
        P(sum >= ring), P(sum <= ring), shape (n,), at least `LEAST_P`.
    """
    whole = np.rint(sums).astype(np.int64)
    histogram = np.bincount(np.rint(values).astype(np.int64)) / len(values)
    length = int(fft.next_fast_len((len(histogram) - 1) * int(sizes.max()) + 1, real=True))
    transform = fft.rfft(histogram, length)
    upper, lower = np.empty(len(sums)), np.empty(len(sums))
    for k in np.unique(sizes):
        of_size = sizes == k
        chance = fft.irfft(transform**k, length)
        tail = np.append(np.cumsum(chance[::-1])[::-1], 0.0)
        upper[of_size] = tail[whole[of_size]]
        lower[of_size] = 1.0 - tail[whole[of_size] + 1]
    return np.clip(upper, LEAST_P, 1.0), np.clip(lower, LEAST_P, 1.0)

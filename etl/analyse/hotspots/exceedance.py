"""
More than expected: the count of an area, and of an area with its neighbours, against a baseline.

A count is compared with the negative binomial (or Poisson) of its expected value; rings gather what
a single area is too small to show. Both families of tests are held to half of the false discovery
rate, so that their union keeps it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from etl.analyse.expected import upper_tail
from etl.analyse.hotspots.discovery import discoveries

if TYPE_CHECKING:
    from scipy import sparse

    from etl.analyse.bed import Flags, Floats

FALSE_DISCOVERIES: Final = 0.05


@dataclass(frozen=True)
class Exceedance:
    """
    How far counts exceed what was expected, each array of shape (n areas,); NaN is no data.

    Attributes
    ----------
    p, p_ring
        P(count >= observed) of the area, and of the area with its neighbours.
    observed_ring, expected_ring
        Sums over the area and its neighbours.
    hot
        More than expected, on the area or on its ring.
    """

    p: Floats
    p_ring: Floats
    observed_ring: Floats
    expected_ring: Floats
    hot: Flags


def ring_sums(ring: sparse.csr_array, values: Floats) -> Floats:
    """
    Sum over each area and its neighbours.

    Parameters
    ----------
    ring
        0/1 matrix, n x n, with ones on the diagonal (`neighbours.with_self`).
    values
        Shape (n,) or (n, m); NaN counts as 0.
    """
    return np.asarray(ring @ np.nan_to_num(values))


def ring_size(ring: sparse.csr_array, expected: Floats, size: Floats) -> Floats:
    """
    Size of the negative binomial of ring sums whose areas vary independently, shape (n,).

    The variance of a sum of such counts is Σμ + Σμ²/k; the size that gives it is (Σμ)² / Σ(μ²/k).
    """
    over = ring_sums(ring, expected**2 / size)
    total = ring_sums(ring, expected)
    return np.where(over > 0, total**2 / np.where(over > 0, over, 1.0), np.inf)


def exceeds(
    observed: Floats,
    expected: Floats,
    size: Floats,
    ring: sparse.csr_array,
    *,
    size_of_ring: Floats | None = None,
    rate: float = FALSE_DISCOVERIES,
) -> Exceedance:
    """
    Compare counts with what was expected, area by area and ring by ring.

    Parameters
    ----------
    observed, expected, size
        Shape (n,): count, its expected value, size of its negative binomial (inf = Poisson). An
        area whose expected value is NaN or 0 is not tested and adds nothing to its neighbours'
        rings.
    ring
        0/1 matrix, n x n, with ones on the diagonal.
    size_of_ring
        Size of the sums where it was estimated on sums; by default that of independent areas.
    rate
        False discovery rate of `hot`.
    """
    # A mean of 0 says that nothing can happen there: no baseline to be exceeded.
    known = np.isfinite(expected) & np.isfinite(observed) & np.isfinite(1 / size) & (expected > 0)
    mean = np.where(known, expected, 0.0)
    count = np.where(known, observed, 0.0)
    spread = np.where(known, size, np.inf)
    ring_count, ring_mean = ring_sums(ring, count), ring_sums(ring, mean)
    if size_of_ring is None:
        size_of_ring = ring_size(ring, mean, spread)
    p = _tails(count, mean, spread, known)
    p_ring = _tails(ring_count, ring_mean, size_of_ring, known)
    hot = discoveries(p, rate=rate / 2) | discoveries(p_ring, rate=rate / 2)
    return Exceedance(
        p=p,
        p_ring=p_ring,
        observed_ring=np.where(known, ring_count, np.nan),
        expected_ring=np.where(known, ring_mean, np.nan),
        hot=hot,
    )


def _tails(count: Floats, mean: Floats, size: Floats, known: Flags) -> Floats:
    """P(N >= count); 1 where nothing was observed, NaN where nothing is known."""
    p = np.where(known, 1.0, np.nan)
    some = known & (count > 0)
    p[some] = upper_tail(count[some], mean[some], size[some])
    return p

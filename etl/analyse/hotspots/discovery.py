"""
False discovery rate: which of many tests stand.

Benjamini and Hochberg 1995 (J. R. Statist. Soc. B 57, 289); valid under the positive dependence of
overlapping sums (Benjamini and Yekutieli 2001, Ann. Statist. 29, 1165).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from etl.analyse.bed import Flags, Floats


def discoveries(p: Floats, *, rate: float) -> Flags:
    """
    Tests that stand at a false discovery rate.

    Parameters
    ----------
    p
        One p-value per test, shape (n,); NaN = no test, which does not count among them.
    rate
        Expected share of false ones among those that stand, 0-1.

    Returns
    -------
    stands
        Shape (n,).
    """
    tests = int(np.isfinite(p).sum())
    # Only a p up to the rate itself can stand, so only those are put in order.
    low = np.sort(p[p <= rate])
    passing = np.flatnonzero(low <= rate * np.arange(1, len(low) + 1) / max(tests, 1))
    if not len(passing):
        return np.zeros(len(p), dtype=bool)
    return np.asarray(p <= low[passing[-1]])

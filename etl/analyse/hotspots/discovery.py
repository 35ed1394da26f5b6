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


def false_discovery(p: Floats) -> Floats:
    """
    Least rate of the procedure at which each hypothesis is rejected.

    NaN is no hypothesis. With two dimensions every column is a family of its own.
    """
    if p.ndim == 2:
        return np.column_stack([false_discovery(column) for column in p.T])
    found = np.where(np.isnan(p), np.nan, 1.0)
    number = int(np.count_nonzero(~np.isnan(p)))
    small = np.flatnonzero(p < 1)
    order = small[np.argsort(p[small], kind="stable")]
    steps = p[order] * number / np.arange(1, len(order) + 1)
    found[order] = np.minimum(np.minimum.accumulate(steps[::-1])[::-1], 1.0)
    return found


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
    # A p above the rate itself never stands: it is put in no order.
    possible = np.where(p <= rate, p, np.where(np.isnan(p), np.nan, 1.0))
    return np.asarray(false_discovery(possible) <= rate)

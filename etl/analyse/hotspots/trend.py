"""
Mann-Kendall trend test of many short series at once.

Mann 1945 (Econometrica 13, 245), Kendall 1975, with ties and continuity correction. The test takes
the steps for independent, so it is run on windows that do not overlap; and on shares of the city's
total, so that season, holidays and a changed channel are no trend of every place.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import special

if TYPE_CHECKING:
    from etl.analyse.bed import Floats


def mann_kendall(series: Floats) -> Floats:
    """
    Standardised Mann-Kendall statistic of each row.

    Parameters
    ----------
    series
        Shape (n series, n steps), no NaN.

    Returns
    -------
    z
        Shape (n series,): positive = rising; 0 where all steps are equal.
    """
    n, steps = series.shape
    score = np.zeros(n)
    for lag in range(1, steps):
        score += np.sign(series[:, lag:] - series[:, :-lag]).sum(axis=1)
    variance = (steps * (steps - 1) * (2 * steps + 5) - _ties(series)) / 18
    corrected = score - np.sign(score)
    root = np.sqrt(np.maximum(variance, 0.0))
    return np.asarray(np.divide(corrected, root, out=np.zeros(n), where=root > 0))


def trend_p(z: Floats) -> Floats:
    """Two-sided p-value of a standardised statistic, shape as `z`."""
    return np.asarray(2.0 * special.ndtr(-np.abs(z)))


def shares(parts: Floats, totals: Floats) -> Floats:
    """
    Parts of a total that changes from step to step.

    Parameters
    ----------
    parts
        Shape (n series, n steps).
    totals
        Shape (n steps,); a step without anything gives 0.
    """
    return np.asarray(np.divide(parts, totals, out=np.zeros_like(parts), where=totals > 0))


def _ties(series: Floats) -> Floats:
    """Σ t(t-1)(2t+5) over the groups of equal values in each row, shape (n series,)."""
    n, steps = series.shape
    ordered = np.sort(series, axis=1)
    opens = np.ones((n, steps), dtype=bool)
    opens[:, 1:] = ordered[:, 1:] != ordered[:, :-1]
    first = np.flatnonzero(opens)
    length = np.diff(np.append(first, n * steps)).astype(np.float64)
    weights = length * (length - 1) * (2 * length + 5)
    return np.bincount(first // max(steps, 1), weights=weights, minlength=n).astype(np.float64)

"""
Where much happens: chance that the rate of a place is well above that of its parent.

Gamma-Poisson shrinkage of `data.rates`: areas are shrunk to their parent per unit of exposure,
cells, which are of equal size, to the city's mean cell. A rate is asked for by the chance that it
exceeds a multiple of the parent's, so that neither tiny nor huge areas head the list by their size.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from data.rates import probability_above, rates_by_level

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from etl.analyse.bed import Areas, Flags, Floats


def area_chances(
    counts: Sequence[Floats],
    areas: Sequence[Areas],
    *,
    day: np.datetime64,
    ratio: float,
    periods: int,
) -> list[Floats]:
    """
    P(rate > ratio x rate of the parent) of the areas of every level.

    Parameters
    ----------
    counts
        Events of the window, per level from the top down.
    day
        Areas not valid on it have no rate.
    periods
        Periods in the window.

    Returns
    -------
    chance
        Per level, shape (n areas,); NaN where the exposure is unknown.
    """
    exposures = [np.where(one.valid(day), one.exposure, np.nan) for one in areas]
    levels = rates_by_level(
        [one.astype(np.int64) for one in counts],
        exposures,
        [one.parent for one in areas],
        periods=periods,
    )
    return [_chance(one.shape, one.scale, ratio * one.prior_rate, one.count) for one in levels]


def cell_chances(counts: Floats, study: Flags, *, ratio: float) -> Floats:
    """
    P(rate > ratio x the mean cell's rate) of cells of equal size.

    Parameters
    ----------
    counts
        Events of the window, shape (n cells,).
    study
        Cells of the map; NaN in the others.
    """
    exposure = np.where(study, 1.0, np.nan)
    whole = np.array([counts[study].sum()])
    cells = rates_by_level(
        [whole.astype(np.int64), counts.astype(np.int64)],
        [np.array([float(study.sum())]), exposure],
        [np.array([-1]), np.zeros(len(counts), dtype=np.int64)],
        periods=1,
    )[1]
    return _chance(cells.shape, cells.scale, ratio * cells.prior_rate, cells.count)


def _chance(shape: Floats, scale: Floats, rate: Floats, count: NDArray[np.integer]) -> Floats:
    """P(Gamma > rate); the integral is taken once for areas without events of equal exposure."""
    chance = np.full(len(shape), np.nan)
    known = np.isfinite(scale) & np.isfinite(rate)
    some = known & (count > 0)
    chance[some] = probability_above(shape[some], (scale * rate)[some], rate=1.0)
    none = known & (count == 0)
    product, back = np.unique((scale * rate)[none], return_inverse=True)
    least = shape[none][:1]
    chance[none] = probability_above(np.full(len(product), least.sum()), product, rate=1.0)[back]
    return chance

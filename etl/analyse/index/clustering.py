"""Clustering in space and time: hot cells as given, busiest places, and the cumulative sum."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from etl.analyse.index.places import busiest
from etl.analyse.index.series import day_number

if TYPE_CHECKING:
    from collections.abc import Mapping

    from etl.analyse.bed import Floats
    from etl.analyse.index.measure import Moment


@dataclass(frozen=True)
class LevelClustering:
    """
    Hot cells of the areas of one level.

    Attributes
    ----------
    cells
        Cells of each area, shape (n areas,).
    hot, fresh
        Of these hot, and new or rising, now (last column) and in earlier periods, the oldest
        first: shape (n areas, n periods), at least one column.
    """

    cells: Floats
    hot: Floats
    fresh: Floats


@dataclass(frozen=True)
class Clustering:
    """Hot cells by level."""

    levels: Mapping[str, LevelClustering]


def busiest_places(moment: Moment, level: str, at: int) -> tuple[Floats, Floats]:
    """
    Reported incidents in the busiest places of each area in the window that ends with a period.

    Returns
    -------
    part, whole
        Shape (n areas,) each; 0 in the part where the whole is too small to judge.
    """
    prepared = moment.prepared
    day = min(moment.known_on, prepared.bed.ends[at] + moment.lag)
    key = (level, str(day), at)
    if key not in prepared.memo:
        rows = prepared.places
        chosen = rows.rows(at - moment.level.span.periods + 1, at + 1, int(day_number(day)))
        area = prepared.roll.index[moment.level.depth][rows.row[chosen]]
        size, settings = len(moment.level.areas), prepared.settings
        whole = np.bincount(area + 1, minlength=size + 1)[1:].astype(np.float64)
        # Areas with few incidents are not judged: most grids.
        enough = np.append(whole >= settings.busiest_least, False)[area]
        assert rows.label is not None
        part, _ = busiest(
            area[enough],
            rows.label[chosen][enough].astype(np.int64),
            size=size,
            share=settings.busiest_share,
        )
        prepared.memo[key] = part, whole
    return prepared.memo[key]


def cusum_levels(moment: Moment) -> Floats:
    """
    Cumulative sum of each area's standardised residuals at the end of a period, shape (n areas,).

    The mean is that of the baseline before the run, so that a slow rise does not hide in it, times
    what the whole city did since (season, holidays); the variance is a negative binomial's with the
    scatter of the level. NaN without a baseline. Page
    1954 (Biometrika 41, 100).
    """
    prepared, level = moment.prepared, moment.level
    settings = prepared.settings.cusum
    start = moment.at + 1 - settings.periods
    low = max(start - level.span.baseline, 0)
    nothing = np.full(len(level.areas), np.nan)
    if start - low < prepared.settings.baseline_least * level.span.baseline:
        return nothing
    counts, scatter = moment.reported, moment.scatter
    mean = (counts[:, low:start].sum(axis=1) + 0.5) / (start - low)
    found = np.zeros(len(mean))
    for column, tide in zip(counts[:, start:].T, _tide(moment, low, start), strict=True):
        due = mean * tide
        deviation = np.sqrt(due + scatter * due**2)
        found = np.maximum(0.0, found + (column - due) / deviation - settings.allowance)
    return np.where(level.usable, found, np.nan)


def _tide(moment: Moment, low: int, start: int) -> Floats:
    """Periods of the run relative to the baseline in the whole city; 1 for the city itself."""
    bed = moment.prepared.bed
    if moment.level.depth == 0:
        return np.ones(moment.at + 1 - start)
    whole = bed.history(bed.levels[0], "all", moment.known_on).sum(axis=0) + 0.5
    return np.asarray(whole[start : moment.at + 1] / whole[low:start].mean())


def scatter_of(past: Floats) -> float:
    """
    Variance between periods beyond Poisson's in units of mean², by moments; 0 = none.

    Parameters
    ----------
    past
        Incidents per area and period, shape (n areas, n periods).
    """
    length = past.shape[1]
    total = past.sum(axis=1)
    if length < 2 or not total.any():
        return 0.0
    squares = float((total**2).sum()) / length
    # Residuals to the own mean are too small by one degree of freedom.
    variance = (float(np.einsum("ij,ij->", past, past)) - squares) * length / (length - 1)
    return max(0.0, float((variance - total.sum()) / squares))

"""
Plain forecasts that a better one has to beat: last period, four-week heat map, all of history.

Each goes by what was known when its period began, as the forecast itself does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from scipy import sparse, spatial

from etl.analyse.expected import period_starts
from geo.cells import cell_centres

if TYPE_CHECKING:
    from data.periods import Grain
    from etl.analyse.bed import Bed, Floats, Ints

LAST, HEAT, HISTORY = "last_period", "kde4", "history"

HEAT_PERIODS: Final[dict[Grain, int]] = {"week": 4, "month": 1}
"""About four weeks."""

BANDWIDTH_M: Final = {8: 600.0, 9: 300.0}
"""Standard deviation of the heat map's normal kernel."""

_REACH: Final = 3.0
"""Bandwidths beyond which a point counts nothing."""

_UNIFORM: Final = 0.01
"""Share spread evenly, so that "never here" is not refuted for ever by one event."""

_M_PER_DEGREE: Final = 111_195.0


def plain_means(bed: Bed, target: str, group: str, at: int, places: Ints) -> dict[str, Floats]:
    """
    Mean counts that each plain forecast gives the places, shape (n places,).

    The heat map is for cells only: areas of a level have no kernel.
    """
    sums = _cell_sums(bed, group, target, at) if target not in bed.levels else None
    if sums is None:
        history = bed.history(target, group, period_starts(bed, at)[at] - 1)[places, :at]
        found = {LAST: history[:, -1], HISTORY: history.mean(axis=1)}
    else:
        last, recent, every = (one[_positions(bed, target, places)] for one in sums)
        kernel = _kernel(bed, int(target[1:]))
        # Places are those with an event so far: cells that nobody knew of have no heat.
        whole = np.zeros(kernel.shape[0])
        whole[_positions(bed, target, places)] = recent
        heat = (kernel @ whole)[_positions(bed, target, places)]
        scale = recent.sum() / HEAT_PERIODS[bed.grain] / heat.sum() if heat.sum() > 0 else 0.0
        found = {LAST: last, HEAT: heat * scale, HISTORY: every / at}
    return {name: _never_zero(one) for name, one in found.items()}


def _never_zero(mean: Floats) -> Floats:
    even = mean.sum() / max(len(mean), 1)
    return np.asarray((1 - _UNIFORM) * mean + _UNIFORM * even)


def _positions(bed: Bed, target: str, places: Ints) -> Ints:
    return np.asarray(np.searchsorted(bed.cells(int(target[1:]))[0], places))


def _cell_sums(bed: Bed, group: str, target: str, at: int) -> tuple[Floats, Floats, Floats]:
    """Last period, last four weeks and all of history of every cell of the bed; (n cells,) each."""
    late = bed.rows_of_group(group, bed.late(period_starts(bed, at)[at] - 1))
    place, period = bed.cells(int(target[1:]))[1][late], bed.period[late]
    kept = (place >= 0) & (period >= 0) & (period < at)
    place, period = place[kept], period[kept]
    first = (at - 1, max(at - HEAT_PERIODS[bed.grain], 0), 0)
    running = _running(bed, group, target)
    sums = [running[:, at] - running[:, one] for one in first]
    for one, start in zip(sums, first, strict=True):
        np.subtract.at(one, place[period >= start], 1.0)
    return sums[0], sums[1], sums[2]


def _running(bed: Bed, group: str, target: str) -> Floats:
    """Counts of every cell up to each period, (n cells, n periods + 1)."""
    key = ("cell_running", group, target)
    if key not in bed.memo:
        counts = bed.cell_table(int(target[1:]), group).T
        running = np.zeros((len(counts) + 1, counts.shape[1]))
        np.cumsum(counts, axis=0, out=running[1:])
        bed.memo[key] = running.T
    found: Floats = bed.memo[key]
    return found


def _kernel(bed: Bed, resolution: int) -> sparse.csr_array:
    """Normal kernel between the centres of the bed's cells, (n cells, n cells)."""
    key = ("heat_kernel", resolution)
    if key not in bed.memo:
        lng, lat = cell_centres(bed.cells(resolution)[0])
        east = _M_PER_DEGREE * np.cos(np.radians(lat.mean() if len(lat) else 0.0))
        tree = spatial.cKDTree(np.column_stack([lng * east, lat * _M_PER_DEGREE]))
        width = BANDWIDTH_M[resolution]
        near = tree.sparse_distance_matrix(tree, _REACH * width, output_type="coo_matrix").tocsr()
        near.data = np.exp(-0.5 * (near.data / width) ** 2)
        bed.memo[key] = sparse.csr_array(near)
    found: sparse.csr_array = bed.memo[key]
    return found

"""Expected counts of every cell of a map, by resolution."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from etl.analyse.expected import cell_expected

if TYPE_CHECKING:
    from etl.analyse.bed import Floats
    from etl.analyse.hotspots.prepared import Prepared


def cell_baselines(
    prepared: Prepared, *, at: int, known_on: np.datetime64
) -> dict[int, tuple[Floats, Floats]]:
    """
    Expected count of a period and its size, for the cells of every resolution.

    Returns
    -------
    baselines
        Resolution to the expected count as far as known on the day, and the size of its negative
        binomial, each of shape (n cells,); NaN outside the map of the period's last day.
    """
    bed = prepared.bed
    found = {}
    for resolution, one in prepared.cells.items():
        cells = cell_expected(bed, "all", resolution, at=at, known_on=known_on)
        mean, size = cells.of(one.numbers)
        inside = one.study(bed.ends[at])
        found[resolution] = np.where(inside, mean * cells.complete, np.nan), size
    return found

"""What the risk index takes from the hot spots: indicators 25 and 26, for areas of every level."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from scipy import sparse

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from etl.analyse.bed import Bed, Flags, Floats
    from etl.analyse.hotspots.prepared import Prepared

CHILDREN: Final = 7
"""Cells of the next resolution in a cell."""

EMERGING: Final = ("new", "intensifying")

CLUSTERED: Final = ("period_end", "resolution", "cell", "gi_p", "clusters", "pattern")
"""Columns of `cell_hotspots` that tell which cells are hot."""


@dataclass(frozen=True)
class Clustering:
    """
    Figures per level from the top down, each array of shape (n areas,); NaN is no data.

    Attributes
    ----------
    hot_share
        Share of the surface that lies in cells of the finest resolution that are Gi* hot, 0-1.
    emerging
        Cells that reach into the area and are new or intensifying hot spots.
    cells
        Surface of the area in cells, by the centres of their seven children.
    """

    hot_share: tuple[Floats, ...]
    emerging: tuple[Floats, ...]
    cells: tuple[Floats, ...]


def clustering_of(
    bed: Bed, prepared: Prepared, tables: Mapping[str, pd.DataFrame], at: int
) -> Clustering:
    """
    Share of each area in hot cells, and its cells that are becoming hot.

    The surface is measured at the centres of the cells' children. Areas above the lowest level go
    by their lowest areas: land that no lowest area covers is left out.

    Parameters
    ----------
    tables
        Of `hotspot_tables` for the period `at`.
    """
    none = tuple(np.full(len(one), np.nan) for one in bed.areas)
    lowest, numbers = prepared.geography.surface, prepared.geography.surface_cells
    if lowest is None:
        return Clustering(none, none, none)
    finest = prepared.settings.resolutions[-1]
    rows = tables["cell_hotspots"]
    rows = rows[rows["resolution"] == finest]
    hot = np.isin(numbers, rows["cell"][rows["clusters"]])
    emerging = np.isin(numbers, rows["cell"][rows["pattern"].isin(EMERGING)])
    tested = bool(rows["gi_p"].notna().any())
    patterned = bool(rows["pattern"].notna().any())
    shares, numbers_of = [], []
    surfaces, totals = _surfaces(bed, lowest, bed.ends[at])
    for surface, total in zip(surfaces, totals, strict=True):
        shares.append(_share(surface, hot, total) if tested else np.full(len(total), np.nan))
        reached = (surface[:, np.flatnonzero(emerging)] > 0).sum(axis=1).astype(np.float64)
        numbers_of.append(np.where(total > 0, reached if patterned else np.nan, np.nan))
    sizes = tuple(np.where(total > 0, total / CHILDREN, np.nan) for total in totals)
    return Clustering(tuple(shares), tuple(numbers_of), sizes)


def _surfaces(
    bed: Bed, lowest: sparse.csr_array, day: np.datetime64
) -> tuple[list[sparse.csr_array], list[Floats]]:
    """Areas x cells of every level from the top down, and the surface of each area."""
    valid = bed.areas[-1].valid(day)
    key = ("surfaces",)
    # The same areas are valid for long.
    before = bed.memo.get(key)
    if before is None or not np.array_equal(before[0], valid):
        made = _nested(bed, sparse.diags_array(valid.astype(np.float64)) @ lowest)
        bed.memo[key] = valid, made, [one.sum(axis=1) for one in made]
    _, made, totals = bed.memo[key]
    return made, totals


def _nested(bed: Bed, lowest: sparse.csr_array) -> list[sparse.csr_array]:
    """Areas x cells of every level from those of the lowest, from the top down."""
    found = [lowest.tocsr()]
    for depth in range(len(bed.areas) - 1, 0, -1):
        parent = bed.areas[depth].parent
        child = np.flatnonzero(parent >= 0)
        joins = sparse.csr_array(
            (np.ones(len(child)), (parent[child], child)),
            shape=(len(bed.areas[depth - 1]), len(parent)),
        )
        found.append((joins @ found[-1]).tocsr())
    return found[::-1]


def _share(surface: sparse.csr_array, hot: Flags, total: Floats) -> Floats:
    inside = surface @ hot.astype(np.float64)
    found = np.full(len(total), np.nan)
    np.divide(inside, total, out=found, where=total > 0)
    return found

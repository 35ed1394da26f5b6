"""Rings: each area or cell together with its neighbours, as a sparse 0/1 matrix."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

from geo import boundaries, cells

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from etl.analyse.bed import Ints


def with_self(adjacency: sparse.csr_array) -> sparse.csr_array:
    """
    Ring matrix of an adjacency: ones for every neighbour and on the diagonal.

    Parameters
    ----------
    adjacency
        Symmetric 0/1 matrix, n x n; what lies on its diagonal does not matter.
    """
    joined = (adjacency + sparse.eye_array(adjacency.shape[0])).tocsr().astype(np.float64)
    joined.data[:] = 1.0
    joined.sort_indices()
    return joined


def area_rings(geometries: ArrayLike, *, distance_m: float = 1.0) -> sparse.csr_array:
    """
    Rings of polygons that touch or nearly touch; an empty polygon is its own ring.

    Parameters
    ----------
    geometries
        Polygons in degrees, WGS 84, shape (n,).
    distance_m
        Polygons this close count as touching.
    """
    return with_self(boundaries.neighbours(geometries, distance_m=distance_m))


def cell_rings(numbers: Ints) -> sparse.csr_array:
    """Rings of distinct H3 cells of one resolution; cells that are not given have no row."""
    if not len(numbers):
        return sparse.csr_array((0, 0))
    return with_self(cells.neighbours(numbers))

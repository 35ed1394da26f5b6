"""Cells that cover polygons, and the smaller cells in them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import h3.api.basic_int as h3
import numpy as np
import shapely

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

_FINEST: Final = 15
_RESOLUTION_SHIFT: Final = 52
_BITS_PER_DIGIT: Final = 3


def covering(geometries: ArrayLike, *, resolution: int) -> NDArray[np.int64]:
    """
    Cells that share at least a point with some polygon.

    Parameters
    ----------
    geometries
        Polygons in degrees, WGS 84 (EPSG:4326); empty ones and None cover nothing.
    resolution
        H3 resolution, 0 to 15.

    Returns
    -------
    number
        Distinct H3 indexes in ascending order.
    """
    parts = shapely.get_parts(np.atleast_1d(np.asarray(geometries, dtype=object)))
    found = [
        np.asarray(
            h3.polygon_to_cells_experimental(h3.geo_to_h3shape(part), resolution, "overlap"),
            dtype=np.int64,
        )
        for part in parts[~(shapely.is_missing(parts) | shapely.is_empty(parts))]
    ]
    return np.unique(np.concatenate([np.empty(0, dtype=np.int64), *found]))


def child_numbers(numbers: ArrayLike) -> NDArray[np.int64]:
    """
    Cells of the next resolution in given cells, in ascending order.

    Parameters
    ----------
    numbers
        H3 indexes of one resolution, 0 to 14.
    """
    parents = np.unique(np.asarray(numbers, dtype=np.int64))
    if not len(parents):
        return parents
    resolution = int(parents[0] >> _RESOLUTION_SHIFT) & 0xF
    shift = _BITS_PER_DIGIT * (_FINEST - resolution - 1)
    # Digits that a cell does not use are all ones: the next one becomes 0 to 6.
    emptied = (parents + (1 << _RESOLUTION_SHIFT)) & ~np.int64(7 << shift)
    children = emptied[:, None] | (np.arange(7, dtype=np.int64) << shift)
    # A pentagon has no child of digit 1.
    is_pentagon = np.isin(parents, np.array([*h3.get_pentagons(resolution)], dtype=np.int64))
    kept = ~is_pentagon[:, None] | (np.arange(7) != 1)
    return np.sort(children[kept])

"""
Tiling: where the polygons of a level overlap, leave gaps, or spill over their parents.

`geo.boundaries.check_coverage` measures how much; this module says where, as one polygon per
faulty place, so that the place can be shown to whoever keeps the boundaries. Polygons are valid
and in degrees, WGS 84 (EPSG:4326).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import shapely

from geo import boundaries

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

NOISE_KM2 = 1e-7
"""A tenth of a square metre; smaller pieces come from rounding."""

SLIVER_M = 1.0
"""Pieces thinner than this in the mean are slivers: borders drawn twice, no mistaken area."""


@dataclass(frozen=True)
class Places:
    """
    Faulty places, the largest first.

    Attributes
    ----------
    polygons
        One polygon per place.
    area_km2
        Their areas.
    width_m
        Their mean widths: twice the area by the length of the border.
    first, second
        Positions of the areas concerned; -1 = none. Each function says which.
    """

    polygons: NDArray[np.object_]
    area_km2: NDArray[np.float64]
    width_m: NDArray[np.float64]
    first: NDArray[np.int64]
    second: NDArray[np.int64]

    def __len__(self) -> int:
        """Count the places."""
        return len(self.polygons)

    @property
    def slivers(self) -> NDArray[np.bool_]:
        """Which places are thinner than `SLIVER_M`."""
        return np.asarray(self.width_m < SLIVER_M)

    def only(self, chosen: NDArray[np.bool_]) -> Places:
        """Keep the chosen places, in the same order."""
        return Places(
            self.polygons[chosen],
            self.area_km2[chosen],
            self.width_m[chosen],
            self.first[chosen],
            self.second[chosen],
        )


def overlaps(geometries: ArrayLike) -> Places:
    """
    Places that two polygons of a level both claim.

    Parameters
    ----------
    geometries
        Polygons of one level, valid on one date.

    Returns
    -------
    places
        `first` < `second` are the two polygons; a place claimed three times is three places.
    """
    array = np.asarray(geometries, dtype=object)
    # Polygons that match their neighbours' borders vertex by vertex overlap nothing.
    suspects = np.flatnonzero(~shapely.is_empty(shapely.coverage_invalid_edges(array)))
    rows, others = shapely.STRtree(array).query(array[suspects], predicate="intersects")
    pairs = np.column_stack([suspects[rows], others])
    pairs = np.unique(np.sort(pairs[pairs[:, 0] != pairs[:, 1]], axis=1), axis=0)
    first, second = pairs[:, 0], pairs[:, 1]
    return _places(shapely.intersection(array[first], array[second]), first, second)


def spills(geometries: ArrayLike, parents: ArrayLike, parent_index: ArrayLike) -> Places:
    """
    Parts of polygons outside their parents.

    Parameters
    ----------
    geometries, parents
        Polygons of one level and of the level above.
    parent_index
        Position in `parents` for each polygon; those with -1 are left out.

    Returns
    -------
    places
        `first` is the polygon, `second` its parent.
    """
    array, above = np.asarray(geometries, dtype=object), np.asarray(parents, dtype=object)
    index = np.asarray(parent_index, dtype=np.int64)
    placed = np.flatnonzero(index >= 0)
    outside = shapely.difference(array[placed], above[index[placed]])
    return _places(outside, placed, index[placed])


def gaps(geometries: ArrayLike, parents: ArrayLike, parent_index: ArrayLike) -> Places:
    """
    Parts of parents that no polygon of the level covers.

    Parameters
    ----------
    geometries, parents, parent_index
        As in `spills`. Parents without any polygon are left out: they are no gaps but missing.

    Returns
    -------
    places
        `first` is the parent, `second` -1. What another parent's polygon covers is a spill of
        that polygon and no gap.
    """
    array, above = np.asarray(geometries, dtype=object), np.asarray(parents, dtype=object)
    index = np.asarray(parent_index, dtype=np.int64)
    order = np.argsort(index, kind="stable")
    order = order[index[order] >= 0]
    starts = np.flatnonzero(np.diff(index[order], prepend=-1))
    held = index[order][starts]
    unions = np.full(len(held), None, dtype=object)
    for position, members in enumerate(np.split(order, starts[1:]) if len(order) else []):
        unions[position] = _union(array[members])
    own = _places(shapely.difference(above[held], unions), held, np.full(len(held), -1))
    return _less(own, spills(array, above, index).polygons)


def holes(geometries: ArrayLike) -> Places:
    """
    Holes inside the union of a level that has no level above to be held against.

    Returns
    -------
    places
        `first` and `second` are -1.
    """
    union = _union(np.asarray(geometries, dtype=object))
    rings = [ring for part in shapely.get_parts(union) for ring in part.interiors]
    none = np.full(len(rings), -1)
    return _places(shapely.polygons(np.array(rings, dtype=object)), none, none)


def _union(shapes: NDArray[np.object_]) -> shapely.Geometry:
    # Matching borders vanish without new vertices, and ten times as fast.
    if shapely.coverage_is_valid(shapes):
        return shapely.coverage_union_all(shapes)
    return shapely.union_all(shapes)


def _less(places: Places, covered: NDArray[np.object_]) -> Places:
    rows, others = shapely.STRtree(covered).query(places.polygons, predicate="intersects")
    left = places.polygons.copy()
    for row in np.unique(rows):
        left[row] = shapely.difference(left[row], shapely.union_all(covered[others[rows == row]]))
    return _places(left, places.first, places.second)


def _places(
    shapes: NDArray[np.object_], first: NDArray[np.int64], second: NDArray[np.int64]
) -> Places:
    parts, owner = shapely.get_parts(np.asarray(shapes, dtype=object), return_index=True)
    # A collection hides its polygons one level deeper.
    inner, outer = shapely.get_parts(parts, return_index=True)
    polygonal = shapely.get_type_id(inner) == shapely.GeometryType.POLYGON
    parts, owner = inner[polygonal], owner[outer[polygonal]]
    area_km2 = boundaries.area_km2(parts)
    real = area_km2 > NOISE_KM2
    parts, owner, area_km2 = parts[real], owner[real], area_km2[real]
    plane = boundaries.metres_per_degree(parts)
    border_m = shapely.length(shapely.transform(parts, lambda vertices: vertices * plane))
    order = np.lexsort((second[owner], first[owner], -area_km2))
    owner = owner[order]
    width_m = 2e6 * area_km2[order] / border_m[order]
    return Places(parts[order], area_km2[order], width_m, first[owner], second[owner])

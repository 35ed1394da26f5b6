"""
Boundaries: repair, check, dissolve, simplify and measure the polygons of one level.

Polygons are in degrees, WGS 84 (EPSG:4326). The polygons of one level are a coverage: they share
their borders and do not overlap. What changes borders (simplifying) changes them for the whole
coverage at once, so that no slivers appear.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyproj
import shapely
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

Geometries = NDArray[np.object_]

_METRES_PER_DEGREE = 111_195.0
"""Length of a degree of latitude on the mean sphere."""

# Equal-area, so that km² are true anywhere: NSIDC EASE-Grid 2.0.
_EQUAL_AREA = "EPSG:6933"


class CoverageError(ValueError):
    """Polygons of one level that overlap or do not share their borders."""


@dataclass(frozen=True)
class CoverageReport:
    """
    How well the polygons of a level tile the plane and their parents.

    Attributes
    ----------
    overlap_km2
        Area counted more than once: the polygons' areas less the area of their union.
    unmatched
        Positions of polygons with an edge that crosses or does not match its neighbour's.
    gap_km2
        Per parent, the part of it that no child covers; empty where no parents were given.
    outside_km2
        Per polygon, the part of it outside its parent; empty where no parents were given.
    """

    overlap_km2: float
    unmatched: NDArray[np.int64]
    gap_km2: NDArray[np.float64]
    outside_km2: NDArray[np.float64]

    def is_clean(self, *, tolerance_km2: float = 0.001) -> bool:
        """Whether overlaps, gaps and spill each stay within `tolerance_km2` in all."""
        total = max(self.overlap_km2, self.gap_km2.sum(), self.outside_km2.sum())
        return bool(total <= tolerance_km2)


def repair(geometries: ArrayLike) -> Geometries:
    """
    Make every geometry a valid polygon or multipolygon.

    Parameters
    ----------
    geometries
        Shapely geometries; valid polygons are returned as they are, bit for bit.

    Returns
    -------
    polygons
        Same order. Lines and points that a broken ring leaves behind are dropped; what has no
        polygonal part becomes an empty polygon, None becomes an empty polygon.
    """
    array = np.array(geometries, dtype=object)
    array[shapely.is_missing(array)] = shapely.Polygon()
    array = shapely.force_2d(array)
    broken = ~shapely.is_valid(array)
    array[broken] = shapely.make_valid(array[broken], method="structure", keep_collapsed=False)
    mixed = np.flatnonzero(~np.isin(shapely.get_type_id(array), (3, 6)))
    for position in mixed:
        parts = shapely.get_parts(array[position])
        polygonal = parts[np.isin(shapely.get_type_id(parts), (3, 6))]
        array[position] = shapely.union_all(polygonal) if polygonal.size else shapely.Polygon()
    return np.asarray(array, dtype=object)


def check_coverage(
    geometries: ArrayLike,
    *,
    parents: ArrayLike | None = None,
    parent_index: ArrayLike | None = None,
) -> CoverageReport:
    """
    Measure overlaps among polygons, and gaps and spill against their parents.

    Parameters
    ----------
    geometries
        Valid polygons of one level, valid on one date.
    parents
        Valid polygons of the level above; None checks the level by itself.
    parent_index
        Position in `parents` for each polygon, -1 for none.

    Returns
    -------
    report
        Areas in km² (EPSG:6933).

    Raises
    ------
    ValueError
        Only one of `parents` and `parent_index` was given.
    """
    if (parents is None) != (parent_index is None):
        raise ValueError("pass `parents` and `parent_index` together")
    array = np.asarray(geometries, dtype=object)
    invalid_edges = shapely.coverage_invalid_edges(array)
    unmatched = np.flatnonzero(~shapely.is_empty(invalid_edges))
    union = shapely.union_all(array)
    overlap = float(area_km2(array).sum() - area_km2([union])[0])
    gap = np.empty(0)
    outside = np.empty(0)
    if parents is not None:
        gap, outside = _fit(array, np.asarray(parents, dtype=object), np.asarray(parent_index))
    return CoverageReport(max(overlap, 0.0), unmatched, gap, outside)


def simplify(geometries: ArrayLike, *, tolerance_m: float) -> Geometries:
    """
    Simplify the polygons of one level as one coverage (Visvalingam-Whyatt).

    Parameters
    ----------
    geometries
        Valid polygons that share their borders; empty polygons stay empty.
    tolerance_m
        Corners whose triangle with their neighbours is smaller than the square of this are
        removed; metres at the middle latitude of the coverage.

    Returns
    -------
    polygons
        Same order; remaining vertices are vertices of the input, shared borders stay shared.

    Raises
    ------
    CoverageError
        The polygons are no coverage; simplifying them would open gaps. The message names the
        first five positions.
    """
    array = np.asarray(geometries, dtype=object)
    if not array.size or tolerance_m <= 0:
        return array.copy()
    if not shapely.coverage_is_valid(array):
        edges = shapely.coverage_invalid_edges(array)
        bad = np.flatnonzero(~shapely.is_empty(edges))
        first = ", ".join(map(str, bad[:5]))
        raise CoverageError(
            f"boundaries: {bad.size:,} of {array.size:,} polygons do not match their neighbours "
            f"(rows {first}); clean the borders or draw the polygons unsimplified"
        )
    # Stretching an axis scales the area of every triangle alike, so one tolerance in degrees
    # serves and no vertex has to leave its frame.
    tolerance = tolerance_m / np.sqrt(metres_per_degree(array).prod())
    return np.asarray(shapely.coverage_simplify(array, tolerance), dtype=object)


def dissolve_by_code(
    geometries: ArrayLike, codes: ArrayLike
) -> tuple[NDArray[np.object_], Geometries]:
    """
    Join polygons that carry the same code.

    Parameters
    ----------
    geometries
        Valid polygons.
    codes
        Text, one per polygon.

    Returns
    -------
    codes
        The distinct codes, in order of first appearance.
    polygons
        One polygon or multipolygon per code; inner borders vanish.
    """
    array = np.asarray(geometries, dtype=object)
    group, distinct = pd.factorize(np.asarray(codes, dtype=object))
    dissolved = np.empty(len(distinct), dtype=object)
    members = np.split(np.argsort(group, kind="stable"), np.cumsum(np.bincount(group))[:-1])
    for position, rows in enumerate(members if len(distinct) else []):
        parts = array[rows]
        # A coverage is joined along its borders, without new vertices.
        whole = len(parts) > 1 and shapely.coverage_is_valid(parts)
        union = shapely.coverage_union_all(parts) if whole else shapely.union_all(parts)
        dissolved[position] = parts[0] if len(parts) == 1 else union
    return np.asarray(distinct, dtype=object), repair(dissolved)


def area_km2(geometries: ArrayLike) -> NDArray[np.float64]:
    """
    Areas in km², equal-area (EPSG:6933).

    Parameters
    ----------
    geometries
        Polygons in degrees, WGS 84.

    Returns
    -------
    area_km2
        One number per polygon; 0 for an empty one.
    """
    to_metres = pyproj.Transformer.from_crs("EPSG:4326", _EQUAL_AREA, always_xy=True)

    def project(vertices: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.column_stack(to_metres.transform(vertices[:, 0], vertices[:, 1]))

    flat = shapely.transform(np.asarray(geometries, dtype=object), project)
    return np.asarray(shapely.area(flat), dtype=np.float64) / 1e6


def label_points(geometries: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """
    A point well inside each polygon, for its label and camera.

    Parameters
    ----------
    geometries
        Valid polygons in degrees, WGS 84.

    Returns
    -------
    lng, lat
        Centre of the largest circle that fits into the polygon's largest part, to 1 % of the
        part's size; not-a-number for an empty polygon.
    """
    array = np.asarray(geometries, dtype=object)
    lng, lat = np.full(len(array), np.nan), np.full(len(array), np.nan)
    parts, owner = shapely.get_parts(array, return_index=True)
    full = shapely.area(parts) > 0
    parts, owner = parts[full], owner[full]
    by_size = np.lexsort((-shapely.area(parts), owner))
    owners, first = np.unique(owner[by_size], return_index=True)
    largest = parts[by_size][first]
    circles = shapely.maximum_inscribed_circle(
        largest, tolerance=np.sqrt(shapely.area(largest)) / 100
    )
    centres = shapely.get_point(circles, 0)
    lng[owners], lat[owners] = shapely.get_x(centres), shapely.get_y(centres)
    return lng, lat


def bounds(geometries: ArrayLike) -> NDArray[np.float64]:
    """
    Box of each geometry.

    Parameters
    ----------
    geometries
        Shapely geometries in degrees.

    Returns
    -------
    bounds
        Shape n x 4: west, south, east, north; not-a-number for an empty geometry.
    """
    return np.asarray(shapely.bounds(np.asarray(geometries, dtype=object)), dtype=np.float64)


def metres_per_degree(geometries: ArrayLike) -> NDArray[np.float64]:
    """
    Scale of a plane in metres that is true at the middle latitude of the geometries.

    Parameters
    ----------
    geometries
        Shapely geometries in degrees, WGS 84.

    Returns
    -------
    scale
        Metres per degree east and north; those of the equator where all are empty. 100 km
        north of the middle, distances along a parallel are wrong by about 1 %.
    """
    boxes = bounds(geometries)
    drawn = boxes[~np.isnan(boxes[:, 0])]
    if not len(drawn):
        return np.array([1.0, 1.0]) * _METRES_PER_DEGREE
    shrink = np.cos(np.radians((drawn[:, 1].min() + drawn[:, 3].max()) / 2))
    return np.array([shrink, 1.0]) * _METRES_PER_DEGREE


def neighbours(geometries: ArrayLike, *, distance_m: float = 1.0) -> sparse.csr_array:
    """
    Which polygons touch or nearly touch each other.

    Parameters
    ----------
    geometries
        Polygons in degrees, WGS 84.
    distance_m
        Polygons this close count as touching (borders digitised twice rarely meet exactly);
        metres at the middle latitude.

    Returns
    -------
    adjacency
        Symmetric 0/1 matrix, n x n, in the order of `geometries`; nothing on the diagonal.
        Polygons that meet in one corner are neighbours.
    """
    array = np.asarray(geometries, dtype=object)
    plane = metres_per_degree(array)
    flat = shapely.transform(array, lambda vertices: vertices * plane)
    rows, columns = shapely.STRtree(flat).query(flat, predicate="dwithin", distance=distance_m)
    different = rows != columns
    rows, columns = rows[different], columns[different]
    ones = np.ones(len(rows), dtype=np.int8)
    adjacency = sparse.csr_array((ones, (rows, columns)), shape=(len(array), len(array)))
    adjacency.sort_indices()
    return adjacency


def _fit(
    array: Geometries, parents: Geometries, parent_index: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    # Per parent the uncovered part, per polygon the part outside its parent, in km².
    outside = np.zeros(len(array))
    placed = parent_index >= 0
    spill = shapely.difference(array[placed], parents[parent_index[placed]])
    outside[placed] = area_km2(spill)
    outside[~placed] = area_km2(array[~placed])
    unions = np.full(len(parents), shapely.Polygon(), dtype=object)
    for parent in np.unique(parent_index[placed]):
        unions[parent] = shapely.union_all(array[parent_index == parent])
    return area_km2(shapely.difference(parents, unions)), outside

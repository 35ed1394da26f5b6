"""
Locate: points in areas by point in polygon.

A point on a border lies in every polygon that it touches; it is given to the one with the lowest
code (or the lowest position, where no codes are passed), so the answer depends neither on the
order of the rows nor on that of the polygons.
"""

from __future__ import annotations

import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray

from geo.boundaries import metres_per_degree
from geo.divisions import as_days
from geo.points import check_points, distinct_points

Positions = NDArray[np.int64]

_BINS_PER_POLYGON = 16
"""Fineness of the raster; between 4 and 64 the time hardly changes."""

_SMALLEST_SPAN = 1e-9
"""Degrees; keeps a city of one point from dividing by zero."""

_DAY_ONE = np.datetime64("0001-01-01", "D")


def locate(
    lng: ArrayLike, lat: ArrayLike, *, boundaries: ArrayLike, codes: ArrayLike | None = None
) -> Positions:
    """
    Find the polygon that holds each point.

    Parameters
    ----------
    lng, lat
        Degrees, WGS 84 (EPSG:4326); not-a-number where a row has no point.
    boundaries
        Shapely polygons in the same frame; None or empty holds nothing.
    codes
        Text, one per polygon: a point on a shared border goes to the lowest code.

    Returns
    -------
    position
        Position in `boundaries`, -1 where no polygon holds the point.

    Raises
    ------
    ValueError
        A coordinate is out of range, or `codes` does not match `boundaries`.
    """
    point_lng, point_lat, point_of_row = distinct_points(*check_points(lng, lat))
    polygons, rank = _ranked(boundaries, codes)
    points, holders = _candidates(point_lng, point_lat, polygons)
    return _spread(_lowest(points, holders, rank, len(point_lng)), point_of_row)


def locate_dated(
    lng: ArrayLike,
    lat: ArrayLike,
    dates: ArrayLike,
    *,
    boundaries: ArrayLike,
    valid_from: ArrayLike,
    valid_to: ArrayLike,
    codes: ArrayLike | None = None,
) -> Positions:
    """
    Find the polygon that held each point on the row's own date.

    Parameters
    ----------
    lng, lat, boundaries, codes
        As in `locate`.
    dates
        One date per row; a row without a date is not located.
    valid_from, valid_to
        One date per polygon, null = open; `valid_to` is the first day it is no longer valid.

    Returns
    -------
    position
        Position in `boundaries`, -1 where no polygon valid on that date holds the point.

    Raises
    ------
    ValueError
        As in `locate`.
    """
    point_lng, point_lat, point_of_row = distinct_points(*check_points(lng, lat))
    polygons, rank = _ranked(boundaries, codes)
    points, holders = _candidates(point_lng, point_lat, polygons)
    day, start, end = as_days(dates), as_days(valid_from), as_days(valid_to)
    located = np.full(len(point_of_row), -1, dtype=np.int64)
    # Between two dates on which any polygon starts or ends, the set of valid ones is constant.
    turns = np.unique(np.concatenate([start, end]))
    turns = turns[~np.isnat(turns)]
    era_of_row = np.searchsorted(turns, day, side="right")
    era_of_row[np.isnat(day)] = -1
    for era in np.unique(era_of_row[era_of_row >= 0]):
        # The era's first day, or, before the first turn, any day before it.
        first = turns[era - 1] if era else _DAY_ONE
        valid = (np.isnat(start) | (start <= first)) & (np.isnat(end) | (first < end))
        kept = valid[holders]
        lowest = _lowest(points[kept], holders[kept], rank, len(point_lng))
        rows = era_of_row == era
        located[rows] = _spread(lowest, point_of_row[rows])
    return located


def nearest(
    lng: ArrayLike,
    lat: ArrayLike,
    *,
    boundaries: ArrayLike,
    max_distance_m: float,
    codes: ArrayLike | None = None,
) -> Positions:
    """
    Find the nearest polygon within a distance, for points that lie in none.

    Generalised borders leave points of the edge outside; a caller who accepts that error says
    how far it goes. Distances are taken on the plane of `boundaries.metres_per_degree`.

    Parameters
    ----------
    lng, lat, boundaries, codes
        As in `locate`; equal distances go to the lowest code.
    max_distance_m
        Largest accepted distance in metres.

    Returns
    -------
    position
        Position in `boundaries`, -1 where none is within reach. A point inside a polygon is at
        distance 0 of it.

    Raises
    ------
    ValueError
        As in `locate`.
    """
    point_lng, point_lat, point_of_row = distinct_points(*check_points(lng, lat))
    polygons, rank = _ranked(boundaries, codes)
    plane = metres_per_degree(polygons)
    flat = shapely.transform(polygons, lambda vertices: vertices * plane)
    points = shapely.points(point_lng * plane[0], point_lat * plane[1])
    tree = shapely.STRtree(flat)
    near, holders = tree.query(points, predicate="dwithin", distance=max_distance_m)
    distance_m = shapely.distance(points[near], flat[holders])
    order = np.lexsort((rank[holders], distance_m, near))
    found = np.full(len(point_lng), -1, dtype=np.int64)
    first = np.unique(near[order], return_index=True)[1]
    found[near[order][first]] = holders[order][first]
    return _spread(found, point_of_row)


def _ranked(
    boundaries: ArrayLike, codes: ArrayLike | None
) -> tuple[NDArray[np.object_], NDArray[np.int64]]:
    # Polygons, and each one's rank by code, then position.
    polygons = np.asarray(boundaries, dtype=object)
    if codes is None:
        return polygons, np.arange(len(polygons))
    names = np.asarray(codes).astype(str)
    if len(names) != len(polygons):
        raise ValueError(f"`codes` has {len(names):,} values for {len(polygons):,} `boundaries`")
    rank = np.empty(len(names), dtype=np.int64)
    rank[np.argsort(names, kind="stable")] = np.arange(len(names))
    return polygons, rank


def _candidates(
    lng: NDArray[np.float64], lat: NDArray[np.float64], polygons: NDArray[np.object_]
) -> tuple[Positions, Positions]:
    # Every pair of a point and a polygon that holds or touches it, polygon by polygon.
    boxes = shapely.bounds(polygons)
    drawn = np.flatnonzero(~np.isnan(boxes[:, 0]))
    if not drawn.size:
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
    points, holders = _same_bins(lng, lat, boxes[drawn])
    holders = drawn[holders]
    shapely.prepare(polygons)
    inside = shapely.intersects_xy(polygons[holders], lng[points], lat[points])
    return points[inside], holders[inside]


def _same_bins(
    lng: NDArray[np.float64], lat: NDArray[np.float64], boxes: NDArray[np.float64]
) -> tuple[Positions, Positions]:
    # Pairs of a point and a box that meet in a bin of a regular raster. Points are sorted by bin,
    # rows first, so what a box covers of a raster row is one run of points. (An STRtree would
    # need a geometry object for each point; making those alone takes longer than all of this.)
    side = int(np.sqrt(_BINS_PER_POLYGON * len(boxes))) + 1
    low, high = boxes[:, :2].min(axis=0), boxes[:, 2:].max(axis=0)
    bins_per_degree = side / np.maximum(high - low, _SMALLEST_SPAN)

    def bins_along(values: NDArray[np.float64], axis: int) -> NDArray[np.int64]:
        steps: NDArray[np.float64] = (values - low[axis]) * bins_per_degree[axis]
        return steps.clip(max=side - 1).astype(np.int64)

    within = (lng >= low[0]) & (lng <= high[0]) & (lat >= low[1]) & (lat <= high[1])
    points = np.flatnonzero(within)
    bin_of_point = bins_along(lat[points], 1) * side + bins_along(lng[points], 0)
    by_bin = np.argsort(bin_of_point, kind="stable")
    points = points[by_bin]
    first = np.searchsorted(bin_of_point[by_bin], np.arange(side * side + 1))
    bottom = bins_along(boxes[:, 1], 1)
    box, row = _runs(bottom, bins_along(boxes[:, 3], 1) + 1)
    start = first[row * side + bins_along(boxes[:, 0], 0)[box]]
    stop = first[row * side + bins_along(boxes[:, 2], 0)[box] + 1]
    run, position = _runs(start, stop)
    return points[position], box[run]


def _runs(start: NDArray[np.int64], stop: NDArray[np.int64]) -> tuple[Positions, Positions]:
    # All numbers from each start up to its stop, one run after another, and the run of each.
    length = stop - start
    run = np.repeat(np.arange(len(start)), length)
    offset = np.arange(len(run)) - np.repeat(np.cumsum(length) - length, length)
    return run, start[run] + offset


def _lowest(
    points: Positions, holders: Positions, rank: NDArray[np.int64], n_points: int
) -> Positions:
    # The holder of lowest rank of each point, -1 where there is none.
    none = np.iinfo(np.int64).max
    lowest = np.full(n_points, none, dtype=np.int64)
    np.minimum.at(lowest, points, rank[holders])
    position_of_rank = np.empty(len(rank) + 1, dtype=np.int64)
    position_of_rank[rank] = np.arange(len(rank))
    position_of_rank[-1] = -1
    return position_of_rank[np.where(lowest == none, -1, lowest)]


def _spread(position_of_point: Positions, point_of_row: NDArray[np.int64]) -> Positions:
    # One place more, so that -1 (a row without a point) reads -1.
    return np.append(position_of_point, -1)[point_of_row]

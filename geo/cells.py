"""
H3 cells: points to cells, parents, outlines, areas and neighbours.

The only module that imports h3, and the only place where the order (lat, lng) appears. A cell is
text of 15 hexadecimal digits outside; inside this module it is the same number as uint64,
because parents of a whole column are then three integer operations.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import h3.api.basic_int as h3
import numpy as np
import pandas as pd
import shapely
from scipy import sparse

from geo.points import check_points, distinct_points

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike, NDArray

RESOLUTIONS = (6, 7, 8, 9, 10)
"""Stored resolutions; mean cell edges 3.7 km, 1.4 km, 531 m, 201 m, 76 m."""

_FINEST = 15
_RESOLUTION_SHIFT = 52
"""Offset (in bits) of the resolution in an H3 index."""
_BITS_PER_DIGIT = 3
# Outlines are computed cell by cell; rounding (about 1 mm) makes shared corners one number.
_CORNER_DECIMALS = 8


def assign_cells(lng: ArrayLike, lat: ArrayLike, *, resolution: int) -> NDArray[np.object_]:
    """
    Assign each point to the H3 cell that contains it.

    Parameters
    ----------
    lng, lat
        Degrees, WGS 84 (EPSG:4326); not-a-number where a row has no point.
    resolution
        H3 resolution, 0 to 15; at 9 the mean cell edge is 201 m.

    Returns
    -------
    cell
        H3 cell as text of 15 hexadecimal digits, None where the row has no point.

    Raises
    ------
    ValueError
        A coordinate is out of range, or `resolution` is not 0 to 15.

    References
    ----------
    H3 `latLngToCell`, https://h3geo.org/docs/api/indexing
    """
    _check_resolution(resolution)
    cells, cell_of_row = _distinct_cells(lng, lat, resolution)
    return _text_of_rows(cells, cell_of_row)


def assign_all(lng: ArrayLike, lat: ArrayLike) -> dict[int, NDArray[np.object_]]:
    """
    Assign each point to its cell at every stored resolution.

    Points are indexed once, at the finest stored resolution; each coarser cell is the parent of
    the finer one, so counts add up exactly from cell to parent cell. (A parent need not contain
    its child to the last metre: near a parent's edge this differs from `assign_cells` at the
    coarser resolution.)

    Parameters
    ----------
    lng, lat
        Degrees, WGS 84 (EPSG:4326); not-a-number where a row has no point.

    Returns
    -------
    cells
        Resolution to array of cell text, as `assign_cells` returns it.

    Raises
    ------
    ValueError
        A coordinate is out of range.
    """
    finest, cell_of_row = _distinct_cells(lng, lat, RESOLUTIONS[-1])
    assigned = {}
    for resolution in RESOLUTIONS:
        assigned[resolution] = _text_of_rows(_parents(finest, resolution), cell_of_row)
    return assigned


def parents(cells: ArrayLike, *, resolution: int) -> NDArray[np.object_]:
    """
    Parent cells at a coarser resolution.

    Parameters
    ----------
    cells
        Cell text; None stays None.
    resolution
        Resolution of the parents, at most that of the cells.

    Returns
    -------
    parents
        Cell text, same order.

    Raises
    ------
    ValueError
        A value is no H3 cell, or a cell is coarser than `resolution`.
    """
    _check_resolution(resolution)
    known, cell_of_row = _known_cells(cells)
    coarser = np.flatnonzero(_resolutions(known) < resolution)
    if coarser.size:
        first = ", ".join(_text(known[coarser[:5]]))
        raise ValueError(
            f"cells: {coarser.size:,} cells are coarser than resolution {resolution} ({first})"
        )
    return _text_of_rows(_parents(known, resolution), cell_of_row)


def cell_polygons(cells: ArrayLike) -> NDArray[np.object_]:
    """
    Outlines of cells.

    Parameters
    ----------
    cells
        Cell text, none missing.

    Returns
    -------
    polygons
        Shapely polygons in degrees, WGS 84 (EPSG:4326), same order; neighbours share corners.

    Raises
    ------
    ValueError
        A value is missing or no H3 cell.
    """
    rings = [h3.cell_to_boundary(cell) for cell in _every_cell(cells).tolist()]
    if not rings:
        return np.empty(0, dtype=object)
    ring_of_corner = np.repeat(np.arange(len(rings)), [len(ring) for ring in rings])
    corners = np.round(np.concatenate([np.asarray(ring) for ring in rings]), _CORNER_DECIMALS)
    outlines = shapely.linearrings(corners[:, ::-1], indices=ring_of_corner)
    return np.asarray(shapely.polygons(outlines), dtype=object)


def cell_areas_km2(cells: ArrayLike) -> NDArray[np.float64]:
    """
    Areas of cells in km², on the sphere of H3; raises as `cell_polygons` does.

    Parameters
    ----------
    cells
        Cell text, none missing.

    Returns
    -------
    area_km2
        One number per cell, same order.
    """
    return np.array([h3.cell_area(cell, "km^2") for cell in _every_cell(cells).tolist()], float)


def cell_centres(cells: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """
    Centres of cells; raises as `cell_polygons` does.

    Parameters
    ----------
    cells
        Cell text, none missing.

    Returns
    -------
    lng, lat
        Degrees, WGS 84 (EPSG:4326), same order.
    """
    centres = [h3.cell_to_latlng(cell) for cell in _every_cell(cells).tolist()]
    lat_lng = np.array(centres, dtype=np.float64).reshape(-1, 2)
    return lat_lng[:, 1].copy(), lat_lng[:, 0].copy()


def neighbours(cells: ArrayLike) -> sparse.csr_array:
    """
    Which of the given cells touch each other.

    Parameters
    ----------
    cells
        Distinct cell text of one resolution, none missing.

    Returns
    -------
    adjacency
        Symmetric 0/1 matrix, n x n, in the order of `cells`; nothing on the diagonal.

    Raises
    ------
    ValueError
        A value is missing, repeated or no H3 cell.
    """
    known = _every_cell(cells)
    position = {cell: index for index, cell in enumerate(known.tolist())}
    if len(position) != len(known):
        raise ValueError(f"cells: {len(known) - len(position):,} cells repeat; pass each once")
    pairs = [
        (index, position[other])
        for cell, index in position.items()
        for other in h3.grid_disk(cell, 1)
        if other != cell and other in position
    ]
    rows, columns = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
    ones = np.ones(len(rows), dtype=np.int8)
    return sparse.csr_array((ones, (rows, columns)), shape=(len(known), len(known)))


def _check_resolution(resolution: int) -> None:
    if not 0 <= resolution <= _FINEST:
        raise ValueError(f"resolution must be 0 to {_FINEST}, not {resolution}")


def _distinct_cells(
    lng: ArrayLike, lat: ArrayLike, resolution: int
) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    # Distinct cells, and for each row the position of its cell (-1: no point).
    point_lng, point_lat, point_of_row = distinct_points(*check_points(lng, lat))
    to_cell: Callable[[float, float, int], int] = h3.latlng_to_cell
    lat_lng = zip(point_lat.tolist(), point_lng.tolist(), strict=True)
    indexed = (to_cell(north, east, resolution) for north, east in lat_lng)
    cell_of_point = np.fromiter(indexed, dtype=np.uint64, count=len(point_lng))
    cell_positions, cells = pd.factorize(cell_of_point)
    # One place more, so that position -1 reads "no point".
    positions = np.append(cell_positions, -1).astype(np.int64)
    return np.asarray(cells, dtype=np.uint64), positions[point_of_row]


def _parents(cells: NDArray[np.uint64], resolution: int) -> NDArray[np.uint64]:
    # In an H3 index a parent has its own resolution in four bits and sevens in every finer
    # digit: https://h3geo.org/docs/core-library/h3Indexing
    resolution_mask = np.uint64(0xF << _RESOLUTION_SHIFT)
    unused_digits = np.uint64((1 << (_BITS_PER_DIGIT * (_FINEST - resolution))) - 1)
    own = np.uint64(resolution << _RESOLUTION_SHIFT)
    return (cells & ~resolution_mask) | own | unused_digits


def _resolutions(cells: NDArray[np.uint64]) -> NDArray[np.int64]:
    return ((cells >> np.uint64(_RESOLUTION_SHIFT)) & np.uint64(0xF)).astype(np.int64)


def _text(cells: NDArray[np.uint64]) -> list[str]:
    return [f"{cell:015x}" for cell in cells.tolist()]


def _text_of_rows(cells: NDArray[np.uint64], cell_of_row: NDArray[np.int64]) -> NDArray[np.object_]:
    # Each distinct cell is written once; rows share the text.
    text_of_cell, distinct = pd.factorize(cells)
    texts = np.array([*_text(distinct), None], dtype=object)
    text_of_row: NDArray[np.object_] = texts[np.append(text_of_cell, -1)[cell_of_row]]
    return text_of_row


def _known_cells(cells: ArrayLike) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    # Distinct cells as numbers, and for each row the position of its cell (-1: missing).
    cell_of_row, texts = pd.factorize(np.asarray(cells, dtype=object))
    numbers = []
    bad = []
    for text in texts:
        number = _number(text)
        if number is None:
            bad.append(repr(text))
        else:
            numbers.append(number)
    if bad:
        raise ValueError(f"cells: {len(bad):,} values are no H3 cell ({', '.join(bad[:5])})")
    return np.array(numbers, dtype=np.uint64), np.asarray(cell_of_row, dtype=np.int64)


def _number(text: object) -> int | None:
    try:
        number = int(h3.str_to_int(text)) if isinstance(text, str) else 0
    except ValueError:
        return None
    return number if h3.is_valid_cell(number) else None


def _every_cell(cells: ArrayLike) -> NDArray[np.uint64]:
    known, cell_of_row = _known_cells(cells)
    missing = np.flatnonzero(cell_of_row < 0)
    if missing.size:
        rows = ", ".join(map(str, missing[:5]))
        raise ValueError(f"cells: {missing.size:,} rows have no cell (rows {rows}); drop them")
    return known[cell_of_row]

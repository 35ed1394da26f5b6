"""
H3 cells: points to cells, parents, outlines, areas and neighbours.

The only module that imports h3, and the only place where the order (lat, lng) appears. A cell is
either text of 15 hexadecimal digits or the same number as int64 (an H3 index leaves the sign bit
free), with 0, the null of H3, for no cell. Tables store numbers: parents of a whole column are
then three integer operations.
"""

from __future__ import annotations

from itertools import chain, repeat
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
"""Finest resolution of H3; also the mask of the four bits that hold a resolution."""
_RESOLUTION_SHIFT = 52
"""Offset (in bits) of the resolution in an H3 index."""
_MODE_SHIFT = 59
"""Offset (in bits) of the mode, below the sign bit that H3 leaves zero."""
_CELL_MODE = 1
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
    return cell_texts(cell_numbers(lng, lat, resolution=resolution))


def cell_numbers(lng: ArrayLike, lat: ArrayLike, *, resolution: int) -> NDArray[np.int64]:
    """
    Assign each point to the H3 cell that contains it, as a number.

    Parameters
    ----------
    lng, lat
        Degrees, WGS 84 (EPSG:4326); not-a-number where a row has no point.
    resolution
        H3 resolution, 0 to 15.

    Returns
    -------
    number
        H3 index, 0 where the row has no point; `assign_cells` gives the same cells as text.

    Raises
    ------
    ValueError
        A coordinate is out of range, or `resolution` is not 0 to 15.
    """
    _check_resolution(resolution)
    point_lng, point_lat, point_of_row = distinct_points(*check_points(lng, lat))
    to_cell: Callable[[float, float, int], int] = h3.latlng_to_cell
    indexed = map(to_cell, point_lat.tolist(), point_lng.tolist(), repeat(resolution))
    # One place more, so that position -1 reads "no point".
    numbers = np.zeros(len(point_lng) + 1, dtype=np.int64)
    numbers[:-1] = np.fromiter(indexed, dtype=np.int64, count=len(point_lng))
    number_of_row: NDArray[np.int64] = numbers[point_of_row]
    return number_of_row


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
    finest = cell_numbers(lng, lat, resolution=RESOLUTIONS[-1])
    return {
        resolution: cell_texts(parent_numbers(finest, resolution=resolution))
        for resolution in RESOLUTIONS
    }


def parents(cells: ArrayLike, *, resolution: int) -> NDArray[np.object_]:
    """
    Parent cells at a coarser resolution.

    Parameters
    ----------
    cells
        Cell text or numbers; None (of numbers, 0) becomes None.
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
    known, cell_of_row = _known_cells(cells)
    above = np.append(parent_numbers(known, resolution=resolution), 0)
    return cell_texts(above[cell_of_row])


def parent_numbers(numbers: ArrayLike, *, resolution: int) -> NDArray[np.int64]:
    """
    Parent cells at a coarser resolution, as numbers.

    Parameters
    ----------
    numbers
        H3 cell indexes; 0 stays 0.
    resolution
        Resolution of the parents, at most that of the cells.

    Returns
    -------
    parent
        H3 index, same order.

    Raises
    ------
    ValueError
        A value is not in the form of an H3 cell, or a cell is coarser than `resolution`.

    References
    ----------
    Layout of an H3 index, https://h3geo.org/docs/core-library/h3Indexing
    """
    _check_resolution(resolution)
    cells = np.atleast_1d(np.asarray(numbers, dtype=np.int64))
    known = cells != 0
    bad = np.flatnonzero(known & ((cells >> _MODE_SHIFT) != _CELL_MODE))
    if bad.size:
        raise ValueError(
            f"cells: {bad.size:,} of {cells.size:,} numbers are no H3 cell (rows {_first(bad)})"
        )
    own_resolution = (cells >> _RESOLUTION_SHIFT) & _FINEST
    coarser = np.flatnonzero(known & (own_resolution < resolution))
    if coarser.size:
        names = ", ".join(f"{cell:015x}" for cell in cells[coarser[:5]].tolist())
        raise ValueError(
            f"cells: {coarser.size:,} cells are coarser than resolution {resolution} ({names})"
        )
    # A parent has its own resolution in four bits and sevens in every finer digit.
    unused_digits = (1 << (_BITS_PER_DIGIT * (_FINEST - resolution))) - 1
    shared = cells & ~(_FINEST << _RESOLUTION_SHIFT)
    return np.where(known, shared | (resolution << _RESOLUTION_SHIFT) | unused_digits, 0)


def cell_texts(numbers: ArrayLike) -> NDArray[np.object_]:
    """
    Write cell numbers as text of 15 hexadecimal digits.

    Parameters
    ----------
    numbers
        H3 cell indexes, 0 = no cell.

    Returns
    -------
    cell
        Cell text, None for 0; rows of one cell share the text.
    """
    cell_of_row, cells = pd.factorize(np.atleast_1d(np.asarray(numbers, dtype=np.int64)))
    texts = [f"{cell:015x}" if cell else None for cell in cells.tolist()]
    text_of_row: NDArray[np.object_] = np.array(texts, dtype=object)[cell_of_row]
    return text_of_row


def cell_polygons(cells: ArrayLike) -> NDArray[np.object_]:
    """
    Outlines of cells.

    Parameters
    ----------
    cells
        Cell text or numbers, none missing.

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
        Cell text or numbers, none missing.

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
        Cell text or numbers, none missing.

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
        Distinct cells of one resolution, text or numbers, none missing.

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


def with_neighbours(numbers: ArrayLike) -> NDArray[np.int64]:
    """Distinct numbers of given cells and all that touch them, in ascending order."""
    disks = [h3.grid_disk(cell, 1) for cell in _every_cell(numbers).tolist()]
    return np.unique(np.fromiter(chain.from_iterable(disks), dtype=np.int64))


def _check_resolution(resolution: int) -> None:
    if not 0 <= resolution <= _FINEST:
        raise ValueError(f"resolution must be 0 to {_FINEST}, not {resolution}")


def _first(rows: NDArray[np.int64]) -> str:
    return ", ".join(map(str, rows[:5].tolist()))


def _known_cells(cells: ArrayLike) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    # Distinct cells as numbers, and for each row the position of its cell (-1: missing).
    values = np.asarray(cells)
    if values.dtype.kind in "iu":
        position, distinct = pd.factorize(values)
        is_cell = distinct != 0
        distinct = distinct[is_cell].tolist()
        cell_of_row = np.where(is_cell, np.cumsum(is_cell) - 1, -1)[position]
        if all(map(h3.is_valid_cell, distinct)):
            return np.array(distinct, dtype=np.int64), np.asarray(cell_of_row, dtype=np.int64)
    else:
        cell_of_row, distinct = pd.factorize(values.astype(object))
    numbers = []
    bad = []
    for value in distinct:
        number = _number(value)
        if number is None:
            bad.append(repr(value))
        else:
            numbers.append(number)
    if bad:
        raise ValueError(f"cells: {len(bad):,} values are no H3 cell ({', '.join(bad[:5])})")
    return np.array(numbers, dtype=np.int64), np.asarray(cell_of_row, dtype=np.int64)


def _number(value: object) -> int | None:
    try:
        number = int(h3.str_to_int(value)) if isinstance(value, str) else value
    except ValueError:
        return None
    return number if isinstance(number, int) and h3.is_valid_cell(number) else None


def _every_cell(cells: ArrayLike) -> NDArray[np.int64]:
    known, cell_of_row = _known_cells(cells)
    missing = np.flatnonzero(cell_of_row < 0)
    if missing.size:
        raise ValueError(
            f"cells: {missing.size:,} rows have no cell (rows {_first(missing)}); drop them"
        )
    return known[cell_of_row]

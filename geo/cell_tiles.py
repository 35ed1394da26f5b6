"""
Vector tiles of H3 cells, drawn when they are asked for.

A register of cells grows with almost every batch, so nothing is cut ahead: a tile takes
milliseconds. It holds what a tile of `geo.tiles` holds: one layer, a polygon per cell and one
integer, `i`, the cell's position in the register. Corners are rounded to the tile's units, so
neighbours share them; only cells that reach beyond the tile's buffer are cut there.

References
----------
Mapbox Vector Tile 2.1, https://github.com/mapbox/vector-tile-spec/tree/master/2.1
"""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING, Final

import numpy as np
import shapely

from geo.cells import cell_polygons
from geo.tiles import BUFFER, EXTENT

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

LAYER: Final = "cells"
_HIGHEST_LATITUDE: Final = 85.05
_GZIP_LEVEL: Final = 5
# Commands of the format: a count in the upper bits, the kind in the lower three.
_MOVE_TO_ONE: Final = 9
_LINE_TO: Final = 2
_CLOSE_PATH: Final = 15
_COMMANDS: Final = 3
"""Whole numbers of a ring besides its corners: move, line and close."""


def cell_tile(
    cells: NDArray[np.generic], lng: ArrayLike, lat: ArrayLike, *, z: int, x: int, y: int
) -> bytes | None:
    """
    Draw one tile.

    Parameters
    ----------
    cells
        Register of cells of one resolution, text or numbers; the position of each becomes its `i`.
    lng, lat
        Centres of the cells in degrees, WGS 84 (EPSG:4326), same order.
    z, x, y
        Web Mercator tile, `y` counted from the north as browsers do.

    Returns
    -------
    tile
        Gzipped MVT, the same bytes for the same input; None where no cell reaches.
    """
    if not (0 <= z <= 22 and 0 <= x < 1 << z and 0 <= y < 1 << z) or not len(cells):
        return None
    centre_x, centre_y = _tile_units(np.asarray(lng), np.asarray(lat), z=z, x=x, y=y)
    reach = BUFFER + _largest_radius(cells, np.asarray(lat), z=z)
    near = np.flatnonzero(
        (np.abs(centre_x - EXTENT / 2) <= EXTENT / 2 + reach)
        & (np.abs(centre_y - EXTENT / 2) <= EXTENT / 2 + reach)
    )
    if not near.size:
        return None
    corners, ring = _corners(cell_polygons(cells[near]), z=z, x=x, y=y)
    corners, ring = _drawable(corners, ring, len(near))
    if not ring.size:
        return None
    drawn, sizes = np.unique(ring, return_counts=True)
    return gzip.compress(_layer(corners, sizes, near[drawn]), _GZIP_LEVEL, mtime=0)


def _tile_units(
    lng: NDArray[np.float64], lat: NDArray[np.float64], *, z: int, x: int, y: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Positions in units of the tile, from its north-west corner to the right and down."""
    north = np.radians(np.clip(lat, -_HIGHEST_LATITUDE, _HIGHEST_LATITUDE))
    across = lng / 360 + 0.5
    down = 0.5 - np.arctanh(np.sin(north)) / (2 * np.pi)
    scale = float(1 << z)
    return (across * scale - x) * EXTENT, (down * scale - y) * EXTENT


def _largest_radius(cells: NDArray[np.generic], lat: NDArray[np.float64], *, z: int) -> float:
    """Units that no cell reaches beyond from its centre: cells of a city differ by far less."""
    (outline,) = cell_polygons(cells[:1])
    degrees = shapely.minimum_bounding_radius(outline)
    stretch = 1 / np.cos(np.radians(np.abs(lat).max()))
    return float(2 * degrees * stretch / 360 * (1 << z) * EXTENT)


def _corners(
    polygons: NDArray[np.object_], *, z: int, x: int, y: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Corners in whole units of the tile, cut at its buffer, and the polygon of each."""
    placed = shapely.transform(
        polygons, lambda at: np.column_stack(_tile_units(at[:, 0], at[:, 1], z=z, x=x, y=y))
    )
    west, north, east, south = shapely.bounds(placed).T
    low, high = -BUFFER, EXTENT + BUFFER
    crossing = np.flatnonzero((west < low) | (north < low) | (east > high) | (south > high))
    cut = shapely.clip_by_rect(placed[crossing], low, low, high, high)
    # Where only an edge or a corner reaches in, no area does.
    cut[shapely.area(cut) == 0] = shapely.Polygon()
    # A distorted cell may dent inwards, and be cut in two there.
    placed[crossing] = shapely.convex_hull(cut)
    # Downwards is positive here: what is clockwise on the screen counts as positive.
    placed = shapely.orient_polygons(placed)
    corners, ring = shapely.get_coordinates(placed, return_index=True)
    return np.floor(corners + 0.5).astype(np.int64), ring


def _drawable(
    corners: NDArray[np.int64], ring: NDArray[np.int64], n_rings: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Drop corners that fell together, and rings that have no area left."""
    before, after = corners[:-1], corners[1:]
    products = before[:, 0] * after[:, 1] - after[:, 0] * before[:, 1]
    # A ring ends with its first corner again, so each corner but the last starts an edge.
    edge = ring[:-1] == ring[1:]
    area = np.bincount(ring[:-1][edge], weights=products[edge], minlength=n_rings)
    moves = edge & (before != after).any(axis=1)
    kept = np.flatnonzero(moves & (area[ring[:-1]] != 0))
    return corners[kept], ring[kept]


def _layer(corners: NDArray[np.int64], sizes: NDArray[np.int64], index: NDArray[np.int64]) -> bytes:
    """The tile's message: each number of it is a varint, so all are written at once."""
    geometry, lengths = _geometry(corners, sizes)
    features = _features(geometry, lengths)
    values = np.empty((len(index), 4), dtype=np.int64)
    values[:, 0], values[:, 1] = 0x22, 1 + _varint_sizes(index)  # a value of the layer
    values[:, 2], values[:, 3] = 0x28, index  # as unsigned integer
    name = LAYER.encode()
    body = b"".join(
        (
            b"\x78\x02\x0a" + _varints(np.array([len(name)])) + name,  # version 2, name
            _varints(features),
            b"\x1a\x01i",  # the only key
            _varints(values.ravel()),
            b"\x28" + _varints(np.array([EXTENT])),
        )
    )
    return b"\x1a" + _varints(np.array([len(body)])) + body


def _geometry(
    corners: NDArray[np.int64], sizes: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Drawing commands of all rings in one row, and how many numbers each ring takes."""
    starts = np.cumsum(sizes) - sizes
    steps = np.diff(corners, axis=0, prepend=corners[:1] * 0)
    steps[starts] = corners[starts]  # the pen starts each feature at the tile's corner
    coded = (steps << 1) ^ (steps >> 63)
    lengths = 2 * sizes + _COMMANDS
    ends = np.cumsum(lengths)
    first = ends - lengths
    row = np.empty(int(lengths.sum()), dtype=np.int64)
    row[first] = _MOVE_TO_ONE
    row[first + 3] = ((sizes - 1) << 3) | _LINE_TO
    row[ends - 1] = _CLOSE_PATH
    plain = np.ones(len(row), dtype=bool)
    plain[first] = plain[first + 3] = plain[ends - 1] = False
    row[plain] = coded.ravel()
    return row, lengths


def _features(geometry: NDArray[np.int64], lengths: NDArray[np.int64]) -> NDArray[np.int64]:
    """Put the head of its feature before the commands of each ring."""
    n = len(lengths)
    starts = np.cumsum(lengths) - lengths
    position = np.arange(n)  # of the value in the layer
    geometry_bytes = np.add.reduceat(_varint_sizes(geometry), starts)
    tag_bytes = 1 + _varint_sizes(position)
    size = 5 + tag_bytes + _varint_sizes(geometry_bytes) + geometry_bytes
    head = np.column_stack(
        [
            np.full(n, 0x12), size,  # a feature of the layer
            np.full(n, 0x12), tag_bytes, np.zeros(n, dtype=np.int64), position,
            np.full(n, 0x18), np.full(n, 3),  # polygon
            np.full(n, 0x22), geometry_bytes,
        ]
    )  # fmt: skip
    row = np.empty(head.size + len(geometry), dtype=np.int64)
    first = starts + np.arange(n) * head.shape[1]
    at = first[:, None] + np.arange(head.shape[1])
    row[at] = head
    rest = np.ones(len(row), dtype=bool)
    rest[at] = False
    row[rest] = geometry
    return row


def _varint_sizes(numbers: NDArray[np.int64]) -> NDArray[np.int64]:
    """Bytes that each number takes, seven bits a byte."""
    sizes = np.ones(len(numbers), dtype=np.int64)
    rest = numbers >> 7
    while rest.any():
        sizes += rest > 0
        rest >>= 7
    return sizes


def _varints(numbers: NDArray[np.int64]) -> bytes:
    """Numbers from 0 up, seven bits a byte, the lowest first, a mark on every byte but the last."""
    sizes = _varint_sizes(numbers)
    ends = np.cumsum(sizes)
    place = np.arange(int(sizes.sum())) - np.repeat(ends - sizes, sizes)
    digits = (np.repeat(numbers, sizes) >> (7 * place)) & 0x7F
    digits[np.arange(len(digits)) != np.repeat(ends - 1, sizes)] |= 0x80
    return digits.astype(np.uint8).tobytes()

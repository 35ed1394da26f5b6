"""Polygons out of the vector tiles that `geo.tiles` has cut: for maps drawn without a browser."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyogrio
import pyproj
import shapely

from geo.tiles import EXTENT

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import ArrayLike, NDArray

Bounds = tuple[float, float, float, float]

_TO_MERCATOR = pyproj.Transformer.from_crs("EPSG:4326", "EPSG:3857", always_xy=True)


def mercator(lng: ArrayLike, lat: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Degrees (WGS 84) as Web Mercator metres (EPSG:3857): x, y."""
    x, y = _TO_MERCATOR.transform(np.asarray(lng, float), np.asarray(lat, float))
    return np.asarray(x), np.asarray(y)


def mercator_bounds(bounds: Bounds) -> Bounds:
    """West, south, east, north in degrees as Web Mercator metres."""
    x, y = mercator([bounds[0], bounds[2]], [bounds[1], bounds[3]])
    return float(x[0]), float(y[0]), float(x[1]), float(y[1])


def fit_zoom(bounds: Bounds, *, units: int) -> int:
    """Lowest zoom at which the wider side of the bounds (degrees) takes so many tile units."""
    west, south, east, north = mercator_bounds(bounds)
    side = max(east - west, north - south, 1.0)
    world = 2 * mercator(180.0, 0.0)[0]
    return max(0, int(np.ceil(np.log2(units * float(world) / (EXTENT * side)))))


def read_shapes(
    path: Path, *, zoom: int, bounds: Bounds | None = None
) -> tuple[NDArray[np.int64], NDArray[np.object_]]:
    """
    Read the polygons of one zoom, each in one piece.

    Parameters
    ----------
    path
        File written by `geo.tiles.cut_tiles`; it must not change while it is read.
    zoom
        One of the zooms that were cut.
    bounds
        Degrees; polygons in tiles beyond them may be left out, or cut at a tile's edge.

    Returns
    -------
    index, polygons
        Position that each polygon had when it was cut, rising, and its shape in Web Mercator
        metres (EPSG:3857).
    """
    rows = pyogrio.read_dataframe(
        path,
        ZOOM_LEVEL=zoom,
        CLIP="NO",
        bbox=None if bounds is None else mercator_bounds(bounds),
    )
    position = rows["i"].to_numpy(np.int64)
    order = np.argsort(position, kind="stable")
    index, first, pieces = np.unique(position[order], return_index=True, return_counts=True)
    parts = shapely.make_valid(rows.geometry.to_numpy()[order])
    polygons = parts[first]
    # Pieces of neighbouring tiles overlap by the tiles' buffer, so that their union has no seam.
    for at in np.flatnonzero(pieces > 1):
        polygons[at] = shapely.union_all(parts[first[at] : first[at] + pieces[at]])
    return index, polygons

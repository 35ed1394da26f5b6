"""
Vector tiles: the polygons of one level or resolution, cut once per boundary version.

A tile holds geometry and one integer, `i`, the position of the polygon; names and values never
travel in tiles. Cutting is left to GDAL's MVT driver. It rounds each vertex to a grid of 4,096
units a tile (an eighth of a screen pixel), so a border shared by two polygons stays one line;
only where a polygon is thinner than a unit may GDAL's repair part it, by that unit. Every polygon
that covers at least one square unit is in every zoom. No other simplification is done: the
rounding already removes what a screen cannot show.
"""

from __future__ import annotations

import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pyogrio
import shapely

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

EXTENT = 4096
"""Units along the side of a tile."""

BUFFER = 64
"""Units drawn beyond each side, so that outlines on a tile's edge stay hidden."""

_EQUATOR_M = 40_075_016.7
_LOWEST_VIEW_TILES = 0.25
"""Widest the whole city may be at the lowest zoom: 128 pixels, for a phone half under a legend."""

_HIGHEST_ZOOM = 14
# Far above any city: GDAL drops features or detail of larger tiles, and nothing may be dropped.
_NO_LIMIT = 1_000_000_000


def fit_zooms(geometries: ArrayLike, *, detail_m: float = 2.0) -> tuple[int, int]:
    """
    Zooms worth cutting: from the whole city on a phone's screen down to the wanted detail.

    Parameters
    ----------
    geometries
        Polygons in degrees, WGS 84 (EPSG:4326), not all empty.
    detail_m
        Largest unit of the rounding at the highest zoom, in metres; the map enlarges those tiles
        for closer views.

    Returns
    -------
    min_zoom, max_zoom
        Web Mercator zooms of 512-pixel tiles, 0 to 14.

    Raises
    ------
    ValueError
        All geometries are empty.
    """
    array = np.asarray(geometries, dtype=object)
    west, south, east, north = shapely.total_bounds(array[_drawn(array)])
    shrink = np.cos(np.radians((south + north) / 2))
    # Web Mercator stretches latitudes by the same factor that shrinks parallels.
    side_degrees = max(east - west, (north - south) / shrink, 1e-6)
    whole = int(np.floor(np.log2(_LOWEST_VIEW_TILES * 360 / side_degrees)))
    fine = int(np.ceil(np.log2(_EQUATOR_M * shrink / EXTENT / detail_m)))
    max_zoom = int(np.clip(fine, 0, _HIGHEST_ZOOM))
    return int(np.clip(whole, 0, max_zoom)), max_zoom


def cut_tiles(
    geometries: ArrayLike, *, path: Path, layer: str, min_zoom: int, max_zoom: int
) -> None:
    """
    Write the polygons as an MBTiles file of gzipped vector tiles (MVT 2).

    The same input gives the same file, byte for byte. The file appears whole or not at all.

    Parameters
    ----------
    geometries
        Valid polygons in degrees, WGS 84 (EPSG:4326); the position of each becomes its `i`.
        None and empty ones are in no tile.
    path
        File to write; an existing one is replaced.
    layer
        Name of the only layer, such as ``areas`` or ``cells``.
    min_zoom, max_zoom
        Web Mercator zooms, both included.

    Raises
    ------
    ValueError
        The zooms are out of order, or all geometries are empty.
    """
    if not 0 <= min_zoom <= max_zoom <= 22:
        raise ValueError(f"zooms {min_zoom} to {max_zoom} must rise within 0 to 22")
    array = np.asarray(geometries, dtype=object)
    drawn = _drawn(array)
    polygons = gpd.GeoDataFrame(
        {"i": drawn.astype(np.int32)}, geometry=array[drawn], crs="EPSG:4326"
    )
    options = {
        "FORMAT": "MBTILES",
        "NAME": layer,
        "MINZOOM": min_zoom,
        "MAXZOOM": max_zoom,
        "EXTENT": EXTENT,
        "BUFFER": BUFFER,
        "SIMPLIFICATION": 0,
        "SIMPLIFICATION_MAX_ZOOM": 0,
        "MAX_SIZE": _NO_LIMIT,
        "MAX_FEATURES": _NO_LIMIT,
        "COMPRESS": "YES",
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    # GDAL names its scratch file after the output: a folder of its own keeps both apart.
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".tiles-") as scratch:
        unfinished = Path(scratch) / f"{layer}.mbtiles"
        pyogrio.write_dataframe(
            polygons, unfinished, layer=layer, driver="MVT", dataset_options=options
        )
        unfinished.replace(path)


def read_tile(path: Path, z: int, x: int, y: int) -> bytes | None:
    """
    Read one tile.

    Parameters
    ----------
    path
        File written by `cut_tiles`; it must not change while it is read.
    z, x, y
        Web Mercator tile, `y` counted from the north as browsers do.

    Returns
    -------
    tile
        Gzipped MVT, None where the tile is empty or outside the cut zooms.

    Raises
    ------
    FileNotFoundError
        There is no such file.
    """
    if not path.is_file():
        raise FileNotFoundError(f"tiles: {path.name} does not exist; publish a snapshot first")
    if not (0 <= z <= 22 and 0 <= x < 1 << z and 0 <= y < 1 << z):
        return None
    row_from_south = (1 << z) - 1 - y
    address = f"{path.resolve().as_uri()}?mode=ro&immutable=1"
    query = "SELECT tile_data FROM tiles WHERE zoom_level=? AND tile_column=? AND tile_row=?"
    with closing(sqlite3.connect(address, uri=True)) as connection:
        row = connection.execute(query, (z, x, row_from_south)).fetchone()
    return None if row is None else bytes(row[0])


def _drawn(array: NDArray[np.object_]) -> NDArray[np.int64]:
    # Positions of the polygons that have anything to draw.
    drawn = np.flatnonzero(~shapely.is_missing(array) & ~shapely.is_empty(array))
    if not drawn.size:
        raise ValueError("tiles: every geometry is empty; there is nothing to cut")
    return drawn

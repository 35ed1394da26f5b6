"""Shapes of a level, from the tiles that the snapshot names, read once for many images."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from geo.tile_shapes import Bounds, fit_zoom, read_shapes

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from data.store import Snapshot

UNITS: Final = 3_000
"""Tile units that the wider side of a map has at least: more than its pixels on paper."""

WHOLE: Final = 2
"""Zooms over the lowest at which a level is still read as a whole."""


def level_shapes(snapshot: Snapshot, level: str, bounds: Bounds) -> NDArray[Any]:
    """
    Polygon of each area of a level by `area_index`, as fine as a map of the bounds needs.

    Shapes may be seen by every scope that knows the level (`dashboard.map.tiles`); the caller
    draws only what its scope may see of them.

    Returns
    -------
    polygons
        Shape (n areas,), Web Mercator metres; None where nobody drew the area, or where it lies
        beyond the bounds (degrees).
    """
    entry = next(each for each in snapshot.manifest.levels if each["level"] == level)
    path = snapshot.tile_file(level, snapshot.manifest.boundary_version)
    lowest, highest = int(entry["min_zoom"]), int(entry["max_zoom"])
    zoom = min(max(fit_zoom(bounds, units=UNITS), lowest), highest)
    near = bounds if zoom > lowest + WHOLE else None
    index, polygons = _read(path, zoom, near)
    found = np.full(int((snapshot.areas["level"] == level).sum()), None, dtype=object)
    found[index] = polygons
    return found


@functools.lru_cache(maxsize=12)
def _read(path: Path, zoom: int, bounds: Bounds | None) -> tuple[NDArray[Any], NDArray[Any]]:
    """Shapes hold for every scope: no figure is in them, and the files never change."""
    return read_shapes(path, zoom=zoom, bounds=bounds)

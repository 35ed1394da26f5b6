"""Outlines of the areas that a report's maps colour, frozen with the issue."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec
import numpy as np
import shapely

from dashboard.areas import hierarchy
from dashboard.images.shapes import level_shapes
from geo.tile_shapes import mercator_bounds

if TYPE_CHECKING:
    import datetime as dt

    from data.access import Scope
    from data.store import Snapshot

UNITS: Final = 16_000
"""Units of the city's wider side: finer than paper shows of a township."""

LEVELS: Final = ("county", "township", "community")

Ring = list[int]
"""x, y, x, y, ... in units, y downwards."""


class Outlines(msgspec.Struct, frozen=True, kw_only=True):
    """
    Outlines by level and code: rings to be filled by the even-odd rule.

    Attributes
    ----------
    metres
        Of one unit, in Web Mercator.
    """

    metres: float
    levels: dict[str, dict[str, list[Ring]]]


def outlines(scope: Scope, snapshot: Snapshot, day: dt.date) -> Outlines:
    """Outlines of every area that is valid on a day and that somebody drew."""
    tree = hierarchy(scope, snapshot)
    top = tree.levels[0].bounds[0]
    if not np.isfinite(top).all():
        return Outlines(metres=1.0, levels={})
    degrees = (float(top[0]), float(top[1]), float(top[2]), float(top[3]))
    west, south, east, north = mercator_bounds(degrees)
    metres = max(east - west, north - south) / UNITS
    found: dict[str, dict[str, list[Ring]]] = {}
    for level in (name for name in tree.order if name in LEVELS):
        areas = tree.at(level)
        shapes = level_shapes(snapshot, level, degrees)
        drawn = np.flatnonzero(areas.valid_on(day) & ~shapely.is_missing(shapes))
        found[level] = {
            str(areas.codes[at]): _rings(shapes[at], west=west, north=north, metres=metres)
            for at in drawn.tolist()
        }
    return Outlines(metres=metres, levels=found)


def outlines_from(content: bytes) -> Outlines:
    """Read frozen outlines."""
    return msgspec.json.decode(content, type=Outlines)


def _rings(shape: Any, *, west: float, north: float, metres: float) -> list[Ring]:
    """Outer and inner rings of a polygon or of several, simplified to a unit."""
    rings: list[Ring] = []
    for part in shapely.get_parts(shapely.simplify(shape, metres)):
        for ring in shapely.get_rings(part):
            points = shapely.get_coordinates(ring)
            units = np.column_stack([points[:, 0] - west, north - points[:, 1]]) / metres
            rings.append(np.round(units).astype(int).ravel().tolist())
    return rings

"""Hot spots on the map: where more happened than expected, and where it clusters, as outlines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
import shapely

from dashboard import cells
from dashboard.map import mark_rows, marks
from dashboard.situation.shaping import outlines
from geo.cells import cell_polygons
from geo.tile_shapes import mercator

if TYPE_CHECKING:
    from typing import Any

    from numpy.typing import NDArray

    from dashboard.areas import Area
    from dashboard.situation.sheet import Sheet
    from data.access import Scope
    from data.store import Snapshot

LAYERS: Final = ("clusters", "more")
"""Layers that are drawn, bottom to top: they are never added up."""

MOST: Final = 40
"""Of one layer, the strongest."""

LEAST_EDGE: Final = 9.0
"""Least edge of a cell, units: the finest kept resolution that an eye can tell."""

EDGE_M: Final = 76.0
"""Mean edge of a cell of resolution 10; each coarser one is the root of 7 times it."""


class Spot(NamedTuple):
    """
    One hot spot.

    Attributes
    ----------
    layer
        `more` than expected, or `clusters`.
    recent, expected
        Incidents of the newest period; NaN where nothing is known to expect.
    group
        `new`, `running`, `rising`, `lasting`, `receding`, or `none`.
    """

    path: str
    layer: str
    recent: int
    expected: float
    group: str


def spots(scope: Scope, snapshot: Snapshot, focus: Area, sheet: Sheet) -> tuple[Spot, ...]:
    """
    Cells that a layer flags, or for a scope short of the whole city areas.

    Raises
    ------
    NotVisibleError
        The focus is unknown or outside the scope.
    """
    offered = marks.overlays_on_offer(scope, snapshot)
    return tuple(
        spot
        for layer in LAYERS
        if layer in offered
        for spot in _of_layer(scope, snapshot, focus, layer, sheet)
    )


def _of_layer(
    scope: Scope, snapshot: Snapshot, focus: Area, layer: str, sheet: Sheet
) -> list[Spot]:
    end = snapshot.manifest.last_period
    if cells.covers_city(scope):
        resolution = mark_rows.kept_resolution(scope, snapshot, end, _finest(snapshot, sheet))
        found = mark_rows.hot_cells(scope, snapshot, layer, focus, end, resolution)
        numbers = cells.register(scope, snapshot, resolution).numbers[found.index[:MOST]]
        shapes = _projected(cell_polygons(numbers)) if len(numbers) else []
    else:
        found = mark_rows.hot_areas(scope, snapshot, layer, focus, end)
        shapes = _areas(snapshot, found, sheet)
    rows = zip(shapes, found.recent.tolist(), found.expected.tolist(), found.group, strict=False)
    drawn = [
        Spot(sheet.path(shape), layer, recent, mean, str(group))
        for shape, recent, mean, group in rows
    ]
    return [one for one in drawn if one.path]


def _areas(snapshot: Snapshot, found: mark_rows.Hot, sheet: Sheet) -> list[Any]:
    if not found.level or not len(found.index):
        return []
    shapes = outlines(snapshot, found.level, sheet.degrees())
    return [shapes[index] or shapely.Polygon() for index in found.index[:MOST].tolist()]


def _finest(snapshot: Snapshot, sheet: Sheet) -> int:
    stored = sorted(int(one["resolution"]) for one in snapshot.manifest.cells)
    _, south, _, north = sheet.degrees()
    stretch = float(np.cos(np.radians((south + north) / 2)))
    least = LEAST_EDGE * sheet.metres * stretch
    fitting = [one for one in stored if EDGE_M * 7 ** ((10 - one) / 2) >= least]
    return fitting[-1] if fitting else stored[0]


def _projected(polygons: NDArray[Any]) -> list[Any]:
    points, at = shapely.get_coordinates(polygons, return_index=True)
    corners = np.column_stack(mercator(points[:, 0], points[:, 1]))
    return [shapely.Polygon(corners[at == one]) for one in range(len(polygons))]

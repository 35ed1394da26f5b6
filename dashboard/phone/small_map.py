"""
The small map: an area with what lies in it and round it, as inline SVG that needs no script.

Shapes are the same for every account; names, colours and cells are those of the scope alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import shapely

from dashboard.areas import Area, hierarchy
from dashboard.desk import index_list
from dashboard.images.shapes import level_shapes
from dashboard.phone.own import last_day, level_below
from data.access import covered, decide
from data.manifest import SnapshotError
from data.periods import Window
from geo import cells as hexagons
from geo.tile_shapes import mercator_bounds

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from data.access import Scope
    from data.store import Snapshot

WIDTH: Final = 1_440
"""Units of the drawing; four to a pixel of a common phone."""

HEIGHTS: Final = (880, 1_360)
ROUND: Final = 0.22
"""How far the map reaches beyond the area, in parts of its size."""

LEAST_M: Final = 400.0
"""Least width, Web Mercator metres."""

PERIODS: Final = 4
"""Periods whose incidents the cells count."""

LEAST_EDGE: Final = 30.0
"""Least edge of a cell in units: the finest resolution that a finger and an eye can tell."""

STEPS: Final = 4
"""Tints of cells: 1, 2, 3–4, and 5 or more incidents."""

MOST_NEIGHBOURS: Final = 160


@dataclass(frozen=True)
class Drawn:
    """One shape: outline as the `d` of a path, and what may be told of it."""

    path: str
    kind: str
    """`own`, `below`, `near` or `cell`."""
    step: int = 0
    """Colour 0 to 4 of an area below, tint 1 to 4 of a cell."""
    area: Area | None = None
    incidents: int = 0


@dataclass(frozen=True)
class SmallMap:
    """
    A drawing with what a script needs to turn a tap into degrees.

    Attributes
    ----------
    west, north
        Of the upper left corner, Web Mercator metres.
    metres
        Of one unit.
    periods
        Newest periods whose incidents the cells show.
    no_point
        Incidents of these that no cell shows.
    """

    height: int
    west: float
    north: float
    metres: float
    shapes: tuple[Drawn, ...]
    periods: int
    no_point: int
    in_cells: int


@dataclass(frozen=True)
class _Sheet:
    """Where Web Mercator lies on the drawing."""

    west: float
    north: float
    metres: float
    height: int

    def path(self, shape: Any) -> str:
        """Outline of polygons in whole units, each point by the way from the one before."""
        way = []
        for part in shapely.get_parts(shapely.simplify(shape, 2 * self.metres)):
            if part.geom_type != "Polygon":
                continue
            for ring in shapely.get_rings(part):
                way.append(self._ring(shapely.get_coordinates(ring)))
        return "".join(way)

    def box(self) -> Any:
        """The whole drawing."""
        east = self.west + WIDTH * self.metres
        return shapely.box(self.west, self.north - self.height * self.metres, east, self.north)

    def _ring(self, points: NDArray[np.float64]) -> str:
        units = np.column_stack([points[:, 0] - self.west, self.north - points[:, 1]])
        whole = np.round(units / self.metres).astype(int)
        steps = np.diff(whole, axis=0)
        steps = steps[(steps != 0).any(axis=1)]
        if len(steps) < 3:
            return ""
        return (
            f"M{whole[0, 0]} {whole[0, 1]}"
            + "".join(f"l{x} {y}" for x, y in steps[:-1].tolist())
            + "z"
        )


def small_map(scope: Scope, snapshot: Snapshot, area: Area) -> SmallMap | None:
    """
    Draw an area; None where nobody drew its boundary.

    Raises
    ------
    NotVisibleError
        The area is unknown or outside the scope.
    """
    tree = hierarchy(scope, snapshot)
    tree.check(area)
    own = _own_shape(snapshot, area, tree.at(area.level).bounds[area.index])
    if own is None:
        return None
    sheet = _sheet(own)
    level = level_below(scope, snapshot, area)
    periods = Window(snapshot.manifest.last_period, PERIODS, snapshot.manifest.grain)
    counts, no_point = ({}, 0) if level else _cells(scope, snapshot, area, periods, sheet)
    shapes = [
        *_near(scope, snapshot, level or area.level, own, sheet),
        *(_below(scope, snapshot, area, level, sheet) if level else ()),
        *_drawn_cells(counts, sheet),
        Drawn(sheet.path(own), "own", area=area),
    ]
    return SmallMap(
        height=sheet.height,
        west=sheet.west,
        north=sheet.north,
        metres=sheet.metres,
        shapes=tuple(one for one in shapes if one.path),
        periods=PERIODS,
        no_point=no_point,
        in_cells=sum(counts.values()),
    )


def contains(snapshot: Snapshot, area: Area, bounds: NDArray[np.float64], point: Any) -> bool:
    """Tell whether a point (Web Mercator) lies in an area, as finely as its tiles were cut."""
    shape = _own_shape(snapshot, area, bounds)
    return shape is not None and bool(shapely.covers(shape, point))


def _own_shape(snapshot: Snapshot, area: Area, bounds: NDArray[np.float64]) -> Any:
    """Shape of an area; None where nobody drew it."""
    if not np.isfinite(bounds).all():
        return None
    return _shapes(snapshot, area.level, bounds)[area.index]


def _shapes(snapshot: Snapshot, level: str, bounds: NDArray[np.float64]) -> NDArray[Any]:
    west, south, east, north = (float(one) for one in bounds)
    try:
        return level_shapes(snapshot, level, (west, south, east, north))
    except SnapshotError:
        return np.full(int((snapshot.areas["level"] == level).sum()), None, dtype=object)


def _sheet(own: Any) -> _Sheet:
    left, low, right, high = own.bounds
    width, height = max(right - left, LEAST_M), max(high - low, LEAST_M)
    wide, tall = width * (1 + 2 * ROUND), height * (1 + 2 * ROUND)
    metres = max(wide / WIDTH, tall / HEIGHTS[1])
    units = int(np.clip(round(tall / metres), *HEIGHTS))
    x, y = (left + right) / 2, (low + high) / 2
    return _Sheet(x - WIDTH * metres / 2, y + units * metres / 2, metres, units)


def _degrees(sheet: _Sheet) -> NDArray[np.float64]:
    """Bounds of the drawing in degrees."""
    left, low, right, high = sheet.box().bounds
    radius = 6_378_137.0
    lng = np.degrees(np.array([left, right]) / radius)
    lat = np.degrees(2 * np.arctan(np.exp(np.array([low, high]) / radius)) - np.pi / 2)
    return np.array([lng[0], lat[0], lng[1], lat[1]])


def _near(scope: Scope, snapshot: Snapshot, level: str, own: Any, sheet: _Sheet) -> list[Drawn]:
    """Outlines round the area, without names or figures."""
    areas = hierarchy(scope, snapshot).at(level)
    shapes = _shapes(snapshot, level, _degrees(sheet))
    rows = np.flatnonzero(areas.valid_on(last_day(snapshot)) & ~shapely.is_missing(shapes))
    box, inside = sheet.box(), own.buffer(-2 * sheet.metres)
    touching = rows[shapely.intersects(shapes[rows], box)]
    outside = touching[~shapely.intersects(shapely.point_on_surface(shapes[touching]), inside)]
    return [
        Drawn(sheet.path(shapely.intersection(shapes[row], box)), "near")
        for row in outside[:MOST_NEIGHBOURS].tolist()
    ]


def _below(scope: Scope, snapshot: Snapshot, area: Area, level: str, sheet: _Sheet) -> list[Drawn]:
    """Areas in the area, in the colours of the index."""
    tree = hierarchy(scope, snapshot)
    shapes = _shapes(snapshot, level, _degrees(sheet))
    here = tree.inside(level, area) & tree.at(level).valid_on(last_day(snapshot))
    rows = index_list.rows(scope, snapshot, area, level, snapshot.manifest.last_period)
    colours = {} if rows.empty else dict(zip(rows["area_index"], rows["colour"], strict=True))
    return [
        Drawn(sheet.path(shapes[index]), "below", int(colours.get(index, 0)), Area(level, index))
        for index in np.flatnonzero(here & ~shapely.is_missing(shapes)).tolist()
    ]


def _cells(
    scope: Scope, snapshot: Snapshot, area: Area, window: Window, sheet: _Sheet
) -> tuple[dict[int, int], int]:
    """Incidents of the area by cell, at the finest resolution that can be told; and the others."""
    finest = max((int(one["resolution"]) for one in snapshot.manifest.cells), default=0)
    table = f"area_cell_counts_{finest}"
    granted = covered(decide(scope, "cells").areas, snapshot.areas)
    inside = hierarchy(scope, snapshot).rows_inside(area)
    rows = inside[granted[inside]].tolist()
    if table not in snapshot.tables() or not rows:
        return {}, 0
    found = snapshot.arrays(
        f"SELECT ('0x' || c.cell)::BIGINT AS cell, sum(count)::BIGINT AS count FROM {table} "
        f"LEFT JOIN cells_{finest} AS c USING (cell_index) WHERE area_row IN (SELECT unnest(?)) "
        "AND period_start BETWEEN ? AND ? GROUP BY 1",
        [rows, window.start, window.end],
    )
    is_known = ~np.ma.getmaskarray(np.ma.asarray(found["cell"]))
    numbers = np.ma.filled(found["cell"], 0)[is_known].astype(np.int64)
    resolution = _resolution(snapshot, sheet)
    if resolution < finest and len(numbers):
        numbers = hexagons.parent_numbers(numbers, resolution=resolution)
    counts: dict[int, int] = {}
    for number, count in zip(numbers.tolist(), found["count"][is_known].tolist(), strict=True):
        counts[number] = counts.get(number, 0) + int(count)
    return counts, int(found["count"][~is_known].sum())


def _resolution(snapshot: Snapshot, sheet: _Sheet) -> int:
    """The finest stored resolution whose cells are large enough on the drawing."""
    stored = sorted(int(one["resolution"]) for one in snapshot.manifest.cells)
    latitude = np.radians(_degrees(sheet)[[1, 3]].mean())
    for resolution in stored[::-1]:
        # Edge of resolution 10 is 76 m on average; each coarser one is the root of 7 times it.
        edge = 76.0 * 7 ** ((10 - resolution) / 2) / float(np.cos(latitude))
        if edge / sheet.metres >= LEAST_EDGE:
            return resolution
    return stored[0]


def _drawn_cells(counts: dict[int, int], sheet: _Sheet) -> list[Drawn]:
    if not counts:
        return []
    texts = hexagons.cell_texts(np.array(list(counts), dtype=np.int64))
    drawn = []
    for polygon, count in zip(hexagons.cell_polygons(texts), counts.values(), strict=True):
        corners = np.array(
            [
                mercator_bounds((x, y, x, y))[:2]
                for x, y in shapely.get_coordinates(polygon).tolist()
            ]
        )
        step = 1 + int(np.searchsorted([2, 3, 5], count, side="right"))
        shape = shapely.Polygon(corners)
        drawn.append(Drawn(sheet.path(shape), "cell", min(step, STEPS), incidents=count))
    return drawn

"""From a view to what an image of it shows; whatever the scope may not see is left out here."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import shapely

from dashboard import cells, protected
from dashboard.areas import Area, hierarchy
from dashboard.images.picture import Fill, Label, Line, Mark, Side
from dashboard.images.shapes import level_shapes
from dashboard.map import layers, overlays
from dashboard.map import values as map_values
from dashboard.map import view as map_views
from dashboard.map.measures import measured
from geo.cells import cell_polygons
from geo.tile_shapes import mercator, mercator_bounds

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dashboard.map.measures import Measured
    from dashboard.text import Words
    from dashboard.view import View
    from data.access import Scope
    from data.store import Snapshot
    from geo.tile_shapes import Bounds

CITY_LINE: Final = ("var(--map-city-line)", 1.1)
INNER_LINE: Final = ("var(--map-line)", 0.5)
"""Colour and width in points of the focus's border, and of the levels between it and the shown."""

OUTER_LINE: Final = ("var(--map-outline)", 0.7)
"""Of the areas beside the focus, faintly."""

NAMED: Final = (200, 40)
"""Most areas of the shown level that are named; most of a higher one that are named instead."""

MARGIN: Final = 0.02
"""Of the wider side, round the focus."""


@dataclass(frozen=True)
class Shown:
    """One view and what its colours tell; `found` is None for cells and for the protected tier."""

    snapshot: Snapshot
    view: View
    resolution: int
    found: Measured | None


def shown(scope: Scope, snapshot: Snapshot, view: View, words: Words) -> Shown:
    """Measure what a view colours."""
    zoom = map_views.opening_zoom(scope, snapshot, view)
    resolution = map_views.pick_resolution(snapshot, zoom)
    if scope.is_protected or view.state.layer == "cells":
        return Shown(snapshot, view, resolution, None)
    found = measured(scope, snapshot, view, view.state.measure, words)
    return Shown(snapshot, view, resolution, found)


def side(scope: Scope, one: Shown, words: Words, *, title: str = "", plain: bool = False) -> Side:
    """
    One map of a view.

    Parameters
    ----------
    plain
        Without names and marks: for a map among many.
    """
    snapshot, view = one.snapshot, one.view
    degrees = _focus_bounds(scope, snapshot, view)
    land = level_shapes(snapshot, hierarchy(scope, snapshot).order[0], degrees)
    focus = level_shapes(snapshot, view.focus.level, degrees)[
        view.focus.index : view.focus.index + 1
    ]
    return Side(
        title=title,
        bounds=_widened(mercator_bounds(degrees)),
        land=land,
        outside=shapely.difference(land, focus[0]) if focus[0] is not None else land[:0],
        fills=_fills(scope, one, degrees),
        lines=_lines(scope, one, degrees, focus, thin=0.6 if plain else 1.0),
        marks=() if plain else _marks(scope, one, words),
        labels=() if plain else _labels(scope, one, words),
    )


def area_fill(scope: Scope, one: Shown, degrees: Bounds) -> Fill:
    """Areas of the shown level inside the focus and the scope, in the colours of the screen."""
    snapshot, view = one.snapshot, one.view
    if one.found is None:
        values = protected.area_values(scope, snapshot, view)
        colours: tuple[str, ...] = map_views.AREA_COLOURS
        small = int(values["small"])
    else:
        values = map_values.area_values(scope, snapshot, view, one.found)
        colours, small = one.found.colours, one.found.small
    bands, counts = map_values.read(values["bands"]), map_values.read(values["counts"])
    shapes = level_shapes(snapshot, view.level, degrees)
    drawn = np.flatnonzero((bands < map_values.OUTSIDE) & ~shapely.is_missing(shapes))
    bands, counts = bands[drawn], counts[drawn]
    return Fill(
        shapes=shapes[drawn],
        bands=bands,
        colours=colours,
        no_data=map_views.NO_DATA_COLOUR,
        hatched=(bands == 0) | (counts < small),
        opacity=view.state.opacity / 100 if view.state.layer == "areas" else 1.0,
    )


def _fills(scope: Scope, one: Shown, degrees: Bounds) -> tuple[Fill, ...]:
    view = one.view
    if view.state.layer == "cells":
        return (_cell_fill(scope, one, degrees, view.state.opacity / 100),)
    heat = layers.heat(scope, one.snapshot, view)
    over = [each for each in _present(scope, one) if each.name == heat]
    return (
        area_fill(scope, one, degrees),
        *(_cell_fill(scope, one, degrees, each.opacity / 100) for each in over),
    )


def _cell_fill(scope: Scope, one: Shown, degrees: Bounds, opacity: float) -> Fill:
    """Cells with any density band near the focus; those below the first edge are not drawn."""
    snapshot = one.snapshot
    edges = snapshot.manifest.city["cell_bands"]
    found = cells.cell_counts(scope, snapshot, one.resolution, one.view.selection)
    where = cells.register(scope, snapshot, one.resolution)
    bands = np.searchsorted(edges, found.density, side="right")
    west, south, east, north = _widened(degrees, by=1.0)  # a map may be wider than its focus
    near = (where.lng >= west) & (where.lng <= east) & (where.lat >= south) & (where.lat <= north)
    drawn = np.flatnonzero(near & (bands > 0))
    return Fill(
        shapes=_projected(cell_polygons(where.numbers[drawn])),
        bands=bands[drawn],
        colours=map_views.cell_colours(edges),
        no_data=None,
        hatched=np.zeros(len(drawn), dtype=bool),
        opacity=opacity,
    )


def _lines(
    scope: Scope, one: Shown, degrees: Bounds, focus: NDArray[Any], *, thin: float
) -> tuple[Line, ...]:
    """Boundaries of a level over the shown one, those that are switched on, the focus's own."""
    snapshot, view = one.snapshot, one.view
    tree = hierarchy(scope, snapshot)
    on = {
        each.name.removeprefix(overlays.LINES)
        for each in _present(scope, one)
        if each.name.startswith(overlays.LINES)
    }
    on |= {level for level in (_named_level(scope, one), _outlined_level(scope, one)) if level}
    if view.state.layer == "areas":
        on -= {view.level}  # its outlines are those of the fill
    day = view.selection.window.last_day
    beside = level_shapes(snapshot, view.focus.level, degrees)
    lines = [Line(beside[tree.at(view.focus.level).valid_on(day)], *OUTER_LINE)]
    for level in reversed([level for level in tree.order if level in on]):
        inside = tree.inside(level, view.focus) & tree.at(level).valid_on(day)
        lines.append(Line(level_shapes(snapshot, level, degrees)[inside], *INNER_LINE))
    lines.append(Line(focus, *CITY_LINE))
    return tuple(replace(line, width_pt=thin * line.width_pt) for line in lines)


def _outlined_level(scope: Scope, one: Shown) -> str:
    """The level under the focus, where the shown one lies deeper; "" otherwise."""
    below = hierarchy(scope, one.snapshot).below(one.view.focus.level)
    return below[0] if below and below[0] != one.view.level else ""


def _named_level(scope: Scope, one: Shown) -> str:
    """The shown level, or the lowest over it that has few enough areas to name them."""
    tree, view = hierarchy(scope, one.snapshot), one.view
    if int(tree.inside(view.level, view.focus).sum()) <= NAMED[0]:
        return view.level
    depth = tree.order.index(view.focus.level) + 1
    upper = tree.order[depth : tree.order.index(view.level)]
    few = [level for level in upper if int(tree.inside(level, view.focus).sum()) <= NAMED[1]]
    return few[-1] if few else ""


def _marks(scope: Scope, one: Shown, words: Words) -> tuple[Mark, ...]:
    """Icons of the overlays, bottom to top; in each the strongest last, so that none hides it."""
    found: list[Mark] = []
    drawn = layers.symbols(scope, one.snapshot, one.view, one.resolution, words)
    for spots in drawn.values():
        x, y = mercator(spots.lng, spots.lat)
        sizes = spots.sizes or (1.0,) * len(spots.icons)
        rows = zip(spots.icons, x.tolist(), y.tolist(), sizes, strict=True)
        own = [Mark(*row) for row in rows if np.isfinite(row[1])]
        found += own if spots.sizes else own[::-1]  # a large one would hide the small ones
    return tuple(found)


def _labels(scope: Scope, one: Shown, words: Words) -> tuple[Label, ...]:
    """Names: the picked area's first, then by colour, then by exposure."""
    snapshot, view = one.snapshot, one.view
    level = _named_level(scope, one)
    if not level or not layers.is_labelled(scope, snapshot, view):
        return ()
    areas = hierarchy(scope, snapshot).at(level)
    inside = hierarchy(scope, snapshot).inside(level, view.focus)
    inside &= areas.valid_on(view.selection.window.last_day) & np.isfinite(areas.lng)
    rows = np.flatnonzero(inside)
    is_shown = one.found is not None and level == view.level
    bands = one.found.bands[rows] if one.found and is_shown else np.zeros(len(rows))
    picked = rows == (view.selected.index if view.selected and is_shown else -1)
    order = np.lexsort((np.nan_to_num(-areas.exposure[rows]), -bands.astype(float), ~picked))
    rows = rows[order]
    x, y = mercator(areas.lng[rows], areas.lat[rows])
    west, _ = mercator(areas.bounds[rows, 0], areas.lat[rows])
    east, _ = mercator(areas.bounds[rows, 2], areas.lat[rows])
    names = areas.names(words.lang)[rows]
    values = zip(names.tolist(), x.tolist(), y.tolist(), (east - west).tolist(), strict=True)
    return tuple(Label(str(name), *where) for name, *where in values)


def _present(scope: Scope, one: Shown) -> tuple[overlays.Overlay, ...]:
    return layers.present(scope, one.snapshot, one.view)


def _focus_bounds(scope: Scope, snapshot: Snapshot, view: View) -> Bounds:
    """Bounds of the focus, or of the nearest area above it that somebody drew, in degrees."""
    tree = hierarchy(scope, snapshot)
    for area in (view.focus, *tree.line_up(view.focus)):
        if np.isfinite(row := tree.at(area.level).bounds[area.index]).all():
            west, south, east, north = (round(float(edge), 6) for edge in row)
            return west, south, east, north
    raise LookupError("nobody drew the area or any above it")


def _widened(bounds: Bounds, *, by: float = MARGIN) -> Bounds:
    west, south, east, north = bounds
    margin = by * max(east - west, north - south)
    return west - margin, south - margin, east + margin, north + margin


def _projected(polygons: NDArray[Any]) -> NDArray[Any]:
    return np.asarray(
        shapely.transform(polygons, lambda points: np.column_stack(mercator(*points.T))), object
    )


def focus_name(scope: Scope, snapshot: Snapshot, area: Area, words: Words) -> str:
    """Name of an area in the language of the view."""
    return str(hierarchy(scope, snapshot).at(area.level).names(words.lang)[area.index])

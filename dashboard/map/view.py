"""Where the map looks and what it draws: tile addresses, focus, palette, words."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

import numpy as np

from dashboard import cells
from dashboard.areas import Area, Bounds, Hierarchy, hierarchy

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dashboard.text import Words
    from dashboard.view import View
    from data.access import Scope
    from data.store import Snapshot

ZOOM_EDGES: Final = (8.5, 10.0, 11.3, 12.8)
"""Zooms from which the next finer resolution is drawn, the coarsest being `COARSEST`."""

COARSEST: Final = 6
MAP_WIDTH_PX: Final = 900
"""Width for which the zoom of a fitted focus is estimated before the map has reported one."""

AREA_COLOURS: Final = ("var(--blue)", "var(--yellow)", "var(--orange)", "var(--red)")
"""Bands 1 to 4; the style sheet holds their shades for the light and the dark theme."""

CELL_COLOURS: Final = tuple(f"var(--heat-{step})" for step in range(1, 8))
"""A scale of its own, so that no hexagon looks like a band of an area."""

NO_DATA_COLOUR: Final = "var(--no-data)"


def map_view(
    scope: Scope, snapshot: Snapshot, view: View, words: Words, resolution: int
) -> dict[str, Any]:
    """
    Build the object that the browser's `applyView` takes; no names and no figures in it.

    Parameters
    ----------
    resolution
        H3 resolution to draw while the layer is `cells`.
    """
    tree = hierarchy(scope, snapshot)
    manifest = snapshot.manifest
    version = manifest.boundary_version
    return {
        "boundary": version,
        "levels": [
            {"level": entry["level"]} | _tiles(version, entry["level"], entry)
            for entry in manifest.levels
        ],
        "cells": cell_sources(scope, snapshot),
        "level": view.level,
        "resolution": resolution,
        "focus": {
            "level": view.focus.level,
            "index": view.focus.index,
            "bounds": _drawn_bounds(tree, view.focus),
        },
        "city_bounds": _bounds(tree.levels[0].bounds[0]),
        "layer": view.state.layer,
        "selected": view.selected.index if view.selected else None,
        "camera": list(view.state.camera) if view.state.camera else None,
        "names": f"/names/{quote(version)}/{view.level}.json?lang={view.state.lang}",
        "palette": {
            "areas": list(AREA_COLOURS),
            "cells": list(cell_colours(manifest.city["cell_bands"])),
            "no_data": NO_DATA_COLOUR,
        },
        "zoom_edges": list(ZOOM_EDGES),
        "coarsest": COARSEST,
        "protected": scope.is_protected,
        "theme": view.state.theme,
        "scheme": view.state.palette,
        "lang": view.state.lang,
        "labels": labels(words, manifest.city["cell_bands"])
        | ({"no_data": words("withheld")} if scope.is_protected else {}),
    }


def cell_sources(scope: Scope, snapshot: Snapshot) -> dict[str, dict[str, Any]]:
    """Tile addresses of the cells by resolution; empty for a scope that may see none."""
    if not cells.has_cells(scope, snapshot):
        return {}
    version = cells.version(scope, snapshot)
    return {
        str(entry["resolution"]): _tiles(
            version,
            f"cells_{entry['resolution']}",
            entry | {"count": cells.count_of(scope, snapshot, entry["resolution"])},
        )
        for entry in snapshot.manifest.cells
    }


def cell_colours(edges: list[float]) -> tuple[str, ...]:
    """One colour per density band, spread over the palette."""
    if len(edges) == 1:
        return (CELL_COLOURS[-1],)
    last = len(CELL_COLOURS) - 1
    return tuple(CELL_COLOURS[round(i * last / (len(edges) - 1))] for i in range(len(edges)))


def pick_resolution(snapshot: Snapshot, zoom: float) -> int:
    """H3 resolution that fits a zoom, among those that the snapshot holds."""
    wanted = COARSEST + int(np.searchsorted(ZOOM_EDGES, zoom, side="right"))
    held = [int(entry["resolution"]) for entry in snapshot.manifest.cells] or [COARSEST]
    return min(held, key=lambda resolution: (abs(resolution - wanted), resolution))


def opening_zoom(scope: Scope, snapshot: Snapshot, view: View) -> float:
    """Zoom of the map before it has moved: the camera of the address, or the focus fitted."""
    if view.state.camera:
        return view.state.camera[2]
    return fitted_zoom(_drawn_bounds(hierarchy(scope, snapshot), view.focus))


def fitted_zoom(bounds: Bounds) -> float:
    """Web Mercator zoom (512-pixel tiles) at which the bounds' width fills the map."""
    width = max(bounds[2] - bounds[0], 1e-6)
    return math.log2(360 * MAP_WIDTH_PX / (512 * width))


def labels(words: Words, cell_bands: list[float]) -> dict[str, Any]:
    """Words that the map draws itself."""
    names = ("zoom_in", "zoom_out", "reset", "count", "no_data", "small_sample", "outside", "cell")
    return {name: words(f"map_{name}") for name in names} | {
        "bands": {
            "areas": [words(f"band_{band}") for band in range(1, 5)],
            "cells": cell_ranges(cell_bands),
        }
    }


def cell_ranges(edges: list[float]) -> list[str]:
    """Print each half-open density band."""
    closed = [f"{low:g} ≤ ρ < {high:g}" for low, high in pairwise(edges)]
    return [*closed, f"ρ ≥ {edges[-1]:g}"]


def area_names(scope: Scope, snapshot: Snapshot, level: str, lang: str) -> dict[str, Any]:
    """
    Names and label points of one level by `area_index`; null where the scope does not reach.

    Returns
    -------
    names
        `names`, `lng`, `lat` (degrees, WGS 84) and `parent` (index in the next higher level).
    """
    tree = hierarchy(scope, snapshot)
    areas = tree.at(level)
    seen = areas.visible.tolist()

    def kept(values: list[Any]) -> list[Any]:
        return [value if shown else None for value, shown in zip(values, seen, strict=True)]

    return {
        "names": kept(areas.names(lang).tolist()),
        "lng": kept(_degrees(areas.lng)),
        "lat": kept(_degrees(areas.lat)),
        "parent": kept(areas.parents.tolist()),
    }


def _tiles(version: str, name: str, entry: dict[str, Any]) -> dict[str, Any]:
    return {
        "tiles": f"/tiles/{quote(version)}/{name}/{{z}}/{{x}}/{{y}}.pbf",
        "minzoom": int(entry["min_zoom"]),
        "maxzoom": int(entry["max_zoom"]),
        "count": int(entry["count"]),
    }


def _degrees(values: NDArray[np.float64]) -> list[float | None]:
    """Five decimals; null for an area that nobody drew."""
    return [None if np.isnan(value) else value for value in values.round(5).tolist()]


def _drawn_bounds(tree: Hierarchy, area: Area) -> Bounds:
    """Bounds of an area, or of the nearest above it that somebody drew."""
    rows = [tree.at(above.level).bounds[above.index] for above in tree.path(area)]
    return _bounds(next(row for row in reversed(rows) if np.isfinite(row).all()))


def _bounds(row: Any) -> Bounds:
    west, south, east, north = (round(float(edge), 6) for edge in row)
    return west, south, east, north

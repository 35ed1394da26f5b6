"""
Time of maps drawn on the server: 8, 1,177 and 22,000 areas, a pair, a strip; each kind of file.

    python -m benchmarks.images --home HOME      # a built home of one's own
    python -m benchmarks.images                  # 22,000 made-up grids as well

The first image of a process also loads the library, fonts and shapes; it is told apart.
"""

import argparse
import statistics
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import shapely

from data.access import Grant, Scope
from data.store import Store
from geo.tile_shapes import mercator, read_shapes
from geo.tiles import cut_tiles

LEADER = Scope("benchmark", frozenset({Grant("leader")}))
VIEWS = {
    "counties": "",
    "townships, index, hot spots, signals": "?level=township&measure=index&overlays=much,clusters,more,signals",
    "communities": "?level=community",
    "grids": "?level=grid",
    "grids of a district": "?area=990102&level=grid",
    "cells": "?layer=cells",
    "townships beside those before": "?level=township&compare=before",
}
SIDE = 148
"""Squares along the side of the made-up city: 21,904 of them."""


def timed(draw, *, times):
    spent = []
    for _ in range(times):
        start = time.perf_counter()
        content = draw()
        spent.append(time.perf_counter() - start)
    return spent[0], statistics.median(spent[1:] or spent), len(content)


def of_a_home(home, times):
    start = time.perf_counter()
    from dashboard.images.map_image import draw
    from dashboard.images.strip import draw_strip

    print(f"loading the library {time.perf_counter() - start:.2f} s")
    snapshot = Store(home).current()
    for name, search in VIEWS.items():
        for kind in ("png", "svg", "pdf"):
            found = timed(lambda: draw(LEADER, snapshot, search, size="a4", kind=kind), times=times)  # noqa: B023
            tell(f"{name}, {kind}", found)
    tell("12 windows of townships, png", timed(
        lambda: draw_strip(LEADER, snapshot, "?level=township"), times=times,
    ))  # fmt: skip
    tell("12 windows of grids, png", timed(
        lambda: draw_strip(LEADER, snapshot, "?level=grid"), times=times,
    ))  # fmt: skip


def of_many_grids(times):
    """Shapes of 22,000 areas read from tiles and drawn; the bands are made up."""
    from dashboard.images.formats import SIZES
    from dashboard.images.page import compose
    from dashboard.images.picture import Fill, Legend, Picture, Row, Side
    from dashboard.map.view import AREA_COLOURS, NO_DATA_COLOUR

    step = 1.2 / SIDE
    across, up = (part.ravel() * step for part in np.meshgrid(np.arange(SIDE), np.arange(SIDE)))
    squares = shapely.box(120 + across, 30 + up, 120 + across + step, 30 + up + step)
    squares = shapely.segmentize(squares, step / 4)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "grid.mbtiles"
        cut_tiles(squares, path=path, layer="areas", min_zoom=8, max_zoom=9)
        reading = timed(read_shapes(path, zoom=9)[0].tobytes, times=times)
        tell(f"shapes of {len(squares):,} grids out of the tiles", reading)
        _, shapes = read_shapes(path, zoom=9)
    rng = np.random.default_rng(6)
    fill = Fill(
        shapes, rng.integers(0, 5, len(shapes)), AREA_COLOURS, NO_DATA_COLOUR,
        rng.random(len(shapes)) < 0.3,
    )  # fmt: skip
    west, south = (float(part) for part in mercator(120.0, 30.0))
    east, north = (float(part) for part in mercator(121.2, 31.2))
    side = Side("", (west, south, east, north), shapes[:0], shapes[:0], (fill,))
    legend = Legend("R", tuple(Row("fill", colour, "R") for colour in AREA_COLOURS))
    picture = Picture("22,000", "", (side,), (legend,), ("benchmark",))
    size = SIZES["a4"]
    for kind in ("png", "svg", "pdf"):
        draw = lambda: compose(picture, size=size, dpi=size.dpi).sheet.content(kind)  # noqa: B023, E731
        tell(f"{len(squares):,} grids, {kind}", timed(draw, times=times))
    small = replace(picture, sides=(side,) * 12)
    tell(f"12 × {len(squares):,} grids, png", timed(
        lambda: compose(small, size=size, dpi=size.dpi).sheet.content("png"), times=2,
    ))  # fmt: skip


def tell(name, found):
    first, median, size = found
    print(
        f"{name:<55} first {first:6.2f} s, then {median:6.2f} s, {size / 1e6:6.2f} MB", flush=True
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--home", type=Path)
    parser.add_argument("--times", type=int, default=3)
    asked = parser.parse_args()
    if asked.home:
        of_a_home(asked.home, asked.times)
    of_many_grids(asked.times)

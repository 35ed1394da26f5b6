"""
Measure the two map engines alone, beside each other: synthetic areas and cells, no server of ours.

Run from the root of the project: ``python -m benchmarks.map_engines``. 22,000 areas and 50,000 H3
cells of one made-up city are cut into vector tiles; each engine shows them in a headless Chromium
whose GL is software. Times run from the script's call to the painted frame; `pan` counts frames
while the pointer drags; `longest task` is what would keep a click waiting meanwhile.
"""

import argparse
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
import shapely

from benchmarks.browser import chromium
from benchmarks.report import Row, print_rows
from geo.cells import assign_cells, cell_polygons
from geo.tiles import cut_tiles
from tests.browser import map_harness as harness
from tests.browser.probes import KEEP_ENGINE, RENDERERS

WEST, SOUTH, EAST, NORTH = 113.6, 34.4, 114.4, 35.05
COLUMNS, ROWS = 150, 147
CELLS, RESOLUTION = 50_000, 9
FILES = {"cells": f"cells_{RESOLUTION}"}
ZOOMS = (7, 13)
PAN_SECONDS = 4
BUDGET_FPS = 50
BUDGET_RECOLOUR_MS = 800

PAINTED = """
async ([view, values]) => {
  const start = performance.now();
  const done = new Promise((resolve) => {
    const hear = (event) => {
      if (event.detail.version !== values.version) return;
      document.removeEventListener('pingan:painted', hear);
      resolve();
    };
    document.addEventListener('pingan:painted', hear);
  });
  dash_clientside.pingan.applyView(view);
  dash_clientside.pingan.applyValues(values);
  await done;
  return performance.now() - start;
}
"""
WATCH = """
window.frames_seen = []; window.long_tasks = [];
new PerformanceObserver((list) => list.getEntries().forEach((e) => long_tasks.push(e.duration)))
  .observe({ type: 'longtask' });
const tick = (at) => { frames_seen.push(at); requestAnimationFrame(tick); };
requestAnimationFrame(tick);
"""


def areas():
    """A coverage of crooked quadrangles: neighbours share their corners."""
    chance = np.random.default_rng(7)
    lng, lat = np.meshgrid(
        np.linspace(WEST, EAST, COLUMNS + 1), np.linspace(SOUTH, NORTH, ROWS + 1)
    )
    step = np.array([(EAST - WEST) / COLUMNS, (NORTH - SOUTH) / ROWS])
    corners = np.stack([lng, lat], axis=2) + chance.uniform(-0.3, 0.3, (*lng.shape, 2)) * step
    ring = [corners[:-1, :-1], corners[:-1, 1:], corners[1:, 1:], corners[1:, :-1]]
    return shapely.polygons(np.stack(ring, axis=2).reshape(-1, 4, 2))


def cells():
    lng, lat = np.meshgrid(np.linspace(WEST, EAST, 700), np.linspace(SOUTH, NORTH, 700))
    found = np.unique(assign_cells(lng.ravel(), lat.ravel(), resolution=RESOLUTION).astype(str))
    return cell_polygons(found[:CELLS])


def make_view(counts, layer):
    row = {"minzoom": ZOOMS[0], "maxzoom": ZOOMS[1]}
    return {
        "boundary": "b1",
        "levels": [
            row | {"level": name, "tiles": f"/tiles/b1/{name}/{{z}}/{{x}}/{{y}}.pbf", "count": n}
            for name, n in counts.items()
            if name != "cells"
        ],
        "cells": {
            str(RESOLUTION): row
            | {"tiles": "/tiles/b1/cells_9/{z}/{x}/{y}.pbf", "count": counts["cells"]}
        },
        "level": "grid",
        "focus": {"level": "city", "index": 0, "bounds": [WEST, SOUTH, EAST, NORTH]},
        "city_bounds": [WEST, SOUTH, EAST, NORTH],
        "layer": layer,
        "resolution": RESOLUTION,
        "selected": None,
        "camera": None,
        "names": None,
        "palette": {
            "areas": ["#7fb2e5", "#f2c230", "#f0883e", "#d23b3b"],
            "cells": ["#fee8c8", "#fdbb84", "#fc8d59", "#ef6548", "#d7301f", "#990000", "#660000"],
            "no_data": "#e3e6eb",
        },
        "theme": "light",
        "lang": "zh",
    }


def cut(folder):
    polygons = {
        "city": np.array([shapely.box(WEST, SOUTH, EAST, NORTH)]),
        "grid": areas(),
        "cells": cells(),
    }
    for name, found in polygons.items():
        cut_tiles(
            found,
            path=folder / f"{FILES.get(name, name)}.mbtiles",
            layer="cells" if name == "cells" else "areas",
            min_zoom=ZOOMS[0],
            max_zoom=ZOOMS[1],
        )
    return {name: len(found) for name, found in polygons.items()}


class Drawn:
    """One engine with one layer on a page of its own."""

    def __init__(self, browser, address, renderer, layer, counts):
        self.context = browser.new_context(
            viewport={"width": 1366, "height": 768}, reduced_motion="reduce"
        )
        self.page = self.context.new_page()
        self.page.add_init_script(KEEP_ENGINE + WATCH)
        self.page.goto(f"{address}?renderer={renderer}")
        self.n = counts["cells" if layer == "cells" else "grid"]
        self.key = f"cells:{RESOLUTION}" if layer == "cells" else "areas:grid"
        self.view = make_view(counts, layer)
        self.turn = 0

    def paint(self):
        """Give every area another colour; milliseconds until that is seen."""
        self.turn += 1
        bands = np.random.default_rng(self.turn).integers(1, 5, self.n).astype("u1")
        values = harness.make_values(self.key, bands, f"v{self.turn}")
        return self.page.evaluate(PAINTED, [self.view, values])

    def pan(self):
        """Frames a second of a drag, and its longest task in ms."""
        mouse = self.page.mouse
        mouse.move(683, 384)
        mouse.down()
        mouse.move(690, 390)
        self.page.evaluate("() => { frames_seen.length = 0; long_tasks.length = 0; }")
        start, step = time.monotonic(), 0
        while time.monotonic() - start < PAN_SECONDS:
            step += 1
            mouse.move(683 + 160 * np.sin(step / 9), 384 + 90 * np.cos(step / 7))
        seen = self.page.evaluate(
            "() => [(frames_seen.length - 1) * 1000 / (frames_seen.at(-1) - frames_seen[0]),"
            " Math.max(0, ...long_tasks)]"
        )
        mouse.up()
        return seen

    def settle(self):
        self.page.wait_for_function("() => probe.idle() && !probe.moving()")
        self.page.wait_for_timeout(300)


def measure(rounds):
    rows = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        counts = cut(folder)
        with harness.serve(folder) as address, chromium() as browser:
            for layer in ("areas", "cells"):
                found = {engine: [] for engine in RENDERERS}
                for _ in range(rounds):
                    for engine in RENDERERS:  # in turns: noise meets both
                        found[engine].append(one_round(browser, address, engine, layer, counts))
                rows += table(layer, counts, found)
    return rows


def one_round(browser, address, engine, layer, counts):
    drawn = Drawn(browser, address, engine, layer, counts)
    first = drawn.paint()
    drawn.settle()
    recolour = statistics.median(drawn.paint() for _ in range(3))
    drawn.settle()
    fps, longest = drawn.pan()
    drawn.context.close()
    return {"first": first, "recolour": recolour, "fps": fps, "longest": longest}


def table(layer, counts, found):
    what = f"{counts['cells' if layer == 'cells' else 'grid']:,} {layer}"
    rows = []
    for engine, rounds in found.items():
        of = {name: [each[name] for each in rounds] for name in rounds[0]}
        peer = {name: [each[name] for each in found["gl"]] for name in rounds[0]}
        if engine == "gl":
            peer = dict.fromkeys(peer)
        own = engine == "canvas"
        rows += [
            Row(f"{engine}: first paint, {what}", "ms", None, of["first"], peer["first"]),
            Row(f"{engine}: recolour, {what}", "ms", BUDGET_RECOLOUR_MS if own else None,
                of["recolour"], peer["recolour"]),
            Row(f"{engine}: pan, {what}", "frames/s", None, of["fps"], peer["fps"]),
            Row(f"{engine}: longest task in a pan, {what}", "ms", None, of["longest"],
                peer["longest"]),
        ]  # fmt: skip
    return rows


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--markdown", action="store_true", help="print rows of docs/budgets.md")
    asked = parser.parse_args()
    print_rows(measure(asked.rounds), markdown=asked.markdown)


if __name__ == "__main__":
    main()

"""
What the hex layer of a part of the city costs, and what a simpler rule would hide.

Run from the root of the project: ``python -m benchmarks.own_cells --home /path/of/PINGAN_HOME``.
The first table is the stored one beside all count tables. The second is the rule that is not used,
"show a cell if all of it belongs to the area": its loss, by level and resolution, with a cell taken
to belong to an area where all incidents of a year do. The third times the layer for scopes of one
area of each level, nothing cached; whole answers are values, legend and tile addresses.
"""

import argparse
import itertools
import os
import statistics
import time
from pathlib import Path

import numpy as np

from dashboard import answers, cells
from dashboard.areas import hierarchy
from dashboard.map.tiles import tile
from dashboard.queries import Selection
from data.access import Grant, Scope
from data.manifest import Manifest
from data.periods import Window
from data.store import Store

CITY = Scope("city", frozenset({Grant("leader")}))
COUNTER = itertools.count()
YEAR = 52
SHOWN = 7


def stored(snapshot):
    """Rows and bytes of the table, and of all count tables."""
    sums = {}
    for entry in snapshot.manifest.raw["files"]:
        if "_counts_" in entry["table"]:
            size = (snapshot.home / entry["path"]).stat().st_size
            for name in ("all counts", *[entry["table"]] * entry["table"].startswith("area_cell")):
                rows, total = sums.get(name, (0, 0))
                sums[name] = rows + entry["rows"], total + size
    return sums


def hidden(snapshot, level):
    """Share of the incidents of areas in cells that another area has a part in, by resolution."""
    tree, window = hierarchy(CITY, snapshot), Window(snapshot.manifest.last_period, YEAR, "week")
    finest = snapshot.manifest.cells[-1]["resolution"]
    found = snapshot.arrays(
        f"SELECT area_row, cell_index, sum(count)::BIGINT AS count FROM area_cell_counts_{finest} "
        "WHERE cell_index >= 0 AND period_start BETWEEN ? AND ? GROUP BY ALL",
        [window.start, window.end],
    )
    first, owner = 0, np.full(len(snapshot.areas) + 1, -1)
    for areas in tree.levels:
        if tree.order.index(areas.level) >= tree.order.index(level):
            owner[first : first + len(areas)] = tree.ancestors(areas.level, at=level)
        first += len(areas)
    owner = owner[found["area_row"]]
    register = cells.register(CITY, snapshot, finest).numbers
    for entry in snapshot.manifest.cells:
        numbers = cells.hexagons.parent_numbers(register, resolution=entry["resolution"])
        cell = np.unique(numbers, return_inverse=True)[1][found["cell_index"]]
        pairs = np.unique(np.column_stack([cell, owner]), axis=0)
        shared = np.bincount(pairs[:, 0]) > 1
        counted = owner >= 0
        lost = found["count"][counted & shared[cell]].sum() / found["count"][counted].sum()
        yield f"{100 * lost:.1f} %"


def fresh(snapshot):
    """Leave every cached result behind, but for the areas."""
    snapshot.manifest = Manifest(snapshot.manifest.raw | {"snapshot": f"round {next(COUNTER)}"})


def median_ms(function, prepare):
    times = []
    for _ in range(SHOWN):
        prepared = prepare()
        start = time.perf_counter()
        function(prepared)
        times.append((time.perf_counter() - start) * 1000)
    return statistics.median(times)


def timed(snapshot, scope):
    """Milliseconds: find the cells, count a month and a year, a whole answer, a tile."""
    resolution = snapshot.manifest.cells[-1]["resolution"]
    end, grain = snapshot.manifest.last_period, snapshot.manifest.grain

    def ready(*, known):
        fresh(snapshot)
        hierarchy(scope, snapshot)
        if known:
            cells.register(scope, snapshot, resolution)
            cells.has_cells(scope, snapshot)

    def count(periods):
        selection = Selection(Window(end, periods, grain), None, 0)
        return lambda _: cells.cell_counts(scope, snapshot, resolution, selection)

    def draw(_):
        answers.draw_map(scope, snapshot, search="?layer=cells", fragment="", resolution=resolution)

    found = cells.register(scope, snapshot, resolution)
    lng, lat = float(np.median(found.lng)), float(np.median(found.lat))
    down = 0.5 - np.arctanh(np.sin(np.radians(lat))) / (2 * np.pi)
    address = (12, int((lng / 360 + 0.5) * 2**12), int(down * 2**12))

    def one_tile(_):
        tile(scope, snapshot, cells.version(scope, snapshot), f"cells_{resolution}", address)

    return [
        len(found.numbers),
        median_ms(
            lambda _: cells.register(scope, snapshot, resolution), lambda: ready(known=False)
        ),
        median_ms(count(4), lambda: ready(known=True)),
        median_ms(count(YEAR), lambda: ready(known=True)),
        median_ms(draw, lambda: ready(known=False)),
        median_ms(one_tile, lambda: ready(known=True)),
    ]


def main():
    parser = argparse.ArgumentParser(description=__doc__.strip().splitlines()[0])
    parser.add_argument("--home", type=Path, default=os.environ.get("PINGAN_HOME"))
    home = parser.parse_args().home
    if home is None:
        raise SystemExit("name the folder of a built snapshot: --home or PINGAN_HOME")
    snapshot = Store(Path(home)).current()
    for name, (rows, size) in stored(snapshot).items():
        print(f"{name:<22}{rows:>14,} rows {size / 1e6:>8.1f} MB")
    levels = hierarchy(CITY, snapshot).order[1:]
    print("\nhidden by the rule of whole cells, resolutions", end=" ")
    print(*[entry["resolution"] for entry in snapshot.manifest.cells])
    for level in levels:
        print(f"{level:<12}", *(f"{share:>8}" for share in hidden(snapshot, level)))
    heads = ("cells", "find", "month", "year", "answer", "tile")
    print(f"\n{'ms':<12}" + "".join(f"{head:>10}" for head in heads))
    tree = hierarchy(CITY, snapshot)
    busiest = {
        level: str(tree.at(level).codes[int(np.argmax(np.nan_to_num(tree.at(level).exposure)))])
        for level in levels
    }
    scopes = {
        level: Scope(level, frozenset({Grant("township", level, code)}))
        for level, code in busiest.items()
    }
    for name, scope in ({"city": CITY} | scopes).items():
        count, *times = timed(snapshot, scope)
        print(f"{name:<12}{count:>10,}" + "".join(f"{each:>10.1f}" for each in times), flush=True)


if __name__ == "__main__":
    main()

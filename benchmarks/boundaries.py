"""
Time the boundaries of a built demo city: read, stored, loaded, checked, re-cut.

Run from the root of the project: ``python -m benchmarks.boundaries --home HOME``. One grid in ten is
cut into two unequal halves; the crosswalk is made by exact overlay and through the centres of
H3 cells, and the cells' weights are held against the overlay's, which is true where things
are spread evenly. Medians of five; the first three lines of one run.
"""

import argparse
import statistics
import tempfile
import time
from pathlib import Path

import h3.api.numpy_int as h3
import numpy as np
import shapely

from data.city import read_city
from etl import boundary_store
from etl.areas.load import check
from etl.boundaries import read_boundaries
from geo import allocation

DEMO = Path(__file__).resolve().parents[1] / "data" / "cities" / "demo"
LINE = "{:<46}{:>10}  {}"
WEEKS = 104


def timed(name, work, *, rounds=5, told=lambda _: ""):
    seconds, result = [], None
    for _ in range(rounds):
        start = time.perf_counter()
        result = work()
        seconds.append(time.perf_counter() - start)
    print(LINE.format(name, f"{statistics.median(seconds):.3f} s", told(result)), flush=True)
    return result


def recut(grids, rng):
    """One grid in ten, cut upright at 30 % of its width; the others as they are."""
    chosen = rng.random(len(grids)) < 0.1
    west, south, east, north = shapely.bounds(grids[chosen]).T
    middle = west + 0.3 * (east - west)
    halves = [
        shapely.intersection(grids[chosen], shapely.box(west, south, middle, north)),
        shapely.intersection(grids[chosen], shapely.box(middle, south, east, north)),
    ]
    return np.concatenate([grids[~chosen], *halves])


def cell_carriers(grids, resolution):
    centres = [
        h3.cell_to_latlng(cell) for shape in grids for cell in h3.geo_to_cells(shape, resolution)
    ]
    lat, lng = np.array(centres).T
    return allocation.Carriers(lng, lat, np.full(len(lng), allocation.CARRIER_SCALE))


def largest_error(crosswalk, exact):
    """Largest difference of a weight of a re-cut grid, and the mean of all of them."""
    both = exact.merge(crosswalk, on=["old_index", "new_index"], how="outer").fillna(0.0)
    split = both[both.groupby("old_index")["old_index"].transform("size") > 1]
    difference = (split["weight_x"] - split["weight_y"]).abs()
    return f"weights off by {difference.mean():.3f} in the mean, {difference.max():.2f} at most"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--home", type=Path, required=True, help="home of a demo city")
    home = parser.parse_args().home.resolve()
    city = read_city(DEMO, home=home)
    built = timed(
        "read, repair, check",
        lambda: read_boundaries(city),
        rounds=1,
        told=lambda found: f"{len(found.areas):,} areas",
    )
    timed("check report of all levels", lambda: check(DEMO, home=home), rounds=1)
    with tempfile.TemporaryDirectory() as folder:
        store = Path(folder)
        timed("store", lambda: boundary_store.save(built, store), rounds=1)
        timed("load", lambda: boundary_store.load(store, built.version))
        boundary_store.boundaries_of(city, store, program="1")
        timed("load by input files", lambda: boundary_store.boundaries_of(city, store, program="1"))
    rng = np.random.default_rng(1)
    now = built.level_areas("grid")["valid_to"].isna().to_numpy()
    old = built.geometries["grid"][now]
    new = recut(old, rng)
    exact = timed(
        "crosswalk by exact overlay",
        lambda: allocation.overlay(old, new),
        told=lambda found: f"{len(old):,} → {len(new):,} grids, {len(found):,} rows",
    )
    for resolution in (10, 11):
        found = timed(
            f"crosswalk through H3 r{resolution} cells",
            lambda resolution=resolution: allocation.overlay(
                old, new, carriers=cell_carriers(old, resolution)
            ),
            rounds=1,
        )
        print(LINE.format("", "", largest_error(found, exact)))
    counts = rng.poisson(1.3, (len(old), WEEKS))
    timed(
        f"move {WEEKS} weeks of whole counts",
        lambda: allocation.move_whole_counts(counts, exact, size=len(new)),
        told=lambda moved: f"{counts.sum():,} incidents, {moved.sum() - counts.sum():+,}",
    )


if __name__ == "__main__":
    main()

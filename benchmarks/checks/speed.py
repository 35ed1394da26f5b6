"""The whole analysis at full size: 22,000 grids, 104 weeks, 26 analysed; time, memory, one week more."""

import multiprocessing
import resource
import tempfile
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import shapely

from benchmarks.checks.check import Check, main
from data.city import Category
from etl.analyse.bed import Bed
from etl.analyse.methods import Methods
from etl.analyse.step import analysed, write_part
from etl.analyse.stored import Stored
from etl.demo import city_folder
from tests.etl.analyse.index_worlds import CODES, with_taxonomy
from tests.etl.analyse.worlds import world

ENDS = 26


def made(seed, grids=22_000):
    """A bed as the pipeline would read it, with everything that the methods ask of a city."""
    one = world(seed, grids=grids, size=5.0)
    bed = with_taxonomy(one.bed, seed, discovered=0.1)
    categories = tuple(Category(code, None, code, code) for code in CODES)
    city = SimpleNamespace(
        folder=city_folder(), time_zone="Asia/Shanghai", grain="week", categories=categories
    )
    areas = pd.DataFrame(
        {"level": [], "code": [], "area_index": [], "valid_from": [], "valid_to": []}
    )
    shapes = {
        bed.levels[0]: np.array([shapely.union_all(one.polygons)]),
        bed.levels[-1]: one.polygons,
    }
    return bed, city, SimpleNamespace(geometries=shapes, areas=areas, version="made-up")


def analyse(bed, city, boundaries, *, home, entries, count):
    """What a build does after reading, files included: their entries, and the seconds."""
    fresh = Bed(
        **{name: getattr(bed, name) for name in bed.__dataclass_fields__}
    )  # no memory of before
    began = time.perf_counter()
    methods = Methods(fresh, city, boundaries, home=home, stored=Stored(home, entries))
    prepared = time.perf_counter() - began
    ends = bed.starts[-count:].astype(object).tolist()
    found = [
        write_part(home, f"snapshots/{count}", name, month, rows)
        for month, name, rows in analysed(fresh, methods, ends)
    ]
    return found, prepared, time.perf_counter() - began


def peak_gb(who=resource.RUSAGE_SELF):
    return resource.getrusage(who).ru_maxrss / 1e6


def _whole(seed, told):
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        bed, city, boundaries = made(seed)
        before = peak_gb()
        entries, prepared, took = analyse(bed, city, boundaries, home=home, entries=[], count=ENDS)
        peak = peak_gb()
        _, prepared_again, increment = analyse(
            bed, city, boundaries, home=home, entries=entries, count=1
        )
        told.put(
            {
                "took": took, "prepared": prepared, "increment": increment,
                "prepared_again": prepared_again, "before": before, "peak": peak,
                "worker": peak_gb(resource.RUSAGE_CHILDREN), "events": len(bed.events),
                "rows": sum(entry["rows"] for entry in entries),
                "mb": sum((home / entry["path"]).stat().st_size for entry in entries) / 1e6,
            }
        )  # fmt: skip


def checks(seed):
    """Promises of the analysis step, in a process of its own."""
    told = multiprocessing.Queue()
    process = multiprocessing.Process(target=_whole, args=(seed, told))
    process.start()
    one = told.get()
    process.join()
    weeks = (one["took"] - one["increment"]) / (ENDS - 1)
    yield Check(
        "14",
        f"the whole analysis, {one['events']:,} incidents, 26 weeks, s",
        one["took"],
        "<= 20",
        one["took"] <= 20,
    )
    yield Check(
        "14",
        "one week more in a build of its own, s",
        one["increment"],
        "<= 2",
        one["increment"] <= 2,
    )
    yield Check("info", "one week more in the same build, s", weeks, "", passed=True)
    yield Check("14", "peak memory, GB", one["peak"], "<= 1.5", one["peak"] <= 1.5)
    yield Check(
        "info",
        "memory before; of the worker with what it shares, GB",
        f"{one['before']:.2f}; {one['worker']:.2f}",
        "",
        passed=True,
    )
    yield Check(
        "info",
        "of these, to prepare, s",
        f"{one['prepared']:.1f}, then {one['prepared_again']:.1f}",
        "",
        passed=True,
    )
    yield Check("info", "stored", f"{one['rows']:,} rows, {one['mb']:.0f} MB", "", passed=True)


if __name__ == "__main__":
    main(checks)

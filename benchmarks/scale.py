"""
Build cities of 1, 3, 10 and 30 million incidents: seconds a row, and the most memory held.

Run from the root of the project: ``python -m benchmarks.scale``. 22,000 grids, 104 weeks, five
ledgers (`benchmarks.large_city`). Each size is one ``pingan build`` in a fresh home: raw files →
published snapshot, process start included. Memory is that of the whole process tree. The files
and homes of a size are deleted before the next one; the largest needs about 15 GB of disk.
"""

import argparse
import json
import shutil
import tempfile
from pathlib import Path

from benchmarks import large_city, processes
from data.store import Store

SIZES = (1, 3, 10, 30)
FLATNESS, MOST_GB = 1.3, 3.0
HEAD = [
    "rows", "seconds", "µs a row", "of first", "CPU µs a row", "of first", "peak GB", "of it files",
    "largest GB", "home GB", "budget is",
]  # fmt: skip


STORED = [
    "rows", "landed B a row", "incidents B a row", "count rows", "a row", "cells", "snapshot GB"
]  # fmt: skip


def folder_gb(folder):
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e9


def stored(home):
    """What a home holds: bytes of landed rows and incidents, rows and bytes of the snapshot."""
    store = Store(home)
    files = store.manifest(store.current_id()).raw["files"]
    return {
        "landed_gb": folder_gb(home / "landed"),
        "incidents_gb": folder_gb(home / "incidents"),
        "snapshot_gb": sum((home / file["path"]).stat().st_size for file in files) / 1e9,
        "counts": sum(file["rows"] for file in files if "_counts_" in file["table"]),
        "cells": sum(file["rows"] for file in files if file["table"] == "cells_10"),
    }


def measure(rows, *, demo, scratch, options):
    """One build in a fresh home, in a process of its own."""
    with tempfile.TemporaryDirectory(dir=scratch, prefix=f"scale-{rows}-") as folder:
        city, _ = large_city.make_city(Path(folder), rows=rows, demo=demo)
        home = Path(folder) / "home"
        command, environment = large_city.pingan(["build", "--city", city, *options], home=home)
        done = processes.run(command, environment=environment)
        large_city.account(home)
        figures = vars(done) | {"rows": rows, "home_gb": folder_gb(home)} | stored(home)
        shutil.rmtree(home)
    del figures["output"]
    return figures


def cells_of(one, first):
    """A line of the table: time and memory of one size, beside the time a row of the first size."""
    per_row = {name: one[name] / one["rows"] for name in ("seconds", "cpu_s")}
    ratio = {name: per_row[name] / (first[name] / first["rows"]) for name in per_row}
    met = ratio["seconds"] <= FLATNESS and one["peak_mb"] / 1024 <= MOST_GB
    return [
        f"{one['rows']:,}",
        f"{one['seconds']:,.1f}",
        f"{per_row['seconds'] * 1e6:.2f}",
        f"{ratio['seconds']:.2f}",
        f"{per_row['cpu_s'] * 1e6:.2f}",
        f"{ratio['cpu_s']:.2f}",
        *(f"{one[name] / 1024:.2f}" for name in ("peak_mb", "files_mb", "largest_mb")),
        f"{one['home_gb']:.2f}",
        "met" if met else "missed",
    ]


def stored_cells(one):
    """A line of the second table: what is stored, most of it per row read."""
    per_row = (one[name] * 1e9 / one["rows"] for name in ("landed_gb", "incidents_gb"))
    return [
        f"{one['rows']:,}",
        *(f"{size:.0f}" for size in per_row),
        f"{one['counts']:,}",
        f"{one['counts'] / one['rows']:.2f}",
        f"{one['cells']:,}",
        f"{one['snapshot_gb']:.3f}",
    ]


def print_table(head, lines, *, markdown):
    if markdown:
        for line in [head, ["---:"] * len(head), *lines]:
            print("| " + " | ".join(line) + " |")
        return
    widths = [max(map(len, column)) for column in zip(head, *lines, strict=True)]
    for line in [head, *lines]:
        print("  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True)))


def main():
    parser = argparse.ArgumentParser(description=__doc__.strip().splitlines()[0])
    parser.add_argument("--millions", type=float, nargs="+", default=SIZES)
    parser.add_argument("--demo", type=Path, help="raw files of the large demonstration city")
    parser.add_argument("--scratch", type=Path, help="folder for files and homes")
    parser.add_argument("--workers", type=int, help="passed on to pingan build")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    parser.add_argument("--markdown", action="store_true")
    arguments = parser.parse_args()
    options = [] if arguments.workers is None else ["--workers", str(arguments.workers)]
    demo = large_city.demo_source(arguments.demo)
    found = []
    for millions in arguments.millions:
        rows = round(millions * 1e6)
        found.append(measure(rows, demo=demo, scratch=arguments.scratch, options=options))
        if arguments.json:
            arguments.json.write_text(json.dumps(found))
    lines = [cells_of(one, found[0]) for one in found]
    print_table(HEAD, lines, markdown=arguments.markdown)
    print()
    print_table(STORED, [stored_cells(one) for one in found], markdown=arguments.markdown)
    print(
        f"\nBudgets: time per row within {FLATNESS} × that of the first size, at most {MOST_GB:g} GB "
        "in all processes. In every size read = accepted + quarantined + duplicate + refused."
    )


if __name__ == "__main__":
    main()

"""
One day of the hotline reaches the published map: 2,800 rows into a city of 3 million incidents.

Run from the root of the project: ``python -m benchmarks.late_batch``. The clock runs from the moment
the file lies in its folder until the new snapshot is current: once in a process that has already
built (as a running service does it), once as a fresh ``pingan build``, process start included.
Medians of five, a batch of its own each time. Every batch must be counted whole.
"""

import argparse
import json
import tempfile
import time
from pathlib import Path

from benchmarks import large_city, processes
from benchmarks.report import Row, print_rows

BUDGET_S = 3.0
HEAD = ["what", "budget", "median", "least–most", "first build", "first ÷ late", "budget is"]


def warm_build(city, home):
    from etl import pipeline

    pipeline.build(city, home=home)


def fresh_build(city, home):
    command, environment = large_city.pingan(["build", "--city", city], home=home)
    processes.run(command, environment=environment)


def one_batch(build, city, home):
    """Seconds until a batch is published; the new snapshot must account for more rows."""
    before, start = large_city.account(home), time.perf_counter()
    build(city, home)
    seconds = time.perf_counter() - start
    if large_city.account(home)["read"] != before["read"] + large_city.LATE_ROWS:
        raise SystemExit(f"{city}: the batch has not reached the published snapshot")
    return seconds


def measure(folder, *, rows, rounds, demo):
    city, data = large_city.make_city(folder, rows=rows, demo=demo)
    home = folder / "home"
    start = time.perf_counter()
    fresh_build(city, home)
    first = time.perf_counter() - start
    seconds = {"warm": [], "fresh": []}
    number = 0
    # The first round warms the process and is not counted.
    for round_number in range(rounds + 1):
        for name, build in (("warm", warm_build), ("fresh", fresh_build)):
            number += 1
            large_city.late_batch(data, number=number, demo=demo)
            took = one_batch(build, city, home)
            if round_number:
                seconds[name].append(took)
    return first, seconds


def main():
    parser = argparse.ArgumentParser(description=__doc__.strip().splitlines()[0])
    parser.add_argument("--rows", type=int, default=3_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--demo", type=Path, help="raw files of the large demonstration city")
    parser.add_argument("--scratch", type=Path, help="folder for files and the home")
    parser.add_argument("--json", type=Path, help="write the rows to this file")
    parser.add_argument("--markdown", action="store_true")
    arguments = parser.parse_args()
    demo = large_city.demo_source(arguments.demo)
    with tempfile.TemporaryDirectory(dir=arguments.scratch, prefix="late-") as folder:
        first, seconds = measure(
            Path(folder), rows=arguments.rows, rounds=arguments.rounds, demo=demo
        )
    size = f"{large_city.LATE_ROWS:,} rows at {arguments.rows / 1e6:g} M"
    rows = [
        Row(f"{size}: file in its folder → published, running process", "s", BUDGET_S, seconds["warm"], [first]),
        Row(f"{size}: file in its folder → published, fresh `pingan build`", "s", BUDGET_S, seconds["fresh"], [first]),
    ]  # fmt: skip
    print_rows(rows, markdown=arguments.markdown, head=HEAD)
    if arguments.json:
        arguments.json.write_text(json.dumps([vars(row) for row in rows], ensure_ascii=False))


if __name__ == "__main__":
    main()

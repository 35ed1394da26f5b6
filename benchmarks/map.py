"""
Measure every promise of the map in a real browser: both engines, and three peers beside them.

Run from the root of the project: ``python -m benchmarks.map``. Without ``--home`` the large
demonstration city (22,000 grids, 3 million incidents) is made and kept in
``build/benchmark-large-home``. Each part prints a table: what, its limit, the median of the rounds,
the least and the most, whether the limit is met. Times run from the user's act (the release of the
button by the event's own time stamp, or the start of the navigation) to the frame that shows it.
Peers come with ``pip install -c constraints.txt -e '.[bench]'``; one that is missing is named, and
no figure is given for it.
"""

import argparse
import statistics
import sys
import time
from contextlib import ExitStack
from pathlib import Path

from benchmarks.browser import Watched, browsers
from benchmarks.map_bench import beside, budget, city, load, memory, peers, play
from benchmarks.map_bench.page import ENGINES, Ours
from benchmarks.report import Row, print_rows
from tests.browser import served_app

HEAD = ["what", "limit", "median", "least–most", "beside", "ratio", "limit is"]


IN_BROWSER = {
    "cold": ("cold page", budget.measure_cold),
    "drill": ("drill", budget.measure_drill),
    "recolour": ("recolour", budget.measure_recolour),
    "play": ("the film", play.measure),
    "peers": ("beside the peers", beside.measure),
    "memory": ("drills in one tab", memory.measure),
}
PARTS = (*IN_BROWSER, "queries", "viewers")


def run(title, measure, *, markdown):
    """Measure one part, print its table, and where its time went."""
    print(f"{title} …", file=sys.stderr, flush=True)
    start = time.monotonic()
    found = measure()
    rows, steps = found if isinstance(found, tuple) else (found, None)
    print(f"\n## {title} ({time.monotonic() - start:.0f} s)\n")
    print_rows(rows, markdown=markdown, head=HEAD)
    if steps:
        steps.show()
    sys.stdout.flush()
    return rows


def measure(asked):
    place = city.find(asked.home)
    parts = asked.only or PARTS
    print(place.about())
    for name, version in peers.installed().items():
        print(f"peer {name}: {version or 'not installed'}")
    rows = []
    show = {"markdown": asked.markdown}
    if set(parts) & set(IN_BROWSER):
        with ExitStack() as stack:
            address = stack.enter_context(served_app.serve(place.home, workers=2))
            opened = stack.enter_context(browsers())
            stage = city.Stage(place, opened, address, asked.rounds, asked.seed)
            warm_up(stage)
            for name in parts:
                if name in IN_BROWSER:
                    title, part = IN_BROWSER[name]
                    rows += run(title, lambda part=part: part(stage), **show)
        rows += run("the whole run", lambda: outside(parts), **show)
    if "queries" in parts:
        rows += run("queries", lambda: load.measure_queries(place), **show)
    if "viewers" in parts:
        rows += run("viewers", lambda: load.measure_viewers(place, asked.seed), **show)
    return rows


def warm_up(stage):
    """Let nobody measure a process that has never answered."""
    for engine in ENGINES:
        page = Ours(stage, engine)
        page.open()
        page.settle()
        page.close()


def outside(parts):
    """Requests of any page of this run to another host than this machine."""
    ours = [page for page in Watched.opened if isinstance(page, Ours)]
    theirs = [page for page in Watched.opened if not isinstance(page, Ours)]
    rows = [Row(f"requests to other hosts, {len(ours)} pages", "", 0, [asked_outside(ours)])]
    if "peers" in parts:
        rows.append(Row("requests to other hosts, peers' pages", "", None, [asked_outside(theirs)]))
    return rows


def asked_outside(pages):
    return sum(len(page.outside) for page in pages)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--home", type=Path, help="a built PINGAN_HOME; else the kept large city")
    parser.add_argument("--only", choices=PARTS, action="append", help="a part; may be repeated")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--markdown", action="store_true", help="print rows of docs/budgets.md")
    start = time.monotonic()
    rows = measure(parser.parse_args())
    judged = [row for row in rows if row.budget is not None]
    missed = [row.what for row in judged if row.verdict(statistics.median(row.ours)) == "missed"]
    met = len(judged) - len(missed)
    print(f"\n{met} of {len(judged)} limits are met, in {time.monotonic() - start:.0f} s")
    for what in missed:
        print(f"missed: {what}")


if __name__ == "__main__":
    main()

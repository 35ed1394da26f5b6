"""
Time the weekly report: making an issue with all its editions, the page beside the map's, the files.

Run from the root of the project: ``python -m benchmarks.weekly --home /path/of/PINGAN_HOME``. The
home is only read: the issue is made in a folder of its own, from a frozen copy of the published
snapshot. Both pages are opened in turn by browsers that know nothing yet.
"""

import argparse
import os
import statistics
import tempfile
import time
from pathlib import Path

from playwright.sync_api import sync_playwright

from benchmarks.browser import CHROMIUM, FLAGS, VIEWPORT
from benchmarks.opening import linked
from dashboard.reports import files, making
from data import issues, periods
from data.report_settings import read_report_settings
from data.store import Store
from etl.keeping.freeze import freeze
from tests.browser.served_app import serve

PAINTED = "() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime"


def elapsed(function, *values, **more):
    start = time.perf_counter()
    result = function(*values, **more)
    return time.perf_counter() - start, result


def make_issue(home):
    """Freeze the published snapshot and issue its newest week."""
    manifest = Store(home).manifest(Store(home).current_id())
    week = periods.label(manifest.last_period, grain=manifest.grain)
    freeze(home, None, week)
    wanted = making.Wanted(week=week, frozen=week, by="benchmark")
    settings = read_report_settings(None)
    return elapsed(making.make, home, wanted, settings, progress=lambda _done, _of: None)


def first_paint(browser, address):
    """First contentful paint of an address, ms, and bytes that came over the wire."""
    context = browser.new_context(viewport=VIEWPORT)
    page = context.new_page()
    page.goto(address, wait_until="load")
    page.wait_for_function(PAINTED)
    found = page.evaluate(PAINTED)
    size = page.evaluate(
        "() => performance.getEntries().reduce((sum, one) => sum + (one.transferSize || 0), 0)"
    )
    context.close()
    return found, size


def pages(home, rounds):
    """First paints of both pages, in turn."""
    found = {"weekly": [], "": []}
    sizes = {}
    with serve(home, PINGAN_AUTH="demo") as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        for path in found:
            first_paint(browser, address + path)  # the server loads what it needs
        for _ in range(rounds):
            for path, times in found.items():
                painted, sizes[path] = first_paint(browser, address + path)
                times.append(painted)
        browser.close()
    return found, sizes


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    print(f"load before: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    with tempfile.TemporaryDirectory(dir=asked.home.parent, prefix="weekly-") as folder:
        home = linked(asked.home, Path(folder))
        took, issue = make_issue(home)
        editions = sum(name.partition("-")[0] in making.gather.EDITIONS for name in issue.files)
        print(f"issue of {issue.week}: {editions} editions in {took:.1f} s")
        top = next(name for name in issue.files if name.startswith("city-"))
        level, _, code = top.removesuffix(".json").partition("-")
        for kind in files.KINDS:
            times = [
                elapsed(files.make_file, home, issue, level, code, kind, "zh", mark="benchmark")[0]
                for _ in range(asked.rounds)
            ]
            print(f"{kind}: {times[0]:.2f} s at first, then {statistics.median(times[1:]):.2f} s")
        found, sizes = pages(home, asked.rounds)
        weekly, map_page = (statistics.median(found[path]) for path in ("weekly", ""))
        print(f"first paint of /weekly {weekly:.0f} ms ({sizes['weekly']:,d} bytes)")
        print(f"first paint of / {map_page:.0f} ms ({sizes['']:,d} bytes)")
        print(f"ratio of the first paints {weekly / map_page:.2f}")
        assert issues.issues(home)[0] == issue


if __name__ == "__main__":
    main()

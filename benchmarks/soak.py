"""
A day of the wall in minutes: what /screen leaves behind in headless Chromium.

Run from the root of the project: ``python -m benchmarks.soak --home /path/of/PINGAN_HOME``. The clock
of the page is turned by hand: every beat, scene, poll and fetch of 24 hours happens, only without the
waiting; `--poll` is the pace of the polls on that clock. Meanwhile incidents arrive, warnings are
opened and snapshots are published in a copy of the home. ``--real-minutes N`` waits for real instead.

Each hour of the page: JS heap after a forced collection, DOM nodes and listeners of the process.
"""

import argparse
import datetime as dt
import random
import tempfile
import time
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
from playwright.sync_api import sync_playwright

from benchmarks.browser import CHROMIUM, FLAGS
from benchmarks.opening import linked, publish_late
from dashboard.areas import hierarchy
from data.access import Grant, Scope
from data.arrivals.kinds import Account, Arrival, Fed
from data.arrivals.store import ArrivalStore
from data.state.database import open_state
from data.store import Store
from data.warnings.settings import read_warning_settings
from data.warnings.store import Warnings
from data.warnings.tree import AreaTree
from tests.browser.served_app import serve

CITY = Path(__file__).parents[1] / "data" / "cities" / "demo"
HOUR_MS = 3_600_000
SETTLED_H = 2
"""First hours that the slope leaves out: caches fill."""

PUBLISHED = 4
RUNNING = "() => window.soakRunning"
COUNT = """
window.soakRunning = 0;
const asked = window.fetch;
window.fetch = (...what) => {
  window.soakRunning += 1;
  return asked(...what).finally(() => { window.soakRunning -= 1; });
};
"""


class City:
    """What happens in the city while the wall hangs there."""

    def __init__(self, home) -> None:
        self.home, self.database = home, open_state("", home)
        self.snapshot = Store(home).current()
        self.arrivals = ArrivalStore(self.database)
        zone = self.snapshot.manifest.city["time_zone"]
        self.warnings = Warnings(
            self.database,
            settings=read_warning_settings(None, time_zone=zone),
            tree=lambda: AreaTree(self.snapshot.areas),
        )
        self.batch = self.arrivals.begin(0).batch
        self.dice, self.incidents, self.opened = random.Random(1), 0, 0
        scope = Scope("soak", frozenset({Grant("leader")}))
        self.areas = hierarchy(scope, self.snapshot).levels[-1]
        self.classes = self.snapshot.categories["code"].tolist()

    def arrive(self, count):
        now, rows = dt.datetime.now(dt.UTC), []
        for row in range(count):
            at = self.dice.randrange(len(self.areas))
            self.incidents += 1
            rows.append(
                Arrival(
                    identity=self.incidents, content=self.incidents, rank=1, batch=self.batch + 1,
                    row=row, arrived_at=now, is_shown=True, occurred_at=now,
                    category=self.dice.choice(self.classes), severity=1 + self.incidents % 4,
                    level=self.areas.level, area_code=str(self.areas.codes[at]),
                    lng=float(self.areas.lng[at]), lat=float(self.areas.lat[at]),
                )
            )  # fmt: skip
        account = Account(batch=self.batch + 1, source="soak", read=count)
        self.arrivals.feed([Fed(account, tuple(rows))], after=self.batch, now=now)
        self.batch += 1

    def warn(self):
        self.opened += 1
        at = self.dice.randrange(len(self.areas))
        code = str(self.areas.codes[at])
        self.warnings.open(
            fingerprint=f"soak|{self.opened}", rule="index_red", level=self.areas.level, code=code,
            group="all", colour=3, evidence={"risk": 61.5}, snapshot=self.snapshot.id,
            now=dt.datetime.now(dt.UTC),
        )  # fmt: skip


class Wall:
    """One open wall, with everything that it asks for and complains of."""

    def __init__(self, browser, address) -> None:
        context = browser.new_context(viewport={"width": 1920, "height": 1080})
        context.add_cookies([{"name": "pingan_demo", "value": "leader", "url": address}])
        self.page, self.host = context.new_page(), urlsplit(address).netloc
        self.requests, self.outside, self.errors = 0, 0, []
        self.page.set_default_timeout(60_000)
        self.page.on("request", self._count)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on(
            "console", lambda one: self.errors.append(one.text) if one.type == "error" else None
        )
        self.session = context.new_cdp_session(self.page)
        self.session.send("Performance.enable")

    def _count(self, request):
        self.requests += 1
        self.outside += urlsplit(request.url).netloc != self.host

    def open(self, address, *, turned):
        if turned:
            self.page.clock.install()
        self.page.add_init_script(COUNT)
        self.page.goto(address)
        self.page.wait_for_selector(".stage.is-fitted")
        if turned:
            self.page.clock.pause_at(dt.datetime.now(dt.UTC) + dt.timedelta(seconds=10))

    def beat(self, milliseconds):
        """Turn the clock, and wait for the answers of what was asked."""
        self.page.clock.run_for(milliseconds)
        while self.page.evaluate(RUNNING):  # the page's own timers stand still
            pass

    def measured(self):
        self.session.send("HeapProfiler.collectGarbage")
        found = self.session.send("Performance.getMetrics")["metrics"]
        metrics = {one["name"]: one["value"] for one in found}
        nodes = self.page.evaluate("() => document.getElementsByTagName('*').length")
        return (
            metrics["JSHeapUsedSize"] / 1e6, metrics["Nodes"], metrics["JSEventListeners"], nodes
        )  # fmt: skip


def turned(wall, city, *, hours, poll_ms, seconds):
    """The hours of the page, as fast as they go; stops after so many real seconds."""
    began, found = time.monotonic(), [wall.measured()]
    step, steps = poll_ms, HOUR_MS // poll_ms
    for hour in range(hours):
        for at in range(steps):
            if at % 15 == 0:
                city.arrive(1 + city.dice.randrange(4))
            wall.beat(step)
        city.warn()
        if hour % max(1, hours // PUBLISHED) == 1:
            publish_late(city.home, hour)
        found.append(wall.measured())
        told(hour + 1, found[-1], wall)
        if time.monotonic() - began > seconds:
            print(f"stopped after {hour + 1} h of the page: {seconds} s are over")
            break
    return found


def waited(wall, city, *, minutes):
    """Real minutes; a measure each minute."""
    found = [wall.measured()]
    for minute in range(minutes):
        city.arrive(3)
        if minute % 10 == 5:
            city.warn()
        wall.page.wait_for_timeout(60_000)
        found.append(wall.measured())
        told(minute + 1, found[-1], wall)
    return found


def told(at, measured, wall):
    heap, nodes, listeners, elements = measured
    print(
        f"{at:4d}  heap {heap:6.2f} MB  nodes {nodes:6.0f}  listeners {listeners:4.0f}  "
        f"elements {elements:5d}  requests {wall.requests:6d}  errors {len(wall.errors)}",
        flush=True,
    )


def slope(values, *, left_out):
    """Growth per step by least squares, and from first to last in per cent."""
    kept = np.array(values[left_out:], dtype=float)
    if len(kept) < 3:
        return float("nan"), float("nan")
    grown = float(np.polyfit(np.arange(len(kept)), kept, 1)[0])
    return grown, 100 * (kept[-1] / kept[0] - 1)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--hours", type=int, default=24, help="of the page's clock")
    parser.add_argument("--poll", type=int, default=8, help="seconds between polls, on that clock")
    parser.add_argument("--most", type=int, default=600, help="real seconds at most")
    parser.add_argument("--real-minutes", type=int, default=0, help="wait for real instead")
    parser.add_argument("--preset", choices=["", "wide"], default="")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        home = linked(asked.home, Path(folder))
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        with serve(home, PINGAN_CITY=str(CITY), PINGAN_AUTH="demo") as address:
            city, wall = City(home), Wall(browser, address)
            every = 2000 if asked.real_minutes else 1000 * asked.poll
            wall.open(
                f"{address}screen?every={every}&preset={asked.preset}",
                turned=not asked.real_minutes,
            )
            began = time.monotonic()
            if asked.real_minutes:
                found = waited(wall, city, minutes=asked.real_minutes)
            else:
                found = turned(wall, city, hours=asked.hours, poll_ms=every, seconds=asked.most)
            report(found, wall, city, time.monotonic() - began)
        browser.close()


def report(found, wall, city, seconds):
    print(f"\n{len(found) - 1} steps in {seconds:,.0f} s; {city.incidents:,d} incidents arrived, "
          f"{city.opened} warnings were opened")  # fmt: skip
    names = ("JS heap, MB", "DOM nodes", "listeners", "elements")
    for name, values in zip(names, zip(*found, strict=True), strict=True):
        grown, share = slope(values, left_out=SETTLED_H)
        print(f"{name:12s} first {values[0]:8.2f}  last {values[-1]:8.2f}  most {max(values):8.2f}  "
              f"slope {grown:+.4f} a step  {share:+.1f} %")  # fmt: skip
    print(f"requests {wall.requests:,d}; to other hosts {wall.outside}; errors {len(wall.errors)}")
    for error in dict.fromkeys(wall.errors):
        print("  ", error)


if __name__ == "__main__":
    main()

"""
What a tab holds after a shift of drilling: process, script heap, nodes, listeners.

Each drill waits for its own state (the map is painted and still, every callback has answered), not
for a length of time. What is held is looked at on the same view each time, the whole city. A figure
is printed as soon as it is known.
"""

import sys
import time
from pathlib import Path

from benchmarks.map_bench.page import ENGINES
from benchmarks.map_bench.walk import Walk
from benchmarks.report import Row, shown

FIRST = 20
"""Drills after which every level has been seen."""
WARM = 70
"""Drills after which the stores of bounded size are full; what grows from there on is a leak."""
DRILLS = 270
"""Two hundred more."""
STEP = 50
"""Drills between two looks."""
LIMIT_PERCENT = 10
COLLECTIONS = 4
REST_SECONDS = 6
"""In which the browser gives back what the last drill needed."""
METRICS = {"script heap": "JSHeapUsedSize", "nodes": "Nodes", "listeners": "JSEventListeners"}
UNITS = {"tab memory": "MB", "script heap": "MB"}
LIMITED = ("tab memory", "script heap")

FORGET = """() => {
  ['acts', 'paints', 'calls', 'renders'].forEach((name) => { clock[name].length = 0; });
  performance.clearResourceTimings();
}"""
"""The clock's own records: they would be told as the page's."""

ARRIVED = """(key) => clock.paints.some((p) => p.key === key) && probe.idle() && !probe.moving()
  && document.getElementById('map').dataset.shown === key && clock.calls.length > 0
  && clock.calls.every((call) => call.end)"""


class Tab:
    """The renderer process of a page."""

    def __init__(self, page):
        self.page = page
        page.page.send("Performance.enable")
        page.page.send("HeapProfiler.enable")

    def renderers(self):
        told = self.page.browser.send("SystemInfo.getProcessInfo")["processInfo"]
        return {p["id"] for p in told if p["type"] == "renderer"}

    def held(self):
        """What the tab holds after the garbage is collected; megabytes and numbers."""
        time.sleep(REST_SECONDS)
        for _ in range(COLLECTIONS):
            self.page.page.send("HeapProfiler.collectGarbage")
        told = self.page.page.send("Performance.getMetrics")["metrics"]
        metrics = {entry["name"]: entry["value"] for entry in told}
        found = {what: metrics[name] for what, name in METRICS.items()}
        found["script heap"] /= 1e6
        return {"tab memory": max(own_mb(pid) for pid in self.renderers())} | found


def own_mb(pid):
    """Memory of a process that it shares with no file."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    wanted = ("RssAnon:", "RssShmem:")
    return sum(int(line.split()[1]) for line in lines if line.startswith(wanted)) / 1024


def measure(stage):
    """Rows of each engine: after the first drills, and after all of them."""
    try:
        from benchmarks.map_bench.bare import bare_page
    except ImportError:
        print("websocket-client is missing: pip install -e '.[bench]'", file=sys.stderr)
        return []
    rows = []
    for engine in ENGINES:
        with bare_page(stage.address, engine) as page:
            rows += table(engine, watched(stage, engine, page))
    return rows


def watched(stage, engine, page):
    """What is held after a number of drills."""
    tab, walk = Tab(page), Walk(stage.city.snapshot, stage.seed)
    start, held = time.monotonic(), {}
    for done in range(DRILLS + 1):
        if done:
            drill(page, walk)
        if done and not (done - FIRST) % STEP:
            to_the_top(page, walk)
            held[done] = tab.held()
            tell(engine, done, held[done], start)
    return held


def tell(engine, done, held, start):
    figures = ", ".join(f"{what} {shown(value)}" for what, value in held.items())
    seconds = time.monotonic() - start
    print(f"{engine}, {done} drills ({seconds:.0f} s): {figures}", file=sys.stderr, flush=True)


def drill(page, walk):
    """One step down; from the lowest level back to the top first."""
    if not walk.below:
        to_the_top(page, walk)
    x, y = walk.next_spot(page)
    go(page, f"areas:{walk.level}", page.press, x, y)


def to_the_top(page, walk):
    walk.top()
    go(page, f"areas:{walk.level}", page.press_on, ".breadcrumb a")


def go(page, key, do, *arguments):
    page.evaluate(FORGET)
    do(*arguments)
    page.wait(ARRIVED, key)


def table(engine, held):
    rows = []
    for what in held[WARM]:
        unit = UNITS.get(what, "")
        rows += [
            Row(f"{engine}: {what}, {done} drills", unit, None, [held[done][what]])
            for done in (FIRST, WARM, DRILLS)
        ]
        grown = 100 * (held[DRILLS][what] / held[WARM][what] - 1)
        title = f"{engine}: {what}, growth over {DRILLS - WARM} drills"
        rows.append(Row(title, "%", LIMIT_PERCENT if what in LIMITED else None, [grown]))
    return rows

"""What a tab holds after a shift of drilling: the renderer process and its script heap."""

from pathlib import Path

from benchmarks.map_bench.page import ENGINES, Ours
from benchmarks.map_bench.walk import Walk
from benchmarks.report import Row

DRILLS = 200
WARM = 10
"""Drills after which every level has been seen; what grows from there on is a leak."""
LIMIT_PERCENT = 10


class Tab:
    """The renderer process of a page."""

    def __init__(self, browser, page):
        self.browser = browser.new_browser_cdp_session()
        self.page = page
        self.session = page.context.new_cdp_session(page.page)
        self.session.send("Performance.enable")

    def renderers(self):
        told = self.browser.send("SystemInfo.getProcessInfo")["processInfo"]
        return {p["id"] for p in told if p["type"] == "renderer"}

    def held(self):
        """Megabytes of the process and of the script heap, after the garbage is collected."""
        self.page.settle(1.0)
        for _ in range(3):
            self.session.send("HeapProfiler.collectGarbage")
            self.page.page.wait_for_timeout(150)
        metrics = self.session.send("Performance.getMetrics")["metrics"]
        heap = next(m["value"] for m in metrics if m["name"] == "JSHeapUsedSize")
        return max(own_mb(pid) for pid in self.renderers()), heap / 1e6


def own_mb(pid):
    """Memory of a process that it shares with no file."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    wanted = ("RssAnon:", "RssShmem:")
    return sum(int(line.split()[1]) for line in lines if line.startswith(wanted)) / 1024


def measure(stage):
    """Rows of each engine: before, after a few drills, after all of them."""
    rows = []
    for engine in ENGINES:
        page = Ours(stage, engine)
        page.open()
        tab, walk = Tab(stage.browser, page), Walk(stage.city.snapshot, stage.seed)
        held = {0: tab.held()}
        for done in range(1, DRILLS + 1):
            drill(page, walk)
            if done in (WARM, DRILLS):
                held[done] = tab.held()
        page.close()
        rows += table(engine, held)
    return rows


def drill(page, walk):
    """One step down, as fast as the map is painted; from the lowest level first back to the top."""
    if not walk.below:
        walk.top()
        go(page, f"areas:{walk.level}", page.to_the_top)
    x, y = walk.next_spot(page)
    go(page, f"areas:{walk.level}", page.page.mouse.click, x, y)


def go(page, key, do, *arguments):
    page.evaluate("() => { clock.paints.length = 0; }")
    do(*arguments)
    page.page.wait_for_function(
        "(key) => clock.paints.some((p) => p.key === key) && probe.idle() && !probe.moving()",
        arg=key,
    )


def table(engine, held):
    rows = []
    for at, what in enumerate(("tab memory", "script heap")):
        values = {done: both[at] for done, both in held.items()}
        rows += [Row(f"{engine}: {what}, {n} drills", "MB", None, [v]) for n, v in values.items()]
        limit = LIMIT_PERCENT if what == "tab memory" else None
        for since in (0, WARM):
            if since in values and since < DRILLS:
                grown = 100 * (values[DRILLS] / values[since] - 1)
                title = f"{engine}: {what}, growth from drill {since} to {DRILLS}"
                rows.append(Row(title, "%", limit, [grown]))
    return rows

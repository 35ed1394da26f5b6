"""
Measure the map as its user meets it, beside a Plotly map of the same polygons and colours.

Run from the root of the project: ``python -m benchmarks.map_budgets --home HOME``. The built home
is served by gunicorn (2 workers of 4 threads) and used in a headless Chromium with real mouse
events; ours and the peer take turns. All times run from the user's act (release of the button, or
the navigation) to the painted frame. Budgets are those of a machine of 2 cores without a GPU.
"""

import argparse
import json
import random
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from benchmarks import plotly_peer
from benchmarks.browser import Watched, chromium, median
from benchmarks.report import Row, print_rows
from data.store import Store
from tests.browser import served_app

ROOT = Path(__file__).resolve().parents[1]
SHOWN = ("county", "township", "community", "grid")
SMALL = 1_200
"""Areas up to which the tighter budgets hold (about a thousand; the demo has 1,177 communities)."""

OURS = """
window.addEventListener('DOMContentLoaded', () => {
  const gl = PinganMap.engines.gl, create = gl.create;
  gl.create = (box, report) => {
    const engine = window.engine = create(box, report);
    const hook = () => { if (engine.map) watchMap(engine.map); else setTimeout(hook, 2); };
    hook();
    return engine;
  };
});
document.addEventListener('pingan:painted', (e) => clock.paints.push(
  { at: performance.now(), key: e.detail.key, version: e.detail.version }));
"""

PHASES = """(act) => {
  const calls = clock.calls.filter((c) => c.start > act);
  const sync = calls.find((c) => c.output.includes('url.search'));
  const draw = calls.find((c) => c.output.includes('map-values'));
  const applied = performance.getEntriesByName('pingan:applied').find((m) => m.startTime > act);
  const painted = clock.paints.find((p) => p.at > act);
  return [sync && sync.start, sync && sync.end, draw && draw.start, draw && draw.end,
          applied && applied.startTime, painted && painted.at].map((t) => t && t - act);
}"""
PHASE_NAMES = ("to 1st call", "state call", "to 2nd call", "map call", "apply", "tiles + draw")


class Ours(Watched):
    """The product's page."""

    def __init__(self, browser, address):
        super().__init__(browser, OURS)
        self.address = address
        self.phases = []

    def open(self, search=""):
        """Painted time since the navigation, ms."""
        self.page.goto(self.address + search, wait_until="commit")
        self.page.wait_for_function("() => clock.paints.length > 0")
        return self.evaluate("() => clock.paints[0].at")

    def act(self, do, *arguments, key=None):
        """Do something and give the ms from the button's release to the painted frame."""
        self.settle()
        acts = self.evaluate("() => clock.acts.length")
        do(*arguments)
        self.page.wait_for_function(
            "([n, key]) => clock.acts.length > n && clock.paints.some("
            "(p) => p.at > clock.acts[n] && (!key || p.key.startsWith(key)))",
            arg=[acts, key],
        )
        act, painted = self.evaluate(
            "([n, key]) => { const act = clock.acts[clock.acts.length - 1];"
            " const done = clock.paints.filter((p) => p.at > act && (!key || p.key.startsWith(key)));"
            " return [act, done[0].at]; }",
            [acts, key],
        )
        self.phases.append(self.evaluate(PHASES, act))
        return painted - act

    def with_lines(self):
        """The ms from the last act to the frame that has outlines and names too."""
        self.settle()
        return self.evaluate(
            "() => { const act = clock.acts[clock.acts.length - 1]; return wholeSince(act) - act; }"
        )

    def at(self, area):
        """Where an area's label point is on the screen; None where something covers the map."""
        return self.evaluate(
            "([lng, lat]) => { const p = engine.map.project([lng, lat]);"
            " const box = engine.map.getCanvas().getBoundingClientRect();"
            " const at = [box.x + p.x, box.y + p.y];"
            " return document.elementFromPoint(...at) === engine.map.getCanvas() ? at : null; }",
            [area.lng, area.lat],
        )

    def answer_bytes(self):
        """Bytes on the wire of the last answer that brought the map's values."""
        self.settle()
        return [r["bytes"] for r in self.loaded() if "map-values.data" in r["body"]][-1]


def measure_cold(browser, address, peers, rounds):
    """First paint of the whole city's counties, with an empty cache each time."""
    ours, until, total, peer, outside = [], [], [], [], []
    peer_bytes = []
    for _ in range(rounds):
        page = Ours(browser, address)
        painted = page.open()
        page.settle(1.5)
        requests = page.loaded()
        ours.append(painted)
        until.append(sum(r["bytes"] for r in requests if r["end"] <= painted) / 1000)
        total.append(sum(r["bytes"] for r in requests) / 1000)
        outside += page.outside
        page.close()
        page = open_peer(browser, peers["county"])
        peer.append(page.evaluate("() => wholeSince(0)"))
        page.settle(1.0)
        peer_bytes.append(sum(r["bytes"] for r in page.loaded()) / 1000)
        page.close()
    return [
        Row("cold page → painted map (counties)", "ms", 2000, ours, peer),
        Row("compressed, until painted", "kB", None, until),
        Row("compressed, in all", "kB", 900, total, peer_bytes),
        Row("requests to other hosts", "", 0, [len(outside)]),
    ]


def open_peer(browser, address):
    page = Watched(browser, plotly_peer.FIND_MAP)
    page.page.goto(address, wait_until="commit")
    page.page.wait_for_function("() => clock.renders.some((r) => r.loaded && r.done)")
    page.settle(1.0)
    return page


def measure_drill(browser, address, snapshot, rounds, seed):
    """Down from the city to a picked grid and back up, on areas never visited before."""
    chance = random.Random(seed)
    areas = snapshot.areas
    current = areas[areas["valid_to"].isna()]
    levels = [entry["level"] for entry in snapshot.manifest.levels]
    found, whole, phases = {}, {}, {}
    for _ in range(rounds):
        page = Ours(browser, address)
        page.open()
        parent = 0
        for depth, level in enumerate(levels[1:], start=1):
            page.settle()
            rows = current[(current["level"] == level) & (current["parent_index"] == parent)]
            order = chance.sample(range(len(rows)), len(rows))
            parent, spot = next(
                (int(rows.iloc[at]["area_index"]), where)
                for at in order
                if (where := page.at(rows.iloc[at]))
            )
            leaf = depth == len(levels) - 1
            name = f"{level} → " + ("picked" if leaf else levels[depth + 1])
            if leaf:
                took = pick(page, spot, parent)
            else:
                took = page.act(page.press, *spot, key=f"areas:{levels[depth + 1]}")
                phases.setdefault(name, []).append(page.phases[-1])
            found.setdefault(name, []).append(took)
            if not leaf:
                whole.setdefault(name, []).append(page.with_lines())
        name = f"back up to the {levels[0]} → {levels[1]}"
        link = page.page.locator(".breadcrumb a, .breadcrumb button").first
        took = page.act(page.press_on, link, key=f"areas:{levels[1]}")
        found.setdefault(name, []).append(took)
        phases.setdefault(name, []).append(page.phases[-1])
        check(page)
        page.close()
    rows = [Row(f"click {name}", "ms", 400, took) for name, took in found.items()]
    rows += [Row(f"click {name}, with lines and names", "ms", None, t) for name, t in whole.items()]
    return rows, phases


def pick(page, spot, index):
    """Click on a grid; its outline is the answer, no colour changes."""
    page.settle()
    page.press(*spot)
    page.page.wait_for_function("(i) => engine.view.selected === i", arg=index)
    return page.with_lines()


def check(page):
    if page.outside or page.complaints:
        raise SystemExit(f"outside: {page.outside[:5]}; errors: {page.complaints[:5]}")


def measure_recolour(browser, address, peer_address, *, level, count, rounds):
    """Change period, category and layer over all areas of one level; the peer changes its values."""
    page = Ours(browser, f"{address}?level={level}")
    page.open()
    peer = open_peer(browser, peer_address)
    periods, categories, cells, back, theirs, sizes = [], [], [], [], [], []
    map_alone, peer_alone = [], []
    for turn in range(rounds):
        weeks = (13, 26, 52, 1, 4)[turn % 5]
        button = page.page.locator(f"#periods label:has(input[value='{weeks}'])")
        periods.append(page.act(page.press_on, button))
        *_, answered, _, painted = page.phases[-1]
        map_alone.append(painted - answered)
        sizes.append(page.answer_bytes() / 1000)
        categories.append(page.act(choose_category, page, turn + 1))
        peer.settle()
        whole, alone = recolour_peer(peer)
        theirs.append(whole)
        peer_alone.append(alone)
        layers = page.page.locator("#layer label")
        cells.append(page.act(page.press_on, layers.nth(1), key="cells:"))
        back.append(page.act(page.press_on, layers.nth(0), key="areas:"))
    check(page)
    page.close()
    peer.close()
    limit = 250 if count <= SMALL else 800
    name = f"{count:,} {level}"
    rows = [
        Row(f"recolour {name}: period", "ms", limit, periods, theirs),
        Row(f"recolour {name}: category", "ms", limit, categories, theirs),
        Row(f"recolour {name}: from the answer on", "ms", None, map_alone, peer_alone),
        Row(f"recolour {name}: to the cells", "ms", None, cells),
        Row(f"recolour {name}: back from the cells", "ms", limit, back),
        Row(f"map answer, {name}", "kB", 20, sizes),
    ]
    return rows, {f"{name}: period": page.phases[0::4], f"{name}: layer back": page.phases[3::4]}


def choose_category(page, at):
    page.page.locator("#category").click()
    options = page.page.locator("[data-radix-popper-content-wrapper] [role=option]")
    options.nth(at).wait_for()
    page.press_on(options.nth(at))


def recolour_peer(page):
    acts, plots = page.evaluate("() => [clock.acts.length, clock.paints.length]")
    page.press_on(page.page.locator("#recolour"))
    page.page.wait_for_function(
        "([acts, plots]) => clock.acts.length > acts && clock.paints.length > plots",
        arg=[acts, plots],
    )
    page.settle(0.8)
    return page.evaluate(
        "(n) => { const act = clock.acts[n], done = wholeSince(act);"
        " return [done - act, done - clock.calls[clock.calls.length - 1].end]; }",
        acts,
    )


def measure(home, city, rounds, seed):
    snapshot = Store(home).current()
    counts = {entry["level"]: entry["count"] for entry in snapshot.manifest.levels}
    levels = [level for level in SHOWN if level in counts]
    rows, phases = [], {}
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        plotly_peer.prepare(home, city, folder, levels)
        address = stack.enter_context(served_app.serve(home, workers=2))
        browser = stack.enter_context(chromium())
        first = Ours(browser, address)
        first.open()  # nobody measures a process that has never answered
        size = first.evaluate("() => [map.clientWidth, map.clientHeight].join('x')")
        first.close()
        peers = {
            level: stack.enter_context(serve_peer(home, folder, level, size)) for level in levels
        }
        tell(f"cold pages, {rounds} rounds")
        rows += measure_cold(browser, address, peers, rounds)
        tell("drill down")
        drilled, phases = measure_drill(browser, address, snapshot, rounds, seed)
        rows += drilled
        for level in levels:
            tell(f"recolour {counts[level]:,} {level}")
            found, parts = measure_recolour(
                browser, address, peers[level], level=level, count=counts[level], rounds=rounds
            )
            rows += found
            phases |= parts
    return rows, phases


def tell(step):
    """Progress goes to the error stream, so that the tables can be piped."""
    print(step, file=sys.stderr, flush=True)


def serve_peer(home, folder, level, size):
    return served_app.serve(
        home,
        workers=1,
        application="benchmarks.plotly_peer:create_server()",
        PLOTLY_PEER_FOLDER=str(folder),
        PLOTLY_PEER_LEVEL=level,
        PLOTLY_PEER_SIZE=size,
    )


def print_phases(phases):
    """Where the time goes, medians of the steps in ms."""
    print(f"\n{'where the time goes, ms':<44}" + "".join(f"{name:>14}" for name in PHASE_NAMES))
    for name, rounds in phases.items():
        whole = [times for times in rounds if all(t is not None for t in times)]
        steps = [[b - a for a, b in zip([0, *times], times, strict=False)] for times in whole]
        medians = [median([step[at] for step in steps]) for at in range(len(PHASE_NAMES))]
        print(f"{name:<44}" + "".join(f"{value:>14.0f}" for value in medians))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--home", type=Path, required=True, help="a built PINGAN_HOME")
    parser.add_argument("--city", type=Path, default=ROOT / "data" / "cities" / "demo")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path, help="write every round to this file")
    parser.add_argument("--markdown", action="store_true", help="print rows of docs/budgets.md")
    arguments = parser.parse_args()
    rows, phases = measure(
        arguments.home.resolve(), arguments.city, arguments.rounds, arguments.seed
    )
    print_rows(rows, markdown=arguments.markdown)
    if not arguments.markdown:
        print_phases(phases)
    if arguments.json:
        stored = {"rows": [vars(row) for row in rows], "phases": phases}
        arguments.json.write_text(json.dumps(stored, ensure_ascii=False, indent=1))


if __name__ == "__main__":
    main()

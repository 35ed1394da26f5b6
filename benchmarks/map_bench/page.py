"""The product's page in one of its two engines, timed by its own clock."""

from benchmarks.browser import Watched
from tests.browser.probes import KEEP_ENGINE

ENGINES = {"gl": "emulated", "canvas": "none"}
"""
Each engine and the graphics it is measured with: those under which the page takes it by itself.

No machine of ours has a graphics card, so the GL engine gets one that the processor plays.
"""

PAINTS = """
document.addEventListener('pingan:painted', (e) => clock.paints.push(
  { at: performance.now(), key: e.detail.key, version: e.detail.version }));
"""
FIRST_SINCE = """([n, key]) => {
  const act = clock.acts[n];
  return act && clock.paints.find((p) => p.at > act && (!key || p.key.startsWith(key)));
}"""
STEPS = """(act) => {
  const call = clock.calls.find((c) => c.start > act && c.output.includes('map-view'));
  const applied = performance.getEntriesByName('pingan:applied').find((m) => m.startTime > act);
  const painted = clock.paints.find((p) => p.at > act);
  const wire = call && performance.getEntriesByType('resource').find((r) =>
    r.name.includes('_dash-update') && r.startTime >= call.start - 1);
  return [call && call.start, wire && wire.responseStart, applied && applied.startTime,
          painted && painted.at].map((t) => t && t - act);
}"""
STEP_NAMES = ("act → call", "→ first byte", "→ given to the engine", "→ painted")
MEASURE = {
    "count": ".measures a[href*='measure=count']",
    "rate": ".measures a:not([href*='measure='])",
}
"""How the link to a measure is told from the others; the default stands in no address."""

UNDER = """(spots) => {
  const map = document.querySelector('.map-canvas');
  const box = map.getBoundingClientRect();
  for (let i = 0; i < spots.length; i += 1) {
    const p = probe.project(...spots[i]);
    const x = box.x + p[0], y = box.y + p[1];
    if (x < box.x + 40 || y < box.y + 40 || x > box.right - 40 || y > box.bottom - 40) continue;
    if (map.contains(document.elementFromPoint(x, y))) return [i, x, y];
  }
  return null;
}"""


class Ours(Watched):
    """The product's page."""

    def __init__(self, stage, engine, graphics=None):
        browser = stage.browsers[graphics or ENGINES[engine]]
        super().__init__(browser, KEEP_ENGINE + PAINTS)
        self.address, self.engine = stage.address, engine
        self.steps = []

    def open(self, search=""):
        """Open a view; gives the ms from the navigation to the painted map."""
        start = f"{self.address}?renderer={self.engine}{search and '&'}{search.removeprefix('?')}"
        self.page.goto(start, wait_until="commit")
        self.page.wait_for_function("() => clock.paints.length > 0")
        return self.evaluate("() => clock.paints[0].at")

    def act(self, do, *arguments, key=None, quiet=0.4):
        """Do something; gives the ms from the button's release to the painted frame."""
        self.settle(quiet)
        before = self.evaluate("() => clock.acts.length")
        do(*arguments)
        after = self.evaluate("() => clock.acts.length") - 1
        painted = self.page.wait_for_function(
            FIRST_SINCE, arg=[max(before, after), key]
        ).json_value()
        act = self.evaluate("(n) => clock.acts[n]", max(before, after))
        self.steps.append(self.evaluate(STEPS, act))
        return painted["at"] - act

    def spot(self, areas):
        """Which of the areas can be clicked, and where; None if something covers all of them."""
        return self.evaluate(UNDER, areas[["lng", "lat"]].to_numpy().tolist())

    def choose_weeks(self, weeks):
        self.press_on(self.page.locator(f"#periods label:has(input[value='{weeks}'])"))

    def choose_category(self, number):
        self.page.locator("#category").click()
        options = self.page.locator("[data-radix-popper-content-wrapper] [role=option]")
        options.nth(number).wait_for()
        self.press_on(options.nth(number))

    def choose_measure(self, name):
        """What the colour of the areas tells."""
        self.press_on(self.page.locator(MEASURE[name]))

    def choose_layer(self, number):
        self.press_on(self.page.locator("#layer label").nth(number))

    def show_cells(self, resolution):
        """Draw the cells of one resolution whatever the zoom; gives the ms until painted."""
        self.settle()
        asked = self.evaluate(
            "(n) => { const at = performance.now();"
            " dash_clientside.set_props('map-resolution', { data: n }); return at; }",
            resolution,
        )
        key = f"cells:{resolution}"
        painted = self.page.wait_for_function(
            "([at, key]) => clock.paints.find((p) => p.at > at && p.key === key)", arg=[asked, key]
        ).json_value()
        return painted["at"] - asked

    def answer_kb(self):
        """Compressed size of the last answer that brought values to the map."""
        self.settle()
        calls = [r["bytes"] for r in self.loaded() if "map-values.data" in r["body"]]
        return calls[-1] / 1000

    def to_the_top(self):
        self.press_on(self.page.locator(".breadcrumb a, .breadcrumb button").first)

    def close(self):
        if self.complaints:
            raise SystemExit(f"the page complained: {self.complaints[:5]}")
        super().close()

"""The film of the last periods on the map: frames a second, its bytes, what it asks meanwhile."""

from benchmarks.map_bench.budget import SMALL
from benchmarks.map_bench.page import ENGINES, Ours
from benchmarks.report import Row

FASTEST = 2
"""Presses of the speed until eight frames a second are wanted."""
FRAMES_PER_SECOND = 4
"""The limit is for 5,000 areas; it is asked of every level here."""

PLAYED = """() => {
  const at = clock.paints.filter((p) => p.version.startsWith('frame ')).map((p) => p.at);
  return [at.length, (at.length - 1) * 1000 / (at[at.length - 1] - at[0])];
}"""
ENDED = "() => document.querySelector('.play-play:not(.is-playing)') !== null"


def measure(stage):
    """Rows for the middle level and the finest, over the whole city."""
    rows = []
    counts = stage.city.counts
    small = [name for name, count in counts.items() if count <= SMALL]
    for engine in ENGINES:
        for level in (*small[-1:], stage.city.finest):
            page = Ours(stage, engine)
            page.open(f"?level={level}")
            rows += table(f"{engine}: film of {counts[level]:,} {level}", page, stage.rounds)
            page.close()
    return rows


def table(title, page, rounds):
    """Load the film once, play it as often as there are rounds."""
    page.settle()
    page.page.locator(".play-open").click()
    page.page.wait_for_selector("#map[data-painted^='frame ']", state="attached")
    page.page.locator(".play-play").click()
    for _ in range(FASTEST):
        page.page.locator(".play-speed").click()
    page.settle()
    film = [r["bytes"] / 1000 for r in page.loaded() if "/frames" in r["url"]]
    asked, shown, speed = len(page.requests), [], []
    for _ in range(rounds):
        page.page.locator(".play-track input").press("Home")
        page.settle()
        page.evaluate("() => { clock.paints.length = 0; }")
        page.page.locator(".play-play").click()
        page.page.wait_for_function(ENDED)
        page.settle()
        painted, rate = page.evaluate(PLAYED)
        shown.append(painted)
        speed.append(rate)
    return [
        Row(f"{title}: painted", "frames/s", FRAMES_PER_SECOND, speed, at_least=True),
        Row(f"{title}: frames painted", "", None, shown),
        Row(f"{title}: the film, once", "kB", None, film),
        Row(f"{title}: requests while it plays", "", 0, [len(page.requests) - asked]),
    ]

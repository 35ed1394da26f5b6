"""The budgets that a user feels: the cold page, a drill, a change of colour; both engines."""

from benchmarks.browser import median
from benchmarks.map_bench.page import ENGINES, STEP_NAMES, Ours
from benchmarks.map_bench.walk import Walk
from benchmarks.report import Row

SMALL = 1_200
"""Areas up to which the tighter budgets hold: about a thousand (the demo has 1,177 communities)."""
WEEKS = (13, 26, 52, 1, 4)


class Steps:
    """Where the time of each act goes, by the page's own marks."""

    def __init__(self):
        self.by_name = {}

    def add(self, name, steps):
        self.by_name.setdefault(name, []).append(steps)

    def show(self):
        """Print the medians of the steps."""
        print(f"\n{'where the time goes, ms':<46}" + "".join(f"{s:>24}" for s in STEP_NAMES))
        for name, rounds in self.by_name.items():
            whole = [times for times in rounds if all(time is not None for time in times)]
            parts = [[b - a for a, b in zip([0, *t], t, strict=False)] for t in whole]
            medians = [median([part[at] for part in parts]) for at in range(len(STEP_NAMES))]
            print(f"{name:<46}" + "".join(f"{value:>24.0f}" for value in medians))


def measure_cold(stage):
    """First paint of the whole city's counties, with an empty cache each time."""
    rows = []
    for engine in ENGINES:
        painted, until, total = [], [], []
        for _ in range(stage.rounds):
            page = Ours(stage, engine)
            painted.append(page.open())
            page.settle(1.2)
            requests = page.loaded()
            until.append(sum(r["bytes"] for r in requests if r["end"] <= painted[-1]) / 1000)
            total.append(sum(r["bytes"] for r in requests) / 1000)
            page.close()
        rows += [
            Row(f"{engine}: cold page → painted map", "ms", 2000, painted),
            Row(f"{engine}: compressed, until painted", "kB", None, until),
            Row(f"{engine}: compressed, in all", "kB", 900, total),
        ]
    return rows


def measure_drill(stage):
    """Down from the city and back up; each round elsewhere, on tiles not fetched before."""
    rows, steps = [], Steps()
    counts = stage.city.counts
    for engine in ENGINES:
        found = {}
        walk = Walk(stage.city.snapshot, stage.seed)
        page = Ours(stage, engine)
        page.open()
        for _ in range(stage.rounds):
            walk.top()
            while walk.below:
                page.settle()
                above = walk.level
                took = page.act(page.press, *walk.next_spot(page), key=f"areas:{walk.level}")
                name = f"{above} → {walk.level}"
                found.setdefault((name, counts[walk.level]), []).append(took)
                steps.add(f"{engine}: {name}", page.steps[-1])
            name = f"back up → {walk.levels[1]}"
            took = page.act(page.to_the_top, key=f"areas:{walk.levels[1]}")
            found.setdefault((name, counts[walk.levels[1]]), []).append(took)
            steps.add(f"{engine}: {name}", page.steps[-1])
        page.close()
        rows += [
            Row(f"{engine}: click {name} ({count:,})", "ms", 400 if count <= SMALL else None, took)
            for (name, count), took in found.items()
        ]
    return rows, steps


def measure_recolour(stage):
    """Period, category and measure over every area of a level, and the other main layer."""
    rows, steps = [], Steps()
    counts = stage.city.counts
    small = [name for name, count in counts.items() if count <= SMALL]
    levels = [*small[-1:], stage.city.finest]
    for engine in ENGINES:
        for level in levels:
            found, sizes = {}, []
            page = Ours(stage, engine)
            page.open(f"?level={level}")
            for turn in range(stage.rounds):
                for name, do, argument in changes(page, turn):
                    key = "cells:" if name == "to the cells" else f"areas:{level}"
                    found.setdefault(name, []).append(page.act(do, argument, key=key))
                    steps.add(f"{engine}: {counts[level]:,} {level}, {name}", page.steps[-1])
                    if name == "period":
                        sizes.append(page.answer_kb())
            page.close()
            title = f"{engine}: recolour {counts[level]:,} {level}"
            rows += table(title, found, sizes, counts[level])
    return rows, steps


def changes(page, turn):
    """What a user changes in one round."""
    return [
        ("period", page.choose_weeks, WEEKS[turn % len(WEEKS)]),
        ("category", page.choose_category, turn + 1),
        ("measure", page.choose_measure, "count"),
        ("measure", page.choose_measure, "rate"),
        ("to the cells", page.choose_layer, 1),
        ("back from the cells", page.choose_layer, 0),
    ]


def table(title, found, sizes, count):
    limit = 250 if count <= SMALL else 800
    rows = [
        Row(f"{title}: {name}", "ms", None if name == "to the cells" else limit, took)
        for name, took in found.items()
    ]
    return [*rows, Row(f"{title}: answer", "kB", 20, sizes)]

"""
The risk index: its gate where nothing changes, and its glass box.

`python -m benchmarks.checks.index [--seed N]`
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.checks.check import Check, main
from data.index_trace import colour_of, points, recompute
from etl.analyse.index.gate import caps
from etl.analyse.index.peers import peers_of
from etl.analyse.index.stage import stage
from etl.analyse.negative_binomial import upper_tail
from tests.etl.analyse.index_worlds import SETTINGS, prepared, with_taxonomy
from tests.etl.analyse.worlds import world

if TYPE_CHECKING:
    from collections.abc import Iterator

AREAS = 40_000
ROWS = (
    ("grid, 1 a week, 1 week", 1, 1, 15),
    ("grid, 3 a week, 1 week", 3, 1, 15),
    ("grid, 3 a week, 4 weeks", 3, 4, 48),
    ("community, 6 a week, 4 weeks", 6, 4, 48),
    ("township, 40 a week, 1 week", 40, 1, 15),
    ("county, 300 a week, 1 week", 300, 1, 15),
)
"""Name, mean per week, weeks of the window and of the baseline: the table of the method."""

FALSE_RED = 0.01
PERIODS = 4


def checks(seed: int) -> Iterator[Check]:
    rng = np.random.default_rng(seed)
    for name, mean, window, baseline in ROWS:
        yield from gate_row(name, rng, mean=mean, window=window, baseline=baseline)
    for label, size in (("Poisson", None), ("negative binomial, size 5", 5.0)):
        yield from whole_index(seed, label, size)


def gate_row(name, rng, *, mean, window, baseline) -> Iterator[Check]:
    """One row of the table: true rates Gamma(shape 2), nothing changes; the own past alone."""
    rates = rng.gamma(2, mean / 2, AREAS)
    before = rng.poisson(rates * baseline).astype(float)
    units = np.full(AREAS, float(baseline))
    peers = peers_of(before, units, np.zeros(AREAS, dtype=np.int64), least=SETTINGS.peers_least)
    shape, total = peers.shape_and_units(before, units)
    expected = shape / total * window
    found = {}
    for what, factor in (("same", 1), ("doubled", 2)):
        n = rng.poisson(rates * window * factor).astype(float)
        with np.errstate(divide="ignore", invalid="ignore"):
            raw = 1 + sum(
                (n / (before / baseline * window) > edge).astype(int) for edge in (1.1, 1.3, 1.5)
            )
        colour = colour_of(points((n + 2) / (expected + 2), SETTINGS.curve), SETTINGS)
        gated = np.minimum(colour, caps(upper_tail(n, expected, shape), n, SETTINGS))
        found[what] = raw, gated
    (raw, gated), (raw_up, gated_up) = found["same"], found["doubled"]
    red, kept = float((gated == 4).mean()), float((gated_up == 4).mean())
    yield Check("index", f"false red, {name}: raw {np.mean(raw == 4):.1%} → gated", red,
                f"≤ {FALSE_RED}", red <= FALSE_RED)  # fmt: skip
    yield Check("info", f"not blue, {name}: raw {np.mean(raw > 1):.1%} → gated",
                float((gated > 1).mean()), "stated", True)  # fmt: skip
    yield Check("info", f"a doubling seen red, {name}: raw {np.mean(raw_up == 4):.0%} → gated",
                kept, f"orange or red {np.mean(gated_up >= 3):.0%}", True)  # fmt: skip


def whole_index(seed, label, size) -> Iterator[Check]:
    """All 28 indicators on a world with season and holidays in which nothing happens."""
    bed = with_taxonomy(world(seed, grids=4000, weeks=108, size=size).bed, seed, discovered=0.1)
    ready = prepared(bed)
    red, raw, areas = {}, {}, {}
    past, wrong, told = [], 0, 0
    start = time.perf_counter()
    last = len(bed.starts)
    for at in range(last - PERIODS, last):
        found = stage(ready, at=at, known_on=min(bed.as_of, bed.ends[at] + 28), past=past)
        past.append(found.colours)
        for level, rows in found.area_index.groupby("level", observed=True):
            red[level] = red.get(level, 0) + int((rows["gated_colour"] == 4).sum())
            raw[level] = raw.get(level, 0) + int((rows["raw_colour"] == 4).sum())
            areas[level] = areas.get(level, 0) + len(rows)
    seconds = (time.perf_counter() - start) / PERIODS
    for level, number in areas.items():
        share = red[level] / number
        # A level with few areas says little: its limit allows for chance.
        limit = FALSE_RED + 3 * np.sqrt(FALSE_RED / number)
        yield Check("index", f"false red of {number} {level} periods, {label}: raw "
                    f"{raw[level] / number:.1%} → gated", share, f"≤ {limit:.3f}", share <= limit)  # fmt: skip
    shown = found.area_index.set_index(["level", "area_index"])
    for key, rows in found.index_trace.groupby(["level", "area_index"], observed=True):
        again, stored = recompute(rows, SETTINGS), shown.loc[key]
        told += 1
        same = again.raw_colour == stored["raw_colour"]
        wrong += not (same and (again.raw_colour == 0 or again.risk == stored["risk"]))
    yield Check("index", f"of {told} areas, those whose trace gives another risk or raw colour",
                float(wrong), "= 0", wrong == 0)  # fmt: skip
    yield Check("info", "seconds per period, 4,000 grids", seconds, "stated", True)


if __name__ == "__main__":
    main(checks)

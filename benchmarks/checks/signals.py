"""
Checks of the early signals: null weeks, planted surges, negative controls, no look-ahead, record.

Run from the root of the project: ``python -m benchmarks.checks.signals``.
"""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.checks.check import Check, main
from benchmarks.checks.surges import plant
from data.signal_settings import read_signal_settings
from etl.analyse.bed import concatenate
from etl.analyse.signals.day import Watch
from etl.analyse.signals.records import signal_record_table
from etl.analyse.signals.tables import signal_tables
from tests.etl.analyse.worlds import world

if TYPE_CHECKING:
    from collections.abc import Iterator

NULL_SEEDS, NULL_WEEKS = 5, 26
SURGES, FIRST_WEEK, LAST_WEEK = 100, 84, 99
SPRING = ("2026-02-16", "2026-02-23")
SETTINGS = read_signal_settings(Path("/"))


def checks(seed: int) -> Iterator[Check]:
    yield from null_weeks(seed)
    for per_week, limits in ((10, ((7, 0.60), (14, 0.85))), (20, ((7, 0.90),))):
        yield from injection(seed + per_week, per_week, limits)
    yield from negative_controls(seed + 40)
    yield from no_look_ahead(seed + 50)
    yield from record(seed + 60)
    yield from speed(seed + 70)


def null_weeks(seed: int) -> Iterator[Check]:
    yellow, red, spring, normal, chance = [], [], [], [], []
    for step in range(NULL_SEEDS):
        made = world(seed + step, size=5.0)
        watch, bed = Watch(made.bed, made.adjacency, SETTINGS), made.bed
        for at in range(len(bed.starts) - NULL_WEEKS, len(bed.starts)):
            colour = watch.tested("all", bed.ends[at]).colour(-1)
            yellow.append(int((colour >= 2).sum()))
            red.append(int((colour >= 4).sum()))
        weeks = [at for at, one in enumerate(bed.starts) if str(one) in SPRING]
        # The weeks around 春节 lie before the last 26; what is normal is taken from about then.
        for at in range(min(weeks) - 6, max(weeks) + 9):
            number = int((watch.tested("all", bed.ends[at]).colour(-1) >= 1).sum())
            (spring if at in weeks else normal).append(number)
        table = signal_tables(
            bed, made.adjacency, bed.ends[-1:], settings=SETTINGS, groups=("all",)
        )["signal_chance"]
        lowest = table[(table["level"] == bed.levels[-1]) & (table["colour"] == 1)]
        chance.append((float(lowest["by_chance"].iloc[0]), _blue(watch, NULL_WEEKS)))
    yield _at_most("4", "yellow or higher, cells per null week", np.mean(yellow), 1.0)
    yield _at_most("4", "red, cells per null week", np.mean(red), 0.1)
    ratio = float(np.mean(spring) / max(np.mean(normal), 1.0))
    yield _at_most("4", "cells with any colour in 春节 weeks ÷ other weeks", ratio, 2.0)
    expected, seen = np.mean(chance, axis=0)
    off = float(seen / expected)
    yield Check(
        "15", "blue cells on null weeks ÷ number told by chance", off, "0.6-1.6", 0.6 <= off <= 1.6
    )


def _blue(watch: Watch, weeks: int) -> float:
    ends = watch.bed.ends[-weeks:]
    return float(np.mean([(watch.tested("all", day).colour(-1) == 1).sum() for day in ends]))


def injection(seed: int, per_week: int, limits) -> Iterator[Check]:
    """Every day of the weeks with surges; found = yellow or higher on the patch or its ring."""
    rng = np.random.default_rng(seed)
    made, surges = plant(
        world(seed, size=5.0), rng, number=SURGES, per_week=per_week, weeks=(FIRST_WEEK, LAST_WEEK)
    )
    watch, bed = Watch(made.bed, made.adjacency, SETTINGS), made.bed
    delay, true, false = np.full(len(surges), np.inf), 0, 0
    for day in np.arange(bed.starts[FIRST_WEEK], bed.ends[-1] + 1):
        warned = watch.tested("all", day).colour(-1) >= 2
        del bed.memo["tested", "all", day]
        near = np.zeros(len(warned), dtype=bool)
        for at, one in enumerate(surges):
            # Of the window's echo after the end nothing is counted, neither right nor wrong.
            if one.first <= day <= one.last + 7:
                near[one.near] = True
                if warned[one.near].any() and day <= one.last:
                    delay[at] = min(delay[at], float((day - one.first).astype(int)))
        true, false = true + int((warned & near).sum()), false + int((warned & ~near).sum())
    for days, least in limits:
        found = float(np.mean(delay <= days))
        yield Check(
            "5", f"+{per_week}/week found within {days} days", found, f">= {least}", found >= least
        )
    value = true / max(true + false, 1)
    yield Check(
        "5", f"+{per_week}/week: share of warned cells at a surge", value, ">= 0.8", value >= 0.8
    )


def negative_controls(seed: int) -> Iterator[Check]:
    """What is no surge of events must not look like one; warned cells at all levels."""
    rng = np.random.default_rng(seed)
    made = world(seed, size=5.0)
    bed, at = made.bed, 98
    day = bed.ends[at]
    quiet = _warned(made, bed, [day])
    rows = np.flatnonzero(bed.period < at)
    old = bed.events.take(rng.choice(rows[bed.period[rows] > at - 12], 3000))
    spot = int(bed.events.area.max()) - 100
    late = replace(old, known=np.full(3000, day), area=np.full(3000, spot), source=old.source + 1)
    recent = np.flatnonzero(bed.period == at)
    some = replace(late.take(np.arange(300)), day=bed.events.day[recent[:300]])
    bulk = replace(bed, events=concatenate([bed.events, late, some]))
    yield _at_most(
        "4", "warned by a bulk import of old records", _warned(made, bulk, [day]) - quiet, 0
    )
    moment = int((day - 1).astype("datetime64[s]").astype(np.int64))
    stamped = bed.events.take(rng.choice(len(bed.events), 300))
    stamped = replace(
        stamped, day=np.full(300, day - 1), known=np.full(300, day), area=np.full(300, spot),
        occurred=np.full(300, moment), reported=np.full(300, moment),
    )  # fmt: skip
    stamp = replace(bed, events=concatenate([bed.events, stamped]))
    yield _at_most("4", "warned by a file of one second", _warned(made, stamp, [day]) - quiet, 0)
    held = bed.period == at - 1
    known = np.where(held & (rng.random(len(held)) < 0.6), bed.events.known + 7, bed.events.known)
    slow = replace(bed, events=replace(bed.events, known=known))
    around = [bed.ends[at - 1] + back for back in (-3, 0, 3, 7, 10, 14)]
    extra = _warned(made, slow, around) - _warned(made, replace(bed), around)
    yield _at_most("4", "warned by a week reported late and the two after it, six days", extra, 6)
    dip = (bed.period == at - 1) & (rng.random(len(held)) < 0.4)
    lower = replace(bed, events=bed.events.take(~dip))
    extra = _warned(made, lower, around) - _warned(made, replace(bed), around)
    yield _at_most("4", "warned by a dip of 40 % that no calendar knows, and its rebound", extra, 6)


def _warned(made, bed, days) -> int:
    watch = Watch(replace(bed), made.adjacency, SETTINGS)
    found = [watch.tested("all", day) for day in days]
    return sum(
        int((one.colour(depth) >= 2).sum()) for one in found for depth in range(len(bed.levels))
    )


def no_look_ahead(seed: int) -> Iterator[Check]:
    made = world(seed, grids=2_000, size=5.0)
    bed, day = made.bed, made.bed.ends[-5] - 2
    whole = signal_tables(bed, made.adjacency, [day], settings=SETTINGS)
    kept = bed.events.take(bed.events.known <= day)
    starts = bed.starts[bed.ends <= day]
    cut = replace(bed, events=kept, starts=starts, as_of=day)
    rng = np.random.default_rng(seed)
    after = np.flatnonzero(bed.events.known > day)
    mixed = bed.events.area.copy()
    mixed[after] = rng.permutation(mixed[after])
    shuffled = replace(bed, events=replace(bed.events, area=mixed))
    for what, other in (("deleted", cut), ("shuffled", shuffled)):
        again = signal_tables(other, made.adjacency, [day], settings=SETTINGS)
        same = all(_bytes(whole[name]) == _bytes(again[name]) for name in whole)
        yield Check(
            "6",
            f"signals with what came later {what}",
            "same bytes" if same else "differ",
            "same bytes",
            same,
        )


def _bytes(table) -> bytes:
    return table.to_csv(index=False, float_format="%.17g").encode()


def record(seed: int) -> Iterator[Check]:
    """The record of a week, counted again from the raw events by other means."""
    made = world(seed, grids=4_000, size=5.0, late=False)
    bed, at = made.bed, 100
    watch = Watch(bed, made.adjacency, SETTINGS)
    table = signal_record_table(bed, made.adjacency, at, known_on=bed.as_of, settings=SETTINGS)
    told = table.set_index(["level", "colour"])["followed"]
    again = dict.fromkeys(told.index, 0)
    from etl.analyse.expected import expected_counts

    adjacency = made.adjacency.toarray().astype(bool)
    first = sum(len(one) for one in bed.areas[:-1])
    start, end = bed.starts[at], bed.ends[at]
    for group in ("all", *bed.groups):
        expected = expected_counts(bed, group, at=at, known_on=bed.as_of)
        tests = watch.tested(group, bed.ends[at - 1]).tests[-1]
        member = np.ones(len(bed.events), dtype=bool)
        if group != "all":
            member = bed.events.category == bed.groups.index(group)
        week = member & (bed.events.day >= start) & (bed.events.day <= end)
        counted = {}
        for area in bed.events.area[week] - first:
            counted[area] = counted.get(area, 0) + 1
        colour = np.max([one.colour for one in tests], axis=0)
        for area in np.flatnonzero(colour):
            own = tests[0].colour[area] == colour[area]
            places = [area] if own else [area, *np.flatnonzero(adjacency[area])]
            seen = sum(counted.get(one, 0) for one in places)
            mean = sum(expected.mean[-1][one] for one in places) * expected.complete
            again[bed.levels[-1], int(colour[area])] += int(seen > mean)
    lowest = [key for key in again if key[0] == bed.levels[-1]]
    same = all(again[key] == told[key] for key in lowest)
    what = " ".join(f"{told[key]}" for key in lowest)
    yield Check(
        "15", "hit record of the lowest level, colour by colour", what, "as counted again", same
    )


def speed(seed: int) -> Iterator[Check]:
    made = world(seed)
    bed = made.bed
    days = [bed.as_of - back for back in range(14)]
    signal_tables(bed, made.adjacency, days[7:][::-1], settings=SETTINGS)
    began = time.perf_counter()
    signal_tables(bed, made.adjacency, days[:7][::-1], settings=SETTINGS)
    yield _at_most(
        "14",
        "signals of a day, 22,000 grids, five groups, s",
        (time.perf_counter() - began) / 7,
        0.3,
    )


def _at_most(number: str, what: str, value: float, limit: float) -> Check:
    return Check(number, what, float(value), f"<= {limit:g}", bool(value <= limit))


if __name__ == "__main__":
    main(checks)

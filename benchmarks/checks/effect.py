"""Did it work: false and true findings where nothing, or something, was done."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from statsmodels.genmod import families
from statsmodels.genmod.generalized_linear_model import GLM

from benchmarks.checks.check import Check, main
from data.actions import Action
from data.effect_settings import read_effect_settings
from etl.analyse.effect import CANNOT_TELL, FELL, ROSE, measure, nearest, windows
from etl.analyse.effect_tables import PlacedAction, effect_tables
from tests.etl.analyse.worlds import true_rates, world

if TYPE_CHECKING:
    from collections.abc import Iterator

NUMBER = "E"
SETTINGS = read_effect_settings(Path("none"), grain="week")
WEEKS, ACTION = 104, 90
BUSY = 8.0
RUNS = 80
PER_RUN = 10


def checks(seed: int) -> Iterator[Check]:
    rng = np.random.default_rng(seed)
    start = time.perf_counter()
    for name, size, lasting in (
        ("Poisson", np.inf, 0.0), ("negative binomial, size 5", 5.0, 0.0),
        ("negative binomial, size 5, with lasting drifts", 5.0, 0.9),
    ):  # fmt: skip
        found = runs(rng, size=size, lasting=lasting, effect=1.0)
        fell, rose = (float(np.mean(found["verdict"] == one)) for one in (FELL, ROSE))
        naive = float(np.mean(found["naive"] < 0.8))
        yield Check(
            NUMBER,
            f"{name}: nothing done, highest areas: false 'fell'",
            fell,
            "≤ 0.075",
            fell <= 0.075,
        )
        # Where rates drift they are truly up for a while: a rise, but not one that an action made.
        yield Check(
            "info" if lasting else NUMBER,
            f"{name}: nothing done, highest areas: false 'rose'",
            rose,
            "≤ 0.075",
            rose <= 0.075,
        )
        yield Check(
            "info",
            f"{name}: before-after of the weeks around: 'down 20 %' though nothing was done",
            naive,
            "",
            True,
        )
        inside = coverage(found, 1.0)
        limit = 0.80 if lasting else 0.85
        yield Check(
            NUMBER,
            f"{name}: 90 % interval covers no change",
            inside,
            f"{limit:.2f}-0.95",
            limit <= inside <= 0.95,
        )
    for name, size in (("Poisson", np.inf), ("negative binomial, size 5", 5.0)):
        found = runs(rng, size=size, lasting=0.0, effect=0.6)
        fell = float(np.mean(found["verdict"] == FELL))
        yield Check(NUMBER, f"{name}: −40 % in busy areas: 'fell'", fell, "≥ 0.7", fell >= 0.7)
        inside = coverage(found, 0.6)
        yield Check(
            NUMBER,
            f"{name}: 90 % interval covers −40 %",
            inside,
            "0.85-0.96",
            0.85 <= inside <= 0.96,
        )
    each = (time.perf_counter() - start) / (5 * RUNS * PER_RUN)
    yield Check("info", "one action with its world, ms", each * 1e3, "", True)
    yield from oracle(rng)
    yield from whole(seed)


def oracle(rng) -> Iterator[Check]:
    """Difference in differences against the interaction of a Poisson regression."""
    counts = rng.poisson(20.0, (300, WEEKS)).astype(float)
    counts[0, ACTION + 1 :] = rng.poisson(12.0, WEEKS - ACTION - 1)
    candidates = np.arange(300) > 0
    spans = windows(ACTION, ACTION + 1, WEEKS, SETTINGS)
    start = time.perf_counter()
    found = measure(counts, 0, candidates, spans, SETTINGS)
    own = time.perf_counter() - start
    peers = nearest(counts[:, spans.matching], 0, candidates, most=SETTINGS.peers)
    start = time.perf_counter()
    cells = [
        (one, late, counts[rows, span].ravel())
        for one, rows in ((1, [0]), (0, peers))
        for late, span in ((0, spans.before), (1, spans.after))
    ]
    design = np.concatenate(
        [np.tile([1, one, late, one * late], (len(values), 1)) for one, late, values in cells]
    )
    values = np.concatenate([values for _, _, values in cells])
    theirs = np.exp(GLM(values, design, family=families.Poisson()).fit().params[3])
    other = time.perf_counter() - start
    worst = abs(found.ratio - theirs)
    yield Check(NUMBER, "ratio, |own − Poisson regression|", float(worst), "≤ 0.01", worst <= 0.01)
    yield Check(
        "info",
        f"own with its interval {own * 1e3:.1f} ms, regression alone",
        f"{other * 1e3:.1f} ms",
        "",
        True,
    )


def runs(rng, *, size, lasting, effect):
    """Actions in busy areas that stood highest in the four weeks before, one world after another."""
    verdicts, ratios, lowers, uppers, naive = [], [], [], [], []
    for _ in range(RUNS):
        rates = true_rates(rng, 1_200, WEEKS, 4.0) * drifts(rng, 1_200, lasting)
        drawn = rates if np.isinf(size) else rates * rng.gamma(size, 1 / size, rates.shape)
        counts = rng.poisson(drawn).astype(float)
        recent = counts[:, ACTION - 4 : ACTION].sum(axis=1)
        past = counts[:, :ACTION].mean(axis=1)
        busy = np.flatnonzero(past >= BUSY)
        # The most unusual of the busy ones: where somebody would act.
        areas = busy[np.argsort(-recent[busy] / past[busy])][:PER_RUN]
        after = counts[areas, ACTION + 1 :]
        counts[areas, ACTION + 1 :] = (
            rng.poisson(drawn[areas, ACTION + 1 :] * effect) if effect != 1 else after
        )
        candidates = np.ones(len(counts), dtype=bool)
        candidates[areas] = False
        spans = windows(ACTION, ACTION + 1, WEEKS, SETTINGS)
        for area in areas:
            found = measure(counts, area, candidates, spans, SETTINGS)
            verdicts.append(found.verdict)
            ratios.append(found.ratio)
            lowers.append(found.lower)
            uppers.append(found.upper)
            naive.append(
                counts[area, spans.after].mean() / counts[area, ACTION - 4 : ACTION].mean()
            )
    return {
        "verdict": np.array(verdicts), "ratio": np.array(ratios), "lower": np.array(lowers),
        "upper": np.array(uppers), "naive": np.array(naive),
    }  # fmt: skip


def drifts(rng, n, lasting):
    """Noise of each area that lasts for weeks: autoregressive, standard deviation 0.2."""
    if not lasting:
        return 1.0
    steps = rng.normal(0, 0.2 * np.sqrt(1 - lasting**2), (n, WEEKS))
    level = np.zeros((n, WEEKS))
    level[:, 0] = rng.normal(0, 0.2, n)
    for week in range(1, WEEKS):
        level[:, week] = lasting * level[:, week - 1] + steps[:, week]
    return np.exp(level)


def coverage(found, truth) -> float:
    return float(np.mean((found["lower"] <= truth) & (truth <= found["upper"])))


def whole(seed: int) -> Iterator[Check]:
    """The stage itself on a world of full size: 200 actions."""
    made = world(seed)
    rng = np.random.default_rng(seed)
    day = made.bed.starts[ACTION].astype(object)
    actions = [
        PlacedAction(Action(f"a{number}", "grid", "0", day, "patrol", "all"), int(index))
        for number, index in enumerate(rng.choice(22_000, 200, replace=False))
    ]
    start = time.perf_counter()
    table = effect_tables(
        made.bed,
        actions,
        SETTINGS,
        len(made.bed.starts) - 1,
        made.bed.as_of,
        adjacency={"grid": made.adjacency},
    )["effects"]
    taken = time.perf_counter() - start
    yield Check(NUMBER, "200 actions among 22,000 grids, s", taken, "≤ 5", taken <= 5)
    told = int((table["verdict"] != CANNOT_TELL).sum())
    yield Check(
        "info",
        "of them told although nothing was done",
        f"{told} (10 % of {table['ratio'].notna().sum()} expected)",
        "",
        True,
    )
    late = replace(made.bed, events=made.bed.events.take(made.bed.events.day <= made.bed.ends[99]))
    seen = [
        effect_tables(bed, actions, SETTINGS, 99, made.bed.ends[99])["effects"]
        for bed in (made.bed, late)
    ]
    same = seen[0].equals(seen[1])
    yield Check(
        NUMBER,
        "effects as of week 99 without what came later",
        "same" if same else "differ",
        "same",
        same,
    )


if __name__ == "__main__":
    main(checks)

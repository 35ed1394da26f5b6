"""Expected counts, rates and origin against made-up worlds whose truth is known."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import statsmodels.api as sm

from benchmarks.checks.check import Check, main
from data.rates import prior_strength
from etl.analyse.area_rates import HIGH, ranks
from etl.analyse.base import base_tables
from etl.analyse.bed import DISCOVERED, REPORTED
from etl.analyse.expected import cell_expected, expected_counts
from etl.analyse.negative_binomial import upper_tail
from etl.analyse.observed import by_area, known_rows
from etl.analyse.regression import quasi_poisson
from etl.analyse.shares import Tree, shares
from tests.etl.analyse.worlds import HOLIDAY_WEEKS, tiny_bed, world

if TYPE_CHECKING:
    from collections.abc import Iterator

    from etl.analyse.bed import Bed

SCORED = 26
SPRING = np.array(HOLIDAY_WEEKS, dtype="datetime64[D]")


def checks(seed: int) -> Iterator[Check]:
    yield from uniform(seed)
    yield from no_look_ahead(seed)
    yield from ranking(seed)
    yield from coherence(seed)
    yield from feedback(seed)
    yield from discovered_left_out(seed)
    yield from regression(seed)


def uniform(seed: int) -> Iterator[Check]:
    """Randomised probability integral transform of each grid and week (Czado and others 2009)."""
    bed = world(seed, size=5.0).bed
    rng = np.random.default_rng(seed)
    every, spring, ratios = [], [], []
    scored = range(len(bed.starts) - SCORED, len(bed.starts))
    # The spring festival that has one before it, although it lies before the scored weeks.
    second_year = [at for at in np.flatnonzero(np.isin(bed.starts, SPRING)) if at > 52]
    for at in sorted({*scored, *second_year}):
        known_on = bed.as_of
        found = expected_counts(bed, "all", at=at, known_on=known_on)
        observed = by_area(bed, known_rows(bed, "all", at, at, known_on))
        mean, size = found.mean[-1] * found.complete, found.size[-1]
        above = upper_tail(observed[-1] + 1, mean, size)
        at_least = upper_tail(observed[-1], mean, size)
        values = 1 - above - rng.random(len(mean)) * (at_least - above)
        if at in scored:
            every.append(values)
        if bed.starts[at] in SPRING:
            spring.append((bed.starts[at], values))
            ratios.append(float(observed[0].sum() / mean.sum()))
    error = decile_error(np.concatenate(every))
    yield Check(
        "4", "PIT of grids, null NB world: max decile error", error, "≤ 0.02", error <= 0.02
    )
    for start, values in spring:
        error, high = decile_error(values), float(np.mean(values > 0.999))
        # The world's dips are no shares of days off: 国庆 is printed, 春节 judged.
        number = "4" if start.astype(object).month == 2 else "info"
        what = f"PIT of grids, holiday week {start}: max decile error"
        yield Check(number, what, error, "≤ 0.02", error <= 0.02)
        what = f"holiday week {start}: share of grids above the 99.9 % point"
        yield Check("info", what, high, "0.001 by chance", True)
    told = " ".join(f"{one:.2f}" for one in ratios)
    yield Check("info", "holiday weeks: observed ÷ expected in the city", told, "", True)


def decile_error(values) -> float:
    share = np.bincount(np.minimum((values * 10).astype(int), 9), minlength=10) / len(values)
    return float(np.max(np.abs(share - 0.1)))


def no_look_ahead(seed: int) -> Iterator[Check]:
    """The same bytes when the future is cut off or shuffled, and without what came late."""
    bed = world(seed, grids=2_000, weeks=80).bed
    at = 60
    then = bed.ends[at - 1]
    reference = fingerprint(bed, at)
    first = bed.events.day < bed.starts[at]
    known = bed.events.known <= then
    rng = np.random.default_rng(seed)
    moved = bed.events.area.copy()
    moved[~first] = rng.permutation(moved[~first])
    cells = bed.events.cell.copy()
    cells[~first] = rng.permutation(cells[~first])
    shuffled = replace(bed.events, area=moved, cell=cells)
    for what, other in (
        ("deleting all later weeks", replace(bed, events=bed.events.take(first))),
        ("shuffling all later weeks", replace(bed, events=shuffled)),
        ("deleting what was known later", replace(bed, events=bed.events.take(first & known))),
    ):
        same = fingerprint(other, at) == reference
        yield Check("6", f"{what}: expected counts", "same" if same else "differ", "same", same)
    knows = bed.events.known <= bed.ends[at] + 28
    cut = replace(bed, events=bed.events.take(knows & (bed.events.day <= bed.ends[at])))
    whole, part = (base_tables(one, at, bed.ends[at] + 28) for one in (bed, cut))
    same = all(whole[name].equals(part[name]) for name in whole)
    yield Check(
        "6", "deleting all later weeks: every table", "same" if same else "differ", "same", same
    )


def fingerprint(bed: Bed, at: int) -> bytes:
    areas = expected_counts(bed, "all", at=at, known_on=bed.starts[at])
    cells = cell_expected(bed, "police", 9, at=at, known_on=bed.starts[at])
    arrays = (*areas.mean, *areas.unplaced, *areas.size, cells.cells, cells.mean, cells.size)
    return b"".join(one.tobytes() for one in arrays)


def ranking(seed: int) -> Iterator[Check]:
    """
    Areas of skewed exposure and known rates: who belongs to the top 5 %?

    Spread of exposure and rates such that raw rate and raw count score as in the method's
    reference (precision 0.19 and 0.18, median exposure of the listed 0.38 and 8.5: here 0.19, 0.15, 0.35
    and 8.6); with the milder spread of exposure of the second world the gain is smaller.
    """
    rng = np.random.default_rng(seed)
    gains, size, covered = listed(
        rng, lambda n: rng.lognormal(0, 1.2, n), lambda n: rng.gamma(4, 0.25, n)
    )
    yield Check(
        "10", "top 5 %: precision ÷ that of the raw rate", gains[0], "≥ 1.5", gains[0] >= 1.5
    )
    yield Check(
        "10", "top 5 %: precision ÷ that of the raw count", gains[1], "≥ 1.5", gains[1] >= 1.5
    )
    yield Check("10", "median exposure of the listed against all", size, "within ×3", size <= 3)
    yield Check("info", "rank ranges that hold the true rank", covered, "about 0.9", True)
    gains, _, _ = listed(rng, lambda n: rng.lognormal(0, 1.0, n), lambda n: rng.gamma(4, 0.25, n))
    yield Check("info", "milder spread: precision ÷ that of the raw rate", gains[0], "", True)


def listed(rng, exposures, truths, *, n=22_000, top=1_100, rounds=40):
    """Gain in precision over raw rate and raw count, exposure of the listed, cover of the ranges."""
    gains, sizes, covered = [], [], []
    for _ in range(rounds):
        exposure, truth = exposures(n), truths(n)
        exposure *= 2.0 / exposure.mean()
        count = rng.poisson(truth * exposure)
        city = count.sum() / exposure.sum()
        strength = prior_strength(count, exposure * city)
        scale = strength / city + exposure
        found = ranks(count, strength, scale, threshold=HIGH * city, seed=int(rng.integers(2**31)))
        best, ours = np.argsort(-truth)[:top], np.flatnonzero(found.rank <= top)
        precision = np.isin(ours, best).mean()
        gains.append(
            [
                precision / np.isin(np.argsort(-raw)[:top], best).mean()
                for raw in (count / exposure, count)
            ]
        )
        ratio = np.median(exposure[ours]) / np.median(exposure)
        sizes.append(max(ratio, 1 / ratio))
        rank = np.empty(n)
        rank[np.argsort(-truth)] = np.arange(1, n + 1)
        covered.append(np.mean((found.lower <= rank) & (rank <= found.upper)))
    return np.mean(gains, axis=0).tolist(), float(np.mean(sizes)), float(np.mean(covered))


def coherence(seed: int) -> Iterator[Check]:
    """Children and unplaced make the parent; one event moves exactly its chain of areas."""
    rng = np.random.default_rng(seed)
    bed = world(seed, grids=2_000, weeks=70).bed
    first = np.cumsum([0, *(len(one) for one in bed.areas)])
    community = rng.random(len(bed.events)) < 0.1
    area = bed.events.area.copy()
    area[community] = bed.areas[-1].parent[area[community] - first[-2]] + first[-3]
    bed = replace(bed, events=replace(bed.events, area=area))
    worst = 0.0
    for at in (55, 69, 70):
        found = expected_counts(bed, "all", at=at, known_on=bed.as_of)
        for depth, areas in enumerate(bed.areas[1:]):
            inside = np.bincount(
                areas.parent, weights=found.mean[depth + 1], minlength=len(bed.areas[depth])
            )
            gap = np.abs(inside + found.unplaced[depth] - found.mean[depth])
            worst = max(worst, float(np.max(gap / np.maximum(found.mean[depth], 1))))
    yield Check("11", "expected: children + unplaced − parent", worst, "≤ 1e-9", worst <= 1e-9)
    rows = known_rows(bed, "all", 69, 69, bed.as_of)
    one = rng.choice(rows[~community[rows]])
    moved = bed.events.area.copy()
    moved[one] = first[-2] + rng.integers(len(bed.areas[-1]))
    other = replace(bed, events=replace(bed.events, area=moved))
    exact = True
    for level, before, after in zip(
        bed.levels, by_area(bed, rows), by_area(other, rows), strict=True
    ):
        places = bed.index_of(level, np.array([one]))[0], other.index_of(level, np.array([one]))[0]
        change = np.zeros(len(before))
        change[places[0]] -= 1
        change[places[1]] += 1
        exact &= bool(np.array_equal(after - before, change))
    yield Check(
        "11", "moving one event changes", "its chain" if exact else "more", "its chain", exact
    )


def feedback(seed: int) -> Iterator[Check]:
    """
    Pairs of equal areas; a patrol goes where the product expects more, and finds what it looks for.

    Patrols find half as many again as people report; where they are seen, 2 % more is reported.
    """
    rng = np.random.default_rng(seed)
    told = float(np.median(patrolled(rng, counted=(REPORTED,))))
    yield Check(
        "12", "two equal areas, reported only: final rate ratio", told, "≤ 1.10", told <= 1.10
    )
    both = float(np.median(patrolled(rng, counted=(REPORTED, DISCOVERED))))
    yield Check("info", "the same with patrol finds counted", both, "must run away", True)


def patrolled(rng, *, counted: tuple[int, ...], runs: int = 300, weeks: int = 520) -> np.ndarray:
    """Larger ÷ smaller rate of the last year that the counted records show, shape (n runs,)."""
    parents = (np.full(runs, -1), np.repeat(np.arange(runs), 2))
    always = (np.ones(runs), np.ones(2 * runs))
    records, keep = np.zeros((runs, 2)), 0.5 ** (1 / 52)
    for _ in range(weeks):
        found = shares(Tree((records.sum(axis=1), records.ravel()), parents, always)).mean[1]
        expected = found.reshape(runs, 2) + rng.uniform(0, 1e-9, (runs, 2))
        there = np.eye(2)[np.argmax(expected, axis=1)]
        made = {
            REPORTED: rng.poisson(5.0 * (1 + 0.02 * there)),
            DISCOVERED: rng.poisson(2.5 * there),
        }
        records = keep * records + sum(made[origin] for origin in counted)
    return records.max(axis=1) / records.min(axis=1)


def discovered_left_out(seed: int) -> Iterator[Check]:
    """The bed's own expectation does not move when patrol finds are added."""
    bed = tiny_bed(seed).bed
    extra = bed.events.take(np.arange(len(bed.events)) % 3 == 0)
    found = replace(extra, origin=np.full(len(extra), DISCOVERED, dtype=np.int8))
    both = {
        name: np.concatenate([getattr(bed.events, name), getattr(found, name)])
        for name in bed.events.__dataclass_fields__
    }
    more = replace(bed, events=type(bed.events)(**both))
    same = fingerprint(bed, 50) == fingerprint(more, 50)
    yield Check(
        "12", "adding patrol finds: expected counts", "same" if same else "differ", "same", same
    )


def regression(seed: int) -> Iterator[Check]:
    """Own reweighted least squares against statsmodels."""
    rng = np.random.default_rng(seed)
    week = np.arange(104)
    angle = 2 * np.pi * week / 52
    design = np.column_stack(
        [np.ones(104), week / 52 - 1, np.sin(angle), np.cos(angle), week % 26 == 5]
    )
    truth = rng.normal(0, 0.3, (40, 5))
    truth[:, 0] += 2
    counts = rng.poisson(np.exp(truth @ design.T)).astype(float)
    offset = np.log(rng.uniform(0.3, 1, 104))
    found = quasi_poisson(counts, design, offset=offset)
    theirs = [
        sm.GLM(one, design, family=sm.families.Poisson(), offset=offset).fit(tol=1e-12)
        for one in counts
    ]
    gap = float(np.max(np.abs(found.coefficients - [one.params for one in theirs])))
    yield Check("4", "own regression − statsmodels, coefficients", gap, "≤ 1e-6", gap <= 1e-6)
    spread = np.array([one.pearson_chi2 / one.df_resid for one in theirs])
    gap = float(np.max(np.abs(found.dispersion - np.maximum(spread, 1))))
    yield Check("4", "own regression − statsmodels, dispersion", gap, "≤ 1e-6", gap <= 1e-6)


if __name__ == "__main__":
    main(checks)

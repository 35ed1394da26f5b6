"""
Checks of the forecast: coherence, no look-ahead, CRPS, real cities, shuffled control, words, speed.

Run from the root of the project: ``python -m benchmarks.checks.forecast``.
"""

from __future__ import annotations

import subprocess
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import scoringrules

from benchmarks.checks.check import Check, main
from benchmarks.checks.real_beds import chicago, merseyside
from etl.analyse.forecast.predict import forecast_tables
from etl.analyse.forecast.score import crps, hits
from etl.analyse.forecast.scorecards import OURS, score_tables
from etl.analyse.forecast.verdicts import ratio, verdict_table
from tests.etl.analyse.worlds import world

if TYPE_CHECKING:
    from collections.abc import Iterator

WEEKS, MONTHS = 26, 6
ROOT = Path(__file__).resolve().parents[2]
FORBIDDEN = ("准确" + "率", "accu" + "racy")
"""The word that no text of the product may hold; cut in two so that this file does not."""


def checks(seed: int) -> Iterator[Check]:
    yield from oracle(seed)
    yield from coherence(seed)
    yield from no_look_ahead(seed)
    yield from real("Chicago", chicago(), WEEKS)
    yield from real("Merseyside", merseyside(), MONTHS)
    yield from shuffled(seed)
    yield from words()
    yield from speed(seed)


def oracle(seed: int) -> Iterator[Check]:
    rng = np.random.default_rng(seed)
    mean, size = rng.uniform(0.01, 25, 5_000), rng.uniform(0.3, 50, 5_000)
    observed = rng.poisson(mean * rng.gamma(size) / size).astype(float)
    ours = crps(observed, mean, size)
    theirs = scoringrules.crps_negbinom(observed, size, prob=size / (size + mean))
    yield _at_most(
        "7", "CRPS, largest difference from scoringrules", np.abs(ours - theirs).max(), 1e-3
    )


def coherence(seed: int) -> Iterator[Check]:
    bed = world(seed, grids=4_000, size=5.0).bed
    table = forecast_tables(bed, len(bed.starts))["forecasts"]
    worst = 0.0
    for group in ("all", *bed.groups):
        rows = table[table["group"] == group].set_index("level")
        for above, below, areas in zip(bed.levels, bed.levels[1:], bed.areas[1:], strict=False):
            parent, child = rows.loc[[above]], rows.loc[[below]]
            inside = np.bincount(
                areas.parent[child["area_index"].to_numpy()],
                weights=child["mean"], minlength=len(parent),
            )  # fmt: skip
            off = parent["mean"].to_numpy() - parent["unplaced"].to_numpy() - inside
            worst = max(worst, float(np.abs(off).max()))
    yield _at_most(
        "11", "forecast: parent - children - unplaced, all levels and groups", worst, 1e-9
    )


def no_look_ahead(seed: int) -> Iterator[Check]:
    bed, at = world(seed, grids=2_000, size=5.0).bed, 90
    day = bed.starts[at] - 1
    whole = forecast_tables(bed, at)
    cut = replace(
        bed, events=bed.events.take(bed.events.known <= day), starts=bed.starts[:at], as_of=day
    )
    after = np.flatnonzero(bed.events.known > day)
    mixed = bed.events.area.copy()
    mixed[after] = np.random.default_rng(seed).permutation(mixed[after])
    shuffled_bed = replace(bed, events=replace(bed.events, area=mixed))
    for what, other in (("deleted", cut), ("shuffled", shuffled_bed)):
        again = forecast_tables(other, at)
        same = all(_bytes(whole[name]) == _bytes(again[name]) for name in whole)
        yield Check(
            "6", f"forecasts with what came later {what}", "same bytes" if same else "differ",
            "same bytes", same,
        )  # fmt: skip


def _bytes(table) -> bytes:
    kept = table.drop(columns="is_frozen")
    return kept.to_csv(index=False, float_format="%.17g").encode()


def real(name: str, city, number: int) -> Iterator[Check]:
    if city is None:
        yield Check("info", f"{name}: no files beside the project, not run", "-", "", passed=True)
        return
    bed = city.bed
    scored = backtest(bed, number)
    for resolution, least in ((9, 1.20), (8, 1.05)):
        rows = scored[(scored["target"] == f"r{resolution}") & (scored["group"] == "all")]
        pai = _wide(rows, "pai2")
        value, lower, upper = ratio(pai, "kde4")
        text = f"{name} r{resolution}, {number} periods, {rows['events'].mean():.0f} events each"
        yield Check(
            "7", f"{text}: PAI@2 % ÷ 4-week heat map (90 % interval to {upper:.3f}; mean "
            f"{value:.3f}), lower bound", lower, f">= {least}", lower >= least,
        )  # fmt: skip
        best = hindsight(bed, resolution, number) / float(pai["kde4"].mean())
        yield Check("info", f"{text}: the same of the scored periods' own mean, known only "
                    "afterwards", best, "no forecast can reach it", passed=True)  # fmt: skip
        yield _at_least("7", f"{text}: PAI@2 % ÷ all of history", ratio(pai, "history")[0], 0.95)
        error = _wide(rows, "deviance")
        yield _at_most("7", f"{text}: deviance ÷ all of history", ratio(error, "history")[0], 1.02)
        yield _at_most("7", f"{text}: deviance ÷ heat map", ratio(error, "kde4")[0], 0.90)
        cover = float(rows.loc[rows["method"] == OURS, "coverage"].mean())
        inside = 0.88 <= cover <= 0.995
        yield Check("7", f"{text}: coverage of the 90 % interval", cover, "0.88-0.995", inside)
    for one in verdict_table(scored, grain=bed.grain).itertuples():
        yield Check(
            "info", f"{name} {one.target} {one.group}: {one.periods} periods, PAI@2 % "
            f"{one.pai2:.2f}, ÷ heat map {one.pai2_to_kde4:.2f} ({one.pai2_to_kde4_lower:.2f}-"
            f"{one.pai2_to_kde4_upper:.2f}), ÷ history {one.pai2_to_history:.2f}, deviance ÷ "
            f"history {one.deviance_to_history:.3f}, {one.reason} {one.reason_method}",
            float(one.hit2), "hit rate", passed=True,
        )  # fmt: skip


def backtest(bed, number: int) -> pd.DataFrame:
    """Scorecards of the last periods, forecasts made again period by period."""
    last = range(len(bed.starts) - number, len(bed.starts))
    return pd.concat(
        [score_tables(bed, at, known_on=bed.as_of)["scorecards"] for at in last], ignore_index=True
    )


def hindsight(bed, resolution: int, number: int) -> float:
    """PAI@2 % of the mean count of the scored periods themselves: a ceiling, no forecast."""
    counts = bed.cell_counts(resolution)[1]
    first = counts.shape[1] - number
    found = []
    for at in range(first, counts.shape[1]):
        seen = counts[:, :at].any(axis=1)
        mean, area = counts[seen, first:].mean(axis=1), np.ones(int(seen.sum()))
        events = float(counts[:, at].sum())
        found += hits(mean, counts[seen, at], area=area, shares=(0.02,), events=events)
    return float(np.mean([one.pai for one in found]))


def _wide(rows: pd.DataFrame, figure: str) -> pd.DataFrame:
    return rows.pivot_table(index="period_end", columns="method", values=figure, dropna=False)


def shuffled(seed: int) -> Iterator[Check]:
    """After the training period whole grids change places: no forecast may still be good."""
    made = world(seed, grids=6_000, weeks=90, mean=1.0)
    bed, first = made.bed, 78
    events = bed.events
    later = events.day >= bed.starts[first]
    offset = sum(len(one) for one in bed.areas[:-1])
    moved = np.random.default_rng(seed).permutation(len(made.rates))
    area = np.where(later, moved[events.area - offset] + offset, events.area)
    km2 = tuple(replace(one, area_km2=np.ones(len(one))) for one in bed.areas)
    mixed = replace(bed, events=replace(events, area=area), areas=km2)
    rows = pd.concat(
        [
            score_tables(
                mixed, at, known_on=bed.as_of, groups=("all",), resolutions=(),
                stored=forecast_tables(replace(mixed, events=events), first, groups=("all",)),
            )["scorecards"]
            for at in range(first, len(bed.starts))
        ]
    )  # fmt: skip
    ours = rows[(rows["method"] == OURS) & (rows["target"] == bed.levels[-1])]
    value = float(ours["pai2"].mean())
    passed = abs(value - 1.0) <= 0.3
    yield Check("8", "PAI@2 % after the grids changed places", value, "1.0 ± 0.3", passed)


def words() -> Iterator[Check]:
    """The texts that the project keeps, except where they name the word to forbid it."""
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "dashboard", "data", "etl", "geo", "docs"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout.split()  # fmt: skip
    found = []
    # A heading of foreign ledgers' coordinate column is recognised, never shown.
    for name in sorted(set(listed) - {"data/reference/ledger_aliases.csv"}):
        path = ROOT / name
        if (
            path.suffix in (".py", ".toml", ".md", ".js", ".css", ".csv", ".html")
            and path.is_file()
        ):
            text = path.read_text(encoding="utf-8", errors="ignore").lower()
            found += [f"{name}: {word}" for word in FORBIDDEN if word in text]
    yield Check(
        "15",
        "files that speak of shares of right answers",
        "; ".join(found[:5]) or "none",
        "none",
        not found,
    )


def speed(seed: int) -> Iterator[Check]:
    bed = world(seed).bed
    began = time.perf_counter()
    backtest(bed, WEEKS)
    yield _at_most(
        "14",
        "26 weeks of forecasts and scores, 22,000 grids, 5 groups, s",
        time.perf_counter() - began,
        30,
    )


def _at_most(number: str, what: str, value: float, limit: float) -> Check:
    return Check(number, what, float(value), f"<= {limit:g}", bool(value <= limit))


def _at_least(number: str, what: str, value: float, limit: float) -> Check:
    return Check(number, what, float(value), f">= {limit:g}", bool(value >= limit))


if __name__ == "__main__":
    main(checks)

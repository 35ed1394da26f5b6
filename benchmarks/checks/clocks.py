"""Clocks: curves against statsmodels, and whether predicted misses are those that happen."""

from __future__ import annotations

import json
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from statsmodels.duration.survfunc import SurvfuncRight

from benchmarks.checks.check import Check, main
from data.clock_settings import read_clock_settings
from etl.analyse.bed import NEVER
from etl.analyse.deadlines.chances import breach_chances
from etl.analyse.deadlines.clocks import RUNNING, city_time, run_clock, steps_at
from etl.analyse.deadlines.survival import BIN_S, nested_curves
from etl.analyse.deadlines.tables import clock_tables
from etl.synthesize import synthesize
from etl.synthesize.ledgers import demo_sources
from tests.etl.analyse.clock_worlds import as_known, clock_world
from tests.etl.analyse.worlds import areas_of, bed_of, tiny_bed

if TYPE_CHECKING:
    from collections.abc import Iterator

NUMBER = "D"
SETTINGS = read_clock_settings(Path("none"), time_zone="Asia/Shanghai")
DAYS = 40


def checks(seed: int) -> Iterator[Check]:
    yield from oracle(seed)
    for office in (False, True):
        _, truth = clock_world(seed, office=office, grids=3_000, weeks=80)
        name = "steps in office hours" if office else "steps at any hour"
        yield from calibration(f"made-up world, {name}", truth, seed)
    demo = demo_bed(seed)
    yield from calibration("demonstration city", demo, seed)
    yield no_look_ahead(seed)
    yield from speed(seed)


def oracle(seed: int) -> Iterator[Check]:
    rng = np.random.default_rng(seed)
    n = 200_000
    duration = (rng.lognormal(3, 1, n) * 3600).astype(np.int64) // BIN_S * BIN_S
    followed = (rng.uniform(0, 200, n) * 3600).astype(np.int64) // BIN_S * BIN_S
    ended = duration <= followed
    shown = np.minimum(duration, followed)
    start = time.perf_counter()
    (curve,) = nested_curves(np.zeros(n, dtype=np.int64), shown, ended, coarser=(1,))
    own = time.perf_counter() - start
    start = time.perf_counter()
    theirs = SurvfuncRight(shown, ended.astype(int))
    other = time.perf_counter() - start
    bins = (theirs.surv_times // BIN_S).astype(np.int64)
    worst = float(np.abs(curve.survival[0, bins] - theirs.surv_prob).max())
    yield Check(
        NUMBER, "Kaplan-Meier, largest |own − statsmodels|", worst, "≤ 1e-10", worst <= 1e-10
    )
    log_s = np.log(theirs.surv_prob)
    inside = (theirs.surv_prob > 0) & (theirs.surv_prob < 1)
    factor = np.exp(1.6448536269514722 * theirs.surv_prob_se / theirs.surv_prob / np.abs(log_s))
    lower, _ = curve.interval(np.array([0]), bins)
    worst = float(np.abs(lower[0] - theirs.surv_prob**factor)[inside].max())
    yield Check(NUMBER, "its lower bound, largest difference", worst, "≤ 1e-8", worst <= 1e-8)
    yield Check(
        "info",
        f"{n:,} durations: own {own * 1e3:.0f} ms, statsmodels",
        f"{other * 1e3:.0f} ms",
        "",
        True,
    )


def calibration(name: str, truth, seed: int) -> Iterator[Check]:
    """Predictions at the end of days in the last half, against what happened."""
    rng = np.random.default_rng([seed, 1])
    half = len(truth.starts) // 2
    last = truth.as_of - 20
    days = rng.choice(np.arange(truth.starts[half], last), size=DAYS, replace=False)
    for hours in (6, 24):
        predicted, happened = [], []
        for day in days:
            one, two = predictions(truth, day, hours)
            predicted.append(one)
            happened.append(two)
        chance, missed = np.concatenate(predicted), np.concatenate(happened)
        told = np.isfinite(chance)
        error = reliability_error(chance[told], missed[told])
        ratio = float(chance[told].sum() / missed[told].sum())
        what = f"{name}, {hours} h ({told.sum():,} clocks, {missed[told].mean():.0%} missed)"
        limit = 0.02 + chance_error(chance[told])
        yield Check(
            NUMBER,
            f"{what}: reliability error by decile",
            error,
            f"≤ {limit:.3f}: 0.02 beyond what few clocks give by chance",
            error <= limit,
        )
        near = 0.07 if hours == 6 else 0.05
        yield Check(
            NUMBER,
            f"{what}: expected ÷ happened",
            ratio,
            f"within {near:.0%}",
            abs(ratio - 1) <= near,
        )
        for low, seen, number in deciles(chance[told], missed[told]):
            yield Check(
                "info", f"   predicted {low:.3f}, happened", f"{seen:.3f} of {number:,}", "", True
            )


def predictions(truth, day, hours):
    """Chances of the clocks that are due within some hours, and whether they were missed."""
    bed = replace(truth, events=as_known(truth.events, day))
    steps = steps_at(bed, SETTINGS, day)
    after = truth.events.take(truth.events.known <= day).take(steps.rows)
    chance, missed = [], []
    for clock in SETTINGS.clocks:
        run = run_clock(steps, clock, bed=bed, settings=SETTINGS)
        found = breach_chances(steps, run, time=city_time(bed, SETTINGS), settings=SETTINGS)
        soon = (run.state == RUNNING) & (run.due <= steps.now + hours * 3_600)
        end = getattr(after, ("", "dispatched", "signed", "resolved", "archived")[clock.end])
        chance.append((found.within_6h if hours == 6 else found.within_24h)[soon])
        missed.append(((end == NEVER) | (end > run.due))[soon])
    return np.concatenate(chance), np.concatenate(missed)


def deciles(chance, missed):
    order = np.argsort(chance, kind="stable")
    for part in np.array_split(order, 10):
        yield float(chance[part].mean()), float(missed[part].mean()), len(part)


def reliability_error(chance, missed) -> float:
    return float(np.mean([abs(low - seen) for low, seen, _ in deciles(chance, missed)]))


def chance_error(chance) -> float:
    """The reliability error that perfect predictions are expected to show."""
    spread = [np.sqrt(low * (1 - low) / number) for low, _, number in deciles(chance, chance)]
    return float(np.sqrt(2 / np.pi) * np.mean(spread))


def no_look_ahead(seed: int) -> Check:
    _, truth = clock_world(seed, grids=400, weeks=60)
    day = truth.ends[40]
    cut = {"starts": truth.starts[:41], "as_of": day}
    seen = [
        clock_tables(replace(truth, events=events, **cut), SETTINGS, 40, day)
        for events in (truth.events, as_known(truth.events, day))
    ]
    different = [
        name
        for name in seen[0]
        if name != "open_clocks" and not seen[0][name].equals(seen[1][name])
    ]
    return Check(
        NUMBER,
        "tables that change when later events are deleted",
        str(different),
        "none",
        not different,
    )


def speed(seed: int) -> Iterator[Check]:
    bed, _ = clock_world(seed, grids=22_000, weeks=104, mean=1.31)
    for days in ("calendar", "working"):
        settings = replace(SETTINGS, days=days)
        start = time.perf_counter()
        steps = steps_at(bed, settings, bed.as_of)
        for clock in settings.clocks:
            run_clock(steps, clock, bed=bed, settings=settings)
        taken = time.perf_counter() - start
        yield Check(
            NUMBER,
            f"clocks of {len(bed.events):,} incidents, {days} days, s",
            taken,
            "≤ 2",
            taken <= 2,
        )


def demo_bed(seed: int):
    """The large ledgers of the demonstration city with their step times, as a bed of one area."""
    with tempfile.TemporaryDirectory() as folder:
        synthesize(Path(folder), size="small", seed=seed % 2**31)
        parts = [ledger(Path(folder), number, config)
                 for number, config in enumerate(demo_sources().values())
                 if "resolved_at" in config["columns"]]  # fmt: skip
    rows = pd.concat(parts, ignore_index=True)
    empty = tiny_bed(1, grids=4, weeks=3).bed.events
    first = pd.Timestamp("2024-11-18")
    rows = rows[rows["occurred"].between(first, pd.Timestamp("2026-11-16"))].reset_index(drop=True)
    seconds = {
        name: np.where(
            rows[name].isna(),
            NEVER,
            rows[name].to_numpy().astype("datetime64[s]").astype(np.int64) - 8 * 3600,
        )
        for name in (
            "occurred",
            "reported",
            "dispatched",
            "signed",
            "resolved",
            "archived",
            "deadline",
        )
    }
    n = len(rows)
    day = rows["occurred"].to_numpy().astype("datetime64[D]")
    known = np.maximum(day, rows["reported"].to_numpy().astype("datetime64[D]"))
    fields = {
        name: np.zeros(n, dtype=getattr(empty, name).dtype)
        for name in ("cell", "origin", "scale", "repeat")
    }
    events = replace(
        empty, day=day, known=known, area=np.zeros(n, dtype=np.int64), identity=np.arange(n),
        category=rows["source"].to_numpy().astype(np.int16) % 4, severity=rows["severity"].to_numpy().astype(np.int8),
        source=rows["source"].to_numpy().astype(np.int16), status=np.full(n, -1, dtype=np.int8),
        outcome=np.full(n, -1, dtype=np.int8), **seconds, **fields,
    )  # fmt: skip
    return bed_of(events, (areas_of("city", np.array([-1]), np.ones(1)),), 104)


def ledger(folder: Path, number: int, config) -> pd.DataFrame:
    path = folder / config["files"][0]
    if config["format"] == "csv":
        rows = pd.read_csv(path, dtype="string", encoding="utf-8-sig")
    else:
        rows = pd.DataFrame(
            [one["properties"] for one in json.loads(path.read_text("utf-8"))["features"]]
        )
    columns = config["columns"]
    rows = rows[~rows[columns["incident_id"]].astype("string").str.startswith("X", na=True)]
    rows = rows.drop_duplicates(columns["incident_id"])
    found = {"source": np.full(len(rows), number)}
    for ours in (
        "occurred",
        "reported",
        "dispatched",
        "signed",
        "resolved",
        "archived",
        "deadline",
    ):
        theirs = columns.get(f"{ours}_at")
        column = rows[theirs] if theirs else pd.Series(None, rows.index, dtype="object")
        found[ours] = pd.to_datetime(
            column, format=config["time_format"], errors="coerce"
        ).to_numpy()
    grades = config.get("severity_codes", {str(one): one for one in range(5)})
    found["severity"] = rows[columns["severity"]].map(grades).fillna(0).astype(int).to_numpy()
    return pd.DataFrame(found)


if __name__ == "__main__":
    main(checks)

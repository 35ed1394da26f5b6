"""Stored tables of the clocks: states by area, urgent clocks, curves, and resolution cohorts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from etl.analyse.deadlines.by_area import area_tables
from etl.analyse.deadlines.chances import SOON_H, breach_chances, oldest_overdue_days, stratum
from etl.analyse.deadlines.clocks import (
    OVERDUE,
    RUNNING,
    STATES,
    calendar_name,
    city_time,
    run_clock,
    steps_at,
)
from etl.analyse.deadlines.cohorts import resolution_cohorts
from etl.analyse.deadlines.survival import BIN_S
from etl.analyse.deadlines.working_days import DAY_S

if TYPE_CHECKING:
    from data.clock_settings import ClockSettings
    from etl.analyse.bed import Bed, Ints
    from etl.analyse.deadlines.chances import Chances
    from etl.analyse.deadlines.clocks import Run, Steps

URGENT_ROWS: Final = 5_000
"""Urgent clocks that are listed by themselves; their number is said in any case."""
CURVE_HOURS: Final = (
    *range(49), *range(54, 241, 6), *range(264, 1441, 24), *range(1512, 2881, 72),
)  # fmt: skip
"""Hours at which a curve is stored: every one for two days, then ever fewer up to 120 days."""


def clock_tables(
    bed: Bed, settings: ClockSettings, at: int, known_on: np.datetime64
) -> dict[str, pd.DataFrame]:
    """
    Tables of one period, as known at the end of a day.

    Parameters
    ----------
    at
        Position in `bed.starts`. Older periods have only their cohort: how the clocks stood at
        some earlier day helps nobody.
    known_on
        Last day that counts, city time.

    Returns
    -------
    tables
        `resolution_cohorts`; for the newest period also `clock_states`, `open_clocks` and
        `clock_curves`.
    """
    tables = {"resolution_cohorts": resolution_cohorts(bed, settings, at, known_on)}
    if at == len(bed.starts) - 1:
        tables |= newest_tables(bed, settings, known_on)
    return tables


def newest_tables(bed: Bed, settings: ClockSettings, day: np.datetime64) -> dict[str, pd.DataFrame]:
    """How the clocks stand at the end of a day."""
    steps = steps_at(bed, settings, day)
    time = city_time(bed, settings)
    states, urgent, curves = [], [], []
    for clock in settings.clocks:
        run = run_clock(steps, clock, bed=bed, settings=settings)
        chances = breach_chances(steps, run, time=time, settings=settings)
        states += _states(bed, settings, steps=steps, run=run, chances=chances)
        urgent.append(_urgent(steps, run, chances))
        curves += [curve_rows(bed, settings, run.clock.name, chances)]
    told = {"period_end": bed.starts[-1].astype(object)}
    days = calendar_name(settings, day)
    found = {
        "clock_states": pd.concat(states, ignore_index=True).assign(**told, days=days),
        "open_clocks": _listed(bed, steps, pd.concat(urgent, ignore_index=True)).assign(**told),
        "clock_curves": pd.concat(curves, ignore_index=True).assign(**told),
    }
    return {name: frame[["period_end", *frame.columns.drop("period_end")]]
            for name, frame in found.items()}  # fmt: skip


def _states(
    bed: Bed, settings: ClockSettings, *, steps: Steps, run: Run, chances: Chances
) -> list[pd.DataFrame]:
    """Rows of `clock_states` of one clock, level by level."""
    recent = steps.time[0] >= steps.now - settings.window_days * DAY_S
    counted = recent | (run.state == RUNNING) | (run.state == OVERDUE)
    rows = np.flatnonzero(counted & (run.state >= 0))
    state = run.state[rows]
    columns = {name: (state == code).astype(float) for code, name in enumerate(STATES)}
    columns |= {
        "expected_breach_6h": chances.within_6h[rows],
        "expected_breach_24h": chances.within_24h[rows],
        "oldest_overdue_days": oldest_overdue_days(steps, run)[rows],
    }
    parts = []
    for part in area_tables(bed, steps.rows[rows], columns, largest=("oldest_overdue_days",)):
        counted = part[list(STATES)].astype(np.int64)
        begun = counted[list(STATES[:-1])].sum(axis=1)
        part[list(STATES)] = counted
        part.insert(3, "clock", run.clock.name)
        part.insert(4, "started", begun)
        # Nothing told is no data; nothing overdue has no oldest.
        expected = ["expected_breach_6h", "expected_breach_24h"]
        part[expected] = part[expected].mask(begun == 0)
        part["oldest_overdue_days"] = part["oldest_overdue_days"].mask(part["overdue"] == 0)
        parts.append(part)
    return parts


def _urgent(steps: Steps, run: Run, chances: Chances) -> pd.DataFrame:
    """Clocks that are overdue, or due within 24 hours."""
    soon = (run.state == RUNNING) & (run.due <= steps.now + SOON_H[-1] * 3_600)
    overdue = run.state == OVERDUE
    rows = np.flatnonzero(soon | overdue)
    late = overdue[rows]
    return pd.DataFrame(
        {
            "row": rows,
            "severity": steps.severity[rows],
            "clock": run.clock.name,
            "started_at": run.start[rows],
            "due_at": run.due[rows],
            "is_overdue": late,
            "p_6h": np.where(late, np.nan, chances.within_6h[rows]),
            "p_24h": np.where(late, np.nan, chances.within_24h[rows]),
        }
    )


def _listed(bed: Bed, steps: Steps, urgent: pd.DataFrame) -> pd.DataFrame:
    """
    The most urgent clocks: first those that can still be kept, then the overdue ones.

    Within each the gravest first, then those due first; incidents in their order break ties.
    """
    by = ["is_overdue", "severity", "due_at", "clock", "row"]
    ordered = urgent.sort_values(by, ascending=[True, False, True, True, True])
    kept = ordered.head(URGENT_ROWS).reset_index(drop=True)
    events = steps.rows[kept.pop("row").to_numpy()]
    level, index = _lowest(bed, bed.events.area[events])
    moments = {
        name: pd.to_datetime(kept[name], unit="s", utc=True) for name in ("started_at", "due_at")
    }
    kept = kept.assign(**moments)
    kept.insert(0, "rank", np.arange(1, len(kept) + 1))
    kept.insert(1, "total", len(urgent))
    kept.insert(2, "identity", bed.events.identity[events])
    kept.insert(3, "level", level)
    kept.insert(4, "area_index", index)
    kept.insert(5, "category_index", bed.events.category[events].astype(np.int64))
    return kept


def _lowest(bed: Bed, row: Ints) -> tuple[pd.Series, Ints]:
    """Level and index of rows of the `areas` table; null and -1 for none."""
    first = np.cumsum([0, *(len(one) for one in bed.areas)])
    depth = np.searchsorted(first, row, side="right") - 1
    names = np.array([*bed.levels, None], dtype=object)
    placed = row >= 0
    level = pd.Series(names[np.where(placed, depth, -1)], dtype=object)
    return level, np.where(placed, row - first[np.maximum(depth, 0)], -1)


def curve_rows(bed: Bed, settings: ClockSettings, clock: str, chances: Chances) -> pd.DataFrame:
    """
    Rows of `clock_curves` of one clock: those of enough clocks, at the hours of `CURVE_HOURS`.

    An empty severity or allowance stands for all of them.
    """
    names = np.array([*bed.groups, "none"], dtype=object)
    places = np.array(CURVE_HOURS) * 3_600 // BIN_S
    parts = []
    for number, level in enumerate(chances.curves):
        enough = np.flatnonzero(level.n >= settings.least_at_risk)
        lower, upper = level.interval(enough, places)
        group, severity, days = stratum(level.strata[enough], number)
        part = pd.DataFrame(
            {
                "group": "all" if group is None else np.repeat(names[group], len(places)),
                "severity": pd.NA if severity is None else np.repeat(severity, len(places)),
                "clock": clock,
                "allowed_days": pd.NA if days is None else np.repeat(days, len(places)),
                "hours": np.tile(np.array(CURVE_HOURS), len(enough)),
                "survival": level.survival[enough][:, places].ravel(),
                "at_risk": level.at_risk[enough][:, places].ravel().astype(np.int64),
                "lower": lower.ravel(),
                "upper": upper.ravel(),
                "n": np.repeat(level.n[enough].astype(np.int64), len(places)),
            }
        )
        parts.append(part.astype({"severity": "Int64", "allowed_days": "Int64"}))
    return pd.concat(parts, ignore_index=True)

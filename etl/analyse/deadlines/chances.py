"""The chance that a running clock is missed: curves of the clocks before it, and no later word."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from etl.analyse.bed import NEVER
from etl.analyse.deadlines.clocks import NONE, OVERDUE, RUNNING, UNKNOWN
from etl.analyse.deadlines.pace import learn_pace
from etl.analyse.deadlines.survival import chance_open, nested_curves
from etl.analyse.deadlines.working_days import DAY_S

if TYPE_CHECKING:
    from data.clock_settings import ClockSettings
    from etl.analyse.bed import Floats, Ints
    from etl.analyse.deadlines.clocks import Run, Steps
    from etl.analyse.deadlines.survival import Curves
    from etl.analyse.deadlines.working_days import CountedTime

HOUR_S: Final = 3_600
SOON_H: Final = (6, 24)
MOST_DAYS: Final = 1_000
_COARSER: Final = (1, MOST_DAYS, MOST_DAYS * 5, MOST_DAYS * 5 * 1_000)
"""
Key = (group * 5 + severity) * `MOST_DAYS` + allowance in whole days: what it is divided by for each
level of curves (all of it, group and severity, group, everything).
"""


@dataclass(frozen=True)
class Chances:
    """
    Chance of each clock of a `Run` to be missed within 6 and 24 hours, shape (n,).

    0 where it is not due by then, or not running; NaN where no curve tells.
    """

    within_6h: Floats
    within_24h: Floats
    curves: list[Curves]


def breach_chances(
    steps: Steps, run: Run, *, time: CountedTime, settings: ClockSettings
) -> Chances:
    """
    P(T > due | T > elapsed) of the clocks that are due soon.

    Durations are in seconds of work (`pace`), learnt from what was done by the moment.
    """
    begun = (run.state != NONE) & (run.state != UNKNOWN)
    keys = _keys(steps, run, time)
    since = steps.now - settings.curve_days * DAY_S
    followed = np.flatnonzero(begun & (run.start >= since))
    ended = run.end[followed] != NEVER
    pace = learn_pace(time, run.end[followed[ended]], since=since, now=steps.now)
    stop = pace.worked(np.where(ended, run.end[followed], steps.now))
    duration = np.maximum(stop - pace.worked(run.start[followed]), 0)
    curves = nested_curves(keys[followed], duration, ended, coarser=_COARSER)
    found = []
    soon = np.flatnonzero((run.state == RUNNING) & (run.due <= steps.now + SOON_H[-1] * HOUR_S))
    start = pace.worked(run.start[soon])
    elapsed = np.maximum(pace.worked(np.array([steps.now])) - start, 0)
    until = np.maximum(pace.worked(run.due[soon]) - start, elapsed)
    nested = [keys[soon] // divisor for divisor in _COARSER]
    chance = chance_open(curves, nested, elapsed, until, least=settings.least_at_risk)
    for hours in SOON_H:
        within = np.zeros(len(run.state))
        within[soon] = np.where(run.due[soon] <= steps.now + hours * HOUR_S, chance, 0.0)
        found.append(within)
    return Chances(found[0], found[1], curves)


def oldest_overdue_days(steps: Steps, run: Run) -> Floats:
    """Days that each clock is overdue, 0 where it is not."""
    late = (steps.now - run.due) / DAY_S
    return np.where(run.state == OVERDUE, late, 0.0)


def stratum(key: Ints, level: int) -> tuple[Ints | None, Ints | None, Ints | None]:
    """Group, severity and allowance in days of the keys of a level; None = all of them."""
    if level == len(_COARSER) - 1:
        return None, None, None
    full = key * _COARSER[level]
    group, severity = full // _COARSER[2], full // MOST_DAYS % 5
    return group, (severity if level < 2 else None), (full % MOST_DAYS if level < 1 else None)


def _keys(steps: Steps, run: Run, time: CountedTime) -> Ints:
    """Stratum of each clock by group, severity and allowance in whole days of counted time."""
    days = np.zeros(len(run.due), dtype=np.int64)
    known = np.flatnonzero(run.due != NEVER)
    allowed = time.counted(run.due[known]) - time.counted(run.start[known])
    days[known] = np.clip(-(-allowed // DAY_S), 0, MOST_DAYS - 1)
    return (steps.group * 5 + steps.severity) * MOST_DAYS + days

"""
Resolution as a cohort: of what came in within a period, how much was resolved, how soon.

The denominator is everything received, what is still open included. A cohort whose last member has
not been followed for the whole time has no figure yet.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from data.source import STATUSES
from etl.analyse.bed import NEVER
from etl.analyse.deadlines.by_area import area_tables
from etl.analyse.deadlines.clocks import city_time, received_at
from etl.analyse.deadlines.working_days import DAY_S

if TYPE_CHECKING:
    from data.clock_settings import ClockSettings
    from etl.analyse.bed import Bed, Ints

FOLLOWED_DAYS: Final = (7, 30)
_OVER: Final = (STATUSES.index("resolved"), STATUSES.index("archived"))


def resolution_cohorts(
    bed: Bed, settings: ClockSettings, at: int, known_on: np.datetime64
) -> pd.DataFrame:
    """
    Rows of `resolution_cohorts` of one period.

    Parameters
    ----------
    at
        Position of the period in `bed.starts`: incidents that the city came to know in it.
    known_on
        Last day that counts, city time.
    """
    events = bed.events
    until = min(bed.ends[at], known_on)
    rows = np.flatnonzero((events.known >= bed.starts[at]) & (events.known <= until))
    cohort = events.take(rows)
    now = city_time(bed, settings).end_of(known_on)
    done = (cohort.resolved != NEVER) & (cohort.resolved <= now)
    # Resolved by its status, but nobody wrote down when; a time still to come is no gap.
    untimed = (cohort.resolved == NEVER) & np.isin(cohort.status, _OVER)
    kept = cohort.status != STATUSES.index("void")
    first = first_resolved(bed)
    told = ((first != NEVER) & (first <= now))[cohort.source] & ~untimed
    counted = kept & told
    waited = np.where(done, cohort.resolved - received_at(cohort), 0)
    columns = {"received": counted, "resolved": counted & done, "unknown": kept & ~told}
    for days in FOLLOWED_DAYS:
        columns[f"resolved_{days}d"] = counted & done & (waited <= days * DAY_S)
    parts = area_tables(bed, rows, {name: one.astype(float) for name, one in columns.items()})
    frame = pd.concat(parts, ignore_index=True)
    frame = frame.astype(dict.fromkeys(columns, "Int64"))
    frame["open"] = frame["received"] - frame["resolved"]
    for days in FOLLOWED_DAYS:
        if known_on < bed.ends[at] + days:
            frame[f"resolved_{days}d"] = pd.NA
    frame.insert(0, "period_end", bed.starts[at].astype(object))
    # No source links a resolution with what came after it.
    return frame.assign(reopened_30d=pd.Series(pd.NA, frame.index, dtype="Int64"))


def first_resolved(bed: Bed) -> Ints:
    """Second of the first resolution that each source tells, `NEVER` = none; (n sources,)."""
    key = ("first resolved",)
    if key not in bed.memo:
        source, resolved = bed.events.source, bed.events.resolved
        found = np.full(int(source.max(initial=0)) + 1, NEVER)
        for number in range(len(found)):
            told = resolved[(source == number) & (resolved != NEVER)]
            found[number] = told.min() if len(told) else NEVER
        bed.memo[key] = found
    first: Ints = bed.memo[key]
    return first

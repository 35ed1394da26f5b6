"""Which periods a snapshot covers, and up to which day."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from data.periods import period_starts, shift
from etl.times import tells_the_day

if TYPE_CHECKING:
    import pandas as pd

    from data.city import City


@dataclass(frozen=True)
class Periods:
    """
    What the counted periods cover.

    Attributes
    ----------
    first, last
        First days of the first counted and of the last complete period.
    as_of
        Last day covered.
    """

    first: dt.date
    last: dt.date
    as_of: dt.date


def covered_periods(city: City, batches: pd.DataFrame) -> Periods:
    """
    Decide which periods are complete.

    The last day covered is `as_of` of the city, else the latest day of any incident (the month's
    last day where a source tells only months). The last complete period is the last one that
    ends on or before that day; counts of a later, incomplete period are stored all the same.

    Parameters
    ----------
    batches
        Account of each batch: `source`, `first_day`, `last_day` (ISO text, null without rows);
        at least one has a day.
    """
    told = batches.dropna(subset=["last_day"])
    day_tellers = {source.name for source in city.sources if tells_the_day(source)}
    as_of = city.as_of or max(
        _last_day(str(row.last_day), row.source in day_tellers) for row in told.itertuples()
    )
    first_day = np.array([min(told["first_day"])], dtype="datetime64[D]")
    day_after = np.array([as_of + dt.timedelta(days=1)], dtype="datetime64[D]")
    first: dt.date = period_starts(first_day, grain=city.grain)[0].astype(object)
    running: dt.date = period_starts(day_after, grain=city.grain)[0].astype(object)
    return Periods(first, max(shift(running, -1, grain=city.grain), first), as_of)


def _last_day(day: str, tells_day: bool) -> dt.date:
    latest = dt.date.fromisoformat(day)
    if tells_day:
        return latest
    return shift(latest.replace(day=1), 1, grain="month") - dt.timedelta(days=1)

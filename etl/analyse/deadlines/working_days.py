"""
Time that counts: all of it, or that of working days only.

A moment is a second since 1970 UTC; counted time is a number of seconds that only grows. Between
two days the map is linear, so that everything is a look-up by day.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Final

import chinese_calendar
import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from etl.analyse.bed import Days, Flags, Ints

DAY_S: Final = 86_400
CHINA: Final = "Asia/"
_MONDAY: Final = 3
"""1970-01-01 was a Thursday: (day + 3) % 7 is 0 on Mondays."""
_MARGIN: Final = 800
"""Days around the moments asked for: a due time lies beyond its start."""


def is_working(days: Days) -> Flags:
    """Working days by the announced holidays and make-up days; else Monday to Friday."""
    number = days.astype("datetime64[D]").astype(np.int64)
    off, worked, _ = _announced()
    weekday = (number + _MONDAY) % 7 < 5
    return np.asarray((weekday & ~np.isin(number, off)) | np.isin(number, worked))


def announced(days: Days) -> Flags:
    """Whether the holidays of each day's year are known."""
    _, _, years = _announced()
    return np.isin(days.astype("datetime64[Y]").astype(np.int64) + 1970, years)


@cache
def _announced() -> tuple[Ints, Ints, Ints]:
    """Days off, days worked in lieu (as numbers since 1970), and the years that are announced."""
    off, worked = (
        np.array(sorted(days), dtype="datetime64[D]").astype(np.int64)
        for days in (chinese_calendar.holidays, chinese_calendar.workdays)
    )
    return off, worked, np.array(sorted({day.year for day in chinese_calendar.holidays}))


@dataclass(frozen=True)
class CountedTime:
    """
    Map from moments to counted seconds and back.

    Attributes
    ----------
    first
        Number of the first day of the tables (days since 1970, city time).
    offset
        Seconds that city time is ahead of UTC, by day.
    working
        Whether it is a working day, by day.
    counts
        Whether a day counts, by day.
    before
        Days that count before each day, shape (n days + 1,).
    counting
        Positions of the days that count.
    """

    first: int
    offset: Ints
    working: Flags
    counts: Flags
    before: Ints
    counting: Ints

    def counted(self, moments: Ints) -> Ints:
        """Counted seconds up to each moment."""
        day, second = self.split(moments)
        return np.asarray(self.before[day] * DAY_S + np.where(self.counts[day], second, 0))

    def moment(self, counted: Ints) -> Ints:
        """The earliest moment at which so many seconds are counted."""
        # The end of a day and the start of the next counting one are the same count.
        whole = np.maximum(counted - 1, 0) // DAY_S
        day = self.counting[np.minimum(whole, len(self.counting) - 1)]
        local = (self.first + day) * DAY_S + (counted - whole * DAY_S)
        return np.asarray(local - self.offset[day])

    def midnight(self, moments: Ints) -> Flags:
        """Which moments are 00:00:00 in city time."""
        return np.asarray(self.split(moments)[1] == 0)

    def end_of(self, day: np.datetime64) -> int:
        """The last second of a day in city time."""
        number = int(day.astype("datetime64[D]").astype(np.int64)) + 1
        return number * DAY_S - int(self.offset[number - self.first]) - 1

    def split(self, moments: Ints) -> tuple[Ints, Ints]:
        """Position of the day in city time, and second of that day."""
        last = len(self.offset) - 1
        utc_day = np.clip(moments // DAY_S - self.first, 0, last)
        local = moments + self.offset[utc_day] - self.first * DAY_S
        return np.clip(local // DAY_S, 0, last), local % DAY_S


def counted_time(
    first: np.datetime64, last: np.datetime64, zone: str, *, working: bool
) -> CountedTime:
    """
    Tables for moments between two days and some time around them.

    Parameters
    ----------
    working
        Whether only working days count. Outside `Asia/` there are no Chinese holidays: Monday to
        Friday.
    """
    days = np.arange(
        first.astype("datetime64[D]") - _MARGIN, last.astype("datetime64[D]") + _MARGIN
    )
    number = days.astype(np.int64)
    noon = pd.DatetimeIndex(days.astype("datetime64[s]") + np.timedelta64(12, "h"), tz="UTC")
    local = noon.tz_convert(zone).tz_localize(None).to_numpy().astype("datetime64[s]")
    offset = (local - (days.astype("datetime64[s]") + np.timedelta64(12, "h"))).astype(np.int64)
    weekday = (number + _MONDAY) % 7 < 5
    at_work = is_working(days) if zone.startswith(CHINA) else weekday
    counts = at_work if working else np.ones(len(days), dtype=bool)
    before = np.append(0, np.cumsum(counts))
    return CountedTime(int(number[0]), offset, at_work, counts, before, np.flatnonzero(counts))

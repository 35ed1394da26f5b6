"""
Chinese public holidays as regressors: what share of a period is off, by kind of holiday.

Days off and make-up working days (调休) are those that the State Council announces, as listed by
the package `chinesecalendar`. A year that is not announced there is unknown, not free of holidays.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Final

import chinese_calendar
import numpy as np

from data.periods import shift

if TYPE_CHECKING:
    from data.periods import Grain
    from etl.analyse.bed import Days, Flags, Floats

KINDS: Final = ("spring", "after_spring", "national", "other", "make_up")
"""
Columns of the regressors: days off at 春节; the week after them, when people return; days off at
国庆; other statutory days off; weekend days that are worked (调休).
"""

CHINA: Final = "Asia/"
_AFTER_DAYS: Final = 7
_COLUMN: Final = {
    chinese_calendar.Holiday.spring_festival.value: 0,
    chinese_calendar.Holiday.national_day.value: 2,
}


@dataclass(frozen=True)
class Holidays:
    """
    Regressors of periods.

    Attributes
    ----------
    shares
        Share of each period's days by `KINDS`, shape (n periods, 5); 0 where unknown.
    working
        Share of working days, shape (n periods,); NaN where unknown.
    known
        Whether the holidays of all its days are announced, shape (n periods,).
    """

    shares: Floats
    working: Floats
    known: Flags


def holidays(starts: Days, *, grain: Grain, time_zone: str = "Asia/Shanghai") -> Holidays:
    """
    Holidays of periods.

    Parameters
    ----------
    starts
        First days of the periods, shape (n periods,).
    time_zone
        Of the city; outside `Asia/` there are no Chinese holidays, and that is known.
    """
    first = starts.astype("datetime64[D]")
    if not time_zone.startswith(CHINA):
        none = np.zeros((len(first), len(KINDS)))
        return Holidays(none, np.full(len(first), np.nan), np.ones(len(first), dtype=bool))
    if not len(first):
        return Holidays(np.zeros((0, len(KINDS))), np.zeros(0), np.zeros(0, dtype=bool))
    after = np.array([shift(one, 1, grain=grain) for one in first.astype(object)], first.dtype)
    days = np.arange(first.min(), after.max())
    kinds, working, known = _days(days)
    left, right = (edges.astype(np.int64) - days[0].astype(np.int64) for edges in (first, after))
    length = (right - left).astype(np.float64)

    def share(values: Floats) -> Floats:
        sums = np.vstack([np.zeros((1, values.shape[1])), np.cumsum(values, axis=0)])
        return np.asarray((sums[right] - sums[left]) / length[:, None])

    told = share(known[:, None].astype(np.float64))[:, 0] == 1
    return Holidays(
        np.where(told[:, None], share(kinds), 0.0),
        np.where(told, share(working[:, None])[:, 0], np.nan),
        told,
    )


def _days(days: Days) -> tuple[Floats, Floats, Flags]:
    """By day: kinds (n, 5), working (n,), known (n,)."""
    off, worked, years = _announced()
    kinds = np.zeros((len(days), len(KINDS)))
    known = np.array([day.year in years for day in days.astype(object)], dtype=bool)
    weekend = (days.astype(np.int64) + 3) % 7 >= 5
    is_off, is_make_up = np.zeros(len(days), dtype=bool), np.zeros(len(days), dtype=bool)
    # Days of a holiday that began before the first period still cast their week after.
    for position, day in enumerate(days.astype(object)):
        if day in off:
            kinds[position, off[day]] = 1.0
            is_off[position] = True
        is_make_up[position] = day in worked
        if _is_after(day):
            kinds[position, 1] = 1.0
    kinds[is_make_up, 4] = 1.0
    return kinds, np.where(is_off | (weekend & ~is_make_up), 0.0, 1.0), known


@cache
def _is_after(day: dt.date) -> bool:
    """Whether a day follows within a week on one of the first kind, and is none itself."""
    off, _, _ = _announced()
    earlier = (day - dt.timedelta(days=back) for back in range(1, _AFTER_DAYS + 1))
    return off.get(day) != 0 and any(off.get(one) == 0 for one in earlier)


@cache
def _announced() -> tuple[dict[dt.date, int], frozenset[dt.date], frozenset[int]]:
    """Days off with their column, make-up working days, and the years that are announced."""
    off = {day: _COLUMN.get(name, 3) for day, name in chinese_calendar.holidays.items()}
    # `workdays` also lists weekdays that are worked although a holiday is near: not made up.
    worked = frozenset(day for day in chinese_calendar.workdays if day.weekday() >= 5)
    return off, worked, frozenset(day.year for day in off)

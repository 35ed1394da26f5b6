"""Weeks and months in city time: the grain in which incidents are counted."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Grain = Literal["week", "month"]
Days = NDArray[np.datetime64]

PERIODS_PER_YEAR: dict[Grain, int] = {"week": 52, "month": 12}
"""Periods back to the same season last year; 52 weeks keep the day of the week."""

_MONDAY = np.datetime64("1970-01-05")


@dataclass(frozen=True)
class Window:
    """`periods` whole periods, the last of which starts on `end`."""

    end: dt.date
    periods: int
    grain: Grain

    @property
    def start(self) -> dt.date:
        """First day of the first period."""
        return shift(self.end, 1 - self.periods, grain=self.grain)

    @property
    def last_day(self) -> dt.date:
        """Last day of the last period."""
        return shift(self.end, 1, grain=self.grain) - dt.timedelta(days=1)

    def earlier(self, periods: int) -> Window:
        """Shift the same window back by a number of periods."""
        return Window(shift(self.end, -periods, grain=self.grain), self.periods, self.grain)

    @property
    def starts(self) -> list[dt.date]:
        """First days of the window's periods, in order."""
        return span(self.start, self.end, grain=self.grain)


def period_starts(days: Days, *, grain: Grain) -> Days:
    """
    First day of the period that holds each day; weeks start on Monday (ISO 8601).

    Parameters
    ----------
    days
        Calendar days in city time, `datetime64[D]`, shape (n,); NaT stays NaT.

    Returns
    -------
    starts
        `datetime64[D]`, shape (n,).
    """
    days = days.astype("datetime64[D]")
    if grain == "month":
        return days.astype("datetime64[M]").astype("datetime64[D]")
    return np.asarray(days - (days - _MONDAY) % np.timedelta64(7, "D"))


def shift(start: dt.date, periods: int, *, grain: Grain) -> dt.date:
    """Start of the period that lies `periods` after (before, when negative) the given one."""
    if grain == "week":
        return start + dt.timedelta(weeks=periods)
    months = start.year * 12 + start.month - 1 + periods
    return dt.date(months // 12, months % 12 + 1, 1)


def span(first: dt.date, last: dt.date, *, grain: Grain) -> list[dt.date]:
    """Every period start from `first` to `last`, both included."""
    starts = []
    while first <= last:
        starts.append(first)
        first = shift(first, 1, grain=grain)
    return starts


def exposure_days(valid_from: Days, valid_to: Days, window: Window) -> NDArray[np.int64]:
    """
    Days of a window on which each area is valid: its share of the window's exposure.

    Parameters
    ----------
    valid_from, valid_to
        First day, and first day no longer valid, of each area (`geo.divisions.validity`).
    window
        Whole periods.

    Returns
    -------
    days
        0 to the days of the window. An area that is cut in two inside a window, and the two that
        follow it, share out the days: residents times days are neither lost nor doubled.
    """
    first, after = np.datetime64(window.start), np.datetime64(window.last_day) + 1
    days = np.minimum(valid_to, after) - np.maximum(valid_from, first)
    return np.maximum(days.astype(np.int64), 0)


def label(start: dt.date, *, grain: Grain) -> str:
    """Name a period in ISO form: `2026-W46` or `2026-11`."""
    if grain == "month":
        return f"{start:%Y-%m}"
    year, week, _ = start.isocalendar()
    return f"{year}-W{week:02d}"


def parse_label(text: str, *, grain: Grain) -> dt.date:
    """
    Start of the period that a label names; the inverse of `label`.

    Raises
    ------
    ValueError
        The text is no label of this grain.
    """
    if grain == "month":
        if len(text) != len("2026-11"):
            raise ValueError(f"period {text!r} is not of the form YYYY-MM")
        return dt.date.fromisoformat(f"{text}-01")
    year, mark, week = text.partition("-W")
    if not mark or len(year) != len("2026") or len(week) != len("46"):
        raise ValueError(f"period {text!r} is not of the form YYYY-Www")
    return dt.date.fromisocalendar(int(year), int(week), 1)

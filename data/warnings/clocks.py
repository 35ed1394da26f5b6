"""
The clocks of a warning: when a stage is due, in all hours or in working hours. Pure functions.

Working days are those of the announced calendar (调休 included) in `Asia/` zones; in a year that is
not announced yet, and elsewhere, Monday to Friday. The hours are of the city's own clock.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

import chinese_calendar

from data.warnings import life

if TYPE_CHECKING:
    from collections.abc import Mapping

CALENDAR, WORKING = "calendar", "working"
URGENCIES: Final = ("high", "medium", "low")
STAGES: Final = ("assign", "sign", "handle", "archive")
RISK: Final = "risk"
_CHINA: Final = "Asia/"
_MIDNIGHT: Final = dt.time()
_MOST_DAYS: Final = 800
"""A longest look ahead: the longest allowance and the holidays within it."""

CLOCK_OF: Final[dict[str, str]] = {
    life.NEW: "assign", life.RETURNED: "assign", life.ESCALATED: "assign",
    life.ASSIGNED: "sign", life.SIGNED: "handle", life.IN_HAND: "handle",
    life.CLOSED: "archive", life.ARCHIVED: "",
}  # fmt: skip
"""State to the clock of its stage."""


@dataclass(frozen=True)
class Clocks:
    """
    How long a stage, and the whole until closing, may take.

    Attributes
    ----------
    days
        `calendar`: every hour counts; `working`: the hours `start` to `end` of working days.
    start, end
        00:00 and 00:00 = the whole day.
    stages, risks
        Days by stage and by urgency; a working day is a day.
    """

    time_zone: str
    days: str
    start: dt.time
    end: dt.time
    stages: Mapping[str, float]
    risks: Mapping[str, float]


def due_at(start: dt.datetime, days: float, clocks: Clocks) -> dt.datetime:
    """
    Moment at which so many days have counted since a start.

    Parameters
    ----------
    start
        Aware.

    Raises
    ------
    ValueError
        More days than can be looked ahead.
    """
    if clocks.days == CALENDAR:
        return start.astimezone(dt.UTC) + dt.timedelta(days=days)
    zone = ZoneInfo(clocks.time_zone)
    left = _length(clocks) * days
    first = start.astimezone(zone).date()
    for number in range(_MOST_DAYS):
        day = first + dt.timedelta(days=number)
        if not is_working(day, clocks.time_zone):
            continue
        opens, ends = _hours(day, clocks, zone)
        opens = max(opens, start.astimezone(dt.UTC))
        if opens + left <= ends:
            return opens + left
        left -= max(ends - opens, dt.timedelta())
    raise ValueError(f"{days} working days are more than {_MOST_DAYS} days ahead")


def overdue(due: dt.datetime | None, now: dt.datetime) -> bool:
    """Whether a clock has run out."""
    return due is not None and now > due


def left(due: dt.datetime | None, now: dt.datetime) -> dt.timedelta | None:
    """Time until a clock runs out, negative once it has; None where none runs."""
    return None if due is None else due - now


def first_due(
    state: str, urgency: str, *, stage_at: dt.datetime, risk_at: dt.datetime, clocks: Clocks
) -> tuple[dt.datetime | None, str]:
    """
    The clock that runs out first in a state, and its name; None and "" where none runs.

    The clock of the urgency runs until the warning is closed.
    """
    stage = CLOCK_OF[state]
    if not stage:
        return None, ""
    running = [(due_at(stage_at, clocks.stages[stage], clocks), stage)]
    if state in life.OPEN:
        running.append((due_at(risk_at, clocks.risks[urgency], clocks), RISK))
    return min(running)


def is_working(day: dt.date, time_zone: str) -> bool:
    """Whether a day is worked."""
    off, worked = _announced() if time_zone.startswith(_CHINA) else (frozenset(), frozenset())
    return day in worked or (day.weekday() < 5 and day not in off)


@cache
def _announced() -> tuple[frozenset[dt.date], frozenset[dt.date]]:
    return frozenset(chinese_calendar.holidays), frozenset(chinese_calendar.workdays)


def _hours(day: dt.date, clocks: Clocks, zone: ZoneInfo) -> tuple[dt.datetime, dt.datetime]:
    """Begin and end of a day's counted hours, in UTC."""
    last = day + dt.timedelta(days=1) if clocks.end == _MIDNIGHT else day
    opens = dt.datetime.combine(day, clocks.start, zone)
    return opens.astimezone(dt.UTC), dt.datetime.combine(last, clocks.end, zone).astimezone(dt.UTC)


def _length(clocks: Clocks) -> dt.timedelta:
    """Counted hours of an ordinary day."""
    begin, end = (dt.timedelta(hours=one.hour, minutes=one.minute) for one in
                  (clocks.start, clocks.end))  # fmt: skip
    return (end or dt.timedelta(days=1)) - begin

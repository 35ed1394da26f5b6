"""
Clocks of every incident at a moment: done in time, done late, running, overdue, or unknown.

Nothing after the moment counts. What a source never tells is unknown for all its incidents; what
one record leaves out although its later steps are told is unknown for that incident.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from data.clock_settings import MERGE, STEPS, WORKING
from data.source import STATUSES
from etl.analyse.bed import NEVER
from etl.analyse.deadlines.working_days import DAY_S, announced, counted_time

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from data.clock_settings import Clock, ClockSettings
    from etl.analyse.bed import Bed, Events, Flags, Floats, Ints
    from etl.analyse.deadlines.working_days import CountedTime

STATES: Final = ("in_time", "late", "running", "overdue", "unknown")
IN_TIME, LATE, RUNNING, OVERDUE, UNKNOWN = range(len(STATES))
NONE: Final = -1
"""State of a clock that has not begun, or that the incident does not have."""

RECEIVED, RESOLVED, ARCHIVED = (STEPS.index(one) for one in ("received", "resolved", "archived"))
_STATUS_STEP: Final = {"resolved": RESOLVED, "archived": ARCHIVED}
_VOID: Final = STATUSES.index("void")


@dataclass(frozen=True)
class Steps:
    """
    Incidents at a moment.

    Attributes
    ----------
    rows
        Positions in `bed.events`, shape (n,).
    now
        The moment, second since 1970 UTC.
    time
        Second of each of `STEPS`, `NEVER` = not by now, shape (5, n).
    passed
        Whether a step lies behind, its time told or not, shape (5, n).
    told
        Whether a source has told a step's time by now, shape (n sources, 5).
    source, group, severity
        Of each incident; group `len(bed.groups)` = in none.
    deadline
        The source's own, `NEVER` = none.
    """

    rows: Ints
    now: int
    time: Ints
    passed: Flags
    told: Flags
    source: Ints
    group: Ints
    severity: Ints
    deadline: Ints


@dataclass(frozen=True)
class Run:
    """
    One clock of every incident of `Steps`, arrays of shape (n,).

    `start` and `due` are seconds, `NEVER` where the clock has not begun or has no allowance; `end`
    is `NEVER` until the step is done.
    """

    clock: Clock
    state: NDArray[np.int8]
    start: Ints
    end: Ints
    due: Ints


def city_time(bed: Bed, settings: ClockSettings) -> CountedTime:
    """Counted time over the days of a bed."""
    working = settings.days == WORKING
    return counted_time(bed.starts[0], bed.as_of, settings.time_zone, working=working)


def calendar_name(settings: ClockSettings, day: np.datetime64) -> str:
    """`calendar`; `working`; or `weekdays` where holidays near the day are not announced."""
    if settings.days != WORKING:
        return settings.days
    near = np.array([day, day + 14], dtype="datetime64[D]")
    known = settings.time_zone.startswith("Asia/") and announced(near).all()
    return settings.days if known else "weekdays"


def received_at(events: Events) -> Ints:
    """Second at which each was reported, else happened."""
    return np.where(events.reported == NEVER, events.occurred, events.reported)


def step_times(events: Events, now: int, known: Flags) -> list[Ints]:
    """Seconds of each of `STEPS`, `NEVER` where not by now or where nothing is known."""
    later = (events.dispatched, events.signed, events.resolved, events.archived)
    return [np.where(known & (one <= now), one, NEVER) for one in (received_at(events), *later)]


def told_steps(source: NDArray[np.int16], times: list[Ints]) -> Flags:
    """Whether a source tells a step's time at all, shape (n sources, 5)."""
    n = int(source.max(initial=0)) + 1
    counts = [np.bincount(source[one != NEVER], minlength=n) for one in times]
    return np.asarray(np.array(counts).T > 0)


def steps_at(bed: Bed, settings: ClockSettings, day: np.datetime64) -> Steps:
    """
    Incidents known at the end of a day, those long over left out.

    Parameters
    ----------
    day
        City time; its end is the moment.
    """
    now = city_time(bed, settings).end_of(day)
    events = bed.events
    known = bed.known_by(day) & (events.status != _VOID)
    times = step_times(events, now, known)
    told = told_steps(events.source, times)
    recent = now - DAY_S * max(settings.window_days, settings.curve_days)
    kept = times[RECEIVED] >= recent
    for step in {clock.end for clock in settings.clocks}:
        kept |= (times[step] == NEVER) & told[events.source, step]
    chosen = np.flatnonzero(kept & known)
    time = np.stack([one[chosen] for one in times])
    group = bed.group_of[events.category[chosen]]
    return Steps(
        rows=chosen,
        now=now,
        time=time,
        passed=_passed(time, events, chosen, now),
        told=told,
        source=events.source[chosen].astype(np.int64),
        group=np.where(group < 0, len(bed.groups), group),
        severity=events.severity[chosen].astype(np.int64),
        deadline=events.deadline[chosen],
    )


def _passed(time: Ints, events: Events, chosen: Ints, now: int) -> Flags:
    passed = time != NEVER
    later = np.any([getattr(events, name)[chosen] > now for name in STEPS[1:]], axis=0)
    # A status tells that a step was done even where its time is missing; but it is today's, and no
    # word about an earlier moment.
    status = np.where(later, -1, events.status[chosen])
    for name, step in _STATUS_STEP.items():
        passed[step] |= status == STATUSES.index(name)
    return np.asarray(np.logical_or.accumulate(passed[::-1], axis=0)[::-1])


def run_clock(steps: Steps, clock: Clock, *, bed: Bed, settings: ClockSettings) -> Run:
    """One clock of every incident."""
    first, allowed = _counting_from(steps, clock, bed, settings)
    time = city_time(bed, settings)
    columns = np.arange(len(steps.rows))
    start = np.where(first >= 0, steps.time[first, columns], NEVER)
    has_own = clock.own_deadline & (steps.deadline != NEVER)
    start = np.where(has_own, steps.time[RECEIVED], start)
    begun = (start != NEVER) & (has_own | np.isfinite(allowed))
    due = np.full(len(start), NEVER)
    ours = np.flatnonzero(begun & ~has_own)
    due[ours] = time.moment(time.counted(start[ours]) + (allowed[ours] * DAY_S).astype(np.int64))
    theirs = np.flatnonzero(begun & has_own)
    # A deadline without a time of day means the whole day.
    deadline = steps.deadline[theirs]
    due[theirs] = deadline + np.where(time.midnight(deadline), DAY_S - 1, 0)
    end = steps.time[clock.end]
    told = steps.told[steps.source, clock.end] & (has_own | (first >= 0))
    state = _states(steps, clock, start=start, end=end, due=due)
    unknown = ~told | (~has_own & np.isnan(allowed))
    state = np.where(unknown, UNKNOWN, state)
    hidden = (state == NONE) | (state == UNKNOWN)
    moments = (np.where(hidden, NEVER, one) for one in (start, end, due))
    return Run(clock, state.astype(np.int8), *moments)


def _states(steps: Steps, clock: Clock, *, start: Ints, end: Ints, due: Ints) -> Ints:
    """States of clocks whose source tells both steps."""
    begun, ended = start != NEVER, end != NEVER
    # The step is done, but when it was, or when it began, this record does not tell.
    untimed = steps.passed[clock.end] & (~begun | ~ended)
    done = np.where(end <= due, IN_TIME, LATE)
    still = np.where(steps.now <= due, RUNNING, OVERDUE)
    return np.where(untimed, UNKNOWN, np.where(~begun, NONE, np.where(ended, done, still)))


def _counting_from(
    steps: Steps, clock: Clock, bed: Bed, settings: ClockSettings
) -> tuple[Ints, Floats]:
    """Step that each clock counts from (-1 = none is told) and its days, by incident."""
    names = (*bed.groups, "all")
    first = np.full(len(steps.told), -1)
    allowed = np.full((len(steps.told), len(names), 5), np.nan)
    for source, told in enumerate(steps.told):
        chain = _chain(clock, told, settings)
        if chain:
            first[source] = chain[-1].start
            days = [[settings.allowed(one, name) for name in names] for one in chain]
            allowed[source] = np.sum(np.array(days), axis=0)
    return first[steps.source], allowed[steps.source, steps.group, steps.severity]


def _chain(clock: Clock, told: Flags, settings: ClockSettings) -> list[Clock]:
    """The clock, and those before it whose end the source never tells; empty = no data."""
    found = [clock]
    while not told[found[-1].start]:
        before = [one for one in settings.clocks if one.end == found[-1].start]
        if settings.untold_steps != MERGE or not before:
            return []
        found.append(before[0])
    return found

"""Worlds whose incidents pass through their steps in a way that is known."""

from dataclasses import replace

import numpy as np

from etl.analyse.bed import NEVER
from etl.analyse.deadlines.working_days import is_working
from tests.etl.analyse.worlds import CHINA_S, world

HOUR_S = 3_600
OPEN, SHUT = 8, 18
# Median hours to be dispatched, signed for, resolved and archived, and their spread (log).
STEPS = ((7.0, 0.9), (14.0, 0.9), (40.0, 0.8), (80.0, 0.9))
GROUP_FACTOR = np.array([1.4, 0.6, 1.0, 0.8])
SEVERITY_FACTOR = np.array([1.0, 1.2, 1.0, 0.7, 0.4])


def clock_world(seed, *, office=False, **size):
    """
    A bed with step times, and the same with those after its end: what happened in truth.

    With `office` steps are done between 8 and 18 o'clock of working days only.
    """
    bed = world(seed, **size).bed
    rng = np.random.default_rng([seed, 7])
    events = bed.events
    n = len(events)
    factor = GROUP_FACTOR[events.category] * SEVERITY_FACTOR[events.severity]
    times, moment = [], events.reported
    for median, spread in STEPS:
        wait = median * HOUR_S * factor * rng.lognormal(0, spread, n)
        moment = opened(moment, wait * (10 / 24 * 5 / 7)) if office else moment + wait.astype(int)
        times.append(moment)
    names = ("dispatched", "signed", "resolved", "archived")
    truth = replace(events, **dict(zip(names, times, strict=True)))
    return replace(bed, events=as_known(truth, bed.as_of)), replace(bed, events=truth)


def as_known(events, day):
    """What was known of the incidents at the end of a day."""
    now = end_of(day)
    names = ("dispatched", "signed", "resolved", "archived")
    cut = {
        name: np.where(getattr(events, name) > now, NEVER, getattr(events, name)) for name in names
    }
    return replace(events, **cut).take(events.known <= day)


def end_of(day):
    return int((day + 1).astype("datetime64[s]").astype(np.int64)) - CHINA_S - 1


def opened(since, seconds):
    """Moments after so many seconds of opening hours."""
    first = np.datetime64("2024-01-01")
    days = np.arange(first, np.datetime64("2028-01-01"))
    length = is_working(days) * (SHUT - OPEN) * HOUR_S
    before = np.append(0, np.cumsum(length))
    local = since + CHINA_S - first.astype("datetime64[s]").astype(np.int64)
    day, second = local // 86_400, local % 86_400
    spent = np.clip(second - OPEN * HOUR_S, 0, length[day])
    wanted = before[day] + spent + seconds
    done = np.searchsorted(before, wanted, side="left") - 1
    local = done * 86_400 + OPEN * HOUR_S + wanted - before[done]
    return (local - CHINA_S).astype(np.int64) + first.astype("datetime64[s]").astype(np.int64)

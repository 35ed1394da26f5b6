"""
The pace of work: an hour counts by how many steps are usually done in such an hour.

Days end at midnight, and nobody signs at night: a clock that is due at three in the morning is
not kept by half of those that a curve in plain hours would let be done by then. Time is therefore
stretched and shrunk, by hour of working and of free days, until steps fall evenly (the time change
of a point process: Daley and Vere-Jones 2003, section 7.4).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from etl.analyse.bed import Floats, Ints
    from etl.analyse.deadlines.working_days import CountedTime

HOUR_S: Final = 3_600
HOURS: Final = 24
PRIOR_STEPS: Final = 5.0
"""Each kind of hour starts with so many steps at the mean pace."""


@dataclass(frozen=True)
class Pace:
    """
    Seconds of work up to a moment; on average over a long time a second is a second.

    Attributes
    ----------
    time
        Days in city time.
    weight
        Seconds of work in a second, by free (0) and working day (1) and hour, shape (2, 24).
    within
        Seconds of work of such a day before each hour, shape (2, 25).
    before
        Seconds of work before each day of `time`, shape (n days + 1,).
    """

    time: CountedTime
    weight: Floats
    within: Floats
    before: Floats

    def worked(self, moments: Ints) -> Ints:
        """Seconds of work up to each moment."""
        day, second = self.time.split(moments)
        cell = self.time.working[day] * HOURS + second // HOUR_S
        within = (
            self.within[:, :-1].ravel()
            - np.arange(2 * HOURS) % HOURS * HOUR_S * self.weight.ravel()
        )
        found = self.before[day] + within[cell] + second * self.weight.ravel()[cell]
        return np.asarray(found).astype(np.int64)


def learn_pace(time: CountedTime, done: Ints, *, since: int, now: int) -> Pace:
    """
    Pace of steps done between two moments.

    Parameters
    ----------
    done
        Moments at which steps were done, shape (n,).
    """
    day, second = time.split(done)
    cell = time.working[day] * HOURS + second // HOUR_S
    counts = np.bincount(cell, minlength=2 * HOURS).reshape(2, HOURS).astype(np.float64)
    covered = time.working[slice(*time.split(np.array([since, now]))[0])]
    days = np.array([[np.sum(~covered)], [np.sum(covered)]], dtype=np.float64)
    mean = counts.sum() / max(days.sum() * HOURS, 1.0)
    weight = (counts + PRIOR_STEPS) / (days * mean + PRIOR_STEPS)
    # The prior moves the mean a little; a day of work stays a day.
    weight *= days.sum() * HOURS / max(float((weight * days).sum()), 1e-9) if days.sum() else 1.0
    within = np.pad(np.cumsum(weight * HOUR_S, axis=1), ((0, 0), (1, 0)))
    per_day = within[time.working.astype(np.int64), -1]
    return Pace(time, weight, within, np.append(0.0, np.cumsum(per_day)))

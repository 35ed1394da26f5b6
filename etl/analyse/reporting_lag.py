"""
How late the city learns of its events, and which days count as complete.

The delay is `known - day`. Of recent days only the quickly known events are seen (right
truncation), so its distribution is estimated backwards: the share of delay l among delays up to l
is taken from days at least l days ago (product limit on reversed time; Lagakos, Barraj and
De Gruttola 1988, Biometrika 75, 515).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from etl.analyse.bed import Bed, Days, Floats, Ints

LAG_DAYS: Final = 90
"""What comes later is a bulk import, not a delay: it is left out."""

COMPLETE: Final = 0.97
"""Share of a day's events that must be known for the day to count as complete."""

MEMORY_DAYS: Final = 365
LEAST_EVENTS: Final = 100
"""A group with fewer events goes by the delays of all."""

_DAY: Final = np.timedelta64(1, "D")


@dataclass(frozen=True)
class Completeness:
    """Share of a day's events that is known: by days since, shape (`LAG_DAYS` + 1,)."""

    shares: Floats

    def __call__(self, days_since: Ints) -> Floats:
        """Share known so many days later; 0 before the day, 1 after `LAG_DAYS`."""
        at = np.clip(days_since, 0, LAG_DAYS)
        return np.where(np.asarray(days_since) < 0, 0.0, self.shares[at])

    @property
    def complete_after(self) -> int:
        """Least number of days after which a day counts as complete."""
        return int(np.argmax(self.shares >= COMPLETE))

    def complete_through(self, known_on: np.datetime64) -> np.datetime64:
        """Last day whose data count as complete on a day; those after it are incomplete."""
        return np.datetime64(known_on - self.complete_after * _DAY)

    def of_periods(self, starts: Days, ends: Days, known_on: np.datetime64) -> Floats:
        """Share of each period's events known on a day, its days weighing alike; (n periods,)."""
        sums = np.append(0.0, np.cumsum(self.shares))
        # Days since, of the last and of the day before the first day of each period.
        nearest, farthest = ((known_on - edge).astype(np.int64) for edge in (ends, starts - 1))

        def upto(days: Ints) -> Floats:
            whole = sums[np.clip(days, 0, LAG_DAYS + 1)]
            return np.asarray(whole + np.maximum(days - LAG_DAYS - 1, 0))

        return (upto(farthest) - upto(nearest)) / (farthest - nearest)


@dataclass(frozen=True)
class Delays:
    """Events by day and delay, summed over the days up to each: (n days + 1, `LAG_DAYS` + 1)."""

    first: np.datetime64
    exact: Ints
    within: Ints

    def as_known(self, on: np.datetime64) -> tuple[Completeness, int]:
        """Completeness estimated from what was known on a day, and events that it rests on."""
        lags = np.arange(LAG_DAYS + 1)
        since = int((on - self.first).astype(np.int64)) + 1
        last = np.clip(since - lags, 0, len(self.exact) - 1)
        oldest = np.clip(since - MEMORY_DAYS - lags, 0, len(self.exact) - 1)
        at_lag = self.exact[last, lags] - self.exact[oldest, lags]
        up_to = self.within[last, lags] - self.within[oldest, lags]
        stays = 1 - at_lag / np.maximum(up_to, 1)
        # F(l) = Π over k > l of (1 - g(k)); of the longest delay it is 1.
        shares = np.append(np.cumprod(stays[:0:-1])[::-1], 1.0)
        return Completeness(shares), int(up_to.max())


def delays(day: Days, known: Days) -> Delays:
    """Sum events by day and delay; shape of both (n events,)."""
    return group_delays(day, known, np.zeros(len(day), dtype=np.int8), groups=0)[-1]


def group_delays(day: Days, known: Days, group: NDArray[np.int8], *, groups: int) -> list[Delays]:
    """
    Sum events by day and delay.

    Parameters
    ----------
    day, known
        Shape (n events,).
    group
        Position of each event's group, negative = in none; shape (n events,).
    groups
        Number of groups.

    Returns
    -------
    delays
        Of each group, and of all events last.
    """
    if not len(day):
        none = np.zeros((1, LAG_DAYS + 1), dtype=np.int64)
        return [Delays(np.datetime64("1970-01-01"), none, none)] * (groups + 1)
    first = day.min()
    row, lag = (day - first).astype(np.int64), (known - day).astype(np.int64)
    kept = (lag >= 0) & (lag <= LAG_DAYS)
    number = int(row.max()) + 1
    own = np.where(group < 0, groups, group)[kept].astype(np.int64)
    keys = (own * number + row[kept]) * (LAG_DAYS + 1) + lag[kept]
    shape = (groups + 1, number, LAG_DAYS + 1)
    table = np.bincount(keys, minlength=int(np.prod(shape))).reshape(shape)
    table[-1] = table.sum(axis=0)
    exact = np.zeros((shape[0], number + 1, LAG_DAYS + 1), dtype=np.int64)
    np.cumsum(table, axis=1, out=exact[:, 1:])
    return [Delays(np.datetime64(first, "D"), one, np.cumsum(one, axis=1)) for one in exact]


def completeness(bed: Bed, group: str, on: np.datetime64) -> Completeness:
    """
    Completeness of the days of a group's reported events, estimated from what was known on a day.

    A group with fewer than `LEAST_EVENTS` goes by all groups; a city with none is taken to know
    of everything at once.
    """
    return _as_known(bed, group, on, by_period=False)


def period_completeness(bed: Bed, group: str, on: np.datetime64) -> Completeness:
    """
    The same of whole periods: by days since the period's last day.

    Delays are counted from the end of the period. A source that uploads once a week or tells the
    month only is thereby complete when its upload has come, whatever day it writes on its events.
    """
    return _as_known(bed, group, on, by_period=True)


def _as_known(bed: Bed, group: str, on: np.datetime64, *, by_period: bool) -> Completeness:
    found, number = _delays(bed, group, by_period=by_period).as_known(on)
    if number < LEAST_EVENTS and group != "all":
        found, _ = _delays(bed, "all", by_period=by_period).as_known(on)
    return found


def _delays(bed: Bed, group: str, *, by_period: bool) -> Delays:
    key = ("delays", by_period)
    if key not in bed.memo:
        rows = bed.counted if by_period else np.flatnonzero(bed.reported)
        day, known = bed.events.day[rows], bed.events.known[rows]
        if by_period:
            day = bed.ends[bed.period[rows]]
            known = np.maximum(known, day)
        bed.memo[key] = group_delays(day, known, bed.group[rows], groups=len(bed.groups))
    found: list[Delays] = bed.memo[key]
    return found[(*bed.groups, "all").index(group)]

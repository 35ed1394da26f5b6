"""
How incidents are handled: steps late, cohorts unresolved, what recurs, and what is open.

Nothing here depends on what happens after the day that a row counts on: a step is judged on the
day it is due, a cohort some days after its receipt, a recurrence some days after the end.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from data.clock_settings import STEPS
from data.source import STATUSES
from etl.analyse.bed import NEVER, NO_CELL
from etl.analyse.index.places import last_match, medians
from etl.analyse.index.selection import DAY_S, Counted, matching
from etl.analyse.index.series import Table, day_number, table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from data.city import Category
    from data.clock_settings import Clock, ClockSettings
    from data.index_settings import IndexSettings, Indicator
    from etl.analyse.bed import Bed, Flags, Floats, Ints

_FAR: Final = np.iinfo(np.int32).max
_VOID: Final = STATUSES.index("void")
_ENDED: Final = tuple(STATUSES.index(one) for one in ("resolved", "archived"))


@dataclass(frozen=True)
class Handling:
    """
    Steps of every incident, arrays of shape (n events,).

    Attributes
    ----------
    received
        Second of the receipt; its day is the one on which the incident became known.
    closed
        Second of the resolution, else of the archiving; `NEVER` = not told.
    usable
        Neither void nor ended without a time.
    known
        Day since 1970 of the receipt.
    told
        First day since 1970 on which a source told each of `STEPS`, shape (n sources, 5).
    """

    bed: Bed
    received: Ints
    closed: Ints
    usable: Flags
    known: Ints
    told: Ints

    def days_after(self, second: Ints, chosen: Ints) -> Ints:
        """
        Day since 1970 by which a second of chosen incidents has come.

        Whole days since the receipt, rounded up: never before the day in city time.
        """
        after = -((self.received[chosen] - second) // DAY_S)
        return np.asarray(self.known[chosen] + np.maximum(after, 0))

    def tells(self, chosen: Ints, step: int, day: Ints) -> Flags:
        """Whether the sources of chosen incidents had told a step by a day of each."""
        return np.asarray(self.told[self.bed.events.source[chosen], step] <= day)


def handling(bed: Bed) -> Handling:
    """Times of a bed's incidents."""
    events = bed.events
    received = np.where(events.reported == NEVER, events.occurred, events.reported)
    closed = np.where(events.resolved == NEVER, events.archived, events.resolved)
    ended = np.isin(events.status, _ENDED)
    usable = (received != NEVER) & (events.status != _VOID) & ~(ended & (closed == NEVER))
    known = day_number(events.known).astype(np.int64)
    sources = int(events.source.max(initial=0)) + 1
    told = np.full((sources, len(STEPS)), _FAR, dtype=np.int64)
    found = Handling(bed, received, closed, usable, known, told)
    times = (received, events.dispatched, events.signed, events.resolved, events.archived)
    for step, time in enumerate(times):
        chosen = np.flatnonzero((time != NEVER) & (received != NEVER))
        day = found.days_after(time[chosen], chosen)
        for source in range(sources):
            told[source, step] = day[events.source[chosen] == source].min(initial=_FAR)
    return found


def late_steps(found: Handling, chosen: Ints, clocks: ClockSettings, *, size: int) -> Counted:
    """
    Steps due and, of these, those late.

    A step is due when the clocks up to it allow in sum, counted from the receipt in calendar days.
    """
    events = found.bed.events
    group = found.bed.group_of[events.category[chosen]]
    severity = events.severity[chosen].astype(np.int64)
    steps = (found.received, events.dispatched, events.signed, events.resolved, events.archived)
    shape = (size, len(found.bed.starts))
    part, whole = (np.zeros(shape, dtype=np.int32) for _ in range(2))
    since = _FAR
    for clock in clocks.clocks:
        allowed = _allowed(found.bed, clock, clocks, group, severity)
        timed = np.isfinite(allowed)
        row = chosen[timed]
        day = found.known[row] + np.ceil(allowed[timed]).astype(np.int64)
        kept = found.tells(row, clock.end, day)
        row, day, allowed = row[kept], day[kept], allowed[timed][kept]
        end = steps[clock.end][row]
        late = (end == NEVER) | (end - found.received[row] > allowed * DAY_S)
        in_time, missed = table(found.bed, row, day, size, marked=late)
        part += missed
        whole += in_time
        since = min(since, int(day.min(initial=_FAR)))
    return Counted(Table(part), Table(whole + part), since, "no_times")


def _allowed(bed: Bed, clock: Clock, clocks: ClockSettings, group: Ints, severity: Ints) -> Floats:
    """Days from the receipt to the end of a clock, the clocks before it included; NaN = none."""
    names = (*bed.groups, "all")
    chain = [clock]
    while chain[-1].start > 0:
        before = [one for one in clocks.clocks if one.end == chain[-1].start]
        if not before:
            break
        chain.append(before[0])
    days = np.sum([[clocks.allowed(one, name) for name in names] for one in chain], axis=0)
    return np.asarray(days[group, severity])  # group -1 is the last: `all`


def _judged(found: Handling, row: Ints, day: Ints, missed: Flags, *, size: int) -> Counted:
    """A share by the day on which each is judged, when all that it rests on is known."""
    others, part = table(found.bed, row, day, size, marked=missed)
    return Counted(
        Table(part),
        Table(others + part),
        int(day.min(initial=_FAR)),
        "no_times",
    )


def unresolved(found: Handling, chosen: Ints, settings: IndexSettings, *, size: int) -> Counted:
    """Incidents of a cohort not resolved some days after their receipt."""
    day = found.known[chosen] + settings.cohort_days
    kept = found.tells(chosen, STEPS.index("resolved"), day)
    row, day = chosen[kept], day[kept]
    limit = found.received[row] + settings.cohort_days * DAY_S
    missed = (found.closed[row] == NEVER) | (found.closed[row] > limit)
    return _judged(found, row, day, missed, size=size)


def recurring(
    found: Handling,
    chosen: Ints,
    settings: IndexSettings,
    categories: Sequence[Category],
    *,
    size: int,
) -> Counted:
    """Ended incidents whose place had another of the same upper category soon after."""
    events = found.bed.events
    codes = [one.parent_code or one.code for one in categories]
    upper = np.unique(codes, return_inverse=True)[1]
    placed = chosen[events.cell[chosen] != NO_CELL]
    _, place = found.bed.cells(10)
    key = place[placed].astype(np.int64) * (int(upper.max()) + 1) + upper[events.category[placed]]
    ended = found.closed[placed] != NEVER
    row = placed[ended]
    again = last_match(
        key, found.received[placed], events.known[placed],
        low=1, high=settings.repeat_days * DAY_S, queries=(key[ended], found.closed[row]),
    )  # fmt: skip
    day = found.days_after(found.closed[row], row) + settings.repeat_days
    seen = ~np.isnat(again)
    seen[seen] = day_number(again[seen]) <= day[seen]
    return _judged(found, row, day, seen, size=size)


@dataclass(frozen=True)
class Stock:
    """
    What is in hand at the end of each period, by row of `areas`: shape (n rows, n periods).

    `since` and `reason` are those of `Counted`.
    """

    number: NDArray[np.int32]
    since: int
    reason: str


def stock(
    found: Handling, chosen: Ints, *, size: int, entry: Ints, since: int, reason: str
) -> Stock:
    """
    Open incidents from an entry day on until they are closed.

    Parameters
    ----------
    chosen
        Incidents, whose sources tell their end.
    entry
        First day since 1970 on which each counts, not before it is known; shape (n,).
    """
    bed = found.bed
    closed = found.closed[chosen]
    ends = closed != NEVER
    out = np.full(len(chosen), _FAR, dtype=np.int64)
    out[ends] = found.days_after(closed[ends], chosen[ends])
    stays = out > entry
    area = np.where(bed.events.area[chosen] < 0, size, bed.events.area[chosen])[stays]
    limits = day_number(bed.ends).astype(np.int64)
    # Opened at the end of the first period whose last day is not before; left likewise.
    opened, left = (np.searchsorted(limits, one[stays]) for one in (entry, out))
    periods = len(bed.starts)
    length = (size + 1) * (periods + 1)
    change = np.bincount(area * (periods + 1) + opened, minlength=length)
    change -= np.bincount(area * (periods + 1) + left, minlength=length)
    level = np.cumsum(change.reshape(size + 1, periods + 1), axis=1)[:size, :periods]
    return Stock(level.astype(np.int32), since, reason)


class Backlog:
    """Age of what is open: median days since the receipt, by level and period."""

    def __init__(self, found: Handling, chosen: Ints) -> None:
        self._bed = found.bed
        rows = chosen[np.argsort(found.known[chosen])]
        closed = found.closed[rows]
        ends = closed != NEVER
        self._rows = rows.astype(np.int32)
        self._entered = found.known[rows].astype(np.int32)
        self._left = np.full(len(closed), _FAR, dtype=np.int32)
        self._left[ends] = found.days_after(closed[ends], rows[ends])
        self.since = int(self._entered.min()) if len(rows) else _FAR
        self._found: dict[tuple[str, int], Floats] = {}

    def age(self, level: str, at: int) -> Floats:
        """Median age in days at the end of a period, 0 where nothing is open; (n areas,)."""
        key = (level, at)
        if key not in self._found:
            bed = self._bed
            today = int(day_number(bed.ends[at]))
            upto = int(np.searchsorted(self._entered, today, side="right"))
            still = np.flatnonzero(self._left[:upto] > today)
            area = bed.index_of(level, self._rows[still]).astype(np.int64)
            placed = area >= 0
            age = today - self._entered[still[placed]].astype(np.int64)
            self._found[key] = medians(area[placed], age, size=len(bed.level_areas(level)))
        return self._found[key]


def usable_rows(
    found: Handling,
    settings: IndexSettings,
    categories: Sequence[Category],
    indicator: Indicator,
) -> Ints:
    """Events of an indicator whose times can be used."""
    return np.flatnonzero(matching(found.bed, settings, categories, indicator) & found.usable)


def told_resolved(found: Handling, chosen: Ints) -> tuple[Ints, int]:
    """Those whose source tells when it resolves, from the first such day on, and that day."""
    step = STEPS.index("resolved")
    first = found.told[found.bed.events.source[chosen], step]
    kept = chosen[first < _FAR]
    return kept, int(first.min(initial=_FAR))

"""
Which events of a window came with a file that was loaded at once: no surge of events.

Two marks, looked for among what is known on the day only. Many events of one source bear the same
second, in a source that tells the time of day; or a delivery (what one source made known on one
day) consists mostly of events older than the window.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from etl.analyse.bed import NEVER

if TYPE_CHECKING:
    from data.signal_settings import SignalSettings
    from etl.analyse.bed import Bed, Flags, Ints

_EARLIER_DAYS: Final = 56
_DAY_S: Final = 86_400
_USUAL_SHARE: Final = 0.05
"""A second of the day that bears more of a source's earlier events than this tells no time."""


def imported(
    bed: Bed, rows: Ints, *, first: np.datetime64, day: np.datetime64, settings: SignalSettings
) -> Flags:
    """
    Which events of a window were imported in bulk.

    Parameters
    ----------
    rows
        Positions of the reported events of the window that are known on its last day.
    first, day
        First and last day of the window.

    Returns
    -------
    imported
        Shape of `rows`.
    """
    if not settings.import_events:
        return np.zeros(len(rows), dtype=bool)
    stamped = _same_second(bed, rows, first=first, least=settings.import_events)
    return np.asarray(stamped | _late_delivery(bed, rows, first=first, day=day, settings=settings))


def _same_second(bed: Bed, rows: Ints, *, first: np.datetime64, least: int) -> Flags:
    events = bed.events
    moment = np.maximum(events.occurred[rows], events.reported[rows])
    source = events.source[rows].astype(np.int64)
    _, inverse, number = np.unique(
        np.column_stack([source, moment]), axis=0, return_inverse=True, return_counts=True
    )
    suspect: Flags = (number[inverse.ravel()] >= least) & (moment != NEVER)
    if suspect.any():
        suspect &= ~_usual(bed, source, moment, suspect, before=first)
    return suspect


def _usual(bed: Bed, source: Ints, moment: Ints, suspect: Flags, *, before: np.datetime64) -> Flags:
    """Whether a source's events of the weeks before often bear that second of the day."""
    events = bed.events
    earlier = (events.day < before) & (events.day >= before - _EARLIER_DAYS)
    earlier &= events.known < before
    past = np.flatnonzero(earlier & bed.reported)
    clock = np.maximum(events.occurred[past], events.reported[past]) % _DAY_S
    found = np.zeros(len(source), dtype=bool)
    for one, second in {
        (int(source[at]), int(moment[at] % _DAY_S)) for at in np.flatnonzero(suspect)
    }:
        own = clock[events.source[past] == one]
        usual = len(own) > 0 and np.mean(own == second) > _USUAL_SHARE
        found |= usual & (source == one) & (moment % _DAY_S == second)
    return found


def _late_delivery(
    bed: Bed, rows: Ints, *, first: np.datetime64, day: np.datetime64, settings: SignalSettings
) -> Flags:
    events = bed.events
    delivered = np.flatnonzero((events.known >= first) & (events.known <= day) & bed.reported)
    length = int((day - first).astype(np.int64)) + 1

    def delivery(which: Ints) -> Ints:
        age = (events.known[which] - first).astype(np.int64)
        return np.asarray(events.source[which].astype(np.int64) * length + age)

    of = delivery(delivered)
    size = int(of.max()) + 1 if len(of) else 1
    number = np.bincount(of, minlength=size)
    late = np.bincount(of, weights=events.day[delivered] < first, minlength=size)
    bulk = (number >= settings.import_events) & (late >= settings.import_late_share * number)
    return np.asarray(bulk[delivery(rows)])

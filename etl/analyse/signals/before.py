"""
What the areas had in the windows before one, as known the day before it began: all groups at once.

Sums of weighted counts, not copies of whole histories. Weights are multiples of 1 / 1024, so that
sums are exact, and those of all events are the sums of the groups'.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from etl.analyse.baseline import Memory, Past, memory

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from etl.analyse.bed import Bed, Days, Flags, Floats, Ints


@dataclass(frozen=True)
class ByDay:
    """
    Placed reported events in order of their days, arrays of shape (n,).

    Attributes
    ----------
    position
        In the bed's events.
    group
        Position of the group; the number of groups = in none.
    place
        Row of `areas` among those of the group: group × rows of `areas` + row.
    in_city
        Whether it lies in an area of the top level.
    """

    position: Ints
    day: Days
    known: Days
    group: NDArray[np.int8]
    place: Ints
    in_city: Flags

    def between(self, first: np.datetime64, after: np.datetime64) -> slice:
        """Events from a day up to but without another one."""
        left, right = np.searchsorted(self.day, [first, after])
        return slice(int(left), int(right))


@dataclass(frozen=True)
class Before:
    """
    Windows before one.

    Attributes
    ----------
    levels
        What the areas of each level had, from the top down.
    city
        Events of each window in areas of the top level, shape (n windows,).
    """

    levels: list[Past]
    city: Floats


@dataclass(frozen=True)
class _Sums:
    """By group: of now and then (rows of `areas`, 2), of the last windows, and of the city."""

    weighted: Floats
    last: NDArray[np.float32]
    city: Ints


def by_day(bed: Bed) -> ByDay:
    """Placed reported events of a bed in order of their days."""
    key = ("signal_rows",)
    if key not in bed.memo:
        events = bed.events
        position = np.flatnonzero(bed.reported & (events.area >= 0))
        first = bed.starts[0]
        day = np.clip((events.day[position] - first).astype(np.int64), -1, 32_767)
        # Few bits: such a sort is one by counting.
        position = position[np.argsort(day.astype(np.int16), kind="stable")]
        size = sum(len(one) for one in bed.areas)
        group = bed.group[position]
        group = np.where(group < 0, len(bed.groups), group).astype(np.int8)
        bed.memo[key] = ByDay(
            position, events.day[position], events.known[position], group,
            group.astype(np.int64) * size + events.area[position],
            bed.index_of(bed.levels[0], position) >= 0,
        )  # fmt: skip
    found: ByDay = bed.memo[key]
    return found


def of_group(bed: Bed, group: str, sums: NDArray[Any]) -> NDArray[Any]:
    """Sums by group, shape (n groups + 1, …), to those of one; `all` = every one together."""
    if group == "all":
        return np.asarray(sums.sum(axis=0))
    return np.asarray(sums[bed.groups.index(group)])


def counted(bed: Bed, place: Ints) -> Ints:
    """Number of events by group and row of `areas`, shape (n groups + 1, n rows)."""
    groups, size = len(bed.groups) + 1, sum(len(one) for one in bed.areas)
    return np.bincount(place, minlength=groups * size).reshape(groups, size)


def before(bed: Bed, group: str, starts: Days) -> Before:
    """
    What one group had before a window.

    Parameters
    ----------
    starts
        First days of the windows, the one itself last; at least one before it.
    """
    key = ("signal_before", None, starts[-1])
    used = memory(len(starts) - 1, "week")
    if key not in bed.memo:
        bed.memo[key] = _sums(bed, starts, used)
    sums: _Sums = bed.memo[key]
    weighted = bed.by_level(of_group(bed, group, sums.weighted))
    last = bed.by_level(of_group(bed, group, sums.last))
    return Before(
        [
            Past(total[:, 0], total[:, 1], recent.astype(np.float64))
            for total, recent in zip(weighted, last, strict=True)
        ],
        of_group(bed, group, sums.city).astype(np.float64),
    )


def _sums(bed: Bed, starts: Days, used: Memory) -> _Sums:
    rows = by_day(bed)
    number, groups = len(starts) - 1, len(bed.groups) + 1
    piece = rows.between(starts[0], starts[-1])
    window = np.repeat(np.arange(number), np.diff(np.searchsorted(rows.day, starts)))
    in_time = rows.known[piece] < starts[-1]
    window, place = window[in_time], rows.place[piece][in_time]
    areas = sum(len(one) for one in bed.areas)
    size = groups * areas
    weighted = [
        np.bincount(place, weights=weights[window], minlength=size)
        for weights in (used.now, used.then)
    ]
    recent = int(np.searchsorted(window, used.before))
    length = number - used.before
    last = np.bincount(
        place[recent:] * length + (window[recent:] - used.before), minlength=size * length
    )
    seen = rows.in_city[piece][in_time]
    group = rows.group[piece][in_time][seen].astype(np.int64)
    city = np.bincount(group * number + window[seen], minlength=groups * number)
    return _Sums(
        np.stack(weighted, axis=1).astype(np.float64).reshape(groups, areas, 2),
        last.astype(np.float32).reshape(groups, areas, length),
        city.reshape(groups, number),
    )

"""
The window that ends on a day, and the windows of the same length before it, at every level.

A week may end on any day: windows of seven days are counted back from it, so that each holds one
of each day of the week. In a city that counts by month the window is the month, on its last day.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Final

import numpy as np
from scipy import sparse

from etl.analyse.calendar import holidays
from etl.analyse.expected import Expected, expected_counts, expected_from
from etl.analyse.reporting_lag import completeness, period_completeness
from etl.analyse.signals.imports import imported

if TYPE_CHECKING:
    from data.signal_settings import SignalSettings
    from etl.analyse.bed import Bed, Days, Floats, Ints
    from etl.analyse.calendar import Holidays

WEEK: Final = 7


@dataclass(frozen=True)
class Window:
    """
    One group in the window that ends on a day, as known on that day; per level from the top down.

    Attributes
    ----------
    observed
        Events of the window without bulk imports, shape (n areas,).
    mean
        Events that were to be expected to be known by the day, shape (n areas,); NaN = no data.
    expected
        Of the whole window, from what was known the day before it began.
    past
        Events of the last windows before it, shape (n areas, n windows), beside `expected.past`.
    days
        Length of the window.
    """

    observed: tuple[Floats, ...]
    mean: tuple[Floats, ...]
    expected: Expected
    past: tuple[Floats, ...]
    days: int


def window(bed: Bed, group: str, day: np.datetime64, settings: SignalSettings) -> Window | None:
    """One group in the window that ends on a day; None where no window ends or none came before."""
    starts = window_starts(bed, day)
    if len(starts) < 2:
        return None
    if bed.grain == "month":
        at = len(starts) - 1
        expected = expected_counts(bed, group, at=at, known_on=day)
        history = [bed.history(level, group, starts[-1] - 1) for level in bed.levels]
    else:
        history = _histories(bed, group, starts)
        expected = _expected(bed, group, history, starts, day)
    last = len(expected.recent)
    observed = _observed(bed, group, starts[-1], day, settings)
    return Window(
        observed=observed,
        mean=_cautious_mean(bed, observed, expected, history[0], starts),
        expected=expected,
        past=tuple(one[:, one.shape[1] - last :] for one in history),
        days=int((day - starts[-1]).astype(np.int64)) + 1,
    )


def window_starts(bed: Bed, day: np.datetime64) -> Days:
    """First days of the windows up to the one that ends on a day, in order."""
    if bed.grain == "month":
        return bed.starts[: int(np.searchsorted(bed.ends, day)) + 1] if day in bed.ends else NO_DAYS
    number = int((day + 1 - bed.starts[0]).astype(np.int64)) // WEEK
    return np.asarray(day + 1 - WEEK * np.arange(number, 0, -1), dtype="datetime64[D]")


NO_DAYS: Final = np.zeros(0, dtype="datetime64[D]")


def _expected(
    bed: Bed, group: str, history: list[Floats], starts: Days, day: np.datetime64
) -> Expected:
    """Nothing of the window itself enters; only the share known by now does."""
    at = len(starts) - 1
    past, now = _known_shares(bed, group, starts, day)
    found = expected_from(
        history,
        [one.parent for one in bed.areas],
        starts=np.append(starts, day + 1),
        grain="week",
        at=at,
        calendar=_calendar(bed, starts),
        complete=past,
        valid=[(one.valid_from, one.valid_to) for one in bed.areas],
    )
    return replace(found, complete=now)


def _known_shares(bed: Bed, group: str, starts: Days, day: np.datetime64) -> tuple[Floats, float]:
    """Share known of each earlier window the day before this one began, and of this one now."""
    before = starts[-1] - 1
    if day in bed.ends:
        whole = period_completeness(bed, group, before)
        return whole((before + 1 - starts[1:]).astype(np.int64)), float(whole(np.zeros(1, int))[0])
    lag = completeness(bed, group, before)
    past = lag.of_periods(starts[:-1], starts[1:] - 1, before)
    return past, float(lag.of_periods(starts[-1:], np.array([day]), day)[0])


def _cautious_mean(
    bed: Bed, observed: tuple[Floats, ...], expected: Expected, city: Floats, starts: Days
) -> tuple[Floats, ...]:
    """
    Expectations that no holiday lowers, and below the city none that the whole city exceeds.

    A holiday whose dip is guessed too deep, or records that come quicker than they used to, would
    else colour every area at once. What raises the whole city is a signal of the city alone.
    """
    top = expected.mean[0].sum() * expected.complete
    usual = top * _without_holidays(bed, city, starts)
    seen = max(1.0, float(observed[0].sum()) / top) if top > 0 else 1.0
    factors = [usual / top if top > 0 else 1.0, *[seen] * (len(observed) - 1)]
    return tuple(
        np.where(one > 0, one * expected.complete * factor, np.nan)
        for one, factor in zip(expected.mean, factors, strict=True)
    )


def _without_holidays(bed: Bed, city: Floats, starts: Days) -> float:
    """City's expectation without the holidays of the window ÷ that with them, at least 1."""
    at = len(starts) - 1
    if bed.grain == "month" or not _calendar(bed, starts).shares[-1].any():
        return 1.0
    calendar = _calendar(bed, starts)
    shares = calendar.shares.copy()
    shares[-1] = 0.0
    means = [
        expected_from(
            [city.sum(axis=0)[None, :]],
            [np.array([-1])],
            starts=np.append(starts, starts[-1] + WEEK),
            grain="week",
            at=at,
            calendar=one,
        ).mean[0][0]
        for one in (calendar, replace(calendar, shares=shares))
    ]
    return max(1.0, float(means[1] / means[0])) if means[0] > 0 else 1.0


def _calendar(bed: Bed, starts: Days) -> Holidays:
    key = ("signal_holidays", starts[-1])
    if key not in bed.memo:
        bed.memo[key] = holidays(starts, grain="week", time_zone=bed.time_zone)
    found: Holidays = bed.memo[key]
    return found


@dataclass(frozen=True)
class _Sorted:
    """Placed reported events of a group by day: positions, days and rows of `areas`."""

    position: Ints
    day: Days
    known: Days
    row: Ints


def _sorted(bed: Bed, group: str) -> _Sorted:
    key = ("signal_rows", group)
    if key not in bed.memo:
        chosen = bed.reported & bed.of_group(group) & (bed.events.area >= 0)
        position = np.flatnonzero(chosen)
        position = position[np.argsort(bed.events.day[position], kind="stable")]
        events = bed.events
        bed.memo[key] = _Sorted(
            position, events.day[position], events.known[position], events.area[position]
        )
    found: _Sorted = bed.memo[key]
    return found


def _histories(bed: Bed, group: str, starts: Days) -> list[Floats]:
    """Counts of the windows before the last as known the day before it, per level (n, windows)."""
    rows = _sorted(bed, group)
    edges = np.searchsorted(rows.day, starts)
    total = sum(len(one) for one in bed.areas)
    in_time = rows.known < starts[-1]
    # Time first: each window is one count over a contiguous piece.
    table = np.empty((len(starts) - 1, total))
    for at, (left, right) in enumerate(pairwise(edges)):
        piece = rows.row[left:right]
        known = in_time[left:right]
        table[at] = np.bincount(piece if known.all() else piece[known], minlength=total)
    return _by_level(bed, table.T)


def _by_level(bed: Bed, table: Floats) -> list[Floats]:
    """Counts by row of `areas` to counts by level: each area's own, and those of its children."""
    first = np.cumsum([0, *(len(one) for one in bed.areas)])
    found: list[Floats] = []
    for depth in range(len(bed.areas) - 1, -1, -1):
        own = table[first[depth] : first[depth + 1]]
        if found:
            own = own + _children(bed, depth) @ found[-1]
        found.append(own)
    return found[::-1]


def _children(bed: Bed, depth: int) -> sparse.csr_array:
    """Which area of the level below lies in which of this: 0/1, (n areas, n areas below)."""
    key = ("children", depth)
    if key not in bed.memo:
        parent = bed.areas[depth + 1].parent
        inside = np.flatnonzero(parent >= 0)
        shape = (len(bed.areas[depth]), len(parent))
        ones = np.ones(len(inside))
        bed.memo[key] = sparse.csr_array((ones, (parent[inside], inside)), shape=shape)
    found: sparse.csr_array = bed.memo[key]
    return found


def _observed(
    bed: Bed, group: str, first: np.datetime64, day: np.datetime64, settings: SignalSettings
) -> tuple[Floats, ...]:
    rows = _sorted(bed, group)
    piece = slice(*np.searchsorted(rows.day, [first, day + 1]))
    known = rows.known[piece] <= day
    bulk = _bulk(bed, first, day, settings)
    kept = known & ~np.isin(rows.position[piece], bulk)
    total = sum(len(one) for one in bed.areas)
    counts = np.bincount(rows.row[piece][kept], minlength=total).astype(np.float64)
    return tuple(_by_level(bed, counts))


def _bulk(bed: Bed, first: np.datetime64, day: np.datetime64, settings: SignalSettings) -> Ints:
    """Positions of the window's events that were imported in bulk, whatever their group."""
    key = ("signal_imports", first, day)
    if key not in bed.memo:
        rows = _sorted(bed, "all")
        piece = slice(*np.searchsorted(rows.day, [first, day + 1]))
        position = rows.position[piece][rows.known[piece] <= day]
        bed.memo[key] = position[imported(bed, position, first=first, day=day, settings=settings)]
    found: Ints = bed.memo[key]
    return found

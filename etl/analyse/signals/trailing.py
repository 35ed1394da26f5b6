"""
The window that ends on a day, and the windows of the same length before it, at every level.

A week may end on any day: windows of seven days are counted back from it, so that each holds one
of each day of the week. In a city that counts by month the window is the month, on its last day.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from data.periods import PERIODS_PER_YEAR
from etl.analyse.baseline import LEAST_PERIODS, expected_of, memory, no_data
from etl.analyse.calendar import holidays
from etl.analyse.expected import Expected, expected_counts, expected_from
from etl.analyse.level import city_level
from etl.analyse.reporting_lag import completeness, period_completeness
from etl.analyse.signals.before import before, by_day, counted, of_group
from etl.analyse.signals.imports import imported

if TYPE_CHECKING:
    from data.signal_settings import SignalSettings
    from etl.analyse.bed import Bed, Days, Floats, Ints
    from etl.analyse.calendar import Holidays
    from etl.analyse.signals.before import Before

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
        past = [bed.history(level, group, starts[-1] - 1) for level in bed.levels]
        city = past[0].sum(axis=0)
    else:
        held = before(bed, group, starts)
        expected = _expected(bed, group, held, starts, day)
        city, past = held.city, [one.last for one in held.levels]
    last = len(expected.recent)
    observed = _observed(bed, group, starts[-1], day, settings)
    return Window(
        observed=observed,
        mean=_cautious_mean(bed, observed, expected, city, starts),
        expected=expected,
        past=tuple(one[:, one.shape[1] - last :] for one in past),
        days=int((day - starts[-1]).astype(np.int64)) + 1,
    )


def window_starts(bed: Bed, day: np.datetime64) -> Days:
    """First days of the windows up to the one that ends on a day, in order."""
    if bed.grain == "month":
        return bed.starts[: int(np.searchsorted(bed.ends, day)) + 1] if day in bed.ends else NO_DAYS
    number = int((day + 1 - bed.starts[0]).astype(np.int64)) // WEEK
    return np.asarray(day + 1 - WEEK * np.arange(number, 0, -1), dtype="datetime64[D]")


NO_DAYS: Final = np.zeros(0, dtype="datetime64[D]")


def _expected(bed: Bed, group: str, held: Before, starts: Days, day: np.datetime64) -> Expected:
    """Nothing of the window itself enters; only the share known by now does."""
    at = len(starts) - 1
    if at < LEAST_PERIODS["week"]:
        return no_data([len(one) for one in bed.areas])
    past, now = _known_shares(bed, group, starts, day)
    found = expected_of(
        held.levels,
        [one.parent for one in bed.areas],
        used=memory(at, "week"),
        level=city_level(
            held.city, past, _calendar(bed, starts).shares, season=PERIODS_PER_YEAR["week"]
        ),
        valid=[(one.valid_from, one.valid_to) for one in bed.areas],
        starts=np.append(starts, day + 1),
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
            [city[None, :]],
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


def _observed(
    bed: Bed, group: str, first: np.datetime64, day: np.datetime64, settings: SignalSettings
) -> tuple[Floats, ...]:
    key = ("signal_observed", first, day)
    if key not in bed.memo:
        rows = by_day(bed)
        piece = rows.between(first, day + 1)
        kept = rows.known[piece] <= day
        kept &= ~np.isin(rows.position[piece], _bulk(bed, first, day, settings))
        bed.memo[key] = counted(bed, rows.place[piece][kept])
    own = of_group(bed, group, bed.memo[key])
    return tuple(bed.by_level(own.astype(np.float64)))


def _bulk(bed: Bed, first: np.datetime64, day: np.datetime64, settings: SignalSettings) -> Ints:
    """Positions of the window's events that were imported in bulk, whatever their group."""
    key = ("signal_imports", first, day)
    if key not in bed.memo:
        rows = by_day(bed)
        piece = rows.between(first, day + 1)
        position = rows.position[piece][rows.known[piece] <= day]
        bed.memo[key] = position[imported(bed, position, first=first, day=day, settings=settings)]
    found: Ints = bed.memo[key]
    return found

"""What the two charts show about one area."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from dashboard import assessment, queries
from data import periods, rates

if TYPE_CHECKING:
    import datetime as dt

    from dashboard.areas import Area
    from dashboard.queries import Selection
    from dashboard.text import Words
    from data.access import Scope
    from data.periods import Grain, Window
    from data.store import Snapshot

SHOWN: Final[dict[Grain, int]] = {"week": 26, "month": 12}
"""Periods in the trend chart, unless the window is longer."""

BEYOND: Final = 4
"""Periods before a longer window."""

MOST_BARS: Final = 8


@dataclass(frozen=True)
class Trend:
    """One entry per shown period, oldest first; None = not known."""

    starts: list[dt.date]
    counts: list[int | None]
    last_year: list[int | None]
    lower: list[float | None]
    upper: list[float | None]
    is_carried: bool
    is_stored: bool
    """The range is that of the analysis; else it is computed from the counts."""
    reported: list[int | None]
    """The part of the counts that the range speaks of; empty = it speaks of all."""
    incomplete: int
    """Periods at the end of which part is still to be reported."""
    after: int
    """Periods at the end that lie after the window."""


@dataclass(frozen=True)
class Bars:
    """One entry per bar, the largest first."""

    names: list[str]
    codes: list[str]
    """Code of each category; empty for the sum of those beyond the largest."""
    counts: list[int]
    previous: list[int | None]


def trend(scope: Scope, snapshot: Snapshot, area: Area, selection: Selection) -> Trend | None:
    """
    The periods round the window, last year's same periods and the expected range.

    They are the last ones that are known, if the window lies among them, so that the chart stands
    still while windows are chosen on it; else those up to the window's end.

    None where nothing was recorded in any of them.

    Raises
    ------
    NotVisibleError
        The area is unknown or outside the scope.
    """
    series = queries.area_series(scope, snapshot, area, selection)
    window = selection.window
    starts = _shown(window, series.starts[-1])
    history = series.counts + series.carried
    known = {start: i for i, start in enumerate(series.starts)}
    year = periods.PERIODS_PER_YEAR[window.grain]
    now = [known.get(start) for start in starts]
    past = [known.get(periods.shift(start, -year, grain=window.grain)) for start in starts]
    counts = [None if i is None else int(history[i]) for i in now]
    if not any(counts):
        return None
    reported, lower, upper = _stored_range(scope, snapshot, area, selection, starts)
    is_stored = bool(reported)
    if not is_stored:
        expected = rates.expected_range(history, grain=window.grain)
        lower = [_known(expected.lower, i) for i in now]
        upper = [_known(expected.upper, i) for i in now]
    return Trend(
        starts=starts,
        counts=counts,
        last_year=[None if i is None else int(history[i]) for i in past],
        lower=lower,
        upper=upper,
        is_carried=bool(series.carried.any()),
        is_stored=is_stored,
        reported=[] if reported == counts else reported,
        incomplete=_incomplete(scope, snapshot, selection, starts),
        after=sum(start > window.end for start in starts),
    )


def _shown(window: Window, newest: dt.date) -> list[dt.date]:
    """Periods of the chart."""
    grain, length = window.grain, SHOWN[window.grain]
    if window.start >= periods.shift(newest, 1 - length, grain=grain):
        last = newest
    else:
        last, length = window.end, max(length, window.periods + BEYOND)
    return periods.span(periods.shift(last, 1 - length, grain=grain), last, grain=grain)


def _stored_range(
    scope: Scope, snapshot: Snapshot, area: Area, selection: Selection, starts: list[dt.date]
) -> tuple[list[int | None], list[float | None], list[float | None]]:
    """
    Reported incidents and the stored range per period; empty where there is none for the selection.

    A range for a filter is not stored. Where only one or two other areas are foreign, a range that
    leans on the city's course would tell of them.
    """
    is_filtered = selection.categories is not None or selection.min_severity > 0
    day = selection.window.last_day
    if is_filtered or assessment.stands_alone(scope, snapshot, area.level, day):
        return [], [], []
    stored = {row.period_end: row for row in assessment.usual(scope, snapshot, area)}
    if selection.window.end not in stored:
        return [], [], []
    rows = [stored.get(start) for start in starts]
    return (
        [None if row is None else row.observed for row in rows],
        [None if row is None else row.lower for row in rows],
        [None if row is None else row.upper for row in rows],
    )


def _incomplete(
    scope: Scope, snapshot: Snapshot, selection: Selection, starts: list[dt.date]
) -> int:
    """Periods that hold a day of which part is still to be reported."""
    is_some = selection.categories is not None
    day = assessment.first_incomplete_day(scope, snapshot, "any" if is_some else "all")
    if day is None:
        return 0
    grain = selection.window.grain
    return sum(periods.shift(start, 1, grain=grain) > day for start in starts)


def bars(
    scope: Scope, snapshot: Snapshot, area: Area, selection: Selection, words: Words
) -> Bars | None:
    """
    Incidents per top category in the window, and in the window before; None without incidents.

    A chosen top category is split into its children. What is beyond the largest few stands as
    one sum, so that the bars add up to the area's count.

    Raises
    ------
    NotVisibleError
        The area is unknown or outside the scope.
    """
    now = queries.category_counts(scope, snapshot, area, selection)
    earlier = selection.earlier(selection.window.periods)
    covered = earlier.window.start >= snapshot.manifest.first_period
    before = queries.category_counts(scope, snapshot, area, earlier) if covered else None
    labels = queries.category_labels(scope, snapshot)
    split = selection.categories is not None
    groups: dict[int, list[int]] = {}
    for index in sorted(set(now) | set(before or {})):
        groups.setdefault(index if split else labels[index].group, []).append(index)
    sums = {group: sum(now.get(i, 0) for i in members) for group, members in groups.items()}
    order = sorted(
        (group for group in sums if sums[group]), key=lambda group: (-sums[group], group)
    )
    if not order:
        return None
    past = {
        group: sum((before or {}).get(i, 0) for i in members) for group, members in groups.items()
    }
    shown, rest = order[:MOST_BARS], [group for group in groups if group not in order[:MOST_BARS]]
    names = [words.pick(labels[group].name_zh, labels[group].name_en) for group in shown]
    codes = [labels[group].code for group in shown]
    counts, previous = [sums[g] for g in shown], [past[g] for g in shown]
    if any(sums[group] for group in rest):
        names.append(words("categories_others", n=len(rest)))
        codes.append("")
        counts.append(sum(sums[group] for group in rest))
        previous.append(sum(past[group] for group in rest))
    return Bars(names, codes, counts, list(previous) if covered else [None] * len(counts))


def _known(values: object, index: int | None) -> float | None:
    value = math.nan if index is None else float(values[index])  # type: ignore[index]
    return None if math.isnan(value) else value

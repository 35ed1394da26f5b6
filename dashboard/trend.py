"""What the two charts show about one area."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from dashboard import queries
from data import periods, rates

if TYPE_CHECKING:
    import datetime as dt

    from dashboard.areas import Area
    from dashboard.queries import Selection
    from dashboard.text import Words
    from data.access import Scope
    from data.periods import Grain
    from data.store import Snapshot

SHOWN: Final[dict[Grain, int]] = {"week": 26, "month": 12}
"""Periods in the trend chart."""

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


@dataclass(frozen=True)
class Bars:
    """One entry per bar, the largest first."""

    names: list[str]
    counts: list[int]
    previous: list[int | None]


def trend(scope: Scope, snapshot: Snapshot, area: Area, selection: Selection) -> Trend | None:
    """
    The last periods up to the window's end, last year's same periods and the expected range.

    None where nothing was recorded in any of them.

    Raises
    ------
    NotVisibleError
        The area is unknown or outside the scope.
    """
    series = queries.area_series(scope, snapshot, area, selection)
    window = selection.window
    first = periods.shift(window.end, 1 - SHOWN[window.grain], grain=window.grain)
    starts = periods.span(first, window.end, grain=window.grain)
    history = series.counts + series.carried
    expected = rates.expected_range(history, grain=window.grain)
    known = {start: i for i, start in enumerate(series.starts)}
    year = periods.PERIODS_PER_YEAR[window.grain]
    now = [known.get(start) for start in starts]
    past = [known.get(periods.shift(start, -year, grain=window.grain)) for start in starts]
    counts = [None if i is None else int(history[i]) for i in now]
    if not any(counts):
        return None
    return Trend(
        starts=starts,
        counts=counts,
        last_year=[None if i is None else int(history[i]) for i in past],
        lower=[_known(expected.lower, i) for i in now],
        upper=[_known(expected.upper, i) for i in now],
        is_carried=bool(series.carried.any()),
    )


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
    counts, previous = [sums[g] for g in shown], [past[g] for g in shown]
    if any(sums[group] for group in rest):
        names.append(words("categories_others", n=len(rest)))
        counts.append(sum(sums[group] for group in rest))
        previous.append(sum(past[group] for group in rest))
    return Bars(names, counts, list(previous) if covered else [None] * len(counts))


def _known(values: object, index: int | None) -> float | None:
    value = math.nan if index is None else float(values[index])  # type: ignore[index]
    return None if math.isnan(value) else value

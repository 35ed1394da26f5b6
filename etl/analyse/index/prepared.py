"""What the index needs of a bed once, whatever the period."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np

from etl.analyse.bed import NEVER
from etl.analyse.index import steps
from etl.analyse.index.selection import (
    Counted,
    count_rows,
    first_told,
    has_code,
    of_dimension,
    shared_series,
)
from etl.analyse.index.series import Roll, Series, series

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from data.city import Category
    from data.clock_settings import ClockSettings
    from data.index_settings import IndexSettings, Indicator, Override
    from etl.analyse.bed import Bed, Floats

BY_DAY: Final = frozenset((
    "events", "weighted", "repeat_place", "severe_share", "marked_repeat", "top_type",
    "top_type_share",
))  # fmt: skip
"""Measures that go by the day of the incident."""

BY_TIMES: Final = frozenset(("late_steps", "unresolved", "recurring"))
WITHOUT_CATEGORY: Final = "no_category"


@dataclass(frozen=True)
class Prepared:
    """
    Rows of everything that the index counts.

    Attributes
    ----------
    counted
        Position of an indicator to its rows, for those that count flows.
    stocks
        Position of an indicator to what is in hand.
    backlog
        Age of what is open; None where no time is told.
    gates
        Rows of the incidents that a gate tests: all reported ones, then the gated dimensions'.
    places
        Reported incidents with a point, labelled by their place.
    overrides
        Rows of each rule's incidents; None = nothing tells what it asks for.
    reasons
        Position of an indicator to why it is missing everywhere.
    memo
        What a period worked out that a later one asks for again.
    """

    bed: Bed
    settings: IndexSettings
    roll: Roll
    counted: Mapping[int, Counted]
    stocks: Mapping[int, steps.Stock]
    backlog: Mapping[int, steps.Backlog]
    gates: Sequence[Series]
    places: Series
    overrides: Sequence[Series | None]
    reasons: Mapping[int, str]
    memo: dict[tuple[str, str, int], tuple[Floats, Floats]] = field(default_factory=dict)


def prepare(
    bed: Bed,
    settings: IndexSettings,
    *,
    categories: Sequence[Category],
    clocks: ClockSettings,
) -> Prepared:
    """
    Sort the incidents of a bed by what the index counts.

    Parameters
    ----------
    categories
        The city's, in the order of `Events.category`.
    clocks
        How long each step may take; calendar days.
    """
    roll = Roll(bed.areas)
    times = steps.handling(bed)
    counted: dict[int, Counted] = {}
    stocks: dict[int, steps.Stock] = {}
    backlog: dict[int, steps.Backlog] = {}
    reasons: dict[int, str] = {}
    for i, one in enumerate(settings.indicators):
        if one.codes and not has_code(categories, one.codes).any():
            reasons[i] = WITHOUT_CATEGORY
        elif one.measure in BY_DAY:
            counted[i] = count_rows(bed, settings, categories, one)
        elif one.measure in BY_TIMES:
            counted[i] = _by_times(times, settings, categories, one, clocks=clocks, size=roll.size)
        elif one.measure in {"open", "overdue"}:
            stocks[i] = _stock(times, settings, categories, one, roll.size)
        elif one.measure == "backlog_age":
            chosen = steps.usable_rows(times, settings, categories, one)
            backlog[i] = steps.Backlog(times, steps.told_resolved(times, chosen)[0])
        elif one.measure in {"none", "deaths"}:
            reasons[i] = "no_feed"
    return Prepared(
        bed, settings, roll, counted, stocks, backlog,
        gates=_gates(bed, settings, categories),
        places=_places(bed),
        overrides=[_override(bed, one, categories) for one in settings.overrides],
        reasons=reasons,
    )  # fmt: skip


def _by_times(
    times: steps.Handling,
    settings: IndexSettings,
    categories: Sequence[Category],
    indicator: Indicator,
    *,
    clocks: ClockSettings,
    size: int,
) -> Counted:
    chosen = steps.usable_rows(times, settings, categories, indicator)
    if indicator.measure == "late_steps":
        return steps.late_steps(times, chosen, clocks, size=size)
    if indicator.measure == "unresolved":
        return steps.unresolved(times, chosen, settings, size=size)
    return steps.recurring(times, chosen, settings, categories, size=size)


def _stock(
    times: steps.Handling,
    settings: IndexSettings,
    categories: Sequence[Category],
    indicator: Indicator,
    size: int,
) -> steps.Stock:
    events = times.bed.events
    chosen = steps.usable_rows(times, settings, categories, indicator)
    chosen = chosen[events.severity[chosen] >= indicator.severity_from]
    chosen, since = steps.told_resolved(times, chosen)
    entry, reason = times.known[chosen], "no_times"
    if indicator.measure == "overdue":
        has = (events.deadline[chosen] != NEVER) & (times.received[chosen] != NEVER)
        chosen, reason = chosen[has], "no_deadlines"
        entry = times.days_after(events.deadline[chosen], chosen) + 1
        flags = np.zeros(len(events), dtype=bool)
        flags[chosen] = True
        since = max(since, first_told(times.bed, flags))
    return steps.stock(times, chosen, size=size, entry=entry, since=since, reason=reason)


def _gates(bed: Bed, settings: IndexSettings, categories: Sequence[Category]) -> list[Series]:
    found = [shared_series(bed, np.flatnonzero(bed.reported))]
    for d, one in enumerate(settings.dimensions):
        if one.gate:
            flags = has_code(categories, one.codes)[bed.events.category]
            chosen = np.flatnonzero(flags & of_dimension(bed, settings, d))
            found.append(shared_series(bed, chosen))
    return found


def _places(bed: Bed) -> Series:
    _, place = bed.cells(10)
    chosen = np.flatnonzero(bed.reported & (place >= 0))
    return series(bed, chosen, label=place[chosen])


def _override(bed: Bed, rule: Override, categories: Sequence[Category]) -> Series | None:
    if rule.deaths:
        return None
    flags = has_code(categories, rule.codes)[bed.events.category]
    return series(bed, np.flatnonzero(flags & (bed.events.scale >= rule.scale_from)))

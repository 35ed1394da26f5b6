"""Windows on offer: with which periods a view may begin and end, and what its window is called."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from dashboard import released
from dashboard.cache import scoped_cache
from data import periods
from data.access import NotVisibleError

if TYPE_CHECKING:
    from dashboard.state import ViewState
    from dashboard.text import Words
    from data.access import Scope
    from data.periods import Grain, Window
    from data.store import Snapshot

MOST_ENDS: Final = 104
MOST_STARTS: Final = 208
"""The window that ends the longest ago may be as long as the time in which windows end."""

_MONTHS: Final = {"month": 1, "quarter": 3, "year": 12}
_THURSDAY: Final = dt.timedelta(days=3)


@scoped_cache
def ends(scope: Scope, snapshot: Snapshot) -> list[dt.date]:
    """
    Window ends on offer, the newest first: the last 104 periods, or those that are released.

    Raises
    ------
    NotVisibleError
        Nothing is released that the scope may see.
    """
    known = starts(scope, snapshot)
    return known if scope.is_protected else known[:MOST_ENDS]


@scoped_cache
def starts(scope: Scope, snapshot: Snapshot) -> list[dt.date]:
    """
    Periods with which a window may begin, the newest first.

    Raises
    ------
    NotVisibleError
        Nothing is released that the scope may see.
    """
    manifest = snapshot.manifest
    if scope.is_protected:
        known = released.released_starts(scope, snapshot)
        if not known:
            raise NotVisibleError("nothing is released")
        return list(known[::-1])
    every = periods.span(manifest.first_period, manifest.last_period, grain=manifest.grain)
    return every[-MOST_STARTS:][::-1]


def first_of(span: str, end: dt.date, *, grain: Grain) -> dt.date:
    """
    Start of the first period of the month, quarter or year to which the period `end` belongs.

    A week belongs where its Thursday lies, as in the years of ISO 8601: so each week is in one
    month alone, and months add up to quarters and years. It may begin up to three days before.
    """
    day = end if grain == "month" else end + _THURSDAY
    months = _MONTHS[span]
    first = dt.date(day.year, (day.month - 1) // months * months + 1, 1)
    if grain == "month":
        return first
    monday = first - dt.timedelta(days=first.weekday())
    return monday if monday + _THURSDAY >= first else monday + dt.timedelta(weeks=1)


def between(first: dt.date, end: dt.date, *, grain: Grain) -> Window:
    """Window of every period from one to another."""
    return periods.Window(end, len(periods.span(first, end, grain=grain)), grain)


def ending(state: ViewState, window: Window, end: dt.date) -> Window:
    """The same window with another end: a calendar one begins anew, any other keeps its length."""
    if state.span:
        return between(first_of(state.span, end, grain=window.grain), end, grain=window.grain)
    return replace(window, end=end)


def name(state: ViewState, window: Window, words: Words) -> str:
    """What a window is called."""
    if state.span:
        return words(f"span_{state.span}_about_{window.grain}")
    return words(f"periods_{window.grain}_choice", n=window.periods)

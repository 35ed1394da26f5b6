"""The same map window after window: values and one total, so that a film resends no geometry."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from dashboard import protected, queries
from dashboard.map import measures
from dashboard.map import values as map_values
from dashboard.text import Words
from dashboard.view import settle
from dashboard.windows import ending, ends
from data.periods import label

if TYPE_CHECKING:
    from dashboard.view import View
    from data.access import Scope
    from data.periods import Window
    from data.store import Snapshot

MOST: Final = 26
"""Windows in a film: half a year of weeks."""


def frames(scope: Scope, snapshot: Snapshot, search: str) -> dict[str, Any]:
    """
    Values of the windows that end with the last periods up to the one in view, oldest first.

    Parameters
    ----------
    search
        Query of an address; its layer, measure, area, category and window length hold for all.

    Returns
    -------
    film
        `snapshot`, and `frames`: values as `dashboard.map.values` has them, each with `label`
        (of its last period), `title` (its days in words) and, short of the protected tier, `total`:
        incidents of the area in view, None where they are not known. Cells are not filmed: no
        frames.

    Raises
    ------
    NotVisibleError
        The scope covers no area at all.
    """
    view = settle(scope, snapshot, search)
    words = Words(view.state.lang)
    if view.state.layer == "cells":
        return {"snapshot": snapshot.id, "frames": []}
    views = earlier_views(scope, snapshot, view, most=MOST)
    drawn = [_frame(scope, snapshot, each, words) for each in views]
    if not scope.is_protected:
        series = queries.area_series(scope, snapshot, view.subject, view.selection)
        for frame, each in zip(drawn, views, strict=True):
            frame["total"] = series.total(each.selection.window)
    return {"snapshot": snapshot.id, "frames": drawn}


def earlier_views(scope: Scope, snapshot: Snapshot, view: View, *, most: int) -> list[View]:
    """The view at each of the last period ends up to its own, the oldest first."""
    window = view.selection.window
    known = [end for end in reversed(ends(scope, snapshot)) if end <= window.end]
    return [_at(view, ending(view.state, window, end)) for end in known[-most:]]


def _at(view: View, window: Window) -> View:
    first, end = (label(day, grain=window.grain) for day in (window.start, window.end))
    state = replace(view.state, end=end, overlays="", compare="")
    state = replace(state, start=first) if state.start else state
    return replace(view, state=state, selection=replace(view.selection, window=window))


def _frame(scope: Scope, snapshot: Snapshot, view: View, words: Words) -> dict[str, Any]:
    window = view.selection.window
    if scope.is_protected:
        values = protected.area_values(scope, snapshot, view)
    else:
        found = measures.measured(scope, snapshot, view, view.state.measure, words)
        values = map_values.area_values(scope, snapshot, view, found)
    return values | {
        "label": view.state.end,
        "title": words("week_range", first=window.start, last=window.last_day),
    }

"""What is told of the area or the cell under the pointer, beyond what the browser has of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dashboard import cells, numerals, protected, surroundings
from dashboard.areas import Area
from dashboard.map import measures
from dashboard.map import values as map_values
from dashboard.text import Words
from dashboard.view import settle
from data.access import NotVisibleError

if TYPE_CHECKING:
    from dashboard.inputs import MapEvent
    from dashboard.view import View
    from data.access import Scope
    from data.store import Snapshot

Terms = list[tuple[str, Any]]


def explain(
    scope: Scope, snapshot: Snapshot, *, search: str, event: MapEvent | None
) -> dict[str, Any]:
    """Figures of what is under the pointer; nothing for what may not be seen."""
    view = settle(scope, snapshot, search)
    words = Words(view.state.lang)
    if event is None or event.kind != "hover":
        return {"detail": []}
    try:
        if event.layer == "cells":
            terms = _cell_terms(scope, snapshot, view, event, words)
            place = Area(str(event.resolution), event.index)
            return {"detail": surroundings.hover_terms(terms, place) if terms else []}
        area = Area(event.level, event.index)
        if scope.is_protected:
            return {"detail": protected.hover_detail(scope, snapshot, view, area, words)}
        return {
            "detail": surroundings.hover_terms(_terms(scope, snapshot, view, area, words), area)
        }
    except NotVisibleError:
        return {"detail": []}


def _terms(scope: Scope, snapshot: Snapshot, view: View, area: Area, words: Words) -> Terms:
    """With the count first where the browser has none and the measure tells another figure."""
    terms: Terms = measures.hover_terms(scope, snapshot, view, area, view.state.measure, words)
    count = words("measure_count")
    if any(term == count for term, _ in terms):
        return terms
    found = measures.measured(scope, snapshot, view, view.state.measure, words)
    if area.level != view.level or len(found.counts) <= map_values.MOST_COUNTED:
        return terms
    return [(count, numerals.count(int(found.counts[area.index]), words)), *terms]


def _cell_terms(
    scope: Scope, snapshot: Snapshot, view: View, event: MapEvent, words: Words
) -> Terms:
    """The count, where the browser has none; a scope short of the city counts its own cells."""
    held = {entry["resolution"] for entry in snapshot.manifest.cells}
    if scope.is_protected or event.resolution not in held:
        return []
    counts = cells.cell_counts(scope, snapshot, event.resolution, view.selection).counts
    if len(counts) <= map_values.MOST_CELLS_COUNTED or event.index >= len(counts):
        return []
    return [(words("measure_count"), numerals.count(int(counts[event.index]), words))]

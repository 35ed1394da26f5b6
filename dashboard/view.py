"""A view state settled against one snapshot and one scope: what is really shown, and the notes."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from dashboard import cells, queries, windows
from dashboard.areas import Area, Hierarchy, hierarchy
from dashboard.cache import scoped_cache
from dashboard.map import compared, layers, measures, overlays
from dashboard.state import PERIOD_CHOICES, SPANS, ViewState
from data import periods
from data.access import NotVisibleError

if TYPE_CHECKING:
    from dashboard.queries import Selection
    from data.access import Scope
    from data.store import Snapshot


@dataclass(frozen=True)
class View:
    """What is shown."""

    state: ViewState
    """With every part that could not be honoured back at its default."""
    focus: Area
    level: str
    """Level shown on the map: under the focus, or its own where there is none below."""
    selected: Area | None
    selection: Selection
    notes: tuple[str, ...]
    """Names of the parts of the address that could not be honoured."""

    @property
    def subject(self) -> Area:
        """The area that the panels describe."""
        return self.selected or self.focus


def settle(scope: Scope, snapshot: Snapshot, address: str) -> View:
    """
    Read an address (query, and fragment where the camera matters) against a snapshot.

    An unknown or foreign area, level, period or category falls back to its default with a note.

    Raises
    ------
    NotVisibleError
        The scope covers no area at all.
    """
    state, faults = ViewState.from_address(address)
    # What is live, or a base map, is on offer at one moment and not at the next.
    reading = _settle if state.overlays else _settled
    return reading(scope, snapshot, state, faults)


def _settle(scope: Scope, snapshot: Snapshot, state: ViewState, faults: tuple[str, ...]) -> View:
    notes = list(faults)
    state, window = _window(scope, snapshot, state, notes)
    tree = hierarchy(scope, snapshot)
    state, focus, selected = _areas(tree, state, window.last_day, notes)
    below = tree.below(focus.level)
    if state.level and state.level not in below:
        notes.append("level")
        state = replace(state, level="")
    if below and state.level == below[0]:
        state = replace(state, level="")  # the level that is shown anyway
    level = state.level or (below[0] if below else focus.level)
    if selected is not None and selected.level != level:
        state, selected = replace(state, selected=""), None
    if state.layer == "cells" and not cells.has_cells(scope, snapshot):
        notes.append("layer")
        state = replace(state, layer="areas")
    state = _layers(scope, snapshot, state, notes)
    categories = queries.category_family(scope, snapshot, state.category)
    if state.category and categories is None:
        notes.append("category")
        state = replace(state, category="")
    if state.severity and not queries.has_severities(scope, snapshot):
        notes.append("severity")
        state = replace(state, severity="")
    selection = queries.Selection(window, categories, int(state.severity or 0))
    view = View(state, focus, level, selected, selection, tuple(dict.fromkeys(notes)))
    try:
        compared.other(scope, snapshot, view)
    except LookupError:
        return replace(view, state=replace(state, compare=""), notes=(*view.notes, "compare"))
    return view


_settled = scoped_cache(_settle)
"""One click asks a dozen times for the view of one address."""


def _layers(scope: Scope, snapshot: Snapshot, state: ViewState, notes: list[str]) -> ViewState:
    """Leave out what there is no data for, or no right to see."""
    if state.measure != "rate" and state.measure not in measures.on_offer(scope, snapshot):
        notes.append("measure")
        state = replace(state, measure="rate")
    if not state.overlays:
        return state
    kept = overlays.write(
        overlays.read(state.overlays, known=layers.known(scope, snapshot, state.layer))
    )
    if kept != state.overlays:
        notes.append("overlays")
    return replace(state, overlays=kept)


def _window(
    scope: Scope, snapshot: Snapshot, state: ViewState, notes: list[str]
) -> tuple[ViewState, periods.Window]:
    grain, known = snapshot.manifest.grain, windows.ends(scope, snapshot)
    end = known[0]
    if state.end:
        try:
            wanted = periods.parse_label(state.end, grain=grain)
        except ValueError:
            wanted = None
        if wanted in known:
            end = wanted
            state = state if end != known[0] else replace(state, end="")
        else:
            notes.append("end")
            state = replace(state, end="")
    state, first = _first(scope, snapshot, state, end, notes)
    if first is not None:
        return state, windows.between(first, end, grain=grain)
    length = state.periods or int(snapshot.manifest.city["window"])
    return state, periods.Window(end, length, grain)


def _first(
    scope: Scope, snapshot: Snapshot, state: ViewState, end: dt.date, notes: list[str]
) -> tuple[ViewState, dt.date | None]:
    """First period of a window whose length hangs on the calendar or is chosen; else None."""
    grain = snapshot.manifest.grain
    if state.start:
        try:
            first = periods.parse_label(state.start, grain=grain)
        except ValueError:
            first = end + dt.timedelta(days=1)
        if first <= end and first in windows.starts(scope, snapshot):
            return state.over(start=state.start), first
        notes.append("start")
        state = replace(state, start="")
    if state.span:
        if state.span in SPANS[grain]:
            return state.over(span=state.span), windows.first_of(state.span, end, grain=grain)
        notes.append("span")
        state = replace(state, span="")
    if state.periods and state.periods not in PERIOD_CHOICES[grain]:
        notes.append("periods")
        state = replace(state, periods=0)
    return state, None


def _areas(
    tree: Hierarchy, state: ViewState, day: dt.date, notes: list[str]
) -> tuple[ViewState, Area, Area | None]:
    focus, selected = tree.top(), None
    try:
        focus = tree.find(state.area, day=day) if state.area else focus
        selected = tree.find(state.selected, day=day) if state.selected else None
    except NotVisibleError:
        notes.append("area")
        return replace(state, area="", selected=""), tree.top(), None
    if not tree.below(focus.level) and (above := tree.parent(focus)) is not None:
        # An area of the finest level is picked among its siblings.
        focus, selected = above, focus
        state = replace(state, area=tree.code(above), selected=tree.code(selected))
    return state, focus, selected

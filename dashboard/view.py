"""A view state settled against one snapshot and one scope: what is really shown, and the notes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from dashboard import cells, queries, released
from dashboard.areas import Area, Hierarchy, hierarchy
from dashboard.state import PERIOD_CHOICES, ViewState
from data import periods
from data.access import NotVisibleError

if TYPE_CHECKING:
    import datetime as dt

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
    categories = queries.category_family(scope, snapshot, state.category)
    if state.category and categories is None:
        notes.append("category")
        state = replace(state, category="")
    if state.severity and not queries.has_severities(scope, snapshot):
        notes.append("severity")
        state = replace(state, severity="")
    selection = queries.Selection(window, categories, int(state.severity or 0))
    return View(state, focus, level, selected, selection, tuple(dict.fromkeys(notes)))


def ends(scope: Scope, snapshot: Snapshot) -> list[dt.date]:
    """
    Window ends on offer, the newest first: the last 104 periods, or those that are released.

    Raises
    ------
    NotVisibleError
        Nothing is released that the scope may see.
    """
    manifest = snapshot.manifest
    if scope.is_protected:
        starts = released.released_starts(scope, snapshot)
        if not starts:
            raise NotVisibleError("nothing is released")
        return list(starts[::-1])
    return periods.span(manifest.first_period, manifest.last_period, grain=manifest.grain)[-104:][
        ::-1
    ]


def _window(
    scope: Scope, snapshot: Snapshot, state: ViewState, notes: list[str]
) -> tuple[ViewState, periods.Window]:
    grain, known = snapshot.manifest.grain, ends(scope, snapshot)
    if state.periods and state.periods not in PERIOD_CHOICES[grain]:
        notes.append("periods")
        state = replace(state, periods=0)
    end = known[0]
    if state.end:
        try:
            wanted = periods.parse_label(state.end, grain=grain)
        except ValueError:
            wanted = None
        if wanted in known:
            end = wanted
        else:
            notes.append("end")
            state = replace(state, end="")
    length = state.periods or int(snapshot.manifest.city["window"])
    return state, periods.Window(end, length, grain)


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

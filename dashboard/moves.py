"""How a view moves: pure steps from one state to the next, each named after what the user did."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from dashboard import ids
from dashboard.areas import Area, Hierarchy
from dashboard.state import ViewState
from data import periods
from data.access import NotVisibleError

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping, Sequence

    from dashboard.inputs import MapEvent
    from dashboard.view import View
    from data.manifest import Manifest
    from data.periods import Grain

FIELDS: Final[Mapping[str, str]] = {
    ids.LAYER: "layer",
    ids.LEVEL: "level",
    ids.PERIODS: "periods",
    ids.END: "end",
    ids.CATEGORY: "category",
    ids.SEVERITY: "severity",
    ids.LANGUAGE: "lang",
    ids.THEME: "theme",
}
"""Control -> the field of the state that it sets."""


def next_state(
    view: View,
    trigger: str,
    *,
    chosen: Mapping[str, Any],
    event: MapEvent | None,
    tree: Hierarchy,
    manifest: Manifest,
    known: Sequence[dt.date],
) -> ViewState:
    """
    State after what the user did.

    Parameters
    ----------
    trigger
        Id of the component that changed; one that moves nothing leaves the state.
    chosen
        Value of each control by its id.
    known
        Window ends on offer, the newest first.
    """
    if trigger == ids.MAP_EVENT:
        return moved(view, event, tree)
    if trigger in FIELDS:
        return with_choice(view.state, trigger, chosen[trigger], manifest)
    if trigger in (ids.EARLIER, ids.LATER):
        by = -1 if trigger == ids.EARLIER else 1
        return stepped(view.state, view.selection.window.end, by, manifest.grain, known)
    return view.state


def with_choice(state: ViewState, control: str, value: Any, manifest: Manifest) -> ViewState:
    """Set one field; a value that no address could hold is its default."""
    if control == ids.PERIODS and value == manifest.city["window"]:
        value = 0
    default = getattr(ViewState(), FIELDS[control])
    changed = replace(state, **{FIELDS[control]: default if value in (None, "") else value})
    return ViewState.from_address(changed.to_address())[0]


def stepped(
    state: ViewState, end: dt.date, by: int, grain: Grain, known: Sequence[dt.date]
) -> ViewState:
    """Shift the window by one period, within what is on offer."""
    wanted = min(max(periods.shift(end, by, grain=grain), known[-1]), known[0])
    newest = wanted == known[0]
    return replace(state, end="" if newest else periods.label(wanted, grain=grain))


def moved(view: View, event: MapEvent | None, tree: Hierarchy) -> ViewState:
    """
    Drill into a clicked area, pick one of the finest level, or go up.

    A click on an area that is unknown, foreign, or not of the shown level moves nothing.
    """
    if event is None:
        return view.state
    if event.kind == "up":
        return upward(view, tree)
    if event.kind != "click" or event.layer != "areas" or event.level != view.level:
        return view.state
    try:
        area = tree.check(Area(event.level, event.index))
    except NotVisibleError:
        return view.state
    if tree.below(area.level):
        return view.state.focus_on(tree.code(area))
    return view.state.pick(tree.code(area))


def upward(view: View, tree: Hierarchy) -> ViewState:
    """Let go of the picked area first, then move the focus to the area above."""
    if view.selected is not None:
        return replace(view.state, selected="")
    above = tree.parent(view.focus)
    if above is None:
        return view.state
    is_top = above == tree.top()
    return view.state.focus_on("" if is_top else tree.code(above))

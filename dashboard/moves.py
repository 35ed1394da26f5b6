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
    from collections.abc import Callable, Mapping, Sequence

    from dashboard.inputs import MapEvent, Range
    from dashboard.view import View
    from data.manifest import Manifest
    from data.periods import Grain

FIELDS: Final[Mapping[str, str]] = {
    ids.LAYER: "layer",
    ids.LEVEL: "level",
    ids.CATEGORY: "category",
    ids.SEVERITY: "severity",
    ids.LANGUAGE: "lang",
    ids.THEME: "theme",
}
"""Control -> the one field of the state that it sets."""


def next_state(
    view: View,
    trigger: str,
    *,
    chosen: Mapping[str, Any],
    event: MapEvent | None,
    tree: Hierarchy,
    manifest: Manifest,
    known: Sequence[dt.date],
    oldest: dt.date,
    marked: Range | None = None,
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
    oldest
        First period with which a window may begin.
    marked
        Range that was marked on a chart.
    """
    if trigger == ids.MAP_EVENT:
        return moved(view, event, tree)
    if trigger in FIELDS:
        return with_choice(view.state, trigger, chosen[trigger])
    timed: Mapping[str, Callable[[], ViewState]] = {
        ids.PERIODS: lambda: with_length(view.state, chosen[ids.PERIODS], manifest),
        ids.START: lambda: starting(view, chosen[ids.START] or "", known),
        ids.END: lambda: ending(view, chosen[ids.END] or "", known, oldest),
        ids.EARLIER: lambda: stepped(view, -1, known, oldest),
        ids.LATER: lambda: stepped(view, 1, known, oldest),
        ids.RANGE: lambda: over_range(view.state, marked, manifest.grain, known),
    }
    return timed[trigger]() if trigger in timed else view.state


def with_choice(state: ViewState, control: str, value: Any) -> ViewState:
    """Set one field; a value that no address could hold is its default."""
    default = getattr(ViewState(), FIELDS[control])
    changed = replace(state, **{FIELDS[control]: default if value in (None, "") else value})
    return _readable(changed)


def with_length(state: ViewState, value: Any, manifest: Manifest) -> ViewState:
    """Set how long the window is; no longer from a chosen period on."""
    if value is None:
        return state
    if isinstance(value, str):
        return _readable(state.over(span=value))
    return _readable(state.over(periods=0 if value == manifest.city["window"] else value))


def ending(view: View, label: str, known: Sequence[dt.date], oldest: dt.date) -> ViewState:
    """
    Set the window's end.

    A window that begins with a chosen period keeps it; one that would end before it moves as a
    whole, as every other does.
    """
    state, window = view.state, view.selection.window
    changed = _readable(replace(state, end=label))
    end = _period(label, window.grain, default=known[0])
    if not state.start or end is None or end >= window.start:
        return changed
    first = max(oldest, periods.shift(end, 1 - window.periods, grain=window.grain))
    return replace(changed, start=periods.label(first, grain=window.grain))


def starting(view: View, label: str, known: Sequence[dt.date]) -> ViewState:
    """Set the window's first period; an end before it moves along, as far as there is data."""
    state, window = view.state, view.selection.window
    first = _period(label, window.grain)
    if first is None:
        return state
    state = state.over(start=label)
    if first <= window.end:
        return state
    end = periods.shift(first, window.periods - 1, grain=window.grain)
    return _ended(state, end, window.grain, known)


def over_range(
    state: ViewState, marked: Range | None, grain: Grain, known: Sequence[dt.date]
) -> ViewState:
    """The window that was marked, or the default one where it was let go."""
    if marked is None:
        return state
    if not marked.first:
        return replace(state.over(), end="")
    first, last = (_period(label, grain) for label in (marked.first, marked.last))
    if first is None or last is None:
        return state
    first, last = min(first, last), max(first, last)
    return _ended(state.over(start=periods.label(first, grain=grain)), last, grain, known)


def stepped(view: View, by: int, known: Sequence[dt.date], oldest: dt.date) -> ViewState:
    """Shift the window by one period, within what is on offer."""
    state, window = view.state, view.selection.window
    end = periods.shift(window.end, by, grain=window.grain)
    first = periods.shift(window.start, by, grain=window.grain)
    if not known[-1] <= end <= known[0] or (state.start and first < oldest):
        return state
    if state.start:
        state = replace(state, start=periods.label(first, grain=window.grain))
    return _ended(state, end, window.grain, known)


def _ended(state: ViewState, end: dt.date, grain: Grain, known: Sequence[dt.date]) -> ViewState:
    """With an end within what is on offer; the newest one is not written down."""
    end = min(max(end, known[-1]), known[0])
    return replace(state, end="" if end == known[0] else periods.label(end, grain=grain))


def _period(label: str, grain: Grain, default: dt.date | None = None) -> dt.date | None:
    """Period that a label names; None where it names none."""
    try:
        return periods.parse_label(label, grain=grain) if label else default
    except ValueError:
        return None


def _readable(state: ViewState) -> ViewState:
    """Back at its default, whatever no address could hold."""
    return ViewState.from_address(state.to_address())[0]


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

"""What each callback answers: address in, named outputs out; plain functions, tested by call."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from dash import no_update

from dashboard import (
    assessment_panel,
    category_tree,
    controls,
    hours_panel,
    ids,
    linked_charts,
    moves,
    numerals,
    panels,
    protected,
    queries,
    summary,
    surroundings,
    trust_panel,
)
from dashboard import trend as trends
from dashboard.areas import Area, Hierarchy, hierarchy
from dashboard.map import layers
from dashboard.map.drawn import draw_map
from dashboard.rank_ranges import rank_ranges
from dashboard.text import Words
from dashboard.view import View, settle
from dashboard.windows import ends, starts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dash import html

    from dashboard.inputs import MapEvent, Range
    from dashboard.map.known import Archive
    from dashboard.state import Camera, ViewState
    from data.access import Scope
    from data.store import Snapshot

Answer = dict[str, Any]
FOUND: Final = 12
"""Areas that a search lists."""


def move(
    scope: Scope,
    snapshot: Snapshot,
    *,
    trigger: str,
    search: str,
    fragment: str,
    has_map: bool,
    event: MapEvent | None,
    resolution: int | None,
    camera: Camera | str | None,
    shown: str,
    chosen: Mapping[str, Any],
    marked: Range | None = None,
    archive: Archive | None = None,
) -> Answer:
    """
    Move the view, set every control to it, and draw the map.

    The address changes only when the view does; values travel only when they may have changed.

    Parameters
    ----------
    has_map
        The map is in view; behind another page it is not drawn.
    shown
        What the page holds, as an earlier answer told it: the id of the snapshot whose values the
        map has, then the query that the controls are set to; empty = nothing.
    marked
        Range of periods that was marked on a chart.
    archive
        Earlier snapshots.
    """
    view = settle(scope, snapshot, search)
    moved = moves.next_state(
        view,
        trigger,
        chosen=chosen,
        event=event,
        tree=hierarchy(scope, snapshot),
        manifest=snapshot.manifest,
        known=ends(scope, snapshot),
        oldest=starts(scope, snapshot)[-1],
        marked=marked,
    )
    after = settle(scope, snapshot, moved.to_address())
    from_address = trigger in ("", ids.ADDRESS)
    own_step = after.focus != view.focus and not from_address
    refocused = from_address or own_step
    drawn: Answer = dict.fromkeys(("view", "values", "legend"), no_update)
    if has_map:
        drawn = draw_map(
            scope,
            snapshot,
            search=moved.to_search(),
            fragment="" if own_step else fragment,
            resolution=None if own_step else resolution,
            archive=archive,
        )
    drawn_of = shown.partition("?")[0]
    is_kept = drawn_of == snapshot.id and not refocused and trigger != ids.MAP_RESOLUTION
    if is_kept and _same_values(view, after):
        drawn["values"] = no_update
    return (
        {
            "search": no_update if from_address or moved == view.state else moved.to_search(),
            "hash": "" if own_step else no_update,
            "camera": None if refocused and camera is not None else no_update,
            "shown": f"{snapshot.id if has_map else drawn_of}?{moved.to_search().lstrip('?')}",
        }
        | drawn
        | _control_changes(
            _held_choices(scope, snapshot, shown)
            if from_address
            else _controls(scope, snapshot, view),
            _controls(scope, snapshot, after),
            keep=f"{trigger}_value",
        )
    )


def _same_values(before: View, after: View) -> bool:
    """Whether two views differ at most in what is picked."""
    return replace(before.state, selected="") == replace(after.state, selected="")


def _controls(scope: Scope, snapshot: Snapshot, view: View) -> Answer:
    """Everything that the controls show for a view."""
    words = Words(view.state.lang)
    window, known = view.selection.window, ends(scope, snapshot)
    is_first = bool(view.state.start) and window.start <= starts(scope, snapshot)[-1]
    return {
        "placeholder": words("search"),
        "earlier": window.end <= known[-1] or is_first,
        "later": window.end >= known[0],
        **{
            f"{name}_value": value
            for name, value in controls.present(scope, snapshot, view).items()
        },
        **{
            f"{name}_options": found
            for name, found in controls.choices(
                scope, snapshot, view.focus.level, view.level, view.state.lang
            ).items()
        },
        **{f"{name}_words": controls.search_words(words) for name in controls.SEARCHED},
        **{f"{name}_label": text for name, text in controls.captions(snapshot, words).items()},
    }


def _held_choices(scope: Scope, snapshot: Snapshot, shown: str) -> Answer:
    """
    What the controls of a page offer, by what it holds: a link leaves most of it as it is.

    Their values are always set, as a reader may have changed one meanwhile.
    """
    of_snapshot, mark, search = shown.partition("?")
    if not mark or of_snapshot != snapshot.id:
        return {}
    held = _controls(scope, snapshot, settle(scope, snapshot, f"?{search}"))
    return {name: what for name, what in held.items() if not name.endswith("_value")}


def _control_changes(before: Answer, after: Answer, *, keep: str) -> Answer:
    """Only what differs, as each property sent makes the browser draw its control anew.

    The control that was used is always set: what it asked for may have been refused.
    """
    return {
        name: value if name == keep or name not in before or before[name] != value else no_update
        for name, value in after.items()
    }


def draw_panels(scope: Scope, snapshot: Snapshot, *, search: str, withheld: bool = False) -> Answer:
    """
    Every panel that needs no chart.

    Parameters
    ----------
    withheld
        A newer snapshot is published but damaged.
    """
    view = settle(scope, snapshot, search)
    words = Words(view.state.lang)
    about = {
        "header": surroundings.header(snapshot.manifest, words, protected=scope.is_protected),
        "breadcrumb": surroundings.breadcrumb(_steps(scope, snapshot, view, words)),
        "footer": surroundings.footer(snapshot.manifest, words, whole=scope.sees_all),
        "notice": [
            *panels.notes(words, (*["withheld"] * withheld, *_notes(snapshot, view))),
            *assessment_panel.silence(scope, snapshot, view, words),
        ],
        "map_note": _map_note(scope, snapshot, view, words),
    }
    if scope.is_protected:
        tree = hierarchy(scope, snapshot)
        return about | protected.draw_panels(
            scope, snapshot, view, words, href=lambda area: _go_to(view.state, tree, area)
        )
    return about | _exact_panels(scope, snapshot, view, words)


def _exact_panels(scope: Scope, snapshot: Snapshot, view: View, words: Words) -> Answer:
    manifest = snapshot.manifest
    row = summary.rate_row(scope, snapshot, view.subject, view.selection)
    ranked = summary.ranking(scope, snapshot, view.focus, view.level, view.selection)
    name = _name(scope, snapshot, view.subject, words)
    unit = surroundings.exposure_unit(snapshot, words)
    level = controls.level_name(snapshot, view.level, words)
    period = words(f"period_{manifest.grain}")
    moved = summary.changes(scope, snapshot, view.subject, view.selection)
    leaf = view.selected is not None or view.focus.level == view.level
    unplaced = "" if leaf else numerals.share(ranked.unplaced, ranked.recorded, words)
    return {
        "kpis": panels.kpis(
            row,
            moved,
            window=view.selection.window,
            unplaced=unplaced,
            level_name=level,
            unit=unit,
            period=period,
            words=words,
        ),
        "ranking": [
            hours_panel.draw(scope, snapshot, view, name, words),
            _ranking(scope, snapshot, view, ranked, words),
        ],
        "arithmetic": [
            panels.arithmetic(
                row,
                name=name,
                unit=unit,
                period=period,
                periods=view.selection.window.periods,
                words=words,
            ),
            trust_panel.draw(scope, snapshot, view, name, words),
        ],
    }


def draw_charts(scope: Scope, snapshot: Snapshot, *, search: str) -> Answer:
    """Trend and category charts of the area in view."""
    view = settle(scope, snapshot, search)
    words = Words(view.state.lang)
    if scope.is_protected:
        return {"charts": protected.draw_charts(scope, snapshot, view, words)}
    line = trends.trend(scope, snapshot, view.subject, view.selection)
    bars = trends.bars(scope, snapshot, view.subject, view.selection, words)
    name = _name(scope, snapshot, view.subject, words)
    drawn = panels.charts(
        name=name,
        trend=None if line is None else linked_charts.trend(line, view, words),
        categories=None if bars is None else linked_charts.categories(bars, view, words),
        tree=category_tree.draw(scope, snapshot, view, words),
        note=panels.trend_note(line, view.selection.window.grain, words),
        window=linked_charts.window_row(view, words),
        words=words,
    )
    assessed = assessment_panel.draw(scope, snapshot, view, name, words)
    return {"charts": [assessed, *drawn]}


def find_areas(scope: Scope, snapshot: Snapshot, *, search: str, text: str) -> Answer:
    """Areas whose name or code holds the text, as links; nothing while there is no text."""
    if not text.strip():
        return {"results": []}
    view = settle(scope, snapshot, search)
    words = Words(view.state.lang)
    tree = hierarchy(scope, snapshot)
    day = view.selection.window.last_day
    found = [
        (
            _name(scope, snapshot, area, words),
            _place(scope, snapshot, area, words),
            _go_to(view.state, tree, area),
        )
        for area in queries.search_areas(scope, snapshot, text, day, FOUND)
    ]
    return {"results": surroundings.search_results(found, text.strip(), words)}


def _ranking(
    scope: Scope, snapshot: Snapshot, view: View, ranked: summary.Ranking, words: Words
) -> Any:
    level = controls.level_name(snapshot, view.level, words)
    name = _name(scope, snapshot, view.focus, words)
    if view.focus.level == view.level:
        title = words("ranking_title", level=level, name=name)
        return panels.panel(
            title, panels.empty(words, words("ranking_leaf")), about="rates", words=words
        )
    tree = hierarchy(scope, snapshot)
    return panels.ranking(
        ranked,
        name=name,
        level_name=level,
        area_name=lambda area: _name(scope, snapshot, area, words),
        href=lambda area: _go_to(view.state, tree, area),
        words=words,
        ranks=rank_ranges(scope, snapshot, view.level, view.selection.window.end),
    )


def _go_to(state: ViewState, tree: Hierarchy, area: Area) -> str:
    """Address that shows an area: in focus, or picked among its siblings at the finest level."""
    above = tree.parent(area)
    if tree.below(area.level) or above is None:
        return state.focus_on(tree.code(area)).to_href()
    return state.focus_on(tree.code(above)).pick(tree.code(area)).to_href()


def _steps(scope: Scope, snapshot: Snapshot, view: View, words: Words) -> list[tuple[str, str]]:
    tree = hierarchy(scope, snapshot)
    path = tree.path(view.focus)
    steps = [
        (
            _name(scope, snapshot, area, words),
            view.state.focus_on("" if area == tree.top() else tree.code(area)).to_href(),
        )
        for area in path
    ]
    if view.selected is not None:
        steps.append((_name(scope, snapshot, view.selected, words), view.state.to_href()))
    return steps


def _name(scope: Scope, snapshot: Snapshot, area: Area, words: Words) -> str:
    return str(hierarchy(scope, snapshot).at(area.level).names(words.lang)[area.index])


def _place(scope: Scope, snapshot: Snapshot, area: Area, words: Words) -> str:
    """Level and the areas above, to tell namesakes apart."""
    tree = hierarchy(scope, snapshot)
    above = [_name(scope, snapshot, step, words) for step in tree.path(area)[:-1][-2:]]
    return " · ".join([controls.level_name(snapshot, area.level, words), *above])


def _notes(snapshot: Snapshot, view: View) -> tuple[str, ...]:
    short = view.selection.window.start < snapshot.manifest.first_period
    return (*view.notes, "window_short") if short else view.notes


def _map_note(scope: Scope, snapshot: Snapshot, view: View, words: Words) -> list[html.Span]:
    """The days of the window, what part of the calendar it is, and whose base map it is."""
    window, span = view.selection.window, view.state.span
    days = words("week_range", first=window.start, last=window.last_day)
    if span:
        days = words("span_days", span=words(f"span_{span}"), days=days)
    base = layers.base(scope, snapshot, view) or {"notice": ""}
    return surroundings.map_note(days, base["notice"])

"""What each callback answers: address in, named outputs out; plain functions, tested by call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from dash import no_update

from dashboard import (
    assessment_panel,
    cells,
    controls,
    figures,
    ids,
    moves,
    numerals,
    panels,
    protected,
    queries,
    summary,
    surroundings,
)
from dashboard import trend as trends
from dashboard.areas import Area, Hierarchy, hierarchy
from dashboard.map import values as map_values
from dashboard.map import view as map_views
from dashboard.text import Words
from dashboard.view import View, ends, settle
from data.access import NotVisibleError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dashboard.inputs import MapEvent
    from dashboard.state import Camera, ViewState
    from data.access import Scope
    from data.store import Snapshot

Answer = dict[str, Any]
FOUND: Final = 12
"""Areas that a search lists."""


def sync_state(
    scope: Scope,
    snapshot: Snapshot,
    *,
    trigger: str,
    search: str,
    event: MapEvent | None,
    camera: Camera | str | None,
    chosen: Mapping[str, Any],
) -> Answer:
    """Move the view and set every control to it; the address changes only when the view does."""
    view = settle(scope, snapshot, search)
    tree = hierarchy(scope, snapshot)
    moved = moves.next_state(
        view,
        trigger,
        chosen=chosen,
        event=event,
        tree=tree,
        manifest=snapshot.manifest,
        known=ends(scope, snapshot),
    )
    after = settle(scope, snapshot, moved.to_address())
    from_address = trigger in ("", ids.URL)
    refocused = from_address or after.focus != view.focus
    return {
        "search": no_update if from_address or moved == view.state else moved.to_search(),
        "hash": "" if refocused and not from_address else no_update,
        "camera": None if refocused and camera is not None else no_update,
    } | _control_changes(
        {} if from_address else _controls(scope, snapshot, view),
        _controls(scope, snapshot, after),
        keep=f"{trigger}_value",
    )


def _controls(scope: Scope, snapshot: Snapshot, view: View) -> Answer:
    """Everything that the controls show for a view."""
    words = Words(view.state.lang)
    end, known = view.selection.window.end, ends(scope, snapshot)
    return {
        "placeholder": words("search"),
        "earlier": end <= known[-1],
        "later": end >= known[0],
        **{f"{name}_value": value for name, value in controls.present(snapshot, view).items()},
        **{
            f"{name}_options": found
            for name, found in controls.choices(
                scope, snapshot, view.focus.level, view.level, view.state.lang
            ).items()
        },
        **{f"{name}_words": controls.search_words(words) for name in controls.SEARCHED},
        **{f"{name}_label": text for name, text in controls.captions(snapshot, words).items()},
    }


def _control_changes(before: Answer, after: Answer, *, keep: str) -> Answer:
    """Only what differs, as each property sent makes the browser draw its control anew.

    The control that was used is always set: what it asked for may have been refused.
    """
    return {
        name: value if name == keep or name not in before or before[name] != value else no_update
        for name, value in after.items()
    }


def draw_map(
    scope: Scope, snapshot: Snapshot, *, search: str, fragment: str, resolution: int | None
) -> Answer:
    """The map's view, its values and its legend."""
    view = settle(scope, snapshot, search + fragment)
    words = Words(view.state.lang)
    held = {entry["resolution"] for entry in snapshot.manifest.cells}
    if resolution is None or resolution not in held:
        zoom = map_views.opening_zoom(scope, snapshot, view)
        resolution = map_views.pick_resolution(snapshot, zoom)
    if scope.is_protected:
        values = protected.area_values(scope, snapshot, view)
        legend = surroundings.area_legend(words, protected=True)
    elif view.state.layer == "cells":
        values = map_values.cell_values(scope, snapshot, view, resolution)
        found = cells.cell_counts(scope, snapshot, resolution, view.selection)
        legend = surroundings.cell_legend(
            snapshot.manifest,
            resolution,
            drawn=int(found.counts.sum()),
            no_point=found.no_point,
            whole=cells.covers_city(scope),
            words=words,
        )
    else:
        values = map_values.area_values(scope, snapshot, view)
        legend = surroundings.area_legend(words)
    return {
        "view": map_views.map_view(scope, snapshot, view, words, resolution),
        "values": values,
        "legend": legend,
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
        "map_note": _window_text(view, words),
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
    name, unit = _name(scope, snapshot, view.subject, words), _unit(snapshot, words)
    level = controls.level_name(snapshot, view.level, words)
    period = words(f"period_{manifest.grain}")
    moved = summary.changes(scope, snapshot, view.subject, view.selection)
    leaf = view.selected is not None or view.focus.level == view.level
    unplaced = "" if leaf else numerals.share(ranked.unplaced, ranked.recorded, words)
    return {
        "kpis": panels.kpis(
            row, moved, unplaced=unplaced, level_name=level, unit=unit, period=period, words=words
        ),
        "ranking": _ranking(scope, snapshot, view, ranked, words),
        "arithmetic": panels.arithmetic(
            row,
            name=name,
            unit=unit,
            period=period,
            periods=view.selection.window.periods,
            words=words,
        ),
    }


def draw_charts(scope: Scope, snapshot: Snapshot, *, search: str) -> Answer:
    """Trend and category charts of the area in view."""
    view = settle(scope, snapshot, search)
    words = Words(view.state.lang)
    if scope.is_protected:
        return {"charts": protected.draw_charts(scope, snapshot, view, words)}
    window = view.selection.window
    line = trends.trend(scope, snapshot, view.subject, view.selection)
    bars = trends.bars(scope, snapshot, view.subject, view.selection, words)
    name = _name(scope, snapshot, view.subject, words)
    drawn = panels.charts(
        name=name,
        trend=None
        if line is None
        else figures.trend_chart(
            line.starts,
            counts=line.counts,
            last_year=line.last_year,
            lower=line.lower,
            upper=line.upper,
            window=window.periods,
            grain=window.grain,
            words=words,
            reported=line.reported,
            incomplete=line.incomplete,
        ),
        categories=None
        if bars is None
        else figures.category_bars(
            bars.names, counts=bars.counts, previous=bars.previous, words=words
        ),
        note=panels.trend_note(line, window.grain, words),
        words=words,
    )
    assessed = assessment_panel.draw(scope, snapshot, view, name, words)
    return {"charts": [assessed, *drawn]}


def explain_hover(
    scope: Scope, snapshot: Snapshot, *, search: str, event: MapEvent | None
) -> Answer:
    """Figures of the area under the pointer; nothing for one that may not be seen."""
    view = settle(scope, snapshot, search)
    words = Words(view.state.lang)
    if event is None or event.kind != "hover" or event.layer != "areas":
        return {"detail": []}
    area = Area(event.level, event.index)
    try:
        if scope.is_protected:
            return {"detail": protected.hover_detail(scope, snapshot, view, area, words)}
        row = summary.rate_row(scope, snapshot, area, view.selection)
    except NotVisibleError:
        return {"detail": []}
    period = words(f"period_{snapshot.manifest.grain}")
    unit = _unit(snapshot, words)
    return {"detail": surroundings.hover_detail(row, unit=unit, period=period, words=words)}


def draw_comparison(scope: Scope, snapshot: Snapshot, *, search: str) -> Answer:
    """The own area beside others, all of it protected; nothing for who sees the city anyway."""
    if scope.sees_all or scope.is_protected:
        return {"comparison": []}
    view = settle(scope, snapshot, search)
    words = Words(view.state.lang)
    return {"comparison": protected.comparison(scope, snapshot, view.subject, words)}


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


def _unit(snapshot: Snapshot, words: Words) -> str:
    city = snapshot.manifest.city
    return words.pick(city["exposure_unit_zh"], city["exposure_unit_en"])


def _notes(snapshot: Snapshot, view: View) -> tuple[str, ...]:
    short = view.selection.window.start < snapshot.manifest.first_period
    return (*view.notes, "window_short") if short else view.notes


def _window_text(view: View, words: Words) -> str:
    window = view.selection.window
    return words("week_range", first=window.start, last=window.last_day)

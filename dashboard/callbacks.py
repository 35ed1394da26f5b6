"""Wiring: which component calls which answer. No logic lives here."""

from __future__ import annotations

from importlib import resources
from typing import TYPE_CHECKING, Any

from dash import ClientsideFunction, Input, Output, State, no_update

from dashboard import answers, audited, controls, ids, inputs, pointed, side
from dashboard.leaf import to_html, written
from data.archive import Archive

if TYPE_CHECKING:
    from dash import Dash

    from dashboard.chrome import Chrome
    from dashboard.guard import Guard
    from data.access import Scope
    from data.store import Store

_VALUES = (
    ids.LAYER,
    ids.LEVEL,
    ids.PERIODS,
    ids.START,
    ids.END,
    ids.CATEGORY,
    ids.SEVERITY,
    ids.LANGUAGE,
    ids.THEME,
)

_DOING = {"": "view", ids.ADDRESS: "view", ids.MAP_EVENT: "drill"}
"""What the audit calls a move, by the component that made it; else it is a query."""


def register(app: Dash, guard: Guard, store: Store, chrome: Chrome) -> None:
    """Register every callback of the page."""
    _register_moves(guard, store)
    _register_panels(guard, store, chrome)
    _register_details(guard, store)
    _register_clientside(app)


def _register_moves(guard: Guard, store: Store) -> None:
    """One call moves the view and draws the map: a second one would double every wait."""

    @guard.register(
        action="map",
        output={
            "search": Output(ids.URL, "search"),
            "hash": Output(ids.URL, "hash"),
            "camera": Output(ids.MAP_CAMERA, "data"),
            "view": Output(ids.MAP_VIEW, "data"),
            "values": Output(ids.MAP_VALUES, "data"),
            "shown": Output(ids.SHOWN, "data"),
            "legend": Output(ids.LEGEND_MARKUP, "data"),
            "placeholder": Output(ids.SEARCH, "placeholder"),
            "earlier": Output(ids.EARLIER, "disabled"),
            "later": Output(ids.LATER, "disabled"),
            **{f"{name}_value": Output(name, "value") for name in _VALUES},
            **{f"{name}_options": Output(name, "options") for name in _VALUES},
            **{f"{name}_words": Output(name, "labels") for name in controls.SEARCHED},
            **{
                f"{name}_label": Output(controls.label_of(name), "children")
                for name in controls.LABELLED
            },
        },
        inputs={
            # Counts the changes of `search` that are not our own answers.
            "address": (Input(ids.ADDRESS, "data"), inputs.integer),
            "search": (State(ids.URL, "search"), inputs.search),
            "fragment": (State(ids.URL, "hash"), inputs.search),
            "path": (State(ids.URL, "pathname"), inputs.word),
            "event": (Input(ids.MAP_EVENT, "data"), inputs.event),
            "marked": (Input(ids.RANGE, "data"), inputs.marked),
            "resolution": (Input(ids.MAP_RESOLUTION, "data"), inputs.integer),
            ids.LAYER: (Input(ids.LAYER, "value"), inputs.choice("areas", "cells")),
            ids.LEVEL: (Input(ids.LEVEL, "value"), inputs.word),
            ids.PERIODS: (Input(ids.PERIODS, "value"), inputs.length),
            ids.START: (Input(ids.START, "value"), inputs.word),
            ids.END: (Input(ids.END, "value"), inputs.word),
            ids.CATEGORY: (Input(ids.CATEGORY, "value"), inputs.word),
            ids.SEVERITY: (Input(ids.SEVERITY, "value"), inputs.choice("", "2", "3", "4")),
            ids.LANGUAGE: (Input(ids.LANGUAGE, "value"), inputs.choice("zh", "en")),
            ids.THEME: (Input(ids.THEME, "value"), inputs.choice("auto", "light", "dark")),
            ids.EARLIER: (Input(ids.EARLIER, "n_clicks"), inputs.integer),
            ids.LATER: (Input(ids.LATER, "n_clicks"), inputs.integer),
            "camera": (State(ids.MAP_CAMERA, "data"), inputs.camera),
            "shown": (State(ids.SHOWN, "data"), inputs.search),
        },
    )
    def move(
        scope: Scope,
        trigger: str,
        *,
        address: int | None,
        search: str,
        fragment: str,
        path: str,
        event: Any,
        marked: inputs.Range | None,
        resolution: int | None,
        camera: Any,
        shown: str,
        **chosen: Any,
    ) -> Any:
        del address
        audited.describe(_DOING.get(trigger, "query"), search)
        answer = answers.move(
            scope,
            store.current(),
            trigger=trigger,
            search=search,
            fragment=fragment,
            has_map=path in ("", "/"),
            event=event,
            marked=marked,
            resolution=resolution,
            camera=camera,
            shown=shown,
            chosen=chosen,
            archive=Archive(store),
        )
        if answer["legend"] is not no_update:
            answer["legend"] = to_html(answer["legend"])
        return answer


def _register_panels(guard: Guard, store: Store, chrome: Chrome) -> None:
    # The same address, once the map has painted it: what the eye looks at comes first.
    panels_address = (Input(ids.PANELS_ADDRESS, "data"), inputs.search)

    @guard.register(
        action="map",
        output={
            "markup": Output(ids.PANELS_MARKUP, "data"),
            "watermark": Output(ids.WATERMARK, "style"),
            "compared": Output(ids.COMPARED_ADDRESS, "data"),
        },
        inputs={"search": panels_address},
        prevent_initial_call=True,
    )
    def draw_panels(scope: Scope, trigger: str, search: str) -> Any:
        del trigger
        snapshot = store.current()
        around = chrome.draw(scope, snapshot, search)
        drawn = side.draw(scope, snapshot, search=search, withheld=store.alarm is not None)
        return {
            "markup": written(drawn | {ids.ACCOUNT: around["account"]}),
            "watermark": around["watermark"],
            "compared": side.compared_address(scope, snapshot, search=search) or no_update,
        }

    @guard.register(
        action="compare",
        output={"markup": Output(ids.COMPARISON_MARKUP, "data")},
        inputs={"search": (Input(ids.COMPARED_ADDRESS, "data"), inputs.search)},
        prevent_initial_call=True,
    )
    def draw_comparison(scope: Scope, trigger: str, search: str) -> Any:
        del trigger
        drawn = side.draw_comparison(scope, store.current(), search=search)
        return {"markup": written(drawn)}


def _register_details(guard: Guard, store: Store) -> None:
    @guard.register(
        action="map",
        output={"detail": Output(ids.MAP_HOVER_DETAIL, "children")},
        inputs={
            "event": (Input(ids.MAP_HOVER, "data"), inputs.event),
            "search": (State(ids.URL, "search"), inputs.search),
        },
        prevent_initial_call=True,
    )
    def explain_hover(scope: Scope, trigger: str, event: Any, search: str) -> Any:
        del trigger
        return pointed.explain(scope, store.current(), search=search, event=event)

    @guard.register(
        action="map",
        output={"results": Output(ids.SEARCH_RESULTS, "children")},
        inputs={
            "text": (Input(ids.SEARCH, "value"), inputs.word),
            "search": (State(ids.URL, "search"), inputs.search),
        },
        prevent_initial_call=True,
    )
    def find_areas(scope: Scope, trigger: str, text: str, search: str) -> Any:
        del trigger
        return answers.find_areas(scope, store.current(), search=search, text=text)


def _register_clientside(app: Dash) -> None:
    """The map takes its view and values in the browser; none of these reaches the server."""
    wire: Any = app.clientside_callback
    wire(
        ClientsideFunction("pingan", "applyView"),
        Output(ids.MAP_APPLIED, "data"),
        Input(ids.MAP_VIEW, "data"),
    )
    wire(
        ClientsideFunction("pingan", "applyValues"),
        Output(ids.MAP_APPLIED, "modified_timestamp"),
        Input(ids.MAP_VALUES, "data"),
    )
    wire(
        ClientsideFunction("pingan", "applyLegend"),
        Output(ids.LEGEND_APPLIED, "data"),
        Input(ids.LEGEND_MARKUP, "data"),
    )
    wire(
        ClientsideFunction("pingan", "applyPanels"),
        Output(ids.PANELS_APPLIED, "data"),
        Input(ids.PANELS_MARKUP, "data"),
    )
    wire(
        ClientsideFunction("pingan", "applyPanels"),
        Output(ids.PANELS_APPLIED, "modified_timestamp"),
        Input(ids.COMPARISON_MARKUP, "data"),
    )
    wire(
        ClientsideFunction("pingan", "afterPaint"),
        Output(ids.PANELS_ADDRESS, "data"),
        Input(ids.MAP_VIEW, "data"),
        State(ids.URL, "search"),
    )
    wire(
        ClientsideFunction("pingan", "addressChanged"),
        Output(ids.ADDRESS, "data"),
        Input(ids.URL, "search"),
        Input(ids.URL, "pathname"),
        State(ids.MAP_VIEW, "data"),
    )
    wire(
        _script("clear_search"),
        Output(ids.SEARCH, "value"),
        Input(ids.URL, "search"),
        State(ids.SEARCH, "value"),
        prevent_initial_call=True,
    )
    wire(
        _script("address"),
        Output(ids.MAP_RESOLUTION, "data"),
        Input(ids.MAP_CAMERA, "data"),
        State(ids.MAP_VIEW, "data"),
        prevent_initial_call=True,
    )


def _script(name: str) -> str:
    """A small script that the page runs inline, admitted by its hash."""
    return resources.files("dashboard.map").joinpath(f"{name}.js").read_text(encoding="utf-8")

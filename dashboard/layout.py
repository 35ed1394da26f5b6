"""The page skeleton: every id from the start, no data; a function, because it asks the scope."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dash import dcc, html

from dashboard import controls, ids, panels
from dashboard.desk import nav
from dashboard.markup import attributes
from dashboard.text import Words
from data.access import decide
from data.manifest import SnapshotError

if TYPE_CHECKING:
    from data.access import Scope
    from data.store import Store


def page(scope: Scope, store: Store) -> html.Div:
    """The whole page, or a note where nothing is published or nothing may be seen."""
    words = Words("zh")
    open_to = {
        "has_report": decide(scope, "report").is_allowed,
        "has_letters": decide(scope, "letters").is_allowed,
        "has_command": decide(scope, "warnings").is_allowed,
    }
    try:
        store.current()
    except SnapshotError:
        note = html.Div(
            [html.Strong(words("no_snapshot_title")), html.P(words("no_snapshot_text"))],
            className="empty",
        )
        return _skeleton(note, **open_to)
    if not (scope.sees_areas or scope.is_protected):
        return _skeleton(panels.empty(words, words("empty_scope")), **open_to)
    return _skeleton(None, **open_to)


def skeleton() -> html.Div:
    """The page with every id and no data, against which Dash checks the callbacks."""
    return _skeleton(None, has_report=True, has_letters=True, has_command=True)


def _skeleton(note: Any, *, has_report: bool, has_letters: bool, has_command: bool) -> html.Div:
    return html.Div(
        [
            dcc.Location(id=ids.URL, refresh="callback-nav"),
            *_stores(),
            nav.skip_link(),
            _topbar(has_report=has_report, has_letters=has_letters, has_command=has_command),
            html.Div(controls.layout(), className="filters", id=ids.FILTERS, role="search"),
            html.Main([_map_box(), _side(note)], className="main"),
            nav.page_box(),
            html.Div(
                html.Button(nav.both("newer_data"), type="button", id=ids.NEWER_DATA, hidden=True),
                className="newer-data",
                role="status",
            ),
            html.Footer(id=ids.FOOTER, className="footer"),
            html.Div(id=ids.WATERMARK, className="watermark", **attributes(aria_hidden="true")),
        ],
        id=ids.APP,
        className="app",
    )


def _stores() -> list[dcc.Store]:
    """Browser-side state only; the map's values are what the page shows anyway."""
    names = (
        ids.MAP_VIEW,
        ids.MAP_VALUES,
        ids.MAP_EVENT,
        ids.MAP_HOVER,
        ids.MAP_CAMERA,
        ids.MAP_RESOLUTION,
        ids.MAP_APPLIED,
        ids.LEGEND_MARKUP,
        ids.LEGEND_APPLIED,
        ids.ADDRESS,
        ids.SHOWN,
        ids.PANELS_ADDRESS,
        ids.PANELS_MARKUP,
        ids.PANELS_APPLIED,
        ids.COMPARED_ADDRESS,
        ids.COMPARISON_MARKUP,
        ids.PAGE_ADDRESS,
        ids.RANGE,
    )
    return [dcc.Store(id=name) for name in names]


def _topbar(*, has_report: bool, has_letters: bool, has_command: bool) -> html.Header:
    return html.Header(
        [
            html.Div(
                [
                    html.H1(nav.both("brand"), className="brand"),
                    html.Div(id=ids.HEADER, className="title-city"),
                ],
                className="title",
            ),
            nav.navigation(has_report=has_report, has_letters=has_letters, has_command=has_command),
            html.Div(
                [
                    dcc.Input(id=ids.SEARCH, type="search", maxLength=60, autoComplete="off"),
                    html.Div(
                        id=ids.SEARCH_RESULTS,
                        className="search-results",
                        **attributes(aria_live="polite"),
                    ),
                ],
                className="search",
            ),
            html.Div(
                [controls.segmented(ids.LANGUAGE), controls.segmented(ids.THEME)],
                className="toolbar",
            ),
            html.Div(id=ids.ACCOUNT, className="account-slot"),
        ],
        className="topbar",
    )


def _map_box() -> html.Section:
    return html.Section(
        [
            html.Nav(id=ids.BREADCRUMB, className="breadcrumb"),
            html.Div(id=ids.MAP),
            html.Div(controls.segmented(ids.LAYER), className="map-switch"),
            html.Div(id=ids.LEGEND, className="legend"),
            html.Div(id=ids.MAP_NOTE, className="map-note", role="status"),
            html.Div(id=ids.MAP_PLAY, className="map-play"),
            html.Div(
                [
                    html.Div(className="map-hover-head"),
                    html.Div(id=ids.MAP_HOVER_DETAIL, className="map-hover-detail"),
                ],
                id=ids.MAP_HOVER_CARD,
                className="map-hover-card",
            ),
        ],
        className="map-box",
    )


def _side(note: Any) -> html.Aside:
    return html.Aside(
        [
            *([] if note is None else [note]),
            html.Div(id=ids.NOTICE, className="notices"),
            html.Div(id=ids.KPIS, className="kpis"),
            html.Div(id=ids.CHARTS, className="charts"),
            html.Div(id=ids.RANKING),
            html.Div(id=ids.ARITHMETIC),
            html.Div(id=ids.COMPARISON),
        ],
        className="side",
    )

"""The page of the risk index: every area of a level, and the glass box of one of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from dashboard import assessment, assessment_panel, index_panel, panels
from dashboard.areas import Area
from dashboard.desk import charts, frame, index_list, links
from dashboard.desk.grid import LISTED, Column, table
from dashboard.elements import html
from data.index_trace import GREY

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

    from dashboard.text import Words
    from dashboard.view import View
    from data.access import Scope
    from data.shown_settings import ShownSettings
    from data.store import Snapshot

Component = Any

SENT: Final = (
    "colour", "safety_index", "risk", "moved", "before", "rank_lower", "rank_upper", "n",
)  # fmt: skip
"""Stored columns that the table shows."""


def draw(scope: Scope, snapshot: Snapshot, view: View, words: Words) -> list[Component]:
    """Everything of the page under its head."""
    settings, window = assessment.settings(scope, snapshot), view.selection.window
    title = words(
        "index_list_title",
        level=frame.level_name(snapshot, view.level, words),
        name=frame.name(scope, snapshot, view.focus, words),
    )
    if settings is None:
        none = panels.empty(words, words("assess_none"))
        return [panels.panel(title, none, about="index", words=words)]
    found = index_list.rows(scope, snapshot, view.focus, view.level, window.end)
    if found.empty:
        none = panels.empty(words, words("index_not_kept"))
        return [panels.panel(title, none, about="index", words=words)]
    left = [
        _list(scope, snapshot, view, words, found=found, settings=settings, title=title),
        _over_time(scope, snapshot, view, settings, words),
    ]
    return [
        html.Div(
            [
                html.Div(left, className="desk-stack"),
                _box(scope, snapshot, view, settings, words),
            ],
            className="desk-split",
        )
    ]


def colour_names(settings: ShownSettings, words: Words) -> list[str]:
    """Names of grey and the four colours."""
    return [index_panel.colour_name(colour, settings.index, words) for colour in range(5)]


def colour_tints(settings: ShownSettings) -> list[str]:
    """Tints of grey and the four colours."""
    return [charts.GREY, *settings.index.palette.tints]


def _list(
    scope: Scope,
    snapshot: Snapshot,
    view: View,
    words: Words,
    *,
    found: pd.DataFrame,
    settings: ShownSettings,
    title: str,
) -> html.Section:
    named = _namer(scope, snapshot, view, words)
    rows = [
        {name: row[name] for name in SENT}
        | {
            "id": str(row["area_index"]),
            "tags": _tags(row, settings, words),
            **named(Area(view.level, int(row["area_index"]))),
        }
        for row in _records(found.head(LISTED))
    ]
    drawn = table(
        "index",
        _columns(settings, words),
        rows,
        scope=scope,
        snapshot=snapshot,
        words=words,
        label=title,
        total=len(found),
        leads=True,
        marked=str(view.selected.index) if view.selected else "",
    )
    names = colour_names(settings, words)
    tiles = [
        html.Div(
            [
                html.Dt(index_panel.colour_chip(colour, names[colour], settings.index)),
                html.Dd(f"{int((found['colour'] == colour).sum()):,d}"),
            ]
        )
        for colour in (4, 3, 2, 1, 0)
    ]
    span = settings.index.span(view.level, view.selection.window.grain).periods
    note = words(f"index_note_{view.selection.window.grain}", n=f"{len(found):,d}", span=span)
    parts = [html.Dl(tiles, className="layer-tiles colours"), drawn]
    return panels.panel(title, *parts, about="index", words=words, note=note)


def _namer(
    scope: Scope, snapshot: Snapshot, view: View, words: Words
) -> Callable[[Area], dict[str, str]]:
    """What a row says of its area besides the index: name, where it lies, the ways on."""
    focus, pick = links.focuser(scope, snapshot, view), links.picker(scope, snapshot, view)
    shown = words("desk_show")
    return lambda area: {
        "name": frame.name(scope, snapshot, area, words),
        "place": frame.place(scope, snapshot, area, words),
        "href": "/index" + pick(area),
        "map": "/" + focus(area),
        "to_map": shown,
    }


def _records(found: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows of the table; ranks that there are not are unknown."""
    rows = [{str(key): value for key, value in row.items()} for row in found.to_dict("records")]
    for row in rows:
        if not row["rank_lower"] or row["colour"] == GREY:
            row["rank_lower"] = row["rank_upper"] = None
        if row["before"] < 0:
            row["before"] = None
    return rows


def _tags(row: dict[str, Any], settings: ShownSettings, words: Words) -> str:
    """What else is to be known of a colour, in a few words."""
    tags = []
    if row["is_silent"] or row["status"] != "ok":
        status = "source_silent" if row["is_silent"] else row["status"]
        return index_panel.reason(str(status), words)
    if not row["is_firm"]:
        tags.append(words("index_border", share=f"{row['stability']:.0%}"))
    if row["small_sample"]:
        tags.append(words("index_small"))
    rule = next((one for one in settings.index.overrides if one.name == row["override"]), None)
    if rule is not None:
        tags.append(words.pick(rule.name_zh, rule.name_en))
    if row["held"]:
        tags.append(words("index_held"))
    return words("assess_list").join(tags)


def _columns(settings: ShownSettings, words: Words) -> list[Column]:
    look = {
        "labels": dict(enumerate(colour_names(settings, words))),
        "tints": dict(enumerate(colour_tints(settings))),
    }
    return [
        Column("name", words("desk_area"), "link", is_fixed=True, more={"href": "href"}),
        Column("colour", words("index_colour"), "chip", width=96, more=look),
        Column("safety_index", words("assess_index"), "number", words("index_safety_hint")),
        Column("risk", words("assess_risk"), "number", words("index_risk_hint"), sort="desc"),
        Column("moved", words("index_moved"), "change", words("index_moved_hint"), width=88),
        Column("before", words("index_before"), "chip", width=96, more=look),
        Column(
            "rank_lower",
            words("index_rank"),
            "range",
            words("index_rank_hint"),
            width=100,
            more={"to": "rank_upper"},
        ),
        Column("n", words("kpi_count"), "count", words("index_n_hint"), width=112),
        Column("tags", words("index_tags"), width=170, more={"hints": "tags"}),
        Column("place", words("desk_within"), width=140, may_go=True),
        Column("to_map", words("desk_map"), "link", width=80, more={"href": "map"}),
    ]


def _over_time(
    scope: Scope, snapshot: Snapshot, view: View, settings: ShownSettings, words: Words
) -> html.Section:
    window = view.selection.window
    ends, counts = index_list.colours(scope, snapshot, view.focus, view.level, window.end)
    chart = charts.colour_bars(
        ends,
        counts,
        names=colour_names(settings, words),
        tints=colour_tints(settings),
        grain=window.grain,
        words=words,
    )
    title = words("index_over_time")
    return panels.panel(
        title,
        panels.graph(chart, words, title),
        about="index",
        words=words,
        note=words("index_over_time_note"),
    )


def _box(
    scope: Scope, snapshot: Snapshot, view: View, settings: ShownSettings, words: Words
) -> html.Section:
    name = frame.name(scope, snapshot, view.subject, words)
    part = assessment_panel.index_part(scope, snapshot, view, settings, words, is_open=True)
    hint = "" if view.selected else words("index_pick")
    title = words("index_box_title", name=name)
    return panels.panel(title, part, about="index", words=words, note=hint)

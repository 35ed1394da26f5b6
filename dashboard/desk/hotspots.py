"""The page of hot spots: three layers side by side, how they come and go, repeats, stability."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

from dash import dcc

from dashboard import assessment, numerals, panels, queries
from dashboard.areas import Area, hierarchy
from dashboard.desk import frame, hotspot_list, links, plain
from dashboard.desk.grid import LISTED, Column, table
from dashboard.elements import html

if TYPE_CHECKING:
    import datetime as dt

    import pandas as pd

    from dashboard.text import Words
    from dashboard.view import View
    from data.access import Scope
    from data.store import Snapshot

Component = Any

CLASSES: Final = ("new", "running", "rising", "lasting", "receding")
CLOSE_UP: Final = 14.0
"""Zoom of the map at a place."""

LIKELY: Final = 0.05
"""Largest p of a cluster that is set in bold."""


def draw(scope: Scope, snapshot: Snapshot, view: View, words: Words) -> list[Component]:
    """Everything of the page under its head."""
    level = hotspot_list.shown_level(scope, snapshot, view.level)
    if not level:
        none = panels.empty(words, words("hot_none_stored"))
        return [panels.panel(words("hot_title"), none, about="hotspots", words=words)]
    end = view.selection.window.end
    left = [
        _clusters(scope, snapshot, view, end, words),
        _types(scope, snapshot, view, end, words),
    ]
    right = [_places(scope, snapshot, view, end, words)]
    if scope.sees_all:  # both speak of the whole city
        left.append(_agreement(scope, snapshot, end, words))
        right.append(_repeats(scope, snapshot, end, words))
    stacks = [html.Div(stack, className="desk-stack") for stack in (left, right)]
    return [
        _spots(scope, snapshot, view, level, words),
        html.Div(stacks, className="desk-columns"),
    ]


def _spots(scope: Scope, snapshot: Snapshot, view: View, level: str, words: Words) -> html.Section:
    focus, end = view.focus, view.selection.window.end
    found = hotspot_list.spots(scope, snapshot, focus, level, end)
    areas, busy = hotspot_list.counted(scope, snapshot, focus, level, end)
    named = frame.level_name(snapshot, level, words)
    title = words("hot_list_title", level=named, name=frame.name(scope, snapshot, focus, words))
    note = words("hot_list_note", n=f"{areas:,d}", busy=f"{busy:,d}", level=named)
    if found.empty:
        return panels.panel(
            title, panels.empty(words, words("hot_none")), about="hotspots", words=words, note=note
        )
    sums = {name: int(found[name].sum()) for name in hotspot_list.FLAGS}
    tiles = [
        html.Div(
            [html.Dt(words(f"hot_{name}")), html.Dd([f"{sums[name]:,d}", html.Small(named)])],
            className=f"layer-tile {name}",
            title=words(f"hot_{name}_hint"),
        )
        for name in hotspot_list.FLAGS
    ]
    classes = [
        html.Div(
            [
                html.Dt(words(f"hot_class_{name}")),
                html.Dd(f"{int((found['pattern_group'] == name).sum()):,d}"),
            ],
            className="class-tile",
        )
        for name in CLASSES
    ]
    drawn = table(
        "hotspots",
        _columns(words),
        _rows(scope, snapshot, view, words, level=level, found=found),
        scope=scope,
        snapshot=snapshot,
        words=words,
        label=title,
        total=len(found),
    )
    return panels.panel(
        title,
        html.Dl([*tiles, *classes], className="layer-tiles"),
        drawn,
        about="hotspots",
        words=words,
        note=note,
    )


def _columns(words: Words) -> list[Column]:
    def flag(name: str, p: str) -> Column:
        more = {"p": p, "look": name}
        return Column(name, words(f"hot_{name}"), "flag", words(f"hot_{name}_hint"), more=more)

    names = {name: words(f"hot_class_{name}") for name in (*CLASSES, "none")}
    return [
        Column("name", words("desk_area"), "link", is_fixed=True, more={"href": "href"}),
        Column("place", words("desk_within"), width=150, may_go=True),
        flag("much", "much_p"),
        flag("clusters", "gi_p"),
        flag("more", "exceed_p"),
        Column(
            "pattern_group",
            words("hot_class"),
            "chip",
            words("hot_class_hint"),
            more={"labels": names, "hints": "pattern_text"},
        ),
        Column("count", words("hot_count"), "count", words("hot_count_hint"), sort="desc"),
        Column("recent", words("hot_recent"), "count", words("hot_recent_hint")),
        Column("expected", words("hot_expected"), "number", words("hot_expected_hint")),
        Column("history", words("hot_history"), "spark", words("hot_history_hint")),
        Column("to_map", words("desk_map"), "link", width=84, more={"href": "map"}),
    ]


def _rows(
    scope: Scope,
    snapshot: Snapshot,
    view: View,
    words: Words,
    *,
    level: str,
    found: pd.DataFrame,
) -> list[dict[str, Any]]:
    rows = []
    shown, search = words("desk_show"), links.focuser(scope, snapshot, view)
    for row in found.head(LISTED).to_dict("records"):
        area = Area(level, int(row["area_index"]))
        at = search(area)
        pattern = row["pattern"] or "none"
        rows.append(
            {str(name): value for name, value in row.items()}
            | {
                "id": str(area.index),
                "name": frame.name(scope, snapshot, area, words),
                "place": frame.place(scope, snapshot, area, words),
                "href": "/areas" + at,
                "map": "/" + at,
                "to_map": shown,
                "pattern_text": words(f"hot_code_{pattern}"),
            }
        )
    return rows


def _clusters(
    scope: Scope, snapshot: Snapshot, view: View, end: dt.date, words: Words
) -> html.Section:
    title = words("hot_scan_title")
    found = hotspot_list.clusters(scope, snapshot, view.focus, end)
    if found.empty:
        none = panels.empty(words, words("hot_scan_none"))
        return panels.panel(title, none, about="hotspots", words=words)
    lowest = hierarchy(scope, snapshot).order[-1]
    rows = []
    for row in found.to_dict("records"):
        area = Area(lowest, int(row["area_index"]))
        name = words(
            "hot_scan_place" if row["n_areas"] > 1 else "hot_scan_one",
            name=frame.place(scope, snapshot, area, words),
            n=int(row["n_areas"]),
            level=frame.level_name(snapshot, lowest, words),
            km=f"{row['radius_km']:.1f}",
        )
        link = dcc.Link(name, href=links.at_point(view, row["lng"], row["lat"], CLOSE_UP))
        p = numerals.probability(float(row["p"]), words)
        rows.append(
            [
                link,
                words(f"hot_scan_{snapshot.manifest.grain}", n=int(row["periods"])),
                f"{int(row['observed']):,d}",
                numerals.rate(float(row["expected"]), words),
                html.Strong(p) if row["p"] <= LIKELY else p,
            ]
        )
    heads = [words(f"hot_scan_{key}") for key in ("where", "when", "observed", "expected", "p")]
    note = words("hot_scan_note")
    body = plain.table(heads, rows, numbers=3)
    return panels.panel(title, body, about="hotspots", words=words, note=note)


def _places(
    scope: Scope, snapshot: Snapshot, view: View, end: dt.date, words: Words
) -> html.Section:
    title = words("hot_places_title")
    found = hotspot_list.frequent_places(scope, snapshot, view.focus, end)
    if found.empty:
        none = panels.empty(words, words("hot_places_none"))
        return panels.panel(title, none, about="hotspots", words=words)
    labels = queries.category_labels(scope, snapshot)
    rows = []
    for at, row in enumerate(found.to_dict("records")):
        area, is_cell = Area(str(row["level"]), int(row["area_index"])), row["place"] == "cell"
        name = frame.name(scope, snapshot, area, words)
        label = labels[int(row["category_index"])]
        rows.append(
            {
                "id": str(at),
                "name": words("hot_places_cell", name=name) if is_cell else name,
                "href": links.at_point(view, row["lng"], row["lat"], CLOSE_UP)
                if is_cell
                else links.on_map(scope, snapshot, view, area),
                "place": frame.place(scope, snapshot, area, words),
                "category": words.pick(label.name_zh, label.name_en),
                "count": int(row["count"]),
            }
        )
    columns = [
        Column("name", words("hot_places_where"), "link", more={"href": "href"}),
        Column("place", words("desk_within"), width=140, may_go=True),
        Column("category", words("category"), width=140),
        Column("count", words("kpi_count"), "count", sort="desc"),
    ]
    drawn = table("places", columns, rows, scope=scope, snapshot=snapshot, words=words, label=title)
    note = words("hot_places_note")
    return panels.panel(title, drawn, about="hotspots", words=words, note=note)


def _types(
    scope: Scope, snapshot: Snapshot, view: View, end: dt.date, words: Words
) -> html.Section:
    level = frame.level_name(snapshot, view.level, words)
    title = words("hot_types_title", level=level)
    found = hotspot_list.frequent_types(scope, snapshot, view.focus, view.level, end)
    if found.empty:
        none = panels.empty(words, words("hot_types_none"))
        return panels.panel(title, none, about="hotspots", words=words)
    labels, search = queries.category_labels(scope, snapshot), links.focuser(scope, snapshot, view)
    rows = []
    for row in found.head(LISTED).to_dict("records"):
        area, label = Area(view.level, int(row["area_index"])), labels[int(row["category_index"])]
        rows.append(
            {
                "id": str(area.index),
                "name": frame.name(scope, snapshot, area, words),
                "href": "/areas" + search(area),
                "category": words.pick(label.name_zh, label.name_en),
                "count": int(row["count"]),
                "share": float(row["share"]),
            }
        )
    columns = [
        Column("name", words("desk_area"), "link", more={"href": "href"}),
        Column("category", words("hot_types_category"), width=160),
        Column("count", words("kpi_count"), "count", sort="desc"),
        Column("share", words("hot_types_share"), "share", words("hot_types_share_hint")),
    ]
    drawn = table(
        "types",
        columns,
        rows,
        scope=scope,
        snapshot=snapshot,
        words=words,
        label=title,
        total=len(found),
    )
    note = words("hot_types_note")
    return panels.panel(title, drawn, about="hotspots", words=words, note=note)


def _repeats(scope: Scope, snapshot: Snapshot, end: dt.date, words: Words) -> html.Section:
    title = words("hot_repeat_title")
    found = hotspot_list.near_repeats(scope, snapshot, end)
    if found.empty:
        none = panels.empty(words, words("hot_newest_only"))
        return panels.panel(title, none, about="hotspots", words=words)
    settings = assessment.settings(scope, snapshot)
    names = {} if settings is None else settings.groups
    days = sorted(set(found["days"]))
    heads = [words("hot_repeat_group"), words("hot_repeat_metres")]
    heads += [words("hot_repeat_days", n=int(n)) for n in days]
    rows: list[list[Component]] = []
    for (group, metres), part in found.groupby(["group", "metres"], sort=False):
        by_days = part.set_index("days")
        name = words.pick(*names.get(str(group), (str(group), str(group))))
        cells = [_ratio(by_days.loc[n], words) for n in days]
        is_first = not any(row[0] == name for row in rows)
        rows.append([name if is_first else "", words("hot_repeat_within", n=int(metres)), *cells])
    note = words("hot_repeat_note")
    body = plain.table(heads, rows, numbers=len(days))
    return panels.panel(title, body, about="hotspots", words=words, note=note)


def _ratio(row: pd.Series[Any], words: Words) -> Component:
    ratio, p = float(row["ratio"]), float(row["p"])
    if math.isnan(ratio):
        return words("no_value")
    text = f"{ratio:.2f}"
    small = html.Small(words("hot_repeat_p", p=f"{p:.2f}", n=f"{int(row['pairs']):,d}"))
    return [html.Strong(text) if p <= LIKELY and ratio > 1 else text, small]


def _agreement(scope: Scope, snapshot: Snapshot, end: dt.date, words: Words) -> html.Section:
    title = words("hot_agree_title")
    found = hotspot_list.agreement(scope, snapshot, end)
    if found.empty:
        none = panels.empty(words, words("hot_newest_only"))
        return panels.panel(title, none, about="hotspots", words=words)
    rows = [
        [
            f"r{int(row['coarse'])} / r{int(row['fine'])}",
            *(
                f"{_share(row[f'coarse_{key}'], words)} / {_share(row[f'fine_{key}'], words)}"
                for key in ("area_share", "incident_share")
            ),
            _share(row["coarse_only"], words),
            _share(row["fine_only"], words),
        ]
        for row in found.to_dict("records")
    ]
    keys = ("pair", "areas", "incidents", "coarse", "fine")
    body = plain.table([words(f"hot_agree_{key}") for key in keys], rows, numbers=4)
    note = words("hot_agree_note")
    return panels.panel(title, body, about="hotspots", words=words, note=note)


def _share(value: float, words: Words) -> str:
    return words("no_value") if math.isnan(value) else f"{value:.1%}"

"""The page of one area: where it stands, why, its course, its hot spots, beside its neighbours."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from dash import dcc

from dashboard import answers, numerals, panels, summary
from dashboard.areas import Area, hierarchy
from dashboard.desk import frame, hotspot_list, links, plain
from dashboard.elements import html
from data.access import decide

if TYPE_CHECKING:
    from dashboard.text import Words
    from dashboard.view import View
    from data.access import Scope
    from data.store import Snapshot

Component = Any

HOT: Final = 8
"""Hot spots listed; the page of hot spots has them all."""

OTHER_PAGES: Final = ("index", "hotspots", "forecast")


def draw(scope: Scope, snapshot: Snapshot, view: View, words: Words) -> list[Component]:
    """Everything of the page under its head."""
    # As the map's own panels say it: one answer for both.
    assessed, *charts = answers.draw_charts(scope, snapshot, search=view.state.to_search())[
        "charts"
    ]
    below = _children(scope, snapshot, view, words)
    left = [assessed, _hot(scope, snapshot, view, words), *below]
    right = [*charts, *_siblings(scope, snapshot, view, words)]
    stacks = [html.Div(stack, className="desk-stack") for stack in (left, right)]
    return [
        _identity(scope, snapshot, view, words),
        html.Div(_kpis(scope, snapshot, view, words), className="kpis"),
        html.Div(stacks, className="desk-columns"),
    ]


def _identity(scope: Scope, snapshot: Snapshot, view: View, words: Words) -> html.Div:
    """Name, level and code, and the ways on."""
    area, tree = view.subject, hierarchy(scope, snapshot)
    code = str(tree.at(area.level).codes[area.index])
    level = frame.level_name(snapshot, area.level, words)
    ways = [
        dcc.Link(words("area_on_map"), href=links.to("/", view.state), className="button"),
        *(
            dcc.Link(
                words(f"nav_{name}"), href=links.to(f"/{name}", view.state), className="button"
            )
            for name in OTHER_PAGES
        ),
    ]
    above = tree.parent(area)
    if above is not None:
        at = links.focused(scope, snapshot, view, above)
        text = words("area_above", name=frame.name(scope, snapshot, above, words))
        ways.append(dcc.Link(text, href=links.to("/areas", at), className="button"))
    return html.Div(
        [
            html.H2(frame.name(scope, snapshot, area, words), className="area-name"),
            html.Span(f"{level} · {code}", className="area-code"),
            html.Div(ways, className="area-ways"),
        ],
        className="area-identity",
    )


def _kpis(scope: Scope, snapshot: Snapshot, view: View, words: Words) -> list[Component]:
    subject, selection = view.subject, view.selection
    row = summary.rate_row(scope, snapshot, subject, selection)
    city, below = snapshot.manifest.city, hierarchy(scope, snapshot).below(subject.level)
    unplaced = ""
    if below:
        ranked = summary.ranking(scope, snapshot, subject, below[0], selection)
        unplaced = numerals.share(ranked.unplaced, ranked.recorded, words)
    return panels.kpis(
        row,
        summary.changes(scope, snapshot, subject, selection),
        window=selection.window,
        unplaced=unplaced,
        level_name=frame.level_name(snapshot, below[0], words) if below else "",
        unit=words.pick(city["exposure_unit_zh"], city["exposure_unit_en"]),
        period=words(f"period_{snapshot.manifest.grain}"),
        words=words,
    )


def _hot(scope: Scope, snapshot: Snapshot, view: View, words: Words) -> html.Section:
    """The hot spots inside it with the most incidents, and the way to all."""
    area = view.subject
    level = hotspot_list.shown_level(scope, snapshot, area.level)
    title = words("area_hot", name=frame.name(scope, snapshot, area, words))
    if not level:
        none = panels.empty(words, words("hot_none_stored"))
        return panels.panel(title, none, about="hotspots", words=words)
    found = hotspot_list.spots(scope, snapshot, area, level, view.selection.window.end)
    if found.empty:
        none = panels.empty(words, words("hot_none"))
        return panels.panel(title, none, about="hotspots", words=words)
    rows = []
    for row in found.head(HOT).to_dict("records"):
        spot = Area(level, int(row["area_index"]))
        href = links.to("/areas", links.focused(scope, snapshot, view, spot))
        rows.append(
            [
                dcc.Link(frame.name(scope, snapshot, spot, words), href=href),
                *(_mark(name, bool(row[name]), words) for name in hotspot_list.FLAGS),
                words(f"hot_class_{row['pattern_group']}"),
                f"{int(row['count']):,d}",
                numerals.rate(float(row["expected"]), words),
            ]
        )
    heads = [
        words("desk_area"),
        *(words(f"hot_{name}") for name in hotspot_list.FLAGS),
        words("hot_class"),
        words("hot_count"),
        words("hot_expected"),
    ]
    more = dcc.Link(
        words("area_hot_all", n=f"{len(found):,d}"),
        href=links.to("/hotspots", view.state),
        className="more-link",
    )
    note = words("area_hot_note", level=frame.level_name(snapshot, level, words))
    body = plain.table(heads, rows, numbers=2)
    return panels.panel(title, body, more, about="hotspots", words=words, note=note)


def _mark(name: str, is_set: bool, words: Words) -> html.Span:
    said = html.Span(words("grid_yes") if is_set else "–", className="visually-hidden")
    mark = html.Span("●" if is_set else "–", className="flag-mark")
    return html.Span([mark, said], className=f"desk-flag on {name}" if is_set else "desk-flag")


def _siblings(scope: Scope, snapshot: Snapshot, view: View, words: Words) -> list[Component]:
    """
    Its siblings, where the area above may be seen.

    Elsewhere the map sets it beside protected figures, in an answer of their own: exact and
    protected figures never stand in one.
    """
    area = view.subject
    above = hierarchy(scope, snapshot).parent(area)
    if above is not None:
        return [_ranking(scope, snapshot, view, words, focus=above, level=area.level)]
    if scope.sees_all or not decide(scope, "compare").is_allowed:
        return []
    name = frame.name(scope, snapshot, area, words)
    way = dcc.Link(words("area_on_map"), href=links.to("/", view.state), className="button")
    note = html.Div([html.P(words("area_compare")), way], className="empty")
    title = words("compare_title", name=name)
    return [panels.panel(title, note, about="protected", words=words)]


def _children(scope: Scope, snapshot: Snapshot, view: View, words: Words) -> list[Component]:
    """The areas of the next level down."""
    area = view.subject
    below = hierarchy(scope, snapshot).below(area.level)
    if not below:
        return []
    return [_ranking(scope, snapshot, view, words, focus=area, level=below[0])]


def _ranking(
    scope: Scope, snapshot: Snapshot, view: View, words: Words, *, focus: Area, level: str
) -> html.Section:
    plain_view = replace(view, state=replace(view.state, level=""))
    return panels.ranking(
        summary.ranking(scope, snapshot, focus, level, view.selection),
        name=frame.name(scope, snapshot, focus, words),
        level_name=frame.level_name(snapshot, level, words),
        area_name=lambda one: frame.name(scope, snapshot, one, words),
        href=lambda one: links.to("/areas", links.focused(scope, snapshot, plain_view, one)),
        words=words,
    )

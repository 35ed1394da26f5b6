"""The map and its panels in the protected tier: what a shared link shows, from releases alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
from dash import dcc

from dashboard import controls, figures, linked_charts, numerals, panels, released, surroundings
from dashboard.areas import Area, all_areas, hierarchy
from dashboard.elements import html
from dashboard.map.values import ABSENT, OUTSIDE, packed
from data.rates import SMALL_SAMPLE

if TYPE_CHECKING:
    from collections.abc import Callable

    from dashboard.text import Words
    from dashboard.view import View
    from data.access import Scope
    from data.periods import Window
    from data.store import Snapshot

SHOWN: Final = 26
"""Periods in the trend chart."""


def category_of(view: View) -> int:
    """Category that the view asks for: an upper one as a whole, or all."""
    chosen = view.selection.categories
    return released.ALL if chosen is None else chosen[0]


def area_values(scope: Scope, snapshot: Snapshot, view: View) -> dict[str, Any]:
    """As `dashboard.map.values.area_values`; a withheld area has band 0 and count 0."""
    tree = hierarchy(scope, snapshot)
    window = view.selection.window
    rates = released.level_rates(scope, snapshot, view.level, window, category_of(view))
    counts = released.window_counts(scope, snapshot, view.level, window, category_of(view))
    inside = tree.inside(view.level, view.focus)
    bands = rates.band.astype(np.uint8)
    bands[~inside] = OUTSIDE
    bands[~tree.at(view.level).valid_on(window.last_day)] = ABSENT
    shown = np.where(inside, np.nan_to_num(counts), 0).astype(np.int64)
    return {"layer": "areas", "level": view.level, "small": SMALL_SAMPLE} | packed(bands, shown)


def draw_panels(
    scope: Scope,
    snapshot: Snapshot,
    view: View,
    words: Words,
    *,
    href: Callable[[Area], str],
) -> dict[str, Any]:
    """Headline figures, the areas below, and how the figures are protected."""
    name = _name(scope, snapshot, view.subject, words)
    return {
        "kpis": _kpis(scope, snapshot, view, words),
        "ranking": _ranking(scope, snapshot, view, words, href=href),
        "arithmetic": panels.panel(
            words("protected_title", name=name),
            html.P(words("protected_text", k=released.threshold(scope, snapshot))),
            html.P(words("protected_periods"), className="panel-note"),
            about="protected",
            words=words,
        ),
    }


def draw_charts(scope: Scope, snapshot: Snapshot, view: View, words: Words) -> Any:
    """Trend of the released periods; a gap is a withheld one."""
    name, grain = _name(scope, snapshot, view.subject, words), snapshot.manifest.grain
    window = view.selection.window
    starts, counts = released.series(scope, snapshot, view.subject, category_of(view))
    days = list(starts)[-SHOWN:]
    shown = [released.known(value) for value in counts.tolist()][-SHOWN:]
    missing = panels.empty(words, words("protected_none"))
    # Neither last year nor an expected range is released.
    chart = figures.trend_chart(
        days,
        counts=shown,
        window=window.periods,
        after=min(sum(day > window.end for day in days), len(days) - 1),
        grain=grain,
        words=words,
    )
    chart = linked_charts.setting_window(chart, days, view)
    title = words("trend_title", name=name)
    return [
        panels.panel(
            title,
            panels.graph(chart, words, title) if any(n is not None for n in shown) else missing,
            linked_charts.window_row(view, words),
            about="protected",
            words=words,
            note=words("protected_gap"),
        )
    ]


def hover_detail(scope: Scope, snapshot: Snapshot, view: View, area: Area, words: Words) -> Any:
    """Rate of the area under the pointer, where it is released."""
    hierarchy(scope, snapshot).check(area)
    rates = released.level_rates(
        scope, snapshot, area.level, view.selection.window, category_of(view)
    )
    items = [(words("ranking_rate"), numerals.rate(float(rates.rate[area.index]), words))]
    return surroundings.hover_terms(items, area)


def comparison(scope: Scope, snapshot: Snapshot, area: Area, words: Words) -> Any:
    """The panel that sets an own area beside its siblings: protected figures, own ones too."""
    found = released.comparison(scope, snapshot, area)
    name = _name(scope, snapshot, area, words)
    title = words("compare_title", name=name)
    if found is None:
        none = panels.empty(words, words("compare_none"))
        return panels.panel(title, none, about="protected", words=words)
    heads = ("compare_area", "compare_latest", "compare_recent", "compare_rate")
    above = [row for row in found.rows if row.relation == "above"]
    level = sorted(
        (row for row in found.rows if row.relation != "above"),
        key=lambda row: (np.isnan(row.rate), -np.nan_to_num(row.rate), row.area.index),
    )
    body = [
        html.Tr(
            [
                html.Td(_name(scope, snapshot, row.area, words)),
                html.Td(_count(row.latest, words), className="number"),
                html.Td(_count(row.recent, words), className="number"),
                html.Td(
                    words("withheld") if np.isnan(row.rate) else numerals.rate(row.rate, words),
                    className="number",
                ),
            ],
            className=f"compare-{row.relation}",
        )
        for row in [*level, *above]
    ]
    head = html.Thead(html.Tr([html.Th(words(key), scope="col") for key in heads]))
    first, last = found.recent.start, found.recent.last_day
    return panels.panel(
        title,
        html.Div(
            html.Table([head, html.Tbody(body)], className="ranking compare"), className="table-box"
        ),
        about="protected",
        words=words,
        note=words("compare_note", first=first, last=last, k=released.threshold(scope, snapshot)),
    )


def _kpis(scope: Scope, snapshot: Snapshot, view: View, words: Words) -> list[Any]:
    subject, window = view.subject, view.selection.window
    category = category_of(view)

    def counted(at: Window) -> int | None:
        found = released.window_counts(scope, snapshot, subject.level, at, category)
        return released.known(float(found[subject.index]))

    now, before = counted(window), counted(window.earlier(window.periods))
    rates = released.level_rates(scope, snapshot, subject.level, window, category)
    city = snapshot.manifest.city
    unit = words.pick(city["exposure_unit_zh"], city["exposure_unit_en"])
    period = words(f"period_{snapshot.manifest.grain}")
    direction, change = numerals.change(now, before, words, to="change")
    return [
        panels.kpi(words("kpi_count"), _count(now, words), days=panels.days_of(window, words)),
        panels.kpi(
            words("kpi_previous"),
            _count(before, words),
            detail=change,
            delta=direction,
            days=panels.days_of(window.earlier(window.periods), words),
        ),
        panels.kpi(
            words("kpi_rate", unit=unit, period=period),
            numerals.rate(float(rates.rate[subject.index]), words),
        ),
        panels.kpi(words("kpi_band"), panels.band_chip(int(rates.band[subject.index]), words)),
    ]


def _ranking(
    scope: Scope, snapshot: Snapshot, view: View, words: Words, *, href: Callable[[Area], str]
) -> Any:
    level, window = view.level, view.selection.window
    tree, category = hierarchy(scope, snapshot), category_of(view)
    title = words(
        "ranking_title",
        level=controls.level_name(snapshot, level, words),
        name=_name(scope, snapshot, view.focus, words),
    )
    if view.focus.level == level:
        none = panels.empty(words, words("ranking_leaf"))
        return panels.panel(title, none, about="protected", words=words)
    counts = released.window_counts(scope, snapshot, level, window, category)
    rates = released.level_rates(scope, snapshot, level, window, category)
    inside = tree.inside(level, view.focus) & tree.at(level).valid_on(window.last_day)
    rows = np.flatnonzero(inside)
    order = rows[np.lexsort((rows, -np.nan_to_num(rates.rate[rows], nan=-1.0)))]
    body = []
    for index in order.tolist():
        area = Area(level, index)
        body.append(
            html.Tr(
                [
                    html.Td(dcc.Link(_name(scope, snapshot, area, words), href=href(area))),
                    html.Td(_count(released.known(counts[index]), words), className="number"),
                    html.Td(numerals.rate(float(rates.rate[index]), words), className="number"),
                    html.Td(panels.band_chip(int(rates.band[index]), words)),
                ]
            )
        )
    whole = released.window_counts(scope, snapshot, view.focus.level, window, category)
    total = released.known(float(whole[view.focus.index]))
    rest = None if total is None else total - int(np.nansum(counts[rows]))
    heads = ("area", "count", "rate", "band")
    sums = [(words("protected_rest"), rest), (words("ranking_total"), total)]
    foot = [
        html.Tr([html.Td(label), html.Td(_count(n, words), className="number"), html.Td(colSpan=2)])
        for label, n in sums
    ]
    head = html.Tr([html.Th(words(f"ranking_{key}"), scope="col") for key in heads])
    table = html.Table([html.Thead(head), html.Tbody(body), html.Tfoot(foot)], className="ranking")
    box = html.Div(table, className="table-box")
    note = words("protected_order")
    return panels.panel(title, box, about="protected", words=words, note=note)


def _count(value: int | None, words: Words) -> str:
    return words("withheld") if value is None else f"{value:,d}"


def _name(scope: Scope, snapshot: Snapshot, area: Area, words: Words) -> str:
    return str(all_areas(scope, snapshot).at(area.level).names(words.lang)[area.index])

"""The page of the forecast: the next period for each area, and the scorecard of the method."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

from dashboard import assessment, assessment_panel, numerals, panels
from dashboard.areas import Area
from dashboard.desk import charts, forecast_list, frame, links, plain
from dashboard.desk.grid import LISTED, Column, table
from dashboard.elements import html
from data import periods

if TYPE_CHECKING:
    import pandas as pd

    from dashboard.assessment import Verdict
    from dashboard.text import Words
    from dashboard.view import View
    from data.access import Scope
    from data.shown_settings import ShownSettings
    from data.store import Snapshot

Component = Any

FINEST_CELLS: Final = "r9"
"""Cells whose scorecard stands beside that of the level."""

_SHARES: Final = ("hit1", "hit2", "hit5", "coverage")


def draw(scope: Scope, snapshot: Snapshot, view: View, words: Words) -> list[Component]:
    """Everything of the page under its head."""
    settings = assessment.settings(scope, snapshot)
    if settings is None:
        none = panels.empty(words, words("assess_none"))
        return [panels.panel(words("nav_forecast"), none, about="forecast", words=words)]
    known = forecast_list.targets(scope, snapshot)
    wanted = dict.fromkeys((view.level, FINEST_CELLS))
    scored = [
        _scorecard(scope, snapshot, target, words)
        for target in wanted
        if target in known or target == view.level
    ]
    return [
        _next(scope, snapshot, view, settings, words),
        html.Div(scored, className="desk-columns"),
        html.Div(
            [
                _verdicts(scope, snapshot, settings, words),
                _by_period(scope, snapshot, view, words),
            ],
            className="desk-columns",
        ),
    ]


def _next(
    scope: Scope, snapshot: Snapshot, view: View, settings: ShownSettings, words: Words
) -> html.Section:
    level = frame.level_name(snapshot, view.level, words)
    name = frame.name(scope, snapshot, view.focus, words)
    title = words("forecast_list_title", level=level, name=name)
    found = forecast_list.next_period(scope, snapshot, view.focus, view.level)
    if found.empty:
        none = panels.empty(words, words("forecast_none"))
        return panels.panel(title, none, about="forecast", words=words)
    told_of = set(found["group"].unique())
    groups = ["all", *(one for one in settings.groups if one in told_of)]
    verdicts = {one.group: one for one in assessment.verdicts(scope, snapshot, view.level)}
    shown = [one for one in groups if (told := verdicts.get(one)) and told.is_shown]
    hidden = [
        words(
            "assess_hidden",
            group=assessment_panel.group_name(one, settings, words),
            reason=assessment_panel.hidden_reason(verdicts.get(one), words),
        )
        for one in groups
        if one not in shown
    ]
    start = found["period_start"].iloc[0]
    lead = words(f"assess_next_{snapshot.manifest.grain}", start=start)
    rows = _rows(scope, snapshot, view, words, found=found, shown=shown)
    drawn: Component = panels.empty(words, words("forecast_all_hidden"))
    if shown:
        drawn = table(
            "forecast",
            _columns(shown, settings, words),
            rows,
            scope=scope,
            snapshot=snapshot,
            words=words,
            label=title,
            total=found["area_index"].nunique(),
        )
    said = [html.P(text, className="panel-note forecast-hidden") for text in hidden]
    return panels.panel(title, *said, drawn, about="forecast", words=words, note=lead)


def _rows(
    scope: Scope,
    snapshot: Snapshot,
    view: View,
    words: Words,
    *,
    found: pd.DataFrame,
    shown: list[str],
) -> list[dict[str, Any]]:
    """One row per area, most incidents first; of hidden groups nothing is sent."""
    if not shown:
        return []
    last = snapshot.manifest.last_period
    before = forecast_list.last_counts(scope, snapshot, view.focus, view.level, last)
    keys = ["mean", "lower", "upper"]
    wide = found[found["group"].isin(shown)].pivot_table(keys, "area_index", "group")
    wide = wide.sort_values(("mean", shown[0]), ascending=False, kind="stable").head(LISTED)
    figures = {f"{key}_{group}": wide[key, group].to_numpy() for key, group in wide.columns}
    search = links.focuser(scope, snapshot, view)
    rows = []
    for at, index in enumerate(wide.index.tolist()):
        area = Area(view.level, int(index))
        at_area = search(area)
        rows.append(
            {name: float(values[at]) for name, values in figures.items()}
            | {
                "id": str(area.index),
                "name": frame.name(scope, snapshot, area, words),
                "place": frame.place(scope, snapshot, area, words),
                "before": before.get(area.index),
                "href": "/areas" + at_area,
                "map": "/" + at_area,
                "to_map": words("desk_show"),
            }
        )
    return rows


def _columns(shown: list[str], settings: ShownSettings, words: Words) -> list[Column]:
    columns = [
        Column("name", words("desk_area"), "link", is_fixed=True, more={"href": "href"}),
        Column("place", words("desk_within"), width=150, may_go=True),
        Column("before", words("forecast_before"), "count", words("forecast_before_hint")),
    ]
    for group in shown:
        name = assessment_panel.group_name(group, settings, words)
        sort: Any = "desc" if group == shown[0] else ""
        hint = words("forecast_mean_hint", group=name)
        mean = words("forecast_mean")
        columns.append(Column(f"mean_{group}", mean, "number", hint, sort=sort, group=name))
        columns.append(
            Column(
                f"lower_{group}",
                words("forecast_interval"),
                "range",
                words("forecast_interval_hint", group=name),
                group=name,
                more={"to": f"upper_{group}"},
            )
        )
    more = {"href": "map"}
    return [*columns, Column("to_map", words("desk_map"), "link", width=80, more=more)]


def _scorecard(scope: Scope, snapshot: Snapshot, target: str, words: Words) -> html.Section:
    title = words("score_title", target=_target(snapshot, target, words))
    found = forecast_list.scores(scope, snapshot, target)
    if found.empty:
        none = panels.empty(words, words("score_none"))
        return panels.panel(title, none, about="forecast", words=words)
    means = found.groupby("method")[list(forecast_list.FIGURES)].mean()
    methods = [one for one in forecast_list.METHODS if one in means.index]
    rows = [
        [
            html.Span(words(f"score_{figure}"), title=words(f"score_{figure}_hint")),
            *_figures(figure, [float(means.loc[one, figure]) for one in methods], words),
        ]
        for figure in forecast_list.FIGURES
    ]
    heads = [words("score_figure"), *(words(f"score_method_{one}") for one in methods)]
    drawn = "pai2" if means["pai2"].notna().any() else "deviance"
    by_method = {one: found[found["method"] == one] for one in methods}
    ends = sorted(set(found["period_end"]))
    chart = charts.score_lines(
        ends,
        {
            one: [_known(value) for value in part.set_index("period_end")[drawn].reindex(ends)]
            for one, part in by_method.items()
            if part[drawn].notna().any()
        },
        names={one: words(f"score_method_{one}") for one in methods},
        title=words(f"score_{drawn}"),
        grain=snapshot.manifest.grain,
        words=words,
    )
    frozen = int(found.loc[found["method"] == "ours", "is_frozen"].sum())
    note = words("score_note", n=len(ends), frozen=frozen)
    return panels.panel(
        title,
        panels.graph(chart, words, title),
        plain.table(heads, rows, numbers=len(methods)),
        about="forecast",
        words=words,
        note=note,
    )


def _figures(figure: str, values: list[float], words: Words) -> list[Component]:
    """One line of a scorecard, the best of the methods in bold; nothing is best of one."""
    known = [value for value in values if not math.isnan(value)]
    is_less_better = figure in ("deviance", "crps")
    best = (min if is_less_better else max)(known) if len(known) > 1 else math.nan
    if figure == "coverage":
        best = math.nan  # nearest to 90 % is best - and only one method has an interval
    cells: list[Component] = []
    for value in values:
        text = "–" if math.isnan(value) else _printed(figure, value, words)
        cells.append(html.Strong(text) if value == best else text)
    return cells


def _printed(figure: str, value: float, words: Words) -> str:
    return f"{value:.1%}" if figure in _SHARES else numerals.rate(value, words)


def _verdicts(
    scope: Scope, snapshot: Snapshot, settings: ShownSettings, words: Words
) -> html.Section:
    title = words("verdict_title")
    found = forecast_list.verdicts(scope, snapshot)
    if found.empty:
        none = panels.empty(words, words("score_none"))
        return panels.panel(title, none, about="forecast", words=words)
    told_of = set(found["group"].unique())
    groups = ["all", *(one for one in settings.groups if one in told_of)]
    by_key = {(row["target"], row["group"]): row for row in found.to_dict("records")}
    rows = []
    for target in forecast_list.targets(scope, snapshot):
        cells: list[Component] = [_target(snapshot, target, words)]
        for group in groups:
            row = by_key.get((target, group))
            cells.append(_verdict(row, words))
        rows.append(cells)
    heads = [
        words("verdict_target"),
        *(assessment_panel.group_name(one, settings, words) for one in groups),
    ]
    body = plain.table(heads, rows)
    note = words("verdict_note")
    return panels.panel(title, body, about="forecast", words=words, note=note)


def _verdict(row: dict[Any, Any] | None, words: Words) -> Component:
    if row is not None and row["is_shown"]:
        return html.Span(words("verdict_shown"), className="verdict-shown")
    told: Verdict | None = None
    if row is not None:
        told = assessment.Verdict(
            row["group"], bool(row["is_shown"]), row["reason"], row["reason_method"] or ""
        )
    reason = assessment_panel.hidden_reason(told, words)
    return [html.Span(words("verdict_hidden")), html.Small(" " + reason)]


def _by_period(scope: Scope, snapshot: Snapshot, view: View, words: Words) -> html.Section:
    title = words("score_periods_title", target=_target(snapshot, view.level, words))
    found = forecast_list.scores(scope, snapshot, view.level)
    if found.empty:
        none = panels.empty(words, words("score_none"))
        return panels.panel(title, none, about="forecast", words=words)
    grain = snapshot.manifest.grain
    rows = []
    for at, row in enumerate(found.iloc[::-1].to_dict("records")):
        end = row["period_end"]
        rows.append(
            {name: row[name] for name in forecast_list.FIGURES}
            | {
                "id": str(at),
                "period": periods.label(end.date() if hasattr(end, "date") else end, grain=grain),
                "method": words(f"score_method_{row['method']}"),
            }
        )
    columns = [
        Column("period", words("score_period"), width=100, is_fixed=True),
        Column("method", words("score_method"), width=120),
        *(
            Column(
                figure,
                words(f"score_{figure}"),
                "share" if figure in _SHARES else "number",
                words(f"score_{figure}_hint"),
                width=92,
            )
            for figure in forecast_list.FIGURES
        ),
    ]
    drawn = table("scores", columns, rows, scope=scope, snapshot=snapshot, words=words, label=title)
    return panels.panel(title, drawn, about="forecast", words=words)


def _target(snapshot: Snapshot, target: str, words: Words) -> str:
    levels = {entry["level"] for entry in snapshot.manifest.levels}
    if target in levels:
        return frame.level_name(snapshot, target, words)
    return words("score_cells", resolution=target)


def _known(value: float) -> float | None:
    return None if math.isnan(value) else float(value)

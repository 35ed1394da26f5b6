"""The page of the data: where they come from, how fresh, what was turned away, what is missing."""

from __future__ import annotations

import datetime as dt
import math
from typing import TYPE_CHECKING, Any

from dashboard import assessment, assessment_panel, numerals, panels
from dashboard.desk import charts, frame, plain, source_list
from dashboard.desk.grid import Column, table
from dashboard.elements import html
from dashboard.markup import attributes
from dashboard.surroundings import account_lines

if TYPE_CHECKING:
    from dashboard.text import Words
    from dashboard.view import View
    from data.access import Scope
    from data.store import Snapshot

Component = Any


def draw(scope: Scope, snapshot: Snapshot, view: View, words: Words) -> list[Component]:
    """Everything of the page under its head."""
    left = [_gaps(scope, snapshot, view, words), _facts(scope, snapshot, words)]
    right = [_lag(scope, snapshot, words)]
    if scope.sees_all:
        left.insert(0, _reasons(snapshot, words))
        right.append(_files(scope, snapshot, words))
    stacks = [html.Div(stack, className="desk-stack") for stack in (left, right)]
    account = [_account(snapshot, words)] if scope.sees_all else []
    return [
        *account,
        _sources(scope, snapshot, words),
        html.Div(stacks, className="desk-columns"),
    ]


def _account(snapshot: Snapshot, words: Words) -> html.Section:
    """The sum that every row read must go into."""
    rows = snapshot.manifest.rows
    parts: list[Component] = []
    for at, name in enumerate(source_list.SUMS):
        sign = "" if at == 0 else "=" if at == 1 else "+"
        parts.append(
            html.Div(
                [
                    html.Dt(words(f"upload_{name}")),
                    html.Dd(
                        [
                            f"{int(rows[name]):,d}",
                            *(
                                [html.Small(numerals.share(rows[name], rows["read"], words))]
                                if at
                                else []
                            ),
                        ]
                    ),
                ],
                className=f"account-part {name}",
                **attributes(data_sign=sign),
            )
        )
    total = sum(int(rows[name]) for name in source_list.SUMS[1:])
    says = "data_sum_same" if total == int(rows["read"]) else "data_sum_differs"
    return panels.panel(
        words("data_account"),
        html.Dl(parts, className="row-account"),
        html.P(words(says), className="panel-note"),
        about="counts",
        words=words,
    )


def _sources(scope: Scope, snapshot: Snapshot, words: Words) -> html.Section:
    title = words("data_sources")
    rows = []
    as_of = snapshot.manifest.raw["periods"]["as_of"]
    for one in source_list.sources(scope, snapshot):
        counts = one.rows or {}
        rows.append(
            {
                "id": one.name,
                "title": words.pick(one.title_zh, one.title_en),
                "origin": words(f"data_origin_{one.origin}"),
                "last_day": one.last_day or None,
                "behind": _days_between(one.last_day, as_of),
                "silent": words("data_silent_in", n=one.silent_areas) if one.silent_areas else "",
                **counts,
                "turned": _ratio(counts.get("quarantined"), counts.get("read")),
            }
        )
    columns = [
        Column("title", words("data_source"), width=210, is_fixed=True),
        Column("origin", words("data_origin"), width=100, hint=words("data_origin_hint")),
        Column("last_day", words("data_last_day"), width=110, hint=words("data_last_day_hint")),
        Column("behind", words("data_behind"), "count", words("data_behind_hint"), sort="desc"),
        Column("silent", words("data_silent"), hint=words("data_silent_hint"), width=140),
    ]
    if scope.sees_all:
        columns += [
            Column(name, words(f"upload_{name}"), "count", width=92) for name in source_list.SUMS
        ]
        columns.append(Column("turned", words("data_turned"), "share", words("data_turned_hint")))
    drawn = table(
        "sources", columns, rows, scope=scope, snapshot=snapshot, words=words, label=title
    )
    note = words("data_sources_note" if scope.sees_all else "data_sources_own")
    return panels.panel(title, drawn, about="origin", words=words, note=note)


def _reasons(snapshot: Snapshot, words: Words) -> html.Section:
    lines = account_lines(snapshot.manifest, words)
    if not lines:
        none = panels.empty(words, words("data_reasons_none"))
        return panels.panel(words("footer_reasons"), none, about="counts", words=words)
    body = html.Ul([html.Li(line) for line in lines], className="reason-list")
    note = words("data_reasons_note")
    return panels.panel(words("footer_reasons"), body, about="counts", words=words, note=note)


def _gaps(scope: Scope, snapshot: Snapshot, view: View, words: Words) -> html.Section:
    name = frame.name(scope, snapshot, view.focus, words)
    title = words("data_unplaced", name=name)
    found = source_list.unplaced(scope, snapshot, view.focus, view.selection.window.end)
    if not found:
        none = panels.empty(words, words("data_unplaced_none"))
        return panels.panel(title, none, about="origin", words=words)
    order = [entry["level"] for entry in snapshot.manifest.levels]
    rows = [
        [
            words(
                "data_unplaced_step",
                upper=frame.level_name(snapshot, one.level, words),
                lower=frame.level_name(snapshot, order[order.index(one.level) + 1], words),
            ),
            f"{one.areas:,d}",
            words("no_value") if math.isnan(one.not_placed) else f"{one.not_placed:.1%}",
        ]
        for one in found
    ]
    heads = [words("data_unplaced_from"), words("data_unplaced_areas"), words("data_unplaced_of")]
    note = words("data_unplaced_note")
    body = plain.table(heads, rows, numbers=2)
    return panels.panel(title, body, about="origin", words=words, note=note)


def _lag(scope: Scope, snapshot: Snapshot, words: Words) -> html.Section:
    title = words("data_lag")
    found = source_list.completeness(scope, snapshot)
    settings = assessment.settings(scope, snapshot)
    if found.empty or settings is None:
        none = panels.empty(words, words("data_lag_none"))
        return panels.panel(title, none, about="expected", words=words)
    days = [day.date() if hasattr(day, "date") else day for day in found["day"]]
    chart = charts.share_line(days, [float(one) for one in found["share"]], words)
    rows = []
    for row in source_list.lag(scope, snapshot).to_dict("records"):
        first = row["first_day"]
        is_known = first is not None and first == first  # noqa: PLR0124 - NaT is not itself
        rows.append(
            [
                assessment_panel.group_name(row["group"], settings, words),
                words("data_lag_from", day=first) if is_known else words("data_lag_complete"),
                f"{row['newest']:.1%}",
            ]
        )
    heads = [words("data_lag_group"), words("data_lag_open"), words("data_lag_newest")]
    return panels.panel(
        title,
        panels.graph(chart, words, title),
        plain.table(heads, rows, numbers=1),
        about="expected",
        words=words,
        note=words("data_lag_note"),
    )


def _files(scope: Scope, snapshot: Snapshot, words: Words) -> html.Section:
    title = words("data_files")
    found = source_list.files(scope, snapshot)
    if found.empty:
        none = panels.empty(words, words("data_files_none"))
        return panels.panel(title, none, about="counts", words=words)
    titles = {
        one.name: words.pick(one.title_zh, one.title_en)
        for one in source_list.sources(scope, snapshot)
    }
    rows = [
        {str(key): value for key, value in row.items()}
        | {"id": str(at), "title": titles.get(row["source"], row["source"])}
        for at, row in enumerate(found.to_dict("records"))
    ]
    columns = [
        Column("file", words("upload_file"), width=170, is_fixed=True),
        Column("title", words("data_source"), width=170),
        *(Column(name, words(f"upload_{name}"), "count", width=84) for name in source_list.SUMS),
    ]
    drawn = table("files", columns, rows, scope=scope, snapshot=snapshot, words=words, label=title)
    return panels.panel(title, drawn, about="counts", words=words)


def _facts(scope: Scope, snapshot: Snapshot, words: Words) -> html.Section:
    manifest = snapshot.manifest
    analysis = manifest.raw.get("analysis", {})
    facts = [
        ("data_snapshot", manifest.id),
        ("data_made", str(manifest.raw["created_at"])[:19].replace("T", " ") + " UTC"),
        ("data_boundaries", manifest.boundary_version),
        ("data_cells", manifest.cell_version),
        ("data_settings", str(analysis.get("settings", words("no_value")))),
        ("data_periods", f"{manifest.first_period} – {manifest.last_period}"),
    ]
    if scope.sees_all:
        facts.append(("data_code", str(manifest.raw["code_version"])))
    terms = [
        part for key, value in facts for part in (html.Dt(words(key)), html.Dd(html.Code(value)))
    ]
    body = html.Dl(terms, className="arithmetic facts")
    note = words("data_facts_note")
    return panels.panel(words("data_facts"), body, about="counts", words=words, note=note)


def _ratio(part: int | None, whole: int | None) -> float | None:
    return None if not whole or part is None else part / whole


def _days_between(day: str, as_of: str) -> int | None:
    """Days from a source's newest incident to the newest of all."""
    if not day:
        return None
    behind = dt.date.fromisoformat(as_of[:10]) - dt.date.fromisoformat(day[:10])
    return max(behind.days, 0)

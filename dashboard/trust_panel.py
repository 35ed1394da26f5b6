"""How far the data of the area in view can be trusted, in a few lines."""

from __future__ import annotations

import datetime as dt
import math
from typing import TYPE_CHECKING, Any, Final

from dashboard import assessment, controls, index_panel, numerals, panels
from dashboard.desk import links, source_list
from dashboard.elements import Link, html

if TYPE_CHECKING:
    from dashboard.desk.source_list import Source
    from dashboard.text import Words
    from dashboard.view import View
    from data.access import Scope
    from data.store import Snapshot

Component = Any

LISTED: Final = 4
"""Sources that are listed besides the silent ones: those furthest behind."""


def draw(scope: Scope, snapshot: Snapshot, view: View, name: str, words: Words) -> html.Section:
    """
    Shares of the area, and how fresh each source is; accounts of rows for the whole city alone.

    Raises
    ------
    NotVisibleError
        The scope covers no area exactly.
    """
    more = Link(words("trust_more"), href=links.to("/data", view.state), className="trust-more")
    return panels.panel(
        words("trust_title", name=name),
        html.Dl(_figures(scope, snapshot, view, words), className="assess-figures"),
        *_sources(scope, snapshot, view, words),
        html.P(more),
        about="origin",
        words=words,
        note=words("trust_note"),
    )


def _figures(scope: Scope, snapshot: Snapshot, view: View, words: Words) -> list[html.Div]:
    area, end = view.subject, view.selection.window.end
    order = [entry["level"] for entry in snapshot.manifest.levels]
    found = []
    one = assessment.trust(scope, snapshot, area, end)
    if one is not None:
        of = words("trust_of", n=f"{one.discovered:,d}", m=f"{one.reported + one.discovered:,d}")
        share = _share(one.discovered_share, words)
        found.append(index_panel.figure(words("trust_discovered"), share, of))
    for step in source_list.unplaced(scope, snapshot, area, end):
        below = order[order.index(step.level) + 1]
        label = words("trust_unplaced", level=controls.level_name(snapshot, below, words))
        found.append(index_panel.figure(label, _share(step.not_placed, words)))
    if scope.sees_all:
        rows, top = snapshot.manifest.rows, order[0]
        nowhere = (int(rows["not_placed"][top]), int(rows["incidents"]))
        found.append(_part("trust_nowhere", "trust_of", nowhere, words))
        turned = (int(rows["quarantined"]), int(rows["read"]))
        found.append(_part("trust_quarantined", "trust_of_rows", turned, words))
    return found


def _part(label: str, of: str, counts: tuple[int, int], words: Words) -> html.Div:
    """A part of a whole, with both."""
    part, whole = counts
    detail = words(of, n=f"{part:,d}", m=f"{whole:,d}")
    return index_panel.figure(words(label), numerals.share(part, whole, words), detail)


def _sources(scope: Scope, snapshot: Snapshot, view: View, words: Words) -> list[Component]:
    """The silent sources of the area and the slowest others; the rest in a sentence."""
    as_of = dt.date.fromisoformat(str(snapshot.manifest.raw["periods"]["as_of"])[:10])
    silent = _silent(scope, snapshot, view)
    found = sorted(
        source_list.sources(scope, snapshot),
        key=lambda one: (one.name not in silent, one.last_day, one.name),
    )
    listed = found[: max(LISTED, len(silent))]
    others = [_behind(one, as_of) for one in found[len(listed) :]]
    rows = [_row(one, _behind(one, as_of), one.name in silent, words) for one in listed]
    heads = ("data_source", "trust_newest", "trust_behind")
    head = html.Tr([html.Th(words(key), scope="col") for key in heads])
    table = html.Table([html.Thead(head), html.Tbody(rows)], className="glass-box trust")
    told = words("trust_sources", n=len(others), most=max(others, default=0))
    return [
        html.Div(table, className="table-box"),
        *([html.P(told, className="panel-note")] if others else []),
    ]


def _silent(scope: Scope, snapshot: Snapshot, view: View) -> set[str]:
    """Names of the sources that have gone silent in the area, as of now."""
    last = snapshot.manifest.raw.get("analysis", {}).get("last")
    if not last:
        return set()
    one = assessment.trust(scope, snapshot, view.subject, dt.date.fromisoformat(last))
    return set() if one is None else set(one.silent_sources.split())


def _row(one: Source, behind: int, is_silent: bool, words: Words) -> html.Tr:
    mark = [html.Strong(words("trust_is_silent"))] if is_silent else []
    return html.Tr(
        [
            html.Td([words.pick(one.title_zh, one.title_en), " ", *mark]),
            html.Td(one.last_day or words("no_value"), className="number"),
            html.Td(words("trust_days", n=behind) if one.last_day else "–", className="number"),
        ],
        className="silent" if is_silent else "",
    )


def _behind(one: Source, as_of: dt.date) -> int:
    """Days from a source's newest incident to the last day covered."""
    if not one.last_day:
        return 0
    return max((as_of - dt.date.fromisoformat(one.last_day[:10])).days, 0)


def _share(value: float, words: Words) -> str:
    return words("no_value") if math.isnan(value) else f"{value:.1%}"

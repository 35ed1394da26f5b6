"""What every page begins with: where one is, what it is about, and as of when."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dash import dcc

from dashboard import controls
from dashboard.areas import Area, hierarchy
from dashboard.desk import links
from dashboard.elements import html
from dashboard.markup import attributes
from data import periods

if TYPE_CHECKING:
    from dashboard.text import Words
    from dashboard.view import View
    from data.access import Scope
    from data.store import Snapshot

Component = Any


def head(
    scope: Scope, snapshot: Snapshot, view: View, words: Words, *, path: str, title: str
) -> html.Header:
    """
    Breadcrumb, title, one sentence, freshness.

    Parameters
    ----------
    title
        Key of the page's name; `<title>_lead` is the sentence.
    """
    window, manifest = view.selection.window, snapshot.manifest
    fresh = words(
        "desk_fresh",
        period=periods.label(window.end, grain=window.grain),
        last=window.last_day,
        as_of=manifest.raw["periods"]["as_of"],
        snapshot=manifest.id,
    )
    return html.Header(
        [
            _breadcrumb(scope, snapshot, view, words, path),
            html.H1(words(title), className="desk-title"),
            html.P(words(f"{title}_lead"), className="desk-lead"),
            html.P(fresh, className="desk-fresh"),
        ],
        className="desk-head",
    )


def name(scope: Scope, snapshot: Snapshot, area: Area, words: Words) -> str:
    """Name of an area that the scope covers."""
    return str(hierarchy(scope, snapshot).at(area.level).names(words.lang)[area.index])


def place(scope: Scope, snapshot: Snapshot, area: Area, words: Words) -> str:
    """The areas above it, up to two, to tell namesakes apart."""
    path = hierarchy(scope, snapshot).path(area)[:-1]
    return " · ".join(name(scope, snapshot, step, words) for step in path[1:][-2:] or path[-1:])


def level_name(snapshot: Snapshot, level: str, words: Words) -> str:
    """The city's own name of a level."""
    return controls.level_name(snapshot, level, words)


def _breadcrumb(scope: Scope, snapshot: Snapshot, view: View, words: Words, path: str) -> html.Nav:
    tree = hierarchy(scope, snapshot)
    steps = tree.path(view.focus)
    if view.selected is not None:
        steps.append(view.selected)
    *above, here = [
        (name(scope, snapshot, area, words), links.focused(scope, snapshot, view, area))
        for area in steps
    ]
    parts: list[Component] = [dcc.Link(text, href=links.to(path, state)) for text, state in above]
    parts.append(html.Span(here[0], className="current", **attributes(aria_current="location")))
    label = words("desk_where")
    return html.Nav(parts, className="desk-crumbs", **attributes(aria_label=label))

"""Addresses of pages and of the map for an area; the rest of the view goes along."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final
from urllib.parse import quote_plus

from dashboard.areas import hierarchy

if TYPE_CHECKING:
    from collections.abc import Callable

    from dashboard.areas import Area
    from dashboard.state import ViewState
    from dashboard.view import View
    from data.access import Scope
    from data.store import Snapshot


_AREA: Final = "AREA~FOCUS"
_PICKED: Final = "AREA~PICKED"
"""Stand in a query for a code; no code has a tilde, which no query quotes."""


def to(path: str, state: ViewState) -> str:
    """Address of a page in a state; a page has no camera."""
    return path + state.to_search()


def focused(scope: Scope, snapshot: Snapshot, view: View, area: Area) -> ViewState:
    """The view with another area: in focus, or picked among its siblings at the finest level."""
    tree = hierarchy(scope, snapshot)
    above = tree.parent(area)
    if tree.below(area.level) or above is None:
        return view.state.focus_on(tree.code(area))
    return replace(view.state.focus_on(tree.code(above)), selected=tree.code(area))


def focuser(scope: Scope, snapshot: Snapshot, view: View) -> Callable[[Area], str]:
    """Queries of `focused` for many areas: the view is written once for each level."""
    tree = hierarchy(scope, snapshot)
    inner = view.state.focus_on(_AREA).to_search()
    leaf = replace(view.state.focus_on(_AREA), selected=_PICKED).to_search()

    def search(area: Area) -> str:
        code, above = quote_plus(tree.code(area)), tree.parent(area)
        if tree.below(area.level) or above is None:
            return inner.replace(_AREA, code)
        return leaf.replace(_AREA, quote_plus(tree.code(above))).replace(_PICKED, code)

    return search


def picker(scope: Scope, snapshot: Snapshot, view: View) -> Callable[[Area], str]:
    """Queries of the view with an area of the shown level picked; the focus stays."""
    tree = hierarchy(scope, snapshot)
    picked = replace(view.state, selected=_PICKED, camera=None).to_search()
    return lambda area: picked.replace(_PICKED, quote_plus(tree.code(area)))


def on_map(scope: Scope, snapshot: Snapshot, view: View, area: Area) -> str:
    """Address of the map at an area."""
    return to("/", focused(scope, snapshot, view, area))


def at_point(view: View, lng: float, lat: float, zoom: float) -> str:
    """Address of the map at a point, degrees."""
    return replace(view.state, camera=(round(lng, 5), round(lat, 5), zoom)).to_href()

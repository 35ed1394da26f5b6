"""Where a desk looks: the area in focus, the way up, and the links from an area to the pages."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from dashboard.areas import hierarchy
from dashboard.pages import render
from dashboard.phone import own
from dashboard.state import ViewState
from data.access import WHOLE_CITY, NotVisibleError

if TYPE_CHECKING:
    from dashboard.areas import Area
    from dashboard.text import Words
    from data.access import Scope
    from data.store import Snapshot
    from data.warnings.kinds import Place

CITY: Final = "city"


def find(scope: Scope, snapshot: Snapshot, level: str, code: str) -> Area | None:
    """Area of a warning; None where the scope does not see it or it was re-cut since."""
    tree = hierarchy(scope, snapshot)
    try:
        if code == WHOLE_CITY:
            top = tree.top()
            return top if top.level == CITY else None
        return tree.find(f"{level}.{code}", day=own.last_day(snapshot))
    except NotVisibleError:
        return None


def place_of(scope: Scope, snapshot: Snapshot, area: Area) -> Place:
    """Return level and code as warnings name them: the city has no code of its own there."""
    if area.level == CITY:
        return CITY, WHOLE_CITY
    return area.level, str(hierarchy(scope, snapshot).at(area.level).codes[area.index])


def way_up(scope: Scope, snapshot: Snapshot, area: Area, words: Words) -> list[tuple[str, str]]:
    """Reference and name of each area from the top down to this one."""
    tree = hierarchy(scope, snapshot)
    return [
        (own.reference(scope, snapshot, one), str(tree.at(one.level).names(words.lang)[one.index]))
        for one in tree.path(area)
    ]


def search(scope: Scope, snapshot: Snapshot, area: Area) -> str:
    """Query of the map and the pages beside it for an area."""
    tree = hierarchy(scope, snapshot)
    look = ViewState(lang=render.language(), theme=render.theme())
    above = tree.parent(area)
    if tree.below(area.level) or above is None:
        return look.focus_on(tree.code(area)).to_search()
    return replace(look.focus_on(tree.code(above)), selected=tree.code(area)).to_search()


def with_look(path: str, **values: str) -> str:
    """Address of a page that this module has no endpoint of, in the language and look of this."""
    look = {name: value for name, value in (("lang", render.language()), ("theme", render.theme()))
            if value not in ("zh", "auto")}  # fmt: skip
    query = urlencode({**values, **look})
    return f"{path}?{query}" if query else path

"""What stands beside the map, in one answer, and the comparison, which few have."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from dashboard import answers, ids, protected
from dashboard.text import Words
from dashboard.view import settle
from data.access import decide

if TYPE_CHECKING:
    from data.access import Scope
    from data.store import Snapshot

Answer = dict[str, Any]
_BOXES: Final = {"map_note": ids.MAP_NOTE}
"""Ids of boxes that are not called as their part of an answer is."""


def draw(scope: Scope, snapshot: Snapshot, *, search: str, withheld: bool = False) -> Answer:
    """
    Everything beside the map but the comparison, by the id of its box.

    Parameters
    ----------
    withheld
        A newer snapshot is published but damaged.
    """
    drawn = answers.draw_panels(scope, snapshot, search=search, withheld=withheld)
    drawn |= answers.draw_charts(scope, snapshot, search=search)
    return {_BOXES.get(name, name): parts for name, parts in drawn.items()}


def has_comparison(scope: Scope) -> bool:
    """Whether there is anything to compare with that the scope does not see anyway."""
    return not (scope.sees_all or scope.is_protected) and decide(scope, "compare").is_allowed


def compared_address(scope: Scope, snapshot: Snapshot, *, search: str) -> str:
    """What is to be compared, without what the scope may not see; empty = nothing is."""
    if not has_comparison(scope):
        return ""
    return settle(scope, snapshot, search).state.to_search() or "?"


def draw_comparison(scope: Scope, snapshot: Snapshot, *, search: str) -> Answer:
    """The own area beside others, all of it protected; nothing for who sees the city anyway."""
    if not has_comparison(scope):
        return {"comparison": []}
    view = settle(scope, snapshot, search)
    words = Words(view.state.lang)
    return {"comparison": protected.comparison(scope, snapshot, view.subject, words)}

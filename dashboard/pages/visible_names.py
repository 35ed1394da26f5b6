"""Names of areas as far as the reader sees them: nothing of what lies above or beside."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dashboard.areas import hierarchy
from dashboard.command.places import find
from data.manifest import SnapshotError

if TYPE_CHECKING:
    from dashboard.pages.context import PageContext
    from dashboard.text import Words
    from data.access import Scope
    from data.warnings.kinds import Place


def visible_name(context: PageContext, scope: Scope, place: Place, told: Words) -> str:
    """
    Name of an area by level and code, after the one above where the scope sees that too.

    "" for an area that it does not see, or that is none of the present boundaries.
    """
    try:
        snapshot = context.store.current()
    except SnapshotError:
        return ""
    area = find(scope, snapshot, *place)
    if area is None:
        return ""
    tree = hierarchy(scope, snapshot)
    path = tree.path(area)
    # The city's name goes before nothing: every place is in it.
    shown = [one for one in path if one.level != "city"][-2:] or path[-1:]
    return " · ".join(str(tree.at(one.level).names(told.lang)[one.index]) for one in shown)

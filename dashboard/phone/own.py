"""Which areas an account's phone shows: those that were granted, and what lies in them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from dashboard.areas import Area, hierarchy
from dashboard.queries import exact
from data.access import NotVisibleError
from data.periods import Window

if TYPE_CHECKING:
    import datetime as dt

    from data.access import Scope
    from data.store import Snapshot

MOST: Final = 240
"""Areas of a list; where there are more, it is one of a higher level."""


def last_day(snapshot: Snapshot) -> dt.date:
    """Last day of the newest period: the areas of that day are shown."""
    return Window(snapshot.manifest.last_period, 1, snapshot.manifest.grain).last_day


def own_areas(scope: Scope, snapshot: Snapshot) -> list[Area]:
    """
    Areas that the scope covers and whose area above it does not, from the top down.

    Raises
    ------
    NotVisibleError
        There is none.
    """
    exact(scope)
    tree, day, found = hierarchy(scope, snapshot), last_day(snapshot), []
    for depth, areas in enumerate(tree.levels):
        highest = areas.visible & areas.valid_on(day)
        if depth:
            above = tree.levels[depth - 1].visible
            highest &= ~((areas.parents >= 0) & above[areas.parents])
        found += [Area(areas.level, index) for index in np.flatnonzero(highest).tolist()]
    if not found:
        raise NotVisibleError("no such area")
    return found


def open_area(scope: Scope, snapshot: Snapshot, reference: str) -> Area:
    """
    Area that an address names, the first own one where it names none.

    Raises
    ------
    NotVisibleError
        There is no such area, or the scope does not cover it: nobody is told which.
    """
    own = own_areas(scope, snapshot)
    if not reference:
        return own[0]
    return hierarchy(scope, snapshot).find(reference, day=last_day(snapshot))


def reference(scope: Scope, snapshot: Snapshot, area: Area) -> str:
    """Name an area in an address of these pages."""
    return f"{area.level}.{hierarchy(scope, snapshot).at(area.level).codes[area.index]}"


def level_below(scope: Scope, snapshot: Snapshot, area: Area) -> str:
    """Level that is listed under an area: the lowest, if not too many; "" under the lowest."""
    tree = hierarchy(scope, snapshot)
    tree.check(area)
    levels = tree.below(area.level)
    for level in levels[::-1]:
        here = tree.inside(level, area) & tree.at(level).valid_on(last_day(snapshot))
        if 0 < np.count_nonzero(here) <= MOST:
            return level
    return levels[0] if levels else ""

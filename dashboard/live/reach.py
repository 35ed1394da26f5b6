"""What does not change between two snapshots: what a scope reaches, and what things are called."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from weakref import WeakKeyDictionary

import numpy as np

from dashboard.areas import Area, hierarchy
from dashboard.cache import scoped_cache
from dashboard.queries import exact
from data.access import covered, decide

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from data.access import Scope
    from data.store import Snapshot

_CITY_AND_COUNTY: Final = 2
"""Levels that a place is not named by where there is one below."""

_LOWEST: Final = "grid"

_ROWS: WeakKeyDictionary[Snapshot, dict[tuple[str, str], int]] = WeakKeyDictionary()
"""Row of each (level, code) of each open snapshot: the same for every scope."""


@dataclass(frozen=True)
class Reach:
    """
    What a scope may see of a snapshot's areas; each array has shape (n areas + 1,).

    The last entry stands for what lies in no known area: the whole city's scope alone sees it.
    """

    visible: NDArray[np.bool_]
    pointed: NDArray[np.bool_]
    """Where it may see points."""
    own: tuple[str, ...]
    """Codes of visible areas, sorted."""


@dataclass(frozen=True)
class Class:
    """One category: its name and that of the upper one, each in Chinese and English."""

    code: str
    group: str
    names: tuple[str, str]
    group_names: tuple[str, str]
    is_sensitive: bool


@scoped_cache
def reach(scope: Scope, snapshot: Snapshot) -> Reach:
    """Work out which areas a scope sees exactly, and where it may see points."""
    areas, sees_all = snapshot.areas, scope.sees_all
    visible = np.append(covered(scope.sight.areas, areas), sees_all)
    pointed = np.append(covered(decide(scope, "points").areas, areas), sees_all) & visible
    own = tuple(sorted(set(areas["code"].to_numpy(object)[visible[:-1]].tolist())))
    return Reach(visible, pointed, own)


@scoped_cache
def classes(
    scope: Scope,  # noqa: ARG001 - every query takes it
    snapshot: Snapshot,
) -> dict[str, Class]:
    """What the codes of the city's categories stand for."""
    rows = list(snapshot.categories.fillna({"parent_code": ""}).itertuples())
    names = {row.code: (row.name_zh, row.name_en or row.name_zh) for row in rows}
    sensitive = set(snapshot.manifest.city.get("sensitive", ()))
    found = {}
    for row in rows:
        group = row.parent_code or row.code
        is_sensitive = not sensitive.isdisjoint((row.code, group))
        found[row.code] = Class(row.code, group, names[row.code], names[group], is_sensitive)
    return found


def area_rows(snapshot: Snapshot) -> dict[tuple[str, str], int]:
    """Row of each (level, code); of several validities the newest."""
    if snapshot not in _ROWS:
        areas = snapshot.areas
        pairs = zip(areas["level"].astype(str), areas["code"].astype(str), strict=True)
        _ROWS[snapshot] = {pair: row for row, pair in enumerate(pairs)}
    return _ROWS[snapshot]


@scoped_cache
def place(scope: Scope, snapshot: Snapshot, area_row: int, lang: str) -> tuple[str, str]:
    """
    Name a place and its address, by what the scope may walk through.

    `Street · Community`: the city and the county go without saying, the grid is but a number.

    Raises
    ------
    NotVisibleError
        The scope does not cover the area exactly.
    """
    exact(scope)
    tree, row = hierarchy(scope, snapshot), snapshot.areas.iloc[area_row]
    area = tree.check(Area(str(row["level"]), int(row["area_index"])))
    path = tree.path(area)
    shown = [one for one in path if tree.order.index(one.level) >= _CITY_AND_COUNTY] or path[-1:]
    if len(shown) > 1 and shown[-1].level == _LOWEST:
        shown = shown[:-1]
    names = [str(tree.at(one.level).names(lang)[one.index]) for one in shown]
    return " · ".join(names), f"{area.level}.{tree.at(area.level).codes[area.index]}"

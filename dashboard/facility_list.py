"""Inspection points one by one, and how many there are of each kind and state."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from dashboard.areas import Area, hierarchy
from dashboard.cache import scoped_cache
from dashboard.phone import own
from dashboard.queries import exact
from data.access import WHOLE_CITY, NotVisibleError
from data.resources.state import STATES

if TYPE_CHECKING:
    import datetime as dt

    from data.access import Scope
    from data.store import Snapshot
    from data.warnings.kinds import Place

TABLE: Final = "facilities"

_ORDER: Final = " ".join(f"WHEN '{state}' THEN {at}" for at, state in enumerate(STATES))


@dataclass(frozen=True)
class Facility:
    """
    One inspection point.

    Attributes
    ----------
    id
        `register:number`.
    area_row
        Row of the table `areas`.
    overdue_days
        0 in time; None where the register does not tell enough.
    """

    id: str
    kind: str
    area_row: int
    cycle_days: int | None
    last_inspected: dt.date | None
    due_on: dt.date | None
    state: str
    overdue_days: int | None

    @property
    def number(self) -> str:
        """The register's own number."""
        return self.id.partition(":")[2] or self.id


@scoped_cache
def counted(scope: Scope, snapshot: Snapshot, focus: Area) -> dict[tuple[str, str], int]:
    """
    Count the points of a focus by kind and state.

    Raises
    ------
    NotVisibleError
        The focus is unknown or outside the scope; so in all functions here.
    """
    found = _rows(scope, snapshot, focus, "kind, state, count(*)", "GROUP BY 1, 2 ORDER BY 1, 2")
    return {(kind, state): n for kind, state, n in found}


def listed(
    scope: Scope,
    snapshot: Snapshot,
    focus: Area,
    *,
    kind: str = "",
    state: str = "",
    first: int = 0,
    limit: int,
) -> list[Facility]:
    """List the points of a focus, the longest overdue first; "" = every kind or state."""
    found = _rows(
        scope,
        snapshot,
        focus,
        "facility_id, kind, area_row, cycle_days, last_inspected, due_on, state, overdue_days",
        f"AND ? IN ('', kind) AND ? IN ('', state) ORDER BY CASE state {_ORDER} END, "
        "overdue_days DESC NULLS LAST, due_on, facility_id LIMIT ? OFFSET ?",
        kind, state, limit, first,
    )  # fmt: skip
    return [Facility(*row) for row in found]


def in_place(scope: Scope, snapshot: Snapshot, place: Place, *, limit: int) -> list[Facility]:
    """List the points of an area by level and code; none where the scope does not see it."""
    if TABLE not in snapshot.tables():
        return []
    try:
        tree = hierarchy(scope, snapshot)
        level, code = place
        is_city = code == WHOLE_CITY
        focus = tree.top() if is_city else tree.find(f"{level}.{code}", day=own.last_day(snapshot))
        if is_city and focus.level != "city":
            return []
        return listed(scope, snapshot, focus, limit=limit)
    except NotVisibleError:
        return []


def places_above(scope: Scope, snapshot: Snapshot, area_row: int) -> list[Place]:
    """Level and code of an area and of those above it that the scope sees, the lowest first."""
    tree = hierarchy(scope, snapshot)
    levels = snapshot.areas["level"].to_numpy()
    level = str(levels[area_row])
    index = int(np.count_nonzero(levels[:area_row] == level))
    return [
        ("city", WHOLE_CITY)
        if one.level == "city"
        else (one.level, str(tree.at(one.level).codes[one.index]))
        for one in tree.path(Area(level, index))[::-1]
    ]


def _rows(
    scope: Scope, snapshot: Snapshot, focus: Area, columns: str, rest: str, *values: Any
) -> list[Any]:
    exact(scope)
    tree = hierarchy(scope, snapshot)
    tree.check(focus)
    inside = tree.rows_inside(focus).tolist()
    return list(
        snapshot.rows(
            f"SELECT {columns} FROM {TABLE} WHERE area_row IN (SELECT unnest(?)) {rest}",  # nosec B608  # names of ours - none comes from outside
            [inside, *values],
        )
    )

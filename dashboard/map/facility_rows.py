"""Stored rows behind the layers of places: facilities with what is due, posts and units."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from dashboard.areas import hierarchy
from dashboard.cache import scoped_cache_of_few
from dashboard.queries import exact
from data.resources.state import STATES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dashboard.areas import Area
    from data.access import Scope
    from data.store import Snapshot

FACILITIES, RESOURCES = "facilities", "resources"


@dataclass(frozen=True)
class Facilities:
    """
    Facilities of a focus, the most urgent first; arrays of shape (n,).

    Attributes
    ----------
    lng, lat
        NaN where the register tells an area alone.
    overdue_days
        0 in time, -1 = not known.
    as_of
        Day for which `state` is told.
    """

    number: NDArray[Any]
    kind: NDArray[Any]
    state: NDArray[Any]
    lng: NDArray[np.float64]
    lat: NDArray[np.float64]
    overdue_days: NDArray[np.int64]
    due_on: NDArray[Any]
    last_inspected: NDArray[Any]
    as_of: dt.date


@dataclass(frozen=True)
class Posts:
    """Posts and units of a focus, arrays of shape (n,)."""

    number: NDArray[Any]
    kind: NDArray[Any]
    lng: NDArray[np.float64]
    lat: NDArray[np.float64]


def is_on_offer(scope: Scope, snapshot: Snapshot, table: str) -> bool:
    """Whether the table exists, and the scope covers some area exactly."""
    return scope.sees_areas and table in snapshot.tables()


def registers_day(snapshot: Snapshot) -> dt.date:
    """Day that the registers stand for."""
    return dt.date.fromisoformat(snapshot.manifest.raw["registers"]["as_of"])


@scoped_cache_of_few
def facilities(scope: Scope, snapshot: Snapshot, focus: Area) -> Facilities:
    """
    Facilities inside the focus and the scope.

    Raises
    ------
    NotVisibleError
        The focus is unknown or outside the scope; so in all functions here.
    """
    found = _inside(
        scope,
        snapshot,
        focus,
        "facility_id AS number, kind, state, lng, lat, coalesce(overdue_days, -1) AS late, "
        "coalesce(due_on::VARCHAR, '') AS due_on, "
        "coalesce(last_inspected::VARCHAR, '') AS last_inspected",
        FACILITIES,
    )
    urgency = np.array([STATES.index(state) for state in found["state"]], dtype=np.int64)
    order = np.lexsort((found["number"], -found["late"].astype(np.int64), urgency))
    return Facilities(
        number=found["number"][order],
        kind=found["kind"][order],
        state=found["state"][order],
        lng=_degrees(found["lng"])[order],
        lat=_degrees(found["lat"])[order],
        overdue_days=found["late"].astype(np.int64)[order],
        due_on=found["due_on"][order],
        last_inspected=found["last_inspected"][order],
        as_of=registers_day(snapshot),
    )


@scoped_cache_of_few
def posts(scope: Scope, snapshot: Snapshot, focus: Area) -> Posts:
    """Posts and units inside the focus and the scope, by number."""
    columns = "resource_id AS number, kind, lng, lat"
    found = _inside(scope, snapshot, focus, columns, RESOURCES)
    return Posts(found["number"], found["kind"], _degrees(found["lng"]), _degrees(found["lat"]))


def _inside(
    scope: Scope, snapshot: Snapshot, focus: Area, columns: str, table: str
) -> dict[str, NDArray[Any]]:
    exact(scope)
    tree = hierarchy(scope, snapshot)
    tree.check(focus)
    rows: Final = tree.rows_inside(focus).tolist()
    return snapshot.arrays(
        f"SELECT {columns} FROM {table} WHERE area_row IN (SELECT unnest(?)) ORDER BY number",  # nosec B608  # names of ours - none comes from outside
        [rows],
    )


def _degrees(values: NDArray[Any]) -> NDArray[np.float64]:
    return np.asarray(np.ma.filled(values.astype(np.float64), np.nan))

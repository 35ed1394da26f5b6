"""What is due and what is late under an area, from the stored list of urgent clocks."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from dashboard.areas import Area, hierarchy
from dashboard.cache import scoped_cache
from dashboard.queries import exact

if TYPE_CHECKING:
    from data.access import Scope
    from data.store import Snapshot

SHOWN: Final = 6
"""Matters of each kind that are listed."""


@dataclass(frozen=True)
class Matter:
    """
    One incident with a clock that is over, or will be within a day.

    Attributes
    ----------
    area
        Lowest area in which it lies.
    clocks
        Names of its clocks, the most urgent first.
    due_at
        Of the most urgent one, UTC.
    p_24h
        Chance that this one is over its time within a day; None = not known.
    """

    area: Area
    category: int
    severity: int
    clocks: tuple[str, ...]
    due_at: dt.datetime
    is_overdue: bool
    p_24h: float | None


@dataclass(frozen=True)
class Due:
    """
    Urgent matters of an area: those to come by their time, those that are over the newest first.

    Attributes
    ----------
    is_whole
        Whether every urgent clock of the city is stored: else there may be more overdue ones.
    """

    coming: tuple[Matter, ...]
    over: tuple[Matter, ...]
    is_whole: bool


@scoped_cache
def due(scope: Scope, snapshot: Snapshot, area: Area) -> Due | None:
    """
    Read the urgent matters of an area; None where no list is stored.

    Raises
    ------
    NotVisibleError
        The area is unknown or outside the scope.
    """
    exact(scope)
    tree = hierarchy(scope, snapshot)
    tree.check(area)
    if "open_clocks" not in snapshot.tables():
        return None
    found = snapshot.arrays(
        "SELECT identity, level, area_index, category_index, severity, clock, due_at, is_overdue, "
        "p_24h, total FROM open_clocks WHERE period_end = ? ORDER BY rank",
        [snapshot.manifest.last_period],
    )
    inside = np.zeros(len(found["level"]), dtype=bool)
    for level in (area.level, *tree.below(area.level)):
        here = (found["level"] == level) & (found["area_index"] >= 0)
        inside[here] = tree.inside(level, area)[found["area_index"][here]]
    matters = _matters(found, np.flatnonzero(inside))
    total = int(found["total"].max()) if len(found["total"]) else 0
    return Due(
        coming=tuple(sorted((m for m in matters if not m.is_overdue), key=lambda m: m.due_at)),
        over=tuple(
            sorted((m for m in matters if m.is_overdue), key=lambda m: m.due_at, reverse=True)
        ),
        is_whole=total <= len(inside),
    )


def _matters(found: dict[str, Any], rows: Any) -> list[Matter]:
    """One matter per incident: its clocks that run or are over, the first one due tells when."""
    chance = np.ma.filled(found["p_24h"].astype(np.float64), np.nan)
    grouped: dict[object, list[int]] = {}
    for row in rows.tolist():
        identity = int(found["identity"][row])
        grouped.setdefault(identity or ("row", row), []).append(row)
    matters = []
    for members in grouped.values():
        # Over its time only where all are: what can still be kept comes first.
        running = [row for row in members if not found["is_overdue"][row]]
        shown = sorted(running or members, key=lambda row: found["due_at"][row])
        first = shown[0]
        known = chance[first]
        matters.append(
            Matter(
                area=Area(str(found["level"][first]), int(found["area_index"][first])),
                category=int(found["category_index"][first]),
                severity=int(found["severity"][first]),
                clocks=tuple(dict.fromkeys(str(found["clock"][row]) for row in shown)),
                due_at=_moment(found["due_at"][first]),
                is_overdue=not running,
                p_24h=None if np.isnan(known) else float(known),
            )
        )
    return matters


def _moment(value: np.datetime64) -> dt.datetime:
    stamp: dt.datetime = value.astype("datetime64[s]").item()
    return stamp.replace(tzinfo=dt.UTC)

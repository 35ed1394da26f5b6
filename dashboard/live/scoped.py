"""What one scope may see of a look: its incidents, units and crowds, worked out once a change."""

from __future__ import annotations

import hashlib
import json
from collections import OrderedDict
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from dashboard.live.claims import believed_crowds, believed_units
from dashboard.live.reach import area_rows, classes, reach
from geo import cells as h3_cells

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dashboard.live.board import Board, Look
    from data.access import Scope

KEPT: Final = 64
"""Scopes whose view is kept."""

MOST_TOLD: Final = 2_000
"""Incidents of one scope that are kept as they were told."""

Told = list[dict[str, Any]]


@dataclass(frozen=True)
class Seen:
    """
    What one scope may see.

    Attributes
    ----------
    at
        Positions of its rows among those of the look.
    areas
        For each of them: row of the table of areas, -1 = none.
    has_points
        For each of them: whether the scope may see where it was.
    units, crowds
        As a screen is told of them, with a digest each, "" = nothing at all.
    """

    look: Look
    at: NDArray[np.int64]
    areas: NDArray[np.int64]
    has_points: NDArray[np.bool_]
    units: tuple[Told, str]
    crowds: tuple[Told, str]


class Views:
    """The views of the scopes that ask, each worked out once for a look."""

    def __init__(self, board: Board) -> None:
        self._board = board
        self._lock = Lock()
        self._held: OrderedDict[tuple[object, ...], Seen] = OrderedDict()
        self._told: OrderedDict[tuple[object, ...], dict[int, dict[str, Any]]] = OrderedDict()

    def seen(self, scope: Scope, look: Look) -> Seen:
        """What a scope may see of a look: nothing, where it covers no area exactly."""
        key = scope.cache_key
        with self._lock:
            held = self._held.get(key)
            if held is not None and held.look.generation == look.generation:
                self._held.move_to_end(key)
                return held
        found = _seen(scope, look, self._board, held)
        with self._lock:
            self._held[key] = found
            while len(self._held) > KEPT:
                self._held.popitem(last=False)
        return found

    def told(self, scope: Scope, look: Look, lang: str) -> dict[int, dict[str, Any]]:
        """Incidents by number as readers of this scope were told of them: most ask for the same."""
        key = scope.cache_key, lang, look.snapshot.id, look.feed
        with self._lock:
            held = self._told.setdefault(key, {})
            self._told.move_to_end(key)
            while len(self._told) > KEPT:
                self._told.popitem(last=False)
        if len(held) > MOST_TOLD:
            held.clear()
        return held


def _seen(scope: Scope, look: Look, board: Board, before: Seen | None) -> Seen:
    reached, rows_of = reach(scope, look.snapshot), area_rows(look.snapshot)
    known = classes(scope, look.snapshot)
    area_of = [rows_of.get(place, -1) for place in board.places.values]
    areas = np.array([*area_of, -1], dtype=np.int64)[look.rows.place]
    # What was made sensitive after it arrived is no longer shown either.
    names = [
        known[code].is_sensitive if code in known else False for code in board.categories.values
    ]
    hidden = np.array([*names, False], dtype=bool)[look.rows.category]
    at = np.flatnonzero(reached.visible[areas] & look.rows.is_shown & ~hidden)
    units, crowds = (before.units, before.crowds) if before else (([], ""), ([], ""))
    if before is None or not _is_same_live(before.look, look):
        units, crowds = _live(scope, look)
    return Seen(look, at, areas[at], reached.pointed[areas[at]], units, crowds)


def _is_same_live(before: Look, look: Look) -> bool:
    return (
        before.units is look.units
        and before.crowds is look.crowds
        and before.snapshot is look.snapshot
    )


def _live(scope: Scope, look: Look) -> tuple[tuple[Told, str], tuple[Told, str]]:
    """Units and crowds in areas of the scope; the whole city has those in no area too."""
    own = set(reach(scope, look.snapshot).own)

    def sees(code: str) -> bool:
        return code in own or (scope.sees_all and not code)

    units = [
        {"unit": one.unit, "kind": one.kind, "lng": one.lng, "lat": one.lat}
        for one, code in believed_units(look.snapshot, look.units)
        if sees(code)
    ]
    seen = [one for one, code in believed_crowds(look.snapshot, look.crowds) if sees(code)]
    cells = np.array([one.cell for one in seen], dtype=np.int64)
    middles = zip(*h3_cells.cell_centres(cells), strict=True) if seen else ()
    crowds = [
        {"cell": f"{one.cell:x}", "lng": round(float(lng), 5), "lat": round(float(lat), 5),
         "count": one.count}
        for one, (lng, lat) in zip(seen, middles, strict=True)
    ]  # fmt: skip
    return (units, _digest(units)), (crowds, _digest(crowds))


def _digest(told: Told) -> str:
    """Eight bytes that tell one state from another; "" = nothing at all."""
    if not told:
        return ""
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:16]

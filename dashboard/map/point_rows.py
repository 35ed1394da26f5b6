"""
What happened at each point of a focus: counts by kind, and all that no point shows.

A point stands for an area and a cell (`etl.masked_points`); it holds no id, no text and no time but
the window. Sensitive categories are never drawn; how many there are is told with the sum.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from dashboard.areas import hierarchy
from dashboard.cache import scoped_cache, scoped_cache_of_few
from dashboard.queries import exact
from data.access import covered, decide

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dashboard.areas import Area
    from dashboard.queries import Selection
    from data.access import Scope
    from data.store import Snapshot

TABLE: Final = "points"
MOST_KINDS: Final = 6
"""Symbols that a reader tells apart; what is beyond shares the last one."""

_HALF: Final = 32
"""Bits of the cell in a number that holds an area and a cell."""


@dataclass(frozen=True)
class Kinds:
    """
    What the symbols mean: families of upper categories, in the order of the city's taxonomy.

    The symbol of a family is the same in every view, whatever there is of it.
    """

    names: tuple[tuple[str, str], ...]
    """Chinese and English."""
    of_category: NDArray[np.int64]
    """Position among the names, by `category_index`."""
    is_sensitive: NDArray[np.bool_]
    """By `category_index`."""
    has_rest: bool
    """The last one stands for several families."""


@dataclass(frozen=True)
class Places:
    """
    Points with an incident, those with the most first, and what none of them shows.

    Attributes
    ----------
    counts
        Incidents by point and kind, shape (n points, n kinds).
    sensitive, no_point, apart, beyond
        Incidents of sensitive categories; without a point; whose area and cell share none; in
        areas whose points the scope may not see. With `counts` they are the focus's own count.
    """

    lng: NDArray[np.float64]
    lat: NDArray[np.float64]
    counts: NDArray[np.int64]
    sensitive: int
    no_point: int
    apart: int
    beyond: int

    @property
    def drawn(self) -> int:
        """Incidents at points."""
        return int(self.counts.sum())

    @property
    def total(self) -> int:
        """Incidents of the focus."""
        return self.drawn + self.sensitive + self.no_point + self.apart + self.beyond


def is_on_offer(scope: Scope, snapshot: Snapshot) -> bool:
    """Whether the scope may see any point, and the snapshot has them."""
    if not scope.sees_areas or not decide(scope, "points").areas:
        return False
    # An older build stored neither the points nor what is sensitive.
    return TABLE in snapshot.tables() and "sensitive" in snapshot.manifest.city


@scoped_cache
def kinds(
    scope: Scope,  # noqa: ARG001 - every query takes it
    snapshot: Snapshot,
) -> Kinds:
    """
    Arrange the categories by kind.

    Upper categories whose names begin alike (`Hazards: fire`, `Hazards: gas`) are one family.
    """
    rows = snapshot.categories.sort_values("category_index").fillna({"parent_code": ""})
    family = {
        row.code: (row.name_zh.partition("·")[0], row.name_en.partition(":")[0])
        for row in rows.itertuples()
        if not row.parent_code
    }
    upper = [row.parent_code or row.code for row in rows.itertuples()]
    names = {zh: (zh, en) for zh, en in reversed(family.values())}
    order = list(dict.fromkeys(zh for zh, _ in family.values()))
    place = {zh: min(at, MOST_KINDS - 1) for at, zh in enumerate(order)}
    sensitive = set(snapshot.manifest.city["sensitive"])
    pairs = zip(rows["code"], upper, strict=True)
    return Kinds(
        names=tuple(names[zh] for zh in order[:MOST_KINDS]),
        of_category=np.array([place[family[code][0]] for code in upper], dtype=np.int64),
        is_sensitive=np.array([not sensitive.isdisjoint(pair) for pair in pairs], dtype=bool),
        has_rest=len(order) > MOST_KINDS,
    )


@scoped_cache_of_few
def places(scope: Scope, snapshot: Snapshot, focus: Area, selection: Selection) -> Places:
    """
    Count the incidents of a focus at its points.

    Raises
    ------
    NotVisibleError
        The focus is unknown or outside the scope.
    """
    exact(scope)
    tree = hierarchy(scope, snapshot)
    tree.check(focus)
    found = _counted(snapshot, tree.rows_inside(focus), selection)
    known = kinds(scope, snapshot)
    n = found["count"].astype(np.int64)
    lng = np.ma.filled(found["lng"].astype(np.float64), np.nan)
    lat = np.ma.filled(found["lat"].astype(np.float64), np.nan)
    granted = covered(decide(scope, "points").areas, snapshot.areas)
    left = np.ones(len(n), dtype=bool)
    left_out = []
    for reason in (
        ~granted[found["area_row"]],
        known.is_sensitive[found["category_index"]],
        found["cell_index"] < 0,
        ~np.isfinite(lng),
    ):
        left_out.append(int(n[left & reason].sum()))
        left &= ~reason
    beyond, sensitive, no_point, apart = left_out
    at = (found["area_row"][left].astype(np.int64) << _HALF) + found["cell_index"][left]
    _, first, place = np.unique(at, return_index=True, return_inverse=True)
    counts = np.zeros((len(first), len(known.names)), dtype=np.int64)
    np.add.at(counts, (place, known.of_category[found["category_index"][left]]), n[left])
    order = np.argsort(-counts.sum(axis=1), kind="stable")
    first = np.flatnonzero(left)[first][order]
    return Places(lng[first], lat[first], counts[order], sensitive, no_point, apart, beyond)


def _counted(
    snapshot: Snapshot, rows: NDArray[np.int64], selection: Selection
) -> dict[str, NDArray[Any]]:
    """Incidents of areas by cell and category, with their points."""
    finest = max(int(entry["resolution"]) for entry in snapshot.manifest.cells)
    where, values = selection.condition
    return snapshot.arrays(
        "WITH counted AS (SELECT area_row, cell_index, category_index, "
        f"sum(count)::BIGINT AS count FROM area_cell_counts_{finest} "
        f"WHERE period_start BETWEEN ? AND ? AND {where} AND area_row IN (SELECT unnest(?)) "
        "GROUP BY area_row, cell_index, category_index) "
        f"SELECT counted.*, lng, lat FROM counted LEFT JOIN {TABLE} USING (area_row, cell_index)",
        [selection.window.start, selection.window.end, *values, rows.tolist()],
    )

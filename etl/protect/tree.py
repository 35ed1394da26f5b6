"""The areas of one period as a tree, and what was counted in each of them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from geo import divisions

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from data.periods import Window

    Ints = NDArray[np.int64]

Counts = dict[str, "NDArray[Any]"]
"""`area_index`, `category_index` and `count` of the rows of one level and period."""

GONE: Final = -1
"""Index of what a parent's areas have that were valid in the period, but not on its last day."""

LEAST_DRAWN: Final = 4
"""Brothers among which those to withhold are drawn, at least."""

ALL: Final = 0
"""Column of `Nodes.counts` that holds all classes together."""


@dataclass(frozen=True)
class LevelAreas:
    """
    The areas of one level, of every validity, by `area_index`.

    Attributes
    ----------
    codes, valid_from
        Names of an area in releases; not-a-time where it is not dated.
    starts, ends
        First day, and first day no longer valid.
    parent
        `area_index` of each area's parent, -1 = none.
    residents
        Rank by residents and code.
    """

    level: str
    codes: NDArray[np.object_]
    valid_from: NDArray[np.datetime64]
    starts: NDArray[np.datetime64]
    ends: NDArray[np.datetime64]
    parent: Ints
    residents: Ints


def read_ground(areas: pd.DataFrame) -> list[LevelAreas]:
    """What the `areas` table says of each level, from the city down."""
    found = []
    for level, rows in areas.groupby("level", sort=False):
        starts, ends = divisions.validity(rows)
        codes = rows["code"].to_numpy(dtype=object)
        parent = rows["parent_index"].to_numpy().astype(np.int64)
        dated = divisions.as_days(rows["valid_from"].to_numpy(dtype=object, na_value=None))
        residents = np.empty(len(rows), dtype=np.int64)
        people = rows["population"].to_numpy(dtype=float, na_value=np.inf)
        residents[np.lexsort((codes.astype(str), people))] = np.arange(len(rows))
        found.append(LevelAreas(str(level), codes, dated, starts, ends, parent, residents))
    return found


@dataclass(frozen=True)
class Nodes:
    """
    The areas of one level that are valid on the last day of a period.

    Attributes
    ----------
    index
        `area_index` of each, shape (n,); `GONE` for a lump that is never published.
    parent
        Position among the nodes of the level above, shape (n,); zeros at the top.
    counts
        Incidents, shape (n, 1 + classes): all of them, then class by class.
    rank
        Order in which they are withheld to protect others, shape (n,). Nobody knows it, or he could
        tell who was withheld for his own sake.
    """

    level: str
    index: Ints
    parent: Ints
    counts: Ints
    rank: Ints

    def __len__(self) -> int:
        return len(self.index)

    @cached_property
    def blocks(self) -> Blocks:
        """The nodes, grouped by their parent."""
        return Blocks(self.parent)


class Blocks:
    """Nodes grouped by parent, for sums and maxima of whole groups at once."""

    def __init__(self, parent: Ints) -> None:
        self._order = np.argsort(parent, kind="stable")
        ordered = parent[self._order]
        self._starts = np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1])[: len(ordered)])
        self.parents = ordered[self._starts]
        """Parents that have children."""
        self.sizes = np.diff(np.append(self._starts, len(ordered)))
        """Number of children of each."""
        self._at = {parent: at for at, parent in enumerate(self.parents.tolist())}

    def reduce(self, function: np.ufunc, values: NDArray[Any]) -> NDArray[Any]:
        """Apply a function such as `np.add` to the values of each group; one row per parent."""
        if not len(self._starts):
            return values[:0]
        return np.asarray(function.reduceat(values[self._order], self._starts, axis=0))

    def of(self, parent: int) -> Ints:
        """Children of a parent."""
        if parent not in self._at:
            return self._order[:0]
        start = self._starts[self._at[parent]]
        return self._order[start : start + self.sizes[self._at[parent]]]


def build_tree(
    ground: Sequence[LevelAreas],
    counts: Mapping[str, Counts],
    period: Window,
    *,
    classes: Ints,
    n_classes: int,
) -> list[Nodes]:
    """
    Arrange what was counted in a period by the areas valid on its last day.

    Parameters
    ----------
    counts
        Level to its counts of the period.
    period
        A window of one period.
    classes, n_classes
        Position of each category's class, 0 to n-1, by `category_index`; and n.

    Returns
    -------
    tree
        The nodes of each level, from the city down.
    """
    tree: list[Nodes] = []
    position = np.zeros(0, dtype=np.int64)
    first, last = np.datetime64(period.start), np.datetime64(period.last_day)
    for areas in ground:
        parent = position[areas.parent] if tree else np.zeros(len(areas.codes), dtype=np.int64)
        kept = (areas.starts <= last) & (last < areas.ends) & (parent >= 0)
        found = _dense(counts[areas.level], len(parent), classes, n_classes)
        was_valid = (areas.starts <= last) & (areas.ends > first)
        gone = ~kept & (parent >= 0) & (was_valid | found.any(axis=1)) & bool(tree)
        tree.append(_nodes(areas, parent, found, kept, gone))
        position = np.full(len(parent) + 1, -1)
        position[np.flatnonzero(kept)] = np.arange(np.count_nonzero(kept))
    return _ranked(tree)


def _ranked(tree: Sequence[Nodes]) -> list[Nodes]:
    """
    Draw in which order areas are withheld to protect others: of brothers the smaller half first.

    The draw is a hash of all counts. The same counts give the same rank, so that a period comes out
    the same on every machine; but only who knows every count of the city can tell it.
    """
    digest = hashlib.sha256()
    for nodes in tree:
        digest.update(np.ascontiguousarray(nodes.counts).tobytes())
    draw = np.random.default_rng(int.from_bytes(digest.digest()))
    ranked = []
    for nodes in tree:
        order = np.lexsort((draw.permutation(len(nodes)), ~_is_small(nodes)))
        rank = np.empty(len(nodes), dtype=np.int64)
        rank[order] = np.arange(len(nodes))
        ranked.append(replace(nodes, rank=rank))
    return ranked


def _is_small(nodes: Nodes) -> NDArray[np.bool_]:
    """The half of each parent's children with fewer residents, four at least."""
    order = np.lexsort((nodes.rank, nodes.parent))
    size = np.bincount(nodes.parent)
    first = np.cumsum(size) - size
    place = np.empty(len(nodes), dtype=np.int64)
    place[order] = np.arange(len(nodes)) - first[nodes.parent[order]]
    return np.asarray(place < np.maximum(LEAST_DRAWN, (size[nodes.parent] + 1) // 2))


def _nodes(
    areas: LevelAreas,
    parent: Ints,
    counts: Ints,
    kept: NDArray[np.bool_],
    gone: NDArray[np.bool_],
) -> Nodes:
    own = np.flatnonzero(kept)
    lumps, of_lump = np.unique(parent[gone], return_inverse=True)
    lumped = np.zeros((len(lumps), counts.shape[1]), dtype=np.int64)
    np.add.at(lumped, of_lump, counts[gone])
    return Nodes(
        areas.level,
        np.append(own, np.full(len(lumps), GONE)),
        np.append(parent[own], lumps),
        np.concatenate([counts[own], lumped]),
        np.append(areas.residents[own], np.full(len(lumps), len(areas.residents))),
    )


def _dense(counts: Counts, n_areas: int, classes: Ints, n_classes: int) -> Ints:
    """Counts of a level, shape (n areas, 1 + classes)."""
    placed = counts["area_index"] >= 0
    column = classes[counts["category_index"][placed]]
    at = counts["area_index"][placed].astype(np.int64) * n_classes + column
    dense = np.bincount(at, weights=counts["count"][placed], minlength=n_areas * n_classes)
    by_class = dense.astype(np.int64).reshape(n_areas, n_classes)
    return np.concatenate([by_class.sum(axis=1, keepdims=True), by_class], axis=1)

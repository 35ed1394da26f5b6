"""Counts by nested areas and by cells, from plain arrays."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy import sparse

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Ints = NDArray[np.int64]


def children(parents: Sequence[Ints]) -> list[sparse.csr_array]:
    """
    Which area of each next level lies in which of a level: 0/1, (n areas, n below).

    Parameters
    ----------
    parents
        Position in the level above of each area, -1 = none; per level from the top down.
    """
    found = []
    for above, below in pairwise(parents):
        inside = np.flatnonzero(below >= 0)
        places = (below[inside], inside)
        shape = (len(above), len(below))
        found.append(sparse.csr_array((np.ones(len(inside)), places), shape=shape))
    return found


def level_sums(
    table: NDArray[Any], sizes: Sequence[int], below: Sequence[sparse.csr_array]
) -> list[NDArray[Any]]:
    """
    Sums of each area's own figures and those of its children.

    Parameters
    ----------
    table
        Figures of the areas of all levels from the top down, shape (n areas, …).
    sizes
        Areas of each level.
    below
        Of `children`.
    """
    first = np.cumsum([0, *sizes])
    found: list[NDArray[Any]] = []
    for depth in range(len(sizes) - 1, -1, -1):
        own = table[first[depth] : first[depth + 1]]
        if found:
            own = own + below[depth].astype(table.dtype) @ found[-1]
        found.append(own)
    return found[::-1]


def distinct(cell: Ints, *, none: int) -> tuple[Ints, NDArray[np.int32]]:
    """Distinct cells in ascending order, and the position of each one's, -1 for `none`."""
    place, cells = pd.factorize(cell)
    order = np.argsort(cells)
    order = order[cells[order] != none]
    rank = np.full(len(cells), -1, dtype=np.int32)
    rank[order] = np.arange(len(order))
    return cells[order], rank[place]


def group_tables(
    group: NDArray[np.int8], place: NDArray[Any], period: Ints, *, shape: tuple[int, int, int]
) -> NDArray[np.float32]:
    """
    Events by group, place and period; the last table holds all of them, those of no group too.

    Parameters
    ----------
    group
        Of each event, negative = none.
    shape
        Groups + 1, places, periods.
    """
    groups, places, periods = shape
    own = np.where(group < 0, groups - 1, group).astype(np.int64)
    keys = (own * places + place) * periods + period
    tables = np.bincount(keys, minlength=groups * places * periods).astype(np.float32)
    tables = tables.reshape(shape)
    tables[-1] = tables.sum(axis=0)
    return tables

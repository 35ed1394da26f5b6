"""Observed counts of one period, as known on a day: small and quick beside a whole history."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from etl.analyse.bed import Bed, Floats, Ints


def period_rows(bed: Bed, first: int, last: int) -> Ints:
    """Positions of the events of the periods `first` to `last`, both included."""
    key = ("rows by period",)
    if key not in bed.memo:
        # Few bits: such a sort is one by counting.
        order = np.argsort(bed.period.astype(np.int16), kind="stable")
        edges = np.searchsorted(bed.period[order], np.arange(len(bed.starts) + 1))
        bed.memo[key] = order, edges
    order, edges = bed.memo[key]
    found: Ints = order[edges[first] : edges[last + 1]]
    return found


def known_rows(bed: Bed, group: str, first: int, last: int, known_on: np.datetime64) -> Ints:
    """Positions of a group's reported events of some periods that were known on a day."""
    rows = bed.rows_of_group(group, period_rows(bed, first, last))
    return np.asarray(rows[bed.reported[rows] & (bed.events.known[rows] <= known_on)])


def by_area(bed: Bed, rows: Ints) -> list[Floats]:
    """Number of some events by area, per level from the top down, each shape (n areas,)."""
    found = []
    for level, areas in zip(bed.levels, bed.areas, strict=True):
        index = bed.index_of(level, rows)
        found.append(np.bincount(index[index >= 0], minlength=len(areas)).astype(np.float64))
    return found


def by_cell(bed: Bed, resolution: int, rows: Ints) -> tuple[Ints, Floats]:
    """Cells that hold some of the events, in ascending order, and how many each."""
    cells, position = bed.cells(resolution)
    place = position[rows]
    seen, number = np.unique(place[place >= 0], return_counts=True)
    return cells[seen], number.astype(np.float64)

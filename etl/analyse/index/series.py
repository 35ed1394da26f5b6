"""What one indicator counts: rows by area and period, each from the day it could be known."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from etl.analyse.bed import Areas, Bed, Days, Flags, Floats, Ints


@dataclass(frozen=True)
class Series:
    """
    Rows in the order of their periods.

    Attributes
    ----------
    row
        Row of the `areas` table, the number of its rows = in no area; shape (n,).
    known
        Day since 1970 from which the row counts, shape (n,).
    value
        What it counts, shape (n,); None = 1.
    label
        A type, for those that are asked for types.
    first
        Position of the first row of each period, shape (n periods + 1,).
    """

    row: NDArray[np.int32]
    known: NDArray[np.int32]
    value: Floats | None
    label: NDArray[np.int32] | None
    first: Ints

    def rows(self, low: int, high: int, known_on: int) -> slice | Ints:
        """Rows of the periods from `low` up to but without `high` that are known on a day."""
        start, stop = int(self.first[max(low, 0)]), int(self.first[max(high, 0)])
        late = self.known[start:stop] > known_on
        if not late.any():
            return slice(start, stop)
        return start + np.flatnonzero(~late)

    def total(self, low: int, high: int, *, known_on: int, size: int) -> Floats:
        """Sum per row of `areas` over periods, shape (size,)."""
        rows = self.rows(low, high, known_on)
        weights = None if self.value is None else self.value[rows]
        found = np.bincount(self.row[rows], weights=weights, minlength=size + 1)
        return found[:size].astype(np.float64)


class Table:
    """
    Counts by area and period of what is known on the day it counts, as a `Series` answers.

    Parameters
    ----------
    counts
        Shape (n rows of `areas`, n periods).
    """

    label = None
    value = None

    def __init__(self, counts: NDArray[np.int32]) -> None:
        self._upto = np.zeros((len(counts), counts.shape[1] + 1), dtype=np.int32)
        np.cumsum(counts, axis=1, out=self._upto[:, 1:])

    def total(self, low: int, high: int, *, known_on: int, size: int) -> Floats:
        """Sum per row of `areas` over periods, shape (size,)."""
        del known_on, size
        found = self._upto[:, max(high, 0)] - self._upto[:, max(low, 0)]
        return found.astype(np.float64)


def table(bed: Bed, chosen: Ints, day: Ints, size: int, *, marked: Flags) -> NDArray[np.int32]:
    """
    Number of events by row of `areas` and period of a day, those in no area left out.

    Parameters
    ----------
    day
        Days since 1970 on which each counts, shape (n,).
    marked
        Which are counted apart, shape (n,).

    Returns
    -------
    counts
        Of the others and of those marked, shape (2, size, n periods).
    """
    limits = day_number(bed.ends)
    first = int(day_number(bed.starts[0]))
    length = len(limits)
    period_of = np.searchsorted(limits, np.arange(first, int(limits[-1]) + 1))
    after, area = day - first, bed.events.area[chosen]
    inside = (after >= 0) & (after < len(period_of)) & (area >= 0)
    keys = area[inside] * length + period_of[after[inside]] + marked[inside] * (size * length)
    found = np.bincount(keys, minlength=2 * size * length).astype(np.int32)
    return found.reshape(2, size, length)


def series(
    bed: Bed,
    chosen: Ints,
    *,
    day: Days | None = None,
    known: Days | None = None,
    value: Floats | None = None,
    label: Ints | NDArray[np.int32] | None = None,
) -> Series:
    """
    Rows of some events, those outside the periods left out.

    Parameters
    ----------
    chosen
        Positions of events, shape (n,); one may stand more than once.
    day
        Day on which each counts, shape (n,); by default the day of the event.
    known
        Day from which each counts as known, shape (n,); by default that of the event.
    """
    if day is None:
        period = bed.period[chosen]
    else:
        period = np.searchsorted(bed.starts, day, side="right") - 1
        period = np.where(day > bed.ends[-1], -1, period)
    since = bed.events.known[chosen] if known is None else known
    inside = np.flatnonzero(period >= 0)
    order = inside[np.argsort(period[inside].astype(np.int16), kind="stable")]
    size = sum(len(one) for one in bed.areas)
    area = bed.events.area[chosen][order]
    return Series(
        row=np.where(area < 0, size, area).astype(np.int32),
        known=day_number(since[order]),
        value=None if value is None else value[order].astype(np.float64),
        label=None if label is None else label[order].astype(np.int32),
        first=np.searchsorted(period[order], np.arange(len(bed.starts) + 1)),
    )


def day_number(days: Days | np.datetime64) -> NDArray[np.int32]:
    """Days since 1970."""
    return np.asarray(np.asarray(days, dtype="datetime64[D]").astype(np.int64).astype(np.int32))


class Roll:
    """
    Sums of rows of `areas` for each level: own rows and all below.

    `index` is the position at each level of each row, -1 = none; shape (n levels, n rows + 1), the
    last row standing for incidents in no area.
    """

    def __init__(self, areas: Sequence[Areas]) -> None:
        self.first = np.cumsum([0, *(len(one) for one in areas)])
        self.index = _ancestors(areas, self.first)
        self._up = []
        for above, below in pairwise(areas):
            placed = np.flatnonzero(below.parent >= 0)
            ones = np.ones(len(placed))
            shape = (len(above), len(below))
            self._up.append(sparse.csr_array((ones, (below.parent[placed], placed)), shape=shape))

    @property
    def size(self) -> int:
        """Rows of `areas`."""
        return int(self.first[-1])

    def up(self, rows: Floats) -> list[Floats]:
        """
        Sum down the tree.

        Parameters
        ----------
        rows
            Sums of incidents whose lowest area is each row, shape (n rows, n columns).

        Returns
        -------
        levels
            Shape (n areas of the level, n columns) each, from the top down.
        """
        found = [rows[low:high] for low, high in pairwise(self.first)]
        for depth in range(len(self._up) - 1, -1, -1):
            found[depth] = found[depth] + self._up[depth] @ found[depth + 1]
        return found


def _ancestors(areas: Sequence[Areas], first: Ints) -> Ints:
    found = np.full((len(areas), int(first[-1]) + 1), -1, dtype=np.int64)
    for depth, one in enumerate(areas):
        index = np.arange(len(one))
        own = slice(first[depth], first[depth + 1])
        for above in range(depth, -1, -1):
            found[above, own] = index
            index = np.append(areas[above].parent, -1)[index]
    return found

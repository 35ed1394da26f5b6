"""
What areas and cells had before a period, as known then: sums, not copies of whole histories.

Counts of all that is known today are weighted for many periods in one product; what was not known
when a period began is taken off again. Weights are multiples of 1 / 1024, so that both are exact,
and nothing later leaves a trace.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from etl.analyse.baseline import Memory, Past, memory
from etl.analyse.bed import NO_CELL

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from etl.analyse.bed import Bed, Flags, Floats, Ints

    Counts = NDArray[np.float32]

_AHEAD: Final = 9
"""Periods whose sums are made together."""


def late_rows(bed: Bed, group: str, at: int) -> Ints:
    """Positions of a group's reported events of the periods before `at` not known at its start."""
    day = bed.ends[at - 1]
    key = ("late rows", group, at)
    if key not in bed.memo:
        rows = bed.rows_of_group(group, bed.late(day))
        period = bed.period[rows]
        bed.memo[key] = rows[(period >= 0) & (period < at)]
    found: Ints = bed.memo[key]
    return found


def area_past(bed: Bed, level: str, group: str, at: int) -> Past:
    """What the areas of a level had before a period."""
    counts = bed.table(level, group)
    rows = late_rows(bed, group, at)
    place = bed.index_of(level, rows).astype(np.int64)
    past, _ = past_of(bed, (level, group), counts, (place, bed.period[rows]), at)
    return past


def cell_past(bed: Bed, group: str, resolution: int, at: int) -> tuple[Ints, Past, Floats]:
    """Every cell of the bed, what it had before a period, and whether anything at all (> 0)."""
    cells, counts = bed.cells(resolution)[0], bed.cell_table(resolution, group)
    rows = late_rows(bed, group, at)
    place = bed.cells(resolution)[1][rows].astype(np.int64)
    past, ever = past_of(bed, (resolution, group), counts, (place, bed.period[rows]), at)
    return cells, past, ever


def past_of(
    bed: Bed, name: tuple[Any, ...], counts: Counts, late: tuple[Ints, Ints], at: int
) -> tuple[Past, Floats]:
    """
    Sums of some counts, shape (n, n periods), as known at the start of a period.

    Parameters
    ----------
    name
        Under which the sums of many periods are kept.
    late
        Position (-1 = in none) and period of each event that was not known then.

    Returns
    -------
    past, ever
        Ever: events of all earlier periods, shape (n,).
    """
    used = memory(at, bed.grain)
    weights = _weights(used, at, at)
    sums = _kept_sums(bed, name, counts, at)
    placed = late[0] >= 0
    place, period = late[0][placed], late[1][placed]
    off = [np.bincount(place, weights=row[period], minlength=len(counts)) for row in weights]
    last = counts[:, used.before : at].astype(np.float64)
    recent = period >= used.before
    np.subtract.at(last, (place[recent], period[recent] - used.before), 1.0)
    now, then, ever = (total - less for total, less in zip(sums, off, strict=True))
    return Past(now, then, last), ever


def _weights(used: Memory, at: int, length: int) -> Floats:
    """Weights of now, then and ever, shape (3, length); 0 from `at` on."""
    found = np.zeros((3, length))
    found[0, :at], found[1, :at], found[2, :at] = used.now, used.then, 1.0
    return found


def _kept_sums(bed: Bed, name: tuple[Any, ...], counts: Counts, at: int) -> Floats:
    """Sums of now, then and ever for a period, shape (3, n)."""
    number = counts.shape[1]
    key = ("sums", *name)
    first, found = bed.memo.get(key, (number + 1, None))
    # Periods are asked for in order: those after the first one that is asked for come with it.
    if not first <= at < first + _AHEAD:
        last = min(at + _AHEAD, number + 1)
        rows = [_weights(memory(one, bed.grain), one, number) for one in range(at, last)]
        sums = counts.astype(np.float64) @ np.vstack(rows).T
        first, found = bed.memo[key] = at, np.ascontiguousarray(sums.T)
    place = 3 * (at - first)
    kept: Floats = found[place : place + 3]
    return kept


def city_counts(bed: Bed, group: str, at: int, *, point: bool) -> Floats:
    """
    Events of the city per period before `at`, as known then, shape (`at`,).

    Parameters
    ----------
    point
        Count those with a point; else those in an area of the top level.
    """
    key = ("city", group, point)
    if key not in bed.memo:
        rows = bed.counted_of(group)
        has = _is_placed(bed, rows, point=point)
        bed.memo[key] = np.bincount(bed.period[rows[has]], minlength=len(bed.starts))
    rows = late_rows(bed, group, at)
    late = np.bincount(bed.period[rows[_is_placed(bed, rows, point=point)]], minlength=at)
    return np.asarray((bed.memo[key][:at] - late).astype(np.float64))


def _is_placed(bed: Bed, rows: Ints, *, point: bool) -> Flags:
    """Which of some events have a point, or else lie in an area of the top level."""
    found = bed.events.cell[rows] != NO_CELL if point else bed.index_of(bed.levels[0], rows) >= 0
    return np.asarray(found)

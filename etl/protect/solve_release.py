"""The tables of a stored release as equations: what somebody outside can make of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

from data.releases import ALL, OTHER
from etl.protect.verify_lp import narrow_unknowns

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]


def exposed_cells(
    told: Mapping[int, Floats], parent: Ints, valid: NDArray[np.bool_]
) -> Iterator[tuple[int, int]]:
    """
    Solve the table of each area that tells classes: its children by class.

    Parameters
    ----------
    told
        Category index to the told count of each area; NaN = withheld.
    parent
        Row of each area's parent, -1 = none.
    valid
        Areas that are valid on the period's last day.

    Yields
    ------
    area, cells
        An area, and how many withheld cells of its table lie in too narrow an interval.
    """
    named = sorted(category for category in told if category >= 0)
    if not named:
        return
    counts = np.stack([told[category] for category in named], axis=1)
    rest = told.get(OTHER, np.full(len(parent), np.nan))
    for area in np.flatnonzero(~np.isnan(counts).all(axis=1)).tolist():
        children = np.flatnonzero((parent == area) & valid)
        shown = ~np.isnan(counts[area])
        cells = np.concatenate([counts[np.ix_(children, shown)], rest[children, None]], axis=1)
        if np.isnan(cells).all():
            continue
        total = told[ALL]
        sums = np.append(counts[area][shown], total[area] - counts[area][shown].sum())
        yield area, _exposed(cells, sums, total[children])


def _exposed(cells: Floats, sums: Floats, totals: Floats) -> int:
    """
    Count the cells of one table that are not told and lie in too narrow an interval.

    What lies in none of the children is one more row, of which nothing is known. Of the columns
    that nobody tells, only the one with everything else can be missing altogether.
    """
    hidden = np.isnan(cells)
    if not sums[-1]:
        hidden[:, -1] = False
    rows, columns = np.nonzero(hidden)
    unplaced = np.arange(len(sums)) + len(rows)
    known = ~np.isnan(totals[rows])
    equations = np.concatenate([columns, np.arange(len(sums)), len(sums) + rows[known]])
    unknowns = np.concatenate([np.arange(len(rows)), unplaced, np.flatnonzero(known)])
    shape = (len(sums) + len(totals), len(rows) + len(sums))
    matrix = sparse.csr_matrix((np.ones(len(equations)), (equations, unknowns)), shape)
    left = np.nan_to_num(totals - np.nansum(cells, axis=1))
    sides = np.concatenate([sums - np.nansum(cells, axis=0), left])
    return int(narrow_unknowns(matrix, sides)[: len(rows)].sum())

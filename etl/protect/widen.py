"""Withholding more cells of a table until every withheld one is proven to stay in doubt."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from etl.protect.exchange import Table, in_doubt
from etl.protect.rules import WIDTH

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Bools = NDArray[np.bool_]


def protect(table: Table) -> tuple[Bools, Bools]:
    """
    Withhold further cells of a table, few of them, until every withheld one is in doubt.

    Parameters
    ----------
    table
        With the cells that must be withheld for their own sake.

    Returns
    -------
    hidden
        Cells to withhold, shape (rows, columns); all of them, if less was not enough.
    exposed
        Cells that even that does not protect.
    """
    hidden, proven = table.hidden.copy(), np.zeros_like(table.hidden)
    while True:
        # More withheld cells only make more paths: what is proven stays so.
        proven |= in_doubt(replace(table, hidden=hidden), ~proven)
        exposed = hidden & ~proven
        # One cell a row: what is added for it often protects the rest of the row.
        cells = [(row, int(np.argmax(exposed[row]))) for row in np.flatnonzero(exposed.any(axis=1))]
        if not cells:
            return hidden, exposed
        added = [_add_path(table, hidden, int(row), column) for row, column in cells]
        if not any(added):
            hidden = np.ones_like(hidden)
            proven |= in_doubt(replace(table, hidden=hidden), ~proven)
            return hidden, ~proven


def _add_path(table: Table, hidden: Bools, row: int, column: int) -> bool:
    """
    Withhold the fewest cells that let a cell exchange with a second column through other rows.

    Returns
    -------
    added
        False where they are all withheld already.
    """
    room = _room(table, row)
    room[column] = 0
    if not room.any():
        return False
    enough = room >= min(WIDTH, int(room.max()))
    best: tuple[int, int, NDArray[np.int64]] | None = None
    for second in np.flatnonzero(enough).tolist():
        pair = np.array([column, second])
        partners = _partners(table, hidden, row, pair)
        cost = int((~hidden[np.ix_(partners, pair)]).sum()) + int(not hidden[row, second])
        if len(partners) and cost and (best is None or cost < best[0]):
            best = (cost, second, partners)
    if best is None:
        return False
    _, second, partners = best
    hidden[row, second] = True
    hidden[np.ix_(partners, np.array([column, second]))] = True
    return True


def _room(table: Table, row: int) -> NDArray[np.int64]:
    """What each column of a row can give away in the eyes of anybody below it or beside it."""
    own: NDArray[np.int64] = table.counts[row].copy()
    if len(table.parts[row]):
        own -= table.parts[row].max(axis=0)
    if table.free[row]:
        mates = table.counts[table.free & (np.arange(len(table.free)) != row)]
        if len(mates):
            own += mates.sum(axis=0) - mates.max(axis=0)
    return own


def _partners(table: Table, hidden: Bools, row: int, pair: NDArray[np.int64]) -> NDArray[np.int64]:
    """Rows that give to the first column, cheapest first: so many that any one can be missing."""
    gives = table.counts[:, pair[0]].copy()
    gives[row] = 0
    cost = (~hidden[:, pair]).sum(axis=1)
    order = np.lexsort((table.rank, cost))
    order = order[gives[order] > 0]
    running, peak = np.cumsum(gives[order]), np.maximum.accumulate(gives[order])
    enough = np.flatnonzero(running - peak >= WIDTH)
    return order[: enough[0] + 1] if len(enough) else order[:0]

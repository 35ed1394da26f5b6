"""
Proof by exchange: which withheld cells of a table stay in doubt, whatever its margins tell.

A table has the children of one published area as rows and classes as columns. All column sums are
known, and the sums of the rows whose total is published. Moving incidents along a closed path of
withheld cells (one more here, one less there) changes no published figure: who sees only those
cannot tell the table before from the table after. A cell that can be moved by `WIDTH` in all is
proven without solving anything. The same must hold without the row of each child, whose head knows
its cells exactly, and with the row itself less what one of the areas below it knows of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from etl.protect.rules import WIDTH

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]
    Bools = NDArray[np.bool_]


HOPS: Final = 4
"""Columns on a path, a power of two; longer ones are hardly ever needed."""


@dataclass(frozen=True)
class Table:
    """
    A table of counts with withheld cells.

    Attributes
    ----------
    counts
        Shape (rows, columns).
    hidden
        Which of them are withheld, same shape.
    free
        Rows whose own total is withheld too; all of their cells are.
    parts
        For each row the counts of the areas below it, shape (areas, columns); may be empty.
    rank
        Order in which rows are taken to protect others; see `Nodes.rank`.
    """

    counts: Ints
    hidden: Bools
    free: Bools
    parts: tuple[Ints, ...]
    rank: Ints


def in_doubt(table: Table, asked: Bools) -> Bools:
    """
    Find the withheld cells that are proven to stay in doubt for everybody.

    Parameters
    ----------
    asked
        Cells to prove, shape of the table; for others the answer is False.
    """
    spare = np.where(table.hidden, table.counts, 0)
    proven = np.zeros_like(table.hidden)
    for row in np.flatnonzero((table.hidden & asked).any(axis=1)):
        proven[row] = _row(table, spare, int(row), asked[row])
    return proven & table.hidden & asked


def _row(table: Table, spare: Ints, row: int, asked: Bools) -> Bools:
    """Cells of one row that are proven against each observer."""
    others = np.flatnonzero(table.hidden.any(axis=1))
    others = others[others != row]
    hidden = table.hidden[others]
    # What each other row can pass on from a column to another; observers: nobody, each of them.
    passed = spare[others][:, :, None] * hidden[:, None, :]
    everyone = passed.sum(axis=0)
    carried = np.concatenate([everyone[None], everyone - passed])
    mates = np.where(table.free[others], 1, 0)[:, None] * spare[others]
    mates = np.concatenate([mates.sum(axis=0)[None], mates.sum(axis=0) - mates])
    n_mates = np.append(table.free[others].sum(), table.free[others].sum() - table.free[others])
    own = np.broadcast_to(spare[row], mates.shape)
    parts = table.parts[row]
    if len(parts):
        # Observers below the row see all others as nobody does, and know a part of the row.
        seen = np.append(np.arange(len(carried)), np.zeros(len(parts), dtype=np.int64))
        known = np.where(table.hidden[row], spare[row] - parts, 0)
        mates, n_mates, own = mates[seen], n_mates[seen], np.concatenate([own, known])
    else:
        seen = np.arange(len(carried))
    if not table.free[row]:
        mates, n_mates = np.zeros_like(mates), np.zeros_like(n_mates)
    proven: Bools = np.zeros(spare.shape[1], dtype=bool)
    ups = downs = np.zeros(own.shape, dtype=np.int64)
    for step in range(WIDTH, 0, -1):
        reached = _reached(carried >= step)[seen]
        up, down = _moves(reached, own, mates, n_mates, table.hidden[row])
        ups = np.maximum(ups, np.where(up >= step, step, 0))
        downs = np.maximum(downs, np.where(down & (own >= step), step, 0))
        proven = np.asarray((ups + downs >= WIDTH).all(axis=0))
        if proven[table.hidden[row] & asked].all():
            break
    return proven


def _moves(
    reached: Bools, own: Ints, mates: Ints, n_mates: Ints, hidden: Bools
) -> tuple[Ints, Bools]:
    """How far each cell of a row can be raised, and whether it can be lowered, by observer."""
    apart = reached & ~np.eye(reached.shape[1], dtype=bool)
    up = np.einsum("ojq,oq->oj", apart, own) + np.einsum("ojq,oq->oj", reached, mates)
    down = apart[:, hidden].any(axis=1) | (n_mates > 0)[:, None]
    return up, down


def _reached(steps: Bools) -> Bools:
    """Columns that lead from each to each, over `HOPS` columns at most."""
    found = (steps | np.eye(steps.shape[1], dtype=bool)).astype(np.float32)
    for _ in range(HOPS.bit_length() - 1):
        found = (found @ found > 0).astype(np.float32)
    return found > 0

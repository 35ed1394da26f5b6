"""
The check by linear program: the interval in which each withheld count must lie.

The proof by exchange says that nothing is exposed; a solver that knows nothing of it (HiGHS) says
so again, from published figures alone. Each solution is a table that looks the same from outside
and counts for all cells at once: only cells that no two solutions tell apart by the width are
solved for one by one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from scipy import sparse
from scipy.optimize import linprog

from etl.protect.rules import WIDTH

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from etl.protect.exchange import Table

    Bools = NDArray[np.bool_]
    Floats = NDArray[np.float64]

_IDLE: Final = 2
"""Solutions that told no further cell apart before the rest is solved one by one."""

_CLOSE: Final = 1e-6


class ProgramError(RuntimeError):
    """A linear program has no solution, so the figures contradict each other."""


def narrow(table: Table) -> Bools:
    """Withheld cells whose interval is narrower than `WIDTH`; same shape as the table."""
    found = np.zeros_like(table.hidden)
    if table.hidden.any():
        rows, columns = np.nonzero(table.hidden)
        cells, known = np.arange(len(rows)), ~table.free[rows]
        equations = np.concatenate([columns, table.hidden.shape[1] + rows[known]])
        matrix = sparse.csr_matrix(
            (np.ones(len(equations)), (equations, np.concatenate([cells, cells[known]]))),
            (sum(table.hidden.shape), len(cells)),
        )
        truth = table.counts[table.hidden].astype(float)
        found[table.hidden] = narrow_unknowns(matrix, matrix @ truth, truth)
    return found


def narrow_unknowns(matrix: sparse.csr_matrix, sides: Floats, start: Floats | None = None) -> Bools:
    """
    Unknowns, none below 0, that equations leave in an interval narrower than `WIDTH`.

    Parameters
    ----------
    matrix, sides
        The equations: matrix x unknowns = sides.
    start
        A solution, if one is known.

    Raises
    ------
    ProgramError
        There is no solution.
    """
    free = np.full(matrix.shape[1], np.inf)
    if start is None:
        start = _solve(matrix, sides, np.zeros(len(free)), free)
    low = high = start
    draw, idle = np.random.default_rng(len(free)), 0
    while idle < _IDLE and (waiting := high - low < WIDTH - _CLOSE).any():
        # Mostly upwards: what is withheld is small. Near the start many unknowns move at once.
        goal = draw.choice([1.0, 1.0, 1.0, -1.0]) * draw.random(len(free)) * waiting
        point = _solve(matrix, sides, goal, start + WIDTH)
        low, high = np.minimum(low, point), np.maximum(high, point)
        idle = 0 if (waiting & (high - low >= WIDTH - _CLOSE)).any() else idle + 1
    for unknown in np.flatnonzero(high - low < WIDTH - _CLOSE):
        for sign in (1.0, -1.0):
            goal = np.zeros(len(free))
            goal[unknown] = sign
            # No interval need be known beyond the width.
            point = _solve(matrix, sides, goal, np.where(goal > 0, low + WIDTH, free))
            low, high = np.minimum(low, point), np.maximum(high, point)
    return np.asarray(high - low < WIDTH - _CLOSE)


def _solve(matrix: sparse.csr_matrix, sides: Floats, goal: Floats, top: Floats) -> Floats:
    """Solution with the largest value of a goal."""
    bounds = np.stack([np.zeros(len(goal)), top], axis=1)
    solved = linprog(-goal, A_eq=matrix, b_eq=sides, bounds=bounds, method="highs")
    if solved.status != 0:
        raise ProgramError(f"the published figures contradict each other: {solved.message}")
    point: Floats = solved.x
    return point

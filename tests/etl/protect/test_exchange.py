"""The proof by exchange against a solver that knows nothing of it."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import linprog

from etl.protect.exchange import Table, in_doubt
from etl.protect.verify_lp import ProgramError, narrow, narrow_unknowns
from etl.protect.widen import protect


def random_table(draw, *, hide=0.5):
    rows, columns = int(draw.integers(2, 7)), int(draw.integers(2, 6))
    parts = []
    for _ in range(rows):
        size = int(draw.integers(0, 4))
        pace = draw.choice([0.3, 2, 6]) * draw.dirichlet(np.ones(columns)) * 2
        parts.append(draw.poisson(pace, size=(size, columns)))
    unplaced = draw.poisson(draw.choice([0.1, 2]), size=(rows, columns))
    counts = np.array([part.sum(axis=0) for part in parts]) + unplaced
    free = draw.random(rows) < 0.2
    hidden = (draw.random((rows, columns)) < hide) | free[:, None]
    # An only part is the row itself.
    parts = [part if len(part) > 1 else part[:0] for part in parts]
    return Table(counts, hidden, free, tuple(parts), draw.permutation(rows))


def widths(table, *, row=None, known=None):
    """
    Widths of the withheld cells by linear program, in the eyes of one observer.

    `row` is known to him exactly, or `known` of its cells at least.
    """
    cells = np.argwhere(table.hidden)
    place = {tuple(cell): at for at, cell in enumerate(cells)}
    equations, sides = [], []
    for column in range(table.counts.shape[1]):
        equations.append([cell[1] == column for cell in cells])
        sides.append(table.counts[table.hidden[:, column], column].sum())
    for at in np.flatnonzero(~table.free):
        equations.append([cell[0] == at for cell in cells])
        sides.append(table.counts[at][table.hidden[at]].sum())
    low, high = np.zeros(len(cells)), np.full(len(cells), np.inf)
    for column in range(table.counts.shape[1]) if row is not None else ():
        if (row, column) in place:
            at = place[row, column]
            low[at] = table.counts[row, column] if known is None else known[column]
            high[at] = table.counts[row, column] if known is None else np.inf
    found = np.full(table.hidden.shape, np.inf)
    for at, cell in enumerate(cells):
        if known is None and cell[0] == row:
            continue
        ends = []
        for sign in (1, -1):
            goal = sign * (np.arange(len(cells)) == at)
            solved = linprog(
                goal,
                A_eq=np.array(equations, dtype=float),
                b_eq=sides,
                bounds=np.stack([low, high], axis=1),
            )
            assert solved.status == 0
            ends.append(sign * solved.fun)
        found[tuple(cell)] = ends[1] - ends[0]
    return found


def narrowest(table):
    """Least width of each withheld cell in anybody's eyes."""
    found = [widths(table)]
    for row, parts in enumerate(table.parts):
        found.append(widths(table, row=row))
        found += [widths(table, row=row, known=part) for part in parts]
    return np.min(found, axis=0)


@pytest.mark.parametrize("seed", range(25))
def test_what_is_proven_is_in_doubt_for_everybody(seed):
    table = random_table(np.random.default_rng(seed))
    proven = in_doubt(table, np.ones_like(table.hidden))
    assert not (proven & ~table.hidden).any()
    assert (narrowest(table)[proven] >= 3 - 1e-6).all()


def test_much_of_what_is_in_doubt_is_proven():
    proven = doubtful = 0
    for seed in range(100, 115):
        table = random_table(np.random.default_rng(seed), hide=0.7)
        found = in_doubt(table, np.ones_like(table.hidden))
        proven += found.sum()
        doubtful += (table.hidden & (narrowest(table) >= 3 - 1e-6)).sum()
    assert proven > 0.7 * doubtful


@pytest.mark.parametrize("seed", range(200, 212))
def test_a_protected_table_is_in_doubt_for_everybody(seed):
    table = random_table(np.random.default_rng(seed), hide=0.3)
    hidden, exposed = protect(table)
    assert (hidden | ~table.hidden).all()
    found = narrowest(replace(table, hidden=hidden))
    assert (found[hidden & ~exposed] >= 3 - 1e-6).all()
    assert hidden.all() or not exposed.any()


def test_one_withheld_cell_takes_a_second_class_and_two_more_rows():
    counts = np.full((5, 4), 20)
    counts[0, 0] = 1
    parts = tuple(counts[:0] for _ in range(5))
    table = Table(counts, counts < 5, np.zeros(5, dtype=bool), parts, np.arange(5))
    hidden, exposed = protect(table)
    assert not exposed.any()
    assert hidden.sum() == 6
    assert sorted(hidden.sum(axis=0).tolist()) == [0, 0, 3, 3]


@pytest.mark.parametrize("seed", range(300, 312))
def test_the_quick_linear_program_finds_what_the_slow_one_finds(seed):
    table = random_table(np.random.default_rng(seed), hide=0.4)
    assert (narrow(table) == (table.hidden & (widths(table) < 3 - 1e-6))).all()


def test_figures_that_contradict_each_other_have_no_solution():
    with pytest.raises(ProgramError, match="contradict each other"):
        narrow_unknowns(np.ones((2, 2)), np.array([1.0, 2.0]))

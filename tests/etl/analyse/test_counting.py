"""Counts by nested areas, groups and cells, against counting one by one."""

import numpy as np
import pytest

from etl.analyse.bed import NO_CELL
from etl.analyse.counting import children, distinct, group_tables, level_sums
from etl.analyse.signals.before import before
from etl.analyse.signals.trailing import window_starts
from tests.etl.analyse.worlds import world


@pytest.fixture(scope="module")
def bed():
    return world(4, grids=60, weeks=40).bed


def test_sums_of_a_level_hold_its_own_figures_and_those_below():
    parents = [np.array([-1]), np.array([0, 0]), np.array([1, -1, 0])]
    table = np.array([[1.0], [10], [20], [100], [200], [400]])
    top, middle, lowest = level_sums(table, [1, 2, 3], children(parents))
    assert lowest.ravel().tolist() == [100, 200, 400]
    assert middle.ravel().tolist() == [410, 120]
    assert top.ravel().tolist() == [531]


def test_distinct_cells_stand_in_order_and_none_has_no_place():
    cells, place = distinct(np.array([7, NO_CELL, 3, 7]), none=NO_CELL)
    assert cells.tolist() == [3, 7]
    assert place.tolist() == [1, -1, 0, 1]


def test_the_table_of_all_holds_what_is_in_no_group():
    tables = group_tables(
        np.array([0, -1, 1, 0], dtype=np.int8), np.array([0, 0, 1, 0]), np.array([2, 2, 0, 2]),
        shape=(3, 2, 3),
    )  # fmt: skip
    assert tables[0].tolist() == [[0, 0, 2], [0, 0, 0]]
    assert tables[1].tolist() == [[0, 0, 0], [1, 0, 0]]
    assert tables[2].tolist() == [[0, 0, 3], [1, 0, 0]]


@pytest.mark.parametrize("group", ["all", "disputes"])
def test_tables_of_a_bed_count_what_its_masks_count(bed, group):
    chosen = bed.reported & bed.of_group(group)
    for level in bed.levels:
        np.testing.assert_array_equal(bed.table(level, group), bed.counts(level, mask=chosen))
    for resolution in (7, 9):
        counts = bed.cell_counts(resolution, mask=chosen)[1]
        np.testing.assert_array_equal(bed.cell_table(resolution, group), counts)


@pytest.mark.parametrize("back", [0, 3])
@pytest.mark.parametrize("group", ["all", "hazards"])
def test_windows_before_a_day_hold_what_was_known_then(bed, group, back):
    starts = window_starts(bed, bed.as_of - back)
    found = before(bed, group, starts)
    chosen = bed.reported & bed.of_group(group) & (bed.events.known < starts[-1])
    for level, past in zip(bed.levels, found.levels, strict=True):
        index = bed.index(level)
        for at, column in enumerate(past.last.T, start=len(starts) - 1 - past.last.shape[1]):
            inside = chosen & (bed.events.day >= starts[at]) & (bed.events.day < starts[at + 1])
            expected = np.bincount(index[inside & (index >= 0)], minlength=len(column))
            np.testing.assert_array_equal(column, expected)
    total = chosen & (bed.events.day >= starts[0]) & (bed.events.day < starts[-1])
    assert found.city.sum() == np.count_nonzero(total & (bed.index(bed.levels[0]) >= 0))

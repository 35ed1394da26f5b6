"""The areas of a period, and the order in which they are withheld for others."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from data.periods import Window
from etl.protect.tree import GONE, build_tree, read_ground

PERIOD = Window(dt.date(2026, 1, 5), 1, "week")
WEDNESDAY, EARLIER = dt.date(2026, 1, 7), dt.date(2025, 6, 1)
CLASSES = np.array([0, 1, 1])
# level, code, parent, parent index, valid from, valid to, residents
AREAS = [
    ("city", "T", None, -1, None, None, 90.0),
    ("county", "A", "T", 0, None, None, 50.0),
    ("county", "B", "T", 0, None, EARLIER, 20.0),
    ("county", "B", "T", 0, EARLIER, None, 40.0),
    ("grid", "A1", "A", 0, None, None, 9.0),
    ("grid", "A2", "A", 0, None, WEDNESDAY, 8.0),
    ("grid", "A3", "A", 0, WEDNESDAY, None, 7.0),
    ("grid", "B1", "B", 2, None, None, None),
    ("grid", "B2", "B", 1, None, EARLIER, 1.0),
]


def ground():
    names = ["level", "code", "parent_code", "parent_index", "valid_from", "valid_to", "population"]
    return read_ground(pd.DataFrame(AREAS, columns=names))


def rows(*counted):
    """(area_index, category_index, count) of one level."""
    names = ("area_index", "category_index", "count")
    found = np.array(counted, dtype=np.int64).reshape(-1, 3)
    return {name: found[:, at] for at, name in enumerate(names)}


COUNTED = {
    "city": rows((-1, 0, 9), (0, 0, 20), (0, 2, 11)),
    "county": rows((0, 0, 14), (0, 2, 5), (2, 1, 6)),
    "grid": rows((0, 0, 4), (1, 0, 7), (2, 2, 5), (3, 1, 6)),
}


def tree(counts=COUNTED):
    return build_tree(ground(), counts, PERIOD, classes=CLASSES, n_classes=2)


def test_the_areas_are_those_of_the_last_day():
    city, county, grid = tree()
    assert city.counts.tolist() == [[31, 20, 11]]
    assert county.index.tolist() == [0, 2]
    assert county.counts.tolist() == [[19, 14, 5], [6, 0, 6]]
    assert grid.index.tolist() == [0, 2, 3, GONE]
    assert grid.parent.tolist() == [0, 0, 1, 0]


def test_what_ended_in_the_period_is_one_lump_of_its_parent():
    grid = tree()[2]
    assert grid.counts.tolist() == [[4, 4, 0], [5, 0, 5], [6, 0, 6], [7, 7, 0]]
    # It is there without a count, too: that nothing happened is withheld as well.
    quiet = tree(COUNTED | {"grid": rows((0, 0, 4))})[2]
    assert quiet.index.tolist() == [0, 2, 3, GONE]
    assert quiet.counts[-1].tolist() == [0, 0, 0]


def test_without_any_count_the_areas_are_there():
    city, county, grid = tree({level: rows() for level in COUNTED})
    assert [len(nodes) for nodes in (city, county, grid)] == [1, 2, 4]
    assert not grid.counts.any()


def many(counts):
    """Twelve counties, the ones with more residents later."""
    names = ["level", "code", "parent_code", "parent_index", "valid_from", "valid_to", "population"]
    table = [("city", "T", None, -1, None, None, 1.0)]
    table += [("county", f"C{at:02d}", "T", 0, None, None, float(at)) for at in range(len(counts))]
    counted = {
        "city": rows((0, 0, sum(counts))),
        "county": rows(*((at, 0, count) for at, count in enumerate(counts))),
    }
    found = read_ground(pd.DataFrame(table, columns=names))
    return build_tree(found, counted, PERIOD, classes=CLASSES, n_classes=2)[1].rank


@pytest.mark.parametrize(("size", "drawn"), [(12, 6), (9, 5), (6, 4), (4, 4), (3, 3)])
def test_the_larger_half_is_withheld_last(size, drawn):
    rank = many(range(10, 10 + size))
    assert sorted(rank.tolist()) == list(range(size))
    assert rank[:drawn].max() < drawn


def test_the_same_counts_are_drawn_alike_and_others_are_not():
    first = many([20] * 12)
    assert np.array_equal(first, many([20] * 12))
    orders = {tuple(many([*[20] * 11, last]).tolist()) for last in range(20, 40)}
    assert len(orders) == 20

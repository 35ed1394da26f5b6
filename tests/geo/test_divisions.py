import datetime as dt

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo import divisions
from geo.divisions import DivisionError

RECUT = dt.date(2025, 7, 1)


def table(*rows):
    columns = ["level", "code", "parent_code", "valid_from", "valid_to"]
    return pd.DataFrame([(*row, *(None,) * (5 - len(row))) for row in rows], columns=columns)


@pytest.fixture
def areas():
    """A city without townships, one grid re-cut into two."""
    return table(
        ("city", "99", None),
        ("county", "9901", "99"),
        ("county", "9902", "99"),
        ("community", "A1", "9901"),
        ("community", "B1", "9902"),
        ("grid", "A1-1", "A1"),
        ("grid", "B1-1", "B1", None, RECUT),
        ("grid", "B1-2", "B1", RECUT, None),
        ("grid", "B1-3", "B1", RECUT, None),
    )


def test_a_sound_tree_passes(areas):
    divisions.check_divisions(areas)


def test_levels_are_listed_downwards(areas):
    assert divisions.levels_of(areas.iloc[::-1]) == ("city", "county", "community", "grid")


@pytest.mark.parametrize(
    ("level", "lower", "upper"),
    [
        ("city", "county", None),
        ("county", "community", "city"),
        ("township", "community", "county"),
        ("community", "grid", "county"),
        ("grid", None, "community"),
    ],
)
def test_missing_levels_are_stepped_over(level, lower, upper):
    levels = ["grid", "community", "county", "city"]

    assert divisions.next_level(levels, level) == lower
    assert divisions.previous_level(levels, level) == upper


def test_unknown_levels_are_refused():
    with pytest.raises(DivisionError, match="level 'street' is unknown; write one of city, county"):
        divisions.next_level(["city"], "street")


def test_parents_are_positions_in_the_level_above(areas):
    assert divisions.parent_indices(areas).tolist() == [-1, 0, 0, 0, 1, 0, 1, 1, 1]


def test_a_dated_parent_is_the_row_that_overlaps():
    areas = table(
        ("city", "99", None),
        ("county", "9901", "99", None, RECUT),
        ("county", "9901", "99", RECUT, None),
        ("grid", "old", "9901", None, RECUT),
        ("grid", "new", "9901", RECUT, None),
        ("grid", "through", "9901"),
    )

    divisions.check_divisions(areas)
    assert divisions.parent_indices(areas).tolist() == [-1, 0, 0, 0, 1, 1]


@given(st.permutations(range(9)))
def test_parents_do_not_depend_on_row_order(order):
    areas = table(
        ("city", "99", None),
        *(("county", f"99{c}", "99") for c in range(2)),
        *(("grid", f"99{c}-{g}", f"99{c}") for c in range(2) for g in range(3)),
    )
    shuffled = areas.iloc[order].reset_index(drop=True)

    for level, upper in (("county", "city"), ("grid", "county")):
        own = shuffled["level"] == level
        parents = shuffled[shuffled["level"] == upper]["code"].to_numpy()
        indices = divisions.parent_indices(shuffled)[own]
        assert parents[indices].tolist() == shuffled["parent_code"][own].tolist()


def test_children_of_every_validity_are_listed(areas):
    assert divisions.children(areas, "99")["code"].tolist() == ["9901", "9902"]
    assert divisions.children(areas, "9902")["code"].tolist() == ["B1"]
    assert divisions.children(areas, "B1")["code"].tolist() == ["B1-1", "B1-2", "B1-3"]
    assert divisions.children(areas, "A1-1").empty


def test_a_path_runs_from_the_city_down(areas):
    assert divisions.path(areas, "B1-3")["code"].tolist() == ["99", "9902", "B1", "B1-3"]
    assert divisions.path(areas, "99")["code"].tolist() == ["99"]


def test_two_levels_may_share_a_code_when_the_level_is_named():
    # Jiayuguan has no counties: its county file repeats the city under its own code.
    areas = table(
        ("city", "620200", None), ("county", "620200", "620200"), ("township", "T", "620200")
    )

    divisions.check_divisions(areas)
    assert divisions.children(areas, "620200", level="city")["level"].tolist() == ["county"]
    assert divisions.children(areas, "620200", level="county")["code"].tolist() == ["T"]
    assert divisions.path(areas, "T")["level"].tolist() == ["city", "county", "township"]
    with pytest.raises(
        DivisionError, match="code '620200' is used by city, county; name the level"
    ):
        divisions.children(areas, "620200")


def test_codes_that_no_area_has_are_refused(areas):
    with pytest.raises(DivisionError, match="no area has the code '77'"):
        divisions.path(areas, "77")
    with pytest.raises(DivisionError, match="no area has the code '99' in level grid"):
        divisions.children(areas, "99", level="grid")


def test_every_fault_is_named_at_once():
    areas = table(
        ("city", "99", "98"),
        ("county", "9901", "99"),
        ("county", "9902", None),
        ("grid", "g1", "9903"),
        ("grid", "g2", "99"),
    )

    with pytest.raises(DivisionError) as error:
        divisions.check_divisions(areas)

    assert str(error.value) == (
        "areas: 1 of 5 rows of the top level have a parent (rows 0 (99)): leave `parent_code` empty; "
        "1 of 5 rows have no parent (rows 2 (9902)): fill `parent_code`; "
        "1 of 5 rows have an unknown parent (rows 3 (g1)): "
        "`parent_code` must be a code of the level above; "
        "1 of 5 rows have a parent that is not on the next higher level (rows 4 (g2)): "
        "correct `parent_code`"
    )


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([("street", "1", None)], r"1 of 1 rows have an unknown level \(rows 0 \(1\)\)"),
        ([("county", "1", None)], "no row has the level city: add the city itself"),
        ([("city", None, None)], r"1 of 1 rows have no code \(rows 0"),
        ([("city", "1", None), ("city", "1", None)], "repeat a code of their level on the same"),
        ([("city", "1", None, RECUT, RECUT)], "end before they start"),
        (
            [("city", "1", None), ("county", "a", "b"), ("county", "b", "a")],
            r"2 of 3 rows are their own ancestor \(rows 1 \(a\), 2 \(b\)\)",
        ),
        (
            [("city", "1", None), ("county", "a", "1", RECUT), ("grid", "g", "a")],
            r"1 of 3 rows are valid while their parent is not \(rows 2 \(g\)\)",
        ),
        (
            [
                ("city", "1", None),
                ("county", "a", "1", None, RECUT),
                ("county", "a", "1", RECUT - dt.timedelta(days=1)),
            ],
            r"1 of 3 rows repeat a code of their level on the same dates \(rows 2 \(a\)\)",
        ),
    ],
)
def test_single_faults(rows, message):
    with pytest.raises(DivisionError, match=message):
        divisions.check_divisions(table(*rows))


def test_open_ends_reach_over_every_date():
    valid_from, valid_to = divisions.validity(table(("city", "1", None, None, None)))

    assert valid_from[0] < np.datetime64("1900-01-01")
    assert valid_to[0] > np.datetime64("2200-01-01")


@pytest.mark.parametrize(
    "column",
    [
        [RECUT, None],
        pd.Series(pd.to_datetime(["2025-07-01", None])),
        np.array(["2025-07-01", "NaT"], dtype="datetime64[D]"),
        ["2025-07-01", pd.NA],
    ],
)
def test_dates_are_read_however_they_are_stored(column):
    days = divisions.as_days(column)

    assert days.dtype == "datetime64[D]"
    assert days[0] == np.datetime64(RECUT)
    assert np.isnat(days[1])

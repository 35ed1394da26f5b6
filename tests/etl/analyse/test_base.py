from dataclasses import replace

import numpy as np
import pytest

from data.schema import check_table
from etl.analyse.base import base_tables, completeness_rows
from tests.etl.analyse.worlds import tiny_bed


@pytest.fixture(scope="module")
def bed():
    return tiny_bed(9, grids=60, weeks=40).bed


@pytest.fixture(scope="module")
def tables(bed):
    return base_tables(bed, 30, bed.ends[30] + 28)


def test_every_table_keeps_its_columns_and_keys(tables):
    for name, rows in tables.items():
        assert len(rows)
        check_table(name, rows)


def test_observed_is_what_was_known_and_levels_add_up(bed, tables):
    rows = tables["expected"]
    for group in ("all", "police"):
        part = rows[rows["group"] == group]
        city = part[part["level"] == "city"]["observed"].sum()
        known = (bed.period == 30) & bed.of_group(group)
        assert city == (known & (bed.events.known <= bed.ends[30] + 28)).sum()
        assert part[part["level"] == "grid"]["observed"].sum() == city
        cells = tables["expected_cells"]
        for resolution in (7, 8, 9):
            chosen = (cells["group"] == group) & (cells["resolution"] == resolution)
            assert cells[chosen]["observed"].sum() == city


def test_an_incomplete_period_expects_less_and_is_no_fall(bed):
    early, late = (
        base_tables(bed, 39, day)["expected"].query("level == 'city' and group == 'all'").iloc[0]
        for day in (bed.starts[39] + 2, bed.as_of)
    )
    assert early["complete"] < 0.5 < late["complete"]
    assert early["expected"] < 0.5 * late["expected"]
    assert early["lower"] <= early["observed"] <= early["upper"]


def test_observed_lies_in_the_interval_as_often_as_it_should(tables):
    rows = tables["expected"]
    inside = (rows["lower"] <= rows["observed"]) & (rows["observed"] <= rows["upper"])
    assert 0.88 < inside.mean() < 1


def test_nothing_seen_or_expected_has_no_row(bed, tables):
    lowest = tables["expected"].query("level == 'grid'")
    assert ((lowest["observed"] > 0) | (lowest["expected"] >= 0.005)).all()
    quiet = replace(bed, events=bed.events.take(bed.index("grid") != 5))
    rows = base_tables(quiet, 30, bed.as_of)["expected"]
    assert len(rows[(rows["level"] == "county")]) == 5 * len(bed.areas[1])


def test_the_same_bytes_whatever_comes_later(bed, tables):
    kept = (bed.events.day <= bed.ends[30]) & (bed.events.known <= bed.ends[30] + 28)
    cut = base_tables(replace(bed, events=bed.events.take(kept)), 30, bed.ends[30] + 28)
    for name, rows in tables.items():
        assert rows.equals(cut[name]), name


def test_areas_that_are_not_valid_have_no_row(bed):
    lowest = bed.areas[-1]
    valid_to = lowest.valid_to.copy()
    valid_to[3] = bed.starts[25]
    recut = replace(bed, areas=(*bed.areas[:-1], replace(lowest, valid_to=valid_to)))
    for name in ("expected", "area_rates", "area_trust"):
        rows = base_tables(recut, 30, bed.as_of)[name].query("level == 'grid'")
        assert 3 not in set(rows["area_index"])
        assert 4 in set(rows["area_index"])


def test_the_last_days_are_incomplete(bed):
    rows = completeness_rows(bed, "all", bed.as_of - 30, bed.as_of, bed.as_of)
    assert rows["is_complete"].iloc[0]
    assert not rows["is_complete"].iloc[-1]
    assert (np.diff(rows["share"]) <= 0).all()


def test_before_there_is_a_baseline_expectations_are_empty(bed):
    rows = base_tables(bed, 3, bed.as_of)["expected"]
    assert rows["expected"].isna().all()
    assert rows["observed"].sum() > 0

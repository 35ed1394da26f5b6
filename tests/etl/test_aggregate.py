import datetime as dt

import numpy as np
import pandas as pd
import pytest

from data import schema
from etl.aggregate import cell_register, count_rows, covered_periods


def rows(days, source="calls", **columns):
    stamps = pd.to_datetime(pd.Series(days)).astype("datetime64[s]")
    monday = (stamps - pd.to_timedelta(stamps.dt.day_of_week, unit="D")).astype("datetime64[s]")
    base = {"source": source, "occurred_on": stamps, "period_start": monday,
            "category_index": np.int16(0), "severity": np.int8(0)}  # fmt: skip
    return pd.DataFrame(base | columns)


def test_counts_are_sorted_and_hold_no_zero():
    table = rows(["2026-01-12", "2026-01-05", "2026-01-06", "2026-01-05"],
                 category_index=np.array([1, 0, 0, 0], dtype=np.int16))  # fmt: skip
    counts = count_rows(table, np.array([2, -1, 0, -1], dtype=np.int32), name="area_index")
    schema.check_table("area_counts_grid", counts)
    found = counts.assign(period_start=counts["period_start"].astype("str")).to_numpy().tolist()
    assert found == [
        ["2026-01-05", -1, 0, 0, 2], ["2026-01-05", 0, 0, 0, 1], ["2026-01-12", 2, 1, 0, 1],
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("last", "period"),
    [("2026-01-18", "2026-01-12"), ("2026-01-17", "2026-01-05"), ("2026-01-12", "2026-01-05")],
)
def test_the_last_period_is_the_last_complete_one(toy, last, period):
    periods = covered_periods(rows(["2025-12-31", last]), toy.city())
    assert str(periods.last) == period
    assert str(periods.as_of) == last
    assert periods.first == dt.date(2025, 12, 29)


def test_a_stated_last_day_replaces_the_latest_one(toy):
    toy.change("city.toml", "window = 2", "window = 2\nas_of = 2026-01-25")
    assert str(covered_periods(rows(["2026-01-12"]), toy.city()).last) == "2026-01-19"


def test_a_source_of_months_covers_the_whole_month(toy):
    toy.change("city.toml", '"week"', '"month"')
    toy.change("sources.toml", "%Y-%m-%d %H:%M", "%Y-%m")
    table = rows(["2018-11-01", "2018-12-01"])
    table["period_start"] = table["occurred_on"]
    periods = covered_periods(table, toy.city())
    assert (str(periods.last), str(periods.as_of)) == ("2018-12-01", "2018-12-31")


def test_the_register_describes_each_cell():
    register = cell_register(np.array(["892cd6b6c37ffff", "892cd6b6c3bffff"], dtype=object))
    schema.check_table("cells_9", register)
    assert register["area_km2"].between(0.05, 0.2).all()

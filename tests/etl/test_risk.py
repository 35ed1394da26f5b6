import datetime as dt

import numpy as np
import pandas as pd
import pytest

from data import schema
from data.rates import rates_by_level
from etl.boundaries import read_boundaries
from etl.risk import area_risk

MONDAYS = [dt.date(2026, 1, 5) + dt.timedelta(weeks=week) for week in range(6)]


def counts_of(per_area):
    """One row per week and area with the given number of incidents, and two not placed."""
    found = [
        (day, index, 0, 1, count)
        for day in MONDAYS
        for index, count in enumerate(per_area)
        if count
    ]
    found += [(MONDAYS[0], -1, 0, 1, 2)]
    table = pd.DataFrame(
        found, columns=["period_start", "area_index", "category_index", "severity", "count"]
    )
    return table.assign(period_start=pd.to_datetime(table["period_start"]).astype("datetime64[s]"))


def risk(toy):
    built = read_boundaries(toy.city())
    # Grids E1, E2 (until February), E3 (from February), W1, W2.
    counts = {
        "city": counts_of([15]),
        "county": counts_of([5, 10]),
        "grid": counts_of([1, 2, 2, 4, 6]),
    }
    found = area_risk(
        built.areas, counts, first=MONDAYS[0], last=MONDAYS[-1], window=2, grain="week"
    )
    return built, found


def test_risk_keeps_its_table_and_skips_areas_not_valid_then(toy):
    _, found = risk(toy)
    schema.check_table("area_risk", found)
    ends = pd.to_datetime(found["period_end"]).dt.date
    assert sorted(set(ends)) == MONDAYS[1:]
    grids = found[found["level"] == "grid"].assign(end=ends)
    assert grids.loc[grids["end"] == MONDAYS[1], "area_index"].tolist() == [0, 1, 3, 4]
    # The week of 26 January ends on 1 February, the first day of E3.
    assert grids.loc[grids["end"] == dt.date(2026, 1, 26), "area_index"].tolist() == [0, 2, 3, 4]


def test_risk_is_the_one_definition_of_rates(toy):
    built, found = risk(toy)
    last = found[pd.to_datetime(found["period_end"]).dt.date == MONDAYS[-1]]
    exposure = [built.level_areas(level)["exposure"].to_numpy() for level in built.levels]
    expected = rates_by_level(
        [np.array([30]), np.array([10, 20]), np.array([2, 4, 8, 12])],
        [exposure[0], exposure[1], exposure[2][[0, 2, 3, 4]]],
        [np.array([-1]), np.array([0, 0]), np.array([0, 0, 1, 1])],
        periods=2,
    )
    for level, rates in zip(built.levels, expected, strict=True):
        rows = last[last["level"] == level]
        assert rows["count"].tolist() == rates.count.tolist()
        assert rows["shrunk_rate"].to_numpy() == pytest.approx(rates.shrunk_rate)
        assert rows["band"].tolist() == rates.band.tolist()


def test_no_whole_window_gives_no_rows(toy):
    built = read_boundaries(toy.city())
    counts = {
        "city": counts_of([15]),
        "county": counts_of([5, 10]),
        "grid": counts_of([1, 2, 2, 4, 6]),
    }
    found = area_risk(
        built.areas, counts, first=MONDAYS[0], last=MONDAYS[0], window=2, grain="week"
    )
    schema.check_table("area_risk", found)
    assert found.empty

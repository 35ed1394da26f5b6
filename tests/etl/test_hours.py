"""Hours of the week: the clock they are read from, and the counts they close with."""

import datetime as dt
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from data.store import Store
from etl.hours import areas_with_hours, hours_of_week
from etl.verify import verify

SHANGHAI = ZoneInfo("Asia/Shanghai")
# Thursday, Saturday, Sunday; the midnight of a date alone; a place in the city only; nowhere.
LINES = [
    "1,2026-01-08 10:00,A1,1,,103.05,36.05,",
    "2,2026-01-08 10:59,A,2,,103.05,36.05,",
    "3,2026-01-10 23:30,B,1,,103.15,36.15,",
    "4,2026-01-11 00:01,B,1,,103.15,36.15,",
    "5,2026-01-11 00:00,B,1,,103.15,36.15,",
    "6,2026-02-02 00:00,A1,3,,,,W2",
]


def moments(*texts):
    local = [dt.datetime.fromisoformat(text).replace(tzinfo=SHANGHAI) for text in texts]
    return pa.chunked_array([pa.array(local, pa.timestamp("us", tz="UTC"))])


def named(*names):
    return pa.chunked_array([pa.array(names)])


def test_hours_run_from_monday_by_the_clock_of_the_city(toy):
    told = moments("2026-01-05T00:30", "2026-01-05T23:59:59", "2026-01-11T23:00:00")
    assert hours_of_week(told, named(*["calls"] * 3), toy.city()).tolist() == [0, 23, 167]


def test_a_clock_at_midnight_to_the_second_tells_no_time(toy):
    told = moments("2026-01-06T00:00:00", "2026-01-06T00:00:01", "2026-01-06T00:00:00.000001")
    assert hours_of_week(told, named(*["calls"] * 3), toy.city()).tolist() == [-1, 24, 24]


def test_midnight_is_that_of_the_sources_own_clock(toy):
    """A date of a source in UTC is 8:00 in the city, and no time all the same."""
    toy.change("sources/calls.toml", 'time_zone = "Asia/Shanghai"', 'time_zone = "UTC"')
    told = moments("2026-01-06T08:00:00", "2026-01-06T00:00:00", "2026-01-06T00:00:00")
    found = hours_of_week(told, named("calls", "calls", "another"), toy.city())
    assert found.tolist() == [-1, 24, -1]


def test_an_incident_counts_in_its_lowest_area_with_hours():
    by_level = {
        "city": np.array([0, 0, 0, -1]),
        "community": np.array([2, 1, -1, -1]),
        "grid": np.array([5, -1, -1, -1]),
    }
    found = areas_with_hours(by_level, np.array([0, 1, 9]))
    assert found.tolist() == [3, 2, 0, -1]


@pytest.fixture
def published(toy):
    toy.publish(LINES)
    return Store(toy.home).current()


def expected():
    """Weekday and hour read from the ledger by Python's own clock."""
    rows = []
    for line in LINES:
        _, when, kind, grade, *_ = line.split(",")
        moment = dt.datetime.strptime(when, "%Y-%m-%d %H:%M").replace(tzinfo=SHANGHAI)
        is_told = moment.time() != dt.time()
        hour = moment.weekday() * 24 + moment.hour if is_told else -1
        monday = moment.date() - dt.timedelta(days=moment.weekday())
        rows.append((monday, hour, {"A1": "A"}.get(kind, kind), int(grade)))
    return pd.Series(rows).value_counts().to_dict()


def test_the_stored_hours_are_those_of_the_ledger(published):
    code = dict(published.categories[["category_index", "code"]].itertuples(index=False))
    found = {}
    for row in published.read("area_hours").itertuples():
        day = pd.Timestamp(row.period_start).date()
        key = (day, row.hour, code[row.category_index], row.severity)
        found[key] = found.get(key, 0) + row.count
    assert found == expected()


def test_cells_and_the_untold_are_the_count_of_each_area(published):
    hours = published.read("area_hours")
    places = published.areas.iloc[hours["area_row"]]
    # The toy has no township and no community: the county is the lowest level with hours.
    assert set(places["level"]) == {"county"}
    own = hours.groupby(places["area_index"].to_numpy())["count"].sum()
    stored = published.read("area_counts_county").groupby("area_index")["count"].sum()
    assert own.to_dict() == stored.to_dict()
    assert hours.loc[hours["hour"] == -1, "count"].sum() == 2


def test_verify_prints_how_many_have_no_time(toy):
    toy.publish(LINES)
    details = {check["name"]: check["detail"] for check in verify(toy.home)["checks"]}
    assert details["hours of the week"] == "2 levels close; no time told: 2 of 6"


def test_a_late_row_writes_only_the_hours_of_its_month(toy):
    def parts(manifest):
        own = [entry for entry in manifest["files"] if entry["table"] == "area_hours"]
        return {entry["month"]: entry["path"] for entry in own}

    before = parts(toy.publish(LINES).manifest)
    after = parts(toy.publish(["7,2026-01-09 09:00,A1,1,,103.05,36.05,"]).manifest)
    assert before.keys() == after.keys() == {"2026-01", "2026-02"}
    assert before["2026-01"] != after["2026-01"]
    assert before["2026-02"] == after["2026-02"]
    assert verify(toy.home)["ok"]

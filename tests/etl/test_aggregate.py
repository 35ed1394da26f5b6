import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from etl.aggregate import _count, _sum
from etl.covered import covered_periods


def counted(rows):
    days, places, categories, severities = (np.array(column) for column in zip(*rows, strict=True))
    base = {
        "period_start": days.astype("datetime64[D]"),
        "category": categories.astype(np.int64),
        "severity": severities.astype(np.int8),
    }
    found = _count(base, places.astype(np.int64))
    names = ("period_start", "place", "category", "severity", "count")
    return list(zip(*(found[name].tolist() for name in names), strict=True)), found


def test_counts_are_sorted_and_hold_no_zero():
    rows = [("2026-01-12", 2, 1, 0), ("2026-01-05", -1, 0, 0), ("2026-01-05", 0, 0, 0)]
    found, _ = counted([*rows, rows[1]])
    assert [(str(day), *rest) for day, *rest in found] == [
        ("2026-01-05", -1, 0, 0, 2), ("2026-01-05", 0, 0, 0, 1), ("2026-01-12", 2, 1, 0, 1),
    ]  # fmt: skip


ROWS = st.lists(
    st.tuples(
        st.sampled_from(["2026-01-05", "2026-01-12"]),
        st.integers(-1, 1 << 40),
        st.integers(0, 200),
        st.integers(0, 4),
    ),
    min_size=1,
    max_size=60,
)


@settings(max_examples=60, deadline=None)
@given(ROWS, st.integers(1, 7))
def test_sums_upwards_lose_nothing(rows, parents):
    _, found = counted(rows)
    above = _sum(found, np.where(found["place"] < 0, -1, found["place"] % parents))
    assert above["count"].sum() == len(rows)
    direct, _ = counted(
        [(day, -1 if at < 0 else at % parents, kind, grade) for day, at, kind, grade in rows]
    )
    names = ("period_start", "place", "category", "severity", "count")
    assert direct == list(zip(*(above[name].tolist() for name in names), strict=True))


def batches(first, last, source="calls"):
    return pd.DataFrame({"source": [source], "first_day": [first], "last_day": [last]})


@pytest.mark.parametrize(
    ("last", "period"),
    [("2026-01-18", "2026-01-12"), ("2026-01-17", "2026-01-05"), ("2026-01-12", "2026-01-05")],
)
def test_the_last_period_is_the_last_complete_one(toy, last, period):
    periods = covered_periods(toy.city(), batches("2025-12-31", last))
    assert str(periods.last) == period
    assert str(periods.as_of) == last
    assert str(periods.first) == "2025-12-29"


def test_a_stated_last_day_replaces_the_latest_one(toy):
    toy.change("city.toml", "window = 2", "window = 2\nas_of = 2026-01-25")
    assert (
        str(covered_periods(toy.city(), batches("2026-01-12", "2026-01-12")).last) == "2026-01-19"
    )


def test_a_source_of_months_covers_the_whole_month(toy):
    toy.change("city.toml", '"week"', '"month"')
    toy.change("sources/calls.toml", "%Y-%m-%d %H:%M", "%Y-%m")
    periods = covered_periods(toy.city(), batches("2018-11-01", "2018-12-01"))
    assert (str(periods.last), str(periods.as_of)) == ("2018-12-01", "2018-12-31")

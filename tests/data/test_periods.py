import datetime as dt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data import periods

DAYS = st.dates(dt.date(1990, 1, 1), dt.date(2060, 12, 31))
GRAINS = st.sampled_from(["week", "month"])


@given(DAYS, GRAINS)
def test_a_period_holds_its_day_and_starts_once(day, grain):
    start = periods.period_starts(np.array([day], dtype="datetime64[D]"), grain=grain)[0].item()
    assert start <= day < periods.shift(start, 1, grain=grain)
    assert start.weekday() == 0 if grain == "week" else start.day == 1


@given(DAYS, GRAINS)
def test_labels_round_trip(day, grain):
    start = periods.period_starts(np.array([day], dtype="datetime64[D]"), grain=grain)[0].item()
    assert periods.parse_label(periods.label(start, grain=grain), grain=grain) == start


@given(DAYS, GRAINS, st.integers(-300, 300))
def test_shift_goes_there_and_back(day, grain, steps):
    start = periods.period_starts(np.array([day], dtype="datetime64[D]"), grain=grain)[0].item()
    assert periods.shift(periods.shift(start, steps, grain=grain), -steps, grain=grain) == start


def test_iso_week_of_the_new_year():
    assert periods.label(dt.date(2026, 12, 28), grain="week") == "2026-W53"
    assert periods.parse_label("2026-W46", grain="week") == dt.date(2026, 11, 9)


@pytest.mark.parametrize("text", ["2026-W54", "2026-46", "", "2026-W4", "W46-2026", "2026-W00"])
def test_a_wrong_week_label_is_refused(text):
    with pytest.raises(ValueError):
        periods.parse_label(text, grain="week")


@pytest.mark.parametrize("text", ["2026-13", "2026-W46", "", "2026-1", "2026-011"])
def test_a_wrong_month_label_is_refused(text):
    with pytest.raises(ValueError):
        periods.parse_label(text, grain="month")


def test_a_window_knows_its_first_and_last_day():
    window = periods.Window(dt.date(2026, 11, 9), 4, "week")
    assert (window.start, window.last_day) == (dt.date(2026, 10, 19), dt.date(2026, 11, 15))
    assert window.earlier(4).last_day == dt.date(2026, 10, 18)
    months = periods.Window(dt.date(2018, 2, 1), 3, "month")
    assert (months.start, months.last_day) == (dt.date(2017, 12, 1), dt.date(2018, 2, 28))


def test_span_includes_both_ends():
    first, last = dt.date(2018, 11, 1), dt.date(2019, 2, 1)
    assert len(periods.span(first, last, grain="month")) == 4


def test_a_missing_day_stays_missing():
    days = np.array(["NaT", "2026-11-15"], dtype="datetime64[D]")
    starts = periods.period_starts(days, grain="week")
    assert np.isnat(starts[0])
    assert starts[1] == np.datetime64("2026-11-09")


def test_exposure_days_are_the_days_of_the_window_on_which_an_area_is_valid():
    # Four weeks, 29 June to 26 July 2026; a re-cut on 15 July.
    window = periods.Window(dt.date(2026, 7, 20), 4, "week")
    starts = np.array(["0001-01-01", "2026-07-15", "2026-07-27", "0001-01-01"], "datetime64[D]")
    ends = np.array(["2026-07-15", "9999-12-31", "9999-12-31", "2026-06-29"], "datetime64[D]")
    assert periods.exposure_days(starts, ends, window).tolist() == [16, 12, 0, 0]


@given(DAYS, DAYS, GRAINS, st.integers(1, 60))
def test_a_recut_neither_loses_nor_doubles_days(end, recut, grain, count):
    day = np.array([end], dtype="datetime64[D]")
    last = periods.period_starts(day, grain=grain)[0].item()
    window = periods.Window(last, count, grain)
    starts = np.array(["0001-01-01", str(recut)], dtype="datetime64[D]")
    ends = np.array([str(recut), "9999-12-31"], dtype="datetime64[D]")
    days = periods.exposure_days(starts, ends, window)
    assert days.sum() == (window.last_day - window.start).days + 1
    assert (days >= 0).all()

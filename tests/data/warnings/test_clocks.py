"""The clocks of a warning: all hours, working days, working hours."""

import datetime as dt
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.warnings import clocks, life
from data.warnings.clocks import Clocks, due_at, first_due, is_working
from etl.analyse.deadlines.working_days import counted_time

SHANGHAI = "Asia/Shanghai"
FIRST = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
STAGES = {"assign": 1, "sign": 2, "handle": 3, "archive": 7}
RISKS = {"high": 1, "medium": 3, "low": 7}


def made(days="calendar", start="00:00", end="00:00", zone=SHANGHAI):
    hours = [dt.time.fromisoformat(one) for one in (start, end)]
    return Clocks(zone, days, *hours, STAGES, RISKS)


def local(text, zone=SHANGHAI):
    return dt.datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone))


@pytest.mark.parametrize("days", [1, 2, 3, 7, 0.5])
def test_calendar_days_are_of_24_hours(days):
    start = local("2026-09-30 17:45")
    assert due_at(start, days, made()) == start + dt.timedelta(days=days)


@pytest.mark.parametrize(
    ("start", "days", "due"),
    [
        # 1 to 7 October 2026 are free, 10 October (a Saturday) is worked in lieu.
        ("2026-09-30 17:00", 1, "2026-10-08 17:00"),
        ("2026-09-30 17:00", 3, "2026-10-10 17:00"),
        ("2026-10-03 12:00", 1, "2026-10-08 24:00"),
        ("2026-11-20 09:00", 2, "2026-11-24 09:00"),
        ("2026-11-21 09:00", 1, "2026-11-23 24:00"),
        # Nothing is announced of 2099: Monday to Friday.
        ("2099-10-01 09:00", 2, "2099-10-05 09:00"),
    ],
)
def test_working_days_leave_out_weekends_and_holidays(start, days, due):
    wanted = (
        local(due.replace("24:00", "00:00")) + dt.timedelta(days=1)
        if "24:00" in due
        else local(due)
    )
    assert due_at(local(start), days, made("working")) == wanted


@pytest.mark.parametrize(
    ("start", "days", "due"),
    [
        ("2026-11-18 10:00", 1, "2026-11-19 10:00"),
        ("2026-11-18 08:00", 1, "2026-11-18 17:00"),
        ("2026-11-18 20:00", 1, "2026-11-19 17:00"),
        ("2026-11-20 16:00", 0.5, "2026-11-23 12:00"),
        ("2026-11-20 16:00", 2, "2026-11-24 16:00"),
        ("2026-09-30 16:59", 1, "2026-10-08 16:59"),
    ],
)
def test_working_hours_count_on_working_days_only(start, days, due):
    assert due_at(local(start), days, made("working", "09:00", "17:00")) == local(due)


@pytest.mark.parametrize(
    ("start", "days", "due"),
    # The clocks of New York go forward in the night to 8 March 2026 and back to 1 November.
    [
        ("2026-03-06 12:00", 2, "2026-03-10 12:00"),
        ("2026-10-30 12:00", 2, "2026-11-03 12:00"),
    ],
)
def test_working_days_are_of_the_citys_own_clock_where_it_is_put_forward(start, days, due):
    zone = "America/New_York"
    found = due_at(local(start, zone), days, made("working", zone=zone))
    assert found == local(due, zone)


MOMENTS = st.integers(0, 300 * 86_400).map(lambda s: FIRST + dt.timedelta(seconds=s))


@given(
    MOMENTS,
    st.sampled_from([0.25, 1, 2, 3, 5.5, 7, 20]),
)
def test_working_days_are_those_of_the_clocks_of_incidents(start, days):
    day = np.datetime64(start.date())
    tables = counted_time(day, day, SHANGHAI, working=True)
    second = np.array([int(start.timestamp())])
    oracle = tables.moment(tables.counted(second) + int(days * 86_400))
    assert due_at(start, days, made("working")).timestamp() == int(oracle[0])


@given(
    MOMENTS,
    st.floats(0.01, 15),
    st.floats(0.01, 5),
    st.sampled_from([made(), made("working"), made("working", "09:00", "17:30")]),
)
def test_more_days_are_never_due_earlier_and_nothing_before_its_start(start, days, more, kept):
    assert start < due_at(start, days, kept) < due_at(start, days + more, kept)


def test_days_that_nobody_can_look_ahead_are_refused():
    with pytest.raises(ValueError, match="more than 800 days ahead"):
        due_at(local("2026-11-18 10:00"), 700, made("working"))


def test_working_days_of_other_countries_are_monday_to_friday():
    assert not is_working(dt.date(2026, 10, 1), SHANGHAI)
    assert is_working(dt.date(2026, 10, 10), SHANGHAI)
    assert is_working(dt.date(2026, 10, 1), "Europe/Berlin")
    assert not is_working(dt.date(2026, 10, 10), "Europe/Berlin")


START = local("2026-11-18 10:00")


@pytest.mark.parametrize(
    ("state", "urgency", "days", "clock"),
    [
        ("new", "low", 1, "assign"),
        ("new", "high", 1, "assign"),
        ("assigned", "low", 2, "sign"),
        ("assigned", "high", 1, "risk"),
        ("signed", "low", 3, "handle"),
        ("in_hand", "low", 3, "handle"),
        ("in_hand", "high", 1, "risk"),
        ("closed", "high", 7, "archive"),
        ("returned", "low", 1, "assign"),
        ("escalated", "low", 1, "assign"),
    ],
)
def test_the_first_clock_to_run_out_is_named(state, urgency, days, clock):
    due, name = first_due(state, urgency, stage_at=START, risk_at=START, clocks=made())
    assert (due, name) == (START + dt.timedelta(days=days), clock)


def test_the_clock_of_the_urgency_runs_through_all_stages_until_closing():
    late = START + dt.timedelta(days=2.5)
    due, name = first_due("in_hand", "medium", stage_at=late, risk_at=START, clocks=made())
    assert (due, name) == (START + dt.timedelta(days=3), "risk")
    due, name = first_due("closed", "medium", stage_at=late, risk_at=START, clocks=made())
    assert (due, name) == (late + dt.timedelta(days=7), "archive")


def test_an_archived_warning_has_no_clock():
    kept = made()
    assert first_due("archived", "high", stage_at=START, risk_at=START, clocks=kept) == (None, "")
    assert clocks.left(None, START) is None
    assert not clocks.overdue(None, START)


def test_time_left_turns_negative_and_due_is_not_yet_overdue():
    hour = dt.timedelta(hours=1)
    assert clocks.left(START, START - hour) == hour
    assert clocks.left(START, START + hour) == -hour
    assert not clocks.overdue(START, START)
    assert clocks.overdue(START, START + dt.timedelta(microseconds=1))


def test_every_state_has_its_clock():
    assert set(clocks.CLOCK_OF) == set(life.STATES)
    assert set(clocks.CLOCK_OF.values()) == {*clocks.STAGES, ""}

import numpy as np
import pytest

from etl.analyse.calendar import KINDS, holidays


def days(*texts):
    return np.array(texts, dtype="datetime64[D]")


def test_the_week_of_the_spring_festival_is_off_as_a_whole():
    found = holidays(days("2026-02-16"), grain="week")
    assert found.shares[0].tolist() == pytest.approx([1, 0, 0, 0, 0])
    assert found.working[0] == 0


def test_a_make_up_saturday_is_a_working_day():
    # Saturday 28 February 2026 is worked; Monday 23 is off; then people return.
    found = holidays(days("2026-02-23"), grain="week")
    assert found.shares[0].tolist() == pytest.approx([1 / 7, 6 / 7, 0, 0, 1 / 7])
    assert found.working[0] == pytest.approx(5 / 7)


def test_national_day_splits_between_two_weeks():
    found = holidays(days("2026-09-28", "2026-10-05"), grain="week")
    assert found.shares[:, KINDS.index("national")].tolist() == pytest.approx([4 / 7, 3 / 7])


def test_an_ordinary_week_has_five_working_days():
    found = holidays(days("2026-07-06"), grain="week")
    assert not found.shares.any()
    assert found.working[0] == pytest.approx(5 / 7)


def test_months_are_shares_of_their_own_length():
    found = holidays(days("2026-02-01", "2026-03-01"), grain="month")
    assert found.shares[0, 0] == pytest.approx(9 / 28)
    assert found.shares[1, 1] == pytest.approx(2 / 31)


def test_a_year_that_is_not_announced_is_unknown():
    found = holidays(days("2025-06-02", "2090-02-06"), grain="week")
    assert found.known.tolist() == [True, False]
    assert np.isnan(found.working[1])
    assert not found.shares[1].any()


def test_there_are_no_chinese_holidays_outside_asia():
    found = holidays(days("2026-02-16", "2090-02-06"), grain="week", time_zone="America/Chicago")
    assert not found.shares.any()
    assert found.known.all()

from dataclasses import replace

import numpy as np
import pytest

from etl.analyse.reporting_lag import LAG_DAYS, completeness, delays, period_completeness
from tests.etl.analyse.worlds import tiny_bed

START = np.datetime64("2025-01-01")


def made(seed, days=200, per_day=200, p=0.25):
    rng = np.random.default_rng(seed)
    day = START + np.repeat(np.arange(days), per_day)
    lag = rng.geometric(p, len(day)) - 1
    return day, day + lag


def test_recent_days_do_not_bias_the_delays():
    day, known = made(1)
    on = START + 199
    seen = known <= on
    found, number = delays(day[seen], known[seen]).as_known(on)
    truth = 1 - 0.75 ** np.arange(1, 20)
    assert found.shares[:19] == pytest.approx(truth, abs=0.01)
    assert number > 30_000
    # What is seen of the last twenty days alone looks much quicker than it is.
    late = seen & (day > on - 6)
    assert (known[late] - day[late]).astype(int).mean() < 0.7 * 3


def test_what_becomes_known_later_has_no_part():
    day, known = made(2)
    on = START + 150
    seen = (known <= on) & (day <= on)
    cut, _ = delays(day[seen], known[seen]).as_known(on)
    whole, _ = delays(day, known).as_known(on)
    assert np.array_equal(cut.shares, whole.shares)


def test_the_day_up_to_which_data_are_complete():
    found, _ = delays(*made(3)).as_known(START + 199)
    # 1 - 0.75^13 = 0.976 is the first above 97 %, that is twelve days later.
    assert found.complete_after in (11, 12, 13)
    assert found.complete_through(START + 199) == START + 199 - found.complete_after


def test_a_period_is_known_as_much_as_its_days():
    found, _ = delays(*made(4)).as_known(START + 199)
    starts = START + np.array([100, 190, 196, 210])
    shares = found.of_periods(starts, starts + 6, START + 199)
    by_hand = [found(199 - np.arange(one, one + 7)).mean() for one in (100, 190, 196, 210)]
    assert shares == pytest.approx(by_hand)
    assert shares[-1] == 0


def test_a_bulk_import_of_old_events_is_no_delay():
    day, known = made(5)
    old = np.full(50_000, START)
    both = delays(np.append(day, old), np.append(known, old + LAG_DAYS + 60))
    assert np.array_equal(
        both.as_known(START + 199)[0].shares, delays(day, known).as_known(START + 199)[0].shares
    )


def test_without_events_everything_counts_as_known():
    none = np.zeros(0, dtype="datetime64[D]")
    found, number = delays(none, none).as_known(START)
    assert number == 0
    assert (found.shares == 1).all()


def test_a_small_group_goes_by_the_delays_of_all():
    bed = tiny_bed(grids=4, weeks=20, mean=0.5).bed
    small = completeness(bed, "hazards", bed.as_of)
    assert np.array_equal(small.shares, completeness(bed, "all", bed.as_of).shares)


def test_a_weekly_upload_is_complete_when_it_has_come():
    bed = tiny_bed(grids=20, weeks=20).bed
    week = np.maximum(bed.period, 0)
    # Every event is dated to the Monday and uploaded two days after its week.
    upload = replace(bed.events, day=bed.starts[week], known=bed.ends[week] + 2)
    found = period_completeness(replace(bed, events=upload), "all", bed.ends[15] + 2)
    assert found(np.array([0, 1, 2, 3])).tolist() == [0, 0, 1, 1]

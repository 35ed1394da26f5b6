"""Curves of the time to a step, the pace of work, and the chance to miss a clock."""

import numpy as np
import pytest
from statsmodels.duration.survfunc import SurvfuncRight

from etl.analyse.deadlines.pace import learn_pace
from etl.analyse.deadlines.survival import BIN_S, BINS, chance_open, nested_curves
from etl.analyse.deadlines.working_days import counted_time

HOUR = 3_600
DAY = 24 * HOUR


def drawn(seed, n=800):
    rng = np.random.default_rng(seed)
    done = rng.integers(0, 300, n) * BIN_S
    followed = rng.integers(0, 400, n) * BIN_S
    return rng.integers(0, 3, n), np.minimum(done, followed), done <= followed


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_curves_are_those_of_statsmodels(seed):
    key, duration, ended = drawn(seed)
    each, together = nested_curves(key, duration, ended, coarser=(1, 10))
    for row, chosen in [(0, key == 0), (1, key == 1), (2, key == 2)]:
        theirs = SurvfuncRight(duration[chosen], ended[chosen].astype(int))
        bins = (theirs.surv_times // BIN_S).astype(int)
        np.testing.assert_allclose(each.survival[row, bins], theirs.surv_prob, atol=1e-12)
        np.testing.assert_allclose(each.at_risk[row, bins], theirs.n_risk)
    theirs = SurvfuncRight(duration, ended.astype(int))
    bins = (theirs.surv_times // BIN_S).astype(int)
    np.testing.assert_allclose(together.survival[0, bins], theirs.surv_prob, atol=1e-12)


def test_the_interval_is_greenwoods_on_the_log_log_scale():
    _, duration, ended = drawn(5)
    (curve,) = nested_curves(np.zeros(len(duration), dtype=int), duration, ended, coarser=(1,))
    theirs = SurvfuncRight(duration, ended.astype(int))
    inside = (theirs.surv_prob > 0) & (theirs.surv_prob < 1)
    bins = (theirs.surv_times[inside] // BIN_S).astype(int)
    point, error = theirs.surv_prob[inside], theirs.surv_prob_se[inside]
    factor = np.exp(1.6448536269514722 * error / (point * np.abs(np.log(point))))
    lower, upper = curve.interval(np.array([0]), bins)
    np.testing.assert_allclose(lower[0], point**factor, rtol=1e-9)
    np.testing.assert_allclose(upper[0], point ** (1 / factor), rtol=1e-9)


def test_durations_beyond_the_horizon_are_cut_off():
    long = np.full(50, (BINS + 10) * BIN_S)
    (curve,) = nested_curves(np.zeros(50, dtype=int), long, np.ones(50, dtype=bool), coarser=(1,))
    assert curve.survival[0, -1] == 1


class TestChance:
    DURATION = np.repeat([10, 20, 30, 40], 25) * HOUR
    KEY = np.arange(100) % 2 * 1_000

    def chance(self, elapsed, until, *, least=30, key=0):
        curves = nested_curves(
            self.KEY, self.DURATION, np.ones(100, dtype=bool), coarser=(1, 1_000_000)
        )
        keys = [np.array([key]), np.array([key // 1_000_000])]
        one, two = np.array([elapsed * HOUR]), np.array([until * HOUR])
        return chance_open(curves, keys, one, two, least=least)[0]

    def test_it_is_that_of_the_clocks_that_ran_as_long(self):
        assert self.chance(0, 24) == pytest.approx(0.5, abs=0.02)
        assert self.chance(15, 24) == pytest.approx(2 / 3, abs=0.02)

    def test_few_clocks_fall_back_on_more(self):
        # Half of the 50 that run after 25 hours are of this stratum: too few, so all are taken.
        assert self.chance(25, 35, least=30) == pytest.approx(0.5)

    def test_no_curve_is_no_data(self):
        assert np.isnan(self.chance(35, 38, least=30))
        assert np.isnan(self.chance(1, 24 * 200))

    def test_an_unknown_stratum_falls_back(self):
        assert self.chance(0, 24, key=7_000) == pytest.approx(0.5)


class TestPace:
    TIME = counted_time(
        np.datetime64("2025-01-01"), np.datetime64("2025-12-31"), "Asia/Shanghai", working=False
    )
    SINCE = int(np.datetime64("2025-01-01", "s").astype(np.int64)) - 8 * HOUR
    NOW = SINCE + 300 * DAY

    def office(self):
        """Steps from 9 to 17 o'clock on working days."""
        rng = np.random.default_rng(3)
        day = rng.integers(0, 300, 20_000)
        at_work = self.TIME.working[self.TIME.split(self.SINCE + day * DAY)[0]]
        return self.SINCE + day[at_work] * DAY + rng.integers(9 * HOUR, 17 * HOUR, at_work.sum())

    def test_a_day_of_work_is_a_day_on_average(self):
        pace = learn_pace(self.TIME, self.office(), since=self.SINCE, now=self.NOW)
        first, last = pace.worked(np.array([self.SINCE, self.NOW]))
        assert last - first == pytest.approx(300 * DAY, rel=1e-6)

    def test_nights_and_days_off_hardly_count(self):
        pace = learn_pace(self.TIME, self.office(), since=self.SINCE, now=self.NOW)
        monday = int(np.datetime64("2025-06-16", "s").astype(np.int64)) - 8 * HOUR
        night, day, sunday = (
            np.diff(pace.worked(np.array(span)))[0]
            for span in (
                (monday, monday + 6 * HOUR),
                (monday + 10 * HOUR, monday + 16 * HOUR),
                (monday - DAY, monday),
            )
        )
        assert night < 0.02 * day
        assert sunday < 0.1 * day

    def test_without_steps_it_is_the_clock(self):
        pace = learn_pace(self.TIME, np.empty(0, dtype=np.int64), since=self.SINCE, now=self.NOW)
        moments = np.array([self.SINCE, self.SINCE + 5 * DAY + 7 * HOUR])
        assert np.diff(pace.worked(moments))[0] == pytest.approx(5 * DAY + 7 * HOUR, abs=2)

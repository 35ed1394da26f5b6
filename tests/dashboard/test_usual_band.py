"""The usual band: of counts and of scores, as wide as it says, and unknown where too little is."""

import math

import numpy as np
import pytest
from scipy import stats

from dashboard.usual_band import Predicted, band_of, predict, score_band
from data.rates import INTERVAL

SEED = int(np.random.SeedSequence().entropy % 2**32)


def test_the_band_of_a_score_is_the_predictive_interval_of_student():
    values = [10.0, 12.0, 11.0, 13.0, 9.0, 10.5, 12.5, 11.5]
    found = score_band(values, least=0, most=100)
    told = stats.t(
        len(values) - 1,
        loc=np.mean(values),
        scale=np.std(values, ddof=1) * math.sqrt(1 + 1 / len(values)),
    )
    assert found == pytest.approx((told.ppf(0.05), told.ppf(0.95)))


def test_nine_of_ten_scores_lie_in_their_band():
    rng = np.random.default_rng(SEED)
    inside = 0
    for _ in range(2000):
        *past, now = rng.normal(50, 5, size=16)
        lower, upper = score_band(past, least=0, most=100)
        inside += lower <= now <= upper
    assert 0.87 < inside / 2000 < 0.93, SEED


def test_a_score_keeps_its_bounds():
    assert score_band([0.0, 30.0] * 7 + [99.0], least=0, most=100)[0] == 0


@pytest.mark.parametrize(("known", "length"), [(7, 15), (3, 6), (1, 1), (0, 15)])
def test_too_few_scores_give_no_band(known, length):
    values = [5.0] * known + [math.nan] * (length - known)
    assert score_band(values, least=0, most=100) is None


def test_eight_of_fifteen_are_enough():
    assert score_band([5.0] * 8 + [math.nan] * 7, least=0, most=100) == (5.0, 5.0)


def test_nine_of_ten_counts_lie_in_their_band():
    rng = np.random.default_rng(SEED)
    past = rng.negative_binomial(20, 0.4, size=(3000, 16))
    earlier = past[:, :15].astype(float)
    found = predict(earlier.sum(axis=1), (earlier**2).sum(axis=1), length=15, exposure=1.0)
    inside = 0
    for at in range(3000):
        lower, upper = band_of(found.of(at))
        inside += lower <= past[at, 15] <= upper
    assert 0.88 < inside / 3000 < 0.96, SEED


@pytest.mark.parametrize("mean", [0.3, 40.0, 5e11])
def test_the_ends_of_a_band_are_the_first_counts_that_reach_the_points(mean):
    one = Predicted(size=np.array([mean * 0.25 / 0.75]), share=np.array([0.25]))
    for end, point in zip(band_of(one), INTERVAL, strict=True):
        reached = one.at_most(np.array([end - 1.0, end]))
        assert end == 0 or reached[0] < point
        assert reached[1] >= point

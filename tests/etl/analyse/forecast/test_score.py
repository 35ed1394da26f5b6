import numpy as np
import pytest
import scoringrules
from scipy import stats

from etl.analyse.forecast.score import crps, hits, poisson_deviance


def test_hits_by_hand():
    score = np.array([5.0, 4.0, 3.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0])
    observed = np.array([2.0, 0.0, 1.0, 5.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0])
    one, two = hits(score, observed, area=np.ones(10), shares=(0.1, 0.3), events=10.0)
    assert (one.listed, one.with_event) == (1, 1)
    assert one.hit == pytest.approx(0.2)
    assert one.pai == pytest.approx(2.0)
    assert one.pei == pytest.approx(2 / 5)
    assert (two.listed, two.with_event) == (3, 2)
    assert two.hit == pytest.approx(0.3)
    assert two.pei == pytest.approx(3 / 8)


def test_large_areas_are_taken_by_count_per_area_within_the_budget():
    score, observed = np.array([10.0, 4.0, 1.0]), np.array([10.0, 4.0, 1.0])
    (found,) = hits(score, observed, area=np.array([90.0, 4.0, 6.0]), shares=(0.05,))
    assert found.listed == 1
    assert found.area_share == pytest.approx(0.04)
    assert found.hit == pytest.approx(4 / 15)


@pytest.mark.parametrize("area", [np.full(5, np.nan), np.ones(5)])
def test_without_area_or_events_there_is_no_score(area):
    observed = np.ones(5) if np.isnan(area[0]) else np.zeros(5)
    (found,) = hits(np.arange(5.0), observed, area=area, shares=(0.4,))
    assert np.isnan(found.pai)
    assert np.isnan(found.hit)


def test_equal_scores_are_as_good_as_chance():
    observed = np.zeros(5_000)
    observed[:500] = 1
    (found,) = hits(np.ones(5_000), observed, area=np.ones(5_000), shares=(0.1,))
    assert found.pai == pytest.approx(1.0, abs=0.35)


def test_deviance_is_nothing_for_a_perfect_forecast_and_counts_absent_events():
    assert poisson_deviance(np.array([2.0, 3.0]), np.array([2.0, 3.0])) == pytest.approx(0.0)
    assert poisson_deviance(np.zeros(2), np.array([1.0, 2.0])) == pytest.approx(3.0)


@pytest.mark.parametrize(
    ("low", "high", "tolerance"), [(0.01, 3, 1e-9), (3, 29, 1e-3), (40, 900, 5e-3)]
)
def test_crps_of_the_negative_binomial_equals_the_library(low, high, tolerance):
    rng = np.random.default_rng(3)
    mean, size = rng.uniform(low, high, 300), rng.uniform(0.4, 60, 300)
    observed = rng.poisson(mean * rng.gamma(size) / size).astype(float)
    expected = scoringrules.crps_negbinom(observed, size, prob=size / (size + mean))
    np.testing.assert_allclose(crps(observed, mean, size), expected, rtol=tolerance)


@pytest.mark.parametrize("mean", [0.2, 5.0, 300.0])
def test_crps_of_poisson_by_summing(mean):
    observed, counts = np.array([0.0, 4.0, 310.0]), np.arange(2_000)
    below = stats.poisson.cdf(counts, mean)
    expected = [np.sum((below - (one <= counts)) ** 2) for one in observed]
    found = crps(observed, np.full(3, mean), np.full(3, np.inf))
    np.testing.assert_allclose(found, expected, rtol=5e-3)

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from etl.analyse.negative_binomial import interval, moment_size, size_of, upper_tail

MEANS = st.floats(1e-3, 2000)
SIZES = st.floats(0.2, 500) | st.just(np.inf)


def distribution(mean, size):
    if np.isinf(size):
        return stats.poisson(mean)
    return stats.nbinom(size, size / (size + mean))


@given(MEANS, SIZES, st.integers(0, 3000))
def test_the_tail_is_that_of_scipy(mean, size, count):
    found = float(upper_tail(count, mean, size))
    assert found == pytest.approx(distribution(mean, size).sf(count - 1), rel=1e-6, abs=1e-12)


@given(MEANS, SIZES)
def test_the_interval_holds_the_points_of_scipy(mean, size):
    lower, upper = interval(mean, size)
    truth = distribution(mean, size)
    for found, point in ((float(lower), 0.05), (float(upper), 0.95)):
        assert truth.cdf(found) >= point - 1e-9
        assert found == 0 or truth.cdf(found - 1) < point + 1e-9


def test_many_intervals_at_once_keep_their_order():
    mean = np.array([0.0, 500.0, np.nan, 0.01, 12.0])
    size = np.array([np.inf, 3.0, 1.0, np.inf, np.inf])
    lower, upper = interval(mean, size)
    each = [interval(*one) for one in zip(mean, size, strict=True)]
    assert np.array_equal(lower, [float(one[0]) for one in each], equal_nan=True)
    assert np.array_equal(upper, [float(one[1]) for one in each], equal_nan=True)
    assert np.isnan(lower[2])


def test_nothing_observed_is_no_surprise_and_anything_is_where_nothing_was_expected():
    assert upper_tail([0, 1, 0], [0.0, 0.0, np.nan], [1.0, np.inf, 1.0])[:2].tolist() == [1, 0]
    assert np.isnan(upper_tail(0, np.nan, 1.0))


def test_the_size_comes_back_from_moments():
    rng = np.random.default_rng(1)
    mean = rng.uniform(1, 6, (4000, 12))
    counts = rng.poisson(mean * rng.gamma(5, 1 / 5, mean.shape))
    assert moment_size(counts.astype(float), mean) == pytest.approx(5, rel=0.1)


def test_less_scatter_than_poisson_is_poisson():
    assert moment_size(np.full((5, 5), 3.0), np.full((5, 5), 3.0)) == np.inf
    assert size_of([0.0, 0.2, 1e9]).tolist() == [np.inf, 5.0, 0.1]

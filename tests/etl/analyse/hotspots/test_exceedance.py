"""More than expected: on areas, on rings, and never where nothing is known."""

import numpy as np
import pytest
from scipy import sparse, stats

from etl.analyse.hotspots.exceedance import exceeds, ring_size, ring_sums
from etl.analyse.hotspots.neighbours import with_self


def line(n):
    """Areas in a row, each with the ones beside it."""
    return with_self(sparse.diags_array([1.0, 1.0], offsets=[-1, 1], shape=(n, n)).tocsr())


def test_ring_sums_take_unknown_for_nothing():
    assert ring_sums(line(4), np.array([1.0, 2, np.nan, 8])).tolist() == [3, 3, 10, 8]


def test_size_of_a_ring_keeps_its_variance():
    mean, size = np.array([1.0, 2, 3]), np.array([5.0, 2, np.inf])
    found = ring_size(line(3), mean, size)
    total = np.array([3.0, 6, 5])
    extra = np.array([1 / 5 + 4 / 2, 1 / 5 + 4 / 2, 4 / 2])
    np.testing.assert_allclose(total + total**2 / found, total + extra)
    assert np.isinf(ring_size(line(2), np.ones(2), np.full(2, np.inf))).all()


def test_p_of_an_area_and_of_its_ring():
    observed, mean, size = np.array([4.0, 0, 2]), np.array([1.0, 0.5, 2]), np.full(3, np.inf)
    found = exceeds(observed, mean, size, line(3))
    np.testing.assert_allclose(found.p, stats.poisson.sf(observed - 1, mean))
    np.testing.assert_allclose(found.p_ring, stats.poisson.sf([3, 5, 1], [1.5, 3.5, 2.5]))
    assert found.observed_ring.tolist() == [4, 6, 2]


@pytest.mark.parametrize("none", [np.nan, 0.0])
def test_without_an_expected_count_there_is_no_test(none):
    observed = np.array([50.0, 1, 1, 1])
    found = exceeds(observed, np.array([none, 1, 1, 1]), np.full(4, 5.0), line(4))
    assert np.isnan(found.p[0])
    assert np.isnan(found.p_ring[0])
    assert not found.hot.any()
    assert found.observed_ring[1] == 2


def test_what_is_as_expected_is_not_hot_and_what_is_far_more_is():
    rng = np.random.default_rng(2)
    mean = rng.gamma(2, 1, 400)
    observed = rng.negative_binomial(5, 5 / (5 + mean)).astype(float)
    calm = exceeds(observed, mean, np.full(400, 5.0), line(400))
    assert not calm.hot.any()
    observed[200] = 60
    surge = exceeds(observed, mean, np.full(400, 5.0), line(400))
    assert surge.hot[200]
    assert surge.hot.sum() <= 3


def test_a_rise_too_small_for_one_area_shows_on_the_ring():
    mean, observed = np.full(300, 0.5), np.zeros(300)
    observed[149:152] = 3
    found = exceeds(observed, mean, np.full(300, np.inf), line(300))
    assert found.hot[150]
    assert found.p[150] > 0.01

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import stats

from data import rates

COUNTS = hnp.arrays(np.int64, st.integers(1, 30), elements=st.integers(0, 500))


def one_level(count, exposure, *, prior=1.0, city=1.0, periods=1):
    count = np.asarray(count)
    exposure = np.broadcast_to(np.asarray(exposure, dtype=float), count.shape)
    return rates.area_rates(
        count, exposure, prior_rate=np.full(len(count), prior), city_rate=city, periods=periods
    )


@given(COUNTS, st.floats(0.01, 100), st.floats(0.01, 20))
def test_a_shrunk_rate_lies_between_the_raw_rate_and_the_prior(count, exposure, prior):
    found = one_level(count, exposure, prior=prior)
    low = np.minimum(found.rate, prior)
    high = np.maximum(found.rate, prior)
    assert (found.shrunk_rate >= low * (1 - 1e-9)).all()
    assert (found.shrunk_rate <= high * (1 + 1e-9)).all()
    lower, upper = found.interval()
    assert (lower < found.shrunk_rate).all()
    assert (found.shrunk_rate < upper).all()


@given(COUNTS)
def test_the_order_of_areas_does_not_matter(count):
    there = one_level(count, 2.0)
    back = one_level(count[::-1], 2.0)
    np.testing.assert_allclose(there.shrunk_rate, back.shrunk_rate[::-1], rtol=1e-12)
    assert (there.band == back.band[::-1]).all()


def test_the_posterior_is_the_gamma_of_the_textbook():
    found = one_level([12, 3, 7, 30], [1.0, 2.0, 0.5, 4.0], prior=4.0, city=5.0, periods=2)
    shape = found.strength + found.count
    scale = 1 / (found.strength / 4.0 + found.exposure * 2)
    posterior = stats.gamma(shape, scale=scale)
    np.testing.assert_allclose(found.shrunk_rate, posterior.mean())
    lower, upper = found.interval()
    np.testing.assert_allclose(lower, posterior.ppf(0.05))
    np.testing.assert_allclose(upper, posterior.ppf(0.95))
    np.testing.assert_allclose(found.p_above(), posterior.sf(5.0))


@given(COUNTS, st.floats(0.01, 20), st.floats(0.01, 20))
def test_figures_of_some_areas_are_those_of_all_to_the_last_digit(count, prior, city):
    found = one_level(count, 2.0, prior=prior, city=city)
    rows = np.arange(len(count))[::2]
    np.testing.assert_array_equal(found.p_above(rows), found.p_above()[::2])
    for some, every in zip(found.interval(rows), found.interval(), strict=True):
        np.testing.assert_array_equal(some, every[::2])


@given(COUNTS, st.floats(0.01, 20), st.floats(0.01, 20))
def test_bands_need_no_probability_below_the_first_edge(count, prior, city):
    found = one_level(count, 2.0, prior=prior, city=city)
    whole = rates.bands(found.ratio, found.p_above(), small_sample=found.small_sample)
    np.testing.assert_array_equal(found.band, whole)


def test_unknown_exposure_is_no_data_and_never_zero():
    found = one_level([5, 5, 5], [np.nan, 0.0, 1.0])
    assert np.isnan(found.rate[:2]).all()
    assert np.isnan(found.shrunk_rate[:2]).all()
    assert found.band.tolist()[:2] == [rates.NO_DATA, rates.NO_DATA]
    assert found.band[2] != rates.NO_DATA


def test_edges_are_half_open():
    sure = np.ones(7)
    ratio = np.array([0.5, 1.0999, 1.1, 1.3, 1.4999, 1.5, 9.0])
    plain = np.zeros(7, dtype=bool)
    assert rates.bands(ratio, sure, small_sample=plain).tolist() == [1, 1, 2, 3, 3, 4, 4]


@pytest.mark.parametrize(
    ("p_above", "band"), [(0.99, 4), (0.98, 3), (0.95, 3), (0.94, 2), (0.80, 2), (0.79, 1)]
)
def test_a_failed_gate_drops_one_step_and_is_tested_again(p_above, band):
    found = rates.bands(np.array([2.0]), np.array([p_above]), small_sample=np.array([False]))
    assert found.tolist() == [band]


def test_a_small_sample_is_at_most_yellow():
    found = rates.bands(np.array([9.0]), np.array([1.0]), small_sample=np.array([True]))
    assert found.tolist() == [2]


def test_children_of_an_area_without_exposure_lean_on_the_nearest_known_ancestor():
    levels = rates.rates_by_level(
        [np.array([30]), np.array([20, 10]), np.array([20, 10])],
        [np.array([3.0]), np.array([np.nan, 1.0]), np.array([1.0, 1.0])],
        [np.array([-1]), np.array([0, 0]), np.array([0, 1])],
        periods=1,
    )
    assert np.isnan(levels[1].shrunk_rate[0])
    assert levels[2].prior_rate[0] == pytest.approx(10.0)
    assert levels[2].prior_rate[1] == pytest.approx(levels[1].shrunk_rate[1])


def test_a_city_without_incidents_has_rate_zero_and_no_ratio():
    levels = rates.rates_by_level(
        [np.array([0]), np.array([0, 0])],
        [np.array([2.0]), np.array([1.0, np.nan])],
        [np.array([-1]), np.array([0, 0])],
        periods=4,
    )
    assert levels[1].rate.tolist()[0] == levels[1].shrunk_rate.tolist()[0] == 0.0
    assert np.isnan(levels[1].ratio).all()
    assert levels[1].band.tolist() == [1, rates.NO_DATA]


def test_even_counts_are_all_blue_and_noise_is_seldom_red():
    generator = np.random.default_rng(5)
    exposure = generator.uniform(0.02, 0.2, 4000)
    count = generator.poisson(exposure * 20 * 4)
    levels = rates.rates_by_level(
        [np.array([count.sum()]), count],
        [np.array([exposure.sum()]), exposure],
        [np.array([-1]), np.zeros(4000, dtype=int)],
        periods=4,
    )
    assert np.mean(levels[1].band >= 3) < 0.001
    doubled = count.copy()
    doubled[:50] += generator.poisson(exposure[:50] * 20 * 4 * 4)
    levels = rates.rates_by_level(
        [np.array([doubled.sum()]), doubled],
        [np.array([exposure.sum()]), exposure],
        [np.array([-1]), np.zeros(4000, dtype=int)],
        periods=4,
    )
    assert np.mean(levels[1].band[:50] >= 3) > 0.9


def test_the_expected_range_never_looks_ahead():
    generator = np.random.default_rng(1)
    count = generator.poisson(20, 60)
    whole = rates.expected_range(count, grain="week")
    cut = rates.expected_range(count[:40], grain="week")
    np.testing.assert_array_equal(whole.mean[:40], cut.mean)
    np.testing.assert_array_equal(whole.upper[:40], cut.upper)
    assert np.isnan(whole.mean[:15]).all()
    assert np.isfinite(whole.mean[15:]).all()


def test_the_expected_range_covers_most_of_a_steady_series():
    generator = np.random.default_rng(2)
    count = generator.negative_binomial(5, 0.2, 2000)
    found = rates.expected_range(count, grain="week")
    inside = (count >= found.lower) & (count <= found.upper)
    assert 0.85 < inside[15:].mean() < 0.96


@given(hnp.arrays(np.int64, st.integers(0, 40), elements=st.integers(0, 3)))
def test_the_expected_range_keeps_its_order(count):
    found = rates.expected_range(count, grain="month")
    known = np.isfinite(found.mean)
    assert (found.lower[known] <= found.upper[known]).all()
    assert known.sum() == max(0, len(count) - rates.BASELINE_PERIODS["month"])


@given(hnp.arrays(np.int64, 40, elements=st.integers(0, 400)))
def test_the_expected_range_is_that_of_the_textbook_distributions(count):
    found = rates.expected_range(count, grain="week")
    past = np.lib.stride_tricks.sliding_window_view(count[:-1].astype(float), 15)
    for at, (mean, variance) in enumerate(
        zip(past.mean(axis=1), past.var(axis=1, ddof=1), strict=True), start=15
    ):
        if variance > mean:
            size = mean**2 / (variance - mean)
            textbook = stats.nbinom(size, size / (size + mean))
        else:
            textbook = stats.poisson(mean)
        assert (found.lower[at], found.upper[at]) == (textbook.ppf(0.05), textbook.ppf(0.95))

import numpy as np
import pytest
import statsmodels.api as sm

from etl.analyse.regression import quasi_poisson

WEEK = np.arange(104)
DESIGN = np.column_stack([np.ones(104), WEEK / 52 - 1, np.sin(2 * np.pi * WEEK / 52)])


def test_coefficients_are_those_of_statsmodels():
    rng = np.random.default_rng(1)
    counts = rng.poisson(np.exp(DESIGN @ [2, 0.3, -0.2]), (3, 104)).astype(float)
    offset = np.log(rng.uniform(0.5, 1, 104))
    found = quasi_poisson(counts, DESIGN, offset=offset)
    for row, one in enumerate(counts):
        theirs = sm.GLM(one, DESIGN, family=sm.families.Poisson(), offset=offset).fit(tol=1e-12)
        assert found.coefficients[row] == pytest.approx(theirs.params, abs=1e-7)
        assert found.mean[row] == pytest.approx(theirs.mu, rel=1e-7)
        assert found.dispersion[row] == pytest.approx(max(theirs.pearson_chi2 / 101, 1), rel=1e-6)


def test_a_prior_holds_what_the_data_cannot_tell():
    counts = np.full((1, 4), 3.0)
    design = np.column_stack([np.ones(4), [0, 0, 0, 1.0]])
    counts[0, 3] = 30
    free = quasi_poisson(counts, design).coefficients[0, 1]
    held = quasi_poisson(counts, design, prior_sd=np.array([np.inf, 0.05])).coefficients[0, 1]
    assert free == pytest.approx(np.log(10), abs=1e-6)
    assert abs(held) < 0.3


def test_a_robust_fit_is_hardly_moved_by_one_outlier():
    counts = np.full((1, 104), 100.0)
    counts[0, 50] = 1000
    plain, robust = (
        np.exp(quasi_poisson(counts, DESIGN[:, :1], robust=one).coefficients[0, 0])
        for one in (False, True)
    )
    assert plain > 108
    assert robust < 101


def test_a_series_of_zeros_is_expected_to_stay_at_zero():
    found = quasi_poisson(np.zeros((1, 104)), DESIGN)
    assert found.mean.max() < 1e-6

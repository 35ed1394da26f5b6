"""Gi*, its exact p and the false discovery rate, against oracles and by hand."""

import itertools

import numpy as np
import pytest
from scipy import sparse, stats

from etl.analyse.hotspots.discovery import discoveries
from etl.analyse.hotspots.gi_star import LEAST_P, gi_star, sum_tails
from etl.analyse.hotspots.neighbours import area_rings, with_self
from tests.etl.analyse.worlds import voronoi


def random_ring(rng, n, neighbours=4):
    pairs = rng.integers(0, n, (2, n * neighbours // 2))
    ones = np.ones(pairs.shape[1])
    one_way = sparse.csr_array((ones, tuple(pairs)), shape=(n, n))
    return with_self(one_way + one_way.T)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("seed", [1, 2])
def test_z_is_that_of_esda(seed):
    from esda import G_Local
    from libpysal.weights import W

    rng = np.random.default_rng(seed)
    _, polygons, _ = voronoi(150, rng)
    ring = area_rings(polygons)
    counts = rng.poisson(rng.lognormal(0, 1, 150)).astype(float)
    weights = W({i: [j for j in row if j != i] for i, row in enumerate(ring.tolil().rows)})
    theirs = G_Local(counts, weights, transform="B", star=True, permutations=0).Zs
    assert np.abs(gi_star(counts, ring).z - theirs).max() < 1e-10


def test_p_is_that_of_every_draw_with_replacement():
    values = np.array([0, 0, 1, 3.0])
    sums, sizes = np.array([0.0, 1, 2, 4, 9]), np.array([2, 1, 2, 3, 3])
    upper, lower = sum_tails(sums, sizes, values)
    for place, (total, k) in enumerate(zip(sums, sizes, strict=True)):
        draws = np.array([sum(draw) for draw in itertools.product(values, repeat=k)])
        assert upper[place] == pytest.approx((draws >= total).mean(), abs=1e-12)
        assert lower[place] == pytest.approx((draws <= total).mean(), abs=1e-12)


def test_p_is_never_nought():
    values = np.append(np.zeros(20_000), 500.0)
    upper, _ = sum_tails(np.array([1500.0]), np.array([3]), values)
    assert upper[0] == LEAST_P


def test_noise_is_no_hot_spot_but_a_planted_patch_is():
    rng = np.random.default_rng(3)
    _, _, adjacency = voronoi(900, rng)
    ring = with_self(adjacency)
    noise = sum(gi_star(rng.poisson(0.2, 900).astype(float), ring).hot.any() for _ in range(40))
    assert noise <= 6
    patch = (ring @ ring)[[450]].toarray()[0] > 0
    found = gi_star(rng.poisson(np.where(patch, 5.0, 0.4)).astype(float), ring)
    assert found.hot[patch].mean() > 0.6
    assert found.hot[~patch].mean() < 0.05


def test_equal_counts_and_isolates_give_nothing_and_no_nan():
    ring = with_self(sparse.csr_array((50, 50)))
    equal = gi_star(np.full(50, 3.0), ring)
    assert (equal.z == 0).all()
    assert not equal.hot.any()
    assert not equal.cold.any()
    none = gi_star(np.zeros(50), ring)
    assert not none.hot.any()
    assert np.isfinite(none.p).all()


def test_areas_outside_the_study_do_not_count():
    rng = np.random.default_rng(5)
    ring = random_ring(rng, 80)
    counts = rng.poisson(2, 80).astype(float)
    study = rng.random(80) < 0.7
    masked = gi_star(counts, ring, study=study)
    alone = gi_star(counts[study], ring[study][:, study])
    np.testing.assert_allclose(masked.z[study], alone.z, atol=1e-12)
    np.testing.assert_allclose(masked.p[study], alone.p, atol=1e-12)
    assert np.isnan(masked.z[~study]).all()
    assert not masked.hot[~study].any()


def test_too_few_areas_are_no_data():
    found = gi_star(np.array([9.0, 0, 0]), with_self(sparse.csr_array((3, 3))))
    assert np.isnan(found.z).all()
    assert np.isnan(found.p).all()
    assert not found.hot.any()


@pytest.mark.parametrize("power", [1, 3, 8])
def test_discoveries_are_those_of_scipy(power):
    p = np.random.default_rng(power).random(500) ** power
    theirs = stats.false_discovery_control(p, method="bh") <= 0.05
    assert np.array_equal(discoveries(p, rate=0.05), theirs)


def test_unknown_p_is_no_test():
    p = np.array([0.02, np.nan, np.nan, np.nan])
    assert discoveries(p, rate=0.05).tolist() == [True, False, False, False]
    assert not discoveries(np.array([0.02, 1, 1, 1]), rate=0.05).any()
    assert not discoveries(np.full(3, np.nan), rate=0.05).any()
    assert not len(discoveries(np.zeros(0), rate=0.05))

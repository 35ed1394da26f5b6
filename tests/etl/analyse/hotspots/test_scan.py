"""Space-time scan: its ratios by brute force, what it finds, and what it does not."""

import numpy as np
import pytest

from etl.analyse.hotspots.scan import gumbel_tail, scan

ZONES = (1, 2, 3, 5, 7)


def city(rng, n=200):
    return rng.uniform(0, 10, (n, 2)), rng.lognormal(0, 0.5, n)


def run(counts, shares, centres, **changed):
    options = {"neighbours": ZONES, "replicas": 49, "told": 3, "seed": 4, **changed}
    return scan(counts, shares, np.full(len(shares), 5.0), centres, **options)


def test_the_largest_ratio_is_that_of_every_zone_tried_by_hand():
    rng = np.random.default_rng(1)
    centres, shares = city(rng, 40)
    counts = rng.poisson(2.0, (40, 4)).astype(float)
    best = 0.0
    part = shares / shares.sum()
    for number, centre in enumerate(centres):
        order = np.argsort(np.hypot(*(centres - centre).T))
        # Every second area only is the centre of a zone of seven.
        for k in ZONES if number % 2 == 0 else ZONES[:-1]:
            for periods in (1, 2, 3, 4):
                seen = counts[:, -periods:]
                count = seen[order[:k]].sum()
                expected = part[order[:k]].sum() * seen.sum()
                if count > expected:
                    best = max(best, count * np.log(count / expected) - (count - expected))
    found = run(counts, shares, centres)[0]
    assert found.ratio == pytest.approx(best, rel=1e-4)
    seen = counts[:, -found.periods :]
    assert found.observed == seen[found.members].sum()
    assert found.expected == pytest.approx(part[found.members].sum() * seen.sum())


def test_a_surge_is_found_where_and_when_it_is():
    rng = np.random.default_rng(2)
    centres, shares = city(rng)
    rates = np.outer(shares / shares.mean(), [1.0, 0.6, 1.0, 1.2])
    patch = np.argsort(np.hypot(*(centres - centres[17]).T))[:5]
    rates[patch, 2:] += 6
    found = run(rng.poisson(rates).astype(float), shares, centres)
    assert found[0].p < 0.01
    assert found[0].periods == 2
    assert len(np.intersect1d(found[0].members, patch)) >= 4
    assert not np.intersect1d(found[0].members, found[1].members).size


def test_a_rise_of_the_whole_city_is_no_cluster():
    rng = np.random.default_rng(3)
    centres, shares = city(rng)
    rates = np.outer(shares / shares.mean(), [1.0, 1.0, 1.0, 5.0])
    counts = rng.poisson(rates * rng.gamma(5, 0.2, rates.shape)).astype(float)
    assert run(counts, shares, centres)[0].p > 0.05


def test_the_same_seed_gives_the_same_p():
    rng = np.random.default_rng(5)
    centres, shares = city(rng)
    counts = rng.poisson(1.0, (200, 4)).astype(float)
    one, other = run(counts, shares, centres), run(counts, shares, centres)
    assert [each.p for each in one] == [each.p for each in other]
    assert run(counts, shares, centres, seed=9)[0].p != one[0].p


def test_nothing_and_too_little():
    centres, shares = city(np.random.default_rng(6), 3)
    assert run(np.zeros((3, 4)), shares, centres) == []
    assert run(np.ones((3, 4)), np.zeros(3), centres) == []
    assert all(len(one.members) <= 3 for one in run(np.eye(3, 4) * 9, shares, centres))
    alone = run(np.array([[1.0, 2, 3, 4]]), np.ones(1), np.zeros((1, 2)))
    assert alone == []


def test_gumbel_tail_of_gumbel_maxima():
    null = np.random.default_rng(7).gumbel(10, 2, 20_000)
    for point in (0.5, 0.1, 0.02):
        value = 10 - 2 * np.log(-np.log(1 - point))
        assert gumbel_tail(value, null) == pytest.approx(point, rel=0.1)
    assert gumbel_tail(3.0, np.full(9, 3.0)) == 1.0

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy import sparse, stats

from data.analysis_settings import AnalysisSettingsError
from data.signal_settings import read_signal_settings
from etl.analyse.hotspots.discovery import false_discovery
from etl.analyse.hotspots.exceedance import ring_sums
from etl.analyse.hotspots.neighbours import with_self
from etl.analyse.signals.chance import _chance_of_a_rise
from etl.analyse.signals.detect import (
    Counted,
    colours,
    cumulative,
    exceedance,
    ring_size,
    slow_rise,
    small_tail,
)

SETTINGS = read_signal_settings(Path("/"))
INF = np.inf


def test_false_discovery_equals_scipy_and_leaves_unknown_ones_out():
    p = np.random.default_rng(1).uniform(size=200) ** 3
    np.testing.assert_allclose(false_discovery(p), stats.false_discovery_control(p))
    with_gaps = np.insert(p, [3, 90], np.nan)
    found = false_discovery(with_gaps)
    assert np.isnan(found[[3, 91]]).all()
    np.testing.assert_allclose(found[~np.isnan(found)], stats.false_discovery_control(p))


def test_tails_are_told_where_they_are_small():
    mean = np.array([1.0, 1.0, np.nan, 0.01])
    found = small_tail(np.array([9.0, 2.0, 5.0, 1.0]), mean, np.array([INF, INF, INF, 2.0]))
    assert found[0] == pytest.approx(stats.poisson.sf(8, 1.0))
    assert found[1] == 1
    assert np.isnan(found[2])
    assert found[3] == pytest.approx(stats.nbinom.sf(0, 2.0, 2.0 / 2.01))


@pytest.mark.parametrize(
    ("p", "observed", "mean", "colour"),
    [
        (1e-3, 3, 0.2, 1),
        (1.1e-3, 3, 0.2, 0),
        (1e-9, 2, 0.1, 0),
        (1e-9, 9, 2.0, 4),
        (1e-9, 9, 3.1, 3),
        (1e-9, 7, 2.0, 3),
        (1e-9, 20, 11.0, 2),
        (1e-9, 20, 14.0, 1),
    ],
)
def test_every_limit_of_a_colour_must_be_met(p, observed, mean, colour):
    many = np.full(500, 1.0)
    many[0] = p
    counts, means = np.full(500, float(observed)), np.full(500, mean)
    found = colours(many, counts, means, SETTINGS.colours, lowest=True)
    assert found[0] == colour
    assert not found[1:].any()


def ring_world():
    """Five areas in a row."""
    pairs = np.array([[0, 1], [1, 2], [2, 3], [3, 4]])
    rows, columns = np.concatenate([pairs, pairs[:, ::-1]]).T
    return with_self(sparse.csr_array((np.ones(8), (rows, columns)), shape=(5, 5)))


def test_ring_sums_hold_the_area_and_its_neighbours():
    values = np.array([1.0, 2.0, np.nan, 4.0, 5.0])
    np.testing.assert_array_equal(ring_sums(ring_world(), values), [3, 3, 6, 9, 9])


def test_rings_of_independent_areas_have_the_size_of_their_sum():
    past = np.zeros((5, 0)), np.zeros((5, 0))
    found = ring_size(np.full(5, 2.0), np.full(5, 4.0), past, ring_world())
    np.testing.assert_allclose(found, [8, 12, 12, 12, 8])


def test_rings_that_scatter_more_than_their_areas_get_a_smaller_size():
    rng = np.random.default_rng(2)
    expected = np.full((5, 400), 20.0)
    calm, wild = rng.poisson(20.0, (5, 400)), rng.poisson(20.0 * rng.gamma(2.0, 0.5, (5, 400)))
    sizes = [
        ring_size(np.full(5, 7.0), np.full(5, INF), (one.astype(float), expected), ring_world())
        for one in (calm, wild)
    ]
    assert sizes[0].min() > 30
    assert sizes[1].max() < 5


def test_the_cumulative_sum_by_hand():
    settings = replace(SETTINGS, cusum_slack=1.0, cusum_cap=3.0)
    steps = np.array([[2.0, 0.5, 9.0, 2.0], [-5.0, 0.0, 0.0, 1.5]])
    np.testing.assert_allclose(cumulative(steps, settings), [3.5, 0.5])


def test_a_slow_rise_is_seen_although_no_week_stands_out_and_one_week_alone_is_none():
    past = np.full((3, 7), 8.0)
    past[0, 3:] = 16.0
    counted = Counted("area", np.array([16.0, 8.0, 60.0]), np.full(3, 8.0), np.full(3, INF))
    found = slow_rise(counted, (past, np.full((3, 7), 8.0)), settings=SETTINGS)
    assert found.colour.tolist() == [SETTINGS.cusum_colour, 0, 0]
    assert exceedance(counted, settings=SETTINGS, lowest=True).colour[0] == 0


def test_a_rise_that_is_over_is_silent():
    past = np.full((1, 7), 20.0)
    counted = Counted("area", np.array([8.0]), np.array([8.0]), np.array([INF]))
    found = slow_rise(counted, (past, np.full((1, 7), 8.0)), settings=SETTINGS)
    assert found.colour.tolist() == [0]


def test_the_chance_of_a_rise_is_that_of_normal_steps():
    steps = np.minimum(np.random.default_rng(3).standard_normal((400_000, 6)), 3.0)
    total = np.zeros(len(steps))
    for one in steps.T:
        total = np.maximum(0, total + one - 0.5)
    assert _chance_of_a_rise(6, 0.5, 3.0, 3.0) == pytest.approx(np.mean(total >= 3.0), rel=0.06)


def test_faults_of_the_settings_are_listed_together(tmp_path):
    text = (Path("data/reference/analysis/signals.toml")).read_text(encoding="utf-8")
    folder = tmp_path / "analysis"
    folder.mkdir()
    bad = text.replace("number = 3", "number = 7").replace("p = 0.001", "p = 2.0", 1)
    (folder / "signals.toml").write_text(bad.replace("cusum_colour = 2", "cusum_colour = 9"))
    with pytest.raises(AnalysisSettingsError) as raised:
        read_signal_settings(tmp_path)
    message = str(raised.value)
    assert "colours 1, 2, 3 and 4" in message
    assert "colour 1: `p`" in message
    assert "`cusum_colour`" in message

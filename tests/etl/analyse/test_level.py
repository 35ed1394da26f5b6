import numpy as np
import pytest

from etl.analyse.level import city_level

SEASON = 52


def level(counts, *, complete=None, holiday=None):
    number = len(counts)
    return city_level(
        np.asarray(counts, dtype=float),
        np.ones(number) if complete is None else complete,
        np.zeros((number + 1, 0)) if holiday is None else holiday,
        season=SEASON,
    )


def seasonal(number, rng, mean=5000):
    at = np.arange(number)
    return mean * (1 + 0.2 * np.sin(2 * np.pi * at / 52)), rng.poisson


def test_a_short_flat_history_goes_on():
    assert level([100] * 10).mean == pytest.approx(100, rel=0.01)


def test_the_season_of_last_year_comes_again():
    truth, draw = seasonal(105, np.random.default_rng(1))
    found = level(draw(truth[:-1]))
    assert found.mean == pytest.approx(truth[-1], rel=0.03)
    assert found.variance < 0.05**2


def test_a_growing_city_is_followed():
    assert level([100] * 60 + [150] * 12).mean == pytest.approx(150, rel=0.08)


def test_one_odd_week_does_not_move_the_weeks_after_it():
    counts = [1000] * 60 + [3000] + [1000] * 4
    assert level(counts).mean == pytest.approx(1000, rel=0.03)


def test_an_incomplete_week_is_no_fall():
    counts = np.full(60, 1000.0)
    complete = np.ones(60)
    counts[-2:], complete[-2:] = [800, 400], [0.8, 0.4]
    assert level(counts, complete=complete).mean == pytest.approx(1000, rel=0.02)


def test_a_holiday_seen_before_is_expected_again_and_is_less_sure():
    truth, draw = seasonal(104, np.random.default_rng(2))
    holiday = np.zeros((104, 1))
    holiday[[51, 103]] = 1
    truth *= 1 - 0.35 * holiday[:, 0]
    counts = draw(truth)
    found = level(counts[:-1], holiday=holiday)
    assert found.mean == pytest.approx(truth[-1], rel=0.08)
    assert found.variance > 0.08**2


def test_a_holiday_never_seen_has_no_effect_that_one_could_know():
    holiday = np.zeros((61, 1))
    holiday[-1] = 1
    found = level([1000] * 60, holiday=holiday)
    assert found.mean == pytest.approx(1000, rel=0.01)
    assert found.variance >= 0.3**2


def test_eight_weeks_without_events_do_not_rule_out_the_next_one():
    assert level([1, 0, 2, 1, 0, 1] * 8 + [0] * 8).mean > 0.2
    assert level([0] * 30).mean < 1e-3

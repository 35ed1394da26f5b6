from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from data.index_file import read_index_settings
from data.index_trace import base_weights, colour_of, compose, points, recompute, why

SETTINGS = read_index_settings(Path("no city"))


def rows(ratio, status="ok"):
    return pd.DataFrame({
        "indicator": np.arange(1, 29),
        "count": 5.0,
        "baseline": 4.0,
        "ratio": ratio,
        "status": status,
    })  # fmt: skip


def test_points_follow_the_straight_lines():
    found = points(np.array([0, 1, 1.1, 1.2, 1.3, 1.5, 2, 3, 9, np.nan]), SETTINGS.curve)
    assert found[:9] == pytest.approx([0, 9.0909, 10, 15, 20, 30, 53.3333, 100, 100], abs=1e-4)
    assert np.isnan(found[9])


def test_the_lead_weighs_one_half_of_its_dimension():
    found = base_weights(SETTINGS)
    assert found.sum() == pytest.approx(1)
    assert found[0] == pytest.approx(0.125)
    assert found[1] == pytest.approx(0.125 / 4)
    assert found[16] == pytest.approx(0.05)


def test_dilution_check_of_the_method():
    ratio = np.ones((1, 28))
    ratio[0, 0] = 2.0
    found = compose(ratio, SETTINGS)
    assert found.points[0, 0] == pytest.approx(53.3, abs=0.05)
    assert found.dimension_points[0, 0] == pytest.approx(31.2, abs=0.05)
    assert found.risk[0] == pytest.approx(14.6, abs=0.05)
    assert colour_of(found.risk, SETTINGS)[0] == 2
    assert found.raw_colour[0] == 3


def test_nothing_changed_scores_nine_and_is_blue():
    found = compose(np.ones((1, 28)), SETTINGS)
    assert found.risk[0] == pytest.approx(9.09, abs=0.005)
    assert found.raw_colour[0] == 1


def test_edges_belong_to_the_lower_colour():
    risk = np.array([0, 10, 10.0001, 20, 20.0001, 30, 30.0001, np.nan])
    assert colour_of(risk, SETTINGS).tolist() == [1, 1, 2, 2, 3, 3, 4, 0]


def test_a_missing_indicator_is_dropped_and_never_zero():
    ratio = np.full((2, 28), 1.5)
    ratio[1, [4, 11, 23]] = np.nan
    found = compose(ratio, SETTINGS)
    assert found.risk == pytest.approx([30, 30])
    assert found.weight.sum(axis=1) == pytest.approx([1, 1])
    assert found.weight[1, [4, 11, 23]].tolist() == [0, 0, 0]


def test_a_missing_dimension_hands_its_weight_to_the_others():
    ratio = np.full((1, 28), 1.3)
    ratio[0, 19:24] = np.nan
    found = compose(ratio, SETTINGS)
    assert np.isnan(found.dimension_points[0, 4])
    assert found.risk[0] == pytest.approx(20)
    assert found.missing_weight[0] == pytest.approx(0.15)


def test_more_than_two_fifths_missing_is_grey():
    ratio = np.ones((2, 28))
    ratio[0, :5] = np.nan  # D1, 0.25
    ratio[0, 19:24] = np.nan  # D5, 0.15: 0.40 in all, still enough
    ratio[1, :10] = np.nan  # D1 and D2, 0.50
    found = compose(ratio, SETTINGS)
    assert found.missing_weight == pytest.approx([0.4, 0.5])
    assert found.raw_colour.tolist() == [1, 0]
    assert np.isnan(found.risk[1])


def test_deaths_add_three_points_each_up_to_fifteen():
    found = compose(np.ones((3, 28)), SETTINGS, deaths=np.array([0.0, 2.0, 9.0]))
    assert found.risk - found.risk[0] == pytest.approx([0, 6, 15])


def test_recompute_refuses_rows_of_two_areas():
    with pytest.raises(ValueError, match="indicators 1 to 28, each once"):
        recompute(pd.concat([rows(1.0), rows(1.0)]), SETTINGS)


def test_recompute_adds_the_deaths_that_the_rows_tell():
    told = recompute(rows(np.ones(28)), SETTINGS)
    not_told = recompute(
        rows(np.ones(28), np.where(np.arange(28) == 15, "no_feed", "ok")), SETTINGS
    )
    assert told.risk - not_told.risk == pytest.approx(15)


def test_recompute_does_not_ask_for_the_order_of_rows():
    ratio = np.linspace(0.2, 3.2, 28)
    status = np.where(np.arange(1, 29) == 16, "no_feed", "ok")
    found = recompute(rows(ratio, status), SETTINGS)
    again = recompute(rows(ratio, status).sample(frac=1, random_state=1), SETTINGS)
    assert found.risk == again.risk
    assert found.risk == pytest.approx(float(np.nansum(found.points * found.weight)))
    assert found.index == 100 - found.risk


def test_why_names_the_largest_contribution_first():
    ratio = np.ones(28)
    ratio[[6, 16]] = 3.0, 1.4
    chinese = why(rows(ratio), SETTINGS, chinese=True)
    english = why(rows(ratio), SETTINGS, chinese=False)
    assert chinese[0] == "治安类警情：5（往期应为 4），综合为 3.00 倍，+12.5 分"
    assert english[0] == (
        "Public order calls: 5 (own past leads one to expect 4), 3.00 times in all, +12.5 points"
    )
    assert len(chinese) == len(english) == 2


def test_why_is_silent_where_nothing_rose():
    assert why(rows(np.full(28, 0.8)), SETTINGS, chinese=True) == []

"""Trend test against its oracle; classes of hot spots by the published table."""

import numpy as np
import pytest

from etl.analyse.hotspots.emerging import CODES, classify, final_run, plain_groups
from etl.analyse.hotspots.trend import mann_kendall, shares, trend_p


def test_mann_kendall_is_that_of_pymannkendall():
    import pymannkendall

    rng = np.random.default_rng(1)
    series = rng.poisson(1.5, (60, 26)) + np.outer(np.arange(60) / 30, np.arange(26) // 5)
    series[0] = 2
    found = mann_kendall(series.astype(float))
    for row, z in zip(series, found, strict=True):
        theirs = pymannkendall.original_test(row)
        assert z == pytest.approx(theirs.z, abs=1e-12)
        assert trend_p(np.array([z]))[0] == pytest.approx(theirs.p, abs=1e-12)


def test_no_series_and_one_step():
    assert mann_kendall(np.zeros((0, 10))).shape == (0,)
    assert mann_kendall(np.ones((3, 1))).tolist() == [0, 0, 0]


def test_share_of_nothing_is_nothing():
    assert shares(np.array([[1.0, 0.0]]), np.array([4.0, 0.0])).tolist() == [[0.25, 0.0]]


# Ten steps; "#" hot, "-" cold, "." neither; with the trend.
GOLDEN = [
    (".........#", 0, "new", "new"),
    ("........##", 0, "consecutive", "running"),
    (".....#####", 0, "consecutive", "running"),
    ("##########", 1, "intensifying", "rising"),
    (".#########", 1, "intensifying", "rising"),
    ("##########", 0, "persistent", "lasting"),
    ("#####.####", 0, "persistent", "lasting"),
    ("##########", -1, "diminishing", "receding"),
    ("#.#......#", 0, "sporadic", "new"),
    ("#.#.....##", 0, "sporadic", "running"),
    ("-........#", 0, "new", "new"),
    ("#-.......#", 0, "oscillating", "new"),
    ("#-......##", 0, "oscillating", "running"),
    ("#########.", 1, "historical", "receding"),
    ("..........", 1, "none", "none"),
    ("####......", 0, "none", "none"),
    (".........-", 0, "cold_new", "none"),
    ("........--", 0, "cold_consecutive", "none"),
    ("----------", -1, "cold_intensifying", "none"),
    ("----------", 0, "cold_persistent", "none"),
    ("----------", 1, "cold_diminishing", "none"),
    ("-.-......-", 0, "cold_sporadic", "none"),
    ("#-.......-", 0, "cold_oscillating", "none"),
    ("---------.", 0, "cold_historical", "none"),
]


@pytest.mark.parametrize(("steps", "trend", "code", "group"), GOLDEN)
def test_class_and_group(steps, trend, code, group):
    marks = np.array([list(steps)])
    hot, cold = marks == "#", marks == "-"
    found = classify(hot, cold, np.array([trend]))
    assert found.tolist() == [code]
    assert plain_groups(found, final_run(hot)).tolist() == [group]


def test_every_code_is_in_the_table():
    assert {code for _, _, code, _ in GOLDEN} == set(CODES)

"""What a report calls a rise or a fall: rarely by chance, and nearly always when it is one."""

import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from dashboard.reports.compared import LEAST, counted, tails, verdicts

SEED = int(np.random.SeedSequence().entropy % 2**32)


def rows(observed, expected, size):
    observed, expected, size = (np.asarray(each, float) for each in (observed, expected, size))
    more, less = tails(observed, expected, size)
    return pd.DataFrame({"observed": observed, "p_more": more, "p_less": less})


def test_the_tails_are_those_of_the_negative_binomial():
    more, less = tails(np.array([12.0, 12.0]), np.array([8.0, 8.0]), np.array([4.0, math.inf]))
    gamma = [sum(stats.nbinom.pmf(k, 4, 4 / 12) for k in range(n)) for n in (12, 13)]
    poisson = [sum(stats.poisson.pmf(k, 8) for k in range(n)) for n in (12, 13)]
    assert more == pytest.approx([1 - gamma[0], 1 - poisson[0]])
    assert less == pytest.approx([gamma[1], poisson[1]])


def test_too_few_to_tell_and_nothing_to_compare_with_are_not_tested():
    found = rows([LEAST - 1, 0, 30, 30], [LEAST - 1, LEAST - 0.1, math.nan, 0], [9.0] * 4)
    assert verdicts(found) == ["unknown"] * 4


def test_chance_alone_is_seldom_called_a_rise_or_a_fall():
    rng = np.random.default_rng(SEED)
    wrong = 0
    for _ in range(200):
        expected = rng.uniform(6, 60, size=100)
        observed = rng.negative_binomial(20, 20 / (20 + expected))
        said = verdicts(rows(observed, expected, np.full(100, 20.0)))
        wrong += any(one in {"more", "less"} for one in said)
    # A false discovery rate of 10 % under the null: any at all in at most one list of ten.
    assert wrong <= 40, SEED


def test_a_doubling_and_a_halving_are_named():
    expected = np.full(50, 60.0)
    observed = np.full(50, 60.0)
    observed[3], observed[7] = 140, 20
    said = verdicts(rows(observed, expected, np.full(50, 50.0)))
    assert (said[3], said[7]) == ("more", "less")
    assert set(said) - {"more", "less"} == {"usual"}
    assert sum(one != "usual" for one in said) == 2


def test_what_is_unknown_stays_unknown():
    row = pd.Series({"observed": 7, "lower": math.nan, "upper": 9, "before": math.nan, "year": 4.0})
    found = counted(row, "unknown")
    assert (found.now, found.before, found.year, found.usual) == (7, None, 4, None)

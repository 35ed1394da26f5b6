"""The rule for withheld counts with a known sum, against everything that it must stand."""

from itertools import product

import numpy as np
import pytest
from scipy.optimize import linprog

from etl.protect.rules import LEAST_MEMBERS, WIDTH, stands


def rule(members):
    return bool(stands(np.array(len(members)), np.array(sum(members)), np.array(max(members))))


def width(total, size, member):
    """Width of the interval of one of some counts with a known sum, by linear program."""
    ends = []
    for sign in (1, -1):
        goal = np.zeros(size)
        goal[member] = sign
        ends.append(sign * linprog(goal, A_eq=np.ones((1, size)), b_eq=[total]).fun)
    return ends[1] - ends[0]


def narrowest(members):
    """Least width that anybody is left with: from outside, or knowing one member."""
    widths = [width(sum(members), len(members), 0)]
    for known in members:
        others = len(members) - 1
        widths.append(width(sum(members) - known, others, 0) if others else np.inf)
    return min(widths)


@pytest.mark.parametrize("size", [2, 3, 4])
def test_what_stands_by_the_rule_stands_against_a_linear_program(size):
    for members in product(range(0, 6, 1 if size < 4 else 2), repeat=size):
        closed = size >= LEAST_MEMBERS and sum(members) - max(members) >= WIDTH
        assert closed == (narrowest(members) >= WIDTH), members
        assert not rule(members) or closed, members


@pytest.mark.parametrize(("size", "largest"), [(3, 14), (4, 10), (5, 7)])
def test_it_stands_against_somebody_who_knows_the_rule(size, largest):
    # Every set with the same size and sum that the rule lets through is possible for him.
    by_sum = {}
    for members in product(range(largest + 1), repeat=size):
        if rule(members) and sum(members) <= largest:
            by_sum.setdefault(sum(members), []).append(members)
    assert by_sum
    for possible in by_sum.values():
        first = [members[0] for members in possible]
        assert max(first) - min(first) >= WIDTH
        for known in set(first):
            second = [members[1] for members in possible if members[0] == known]
            assert max(second) - min(second) >= WIDTH


def test_without_the_least_sums_he_would_learn_all():
    # Four members with a sum of 4: none may exceed 1, so each is 1.
    assert sum((1, 1, 1, 1)) - 1 >= WIDTH
    assert not rule((1, 1, 1, 1))
    assert not rule((1, 2, 2))
    assert rule((3, 3, 3))
    assert rule((0, 3, 3, 0))

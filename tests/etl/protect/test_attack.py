"""
Attacks on random releases, and on what would be published without each of the precautions.

All 200 releases of the promise run with LONG_RUN=1, or with
`python -m tests.etl.protect.attack --releases 200`, which prints the figures.
"""

import os
from dataclasses import replace

import numpy as np
import pytest

from data.privacy import Privacy
from etl.protect import classes, totals
from tests.etl.protect.attack import Figures, attack_release
from tests.etl.protect.attacker import TOTAL, Attack, World, attack, withheld
from tests.etl.protect.worlds import publish, random_worlds

pytestmark = pytest.mark.early

LONG = bool(os.environ.get("LONG_RUN"))
SMALL = {"largest": 40, "insiders": 6} if LONG else {"largest": 15, "insiders": 3}


@pytest.mark.parametrize("first", range(0, 200 if LONG else 40, 20))
def test_nothing_withheld_is_recovered(first):
    figures = Figures()
    for seed in range(first, first + 20):
        attack_release(seed, figures, **SMALL)
    assert figures.withheld > 1_000
    assert figures.exact == []
    assert figures.narrow == []
    assert figures.unequal_totals == 0
    assert figures.beyond_internal == 0


def without_brothers(monkeypatch):
    """Publish every total that is not small, and protect no other."""
    monkeypatch.setattr(
        totals, "stands", lambda _size, total, _largest: np.full(np.shape(total), True)
    )


def without_paths(monkeypatch):
    """Publish every class of an area that is not small, and protect no other."""
    monkeypatch.setattr(
        classes, "protect", lambda table: (table.hidden, np.zeros_like(table.hidden))
    )


def for_outsiders_only(monkeypatch):
    """Think of nobody who knows his own area."""
    weak = lambda size, total, _largest: (size >= 2) & (total >= 3)  # noqa: E731
    monkeypatch.setattr(totals, "stands", weak)


@pytest.mark.parametrize("precaution", [without_brothers, without_paths, for_outsiders_only])
def test_the_attacker_recovers_counts_once_a_precaution_is_left_out(precaution, monkeypatch):
    precaution(monkeypatch)
    figures = Figures()
    for seed in range(12):
        attack_release(seed, figures, largest=15, insiders=3)
    assert len(figures.exact) > 10


def test_the_linear_program_stops_what_the_proof_has_overlooked(monkeypatch):
    without_paths(monkeypatch)
    exposed = {False: 0, True: 0}
    for seed in range(12):
        worlds = random_worlds(np.random.default_rng(seed), periods=1, largest=15)
        for solve in exposed:
            told = publish(worlds[0], Privacy(), solve=solve)["internal"]
            cells = {(0, *cell): count for cell, count in told.items()}
            targets = withheld(worlds, cells, k=5, finest=(4, 2))
            exposed[solve] += len(attack(worlds, cells, targets)[0])
    assert exposed[False] > 0
    assert exposed[True] == 0


def one_area(days):
    """Days of one area with the given counts."""
    shape = ({"0": None, "1": "0"}, {"0": 0, "1": 1})
    return [
        World(
            *shape, {"0": np.array([0]), "1": np.array([count])}, np.array([0]), np.array([False])
        )
        for count in days
    ]


def test_rolling_windows_give_daily_counts_away():
    draw = np.random.default_rng(7)
    days = one_area(draw.poisson(1.0, size=45))
    windows = {}
    for length in (7, 30):
        for end in range(length, len(days) + 1):
            span = tuple(range(end - length, end))
            count = sum(days[day].count("1") for day in span)
            if count >= 5:
                windows[span, "1", TOTAL] = count
    targets = [(day, "1", TOTAL) for day in range(len(days))]
    rolling = Attack(days, {}, windows=windows).intervals(targets, width=3)
    assert sum(low == high for low, high in rolling.values()) > 20
    # Calendar weeks of the same days tell none of them.
    weeks = {
        span: count for span, count in windows.items() if len(span[0]) == 7 and not span[0][0] % 7
    }
    assert weeks
    calendar = Attack(days, {}, windows=weeks).intervals(targets, width=3)
    assert not calendar


def test_a_second_release_of_a_period_would_tell_what_arrived_in_between():
    before = random_worlds(np.random.default_rng(3), periods=1, largest=15)[0]
    first = publish(before, Privacy())["internal"]
    area, column = next(cell for cell in first if cell[0] != "0" and cell[1] == TOTAL)
    own = {**before.own, area: before.own[area] + np.eye(len(before.upper), dtype=int)[0]}
    second = publish(replace(before, own=own), Privacy())["internal"]
    # One incident more, of which the difference tells area and class.
    assert second[area, column] - first[area, column] == 1


def test_an_attacker_who_is_told_everything_knows_everything():
    world = random_worlds(np.random.default_rng(5), periods=1, largest=8)[0]
    told = {(0, area, TOTAL): world.count(area) for area in world.areas}
    targets = [(0, area, TOTAL) for area in world.areas]
    found, _ = attack([world], told, targets)
    assert found == {target: (told[target],) * 2 for target in targets}

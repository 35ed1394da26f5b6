"""Any sequence of steps and days: the history is whole, and nothing is lost, doubled or skipped."""

import datetime as dt
import shutil
from itertools import count, pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from data.access import DeniedError
from data.state.database import StateDatabase
from data.warnings import StepError, Warnings, life
from data.warnings.clocks import CLOCK_OF, due_at
from tests.data.warnings.town import (
    CHIEF,
    CITY,
    COMMUNITY,
    COUNTY,
    NOW,
    TOWNSHIP,
    TREE,
    act,
    opened,
    post,
)

NAMES = count()
UNITS = (CHIEF, COMMUNITY, TOWNSHIP, COUNTY, CITY)
STEP = st.tuples(
    st.sampled_from((*life.STEPS, "wait", "wait", "raise")),
    st.integers(0, len(UNITS) - 1),
    st.integers(0, len(UNITS) - 1),
    st.integers(0, 3),
)


@pytest.fixture
def kept(tmp_path, upgraded_file):
    shutil.copy(upgraded_file, tmp_path / "state.db")
    database = StateDatabase(f"sqlite:///{tmp_path / 'state.db'}")
    yield Warnings(database, tree=lambda: TREE)
    database.close()


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(STEP, max_size=25))
def test_whatever_happens_the_history_adds_up(kept, walk):
    now, name = NOW, next(NAMES)
    one = opened(kept, f"w{name}", colour=2)
    for word, by, to, choice in walk:
        present = kept.get(post(CITY), one.id)
        try:
            if word == "wait":
                now += dt.timedelta(hours=11 * (choice + 1))
                late = present.state in life.OPEN and present.due_at < now
                has_above = kept.settings.above(present.owner, present.places) is not None
                moved = [found.id for found in kept.escalate_due(now)]
                assert (one.id in moved) == (late and has_above)
            elif word == "raise":
                opened(kept, f"w{name}", colour=choice + 1, owner=UNITS[to], now=now)
            else:
                reasons = life.REASONS.get(word, (None,))
                unit = UNITS[to] if word == "assign" else None
                act(kept, UNITS[by], present, word, to_unit=unit,
                    reason=reasons[choice % len(reasons)], now=now)  # fmt: skip
        except (StepError, DeniedError):
            assert kept.get(post(CITY), one.id) == present
    check(kept, one.id)


def check(kept, number):
    """The history leads from the opening to what is stored, by steps that the life allows."""
    last, history = kept.get(post(CITY), number), kept.steps(post(CITY), number)
    assert [step.number for step in history] == list(range(1, last.version + 1))
    assert [step.before for step in history[1:]] == [step.after for step in history[:-1]]
    assert [step.at for step in history] == sorted(step.at for step in history)
    assert (history[-1].after, history[-1].owner, history[-1].due_at) == (
        last.state, last.owner, last.due_at,
    )  # fmt: skip
    for step in history[1:]:
        if step.step == "raise":
            assert step.after in (step.before, "escalated")
        else:
            assert life.move(step.before, step.step).to == step.after
    higher = [
        step.step == "escalate" or (step.step == "raise" and step.owner != earlier.owner)
        for earlier, step in pairwise(history)
    ]
    assert last.tiers == sum(higher)
    stage = CLOCK_OF[last.state]
    assert (last.due_at is None) == (not stage)
    clocks = kept.settings.clocks
    assert not stage or last.due_at <= due_at(last.since, clocks.stages[stage], clocks)

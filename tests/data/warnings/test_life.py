"""The table of a warning's life, cell by cell."""

from itertools import product

import pytest

from data.warnings import life
from data.warnings.kinds import StepError

# fmt: off
TABLE = {
    # state:     assign  sign  start close archive return reject escalate; o = owner, a = above
    "new":       ("oa",  "o",  "",   "",   "",     "",    "",    "oa"),
    "assigned":  ("a",   "o",  "",   "",   "",     "o",   "",    "oa"),
    "signed":    ("",    "",   "o",  "o",  "",     "o",   "",    "oa"),
    "in_hand":   ("",    "",   "",   "o",  "",     "o",   "",    "oa"),
    "closed":    ("",    "",   "",   "",   "a",    "",    "a",   ""),
    "archived":  ("",    "",   "",   "",   "",     "",    "",    ""),
    "returned":  ("oa",  "o",  "",   "",   "",     "",    "",    "oa"),
    "escalated": ("oa",  "o",  "",   "",   "",     "",    "",    "oa"),
}
# fmt: on
TO = {
    "assign": "assigned",
    "sign": "signed",
    "start": "in_hand",
    "close": "closed",
    "archive": "archived",
    "return": "returned",
    "reject": "returned",
    "escalate": "escalated",
}
WHO = {"o": "owner", "a": "above"}


@pytest.mark.parametrize(("state", "step"), [*product(life.STATES, life.STEPS)])
def test_every_step_from_every_state(state, step):
    cell = TABLE[state][life.STEPS.index(step)]
    if not cell:
        with pytest.raises(StepError, match=f"that is {state} cannot be taken through {step}"):
            life.move(state, step)
        return
    assert life.move(state, step) == life.Move(TO[step], frozenset(WHO[one] for one in cell))


def test_the_table_names_every_state_and_step():
    assert tuple(TO) == life.STEPS
    assert set(TABLE) == set(life.STATES) == set(life.STAGES)


def test_every_state_is_reached_and_only_the_archive_ends():
    reached, waiting = {"new"}, ["new"]
    while waiting:
        state = waiting.pop()
        following = {move.to for (before, _), move in life.MOVES.items() if before == state}
        waiting += following - reached
        reached |= following
        assert following or state == "archived"
    assert reached == set(life.STATES)


@pytest.mark.parametrize(
    ("state", "standings", "steps"),
    [
        ("new", {"owner"}, ("assign", "sign", "escalate")),
        ("assigned", {"above"}, ("assign", "escalate")),
        ("in_hand", {"owner"}, ("close", "return", "escalate")),
        ("closed", {"owner"}, ()),
        ("closed", {"owner", "above"}, ("archive", "reject")),
        ("archived", {"owner", "above"}, ()),
        ("new", set(), ()),
    ],
)
def test_the_steps_that_are_open_to_a_standing(state, standings, steps):
    assert life.possible(state, frozenset(standings)) == steps


@pytest.mark.parametrize("step", life.STEPS)
def test_a_reason_is_of_the_list_and_given_where_there_is_one(step):
    known = life.REASONS.get(step, ())
    for reason in known:
        assert life.check_reason(step, reason) == reason
    if not known:
        assert life.check_reason(step, None) == ""
    for wrong in ("anything", "overdue", *([None, ""] if known else ["settled"])):
        with pytest.raises(StepError, match=f"{step} needs"):
            life.check_reason(step, wrong)


def test_states_that_are_none_are_named():
    life.check_states(None)
    life.check_states(["new", "closed"])
    with pytest.raises(StepError, match="no state: asleep, gone; known are new, "):
        life.check_states(["gone", "new", "asleep"])

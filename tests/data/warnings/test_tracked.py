"""The public code: stage and times, and nothing that tells a code from none."""

import dataclasses
import datetime as dt

import pytest

from data.warnings.kinds import Tracked
from data.warnings.rows import tracking_of
from tests.data.warnings.town import CHIEF, COMMUNITY, NOW, act, opened, post

HOUR = dt.timedelta(hours=1)


def test_the_public_sees_stages_and_when_each_was_first_reached(warnings):
    one = opened(warnings)
    assert warnings.tracked(one.tracking) == Tracked("received", (("received", NOW),))
    two = act(warnings, COMMUNITY, one, "assign", to_unit=CHIEF, now=NOW + HOUR)
    two = act(warnings, CHIEF, two, "sign", now=NOW + 2 * HOUR)
    two = act(warnings, CHIEF, two, "start", now=NOW + 3 * HOUR)
    two = act(warnings, CHIEF, two, "close", reason="settled", now=NOW + 4 * HOUR)
    told = warnings.tracked(one.tracking)
    assert told.stage == "done"
    assert told.times == (
        ("received", NOW),
        ("passed_on", NOW + HOUR),
        ("in_hand", NOW + 2 * HOUR),
        ("done", NOW + 4 * HOUR),
    )


def test_a_return_or_an_escalation_is_not_told(warnings):
    one = act(warnings, COMMUNITY, opened(warnings), "assign", to_unit=CHIEF)
    back = act(warnings, CHIEF, one, "return", reason="not_ours", now=NOW + HOUR)
    up = act(warnings, COMMUNITY, back, "escalate", reason="beyond_means", now=NOW + HOUR)
    assert warnings.tracked(up.tracking) == warnings.tracked(one.tracking)
    assert warnings.tracked(up.tracking).stage == "passed_on"


def test_nothing_but_stage_and_times_is_in_it():
    assert [field.name for field in dataclasses.fields(Tracked)] == ["stage", "times"]


@pytest.mark.parametrize("shape", ["{}", "{} ", "  {}", "{:.4}-{}"])
def test_a_code_is_read_however_it_is_typed(warnings, shape):
    code = opened(warnings).tracking
    grouped = "-".join(code[at : at + 4] for at in range(0, 20, 4))
    for typed in (code, code.lower(), grouped, grouped.lower(), f" {grouped} "):
        assert warnings.tracked(typed).stage == "received"


def test_every_code_that_is_none_looks_the_same(warnings):
    code = opened(warnings).tracking
    other = ("1" if code[-1] == "0" else "0") + code[1:]
    wrong = code[:-1] + ("1" if code[-1] == "0" else "0")
    for typed in (
        "", " ", "1", other if other != code else wrong, wrong, code[:-1], code + "0", "%",
        code.replace(code[0], "_", 1), "' OR 1=1 --", "\x00" * 20, "٣" * 20, "0" * 10_000,
    ):  # fmt: skip
        assert warnings.tracked(typed) is None


def test_no_two_codes_are_alike_and_none_follows_from_another(warnings):
    codes = [opened(warnings, f"{at}").tracking for at in range(200)]
    assert len(set(codes)) == 200
    assert all(tracking_of(code) == code and len(code) == 20 for code in codes)
    # Each place takes most of the 32 characters: nothing in a code stands still.
    assert all(len({code[at] for code in codes}) > 20 for at in range(20))


def test_the_code_is_not_the_number_nor_in_the_history(warnings):
    one = opened(warnings)
    assert str(one.id) != one.tracking
    assert not any(one.tracking in str(step) for step in warnings.steps(post(CHIEF), one.id))

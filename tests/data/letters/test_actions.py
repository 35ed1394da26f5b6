"""Signed letters as the pipeline sees them."""

import datetime as dt
import shutil

import pytest

from data.letters.actions import action_id, digest, signed_letters
from data.letters.store import Letters
from data.state.database import open_state
from tests.data.letters.conftest import DAY, LEADER, NOW, basis, wording


@pytest.fixture
def home(tmp_path, upgraded_file):
    shutil.copy(upgraded_file, tmp_path)
    return tmp_path


def test_letters_are_actions_from_their_signing_on(home):
    database = open_state("", home)
    letters = Letters(database)
    made = [
        letters.draft(LEADER, basis(week=f"2026-W{n}"), wording(), now=NOW) for n in (44, 45, 46)
    ]
    assert signed_letters(home) == ()
    for at, one in enumerate(made[:2]):
        letters.sign(LEADER, one.id, revision=1, now=NOW + dt.timedelta(days=at), day=DAY)
    slip = letters.draft_slip(LEADER, made[0].id, "acceptance", wording(), now=NOW)
    letters.sign(LEADER, slip.id, revision=1, now=NOW, day=DAY)
    found = signed_letters(home)
    assert [one.id for one in found] == [action_id(one.id) for one in made[:2]]
    first = found[0]
    assert (first.level, first.code, first.day, first.kind, first.group) == (
        "township", "990100101", DAY, "risk_letter", "all",
    )  # fmt: skip
    before = digest(found)
    letters.withdraw(LEADER, made[1].id, "settled", now=NOW)
    assert len(signed_letters(home)) == 1
    assert digest(signed_letters(home)) not in {before, ""}
    database.close()


def test_reading_makes_no_database(tmp_path):
    assert signed_letters(tmp_path) == ()
    assert list(tmp_path.iterdir()) == []
    assert digest(()) == ""

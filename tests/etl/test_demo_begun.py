"""The demonstration city when it is first served: warned about, and its week issued."""

import shutil

import pytest

from data import issues
from data.access import Grant, Scope
from data.settings import Settings
from data.state.database import open_state
from data.warnings import Warnings
from etl import demo

CITY = Scope("chief", frozenset({Grant("command")}))


@pytest.fixture
def chosen(demo_home, tmp_path):
    home = shutil.copytree(demo_home, tmp_path / "home")
    return Settings.from_env({"PINGAN_HOME": str(home)})


def warned(chosen):
    database = open_state(chosen.state, chosen.home)
    return [one.id for one in Warnings(database).listed(CITY, limit=500)]


def test_it_begins_with_warnings_and_an_issue_and_only_once(chosen):
    told = []
    demo.begin(chosen, progress=lambda done, of: told.append((done, of)))
    issued, opened = issues.issues(chosen.home), warned(chosen)
    assert len(issued) == 1
    assert opened
    assert told[-1][0] == told[-1][1]
    demo.begin(chosen, progress=lambda _done, _of: pytest.fail("made again"))
    assert issues.issues(chosen.home) == issued
    assert warned(chosen) == opened


def test_another_demonstration_begins_without_the_issues_of_this_one(chosen):
    demo.begin(chosen, progress=lambda _done, _of: None)
    demo.clear(chosen.home)
    assert issues.issues(chosen.home) == []

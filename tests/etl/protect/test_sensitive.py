"""Sensitive categories: never told by name below the county, together and late above it."""

import shutil

import pytest

from data.releases import OTHER, SENSITIVE
from data.store import Store
from etl.pipeline import build
from etl.verify import verify
from tests.etl.protect.conftest import weeks

CATEGORIES = (
    "code,parent_code,name_zh,name_en\n"
    "P1,,甲,A\nP101,P1,甲一,A one\nP2,,乙,B\nP299,P2,乙一,B one\nP204,P2,乙二,B two\n"
)
KINDS = ("P101", "P299", "P204")
MONDAY = "2026-01-05"


@pytest.fixture
def precinct(town):
    (town.folder / "categories.csv").write_text(CATEGORIES, encoding="utf-8")
    town.privacy("sensitive_delay_periods = 3")
    return town


def rows(town, category):
    return {key[:4]: count for key, count in town.stored().items() if key[4] == category}


def test_they_are_told_late_and_never_below_the_county(precinct):
    precinct.publish(weeks(4, kinds=KINDS))
    assert not rows(precinct, SENSITIVE)
    manifest = precinct.publish(weeks(5, kinds=KINDS)).manifest
    told = rows(precinct, SENSITIVE)
    assert told["internal", MONDAY, "city", "T"] == 3 * 16
    assert told["public", MONDAY, "county", "B"] == 16
    assert {(key[1], key[2]) for key in told} == {(MONDAY, "city"), (MONDAY, "county")}
    assert manifest["released"]["sensitive"] == [MONDAY, MONDAY]
    assert verify(precinct.home)["ok"]
    # And they stay as they are.
    precinct.publish([*weeks(6, kinds=KINDS), *weeks(1, kinds=("P204",), tag="late")])
    assert {key: one for key, one in rows(precinct, SENSITIVE).items() if key[1] == MONDAY} == told


def test_nothing_else_that_is_told_depends_on_them(precinct, tmp_path):
    precinct.publish(weeks(3, kinds=KINDS))
    other = tmp_path / "other"
    shutil.copytree(precinct.folder, other / "city")
    # The same incidents, none of them sensitive.
    ledger = other / "city" / "calls.csv"
    ledger.write_text(ledger.read_text("utf-8").replace(",P204,", ",P299,"), encoding="utf-8")
    manifest = build(other / "city", home=other / "home", now=precinct.now).manifest
    sums = [entry["sha256"] for entry in manifest["files"] if entry["table"] == "released_counts"]
    ours = Store(precinct.home).manifest(Store(precinct.home).current_id()).raw["files"]
    assert sums == [entry["sha256"] for entry in ours if entry["table"] == "released_counts"]
    assert len(sums) == 1


def test_their_class_is_told_whole(precinct):
    precinct.publish(weeks(3, kinds=KINDS))
    told = precinct.stored()
    assert told["internal", MONDAY, "county", "A", 2] == 32
    assert {key[4] for key in told} == {-1, 0, 2}


def test_without_enough_of_the_others_they_are_not_told(precinct):
    # All of a class is sensitive in every incident: what is not would be known to be none.
    precinct.publish(weeks(5, kinds=("P101", "P204")))
    assert not rows(precinct, SENSITIVE)


def test_a_class_that_is_sensitive_as_a_whole_is_never_told_by_name(town):
    town.privacy('sensitive = ["B"]')
    town.publish(weeks(3))
    told = town.stored()
    # The rest would be it alone, so the other class goes with it, and no class is left.
    assert {key[4] for key in told} == {-1}


def test_it_is_in_the_rest_with_the_rarest_other_class(town):
    text = "code,parent_code,name_zh,name_en\nA,,甲,A\nA1,A,甲一,A one\nB,,乙,B\nC,,丙,C\n"
    (town.folder / "categories.csv").write_text(text, encoding="utf-8")
    town.privacy('sensitive = ["B"]')
    town.publish(weeks(3, kinds=("A1", "A1", "B", "C"), per_week=24))
    told = town.stored()
    assert {key[4] for key in told} == {-1, 0, OTHER}
    assert told["internal", MONDAY, "county", "A", OTHER] == 48


def test_a_city_without_them_has_no_late_releases(town):
    manifest = town.publish(weeks(20)).manifest
    assert "sensitive" not in manifest["released"]

"""Signed letters beside the marked actions of the city folder."""

import dataclasses
import datetime as dt

import numpy as np
import pandas as pd
import pytest

from data import analysis_settings
from data.access import Grant, Scope
from data.letters.actions import action_id
from data.letters.store import Basis, Letters
from data.letters.wording import Wording
from data.state.database import open_state
from data.state.migrate import upgrade
from etl.analyse.effect_tables import effect_tables, place_letters
from etl.analyse.marked import inputs_version, letters
from tests.etl.analyse.test_effect import SETTINGS
from tests.etl.analyse.worlds import tiny_bed

LEADER = Scope("leader", frozenset({Grant("leader")}))
TEXT = "这是一段正文文字，用于试验。"
WORDING = Wording(
    "某综治中心", "Centre", "关于风险的提示函", "Reminder", TEXT, "A text of a trial.", None
)


@pytest.fixture
def store(tmp_path):
    database = open_state("", tmp_path)
    upgrade(database)
    yield Letters(database)
    database.close()


def signed(store, code, day, *, week="2026-W20"):
    now = dt.datetime.combine(day, dt.time(4), tzinfo=dt.UTC)
    basis = Basis(
        "reminder", (("city", "c"), ("grid", code)), week, 1, "s1", "orange", "{}", "提示", "Reminder"
    )  # fmt: skip
    made = store.draft(LEADER, basis, WORDING, now=now)
    return store.sign(LEADER, made.id, revision=1, now=now, day=day)


def test_a_signed_letter_asks_for_a_new_analysis(store, tmp_path):
    plain = analysis_settings.inputs_version(tmp_path)
    assert inputs_version(tmp_path, tmp_path) == plain
    one = signed(store, "g3", dt.date(2026, 7, 8))
    after = inputs_version(tmp_path, tmp_path)
    assert after != plain
    store.withdraw(LEADER, one.id, "wrong_data", now=dt.datetime(2026, 7, 9, tzinfo=dt.UTC))
    assert inputs_version(tmp_path, tmp_path) == plain


def test_a_letter_is_measured_from_its_signing_on(store, tmp_path):
    """A made city in which a letter was followed by half the incidents: the table says so."""
    day = dt.date(2026, 7, 8)
    world = tiny_bed(3, grids=120, weeks=104, mean=6.0)
    bed, events = world.bed, world.bed.events
    rng = np.random.default_rng(1)
    inside = bed.index("grid") == 3
    after = events.day > np.datetime64(day)
    gone = inside & after & (rng.random(len(events.area)) < 0.6)
    calmed = dataclasses.replace(bed, events=events.take(~gone))
    one = signed(store, "g3", day)
    later = signed(store, "g9", dt.date(2026, 10, 26), week="2026-W43")
    signed(store, "nowhere", day)  # an area that is no more stops no build
    areas = pd.DataFrame(
        {"level": "grid", "code": [f"g{n}" for n in range(120)], "area_index": range(120),
         "valid_from": None, "valid_to": None}
    )  # fmt: skip
    placed = place_letters(letters(tmp_path), areas)
    assert [(one.action.id, one.index) for one in placed] == [
        (action_id(one.id), 3), (action_id(later.id), 9)
    ]  # fmt: skip
    table = effect_tables(calmed, placed, SETTINGS, 103, calmed.as_of)["effects"]
    rows = table.set_index("action")
    found = rows.loc[action_id(one.id)]
    assert (found["verdict"], found["kind"], found["group"]) == ("fell", "reminder", "all")
    assert found["upper"] < 1
    early = rows.loc[action_id(later.id)]
    assert (early["verdict"], early["reason"]) == ("cannot_tell", "too_early")
    # Without the letter's incidents gone, nothing is claimed.
    plain = effect_tables(bed, placed, SETTINGS, 103, bed.as_of)["effects"].set_index("action")
    assert plain.loc[action_id(one.id), "verdict"] == "cannot_tell"
    assert found["day"] == day

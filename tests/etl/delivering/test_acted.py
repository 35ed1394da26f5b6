"""Messages of letters that were signed and warnings that were opened."""

import datetime as dt

import pytest

from data.access import Grant, Scope
from data.deliveries.models import MessageRow
from data.deliveries.outbox import FRESH, Outbox
from data.letters.store import Basis, Letters
from data.letters.wording import Wording
from data.state.database import open_state
from data.state.migrate import upgrade
from data.store import Store
from data.warnings import Warnings
from data.warnings.tree import Trees
from etl.delivering.acted import announce_acts

NOW = dt.datetime(2026, 11, 16, 4, 0, tzinfo=dt.UTC)
LEADER = Scope("leader", frozenset({Grant("leader")}))
TEXT = "这是一段正文文字，用于试验。"
DUE = dt.date(2026, 11, 20)
WORDING = Wording(
    "某综治中心", "Centre", "关于风险的提示函", "Reminder", TEXT, "A trial text.", DUE
)


@pytest.fixture
def state(toy):
    database = open_state("", toy.home)
    upgrade(database)
    yield database
    database.close()


@pytest.fixture
def grid(toy):
    """Level and codes of the path down to one grid, and its name."""
    toy.publish()
    areas = Store(toy.home).current().areas
    path = Trees(Store(toy.home))().path("grid", areas[areas["level"] == "grid"]["code"].iloc[0])
    name = areas[(areas["level"] == "grid") & (areas["code"] == path[0][1])]["name"].iloc[0]
    return path, name


def sign(state, path, *, at=NOW):
    basis = Basis("reminder", path[::-1], "2026-W46", 1, "s1", "orange", "{}", "提示", "Reminder")
    letters = Letters(state)
    made = letters.draft(LEADER, basis, WORDING, now=at)
    return letters.sign(LEADER, made.id, revision=1, now=at, day=at.date())


def warn(toy, state, path, *, colour=3, at=NOW):
    return Warnings(state, tree=Trees(Store(toy.home))).open(
        fingerprint="index|a", rule="index_red", level="grid", code=path[0][1], group="all",
        colour=colour, evidence={"risk": 61.5}, snapshot="s1", now=at, repeats=2,
    )  # fmt: skip


def posted(state):
    """Every message as a channel that takes all of them would have it."""
    with state.reading() as session:
        rows = session.query(MessageRow).order_by(MessageRow.key).all()
        return [(one.key, one.kind, one.level, one.path) for one in rows]


def test_a_signed_letter_and_a_warning_are_told_once(toy, state, grid):
    path, _ = grid
    letter, warning = sign(state, path), warn(toy, state, path)
    outbox = Outbox(state)
    assert announce_acts(outbox, state, toy.home, NOW) == 2
    assert announce_acts(outbox, state, toy.home, NOW) == 0
    assert posted(state) == [
        (f"letter:{letter.id}", "letter", 0, f"/letters/{letter.id}"),
        (f"warning:{warning.id}:1", "warning", 3, f"/?area=grid.{path[0][1]}"),
    ]


def test_a_warning_that_is_raised_is_told_again_and_a_draft_is_not(toy, state, grid):
    path, _ = grid
    basis = Basis("reminder", path[::-1], "2026-W46", 1, "s1", "orange", "{}", "提示", "Reminder")
    Letters(state).draft(LEADER, basis, WORDING, now=NOW)
    warn(toy, state, path)
    assert announce_acts(Outbox(state), state, toy.home, NOW) == 1
    warn(toy, state, path, colour=4)
    assert announce_acts(Outbox(state), state, toy.home, NOW) == 1
    assert [level for _, _, level, _ in posted(state)] == [3, 4]


def test_what_is_days_old_is_no_news(toy, state, grid):
    path, _ = grid
    sign(state, path, at=NOW - FRESH - dt.timedelta(minutes=1))
    assert announce_acts(Outbox(state), state, toy.home, NOW) == 0


def test_without_a_snapshot_it_waits_for_the_names(state, toy):
    sign(state, (("grid", "G1"), ("city", "*")))
    assert announce_acts(Outbox(state), state, toy.home, NOW) == 0
    assert posted(state) == []

"""From the log of what was taken in to the screens: killed, repeated, wrong, large and old rows."""

import datetime as dt
import shutil
from types import SimpleNamespace

import pytest

from data.arrivals import ArrivalStore
from data.intake import Intake
from data.records import rows_chunk
from data.state.database import open_state
from data.state.migrate import upgrade
from etl.arriving import rows as arriving_rows
from etl.arriving.feed import Feed
from geo import cells
from tests.etl.conftest import make_toy

NOW = dt.datetime(2026, 3, 1, 4, 0, tzinfo=dt.UTC)
PUSHED = """
title_zh = "推送"
title_en = "Pushed"
push = true
format = "rows"
time_zone = "Asia/Shanghai"
time_format = "%Y-%m-%d %H:%M"
frame = "EPSG:4326"
channel = "hotline"
origin = "reported"
rows_without_id = "accept"
[columns]
incident_id = "id"
occurred_at = "when"
category = "kind"
severity = "grade"
lng = "x"
lat = "y"
area_code = "grid"
"""


def row(number, **values):
    told = {"id": number, "when": "2026-03-01 10:00", "kind": "A1", "grade": 2,
            "x": 103.05, "y": 36.05, "grid": None}  # fmt: skip
    return told | values


@pytest.fixture
def town(tmp_path):
    toy = make_toy(tmp_path)
    (toy.folder / "sources" / "pushed.toml").write_text(PUSHED, encoding="utf-8")
    database = open_state("", toy.home)
    upgrade(database)
    intake = Intake(toy.home)
    source = next(one for one in toy.city().sources if one.name == "pushed")

    def push(*pushed, now=NOW, kind="push"):
        batch, _ = intake.land(
            source, [rows_chunk(source, pushed)], kind=kind, name="push 2026-03-01",
            content=repr((pushed, len(intake.batches()))), now=now,
        )  # fmt: skip
        return batch

    store = ArrivalStore(database)
    store.begin(0)
    yield SimpleNamespace(
        toy=toy,
        push=push,
        store=store,
        feed=lambda: Feed(toy.folder, toy.home, database),
        shown=lambda: [one for one in store.since(0, limit=1_000)[0] if not one.replaced_by],
        account=lambda: store.accounts()[-1],
    )
    database.close()


def test_a_pushed_row_is_cleaned_placed_and_masked(town):
    town.push(row(1))
    assert town.feed().round(NOW) == []
    (found,) = town.shown()
    assert (found.category, found.severity, found.level, found.area_code) == ("A1", 2, "grid", "W1")
    assert found.occurred_at == dt.datetime(2026, 3, 1, 2, 0, tzinfo=dt.UTC)
    number = cells.cell_numbers([103.05], [36.05], resolution=10)
    (lng,), (lat,) = cells.cell_centres(number)
    assert (found.lng, found.lat) == (pytest.approx(lng, abs=1e-6), pytest.approx(lat, abs=1e-6))
    assert (found.lng, found.lat) != (103.05, 36.05)


def test_nothing_new_is_nothing(town):
    feed = town.feed()
    assert feed.round(NOW) == []
    town.push(row(1))
    feed.round(NOW)
    feed.round(NOW)
    assert len(town.shown()) == 1


def test_batches_that_came_together_keep_their_own_numbers_and_accounts(town):
    for first in range(0, 30, 3):
        town.push(row(first), row(first + 1, x="far"), row(first + 2))
    town.feed().round(NOW)
    found = town.shown()
    assert [(one.batch, one.row) for one in found] == [(b, r) for b in range(1, 11) for r in (1, 3)]
    for account in town.store.accounts():
        assert (account.read, account.shown, account.quarantined) == (3, 2, 1)


def test_alone_or_together_gives_the_same(town, tmp_path):
    pushes = [[row(1), row(2, grade=9)], [row(1, grade=3)], [row(3, kind="Z")], [row(1, grade=3)]]
    for pushed in pushes:
        town.push(*pushed)
    town.feed().round(NOW)
    together = [(one.identity, one.content, one.severity) for one in town.shown()]
    accounts = town.store.accounts()

    database = open_state(f"sqlite:///{tmp_path / 'other.db'}", tmp_path)
    upgrade(database)
    other = ArrivalStore(database)
    other.begin(0)
    alone = Feed(town.toy.folder, town.toy.home, database)
    alone._intake = SimpleNamespace(  # one batch a round
        batches=lambda after, **_: Intake(town.toy.home).batches(after=after, upto=after + 1)
    )
    for _ in pushes:
        alone.round(NOW)
    rows, _ = other.since(0, limit=100)
    assert together == [
        (one.identity, one.content, one.severity) for one in rows if not one.replaced_by
    ]
    assert accounts == other.accounts()
    database.close()


def test_a_correction_takes_the_place_of_the_first(town):
    town.push(row(1))
    town.feed().round(NOW)
    town.push(row(1, grade=3))
    town.feed().round(NOW)
    (found,) = town.shown()
    assert (found.severity, found.is_new) == (3, False)
    assert (town.account().corrected, town.account().shown) == (1, 0)


def test_every_row_is_told_of(town):
    town.push(row(1), row(1), row(2, when="2026-03-09 10:00"), row(3, when="2026-02-01 10:00"), "?")
    town.feed().round(NOW)
    account = town.account()
    assert (account.read, account.told) == (5, 5)
    assert (account.shown, account.duplicate, account.quarantined, account.old) == (1, 1, 2, 1)


def test_sensitive_classes_leave_nothing_but_a_hash(town):
    bands = "cell_bands = [1.0, 2.0]"
    town.toy.change("city.toml", bands, f'{bands}\n[privacy]\nsensitive = ["A1"]')
    town.push(row(1), row(2, kind="B"))
    town.feed().round(NOW)
    hidden, found = town.shown()
    assert (hidden.is_shown, hidden.category, hidden.area_code, hidden.lng) == (False, "", "", None)
    assert hidden.occurred_at is None
    assert (found.is_shown, found.category) == (True, "B")
    assert (town.account().withheld, town.account().shown) == (1, 1)


def test_a_row_by_its_area_code_alone_has_no_point(town):
    town.push(row(1, x=None, y=None, grid="E1"))
    town.feed().round(NOW)
    (found,) = town.shown()
    assert (found.area_code, found.lng, found.lat) == ("E1", None, None)


def test_rows_without_a_number_of_their_own(town):
    town.push(row(None), row(None, y=36.06))
    town.feed().round(NOW)
    assert len(town.shown()) == 2


def test_a_large_batch_is_left_to_the_build(town, monkeypatch):
    monkeypatch.setattr(arriving_rows, "MOST_ROWS", 2)
    monkeypatch.setattr(arriving_rows, "MOST_OF_A_FILE", 1)
    town.push(row(1), row(2), row(3))
    town.push(row(4), row(5), kind="file")
    town.push(row(6))
    said = town.feed().round(NOW)
    assert said == [
        "arrivals: batch 1 of pushed: 3 rows are left to the build, not shown as they arrive"
    ]
    assert [(one.passed, one.shown) for one in town.store.accounts()] == [(3, 0), (2, 0), (0, 1)]


def test_a_batch_that_cannot_be_read_is_told_once_and_stops_nothing(town):
    town.push(row(1))
    damaged = town.push(row(2))
    town.push(row(3))
    (town.toy.home / damaged.chunks[0]["path"]).write_bytes(b"nothing")
    feed = town.feed()
    said = feed.round(NOW)
    assert len(said) == 1
    assert said[0].startswith("arrivals: batch 2 of pushed: ")
    assert feed.round(NOW) == []
    assert [one.batch for one in town.shown()] == [1, 3]
    assert [one.failed for one in town.store.accounts()] == [0, 1, 0]


def test_a_fault_of_the_city_is_told_once_and_what_waits_is_fed_later(town):
    town.push(row(1))
    hidden = town.toy.folder.with_name("away")
    feed = town.feed()
    town.toy.folder.rename(hidden)
    first = feed.round(NOW)
    assert len(first) == 1
    assert first[0].startswith("arrivals: ")
    assert feed.round(NOW) == []
    hidden.rename(town.toy.folder)
    assert feed.round(NOW) == []
    assert len(town.shown()) == 1


def test_a_kill_at_any_step_loses_nothing_and_doubles_nothing(town, monkeypatch):
    for number in range(5):
        town.push(row(number))
    store = ArrivalStore.feed

    class KillError(BaseException):
        pass

    for moment in ("before", "within"):
        feed = town.feed()

        def killed(self, batches, *, after, now, moment=moment):
            if moment == "before":
                raise KillError
            with self._database.writing() as session:
                monkeypatch.setattr(self, "_database", _Same(session), raising=False)
                store(self, batches, after=after, now=now)
                raise KillError

        monkeypatch.setattr(ArrivalStore, "feed", killed)
        with pytest.raises(KillError):
            feed.round(NOW)
        monkeypatch.setattr(ArrivalStore, "feed", store)
        assert town.store.since(0, limit=10) == ([], [])
    town.feed().round(NOW)
    assert [one.batch for one in town.shown()] == [1, 2, 3, 4, 5]


class _Same:
    """A database whose every transaction is the one that is open."""

    def __init__(self, session) -> None:
        self._session = session

    def writing(self):
        from contextlib import nullcontext

        return nullcontext(self._session)


def test_what_lies_long_in_the_log_is_no_news_at_the_first_start(town):
    town.push(row(1), now=NOW - dt.timedelta(days=3))
    town.push(row(2))
    shutil.copy(town.toy.home / "state.db", town.toy.home / "before.db")
    database = open_state(f"sqlite:///{town.toy.home / 'new.db'}", town.toy.home)
    upgrade(database)
    Feed(town.toy.folder, town.toy.home, database).round(NOW)
    assert [one.batch for one in ArrivalStore(database).accounts()] == [2]
    database.close()

"""What a screen is given: the difference, its own areas, nothing sensitive, nothing twice."""

import dataclasses
import datetime as dt
import json

import pytest

from dashboard.live.board import LIVE_S, SHARED_S, Board
from dashboard.live.cursor import Seal
from dashboard.live.difference import FIRST, Feed, difference
from dashboard.live.scoped import Views
from data.access import Grant, Scope
from data.arrivals import Account, Arrival, ArrivalStore, Fed
from data.resources.live import Crowd, LiveStore, Unit
from data.state.database import open_state
from data.state.migrate import upgrade
from geo import cells
from tests.dashboard.squares import CITY, COUNTY

NOW = dt.datetime(2026, 11, 16, 4, 0, tzinfo=dt.UTC)
KEY = bytes(range(32))
PUBLIC = Scope("link", frozenset({Grant("public")}))
INSIDE, OUTSIDE = "9904086", "9904007"
"""Grids inside and outside the county of `COUNTY`."""


class Screen:
    """One reader's page: polls by its cursor, and keeps what it was told."""

    def __init__(self, desk, scope, lang="zh") -> None:
        self.desk, self.scope, self.lang, self.cursor = desk, scope, lang, ""
        self.shown = {}

    def poll(self):
        told = difference(
            self.desk.feed, self.scope, self.cursor, lang=self.lang, now=self.desk.now
        )
        if told is not None:
            self.cursor = told["cursor"]
            for seq in told["removed"]:
                del self.shown[seq]
            for one in told["incidents"]:
                assert one["seq"] not in self.shown
                self.shown[one["seq"]] = one
        return told


class Desk:
    """One installation, whose clocks the tests turn."""

    def __init__(self, store, folder, database=None) -> None:
        self.now, self.ticks = NOW, 0.0
        self.database = database or open_state(f"sqlite:///{folder / 'state.db'}", folder)
        upgrade(self.database)
        self.arrivals, self.live = ArrivalStore(self.database), LiveStore(self.database)
        self.batch = self.arrivals.begin(0).batch
        self.store = store
        self.feed = self.process()

    def process(self):
        """A web process of its own on the same database."""
        board = Board(self.store, self.database, now=lambda: self.now, clock=lambda: self.ticks)
        return Feed(board, Views(board), self.database, Seal(KEY), "code")

    def turn(self, seconds=SHARED_S):
        self.ticks += seconds

    def arrive(self, *arrivals, quarantined=0, turn=True):
        after, self.batch = self.batch, self.batch + 1
        rows = tuple(dataclasses.replace(one, batch=self.batch) for one in arrivals)
        account = Account(self.batch, "c", len(rows) + quarantined, quarantined=quarantined)
        self.arrivals.feed([Fed(account, rows)], after=after, now=self.now)
        if turn:
            self.turn()


def arrival(identity, code=INSIDE, **values):
    told = {
        "content": identity, "rank": 1, "batch": 1, "row": 1, "arrived_at": NOW, "is_shown": True,
        "occurred_at": NOW - dt.timedelta(minutes=5), "category": "1001", "severity": 2,
        "level": "grid", "area_code": code, "lng": 120.5, "lat": 30.25,
    }  # fmt: skip
    return Arrival(identity=identity, **(told | values))


@pytest.fixture
def desk(store, tmp_path):
    desk = Desk(store, tmp_path)
    yield desk
    desk.database.close()


@pytest.fixture
def category(snapshot):
    """A lower category with its upper one."""
    rows = snapshot.categories
    sensitive = set(snapshot.manifest.city["sensitive"])
    lower = rows[rows["parent_code"].notna() & ~rows["code"].isin(sensitive)]
    return lower.iloc[0]


def test_the_first_answer_is_whole_and_the_next_is_nothing(desk, category):
    desk.arrive(arrival(1, category=category["code"]))
    screen = Screen(desk, CITY)
    told = screen.poll()
    (one,) = told["incidents"]
    assert one["class"] == category["name_zh"]
    assert one["group_code"] == category["parent_code"]
    assert (one["at"], one["day"], one["severity"]) == ("11:55", "2026-11-16", 2)
    assert (one["lng"], one["lat"], one["is_new"]) == (120.5, 30.25, False)
    assert one["area"] == f"grid.{INSIDE}"
    assert one["place"].count(" · ") == 1
    assert (told["day"], told["is_whole"], told["removed"]) == ("2026-11-16", True, [])
    assert told["counts"] == {"today": 1, "hour": 1, "quarantined": 0}
    assert (told["units"], told["crowds"]) == ([], [])
    assert screen.poll() is None
    desk.turn()
    assert screen.poll() is None


def test_only_the_difference_is_sent(desk):
    screen = Screen(desk, CITY)
    screen.poll()
    desk.arrive(arrival(1))
    told = screen.poll()
    assert [one["is_new"] for one in told["incidents"]] == [True]
    assert (told["units"], told["crowds"], told["is_whole"]) == (None, None, False)
    desk.arrive(arrival(2), arrival(3))
    assert len(screen.poll()["incidents"]) == 2
    assert len(screen.shown) == 3


def test_a_look_is_shared_for_half_a_second(desk):
    screen = Screen(desk, CITY)
    screen.poll()
    desk.arrive(arrival(1), turn=False)
    assert screen.poll() is None
    desk.turn()
    assert len(screen.poll()["incidents"]) == 1


def test_a_correction_takes_the_place_of_the_first(desk):
    desk.arrive(arrival(1))
    screen = Screen(desk, CITY)
    screen.poll()
    desk.arrive(arrival(1, content=9, severity=3))
    told = screen.poll()
    assert (len(told["removed"]), told["incidents"][0]["is_new"]) == (1, False)
    assert [one["severity"] for one in screen.shown.values()] == [3]
    assert told["counts"]["today"] == 1
    # A screen that comes later sees the newest alone.
    assert [one["severity"] for one in Screen(desk, CITY).poll()["incidents"]] == [3]


def test_a_correction_into_another_area_takes_it_from_the_first(desk):
    desk.arrive(arrival(1))
    screen = Screen(desk, COUNTY)
    screen.poll()
    desk.arrive(arrival(1, OUTSIDE, content=9))
    assert len(screen.poll()["removed"]) == 1
    assert screen.shown == {}


def test_an_area_sees_its_own_alone_and_not_that_more_happened(desk):
    screens = Screen(desk, COUNTY), Screen(desk, CITY)
    for screen in screens:
        screen.poll()
    desk.arrive(arrival(1, OUTSIDE), arrival(2, "", level=""), quarantined=1)
    own, city = screens
    assert own.poll() is None
    assert len(city.poll()["incidents"]) == 2
    desk.arrive(arrival(3))
    told = own.poll()
    assert [one["area"] for one in told["incidents"]] == [f"grid.{INSIDE}"]
    assert told["counts"] == {"today": 1, "hour": 1, "quarantined": None}


def test_what_happens_elsewhere_changes_no_byte(store, tmp_path):
    answers = []
    for name, others in (("few", 1), ("many", 7)):
        folder = tmp_path / name
        folder.mkdir()
        desk = Desk(store, folder)
        desk.arrive(*(arrival(100 + n, OUTSIDE) for n in range(others)))
        desk.arrive(arrival(1))
        told = Screen(desk, COUNTY).poll()
        for one in told["incidents"]:
            del one["seq"]  # a sealed number, of another feed
        del told["cursor"]
        answers.append(json.dumps(told))
        desk.database.close()
    assert answers[0] == answers[1]


def test_neither_cursor_nor_number_tells_how_much_there_is(desk):
    desk.arrive(arrival(1))
    desk.arrive(arrival(2))
    told = Screen(desk, CITY).poll()
    numbers = [one["seq"] for one in told["incidents"]]
    assert all(2**20 < number < 2**53 for number in numbers)
    assert desk.feed.seal.opened(told["cursor"]).seq == 2
    assert Seal(b"x" * 32).opened(told["cursor"]) is None


@pytest.mark.parametrize("scope", [PUBLIC, Scope("nobody", frozenset())])
def test_protected_figures_hold_no_single_incident(desk, scope):
    desk.arrive(arrival(1))
    desk.live.put_units([unit("U1", INSIDE)], now=NOW)
    desk.turn(LIVE_S)
    told = Screen(desk, scope).poll()
    assert (told["incidents"], told["units"], told["crowds"]) == ([], [], [])
    assert set(told["counts"].values()) == {None}
    assert told["warnings"]["open"] is None


def test_sensitive_classes_are_never_told(desk, snapshot):
    (code,) = snapshot.manifest.city["sensitive"]
    desk.arrive(Arrival(1, 1, 1, 1, 1, NOW, is_shown=False))
    # One that was made sensitive after it had arrived.
    desk.arrive(arrival(2, category=code))
    told = Screen(desk, CITY).poll()
    assert (told["incidents"], told["counts"]["today"]) == ([], 0)


@pytest.mark.parametrize(
    "after", ["x", "=" * 20, "A" * 700, "ü", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"]
)
def test_a_forged_cursor_stands_for_none(desk, after):
    desk.arrive(arrival(1))
    told = difference(desk.feed, CITY, after, lang="zh", now=NOW)
    assert (told["is_whole"], len(told["incidents"])) == (True, 1)


def test_a_cursor_of_another_scope_language_or_database_stands_for_none(desk, store, tmp_path):
    desk.arrive(arrival(1))
    cursor = Screen(desk, CITY).poll()["cursor"]
    for scope, lang in ((COUNTY, "zh"), (CITY, "en")):
        assert difference(desk.feed, scope, cursor, lang=lang, now=NOW)["is_whole"]
    folder = tmp_path / "other"
    folder.mkdir()
    other = Desk(store, folder)
    other.arrive(arrival(5), arrival(6))
    assert difference(other.feed, CITY, cursor, lang="zh", now=NOW)["is_whole"]
    other.database.close()


def test_a_database_that_was_set_back_is_read_anew(desk):
    desk.arrive(arrival(1))
    saved = desk.database
    screen = Screen(desk, CITY)
    screen.poll()
    desk.arrive(arrival(2))
    screen.poll()
    with saved.writing() as session:
        session.execute(_text("DELETE FROM arrivals WHERE seq = 2"))
    desk.turn()
    screen.shown.clear()
    told = screen.poll()
    assert (told["is_whole"], len(told["incidents"])) == (True, 1)


def test_two_processes_give_one_screen_everything_once(desk):
    screen, processes = Screen(desk, CITY), (desk.feed, desk.process())
    for number in range(1, 9):
        desk.arrive(arrival(number), turn=number % 3 == 0)
        desk.feed = processes[number % 2]
        screen.poll()
    desk.turn()
    screen.poll()
    assert len(screen.shown) == 8


def test_many_come_in_parts_and_none_is_left_out(desk, monkeypatch):
    monkeypatch.setattr("dashboard.live.difference.MOST", 4)
    screen = Screen(desk, CITY)
    screen.poll()
    desk.arrive(*(arrival(number) for number in range(10)))
    assert [screen.poll()["has_more"] for _ in range(3)] == [True, True, False]
    assert screen.poll() is None
    assert len(screen.shown) == 10


def test_the_first_answer_has_the_newest(desk):
    desk.arrive(*(arrival(number) for number in range(FIRST + 5)))
    told = Screen(desk, CITY).poll()
    assert (len(told["incidents"]), told["counts"]["today"]) == (FIRST, FIRST + 5)


def test_the_day_turns_at_midnight_of_the_city(desk):
    desk.arrive(arrival(1))
    screen = Screen(desk, CITY)
    screen.poll()
    desk.now = dt.datetime(2026, 11, 16, 16, 0, tzinfo=dt.UTC)
    desk.turn()
    told = screen.poll()
    assert (told["day"], told["counts"]["today"], told["counts"]["hour"]) == ("2026-11-17", 0, 0)


def test_what_is_not_known_is_no_number(desk, monkeypatch):
    monkeypatch.setattr("dashboard.live.board.MOST", 2)
    monkeypatch.setattr("dashboard.live.columns.MOST", 2)
    desk.arrive(*(arrival(number) for number in range(3)))
    assert Screen(desk, CITY).poll()["counts"]["today"] is None


def test_a_clock_at_midnight_is_no_time(desk):
    midnight = dt.datetime(2026, 11, 15, 16, 0, tzinfo=dt.UTC)
    desk.arrive(arrival(1, occurred_at=midnight))
    (one,) = Screen(desk, CITY).poll()["incidents"]
    assert (one["at"], one["day"]) == ("", "2026-11-16")


def unit(name, code, lng=120.77):
    until = NOW + dt.timedelta(minutes=10)
    return Unit("radio", name, "patrol_unit", code, lng, 30.02, NOW, until)


def test_units_and_crowds_come_when_they_change(desk):
    screen, own = Screen(desk, CITY), Screen(desk, COUNTY)
    screen.poll()
    own.poll()
    cell = int(cells.cell_numbers([120.5], [30.25], resolution=9)[0])
    crowd = Crowd("radio", cell, OUTSIDE, 80, NOW, NOW + dt.timedelta(minutes=10))
    desk.live.put_units([unit("U1", INSIDE)], now=NOW)
    desk.live.put_crowds([crowd], least=5, now=NOW)
    desk.turn(LIVE_S)
    told = screen.poll()
    assert [one["unit"] for one in told["units"]] == ["U1"]
    assert [(one["cell"], one["count"]) for one in told["crowds"]] == [(f"{cell:x}", 80)]
    told = own.poll()
    assert (len(told["units"]), told["crowds"]) == (1, None)
    desk.turn(LIVE_S)
    assert screen.poll() is None
    desk.live.put_units([unit("U1", INSIDE, lng=120.78)], now=NOW)
    desk.turn(LIVE_S)
    told = screen.poll()
    assert (told["units"][0]["lng"], told["crowds"]) == (120.78, None)
    desk.now += dt.timedelta(minutes=11)
    desk.turn(LIVE_S)
    told = screen.poll()
    assert (told["units"], told["crowds"]) == ([], [])


@pytest.mark.parametrize(("lng", "is_own"), [(120.8, True), (120.805, True), (120.81, False)])
def test_a_unit_far_from_its_area_is_told_to_the_whole_city_alone(desk, lng, is_own):
    screen, own = Screen(desk, CITY), Screen(desk, COUNTY)
    screen.poll()
    own.poll()
    desk.live.put_units([unit("U1", INSIDE, lng=lng)], now=NOW)
    desk.turn(LIVE_S)
    assert len(screen.poll()["units"]) == 1
    told = own.poll()
    assert bool(told and told["units"]) is is_own


def test_names_follow_the_language(desk, snapshot, category):
    desk.arrive(arrival(1, category=category["code"]))
    (one,) = Screen(desk, CITY, "en").poll()["incidents"]
    assert one["class"] == category["name_en"]


def _text(sql):
    from sqlalchemy import text

    return text(sql)

import datetime as dt
import threading
from zoneinfo import ZoneInfo

import pandas as pd
import pytest

from data.access import DeniedError, Grant, NotVisibleError, Scope
from data.special import SpecialError, SpecialPeriods, StaleError
from data.special.kinds import MOST_CHECKS
from data.state.database import open_state
from data.state.migrate import upgrade
from data.warnings.tree import AreaTree

ZONE = ZoneInfo("Asia/Shanghai")
DAY = dt.date(2026, 11, 20)
NOW = dt.datetime(2026, 11, 20, 10, 0, tzinfo=ZONE)
DAYS = (DAY, DAY + dt.timedelta(days=2))
COUNTY, OTHER = ("county", "C1"), ("county", "C2")
NORTH, SOUTH = ("township", "T1"), ("township", "T2")
AREAS = [
    ("city", "X", ""), ("county", "C1", "X"), ("county", "C2", "X"), ("township", "T1", "C1"),
    ("township", "T2", "C1"), ("township", "T3", "C2"), ("community", "S1", "T1"),
]  # fmt: skip


def scope(role, *area):
    return Scope(f"{role}-desk", frozenset({Grant(role, *area)}))


COMMAND = scope("command", *COUNTY)
TOWNSHIP = scope("township", *NORTH)
LEADER = scope("leader")
STRANGER = scope("command", *OTHER)
WALL = scope("wall", *COUNTY)


@pytest.fixture
def store(tmp_path):
    database = open_state("", tmp_path)
    upgrade(database)
    tree = AreaTree(pd.DataFrame(AREAS, columns=["level", "code", "parent_code"]))
    yield SpecialPeriods(database, ZONE, lambda: tree)
    database.close()


def key(n=0):
    return f"press-{n:04d}"


def made(store, by=COMMAND, area=COUNTY, days=DAYS, press=0):
    return store.create(by, area, "National Day", days, key=key(press), now=NOW)


def furnished(store):
    """A period with a check at eight and one at noon in the north, one at nine in the south."""
    number = made(store)
    for at, (area, kind) in enumerate(((NORTH, "square"), (SOUTH, "station"))):
        store.add_place(COMMAND, number, area, (kind, ""), version=1 + at, key=key(at))
    north, south = store.get(COMMAND, number, now=NOW).places
    rest = [(north, "patrol", 8), (north, "post", 12), (south, "inspect", 9)]
    for at, (place, kind, hour) in enumerate(rest):
        store.add_check(COMMAND, place.id, kind, dt.time(hour, 30), version=3 + at, key=key(at))
    return number


def ticked(store, check, by=COMMAND, *, result="done", reason="", number=None, press=0, now=NOW):
    store.tick(
        by, check.id, DAY, result, reason=reason,
        number=check.number if number is None else number, key=key(press), now=now,
    )  # fmt: skip


def test_a_period_tells_its_places_and_what_is_due_today(store):
    found = store.get(COMMAND, furnished(store), now=NOW)
    assert (found.name, found.first_day, found.last_day, found.day) == ("National Day", *DAYS, DAY)
    assert [(one.kind, one.level, one.code) for one in found.places] == [
        ("square", *NORTH), ("station", *SOUTH),
    ]  # fmt: skip
    told = [(f"{one.due_at.astimezone(ZONE):%H:%M}", one.kind, one.state) for one in found.checks]
    assert told == [
        ("08:30", "patrol", "late"), ("12:30", "post", "open"), ("09:30", "inspect", "late"),
    ]  # fmt: skip
    assert (found.count(), found.count("late"), found.count("done")) == (3, 2, 0)


def test_on_another_day_everything_is_to_be_done_anew(store):
    number = furnished(store)
    ticked(store, store.get(COMMAND, number, now=NOW).checks[0])
    tomorrow = store.get(COMMAND, number, day=DAYS[1], now=NOW)
    assert {one.state for one in tomorrow.checks} == {"open"}
    # A day that is none of the period's becomes the nearest one.
    assert store.get(COMMAND, number, day=dt.date(2027, 1, 1), now=NOW).day == DAYS[1]


def test_a_check_of_one_day_stands_on_that_day_alone(store):
    number = furnished(store)
    place = store.get(COMMAND, number, now=NOW).places[0]
    store.add_check(COMMAND, place.id, "crowd", dt.time(20), only_on=DAYS[1], version=6, key=key(9))
    assert store.get(COMMAND, number, now=NOW).count() == 3
    assert store.get(COMMAND, number, day=DAYS[1], now=NOW).count() == 4


@pytest.mark.parametrize(("reader", "places"), [
    (COMMAND, 2), (LEADER, 2), (WALL, 2), (TOWNSHIP, 1),
    (scope("community", "community", "S1"), None), (STRANGER, None),
])  # fmt: skip
def test_a_scope_sees_its_own_places_alone(store, reader, places):
    number = furnished(store)
    if places is None:
        assert store.listed(reader, now=NOW) == []
        with pytest.raises(NotVisibleError):
            store.get(reader, number, now=NOW)
        assert store.shown(reader, NOW) is None
        return
    assert [one.id for one in store.listed(reader, now=NOW)] == [number]
    assert len(store.get(reader, number, now=NOW).places) == places
    assert len(store.shown(reader, NOW).places) == places


def test_a_township_ticks_its_own_places_alone(store):
    number = furnished(store)
    north, _, south = store.get(COMMAND, number, now=NOW).checks
    ticked(store, north, TOWNSHIP)
    with pytest.raises(NotVisibleError):
        ticked(store, south, TOWNSHIP)
    for reader in (LEADER, WALL):
        with pytest.raises(DeniedError):
            ticked(store, south, reader)
    found = store.get(TOWNSHIP, number, now=NOW)
    assert [(one.state, one.is_late) for one in found.checks] == [("done", True), ("open", False)]


def test_a_township_and_a_leader_change_no_period(store):
    number = furnished(store)
    for reader, error in ((TOWNSHIP, NotVisibleError), (LEADER, DeniedError), (WALL, DeniedError)):
        with pytest.raises(error):
            store.end(reader, number, version=6, now=NOW)
    with pytest.raises(SpecialError, match="area"):
        made(store, TOWNSHIP, NORTH, press=7)
    with pytest.raises(NotVisibleError):
        made(store, STRANGER, COUNTY, press=8)
    with pytest.raises(DeniedError):
        made(store, LEADER, COUNTY, press=9)


def test_what_was_ticked_can_be_ticked_otherwise(store):
    number = furnished(store)
    check = store.get(COMMAND, number, now=NOW).checks[1]
    ticked(store, check, result="not_done", reason="weather")
    told = store.get(COMMAND, number, now=NOW).checks[1]
    assert (told.state, told.reason, told.number, told.is_late) == ("not_done", "weather", 1, False)
    ticked(store, told, press=1)
    assert store.get(COMMAND, number, now=NOW).checks[1].state == "done"


def test_the_same_press_again_is_the_same_tick_and_a_slower_one_is_told(store):
    number = furnished(store)
    check = store.get(COMMAND, number, now=NOW).checks[0]
    ticked(store, check)
    ticked(store, check)
    assert store.get(COMMAND, number, now=NOW).checks[0].number == 1
    with pytest.raises(StaleError):
        ticked(store, check, TOWNSHIP, press=1)


def test_the_same_press_again_makes_nothing_twice(store):
    assert made(store) == made(store)
    number = made(store)
    for _ in range(2):
        store.add_place(COMMAND, number, NORTH, ("square", ""), version=1, key=key())
    (place,) = store.get(COMMAND, number, now=NOW).places
    for _ in range(2):
        store.add_check(COMMAND, place.id, "patrol", dt.time(8), version=2, key=key())
    (check,) = store.get(COMMAND, number, now=NOW).checks
    for _ in range(2):
        store.remove_check(COMMAND, check.id, version=3, now=NOW)
    for _ in range(2):
        store.remove_place(COMMAND, place.id, version=4, now=NOW)
    assert store.get(COMMAND, number, now=NOW).places == ()


def test_whoever_changes_an_older_state_is_told(store):
    number = made(store)
    store.change(COMMAND, number, "Spring", DAYS, version=1)
    store.change(COMMAND, number, "Spring", DAYS, version=1)  # the same press again
    with pytest.raises(StaleError):
        store.add_place(COMMAND, number, NORTH, ("square", ""), version=1, key=key())
    with pytest.raises(StaleError):
        store.end(COMMAND, number, version=1, now=NOW)
    store.end(COMMAND, number, version=2, now=NOW)
    assert store.listed(COMMAND, now=NOW) == []
    with pytest.raises(NotVisibleError):
        store.end(COMMAND, number, version=3, now=NOW)


def test_of_many_at_once_one_wins(store):
    number = made(store)
    told = []

    def press(n):
        try:
            store.add_place(COMMAND, number, NORTH, ("square", ""), version=1, key=key(n))
            told.append("won")
        except StaleError:
            told.append("stale")

    threads = [threading.Thread(target=press, args=(n,)) for n in range(6)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert sorted(told) == ["stale"] * 5 + ["won"]
    assert len(store.get(COMMAND, number, now=NOW).places) == 1


def test_the_wall_shows_the_period_of_today_that_began_last(store):
    furnished(store)
    assert store.shown(WALL, NOW + dt.timedelta(days=9)) is None
    later = made(store, days=(DAYS[1], DAYS[1]), press=5)
    assert store.shown(WALL, NOW).first_day == DAY
    assert store.shown(WALL, NOW + dt.timedelta(days=2)).id == later


def test_the_day_is_the_citys(store):
    furnished(store)
    before_midnight = dt.datetime(2026, 11, 19, 15, 59, tzinfo=dt.UTC)
    assert store.shown(WALL, before_midnight) is None
    assert store.shown(WALL, before_midnight + dt.timedelta(minutes=1)).day == DAY


@pytest.mark.parametrize(("name", "days", "fault"), [
    ("x", DAYS, "name"), ("x" * 41, DAYS, "name"), ("\u202eabc", DAYS, "name"),
    ("call 13800138000", DAYS, "personal"), ("王先生值班", DAYS, "personal"),
    ("National Day", DAYS[::-1], "dates"),
    ("National Day", (DAY, DAY + dt.timedelta(days=92)), "dates"),
])  # fmt: skip
def test_what_cannot_be_a_period_is_refused(store, name, days, fault):
    with pytest.raises(SpecialError) as error:
        store.create(COMMAND, COUNTY, name, days, key=key(), now=NOW)
    assert error.value.fault == fault
    assert store.listed(COMMAND, now=NOW) == []


@pytest.mark.parametrize(("area", "label", "fault"), [
    (NORTH, ("moon", ""), "place"), (NORTH, ("square", "x"), "place"),
    (NORTH, ("facility", "a b"), "place"), (NORTH, ("text", "李某家"), "personal"),
    (("township", "T3"), ("square", ""), "area"), (("township", "none"), ("square", ""), "area"),
])  # fmt: skip
def test_what_cannot_be_a_place_is_refused(store, area, label, fault):
    number = made(store)
    with pytest.raises(SpecialError) as error:
        store.add_place(COMMAND, number, area, label, version=1, key=key())
    assert error.value.fault == fault


def test_what_cannot_be_a_check_or_a_tick_is_refused(store):
    number = furnished(store)
    found = store.get(COMMAND, number, now=NOW)
    place, check = found.places[0], found.checks[0]
    for kind, only_on, fault in (("moon", None, "kind"), ("post", DAY.replace(year=2027), "day")):
        with pytest.raises(SpecialError) as error:
            store.add_check(
                COMMAND, place.id, kind, dt.time(8), only_on=only_on, version=6, key=key(8)
            )
        assert error.value.fault == fault
    for result, reason in (("done", "weather"), ("not_done", ""), ("moon", "")):
        with pytest.raises(SpecialError, match="reason"):
            ticked(store, check, result=result, reason=reason)
    for day in (DAYS[1], DAY - dt.timedelta(days=1)):
        with pytest.raises(SpecialError, match="day"):
            store.tick(COMMAND, check.id, day, "done", number=0, key=key(), now=NOW)
    with pytest.raises(SpecialError, match="key"):
        store.tick(COMMAND, check.id, DAY, "done", number=0, key="x", now=NOW)


def test_a_place_has_an_end_of_its_checks(store):
    number = made(store)
    store.add_place(COMMAND, number, NORTH, ("text", "North gate"), version=1, key=key())
    (place,) = store.get(COMMAND, number, now=NOW).places
    assert (place.kind, place.text) == ("text", "North gate")
    for n in range(MOST_CHECKS):
        store.add_check(COMMAND, place.id, "patrol", dt.time(n), version=2 + n, key=key(n))
    with pytest.raises(SpecialError, match="many"):
        store.add_check(
            COMMAND, place.id, "patrol", dt.time(23), version=2 + MOST_CHECKS, key=key(99)
        )


def test_no_table_tells_who_did_what(store):
    from data.state.models import Base

    furnished(store)
    names = {"by", "user", "login", "made_by", "created_by", "ticked_by"}
    for table in ("special_periods", "special_places", "special_checks", "special_marks"):
        assert names.isdisjoint(Base.metadata.tables[table].columns.keys())

"""Live units and crowds: newest only, rounded, gone when their time is over."""

import datetime as dt

import pytest

from data.resources.live import Crowd, LiveStore, Unit
from data.state.database import open_state
from data.state.migrate import upgrade

NOW = dt.datetime(2026, 11, 16, 4, 0, tzinfo=dt.UTC)
MINUTE = dt.timedelta(minutes=1)
CELL = 0x8940E35DB47FFFF


@pytest.fixture
def live(tmp_path):
    database = open_state("", tmp_path)
    upgrade(database)
    yield LiveStore(database)
    database.close()


def unit(number="U1", lng=120.12345, lat=30.98765, at=NOW, sender="radio"):
    return Unit(sender, number, "patrol_unit", "990101", lng, lat, at, at + 10 * MINUTE)


def crowd(count, at=NOW, cell=CELL):
    return Crowd("cameras", cell, "990101", count, at, at + 10 * MINUTE)


def test_a_position_is_rounded_and_the_newest_takes_its_place(live):
    live.put_units([unit(), unit("U2"), unit(sender="gps")], now=NOW)
    live.put_units([unit(lng=120.5, at=NOW + MINUTE)], now=NOW + MINUTE)
    found = live.units(NOW + MINUTE)
    assert [(one.sender, one.unit, one.lng, one.lat) for one in found] == [
        ("gps", "U1", 120.123, 30.988), ("radio", "U1", 120.5, 30.988),
        ("radio", "U2", 120.123, 30.988),
    ]  # fmt: skip


def test_a_unit_ends_with_its_time_and_is_deleted_by_the_next_push(live):
    live.put_units([unit()], now=NOW)
    last = NOW + 10 * MINUTE
    assert live.units(last - dt.timedelta(seconds=1))
    assert not live.units(last)
    live.put_units([unit("U2", at=last)], now=last)
    assert [one.unit for one in live.units(NOW)] == ["U2"]


def test_a_small_count_is_never_written_and_takes_the_larger_one_away(live):
    assert live.put_crowds([crowd(4)], least=5, now=NOW) == 1
    assert not live.crowds(NOW)
    assert live.put_crowds([crowd(5)], least=5, now=NOW) == 0
    assert [one.count for one in live.crowds(NOW)] == [5]
    assert live.put_crowds([crowd(0)], least=5, now=NOW) == 1
    assert not live.crowds(NOW)
    live.put_crowds([crowd(80)], least=5, now=NOW)
    assert not live.crowds(NOW + 10 * MINUTE)

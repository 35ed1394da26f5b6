"""The queue: counted and read under the same conditions, by scope."""

import datetime as dt

import pytest

from data.warnings import queue
from data.warnings.queue import Wanted
from tests.data.warnings.town import CHIEF, COMMUNITY, LEADER, NOW, OUTSIDER, closed, opened, post

HOUR = dt.timedelta(hours=1)


def ids(warnings, scope=LEADER, *, order="clock", start=0, limit=50, now=NOW, **wanted):
    found = queue.page(
        warnings, scope, Wanted(**wanted), order=order, start=start, limit=limit, now=now
    )
    return [one.id for one in found]


def test_open_ones_come_first_in_each_order(warnings):
    done = closed(warnings, "done").id
    orange = opened(warnings, "orange", now=NOW - 3 * HOUR).id
    red = opened(warnings, "red", colour=4).id
    assert ids(warnings) == [orange, red, done]
    assert ids(warnings, order="colour") == [red, orange, done]
    assert ids(warnings, order="new") == [red, orange, done]
    assert ids(warnings, start=1, limit=1) == [red]


@pytest.mark.parametrize(
    ("wanted", "count"),
    [
        ({"colours": {3}}, 1), ({"colours": {4}}, 0), ({"rules": {"index_red"}}, 1),
        ({"rules": set()}, 0), ({"states": {"new"}}, 1), ({"states": {"closed"}}, 0),
        ({"owner": COMMUNITY}, 1), ({"owner": CHIEF}, 0), ({"area": ("township", "T1")}, 1),
        ({"area": ("township", "T2")}, 0),
    ],
)  # fmt: skip
def test_each_filter_narrows(warnings, wanted, count):
    opened(warnings)
    assert len(ids(warnings, **wanted)) == count


@pytest.mark.parametrize(
    ("left", "due", "fits"),
    [(-1, "late", ["late"]), (5, "6", ["6", "24"]), (20, "24", ["24"]), (30, "later", [])],
)
def test_what_is_due_is_counted_as_it_is_read(warnings, left, due, fits):
    one = opened(warnings)
    now = one.due_at - left * HOUR
    (told,) = queue.tallies(warnings, LEADER, None, now)
    assert (told.due, told.n, told.owner) == (due, 1, COMMUNITY)
    assert [name for name in queue.DUE if ids(warnings, due=name, now=now)] == fits
    assert [name for name in queue.DUE if queue.is_due(told.due, name)] == fits


@pytest.mark.parametrize("order", [*queue.ORDERS, "moved"])
def test_of_those_opened_at_once_the_graver_comes_first(warnings, order):
    yellow = opened(warnings, "yellow", colour=2).id
    red = opened(warnings, "red", colour=4).id
    assert ids(warnings, order=order) == [red, yellow]


def test_what_moved_last_comes_first(warnings):
    older, newer = opened(warnings, "older", now=NOW - 3 * HOUR), opened(warnings, "newer")
    assert ids(warnings, order="moved") == [newer.id, older.id]
    (moved,) = [one for one in warnings.escalate_due(older.due_at + HOUR) if one.id == older.id]
    assert ids(warnings, order="moved")[0] == moved.id


def test_a_scope_reads_and_counts_its_own_alone(warnings):
    one = opened(warnings)
    assert ids(warnings, post(COMMUNITY)) == [one.id]
    assert ids(warnings, OUTSIDER) == []
    assert queue.tallies(warnings, OUTSIDER, None, NOW) == []
    assert queue.tallies(warnings, LEADER, ("grid", "G4"), NOW) == []


def test_areas_are_counted_for_a_scope_short_of_the_city(warnings):
    opened(warnings, "a")
    opened(warnings, "b", colour=4)
    assert warnings.by_area(post(COMMUNITY), "grid") == {"G1": (2, 4)}
    assert warnings.by_area(OUTSIDER, "grid") == {}

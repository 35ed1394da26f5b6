"""The store of arrivals on both engines: once, corrected, withheld, in order, two days long."""

import dataclasses
import datetime as dt

import pytest

from data.arrivals import Account, Arrival, ArrivalStore, Fed
from data.arrivals.store import FeedError

NOW = dt.datetime(2026, 11, 16, 4, 0, tzinfo=dt.UTC)


def arrival(identity, **values):
    told = {
        "content": identity * 10, "rank": 1, "batch": 1, "row": 1, "arrived_at": NOW,
        "is_shown": True, "occurred_at": NOW, "category": "A1", "severity": 2, "level": "grid",
        "area_code": "W1", "lng": 103.0512345, "lat": 36.05,
    }  # fmt: skip
    return Arrival(identity=identity, **(told | values))


def fed(batch, *arrivals, **rest):
    read = len(arrivals) + sum(rest.values())
    rows = tuple(dataclasses.replace(one, batch=batch) for one in arrivals)
    return Fed(Account(batch, "calls", read, **rest), rows)


@pytest.fixture
def store(database):
    store = ArrivalStore(database)
    store.begin(0)
    return store


def seen(store, seq=0):
    rows, gone = store.since(seq, limit=100)
    return [(one.seq, one.identity) for one in rows if not one.replaced_by], gone


def test_what_is_fed_is_there_once_and_in_order(store):
    (account,) = store.feed([fed(1, arrival(7), arrival(5))], after=0, now=NOW)
    assert (account.shown, account.told) == (2, account.read)
    assert seen(store) == ([(1, 7), (2, 5)], [])
    assert store.position().batch == 1
    # The same round again, as after a kill, and by a second process: nothing.
    assert store.feed([fed(1, arrival(7), arrival(5))], after=0, now=NOW) == []
    assert seen(store) == ([(1, 7), (2, 5)], [])
    (found, _) = store.since(0, limit=100)
    assert (found[0].lng, found[0].occurred_at) == (103.0512345, NOW)


def test_the_position_is_set_once(store):
    feed = store.position().feed
    assert store.begin(9) == store.position()
    assert (store.position().batch, store.position().feed) == (0, feed)


def test_a_repeated_incident_is_counted_once(store):
    store.feed([fed(1, arrival(7))], after=0, now=NOW)
    (account,) = store.feed([fed(2, arrival(7, row=3))], after=1, now=NOW)
    assert (account.duplicate, account.shown, account.read) == (1, 0, 1)
    assert seen(store) == ([(1, 7)], [])


def test_a_corrected_incident_takes_the_place_of_the_first(store):
    store.feed([fed(1, arrival(7))], after=0, now=NOW)
    later = NOW + dt.timedelta(hours=1)
    newer = arrival(7, content=71, severity=3, arrived_at=later)
    (account,) = store.feed([fed(2, newer)], after=1, now=later)
    assert (account.corrected, account.shown) == (1, 0)
    assert seen(store, 1) == ([(2, 7)], [(1, 2)])
    ((_, found), _) = store.since(0, limit=100)
    # It is counted when it first came.
    assert (found.severity, found.is_new, found.arrived_at) == (3, False, NOW)


def test_a_correction_that_no_screen_shows_moves_nothing(store):
    store.feed([fed(1, arrival(7))], after=0, now=NOW)
    (account,) = store.feed([fed(2, arrival(7, content=71))], after=1, now=NOW)
    assert account.corrected == 1
    assert seen(store) == ([(1, 7)], [])
    (account,) = store.feed([fed(3, arrival(7, content=71))], after=2, now=NOW)
    assert account.duplicate == 1


def test_two_versions_in_one_batch(store):
    both = arrival(7), arrival(7, content=71, severity=3)
    (account,) = store.feed([fed(1, *both)], after=0, now=NOW)
    assert (account.shown, account.corrected, account.told) == (1, 1, 2)
    assert seen(store) == ([(2, 7)], [])


def test_an_older_version_that_comes_late_is_not_shown(store):
    store.feed([fed(1, arrival(7, rank=5, by_arrival=False))], after=0, now=NOW)
    late = arrival(7, rank=4, content=71, severity=3, by_arrival=False)
    (account,) = store.feed([fed(2, late)], after=1, now=NOW)
    assert account.duplicate == 1
    assert seen(store) == ([(1, 7)], [])


def test_an_incident_that_turns_out_sensitive_goes(store):
    store.feed([fed(1, arrival(7))], after=0, now=NOW)
    hidden = Arrival(7, 72, 9, 2, 1, NOW, is_shown=False)
    (account,) = store.feed([fed(2, hidden)], after=1, now=NOW)
    assert (account.withheld, account.shown) == (1, 0)
    rows, gone = store.since(1, limit=100)
    assert ([one.is_shown for one in rows], gone) == ([False], [(1, 2)])
    assert (rows[0].category, rows[0].area_code, rows[0].lng, rows[0].occurred_at) == (
        "", "", None, None,
    )  # fmt: skip


def test_rows_that_do_not_add_up_are_not_kept(store):
    wrong = Fed(Account(1, "calls", 3), (arrival(7),))
    with pytest.raises(FeedError, match="3 rows arrived, but 1 are told of"):
        store.feed([wrong], after=0, now=NOW)
    assert seen(store) == ([], [])
    assert store.position().batch == 0


def test_what_is_older_than_two_days_goes_and_no_number_comes_again(store):
    store.feed([fed(1, arrival(7), arrival(8))], after=0, now=NOW)
    later = NOW + dt.timedelta(hours=49)
    store.feed([fed(2, arrival(9, arrived_at=later))], after=1, now=later)
    assert seen(store) == ([(3, 9)], [])
    assert [one.batch for one in store.accounts()] == [2]
    even_later = later + dt.timedelta(hours=49)
    store.feed([fed(3)], after=2, now=even_later)
    store.feed([fed(4, arrival(9, arrived_at=even_later))], after=3, now=even_later)
    assert seen(store) == ([(4, 9)], [])


def test_the_account_of_a_batch_and_the_quarantined_of_a_day(store):
    store.feed([fed(1, arrival(7), quarantined=2, refused=1, passed=4, old=3)], after=0, now=NOW)
    (account,) = store.accounts()
    assert (account.read, account.told) == (11, 11)
    assert store.quarantined(NOW) == 2
    assert store.quarantined(NOW + dt.timedelta(seconds=1)) == 0

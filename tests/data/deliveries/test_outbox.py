"""The outbox: once per channel however often it is told, held by one process, tried again."""

import datetime as dt
import multiprocessing
import queue

import pytest

from data.deliveries.channels import Channel
from data.deliveries.message import MessageError, Place
from data.deliveries.outbox import (
    FRESH,
    GIVEN_UP,
    LEASE,
    MOST_TRIES,
    MOST_WAIT,
    SENT,
    Outbox,
    wait_after,
)
from data.state.database import StateDatabase

NOW = dt.datetime(2026, 11, 16, 7, tzinfo=dt.UTC)
CITY = Place("city", "990100", "市", "City")
CHANNELS = (
    Channel("mail", "apprise", messages=("issue", "warning")),
    Channel("bot", "json", messages=("warning",)),
)


def post(outbox, key="warning:1", *, now=NOW, **more):
    values = {"kind": "warning", "level": 4, "place": CITY, "counts": {"incidents": 3}, "path": "/"}
    return outbox.post(key=key, now=now, **{**values, **more})


def counts(outbox):
    return {one.channel: {s: n for s, n in one.counts.items() if n} for one in outbox.standings()}


@pytest.fixture
def outbox(database):
    return Outbox(database)


def test_a_message_is_delivered_once_by_each_channel(outbox):
    assert post(outbox)
    assert not post(outbox, level=1)
    assert outbox.route(CHANNELS, NOW) == 2
    assert outbox.route(CHANNELS, NOW) == 0
    assert not post(outbox)
    assert outbox.route(CHANNELS, NOW) == 0
    taken = []
    while held := outbox.hold(NOW):
        taken.append((held.channel, held.message.key, held.message.level))
        outbox.sent(held, NOW)
    assert sorted(taken) == [("bot", "warning:1", 4), ("mail", "warning:1", 4)]
    assert counts(outbox) == {"bot": {SENT: 1}, "mail": {SENT: 1}}


def test_what_is_no_message_is_not_posted(outbox):
    with pytest.raises(MessageError):
        post(outbox, kind="gossip")
    assert outbox.unrouted() == 0


def test_a_message_belongs_to_the_transaction_of_who_posts_it(outbox, database):
    def posted_and_failed():
        with database.writing() as session:
            assert post(outbox, session=session)
            raise LookupError

    with pytest.raises(LookupError):
        posted_and_failed()
    assert outbox.unrouted() == 0
    with database.writing() as session:
        assert post(outbox, session=session)
    assert outbox.unrouted() == 1


def test_without_a_channel_a_message_waits_and_grows_old(outbox):
    post(outbox)
    assert outbox.route((), NOW) == 0
    assert outbox.unrouted() == 1
    assert outbox.route(CHANNELS, NOW + FRESH + dt.timedelta(seconds=1)) == 0
    assert outbox.unrouted() == 0


def test_nobody_else_gets_what_is_held_until_its_holder_is_gone(outbox):
    post(outbox)
    outbox.route(CHANNELS[1:], NOW)
    assert outbox.hold(NOW).tries == 1
    assert outbox.hold(NOW) is None
    assert outbox.hold(NOW + LEASE - dt.timedelta(seconds=1)) is None
    again = outbox.hold(NOW + LEASE)
    assert (again.tries, again.message.key) == (2, "warning:1")


def test_what_failed_is_tried_later_and_later_then_given_up(outbox):
    post(outbox)
    outbox.route(CHANNELS[1:], NOW)
    now, waits = NOW, []
    while held := outbox.hold(now):
        again = outbox.failed(held, "no route", now)
        if again is None:
            break
        assert outbox.hold(again - dt.timedelta(seconds=1)) is None
        waits.append(again - now)
        now = again
    assert len(waits) == MOST_TRIES - 1
    assert waits == sorted(waits)
    assert waits[0] == wait_after(1) == dt.timedelta(minutes=1)
    assert waits[-1] == MOST_WAIT
    (standing,) = outbox.standings()
    assert (standing.counts[GIVEN_UP], standing.reason) == (1, "no route")
    assert outbox.hold(now + dt.timedelta(days=365)) is None
    assert outbox.retry(now, channel="mail") == 0
    assert outbox.retry(now, channel="bot") == 1
    assert outbox.hold(now).tries == 1


def test_what_can_never_go_is_given_up_at_once(outbox):
    post(outbox)
    outbox.route(CHANNELS[1:], NOW)
    assert outbox.failed(outbox.hold(NOW), "x" * 999, NOW, is_final=True) is None
    (listed,) = outbox.newest(most=5)
    assert (listed.state, len(listed.reason)) == (GIVEN_UP, 200)


def test_a_channel_can_be_left_alone(outbox):
    post(outbox)
    outbox.route(CHANNELS, NOW)
    assert outbox.hold(NOW, without={"mail"}).channel == "bot"
    assert outbox.hold(NOW, without={"mail"}) is None
    assert outbox.hold(NOW).channel == "mail"


def drain(url, start, found):
    """Send everything that is due, as one of several processes; tell what was sent."""
    database = StateDatabase(url)
    outbox = Outbox(database)
    start.wait()
    outbox.route(CHANNELS, NOW)
    while held := outbox.hold(NOW):
        found.put((held.message.key, held.channel))
        outbox.sent(held, NOW)
    database.close()
    found.put(None)


def test_processes_that_race_deliver_each_message_once(outbox, state_url):
    for at in range(20):
        post(outbox, f"warning:{at}")
    context = multiprocessing.get_context("spawn")
    start, found = context.Event(), context.Queue()
    workers = [context.Process(target=drain, args=(state_url, start, found)) for _ in range(2)]
    for worker in workers:
        worker.start()
    start.set()
    ended, sent = 0, []
    while ended < len(workers):
        try:
            one = found.get(timeout=60)
        except queue.Empty:
            pytest.fail("a process did not end")
        ended, sent = (ended + 1, sent) if one is None else (ended, [*sent, one])
    for worker in workers:
        worker.join()
        assert worker.exitcode == 0
    assert sorted(sent) == sorted({(f"warning:{at}", c.name) for at in range(20) for c in CHANNELS})

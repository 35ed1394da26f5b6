import datetime as dt
import hashlib
from dataclasses import replace

import pytest
import sqlalchemy as sa

from data.accounts.policy import Policy
from data.accounts.sessions import Sessions
from data.state.models import UserSession
from tests.data.accounts.town import NOW, made

POLICY = Policy()


@pytest.fixture
def sessions(database):
    return Sessions(database)


@pytest.fixture
def user(accounts):
    return made(accounts)


def started(sessions, user, *, now=NOW, policy=POLICY):
    return sessions.start(user, address="10.1.2.3", policy=policy, now=now)


def test_a_session_is_known_by_its_secret_of_which_the_hash_is_stored(sessions, user, later):
    secret = started(sessions, user)
    held = sessions.current(secret, now=later(seconds=1), policy=POLICY)
    assert (held.user.login, held.seen) == ("duty", NOW)
    assert held.session_id == hashlib.sha256(secret.encode()).hexdigest()
    (row,) = sessions.open_of(user.id, now=NOW)
    assert (row.id, row.address, row.created_at) == (held.session_id, "10.1.2.3", NOW)
    assert len(secret) >= 43


@pytest.mark.parametrize("secret", ["", "x", "\x00", "\udcff", "é" * 1_000])
def test_no_other_text_is_a_session(sessions, user, secret):
    held = started(sessions, user)
    assert sessions.current(secret, now=NOW, policy=POLICY) is None
    digest = hashlib.sha256(held.encode()).hexdigest()
    assert sessions.current(digest, now=NOW, policy=POLICY) is None


def test_a_session_ends_after_half_an_hour_without_use(sessions, user, later):
    secret = started(sessions, user)
    assert sessions.current(secret, now=later(minutes=29, seconds=59), policy=POLICY)
    assert sessions.current(secret, now=later(minutes=59), policy=POLICY)
    assert sessions.current(secret, now=later(minutes=89), policy=POLICY) is None
    assert sessions.current(secret, now=later(minutes=89), policy=replace(POLICY, idle_minutes=31))


def test_a_session_ends_after_twelve_hours_of_use(sessions, user, later):
    secret = started(sessions, user)
    for quarter in range(1, 48):
        assert sessions.current(secret, now=later(minutes=15 * quarter), policy=POLICY)
    assert sessions.current(secret, now=later(hours=12), policy=POLICY) is None


def test_stricter_rules_hold_for_sessions_that_have_begun(sessions, user, later):
    secret = started(sessions, user)
    strict = replace(POLICY, session_hours=1, idle_minutes=480)
    assert sessions.current(secret, now=later(minutes=59), policy=strict)
    assert sessions.current(secret, now=later(minutes=60), policy=strict) is None


def test_use_is_written_down_once_a_minute(sessions, user, later, database):
    secret = started(sessions, user)
    written = []

    @sa.event.listens_for(database.engine, "before_cursor_execute")
    def _seen(_connection, _cursor, statement, *_rest):
        if statement.startswith("UPDATE sessions"):
            written.append(statement)

    for seconds in (1, 30, 59):
        held = sessions.current(secret, now=later(seconds=seconds), policy=POLICY)
        assert held.seen == NOW
    assert written == []
    sessions.current(secret, now=later(seconds=60), policy=POLICY)
    held = sessions.current(secret, now=later(seconds=61), policy=POLICY)
    assert held.seen == later(seconds=60)
    assert len(written) == 1


def test_an_ended_session_is_over(sessions, user, later):
    secret, other = started(sessions, user), started(sessions, user)
    sessions.end(secret, now=NOW)
    sessions.end(secret, now=later(days=1))
    sessions.end("unknown")
    assert sessions.current(secret, now=NOW, policy=POLICY) is None
    assert sessions.current(other, now=NOW, policy=POLICY)
    assert len(sessions.open_of(user.id, now=NOW)) == 1


def test_all_sessions_but_one_end(sessions, user, accounts):
    kept, *_ = [started(sessions, user) for _ in range(3)]
    stranger = started(sessions, made(accounts, "other"))
    held = sessions.current(kept, now=NOW, policy=POLICY)
    assert sessions.end_all(user.id, but=held.session_id, now=NOW) == 2
    assert [row.id for row in sessions.open_of(user.id, now=NOW)] == [held.session_id]
    assert sessions.end_all(user.id, now=NOW) == 1
    assert sessions.current(stranger, now=NOW, policy=POLICY)


def test_a_disabled_user_has_no_session(sessions, user, accounts):
    secret = started(sessions, user)
    accounts.disable("duty", now=NOW)
    assert sessions.current(secret, now=NOW, policy=POLICY) is None


def test_a_session_that_began_while_the_user_was_disabled_is_none(sessions, user, accounts):
    accounts.disable("duty", now=NOW)
    secret = started(sessions, user)
    assert sessions.current(secret, now=NOW, policy=POLICY) is None


def test_the_user_is_read_anew_each_time(sessions, user, accounts):
    secret = started(sessions, user)
    accounts.set_unit("duty", "值班室")
    assert sessions.current(secret, now=NOW, policy=POLICY).user.unit == "值班室"


def test_where_one_session_is_allowed_a_new_one_ends_the_others(sessions, user):
    one = replace(POLICY, one_session=True)
    first, second = (started(sessions, user, policy=one) for _ in range(2))
    assert sessions.current(first, now=NOW, policy=one) is None
    assert sessions.current(second, now=NOW, policy=one)


def test_old_sessions_are_deleted_after_thirty_days(sessions, user, later, database):
    ended, running = started(sessions, user), started(sessions, user)
    sessions.end(ended, now=NOW)
    started(sessions, user, now=later(days=30))
    assert sessions.prune(later(days=30)) == 0
    assert sessions.prune(later(days=30, seconds=1)) == 1
    assert sessions.prune(later(days=31)) == 1
    assert sessions.current(running, now=NOW, policy=POLICY) is None
    with database.reading() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(UserSession)) == 1


def test_open_sessions_are_listed_by_latest_use(sessions, user, later):
    first, second = started(sessions, user), started(sessions, user, now=later(minutes=1))
    sessions.current(first, now=later(minutes=5), policy=POLICY)
    latest = sessions.current(first, now=later(minutes=5), policy=POLICY).session_id
    assert next(row.id for row in sessions.open_of(user.id, now=later(minutes=6))) == latest
    assert sessions.open_of(user.id, now=later(hours=13)) == []
    assert second != first


def test_a_long_address_is_cut(sessions, user):
    sessions.start(user, address="f" * 200, policy=POLICY, now=NOW)
    assert len(sessions.open_of(user.id, now=NOW)[0].address) == 64


def test_moments_need_a_zone(sessions, user):
    with pytest.raises(Exception, match="zone"):
        started(sessions, user, now=dt.datetime(2026, 11, 16, 4, 0))  # noqa: DTZ001

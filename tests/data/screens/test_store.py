import datetime as dt

import pytest

from data.access import Grant, Scope, decide
from data.screens import ScreenError, ScreenStore
from data.state.database import open_state
from data.state.migrate import upgrade

NOW = dt.datetime(2026, 11, 20, 2, 0, tzinfo=dt.UTC)
DAY = NOW.date()
COUNTY = ("county", "620102")


@pytest.fixture
def store(tmp_path):
    database = open_state("", tmp_path)
    upgrade(database)
    yield ScreenStore(database)
    database.close()


def made(store, *addresses, **more):
    return store.create("hall", COUNTY, addresses or ["10.1.2.0/24"], now=NOW, **more)


def test_a_token_opens_its_own_screen_from_its_own_addresses_alone(store):
    screen, secret = made(store, "10.1.2.0/24", "192.168.7.9", "fd00:1::/64")
    assert store.current(secret, "10.1.2.200", day=DAY) == screen
    for address in ("192.168.7.9", "fd00:1::5", "::ffff:10.1.2.3"):
        assert store.current(secret, address, day=DAY), address
    for address in ("10.1.3.1", "192.168.7.10", "127.0.0.1", "fd00:2::5", "", "hall", "10.1.2"):
        assert store.current(secret, address, day=DAY) is None, address


def test_what_is_no_token_opens_nothing(store):
    _, secret = made(store)
    for wrong in ("", "x", secret[:-1], secret + "x", secret.swapcase(), "é" * 43, "0" * 43):
        assert store.current(wrong, "10.1.2.3", day=DAY) is None


def test_the_token_itself_is_not_kept(store, tmp_path):
    _, secret = made(store)
    kept = b"".join(one.read_bytes() for one in tmp_path.iterdir())
    assert secret.encode() not in kept
    assert secret not in repr(store.list())


def test_a_screen_sees_its_area_and_does_nothing(store):
    screen, _ = made(store)
    assert screen.scope == Scope(
        "screen-hall", frozenset({Grant("wall", *COUNTY)}), session="screen1"
    )
    assert decide(screen.scope, "warnings").areas == {COUNTY}
    for action in ("warnings_act", "export", "report", "letters", "points", "account", "audit"):
        assert not decide(screen.scope, action).is_allowed, action


def test_it_ends_after_its_last_day(store):
    _, secret = made(store, valid_until=DAY)
    assert store.current(secret, "10.1.2.3", day=DAY)
    assert store.current(secret, "10.1.2.3", day=DAY + dt.timedelta(days=1)) is None


def test_a_revoked_one_opens_nothing_and_its_name_is_free(store):
    _, secret = made(store)
    store.revoke("hall")
    assert store.current(secret, "10.1.2.3", day=DAY) is None
    _, other = made(store)
    assert other != secret
    with pytest.raises(ScreenError, match="there is no screen nobody; known: hall"):
        store.revoke("nobody")


def test_that_it_is_there_is_written_once_a_minute(store):
    _, secret = made(store)
    for seconds, wanted in ((0, 0), (59, 0), (60, 60), (61, 60), (300, 300)):
        screen = store.current(secret, "10.1.2.3", day=DAY)
        store.see(screen, now=NOW + dt.timedelta(seconds=seconds))
        (seen,) = store.list()
        assert seen.seen_at == NOW + dt.timedelta(seconds=wanted)


@pytest.mark.parametrize(
    ("name", "area", "addresses", "fault"),
    [
        ("a hall", COUNTY, ["10.1.2.3"], "screen name 'a hall'"),
        ("13800138000", COUNTY, ["10.1.2.3"], "screen name '13800138000'"),
        ("x" * 41, COUNTY, ["10.1.2.3"], "use 1 to 40"),
        ("hall", ("moon", "1"), ["10.1.2.3"], "there is no level 'moon'"),
        ("hall", ("county", "*"), ["10.1.2.3"], "area code"),
        ("hall", COUNTY, [], "name 1 to 20"),
        ("hall", COUNTY, ["hall.example"], "'hall.example' is no IP address"),
        ("hall", COUNTY, ["0.0.0.0/0"], "is every address there is"),
        ("hall", COUNTY, ["::/0"], "is every address there is"),
    ],
)
def test_what_cannot_be_a_screen_is_refused(store, name, area, addresses, fault):
    with pytest.raises(ScreenError, match=fault):
        store.create(name, area, addresses, now=NOW)
    assert store.list() == []


def test_a_name_is_taken_once(store):
    made(store)
    with pytest.raises(ScreenError, match="screen hall exists; revoke it first"):
        made(store)


def test_the_whole_city_has_one_code(store):
    screen, _ = store.create("hall", ("city", "620100"), ["10.1.2.3"], now=NOW)
    assert screen.scope.grants == {Grant("wall")}

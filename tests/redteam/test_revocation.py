"""A right that ends, ends with the next request, in every web process."""

import datetime as dt
import itertools

import pytest

from dashboard import guard
from dashboard.signin import provider
from data.access import Grant
from data.accounts import links
from tests.redteam import city
from tests.redteam.attack import CALLBACKS, COMPARE, Call
from tests.redteam.town import HTML, PASSWORD, Town, body_of, linked, send, utc_now

TOWNSHIP = Grant("township", "township", city.OWN["township"])
SIBLING = Grant("township", "township", "9902007")
CHIEF = Grant("grid_chief", "grid", city.OWN["grid"])
PATHS = ("/", "/_dash-layout", "/_dash-dependencies", "/names/b1/grid.json", "/tiles/b1/grid/0/0/0.pbf",
         "/export", "/image", "/share", "/views", "/account")  # fmt: skip


@pytest.fixture
def town(home, tmp_path):
    return Town(linked(home, tmp_path / "home"), processes=2)


@pytest.fixture
def clock(monkeypatch):
    """Turns the clock of every process."""

    class Clock:
        now = utc_now()

        def turn(self, **by):
            self.now += dt.timedelta(**by)

    clock = Clock()
    monkeypatch.setattr(provider, "_now", lambda: clock.now)
    return clock


def everything(town, secret, *, cookie="pingan_session"):
    """Every callback and page, asked of every process with the cookie of one browser."""
    for app in town.apps:
        browser = app.server.test_client()
        browser.set_cookie(cookie, secret)
        for what in CALLBACKS:
            values = {
                "panels-address.data": "",
                "compared-address.data": "",
                "page-address.data": "/index",
                "area-search.value": "哨",
                "url.search": "",
            }
            event = {"kind": "hover", "layer": "areas", "level": "grid", "index": 85}
            values["map-hover.data"] = event
            answer = browser.post(guard.CALLBACKS, json=body_of(app, what, values))
            yield Call("", what, "", answer)
        for path in PATHS:
            yield Call("", path, "", browser.get(path, headers=HTML))


def count_ok(calls):
    return sum(call.answer.status_code < 300 for call in calls)


def all_of(town, secret):
    return len(town.apps) * (len(CALLBACKS) + len(PATHS))


def check_open(town, secret, **more):
    assert count_ok(everything(town, secret, **more)) == all_of(town, secret)


def check_shut(town, secret, **more):
    for call in everything(town, secret, **more):
        assert call.answer.status_code in (302, 401, 403), call.what
        assert "哨" not in call.text
        assert "\\u54e8" not in call.text


def test_a_disabled_account(town):
    secret = town.secret(town.person("duty-desk", TOWNSHIP))
    check_open(town, secret)
    town.accounts.disable("duty-desk")
    check_shut(town, secret)
    town.accounts.enable("duty-desk")
    check_shut(town, secret)  # its sessions ended; it must sign in anew


def test_the_only_right_is_taken(town):
    secret = town.secret(town.person("duty-desk", TOWNSHIP))
    check_open(town, secret)
    town.accounts.revoke("duty-desk", TOWNSHIP, by="office")
    for call in everything(town, secret):
        # Who has no right at all keeps an empty account page, and nothing of the city.
        assert call.answer.status_code in (200, 302, 403, 404), call.what
        assert call.answer.status_code != 200 or call.what.startswith("/_dash"), call.what
        assert "哨" not in call.text


@pytest.mark.parametrize("other", [SIBLING, CHIEF])
def test_a_right_is_moved_to_another_area_or_a_lower_post(town, other):
    secret = town.secret(town.person("duty-desk", TOWNSHIP))
    lost = words_of("township") - words_under(other)
    before = "".join(call.text for call in everything(town, secret))
    assert any(word in before for word in lost)
    town.accounts.grant("duty-desk", other, by="office", now=utc_now())
    town.accounts.revoke("duty-desk", TOWNSHIP, by="office")
    after = {call.what: call.text for call in everything(town, secret) if call.what != COMPARE}
    assert any(word in "".join(after.values()) for word in words_under(other))
    for what, text in after.items():
        if what != "/account":  # tells where the own area lies
            assert not [word for word in lost if word in text], what


def words_of(role):
    rows = city.areas()
    seen = city.inside(role)
    return {
        city.canary(*row) for row in rows.loc[seen, ["level", "area_index"]].itertuples(index=False)
    }


def words_under(grant):
    from data.access import Scope, visible_areas

    rows = city.areas()
    seen = visible_areas(Scope("x", frozenset({grant})), rows)
    return {
        city.canary(*row) for row in rows.loc[seen, ["level", "area_index"]].itertuples(index=False)
    }


def test_a_right_that_is_over_or_has_not_begun(town, clock):
    today = clock.now.astimezone(town.inside.zone()).date()
    town.person("guest-desk", TOWNSHIP, valid_until=today)
    town.person("coming-desk", TOWNSHIP, valid_from=today + dt.timedelta(days=1))
    guest, coming = (town.secret(login, now=clock.now) for login in ("guest-desk", "coming-desk"))
    check_open(town, guest)
    assert not any("哨" in call.text for call in everything(town, coming))
    clock.turn(days=1)
    guest, coming = (town.secret(login, now=clock.now) for login in ("guest-desk", "coming-desk"))
    check_open(town, coming)
    assert not any("哨" in call.text for call in everything(town, guest))


def test_a_new_password_ends_all_sessions_and_the_own_change_all_others(town):
    town.person("duty-desk", TOWNSHIP)
    first, second = town.secret("duty-desk"), town.secret("duty-desk")
    data = {"old": PASSWORD, "new": "Brisk-Otter-9-Canal", "again": "Brisk-Otter-9-Canal"}
    changed = send(town.browser("duty-desk", secret=first), "/account/password", data)
    assert changed.status_code == 303, changed.text
    check_open(town, first)
    check_shut(town, second)
    town.accounts.set_password("duty-desk", "Third-Heron-3-Mills", now=utc_now())
    check_shut(town, first)


def test_a_session_that_is_left(town):
    secret = town.secret(town.person("duty-desk", TOWNSHIP))
    other = town.secret("duty-desk")
    check_open(town, secret)
    assert send(town.browser("duty-desk", secret=secret), "/signout").status_code == 303
    check_shut(town, secret)
    check_open(town, other)
    town.sessions.end_all(town.accounts.get("duty-desk").id)
    check_shut(town, other)


def test_a_session_that_is_idle(town, clock):
    secret = town.secret(town.person("duty-desk", TOWNSHIP), now=clock.now)
    clock.turn(minutes=29)
    check_open(town, secret)
    clock.turn(minutes=30)
    check_shut(town, secret)


def test_a_session_that_is_used_all_day(town, clock):
    secret = town.secret(town.person("duty-desk", TOWNSHIP), now=clock.now)
    for _ in range(12 * 3 - 1):
        clock.turn(minutes=20)
        answer = town.browser("duty-desk", secret=secret).get("/names/b1/city.json")
        assert answer.status_code in (200, 404)
    clock.turn(minutes=20)
    check_shut(town, secret)


def test_the_secret_of_nobody(town):
    town.person("duty-desk", TOWNSHIP)
    real = town.secret("duty-desk")
    for wrong in ("", "x", real[:-1], real + "x", real.swapcase(), "é", "0" * 4_000):
        check_shut(town, wrong)


@pytest.fixture
def link(town):
    town.person("duty-desk", TOWNSHIP)
    return links.share(town.inside.database, search="", by="duty-desk", days=7, now=utc_now())


def read_link(town, secret):
    return [
        call.answer.status_code
        for call in itertools.islice(everything(town, secret, cookie="pingan_link"), len(CALLBACKS))
    ]


def test_a_shared_link_opens_the_public_edition_until_it_is_withdrawn(town, link):
    assert set(read_link(town, link)) == {200}
    (found,) = links.shares(town.inside.database, now=utc_now())
    assert links.withdraw(town.inside.database, found.id, now=utc_now())
    check_shut(town, link, cookie="pingan_link")


def test_a_shared_link_ends_by_itself(town, clock, link):
    clock.turn(days=6, hours=23)
    assert set(read_link(town, link)) == {200}
    clock.turn(hours=2)
    check_shut(town, link, cookie="pingan_link")


def test_a_shared_link_ends_with_the_account_that_made_it(town, link):
    town.accounts.disable("duty-desk")
    check_shut(town, link, cookie="pingan_link")

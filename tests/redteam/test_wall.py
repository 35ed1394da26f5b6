"""A wall screen: bound to its address, read only, let into its own page and nothing else."""

import datetime as dt

import pytest

from dashboard.endpoints import PERMISSIONS, WALLS
from data.access import Grant
from data.screens import ScreenStore
from data.tokens import token_sha256
from tests.redteam import city
from tests.redteam.test_mutation import ENDPOINTS
from tests.redteam.town import HTML, Town, linked, send, utc_now

HERE = "127.0.0.1"
ELSEWHERE = {"REMOTE_ADDR": "10.9.9.9"}
AREA = ("county", city.OWN["county"])


@pytest.fixture(scope="module")
def town(home, tmp_path_factory):
    town = Town(linked(home, tmp_path_factory.mktemp("wall") / "home"))
    town.person("desk", Grant("township", "township", city.OWN["township"]))
    return town


@pytest.fixture
def screens(town):
    store = ScreenStore(town.inside.database)
    yield store
    for one in store.list():
        store.revoke(one.name)


def entered(town, screens, *, app=None, **more):
    """A browser that has opened the wall's address."""
    _, secret = screens.create("hall", AREA, [HERE], now=utc_now(), **more)
    browser = (app or town.app).server.test_client()
    answer = browser.get(f"/screen/enter/{secret}?lang=en&preset=wide", headers=HTML)
    assert answer.status_code == 200
    return browser, secret, answer


def is_a_wall(browser):
    """Whether the browser still is one: a page that its role could read is closed to it as such."""
    return browser.get("/areas", headers=HTML).status_code == 403


def test_the_token_becomes_a_cookie_and_leaves_the_address(town, screens):
    browser, secret, answer = entered(town, screens)
    (cookie,) = [one for one in answer.headers.getlist("Set-Cookie") if "pingan_screen" in one]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert 'content="0; url=/screen?lang=en&amp;preset=wide"' in answer.text
    assert secret not in answer.text
    assert is_a_wall(browser)


def test_it_is_let_into_its_own_page_and_nothing_else(town, screens):
    browser, _, _ = entered(town, screens)
    served = {rule.endpoint for rule in town.app.server.url_map.iter_rules()}
    for name, (method, path, _) in ENDPOINTS.items():
        if name not in served or name in WALLS:
            continue
        status = browser.open(path, method=method, headers=HTML).status_code
        assert status == (404 if PERMISSIONS[name] == "nobody" else 403), name
    for path in ("/signin", "/setup/guess", "/s/guess", "/m/app.webmanifest"):
        assert browser.get(path, headers=HTML).status_code == 403, path
    assert browser.get("/healthz").status_code == 200
    with browser.get("/assets/base.css") as sheet:
        assert sheet.status_code == 200


def test_a_wrong_address_is_answered_like_an_unknown_token(town, screens):
    _, secret = screens.create("hall", AREA, [HERE], now=utc_now())
    asked = [(secret, ELSEWHERE), ("A" * 43, ELSEWHERE), ("guess", ELSEWHERE), ("A" * 43, {})]
    answers = [
        town.app.server.test_client().get(
            f"/screen/enter/{one}", headers=HTML, environ_overrides=where
        )
        for one, where in asked
    ]
    assert {answer.status_code for answer in answers} == {404}
    texts = [answer.text.replace(one, "") for (one, _), answer in zip(asked, answers, strict=True)]
    assert len(set(texts)) == 1
    assert not any("pingan_screen" in str(answer.headers) for answer in answers)
    told = [(row.action, row.target, row.result) for row in town.rows()[-4:]]
    assert told[0] == ("sign_in", "screen hall", "denied")
    assert told[1:] == [("sign_in", "screen", "denied")] * 3
    assert not any(secret in str(vars(row)) for row in town.rows())


def test_a_cookie_that_is_carried_away_opens_nothing(town, screens):
    browser, _, _ = entered(town, screens)
    there = browser.get("/areas", headers=HTML, environ_overrides=ELSEWHERE)
    assert there.status_code in (302, 401)  # nobody is signed in
    assert is_a_wall(browser)


def test_a_revoked_one_ends_with_its_next_request(town, screens):
    browser, _, _ = entered(town, screens)
    assert is_a_wall(browser)
    screens.revoke("hall")
    assert browser.get("/areas", headers=HTML).status_code in (302, 401)


def test_one_whose_last_day_has_passed_shows_nothing(town, screens):
    before = utc_now() - dt.timedelta(days=3)
    _, secret = screens.create("hall", AREA, [HERE], now=before, valid_until=before.date())
    browser = town.app.server.test_client()
    browser.set_cookie("pingan_screen", secret)
    assert browser.get("/areas", headers=HTML).status_code in (302, 401)
    assert browser.get(f"/screen/enter/{secret}", headers=HTML).status_code == 404


def test_a_session_counts_before_the_wall_and_outlives_it(town, screens):
    browser, _, _ = entered(town, screens)
    browser.set_cookie("pingan_session", town.secret("desk"))
    assert browser.get("/areas", headers=HTML).status_code == 200
    browser.delete_cookie("pingan_session")
    assert is_a_wall(browser)


def test_the_hash_is_no_token(town, screens):
    _, secret = screens.create("hall", AREA, [HERE], now=utc_now())
    browser = town.app.server.test_client()
    assert browser.get(f"/screen/enter/{token_sha256(secret)}", headers=HTML).status_code == 404


def test_tries_are_throttled_like_a_sign_in(town):
    browser = town.app.server.test_client()
    there = {"REMOTE_ADDR": "10.77.0.1"}
    statuses = [
        browser.get(f"/screen/enter/{n}", headers=HTML, environ_overrides=there).status_code
        for n in range(12)
    ]
    assert statuses[0] == 404
    assert statuses[-1] == 429


def test_whoever_stands_before_it_can_end_it(town, screens):
    browser, _, _ = entered(town, screens)
    refused = browser.get("/areas", headers=HTML)
    assert 'action="/signout"' in refused.text
    assert "/hotspots" not in refused.text  # no menu of what it may not open
    assert send(browser, "/signout", page="/areas").status_code == 303
    assert not is_a_wall(browser)


def test_each_visit_is_recorded_as_the_screens(town, screens):
    entered(town, screens)
    row = town.rows()[-1]
    assert (row.user, row.roles, row.action, row.target) == (
        "screen-hall", "wall", "sign_in", "screen hall"
    )  # fmt: skip


def test_that_it_is_there_shows_in_the_list(town, screens):
    browser, _, _ = entered(town, screens)
    is_a_wall(browser)
    (one,) = screens.list()
    assert one.seen_at is not None

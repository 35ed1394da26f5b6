"""No page of another origin acts in somebody's name: headers and form tokens, case by case."""

import itertools

import pytest

from dashboard import guard
from data.access import Grant
from tests.redteam import city
from tests.redteam.attack import PANELS
from tests.redteam.town import HTML, Town, body_of, linked, token_of

SITES = (None, "same-origin", "same-site", "cross-site", "none", "SAME-ORIGIN")
ORIGINS = (
    None, "http://localhost", "null", "http://evil.example", "http://localhost:8051",
    "http://localhost.evil.example", "http://sub.localhost", "http://localhost@evil.example",
    "http://[", "localhost", "", "http://localhost/", "http://LOCALHOST.", "file://",
)  # fmt: skip
CASES = list(itertools.product(SITES, ORIGINS))


def is_own(site, origin):
    """Whether a browser's headers say that one of our own pages, or the user, has sent it."""
    return site in (None, "same-origin", "none") and origin in (None, "http://localhost")


@pytest.fixture(scope="module")
def town(home, tmp_path_factory):
    town = Town(linked(home, tmp_path_factory.mktemp("csrf") / "home"))
    for login in ("duty-desk", "other-desk"):
        town.person(login, Grant("township", "township", city.OWN["township"]))
    return town


@pytest.fixture(scope="module")
def browser(town):
    return town.browser("duty-desk")


@pytest.fixture(scope="module")
def token(browser):
    return token_of(browser, "/views")


def sent_by(site, origin):
    given = {"Sec-Fetch-Site": site, "Origin": origin}
    return {name: value for name, value in given.items() if value is not None}


def names_of(town, login="duty-desk"):
    from data.accounts import views

    return {view.name for view in views.saved(town.inside.database, town.accounts.get(login).id)}


def test_there_are_as_many_cases_as_datasette_has():
    assert len(CASES) >= 24


@pytest.mark.parametrize(("site", "origin"), CASES)
def test_a_form_counts_only_from_our_own_pages(town, browser, token, site, origin):
    name = f"{site} {origin}"
    answer = browser.post(
        "/views", data={"form_token": token, "name": name, "search": ""},
        headers=HTML | sent_by(site, origin),
    )  # fmt: skip
    assert answer.status_code == (303 if is_own(site, origin) else 403)
    assert (" ".join(name.split()) in names_of(town)) == is_own(site, origin)


@pytest.mark.parametrize(("site", "origin"), CASES)
@pytest.mark.parametrize("has_cookie", [True, False])
def test_a_callback_answers_only_our_own_pages(town, browser, has_cookie, site, origin):
    asking = browser if has_cookie else town.app.server.test_client()
    body = body_of(town.app, PANELS, {"panels-address.data": ""})
    answer = asking.post(guard.CALLBACKS, json=body, headers=sent_by(site, origin))
    expected = 403 if not is_own(site, origin) else 200 if has_cookie else 401
    assert answer.status_code == expected


def wrong_tokens(town, token):
    other = token_of(town.browser("other-desk"), "/views")
    again = token_of(town.browser("duty-desk"), "/views")  # of another session of the same account
    stranger = token_of(town.app.server.test_client(), "/signin")
    flipped = ("0" if token[0] != "0" else "1") + token[1:]
    return {
        "missing": None, "empty": "", "other account": other, "other session": again,
        "stranger": stranger, "flipped": flipped, "cut": token[:-1], "longer": token + "0",
        "upper": token.upper(), "wide": "".join(chr(ord(c) + 0xFEE0) for c in token),
        "letters": "é" * 64, "long": "0" * 100_000, "zero byte": token + "\0",
    }  # fmt: skip


def test_a_form_with_a_wrong_token_changes_nothing(town, browser, token):
    before = names_of(town)
    for kind, wrong in wrong_tokens(town, token).items():
        data = {"name": f"by {kind}", "search": ""}
        if wrong is not None:
            data["form_token"] = wrong
        answer = browser.post("/views", data=data, headers=HTML)
        assert answer.status_code == 400, kind
    assert names_of(town) == before


def test_no_address_changes_anything_when_it_is_only_opened(town, browser, token):
    before = names_of(town), len(town.sessions.open_of(town.accounts.get("duty-desk").id))
    asked = f"?form_token={token}&name=by-get&search=&reason=long+enough"
    for rule in town.app.server.url_map.iter_rules():
        if not rule.arguments:
            browser.get(rule.rule + asked, headers=HTML | sent_by("cross-site", None))
    after = names_of(town), len(town.sessions.open_of(town.accounts.get("duty-desk").id))
    assert after == before


def test_the_token_in_the_address_does_not_count(browser, token):
    answer = browser.post(f"/views?form_token={token}", data={"name": "x"}, headers=HTML)
    assert answer.status_code == 400


def test_the_cookies_stay_with_our_own_pages(town):
    visitor = town.app.server.test_client()
    answer = visitor.get("/signin", headers=HTML)
    (cookie,) = answer.headers.getlist("Set-Cookie")
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie

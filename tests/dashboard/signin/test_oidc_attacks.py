"""Attacks on signing in by OpenID Connect: each is refused, and for the reason meant."""

import json
from urllib.parse import parse_qs, urlsplit

import pytest

from dashboard.signin.oidc import OidcProvider
from tests.dashboard.signin import served
from tests.dashboard.signin.browser import PUBLIC, Browser

# The way back


@pytest.mark.parametrize(
    "state",
    ["", "x", "A" * 43, None, ["A" * 43, "A" * 43]],
    ids=["empty", "short", "wrong", "missing", "repeated"],
)
def test_a_wrong_state(browser, issuer, is_refused, state):
    is_refused(browser.sign_in(state=state), "the state is not the one")
    assert "/realm/token" not in issuer.paths()


def test_a_right_state_twice_in_the_address(browser, is_refused):
    back = browser.visit(browser.leave())
    state = parse_qs(urlsplit(back).query)["state"][0]
    is_refused(browser.come_back(back, state=[state, state]), "the state is not the one")


def test_another_browser_cannot_finish(oidc, is_refused):
    """Whoever catches the address of the way back lacks the cookie."""
    provider = oidc()
    victim, thief = Browser(provider), Browser(provider)
    caught = victim.visit(victim.leave())
    is_refused(thief.come_back(caught), "this browser began no sign-in")
    thief.leave()
    is_refused(thief.come_back(caught), "the state is not the one")


def test_a_victim_cannot_be_signed_in_as_the_attacker(oidc, is_refused):
    provider = oidc()
    attacker, victim = Browser(provider), Browser(provider)
    own_code = attacker.visit(attacker.leave())
    victim.leave()
    is_refused(victim.come_back(own_code), "the state is not the one")


def test_a_code_under_the_victims_state_lacks_the_verifier(oidc, issuer, is_refused):
    """The attacker knows the victim's state: the issuer still refuses the code."""
    provider = oidc()
    attacker, victim = Browser(provider), Browser(provider)
    own = parse_qs(urlsplit(attacker.visit(attacker.leave())).query)
    back = victim.visit(victim.leave())
    is_refused(victim.come_back(back, code=own["code"]), "invalid_grant")


def test_the_same_return_counts_once(browser, issuer, is_refused):
    """Even with the cookie put back, and while the issuer would give a second token."""
    back = browser.visit(browser.leave())
    cookie = browser.left.headers["Set-Cookie"].partition(";")[0].partition("=")
    assert browser.come_back(back).status_code == 200
    is_refused(browser.come_back(back), "this browser began no sign-in")
    browser.client.set_cookie(
        cookie[0], cookie[2], domain=urlsplit(PUBLIC).hostname, secure=True, path="/"
    )
    is_refused(browser.come_back(back), "this return was made before")
    assert issuer.paths().count("/realm/token") == 1


def test_a_code_is_taken_once_by_the_issuer(oidc, issuer, is_refused):
    """A second process does not know what the first one saw; the issuer does."""
    first, second = Browser(oidc()), Browser(oidc())
    back = first.visit(first.leave())
    second.client._cookies = dict(first.client._cookies)
    assert first.come_back(back).status_code == 200
    is_refused(second.come_back(back), "invalid_grant")


def test_the_way_ends_after_ten_minutes(browser, clock, is_refused):
    back = browser.visit(browser.leave())
    clock.forward(minutes=10, seconds=1)
    is_refused(browser.come_back(back), "this browser began no sign-in")


def test_a_cookie_of_another_installation(oidc, is_refused):
    ours, theirs = Browser(oidc()), Browser(oidc(key=b"another key of the same length!!"))
    back = theirs.visit(theirs.leave())
    ours.client._cookies = theirs.client._cookies
    is_refused(ours.come_back(back), "this browser began no sign-in")


def test_a_changed_cookie(browser, is_refused):
    back = browser.visit(browser.leave())
    name, _, value = browser.left.headers["Set-Cookie"].partition(";")[0].partition("=")
    for changed in ("", "x", "é", value[:-8], value[:50] + "AAAA" + value[54:]):
        browser.client.set_cookie(
            name, changed, domain=urlsplit(PUBLIC).hostname, secure=True, path="/"
        )
        is_refused(browser.come_back(back), "this browser began no sign-in")


def test_a_way_out_to_cas_does_not_come_back_from_oidc(browser, cas_browser, is_refused):
    cas_browser.leave()
    back = browser.visit(browser.leave())
    browser.client._cookies = cas_browser.client._cookies
    is_refused(browser.come_back(back), "by another provider")


@pytest.mark.parametrize(
    "code", [None, "", "a" * 2_049, "a\nb", "é", ["a", "b"]], ids=lambda code: repr(code)[:12]
)
def test_a_code_that_is_none(browser, issuer, is_refused, code):
    is_refused(browser.sign_in(code=code), "the answer has no code")
    assert "/realm/token" not in issuer.paths()


def test_a_refusal_of_the_issuer_cannot_write_its_own_log_line(browser, is_refused):
    answer = browser.sign_in(error="denied\nsign-in by oidc ok \x1b[31m")
    is_refused(answer, "the issuer answered")


def test_the_answer_of_another_issuer(browser, issuer, is_refused):
    """RFC 9207: one issuer cannot pass its answer off as another's."""
    is_refused(browser.sign_in(iss="https://evil.example"), "another issuer's")
    is_refused(browser.sign_in(iss=[issuer.issuer, issuer.issuer]), "another issuer's")
    assert browser.sign_in(iss=issuer.issuer).status_code == 200


def test_an_issuer_that_names_itself_must_do_so(browser, issuer, is_refused):
    issuer.document["authorization_response_iss_parameter_supported"] = True
    assert browser.sign_in().status_code == 200
    is_refused(browser.sign_in(iss=None), "does not name its issuer")


# The issuer's answers


@pytest.mark.parametrize("path", ["/realm/token", "/realm/keys"])
@pytest.mark.parametrize(
    "told",
    [
        (served.huge, "longer than 1,048,576 bytes"),
        (served.elsewhere("https://evil.example/"), "redirects are not followed"),
        (served.body(b"<html>", 503), ""),
        (served.body(b"<html>"), ""),
        (served.body(b"[]"), ""),
        (served.body(b"[" * 100_000), ""),
        (served.body(b"{}"), ""),
        (served.body(b"{}", **{"Content-Encoding": "gzip"}), "compressed"),
        (served.body(b"{}", **{"Content-Length": "1000"}), "broke off"),
    ],
    ids=["huge", "redirect", "503", "html", "list", "deep", "empty", "gzip", "cut"],
)
def test_an_answer_that_cannot_be_used(browser, issuer, is_refused, path, told):
    answer, reason = told
    back = browser.visit(browser.leave())
    issuer.instead[path] = answer
    is_refused(browser.come_back(back), reason)


@pytest.mark.parametrize("path", ["/realm/token", "/realm/keys"])
@pytest.mark.parametrize("slow", [served.silent, served.dripping])
def test_an_answer_that_does_not_come(oidc, issuer, is_refused, path, slow):
    browser = Browser(oidc(timeout_s=0.1))
    back = browser.visit(browser.leave())
    issuer.instead[path] = slow(issuer)
    is_refused(browser.come_back(back), "ReadTimeout", "took too long")


@pytest.mark.parametrize(
    "token",
    [
        {"expires_in": {}},
        {"expires_in": "soon"},
        {"expires_in": 1e999},
        {"id_token": None},
        {"id_token": ["a"]},
        {"access_token": None},
        {"error": {"a": "b"}},
        {"error": "x", "error_description": 7},
    ],
    ids=str,
)
def test_a_token_answer_of_other_types(browser, issuer, is_refused, token):
    back = browser.visit(browser.leave())
    told = json.dumps({"access_token": "a", "id_token": "a.b.c", **token}).encode()
    issuer.instead["/realm/token"] = served.body(told)
    is_refused(browser.come_back(back), "")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"issuer": "https://evil.example"}, "names another issuer"),
        ({"issuer": None}, "names another issuer"),
        ({"token_endpoint": "https://evil.example/token"}, "token_endpoint is on another host"),
        ({"jwks_uri": "http://127.0.0.1:1/keys"}, "jwks_uri is on another host"),
        ({"jwks_uri": "file:///etc/passwd"}, "jwks_uri is on another host"),
        ({"jwks_uri": "//127.0.0.1/keys"}, "jwks_uri is on another host"),
        ({"jwks_uri": "http://[/keys"}, "jwks_uri is on another host"),
        ({"jwks_uri": None}, "gives no jwks_uri"),
        ({"token_endpoint": 7}, "gives no token_endpoint"),
        ({"authorization_endpoint": "javascript:alert(1)"}, "is on another host"),
        ({"authorization_endpoint": "https://evil.example/"}, "is on another host"),
        ({"authorization_endpoint": "{}\\@evil.example/"}, "gives no authorization_endpoint"),
        ({"authorization_endpoint": "{}/a\r\nSet-Cookie: x=y"}, "gives no authorization_endpoint"),
        ({"authorization_endpoint": "{}@evil.example/"}, "is on another host"),
        ({"end_session_endpoint": "https://evil.example/"}, "end_session_endpoint is on another"),
    ],
)
def test_a_discovery_document_that_leads_elsewhere(browser, issuer, is_refused, change, reason):
    for name, value in change.items():
        issuer.document[name] = value.replace("{}", issuer.url) if isinstance(value, str) else value
    is_refused(browser.client.get("/signin/oidc", base_url=PUBLIC), reason)


def test_while_the_issuer_is_down_only_one_visitor_waits(oidc, issuer, clock, is_refused):
    browser = Browser(oidc(timeout_s=0.1))
    door = "/realm/.well-known/openid-configuration"
    issuer.instead[door] = served.silent(issuer)
    for _ in range(5):
        is_refused(browser.client.get("/signin/oidc", base_url=PUBLIC), "ReadTimeout")
    assert len(issuer.asked) == 1
    del issuer.instead[door]
    clock.forward(seconds=10)
    assert browser.sign_in().status_code == 200


def test_no_secret_and_no_code_stands_in_the_log(browser, issuer, caplog, is_refused):
    caplog.set_level("DEBUG")
    back = browser.visit(browser.leave())
    code = parse_qs(urlsplit(back).query)["code"][0]
    issuer.close()
    is_refused(browser.come_back(back), "ConnectionError")
    ours = [record.getMessage() for record in caplog.records if record.name.startswith("dash")]
    assert ours
    assert not any(code in line or "secret of the client" in line for line in ours)


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"issuer": "http://sso.example.gov.cn"}, "PINGAN_OIDC_ISSUER"),
        ({"issuer": ""}, "PINGAN_OIDC_ISSUER"),
        ({"issuer": "ftp://sso.example.gov.cn"}, "PINGAN_OIDC_ISSUER"),
        ({"issuer": "https://user@sso.example.gov.cn"}, "PINGAN_OIDC_ISSUER"),
        ({"issuer": "https://sso.example.gov.cn/?a=b"}, "PINGAN_OIDC_ISSUER"),
        ({"issuer": "https://sso.example.gov.cn:x/"}, "PINGAN_OIDC_ISSUER"),
        ({"issuer": "https://[/"}, "PINGAN_OIDC_ISSUER"),
        ({"issuer": "https://"}, "PINGAN_OIDC_ISSUER"),
        ({"issuer": "https://sso\\evil.example"}, "PINGAN_OIDC_ISSUER"),
        ({"client": ""}, "PINGAN_OIDC_CLIENT"),
        ({"public_url": ""}, "PINGAN_PUBLIC_URL"),
        ({"public_url": "http://map.example.gov.cn"}, "PINGAN_PUBLIC_URL"),
    ],
)
def test_settings_that_cannot_be_used(oidc, changed, named):
    with pytest.raises(ValueError, match=f"^{named} "):
        oidc(**changed)


def test_http_is_taken_where_it_is_asked_for(oidc):
    made = oidc(
        issuer="http://sso.example.gov.cn",
        public_url="http://map.example.gov.cn",
        insecure_http=True,
    )
    assert isinstance(made, OidcProvider)

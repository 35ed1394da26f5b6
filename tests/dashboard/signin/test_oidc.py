"""Signing in by OpenID Connect, as it should go."""

import json
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.dashboard.signin.browser import PUBLIC, Browser
from tests.dashboard.signin.identity_provider import CLIENT, SECRET, SUBJECT, ec_key, rsa_key


def test_who_comes_back_is_who_signed_in_there(browser, issuer):
    found = json.loads(browser.sign_in().text)
    assert found == {
        "provider": "oidc",
        "subject": SUBJECT,
        "login": SUBJECT,
        "detail": f"issuer {issuer.issuer}",
        "return_to": "/?level=county",
    }


def test_nothing_about_the_person_is_asked_for(browser, issuer):
    query = parse_qs(urlsplit(browser.leave()).query)
    assert query["scope"] == ["openid"]
    assert sorted(query) == [
        "client_id",
        "code_challenge",
        "code_challenge_method",
        "nonce",
        "redirect_uri",
        "response_type",
        "scope",
        "state",
    ]
    browser.sign_in()
    assert set(issuer.paths()) == {
        f"/realm/{path}"
        for path in (".well-known/openid-configuration", "authorize", "token", "keys")
    }


@pytest.mark.parametrize(
    ("algorithm", "key"),
    [("RS256", rsa_key("first")), ("PS256", rsa_key("first")), ("ES256", ec_key("curve"))],
    ids=["RS256", "PS256", "ES256"],
)
def test_three_algorithms_are_taken(browser, issuer, algorithm, key):
    issuer.algorithm, issuer.key, issuer.published = algorithm, key, [key]
    assert browser.sign_in().status_code == 200


def test_an_issuer_may_want_the_secret_in_the_body(browser, issuer):
    issuer.document["token_endpoint_auth_methods_supported"] = ["client_secret_post"]
    assert browser.sign_in().status_code == 200
    (sent,) = [asked for asked in issuer.asked if asked.path == "/realm/token"]
    assert "Authorization" not in sent.headers


def test_a_client_without_a_secret_relies_on_its_verifier(oidc, issuer):
    issuer.knows_client = lambda _asked, form: form["client_id"] == CLIENT
    assert Browser(oidc(secret="")).sign_in().status_code == 200
    assert "client_secret" not in issuer.asked[-1].form


def test_a_new_key_is_known_at_once_and_an_old_one_is_out_at_once(browser, issuer, is_refused):
    assert browser.sign_in().status_code == 200
    old, new = issuer.key, rsa_key("second")
    issuer.key, issuer.published = new, [old, new]
    assert browser.sign_in().status_code == 200
    issuer.published = [old]
    is_refused(browser.sign_in(), "invalid_key_id")
    issuer.key, issuer.published = old, [new]
    is_refused(browser.sign_in(), "invalid_key_id")


def test_keys_of_other_kinds_do_not_disturb(browser, issuer):
    """An issuer with national algorithms publishes SM2 keys beside the others."""
    mine = issuer.key.as_dict(private=False)
    others = [
        {"kty": "EC", "crv": "SM2", "kid": "sm2", "x": "AA", "y": "AA"},
        {"kty": "OKP", "crv": "Ed25519", "kid": "ed", "x": "AA"},
        {"kty": "oct", "kid": "shared", "k": "AAAA"},
        {"kty": "AKP", "alg": "ML-DSA-65", "kid": "later"},
        {**mine, "kid": mine["kid"], "use": "enc"},
        "no key at all",
    ]
    issuer.keys = lambda _asked: {"keys": [*others, mine]}
    assert browser.sign_in().status_code == 200


def test_the_one_key_without_a_name_is_taken(browser, issuer):
    from joserfc import jwt

    mine = {k: v for k, v in issuer.key.as_dict(private=False).items() if k != "kid"}
    issuer.keys = lambda _asked: {"keys": [mine]}
    issuer.sign = lambda claims: jwt.encode({"alg": "RS256"}, claims, issuer.key)
    assert browser.sign_in().status_code == 200


def test_an_unknown_member_of_the_header_is_ignored(browser, issuer):
    from joserfc import jwt
    from joserfc.jws import JWSRegistry

    header = {"alg": "RS256", "kid": "first", "vendor": "x"}
    registry = JWSRegistry(algorithms=["RS256"], strict_check_header=False)
    issuer.sign = lambda claims: jwt.encode(header, claims, issuer.key, registry=registry)
    assert browser.sign_in().status_code == 200


def test_the_discovery_document_is_kept_for_ten_minutes(browser, issuer, clock):
    for _ in range(3):
        browser.leave()
    assert len(issuer.asked) == 1
    clock.forward(minutes=10)
    browser.leave()
    assert len(issuer.asked) == 2


def test_the_cookie_is_out_of_reach_and_gone_afterwards(browser):
    back = browser.visit(browser.leave())
    cookie = browser.left.headers["Set-Cookie"]
    for flag in ("__Host-pingan_trip=", "Secure", "HttpOnly", "Path=/", "SameSite=Lax"):
        assert flag in cookie
    assert "Max-Age=600" in cookie
    assert "Domain" not in cookie
    answer = browser.come_back(back)
    assert "__Host-pingan_trip=;" in answer.headers["Set-Cookie"]
    assert "Max-Age=0" in answer.headers["Set-Cookie"]


def test_nobody_can_read_the_secrets_in_the_cookie(browser, issuer):
    address = browser.leave()
    query = parse_qs(urlsplit(address).query)
    cookie = browser.left.headers["Set-Cookie"]
    assert query["state"][0] not in cookie
    assert query["nonce"][0] not in cookie
    assert SECRET not in cookie


def test_the_longest_way_back_fits_into_a_cookie(browser):
    path = "/?" + "a" * 1_998
    back = browser.visit(browser.leave(path))
    assert len(browser.left.headers["Set-Cookie"]) < 4_096
    assert json.loads(browser.come_back(back).text)["return_to"] == path


def test_signing_out_goes_to_the_issuer_and_comes_home(oidc, issuer):
    address = urlsplit(oidc().sign_out_url())
    assert f"{address.scheme}://{address.netloc}{address.path}" == issuer.issuer + "/end"
    assert parse_qs(address.query) == {
        "client_id": [CLIENT],
        "post_logout_redirect_uri": [f"{PUBLIC}/"],
    }


def test_an_issuer_without_a_sign_out_has_no_address_for_it(oidc, issuer):
    del issuer.document["end_session_endpoint"]
    assert oidc().sign_out_url() is None
    issuer.document = {}
    assert oidc().sign_out_url() is None


def test_it_is_called_the_same_in_both_languages_of_the_catalogue(oidc):
    provider = oidc()
    assert (provider.title_zh, provider.title_en) == ("统一身份认证", "Single sign-on")

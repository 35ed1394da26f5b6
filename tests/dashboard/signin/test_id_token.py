"""Id tokens that were not made for this sign-in by this issuer's keys are refused."""

import base64
import hmac
import json

import pytest
from joserfc import jwt
from joserfc.jwk import OctKey
from joserfc.jws import JWSRegistry

from tests.dashboard.signin.identity_provider import CLIENT, ec_key, rsa_key


def signed(claims, key, algorithm="RS256", **header):
    registry = JWSRegistry(algorithms=[algorithm], strict_check_header=False)
    found = {"alg": algorithm, "kid": "first", **header}
    return jwt.encode(found, claims, key, registry=registry)


def encoded(content):
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def raw(header, claims, signature=b""):
    parts = (json.dumps(header).encode(), json.dumps(claims).encode(), signature)
    return ".".join(encoded(part) for part in parts)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"nonce": "x"}, "invalid_claim"),
        ({"nonce": None}, "missing_claim"),
        ({"nonce": ["x"]}, "invalid_claim"),
        ({"iss": "https://evil.example"}, "invalid_claim"),
        ({"iss": None}, "missing_claim"),
        ({"iss": ["x"]}, "invalid_claim"),
        ({"aud": "another-client"}, "invalid_claim"),
        ({"aud": ["another-client", "third"]}, "invalid_claim"),
        ({"aud": []}, "invalid_claim"),
        ({"aud": None}, "missing_claim"),
        ({"aud": [CLIENT, "another-client"]}, "missing_claim"),
        ({"aud": CLIENT, "azp": "another-client"}, "invalid_claim"),
        ({"exp": 0}, "expired_token"),
        ({"exp": "never"}, "invalid_claim"),
        ({"exp": None}, "missing_claim"),
        ({"exp": float("inf")}, "invalid_claim"),
        ({"exp": float("nan")}, "invalid_claim"),
        ({"exp": True}, "invalid_claim"),
        ({"iat": 10**11}, "invalid_claim"),
        ({"iat": None}, "missing_claim"),
        ({"nbf": 10**11}, "invalid_claim"),
        ({"at_hash": "AAAA"}, "invalid_claim"),
        ({"at_hash": 7}, "invalid_claim"),
        ({"amr": "otp"}, "invalid_claim"),
        ({"sub": None}, "missing_claim"),
        ({"sub": 417}, "invalid_claim"),
        ({"sub": ""}, "invalid_claim"),
        ({"sub": "a" * 256}, "1 to 255"),
        ({"sub": "post 0417"}, "spaces or control"),
        ({"sub": "post-0417\n"}, "spaces or control"),
    ],
    ids=lambda value: next(iter(value.items())).__repr__()[:40] if isinstance(value, dict) else "",
)
def test_a_wrong_claim(browser, issuer, is_refused, change, reason):
    def changed(claims):
        claims = {**claims, **change}
        return {name: value for name, value in claims.items() if value is not None}

    issuer.claims_of = changed
    is_refused(browser.sign_in(), reason)


def test_the_nonce_of_another_sign_in(browser, issuer, is_refused):
    """A token that was caught earlier is not taken under a new sign-in."""
    caught = []
    issuer.claims_of = lambda claims: caught.append(claims) or claims
    assert browser.sign_in().status_code == 200
    issuer.claims_of = lambda claims: {**claims, "nonce": caught[0]["nonce"]}
    is_refused(browser.sign_in(), "invalid_claim")


def test_the_slack_of_the_clocks_is_one_minute(browser, issuer, clock, is_refused):
    now = int(clock().timestamp())
    issuer.claims_of = lambda claims: {**claims, "exp": now - 59, "iat": now + 60}
    assert browser.sign_in().status_code == 200
    issuer.claims_of = lambda claims: {**claims, "exp": now - 60}
    is_refused(browser.sign_in(), "expired_token")
    issuer.claims_of = lambda claims: {**claims, "iat": now + 61}
    is_refused(browser.sign_in(), "invalid_claim")


def test_two_audiences_are_taken_if_the_token_was_made_for_us(browser, issuer):
    issuer.claims_of = lambda claims: {**claims, "aud": [CLIENT, "other"], "azp": CLIENT}
    assert browser.sign_in().status_code == 200


def with_public_key(claims, issuer):
    """The public key, which everybody has, used as a secret: refused by libraries that sign."""
    message, _, _ = raw({"alg": "HS256", "kid": "first"}, claims).rpartition(".")
    secret = issuer.key.as_pem(private=False)
    return message + "." + encoded(hmac.digest(secret, message.encode(), "sha256"))


ALGORITHM_ATTACKS = {
    "none": lambda claims, _issuer: raw({"alg": "none"}, claims),
    "none with the key's name": lambda claims, _issuer: raw(
        {"alg": "none", "kid": "first"}, claims
    ),
    "None": lambda claims, _issuer: raw({"alg": "None", "kid": "first"}, claims),
    "no algorithm": lambda claims, _issuer: raw({"kid": "first"}, claims),
    "a list": lambda claims, _issuer: raw({"alg": ["RS256"], "kid": "first"}, claims),
    "HS256 with the public key": with_public_key,
    "HS256 with the client's secret": lambda claims, _issuer: signed(
        claims, OctKey.import_key("a secret of the client, with +/ signs"), "HS256"
    ),
    "RS512": lambda claims, issuer: signed(claims, issuer.key, "RS512"),
    "RS256 by another key": lambda claims, _issuer: signed(claims, rsa_key("second")),
    "ES256 under the name of an RSA key": lambda claims, _issuer: signed(
        claims, ec_key("own"), "ES256"
    ),
    "another key's name": lambda claims, _issuer: signed(claims, rsa_key("second"), kid="second"),
    "a name of many": lambda claims, _issuer: signed(claims, rsa_key("second"), kid="../first"),
    "its own key in the header": lambda claims, _issuer: signed(
        claims, ec_key("own"), "ES256", jwk=ec_key("own").as_dict(private=False)
    ),
    "a key at another address": lambda claims, _issuer: signed(
        claims, rsa_key("second"), jku="https://evil.example/keys"
    ),
    "an unknown demand": lambda claims, _issuer: raw(
        {"alg": "RS256", "kid": "first", "crit": ["exp"], "exp": 1}, claims, b"x" * 256
    ),
    "no signature": lambda claims, issuer: signed(claims, issuer.key).rpartition(".")[0] + ".",
    "two parts": lambda claims, issuer: signed(claims, issuer.key).rpartition(".")[0],
    "five parts": lambda claims, issuer: signed(claims, issuer.key) + ".AAAA.AAAA",
    "empty": lambda _claims, _issuer: "",
    "not base 64": lambda _claims, _issuer: "é.é.é",
    "too long": lambda claims, issuer: signed({**claims, "x": "a" * 200_000}, issuer.key),
}


@pytest.mark.parametrize("attack", ALGORITHM_ATTACKS)
def test_a_token_that_the_issuers_keys_did_not_sign(browser, issuer, is_refused, attack):
    issuer.sign = lambda claims: ALGORITHM_ATTACKS[attack](claims, issuer)
    is_refused(browser.sign_in(), "the id token is refused")


def test_changed_claims_under_a_true_signature(browser, issuer, is_refused):
    def forged(claims):
        header, _, signature = signed(claims, issuer.key).split(".")
        return f"{header}.{raw({}, {**claims, 'sub': 'leader'}).split('.')[1]}.{signature}"

    issuer.sign = forged
    is_refused(browser.sign_in(), "bad_signature")


def test_a_payload_that_is_no_object(browser, issuer, is_refused):
    from joserfc import jws

    for payload in (b"[]", b"7", b"no json", b"[" * 60_000):
        issuer.sign = lambda _claims, payload=payload: jws.serialize_compact(
            {"alg": "RS256", "kid": "first"}, payload, issuer.key
        )
        is_refused(browser.sign_in(), "the id token is refused")


def test_a_short_or_encrypting_key_is_no_key(browser, issuer, is_refused):
    mine = issuer.key.as_dict(private=False)
    for changed in ({"n": mine["n"][:170]}, {"use": "enc"}, {"alg": "RS512"}, {"kty": "oct"}):
        issuer.keys = lambda _asked, changed=changed: {"keys": [{**mine, **changed}]}
        is_refused(browser.sign_in(), "publishes no key")
    for nothing in ({}, {"keys": []}, {"keys": "all"}, {"keys": [None]}):
        issuer.keys = lambda _asked, nothing=nothing: nothing
        is_refused(browser.sign_in(), "publishes no key")


@pytest.mark.parametrize("broken", [{"n": "é" * 400}, {"e": None}, {"e": "AA"}, {"kid": 7}])
def test_a_broken_key(browser, issuer, is_refused, broken):
    mine = issuer.key.as_dict(private=False)
    issuer.keys = lambda _asked: {"keys": [{**mine, **broken}]}
    is_refused(browser.sign_in(), "the id token is refused")


def test_a_key_of_two_names_that_only_share_a_curve(browser, issuer, is_refused):
    """An RSA name on a curve's key: the kind of key must fit the algorithm."""
    curve = ec_key("curve").as_dict(private=False)
    issuer.keys = lambda _asked: {"keys": [{**curve, "kid": "first"}]}
    is_refused(browser.sign_in(), "the id token is refused")

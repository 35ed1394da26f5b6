"""An OpenID Connect id token: whose signature is it, for whom, for how long, for which sign-in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from joserfc.jws import JWSRegistry

from dashboard.signin.external import AnswerError

if TYPE_CHECKING:
    import datetime as dt

ALGORITHMS: Final = ("RS256", "PS256", "ES256")
"""All that is taken; none of them signs with a secret that both sides hold."""

SLACK_S: Final = 60
"""How far the issuer's clock may be from ours."""

_MEMBERS: Final = ("kty", "kid", "alg", "n", "e", "crv", "x", "y")
_SHORTEST_MODULUS: Final = 342
"""Digits of base 64 of 2,048 bits."""


def verified(
    token: str,
    key_set: dict[str, Any],
    *,
    issuer: str,
    client: str,
    nonce: str,
    access_token: str,
    now: dt.datetime,
) -> dict[str, Any]:
    """
    Claims of an id token after every check.

    Parameters
    ----------
    key_set
        The issuer's present keys, as it publishes them (JWKS).

    Raises
    ------
    AnswerError
        The signature, algorithm, issuer, audience, time or nonce is wrong.
    """
    registry = JWSRegistry(algorithms=ALGORITHMS, strict_check_header=False)
    try:
        found = jwt.decode(token, _signing_keys(key_set), registry=registry)
        claims = CodeIDToken(
            found.claims,
            found.header,
            options={
                "iss": {"essential": True, "value": issuer},
                "aud": {"essential": True, "value": client},
                "sub": {"essential": True},
            },
            params={"nonce": nonce, "client_id": client, "access_token": access_token},
        )
        claims.validate(now=int(now.timestamp()), leeway=SLACK_S)
    except (JoseError, ValueError, TypeError, RecursionError) as error:
        # The text of foreign claims stays out of the log; the kind of fault is enough.
        raise AnswerError(f"the id token is refused: {_kind(error)}") from error
    return dict(claims)


def _signing_keys(key_set: dict[str, Any]) -> KeySet:
    """Public keys that may have signed; other kinds (SM2, encryption, secrets) are passed over."""
    keys = key_set.get("keys")
    usable = [
        {name: key[name] for name in _MEMBERS if name in key}
        for key in (keys if isinstance(keys, list) else [])
        if isinstance(key, dict) and _is_usable(key)
    ]
    if not usable:
        raise AnswerError("the issuer publishes no key for " + ", ".join(ALGORITHMS))
    return KeySet.import_key_set({"keys": usable})


def _is_usable(key: dict[str, Any]) -> bool:
    if key.get("use", "sig") != "sig" or key.get("alg", "RS256") not in ALGORITHMS:
        return False
    if key.get("kty") == "RSA":
        return isinstance(key.get("n"), str) and len(key["n"]) >= _SHORTEST_MODULUS
    return key.get("kty") == "EC" and key.get("crv") == "P-256"


def _kind(error: Exception) -> str:
    if isinstance(error, AnswerError):
        return str(error)
    return f"{type(error).__name__} {error}" if isinstance(error, JoseError) else "malformed"

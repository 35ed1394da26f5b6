"""A small OpenID Connect issuer: it checks what a real one checks, and lies where a test asks."""

import base64
import functools
import hashlib
import json
import secrets
from urllib.parse import urlencode

from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

from tests.dashboard.signin.served import Served

CLIENT, SECRET = "pingan-map", "a secret of the client, with +/ signs"
SUBJECT = "post-0417"


@functools.cache
def rsa_key(kid):
    return RSAKey.generate_key(2048, {"kid": kid})


@functools.cache
def ec_key(kid):
    return ECKey.generate_key("P-256", {"kid": kid})


class IdentityProvider(Served):
    def __init__(self, back, clock, **more) -> None:
        super().__init__(**more)
        self.issuer = self.url + "/realm"
        self.back = back
        self.clock = clock
        self.codes = {}
        self.key = rsa_key("first")
        self.published = [self.key]
        self.algorithm = "RS256"
        self.claims_of = lambda claims: claims
        self.sign = lambda claims: jwt.encode(
            {"alg": self.algorithm, "kid": self.key.kid}, claims, self.key, [self.algorithm]
        )
        self.document = {
            "issuer": self.issuer,
            "authorization_endpoint": self.issuer + "/authorize",
            "token_endpoint": self.issuer + "/token",
            "jwks_uri": self.issuer + "/keys",
            "end_session_endpoint": self.issuer + "/end",
        }

    def answer(self, asked):
        doors = {
            "/realm/.well-known/openid-configuration": lambda _asked: self.document,
            "/realm/authorize": self.authorize,
            "/realm/token": self.token,
            "/realm/keys": self.keys,
        }
        if asked.path not in doors:
            return 404, {}, b""
        found = doors[asked.path](asked)
        if isinstance(found, str):
            return 302, {"Location": found}, b""
        status = 400 if "error" in found else 200
        return status, {"Content-Type": "application/json"}, json.dumps(found).encode()

    def keys(self, _asked):
        return {"keys": [key.as_dict(private=False) for key in self.published]}

    def authorize(self, asked):
        query = {name: values[0] for name, values in asked.query.items()}
        assert query["client_id"] == CLIENT
        assert query["redirect_uri"] == self.back
        assert query["response_type"] == "code"
        assert query["scope"] == "openid"
        assert query["code_challenge_method"] == "S256"
        code = secrets.token_urlsafe(16)
        self.codes[code] = {"challenge": query["code_challenge"], "nonce": query["nonce"]}
        found = {"code": code, "state": query["state"]}
        if self.document.get("authorization_response_iss_parameter_supported"):
            found["iss"] = self.issuer
        return f"{self.back}?{urlencode(found)}"

    def token(self, asked):
        form = {name: values[0] for name, values in asked.form.items()}
        known = self.codes.pop(form["code"], None)
        verifier = hashlib.sha256(form["code_verifier"].encode()).digest()
        challenge = base64.urlsafe_b64encode(verifier).rstrip(b"=").decode()
        if (
            known is None
            or known["challenge"] != challenge
            or form["redirect_uri"] != self.back
            or form["grant_type"] != "authorization_code"
            or not self.knows_client(asked, form)
        ):
            return {"error": "invalid_grant", "error_description": "no\nsuch code"}
        now = int(self.clock().timestamp())
        claims = {
            "iss": self.issuer,
            "aud": CLIENT,
            "sub": SUBJECT,
            "nonce": known["nonce"],
            "iat": now,
            "exp": now + 300,
        }
        id_token = self.sign(self.claims_of(claims))
        return {"access_token": "opaque", "token_type": "Bearer", "id_token": id_token}

    def knows_client(self, asked, form):
        methods = self.document.get("token_endpoint_auth_methods_supported")
        if methods == ["client_secret_post"]:
            return (form.get("client_id"), form.get("client_secret")) == (CLIENT, SECRET)
        pair = base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        return asked.headers.get("Authorization") == f"Basic {pair}"

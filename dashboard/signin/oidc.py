"""Sign-in by OpenID Connect: authorization code flow with PKCE, state and nonce."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from authlib.integrations.base_client import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from requests import RequestException

from dashboard.signin.addresses import base_address, is_plain_http
from dashboard.signin.discovery import Discovery
from dashboard.signin.external import AnswerError, Identity, checked_subject, refused
from dashboard.signin.id_token import verified
from dashboard.signin.outgoing import TIMEOUT_S, fetch_json, restrict, told
from dashboard.signin.round_trip import Trips, only, utc_now
from dashboard.text import catalogue

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable

    from flask import Request, Response

    from dashboard.signin.discovery import Endpoints
    from dashboard.signin.round_trip import Trip

NAME: Final = "oidc"
BACK: Final = "/signin/oidc/back"

_CODE: Final = re.compile(r"[\x20-\x7e]{1,2048}")


class OidcProvider:
    """
    One OpenID Connect issuer.

    Only the scope `openid` is asked for: who it is, and nothing about the person.
    """

    name: Final = NAME

    def __init__(
        self,
        *,
        issuer: str,
        client: str,
        secret: str,
        public_url: str,
        key: bytes,
        insecure_http: bool = False,
        timeout_s: float = TIMEOUT_S,
        clock: Callable[[], dt.datetime] = utc_now,
    ) -> None:
        base_address(issuer, setting="PINGAN_OIDC_ISSUER", insecure_http=insecure_http)
        if not client:
            raise ValueError("PINGAN_OIDC_CLIENT is empty; give the client id that the issuer gave")
        public = base_address(public_url, setting="PINGAN_PUBLIC_URL", insecure_http=insecure_http)
        self.title_zh, self.title_en = catalogue()["signin_by_oidc"]
        self._issuer = issuer  # compared letter by letter, so it stays as it was given
        self._client = client
        self._secret = secret
        self._home, self._back = public + "/", public + BACK
        self._timeout_s = timeout_s
        self._clock = clock
        self._discovery = Discovery(issuer, timeout_s=timeout_s, clock=clock)
        self._trips = Trips(NAME, key=key, is_secure=not is_plain_http(public), clock=clock)

    def start(self, return_to: str) -> Response:
        """
        Send the browser to the issuer.

        Raises
        ------
        SignInError
            The issuer does not answer.
        """
        trip = self._trips.begin(return_to)
        try:
            endpoints = self._discovery.endpoints()
        except AnswerError as error:
            raise refused(NAME, str(error)) from error
        address, _ = self._session(endpoints).create_authorization_url(
            endpoints.authorization,
            state=trip.state,
            nonce=trip.nonce,
            code_verifier=trip.verifier,
        )
        return self._trips.sent(address, trip)

    def finish(self, request: Request) -> Identity:
        """
        Who came back from the issuer.

        Raises
        ------
        SignInError
            Nothing is proved.
        """
        trip = self._trips.returned(request)
        try:
            endpoints = self._discovery.endpoints()
            code = self._code(request, endpoints)
            claims = self._claims(code, trip, endpoints)
            subject = checked_subject(claims["sub"])
        except AnswerError as error:
            raise refused(NAME, str(error)) from error
        return Identity(NAME, subject, subject, f"issuer {self._issuer}", trip.return_to)

    def forget(self, answer: Response) -> None:
        """Take away what `start` left in the browser."""
        self._trips.forget(answer)

    def sign_out_url(self) -> str | None:
        """Where the issuer ends its own session; None if it has no such address, or is away."""
        try:
            address = self._discovery.endpoints().end_session
        except AnswerError:
            return None
        if address is None:
            return None
        query = urlencode({"client_id": self._client, "post_logout_redirect_uri": self._home})
        return f"{address}{'&' if '?' in address else '?'}{query}"

    def _code(self, request: Request, endpoints: Endpoints) -> str:
        """Code in the address that the browser came back to."""
        issuer = request.args.getlist("iss")
        if issuer != [self._issuer] and (issuer or endpoints.names_itself):
            raise AnswerError("the answer is another issuer's, or does not name its issuer")
        if "error" in request.args:
            raise AnswerError(f"the issuer answered {request.args['error']!r}")
        code = only(request, "code")
        if not _CODE.fullmatch(code):
            raise AnswerError("the answer has no code")
        return code

    def _claims(self, code: str, trip: Trip, endpoints: Endpoints) -> dict[str, Any]:
        token = self._exchanged(code, trip, endpoints)
        id_token, access_token = token.get("id_token"), token.get("access_token")
        if not isinstance(id_token, str) or not isinstance(access_token, str):
            raise AnswerError("the issuer gave no id token")
        # Asked for anew each time: a key that was withdrawn is out at once, a new one is known.
        keys = fetch_json(self._issuer, endpoints.keys, timeout_s=self._timeout_s)
        return verified(
            id_token,
            keys,
            issuer=self._issuer,
            client=self._client,
            nonce=trip.nonce,
            access_token=access_token,
            now=self._clock(),
        )

    def _exchanged(self, code: str, trip: Trip, endpoints: Endpoints) -> dict[str, Any]:
        """Tokens for a code; the issuer takes it once, with the verifier of this way out."""
        session = restrict(self._session(endpoints), self._issuer, timeout_s=self._timeout_s)
        try:
            with session:
                token: dict[str, Any] = session.fetch_token(
                    endpoints.token,
                    grant_type="authorization_code",
                    code=code,
                    code_verifier=trip.verifier,
                )
        except OAuthError as error:
            raise AnswerError(f"the issuer refused the code: {error.error!r}") from error
        except RequestException as error:
            raise AnswerError(f"the code was not exchanged: {told(error)}") from error
        except (ValueError, TypeError, OverflowError, RecursionError) as error:
            raise AnswerError("the issuer's answer to the code is malformed") from error
        return token

    def _session(self, endpoints: Endpoints) -> Any:
        with_secret = "client_secret_basic" if endpoints.takes_basic else "client_secret_post"
        return OAuth2Session(
            self._client,
            self._secret or None,
            token_endpoint_auth_method=with_secret if self._secret else "none",
            scope="openid",
            redirect_uri=self._back,
            code_challenge_method="S256",
        )

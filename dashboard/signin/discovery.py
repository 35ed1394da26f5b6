"""Where an OpenID Connect issuer answers: its discovery document, kept for a while."""

from __future__ import annotations

import datetime as dt
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from dashboard.signin.external import AnswerError
from dashboard.signin.outgoing import fetch_json, origin

if TYPE_CHECKING:
    from collections.abc import Callable

PATH: Final = "/.well-known/openid-configuration"
KEPT: Final = dt.timedelta(minutes=10)
FAULT_KEPT: Final = dt.timedelta(seconds=10)
"""While an issuer is down, so long passes before another visitor waits for it."""


@dataclass(frozen=True)
class Endpoints:
    """
    Addresses of an issuer, all on its own host.

    Attributes
    ----------
    authorization, end_session
        Where browsers go.
    token, keys
        Where this process goes.
    takes_basic
        Whether the client's secret goes into a header, not into the body.
    names_itself
        Whether every answer to the browser names the issuer (RFC 9207).
    """

    authorization: str
    token: str
    keys: str
    end_session: str | None
    takes_basic: bool
    names_itself: bool


class Discovery:
    """The endpoints of one issuer; safe to share between threads."""

    def __init__(self, issuer: str, *, timeout_s: float, clock: Callable[[], dt.datetime]) -> None:
        self._issuer = issuer
        self._timeout_s = timeout_s
        self._clock = clock
        self._lock = threading.Lock()
        self._known: Endpoints | str = ""
        self._until = dt.datetime.min.replace(tzinfo=dt.UTC)

    def endpoints(self) -> Endpoints:
        """
        Endpoints as the issuer last told them; one thread asks, the others wait for it.

        Raises
        ------
        AnswerError
            The issuer does not answer as it must.
        """
        with self._lock:
            now = self._clock()
            if now >= self._until:
                self._ask(now)
            if isinstance(self._known, str):
                raise AnswerError(self._known)
            return self._known

    def _ask(self, now: dt.datetime) -> None:
        try:
            address = self._issuer.rstrip("/") + PATH
            document = fetch_json(self._issuer, address, timeout_s=self._timeout_s)
            self._known, self._until = _endpoints(self._issuer, document), now + KEPT
        except AnswerError as error:
            self._known, self._until = str(error), now + FAULT_KEPT


def _endpoints(issuer: str, document: dict[str, Any]) -> Endpoints:
    if document.get("issuer") != issuer:
        raise AnswerError("the discovery document names another issuer")
    methods = document.get("token_endpoint_auth_methods_supported")
    has_end = document.get("end_session_endpoint") is not None
    return Endpoints(
        authorization=_address(issuer, document, "authorization_endpoint"),
        token=_address(issuer, document, "token_endpoint"),
        keys=_address(issuer, document, "jwks_uri"),
        end_session=_address(issuer, document, "end_session_endpoint") if has_end else None,
        takes_basic=not isinstance(methods, list) or "client_secret_basic" in methods,
        names_itself=document.get("authorization_response_iss_parameter_supported") is True,
    )


def _address(issuer: str, document: dict[str, Any], name: str) -> str:
    address = document.get(name)
    # A backslash is read as a slash by browsers, and by nobody else.
    if not isinstance(address, str) or "\\" in address or not address.isprintable():
        raise AnswerError(f"the discovery document gives no {name}")
    try:
        is_there = origin(address) == origin(issuer)
    except ValueError:
        is_there = False
    if not is_there:
        raise AnswerError(f"the {name} is on another host than the issuer")
    return address

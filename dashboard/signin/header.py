"""
Sign-in by a portal in front: it names the user of every request in headers, and signs them.

A name without a signature is worth nothing: whoever reaches the port could write one. The signature
covers the user, the time, a nonce, the method and the address, and counts once in each web process.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import re
from typing import TYPE_CHECKING, Final

from dashboard.signin.external import AnswerError, Identity, log
from dashboard.signin.round_trip import utc_now
from dashboard.signin.seen import Seen
from dashboard.text import catalogue

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Request

NAME: Final = "header"
USER: Final = "X-Pingan-User"
TIME: Final = "X-Pingan-Time"
NONCE: Final = "X-Pingan-Nonce"
SIGNATURE: Final = "X-Pingan-Signature"

SLACK_S: Final = 60
"""How far the portal's clock may be from ours."""

SHORTEST_KEY: Final = 32

# A header that came twice reaches us joined by a comma, which none of these takes.
_FORMS: Final = {
    USER: re.compile(r"[A-Za-z0-9._@-]{1,64}"),
    TIME: re.compile(r"[0-9]{1,12}"),
    NONCE: re.compile(r"[A-Za-z0-9_-]{16,64}"),
    SIGNATURE: re.compile(r"[0-9a-f]{64}"),
}


class HeaderProvider:
    """A portal that signs every request; there is no page to sign in and no session."""

    name: Final = NAME

    def __init__(self, key: str, *, clock: Callable[[], dt.datetime] = utc_now) -> None:
        if len(key) < SHORTEST_KEY:
            raise ValueError(
                f"PINGAN_HEADER_KEY has {len(key)} characters; use {SHORTEST_KEY} or more"
            )
        self.title_zh, self.title_en = catalogue()["signin_by_header"]
        self._key = key
        self._clock = clock
        # A time may lie in the future by the slack, and is good for as long after it.
        self._nonces = Seen(dt.timedelta(seconds=2 * SLACK_S + 1))

    def identity(self, request: Request) -> Identity | None:
        """
        Whom the portal names in this request; None where it signed none, the log says why.

        Ask once for each request: the nonce is used up.
        """
        try:
            user = self._user(request)
        except AnswerError as error:
            log.warning("no sign-in by the portal: %s", error)
            return None
        return Identity(NAME, user, user, "signed by the portal")

    def sign_out_url(self) -> str | None:
        """None: signing out is the portal's business."""
        return None

    def _user(self, request: Request) -> str:
        values = {name: request.headers.get(name, "") for name in _FORMS}
        wrong = [name for name, form in _FORMS.items() if not form.fullmatch(values[name])]
        if wrong:
            raise AnswerError(f"{', '.join(wrong)} missing, repeated or malformed")
        now = self._clock()
        if abs(now.timestamp() - int(values[TIME])) > SLACK_S:
            raise AnswerError(f"{TIME} is more than {SLACK_S} s from our clock")
        expected = signature(
            self._key,
            user=values[USER],
            time=values[TIME],
            nonce=values[NONCE],
            method=request.method,
            target=_target(request),
        )
        if not hmac.compare_digest(expected, values[SIGNATURE]):
            raise AnswerError("the signature is not the portal's for this request")
        if not self._nonces.is_first(values[NONCE], now):
            raise AnswerError("this request came before")
        return values[USER]


def signature(key: str, *, user: str, time: str, nonce: str, method: str, target: str) -> str:
    """
    HMAC-SHA256 in hexadecimal digits that the portal has to send.

    Parameters
    ----------
    time
        Seconds since 1970-01-01 UTC.
    target
        Path and query as they stand in the request line.
    """
    message = f"{user}\n{time}\n{nonce}\n{method}\n{target}"
    return hmac.new(key.encode(), message.encode(), hashlib.sha256).hexdigest()


def _target(request: Request) -> str:
    """Path and query before any decoding; two addresses that decode alike are not the same."""
    raw = request.environ.get("RAW_URI") or request.environ.get("REQUEST_URI")
    if not isinstance(raw, str) or not raw.startswith("/") or not raw.isascii():
        raise AnswerError("the request line holds no plain path")
    return raw

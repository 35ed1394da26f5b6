"""
The way to an outside provider and back, bound to one browser.

What is needed on the way back travels in a cookie: encrypted and signed, out of reach of scripts,
good for ten minutes and for one return. Nobody can finish in their own browser what another one
began, nor make another browser finish what they began.
"""

from __future__ import annotations

import base64
import datetime as dt
import hmac
import json
import secrets
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Final

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from flask import Response

from dashboard.signin.external import refused
from dashboard.signin.return_to import local_path
from dashboard.signin.seen import Seen

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Request

    from dashboard.signin.external import SignInError

COOKIE: Final = "pingan_trip"
LASTS: Final = dt.timedelta(minutes=10)

_PURPOSE: Final = b"pingan: the way to an outside provider and back"
_RANDOM_BYTES: Final = 32


def utc_now() -> dt.datetime:
    """Present moment in UTC."""
    return dt.datetime.now(dt.UTC)


@dataclass(frozen=True)
class Trip:
    """
    One way out.

    Attributes
    ----------
    state
        What must come back in the address.
    nonce
        What must come back in the proof.
    verifier
        Shown only to the provider, with the code (PKCE).
    """

    provider: str
    state: str
    nonce: str
    verifier: str
    return_to: str


class Trips:
    """The ways out to one provider."""

    def __init__(
        self, provider: str, *, key: bytes, is_secure: bool, clock: Callable[[], dt.datetime]
    ) -> None:
        self._provider = provider
        self._fernet = Fernet(_derived(key))
        self._is_secure = is_secure
        self._clock = clock
        # The lifetime counts whole seconds, hence one more.
        self._returned = Seen(LASTS + dt.timedelta(seconds=1))
        self.cookie = f"__Host-{COOKIE}" if is_secure else COOKIE

    def begin(self, return_to: str) -> Trip:
        """Draw new secrets for one way out; a foreign `return_to` becomes the first page."""
        state, nonce, verifier = (secrets.token_urlsafe(_RANDOM_BYTES) for _ in range(3))
        return Trip(self._provider, state, nonce, verifier, local_path(return_to) or "/")

    def sent(self, address: str, trip: Trip) -> Response:
        """Redirect to the provider, and leave the cookie."""
        answer = Response(status=302, headers={"Location": address, "Cache-Control": "no-store"})
        sealed = self._fernet.encrypt_at_time(json.dumps(asdict(trip)).encode(), self._seconds())
        answer.set_cookie(
            self.cookie,
            sealed.decode(),
            max_age=LASTS,
            path="/",
            secure=self._is_secure,
            httponly=True,
            samesite="Lax",  # the way back begins at the provider's site
        )
        return answer

    def returned(self, request: Request) -> Trip:
        """
        The way out that a request comes back from; it does so once.

        Raises
        ------
        SignInError
            This browser began none, too long ago, or another one.
        """
        sealed = request.cookies.get(self.cookie, "").encode()
        try:
            opened = self._fernet.decrypt_at_time(
                sealed, int(LASTS.total_seconds()), self._seconds()
            )
            trip = Trip(**json.loads(opened))
        except (InvalidToken, ValueError, TypeError):
            raise self._refused("this browser began no sign-in in the last ten minutes") from None
        if trip.provider != self._provider:
            raise self._refused("this browser began to sign in by another provider")
        if not hmac.compare_digest(trip.state.encode(), only(request, "state").encode()):
            raise self._refused("the state is not the one that this browser was sent with")
        if not self._returned.is_first(trip.state, self._clock()):
            raise self._refused("this return was made before")
        return trip

    def forget(self, answer: Response) -> None:
        """Take the cookie away."""
        answer.delete_cookie(
            self.cookie, path="/", secure=self._is_secure, httponly=True, samesite="Lax"
        )

    def _refused(self, reason: str) -> SignInError:
        return refused(self._provider, reason)

    def _seconds(self) -> int:
        return int(self._clock().timestamp())


def only(request: Request, name: str) -> str:
    """Value of a parameter that stands in the address exactly once, else nothing."""
    values = request.args.getlist(name)
    return values[0] if len(values) == 1 else ""


def _derived(key: bytes) -> bytes:
    """Key for this purpose alone, in the form that Fernet takes."""
    derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=_PURPOSE).derive(key)
    return base64.urlsafe_b64encode(derived)

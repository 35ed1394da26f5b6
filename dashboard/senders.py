"""Who is pushing: a bearer token or a signature, and how often a token may ask."""

from __future__ import annotations

import re
import threading
import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable

    from flask import Request

    from data.tokens import Token, TokenStore

ID_HEADER: Final = "X-Pingan-Token"
TIMESTAMP_HEADER: Final = "X-Pingan-Timestamp"
SIGNATURE_HEADER: Final = "X-Pingan-Signature"
KEY_HEADER: Final = "Idempotency-Key"

SLACK_S: Final = 300
"""How far a signed request's clock may be from ours."""

BURST: Final = 120
PER_SECOND: Final = 10.0

_SECONDS: Final = re.compile(r"[0-9]{1,12}")


def sender(request: Request, tokens: TokenStore, now: dt.datetime) -> Token | None:
    """
    Token of the sender; None where the request proves none.

    A signature covers everything that counts, so a caught request cannot be sent again as another
    one: method, path with query, timestamp, idempotency key and body. The body is read only when
    the token exists and the timestamp is fresh.
    """
    scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer" and secret:
        return tokens.by_secret(secret.strip())
    token = tokens.by_id(request.headers.get(ID_HEADER, ""))
    timestamp = request.headers.get(TIMESTAMP_HEADER, "")
    if token is None or not _SECONDS.fullmatch(timestamp):
        return None
    if abs(now.timestamp() - int(timestamp)) > SLACK_S:
        return None
    message = signed_message(request, timestamp)
    return token if token.signs(message, request.headers.get(SIGNATURE_HEADER, "")) else None


def signed_message(request: Request, timestamp: str) -> bytes:
    """Bytes that a signature is made over: five lines, the last one is the body."""
    query = request.query_string.decode("latin-1")
    path = f"{request.path}?{query}" if query else request.path
    key = request.headers.get(KEY_HEADER, "")
    head = f"{request.method}\n{path}\n{timestamp}\n{key}\n"
    return head.encode() + request.get_data(cache=True)


class Limiter:
    """So many requests at once and so many a second, for each token in each web process."""

    def __init__(
        self,
        *,
        burst: int = BURST,
        per_second: float = PER_SECOND,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._burst = burst
        self._per_second = per_second
        self._clock = clock
        self._lock = threading.Lock()
        self._left: dict[str, tuple[float, float]] = {}

    def admits(self, token: Token) -> bool:
        """Whether one more request of a token is within its limit; it is counted if so."""
        with self._lock:
            now = self._clock()
            left, at = self._left.get(token.id, (float(self._burst), now))
            left = min(self._burst, left + (now - at) * self._per_second)
            is_admitted = left >= 1
            self._left[token.id] = (left - is_admitted, now)
        return is_admitted

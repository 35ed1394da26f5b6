"""
Calls to another system: its host only, https checked, no detours, in time, and never too long.

What comes back is as untrusted as what a browser sends.
"""

from __future__ import annotations

import io
import ssl
import time
from typing import TYPE_CHECKING, Any, Final

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import HTTPError
from urllib3.util import parse_url

from dashboard.signin.external import AnswerError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

LARGEST_ANSWER: Final = 1024 * 1024
TIMEOUT_S: Final = 5.0
"""To connect, and again between two pieces of the answer; the whole may take about twice that."""

_CHUNK: Final = 64 * 1024
_PORTS: Final = {"http": 80, "https": 443}


class OutgoingError(requests.RequestException):  # type: ignore[misc]  # requests is not typed here
    """A call was not made, or its answer was not taken."""


class _LimitedAdapter(HTTPAdapter):  # type: ignore[misc]
    """Carries every call of a session to one host, within the limits."""

    def __init__(self, base: str, timeout_s: float) -> None:
        self._origin = origin(base)
        self._timeout_s = timeout_s
        super().__init__()

    def init_poolmanager(self, *args: Any, **more: Any) -> None:
        """Trust the system's certificates too: an intranet has its own authority."""
        super().init_poolmanager(*args, ssl_context=ssl.create_default_context(), **more)

    def send(self, request: Any, **_asked: Any) -> Any:
        """
        Send one request and read its answer whole.

        Raises
        ------
        OutgoingError
            Another host is meant, the answer leads elsewhere, or is too long or too slow.
        """
        if origin(request.url) != self._origin:
            raise OutgoingError("the call would go to another host than the configured one")
        ends = time.monotonic() + 2 * self._timeout_s
        request.headers["Accept-Encoding"] = "identity"
        timeout = (self._timeout_s, self._timeout_s)
        answer = super().send(request, stream=True, timeout=timeout, verify=True)
        try:
            content = _read(answer, ends)
        finally:
            answer.raw.close()
        answer.raw = io.BytesIO(content)
        return answer


def origin(address: str) -> tuple[str, str, int]:
    """Scheme, host and port that an address leads to, as the HTTP client reads it."""
    parts = parse_url(address)
    scheme = parts.scheme or ""
    return scheme, parts.host or "", parts.port or _PORTS.get(scheme, 0)


def restrict(session: Any, base: str, *, timeout_s: float = TIMEOUT_S) -> Any:
    """Bind a session of `requests` to the host of `base`; nothing of the environment counts."""
    session.trust_env = False  # no proxies, no .netrc, no other certificates
    adapter = _LimitedAdapter(base, timeout_s)
    for scheme in tuple(session.adapters):
        session.mount(scheme, adapter)
    return session


def fetch(
    base: str, address: str, *, params: Mapping[str, str] | None = None, timeout_s: float
) -> Any:
    """
    Get an address on the host of `base`, as a response of `requests`.

    Raises
    ------
    AnswerError
        It could not be had within the limits.
    """
    with restrict(requests.Session(), base, timeout_s=timeout_s) as session:
        try:
            return session.get(address, params=params, allow_redirects=False)
        except requests.RequestException as error:
            raise AnswerError(told(error)) from error


def fetch_json(base: str, address: str, *, timeout_s: float) -> dict[str, Any]:
    """
    Get the JSON object at an address on the host of `base`.

    Raises
    ------
    AnswerError
        There is none.
    """
    answer = fetch(base, address, timeout_s=timeout_s)
    if answer.status_code != requests.codes.ok:
        raise AnswerError(f"{address} answered {answer.status_code}")
    try:
        found = answer.json()
    except (ValueError, RecursionError) as error:
        raise AnswerError(f"{address} answered no JSON") from error
    if not isinstance(found, dict):
        raise AnswerError(f"{address} answered no JSON object")
    return found


def told(error: Exception) -> str:
    """Why a call failed, for the log; the text of other libraries would repeat tickets."""
    return str(error) if isinstance(error, OutgoingError) else type(error).__name__


def _read(answer: Any, ends: float) -> bytes:
    """Bytes of an answer that is not a detour."""
    if 300 <= answer.status_code < 400:
        raise OutgoingError("the answer leads elsewhere; redirects are not followed")
    if answer.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise OutgoingError("the answer is compressed, which was not asked for")
    content = bytearray()
    for piece in _pieces(answer):
        content += piece
        if len(content) > LARGEST_ANSWER:
            raise OutgoingError(f"the answer is longer than {LARGEST_ANSWER:,} bytes")
        if time.monotonic() > ends:
            raise OutgoingError("the answer took too long")
    return bytes(content)


def _pieces(answer: Any) -> Iterator[bytes]:
    try:
        while piece := answer.raw.read1(_CHUNK, decode_content=False):
            yield piece
    except (HTTPError, OSError) as error:
        raise OutgoingError(f"the answer broke off ({type(error).__name__})") from error

"""Who is asking: sign-in providers, one interface."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Final, Protocol
from urllib.parse import quote, urlsplit

from flask import Response, abort, redirect

if TYPE_CHECKING:
    from flask import Request

    from data.access import Scope

LOCAL_NAMES: Final = frozenset({"localhost", "127.0.0.1", "::1"})
KNOWN: Final = ("demo", "local", "oidc", "cas", "header")
"""What the setting `auth` takes."""

_FORWARDED: Final = ("Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-Ip")


class Provider(Protocol):
    """Turns a request into a scope; every request is asked anew."""

    @property
    def can_sign_in(self) -> bool:
        """Whether there is a page to sign in on."""

    def admits(self, request: Request) -> bool:
        """Whether the request may have an answer at all, signed in or not."""

    def scope(self, request: Request) -> Scope | None:
        """What the request may see; None = nobody is signed in."""


def challenge(request: Request, *, can_sign_in: bool) -> Response:
    """What somebody gets who is not signed in: the sign-in page, or a refusal."""
    is_page = request.method in ("GET", "HEAD") and request.accept_mimetypes.accept_html
    if can_sign_in and is_page and not request.path.startswith(("/_", "/assets/")):
        query = request.query_string.decode("latin-1")
        back = f"{request.path}?{query}" if query else request.path
        answer = redirect(f"/signin?next={quote(back, safe='')}")
        return Response(answer.get_data(), headers=answer.headers, status=answer.status_code)
    return abort(401 if can_sign_in else 403)


def is_direct_local(request: Request) -> bool:
    """
    Whether a request comes from this machine, unforwarded, to a loopback name.

    A proxy, or a page of another host whose name points here (DNS rebinding), is not that.
    """
    if any(name in request.headers for name in _FORWARDED):
        return False
    return is_loopback(request.remote_addr or "") and is_local_host(request.host)


def is_loopback(address: str) -> bool:
    """Whether an IP address is of this machine; anything else than an address is not."""
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


def is_local_host(host: str) -> bool:
    """Whether a Host header, with or without a port, names this machine."""
    try:
        return urlsplit(f"//{host}").hostname in LOCAL_NAMES
    except ValueError:
        return False

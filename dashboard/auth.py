"""Who is asking: sign-in providers, one interface."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Final, Protocol
from urllib.parse import urlsplit

from data.access import WHOLE_CITY, Scope

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flask import Request

LOCAL_NAMES: Final = frozenset({"localhost", "127.0.0.1", "::1"})

_FORWARDED: Final = ("Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-Ip")


class Provider(Protocol):
    """Turns a request into a scope; every request is asked anew."""

    def scope(self, request: Request) -> Scope | None:
        """What the request may see; None = nobody is signed in."""


class DemoProvider:
    """
    One user who sees the whole city, on this machine only.

    A proxy, or a page of another host whose name points here (DNS rebinding), is not this user:
    the peer must be loopback, unforwarded, and must have asked for a loopback name.
    """

    user: Final = Scope(user="demo", role="demo", area_codes=frozenset({WHOLE_CITY}))

    def scope(self, request: Request) -> Scope | None:
        """The demo user for a direct request from this machine, else None."""
        if any(name in request.headers for name in _FORWARDED):
            return None
        if not is_loopback(request.remote_addr or "") or not is_local_host(request.host):
            return None
        return self.user


PROVIDERS: Final[Mapping[str, type[Provider]]] = {"demo": DemoProvider}
"""Providers by the name that the setting `auth` takes."""


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

"""Addresses of other systems, as the settings give them."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import urlsplit

from dashboard.auth import is_local_host

_PLAIN: Final = re.compile(r"[!-\[\]-~]+")  # visible ASCII without the backslash


def base_address(text: str, *, setting: str, insecure_http: bool) -> str:
    """
    Return the address of another system, without a slash at its end.

    Parameters
    ----------
    setting
        Name of the setting, for the message.
    insecure_http
        Whether plain http may be used beyond this machine.

    Raises
    ------
    ValueError
        It is no plain https address; http is enough for this machine.
    """
    fault = _fault(text, insecure_http=insecure_http)
    if fault:
        raise ValueError(f"{setting} {fault}")
    return text.rstrip("/")


def is_plain_http(address: str) -> bool:
    """Whether an address has no TLS."""
    return not address.startswith("https://")


def _fault(text: str, *, insecure_http: bool) -> str:
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        return f"is no address ({error})"
    if not _PLAIN.fullmatch(text) or not host or port == 0:
        return f"is {text!r}; give an address, as https://sso.example.gov.cn"
    if parts.username is not None or "?" in text or "#" in text:
        return "holds a user name, a query or a fragment; leave them out"
    is_safe = parts.scheme == "https" or (
        parts.scheme == "http" and (insecure_http or is_local_host(parts.netloc))
    )
    if not is_safe:
        return "does not begin with https://; set PINGAN_INSECURE_HTTP=1 if http is meant"
    return ""

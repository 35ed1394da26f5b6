"""Controls of the running service: transport, cookies, headers, limits, secrets, file modes."""

from __future__ import annotations

import importlib.util
import stat
import urllib.error
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from data import safety, secrets
from data.state.database import state_url
from etl.compliance.control import Control, Installed, judged, listed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from data.settings import Settings

TRANSPORT: Final = "GB/T 22239-2019 8.1.2.2 通信传输"
ASKED: Final = (
    "Content-Security-Policy", "X-Content-Type-Options", "X-Frame-Options", "Referrer-Policy",
    "Cache-Control", "Access-Control-Allow-Origin",
)  # fmt: skip
"""Headers of an answer that are judged."""

_TRANSPORT: Final = ("transport", f"{TRANSPORT}, 8.1.4.1 c")
_STATE: Final = ("connection to the state database", f"{TRANSPORT}, 8.1.4.8 数据保密性")
_COOKIE: Final = ("session cookie", "GB/T 22239-2019 8.1.4.1 c")
_HEADERS: Final = ("response headers", "GB/T 22239-2019 8.1.4.4 入侵防范 e, f")
_RATE: Final = ("rate limit", "GB/T 22239-2019 8.1.4.4 入侵防范")
_DEBUG: Final = ("debug off", "GB/T 22239-2019 8.1.4.4 入侵防范 a, b")
_SAFE: Final = ("safe settings", "GB/T 22239-2019 8.1.4.4 入侵防范")
_SECRETS: Final = ("strength of secrets", "GB/T 22239-2019 8.1.4.8 数据保密性")
_MODES: Final = ("file modes", "GB/T 22239-2019 8.1.4.2 访问控制 f")

_ENCRYPTED: Final = ("require", "verify-ca", "verify-full")
_TIMEOUT_S: Final = 3.0
_LIMITS: Final = "dashboard/limits.py"


def controls(installed: Installed) -> list[Control]:
    """Judge every control of the service."""
    settings = installed.settings
    keys = set(_key_faults(settings))
    files = [fault for fault in safety.home_faults(settings) if fault not in keys]
    files += [] if installed.is_demo else _readable(settings.home)
    return [
        _transport(settings),
        _connection(settings),
        _cookie(settings),
        _headers(installed),
        built_in(_RATE, _LIMITS, "requests at a time and processor time, for each user"),
        _debug(installed),
        judged(*_SAFE, safety.settings_faults(settings, environ=installed.environ), "no fault"),
        judged(*_SECRETS, sorted(keys), _key_told(settings)),
        judged(*_MODES, files, "the home is closed to other users of this machine"),
    ]


def headers_of(settings: Settings) -> Mapping[str, str] | None:
    """Ask the running map for its health; its headers, None where nothing answers."""
    host = settings.host or "127.0.0.1"
    if host in ("0.0.0.0", "::"):  # noqa: S104 - compared, not listened on  # nosec B104
        host = "127.0.0.1"
    address = f"http://{f'[{host}]' if ':' in host else host}:{settings.port}/healthz"
    try:
        # Our own http address, whatever the settings hold.
        with urllib.request.urlopen(address, timeout=_TIMEOUT_S) as answer:  # nosec B310
            return dict(answer.headers.items())
    except urllib.error.HTTPError as error:
        return dict(error.headers.items())
    except (OSError, ValueError):
        return None


def built_in(name: tuple[str, str], path: str, what: str) -> Control:
    """A control that is part of the program and that no setting turns off."""
    spec = importlib.util.find_spec("data")
    assert spec is not None
    assert spec.origin is not None
    is_there = (Path(spec.origin).parents[1] / path).is_file()
    faults = [] if is_there else [f"{path} is missing; install the product anew"]
    return judged(*name, faults, f"built in, no setting turns it off: {what}")


def _transport(settings: Settings) -> Control:
    if settings.insecure_http:
        return Control(
            *_TRANSPORT, "fail", "PINGAN_INSECURE_HTTP=1; put a TLS proxy in front and unset it"
        )
    if settings.public_url.startswith("https://"):
        return Control(*_TRANSPORT, "pass", f"{settings.public_url}; TLS ends at the proxy")
    if safety.is_loopback_host(settings.host) and not settings.proxies:
        return Control(*_TRANSPORT, "pass", f"{settings.host} is this machine alone")
    told = "PINGAN_PUBLIC_URL does not say https://…; set the address that browsers use"
    return Control(*_TRANSPORT, "fail", told)


def _connection(settings: Settings) -> Control:
    try:
        url = make_url(state_url(settings.state, settings.home))
    except ArgumentError:
        return Control(*_STATE, "fail", "PINGAN_STATE is no database URL")
    host = str(url.host or url.query.get("host", ""))
    if url.get_backend_name() == "sqlite":
        return Control(*_STATE, "not applicable", "SQLite, a file of this machine")
    if not host or host.startswith("/") or safety.is_loopback_host(host):
        return Control(*_STATE, "pass", "on this machine")
    mode = str(url.query.get("sslmode", ""))
    faults = [] if mode in _ENCRYPTED else [f"{host} without TLS; add ?sslmode=verify-full"]
    return judged(*_STATE, faults, f"{host} over TLS ({mode})")


def _cookie(settings: Settings) -> Control:
    """The program always sets HttpOnly and SameSite; Secure needs an address with https."""
    flags = "HttpOnly, SameSite=Lax, Path=/"
    if settings.public_url.startswith("https://"):
        return Control(*_COOKIE, "pass", f"__Host- prefix, Secure, {flags}")
    if safety.is_loopback_host(settings.host) and not settings.proxies:
        return Control(*_COOKIE, "pass", f"{flags}; Secure is not needed on this machine alone")
    told = "not Secure, because PINGAN_PUBLIC_URL does not say https://…; set it"
    return Control(*_COOKIE, "fail", told)


def _headers(installed: Installed) -> Control:
    if installed.headers is None:
        where = f"{installed.settings.host}:{installed.settings.port}"
        told = f"nothing answers at {where}; run `pingan serve` and then this again"
        return Control(*_HEADERS, "by hand", told)
    faults = header_faults(installed.headers)
    return judged(*_HEADERS, faults, "CSP without eval, nosniff, no framing, no-store")


def header_faults(headers: Mapping[str, str]) -> list[str]:
    """What is unsafe in the headers of an answer that holds data."""
    found = {name.casefold(): value for name, value in headers.items()}
    policy = {
        words[0]: words[1:]
        for part in found.get("content-security-policy", "").split(";")
        if (words := part.split())
    }
    scripts = policy.get("script-src", policy.get("default-src", ["*"]))
    loose = [word for word in ("'unsafe-eval'", "'unsafe-inline'", "*", "https:", "http:")
             if word in scripts]  # fmt: skip
    anywhere = [name for name, words in policy.items() if {"*", "http:", "https:"} & set(words)]
    cases = (
        ("there is no Content-Security-Policy", not policy),
        (f"scripts may be {listed(loose)}", bool(policy) and bool(loose)),
        (f"other hosts may serve {listed(anywhere)}", bool(anywhere)),
        ("pages may be framed", policy.get("frame-ancestors") != ["'none'"]
         and found.get("x-frame-options", "").upper() != "DENY"),
        ("types may be guessed", found.get("x-content-type-options", "") != "nosniff"),
        ("answers may be stored", "no-store" not in found.get("cache-control", "")),
        ("addresses may leak to other hosts", found.get("referrer-policy", "") not in
         ("same-origin", "no-referrer", "strict-origin")),
        ("pages of other hosts may read answers", "access-control-allow-origin" in found),
    )  # fmt: skip
    faults = [fault for fault, is_found in cases if is_found]
    return [*faults, "another program or proxy answers; correct it"] if faults else []


def _debug(installed: Installed) -> Control:
    faults = [
        f"{name} is set; unset it"
        for name in ("FLASK_DEBUG", "DASH_DEBUG", "DASH_MCP_ENABLED")
        if installed.environ.get(name, "").lower() not in ("", "0", "false", "no")
    ]
    if installed.settings.debug:
        faults.append("PINGAN_DEBUG is on; unset it")
    return judged(*_DEBUG, faults, "no debugger, no MCP endpoint, no version check")


def _readable(home: Path) -> list[str]:
    """Whether other users of the machine can get at the exact counts."""
    mode = stat.S_IMODE(home.stat().st_mode) if home.is_dir() else 0
    told = f"{home} has mode {mode:o}: every user of this machine reads exact counts; run "
    return [f"{told}`chmod 750 {home}`"] if mode & 0o005 else []


def _key_told(settings: Settings) -> str:
    if settings.secret_key or (settings.home / secrets.FILE).exists():
        return "the installation's key is long and nothing known"
    return "the first start makes a random key"


def _key_faults(settings: Settings) -> list[str]:
    """Faults of the key itself, not of its file."""
    if settings.secret_key:
        return safety.key_faults(settings.secret_key, secrets.SETTING)
    path = settings.home / secrets.FILE
    found = safety.key_file_faults(path)
    modes = set(safety.private_faults(path)) if path.exists() else set()
    return [fault for fault in found if fault not in modes]

"""
What makes an installation unsafe: facts about settings, keys, files, the framework and accounts.

Every function lists all faults that it finds, each in one line with what to do; an empty list is
safe. The web process does not start with a fault, and `pingan doctor` prints them.
"""

from __future__ import annotations

import ipaddress
import os
import re
import stat
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Final
from urllib.parse import SplitResult, urlsplit

from packaging.version import Version
from sqlalchemy import URL, make_url, select
from sqlalchemy.exc import ArgumentError

from data import secrets
from data.state.database import state_url
from data.state.models import User

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from data.settings import Settings
    from data.state.database import StateDatabase

PROVIDERS: Final = ("demo", "local", "oidc", "cas", "header")
"""What the setting `auth` takes."""

OLDEST_DASH: Final = "4.4.1"
"""Before it any client could end any process by its number (plotly/dash #3902)."""

_STEPS: Final = 0.5
"""Share of the letters of a key that may follow on the one before, as in `abcdef`."""

_KNOWN_PASSWORDS: Final = frozenset(
    {
        "admin", "administrator", "changeme", "default", "example", "guest", "letmein", "map",
        "password", "passw0rd", "p@ssw0rd", "pingan", "postgres", "postgresql", "qwerty", "root",
        "secret", "test", "user", "0000", "1234", "12345", "123456", "12345678", "123456789",
        "111111", "888888", "admin123", "admin@123", "root123", "abc123", "1qaz2wsx",
    }
)  # fmt: skip
_ARGON: Final = "$argon2id$"

_WRITTEN: Final = ("", "snapshots", "manifests", "tiles", "epochs")
"""Folders of a home whose files are believed; what is in `epochs` is even run as code."""

_ALLOWED: Final = re.compile(r"--forwarded-allow-ips[=\s]+(\S+)")


@dataclass(frozen=True)
class Framework:
    """
    What the web framework was told, as plain facts.

    Attributes
    ----------
    origins
        `Access-Control-Allow-Origin` of an answer; "" = no such header.
    has_demo
        The demonstration's accounts answer.
    """

    version: str
    has_mcp: bool = False
    has_pages: bool = False
    has_background: bool = False
    is_suppressed: bool = False
    is_debug: bool = False
    origins: str = ""
    has_demo: bool = False


def is_loopback_host(host: str) -> bool:
    """Whether a host name or address is of this machine alone."""
    try:
        return host == "localhost" or ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def settings_faults(settings: Settings, *, environ: Mapping[str, str]) -> list[str]:
    """
    Faults of the settings alone; nothing is read from disk.

    Parameters
    ----------
    environ
        Environment, for what the web server itself takes from it.
    """
    return [
        *_listening_faults(settings),
        *_address_faults(settings),
        *_proxy_faults(settings, environ),
        *_provider_faults(settings),
        *(key_faults(settings.secret_key, "PINGAN_SECRET_KEY") if settings.secret_key else ()),
        *_state_faults(settings.state, environ),
    ]


def _listening_faults(settings: Settings) -> Iterator[str]:
    if is_loopback_host(settings.host):
        return
    where = settings.host or "every address"
    if settings.debug:
        yield f"PINGAN_DEBUG is on while PINGAN_HOST is {where}; debug is for loopback"
    if settings.auth == "demo":
        yield f"PINGAN_AUTH=demo shows all to whoever reaches {where}; use loopback"
    if not settings.proxies and not settings.insecure_http:
        yield (
            f"PINGAN_HOST={where} would serve plain http beyond loopback; put a TLS proxy in front "
            "and set PINGAN_PROXIES=1, or set PINGAN_INSECURE_HTTP=1"
        )


def _address_faults(settings: Settings) -> Iterator[str]:
    if not settings.public_url:
        if settings.auth in ("oidc", "cas") and not _is_local(settings):
            yield (
                f"PINGAN_AUTH={settings.auth} needs PINGAN_PUBLIC_URL: without it whoever asks "
                "says where the sign-in returns to"
            )
        return
    found = _split(settings.public_url)
    if found is None or found.username or found.query or found.fragment:
        yield "PINGAN_PUBLIC_URL is no plain address such as https://map.example.gov.cn"
    elif found.scheme != "https" and not settings.insecure_http and not _is_local_url(found):
        yield (
            f"PINGAN_PUBLIC_URL={settings.public_url} is not https; browsers would send the "
            "session in the clear"
        )


def _proxy_faults(settings: Settings, environ: Mapping[str, str]) -> Iterator[str]:
    if settings.proxies < 0:
        yield f"PINGAN_PROXIES={settings.proxies}; give the number of proxies in front, 0 or more"
    if settings.auth == "demo" and settings.proxies > 0:
        yield (
            f"PINGAN_AUTH=demo with PINGAN_PROXIES={settings.proxies}: a proxy passes others on to "
            "the demo; choose another sign-in"
        )
    told = _ALLOWED.search(environ.get("GUNICORN_CMD_ARGS", ""))
    for name, trusted in (
        ("FORWARDED_ALLOW_IPS", environ.get("FORWARDED_ALLOW_IPS", "")),
        ("GUNICORN_CMD_ARGS", told.group(1) if told else ""),
    ):
        if any(_is_everybody(part.strip(" '\"")) for part in trusted.split(",")):
            yield (
                f"{name} trusts the forwarded headers of every address; name the proxies' own "
                "addresses"
            )


def _provider_faults(settings: Settings) -> Iterator[str]:
    if settings.auth not in PROVIDERS:
        yield f"PINGAN_AUTH={settings.auth} is unknown; known: {', '.join(sorted(PROVIDERS))}"
    if settings.auth == "oidc":
        yield from _https_faults(settings, "PINGAN_OIDC_ISSUER", settings.oidc_issuer)
        if not settings.oidc_client:
            yield "PINGAN_OIDC_CLIENT is empty; give the client id at the issuer"
        if settings.oidc_secret.lower() in _KNOWN_PASSWORDS | {""}:
            state = "can be guessed" if settings.oidc_secret else "is empty"
            yield f"PINGAN_OIDC_SECRET {state}; give the secret that the issuer made"
    if settings.auth == "cas":
        yield from _https_faults(settings, "PINGAN_CAS_URL", settings.cas_url)
    if settings.auth == "header":
        if not settings.header_key:
            yield "PINGAN_HEADER_KEY is empty: anybody could name any user; set the portal's key"
        else:
            for fault in key_faults(settings.header_key, "PINGAN_HEADER_KEY"):
                yield fault.removesuffix(", or leave it empty")
            if settings.header_key == settings.secret_key:
                yield "PINGAN_HEADER_KEY is the session key; give the portal a key of its own"


def _https_faults(settings: Settings, name: str, text: str) -> Iterator[str]:
    found = _split(text)
    if found is None:
        yield f"{name} is {'no address' if text else 'empty'}; give an https:// address"
    elif found.scheme != "https" and not settings.insecure_http and not _is_local_url(found):
        yield f"{name}={text} is not https; sign-ins could be read and forged on the way"


def _state_faults(text: str, environ: Mapping[str, str]) -> Iterator[str]:
    if not text:
        return
    try:
        url = make_url(text)
        backend = url.get_backend_name()
    except ArgumentError:
        yield "PINGAN_STATE is no database URL; leave it empty or give a PostgreSQL URL"
        return
    if backend not in ("sqlite", "postgresql"):
        yield f"PINGAN_STATE names a {backend} database; SQLite and PostgreSQL are supported"
    if backend != "postgresql":
        return
    password = str(url.password or environ.get("PGPASSWORD", ""))
    if not password and not _is_socket(url) and not environ.get("PGPASSFILE"):
        yield f"PINGAN_STATE has no password for {url.username or 'its user'}; set one"
    elif password and password.lower() in _KNOWN_PASSWORDS | {
        (url.username or "").lower(), (url.database or "").lower(),
    }:  # fmt: skip
        yield f"PINGAN_STATE has a default password for {url.username or 'its user'}; change it"


def key_faults(key: str, where: str) -> list[str]:
    """Whether a key is too short or can be guessed; `where` names it in the message."""
    is_repeated = key in (key + key)[1:-1]
    steps = sum(ord(after) - ord(before) == 1 for before, after in pairwise(key))
    if len(key) >= secrets.SHORTEST and (is_repeated or steps > _STEPS * len(key)):
        return [f"{where} can be guessed; use random text, or leave it empty"]
    return secrets.key_faults(key, where)


def home_faults(settings: Settings, *, uid: int | None = None) -> list[str]:
    """
    What of a home others could read or change.

    Parameters
    ----------
    uid
        User that the files must belong to; by default that of this process.
    """
    return [
        *_folder_faults(settings.home),
        *(() if settings.secret_key else key_file_faults(settings.home / secrets.FILE, uid=uid)),
        *_database_faults(settings, uid),
    ]


def key_file_faults(path: Path, *, uid: int | None = None) -> list[str]:
    """Whether a key file can be trusted; a file that is not there yet can."""
    if not path.exists():
        return []
    faults = list(private_faults(path, uid=uid))
    try:
        key = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return [*faults, f"{path} cannot be read; delete it, and the next start makes a new one"]
    return [*key_faults(key, str(path)), *faults]


def private_faults(path: Path, *, uid: int | None = None) -> Iterator[str]:
    """Whether others than its owner may read a file, and whether it is ours."""
    found = path.stat()
    mode, own = stat.S_IMODE(found.st_mode), os.geteuid() if uid is None else uid
    if mode & 0o077:
        yield f"{path} has mode {mode:o}; run `chmod 600 {path}`"
    if found.st_uid != own:
        yield (
            f"{path} belongs to user {found.st_uid}, this process is user {own}; run it as the "
            "owner, or `chown` the file"
        )


def _folder_faults(home: Path) -> Iterator[str]:
    for path in (home / name for name in _WRITTEN):
        if not path.is_dir():
            continue
        mode = stat.S_IMODE(path.stat().st_mode)
        if mode & 0o002:
            yield (
                f"{path} has mode {mode:o}: every user of this machine could change what is shown; "
                f"run `chmod o-w {path}`"
            )


def _database_faults(settings: Settings, uid: int | None) -> Iterator[str]:
    try:
        url = make_url(state_url(settings.state, settings.home))
    except ArgumentError:
        return  # told by `settings_faults`
    if url.get_backend_name() != "sqlite" or not url.database or url.database == ":memory:":
        return
    for ending in ("", "-wal", "-shm"):
        path = settings.home.absolute() / (url.database + ending)
        if path.exists():
            yield from private_faults(path, uid=uid)


def framework_faults(framework: Framework, settings: Settings) -> list[str]:
    """Faults of how the web framework was set up."""
    is_old = Version(framework.version) < Version(OLDEST_DASH)
    cases = (
        (f"Dash {framework.version} is older than {OLDEST_DASH}; upgrade it", is_old),
        ("MCP is on; leave enable_mcp off", framework.has_mcp),
        ("Dash pages are on; the app is one page", framework.has_pages),
        ("a background callback manager is set; leave it out", framework.has_background),
        ("callback exceptions are suppressed; leave them on", framework.is_suppressed),
        (
            "the server is in debug mode and PINGAN_DEBUG is off; unset FLASK_DEBUG and DASH_DEBUG",
            framework.is_debug and not settings.debug,
        ),
        (
            f"pages of {framework.origins} may read answers; leave out Access-Control-Allow-Origin",
            bool(framework.origins),
        ),
        (
            f"the demo's accounts answer while PINGAN_AUTH is {settings.auth}; leave them out",
            framework.has_demo and settings.auth != "demo",
        ),
    )
    return [fault for fault, found in cases if found]


def account_faults(database: StateDatabase, settings: Settings) -> list[str]:
    """
    Enabled accounts that anybody could use.

    Raises
    ------
    StateError
        The database fails.
    """
    chosen = select(User.login, User.provider, User.password_hash).where(~User.disabled)
    with database.reading() as session:
        users = session.execute(chosen.order_by(User.login)).all()
    local = [user for user in users if user.provider == "local"]
    cases = (
        ("without a password", [user.login for user in local if not user.password_hash]),
        (
            "whose password is not hashed with argon2id",
            [u.login for u in local if u.password_hash and not u.password_hash.startswith(_ARGON)],
        ),
        (
            f"of the demo while PINGAN_AUTH is {settings.auth}",
            [u.login for u in users if u.provider == "demo" and settings.auth != "demo"],
        ),
    )
    return [
        f"{len(logins)} enabled accounts {what}: {', '.join(logins[:5])}; disable them or set a "
        "password"
        for what, logins in cases
        if logins
    ]


def _split(text: str) -> SplitResult | None:
    """An http or https address in its parts; None where it is none."""
    try:
        found = urlsplit(text)
        is_address = found.scheme in ("http", "https") and bool(found.hostname)
        _ = found.port
    except ValueError:
        return None
    return found if is_address else None


def _is_local(settings: Settings) -> bool:
    return is_loopback_host(settings.host) and not settings.proxies


def _is_local_url(found: SplitResult) -> bool:
    return is_loopback_host(found.hostname or "")


def _is_everybody(network: str) -> bool:
    try:
        return network == "*" or ipaddress.ip_network(network, strict=False).prefixlen == 0
    except ValueError:
        return False


def _is_socket(url: URL) -> bool:
    """Whether a server is reached through a socket file, where the system tells who asks."""
    host = str(url.host or url.query.get("host", ""))
    return not host or host.startswith("/")

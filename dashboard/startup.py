"""What must hold before the first request: settings that are unsafe do not start."""

from __future__ import annotations

import os
import secrets
import stat
from typing import TYPE_CHECKING, Final

import dash
from packaging.version import Version

from dashboard.auth import PROVIDERS, is_loopback

if TYPE_CHECKING:
    from pathlib import Path

    from dashboard.guard import Guard
    from data.settings import Settings

OLDEST_DASH: Final = "4.4.1"
"""Before it any client could end any process by its number (plotly/dash #3902)."""

SHORTEST_KEY: Final = 32
KEY_FILE: Final = "secret.key"

_KNOWN_KEYS: Final = ("change", "secret", "password", "default", "example", "pingan")
_DISTINCT: Final = 10


class UnsafeError(RuntimeError):
    """The configuration would open the data to others; the message lists every reason."""


def check_settings(settings: Settings, *, dash_version: str = dash.__version__) -> None:
    """
    Refuse unsafe settings, all faults at once.

    Raises
    ------
    UnsafeError
        Debug mode or the demo user beyond loopback, a weak key, an unknown sign-in provider, an
        old Dash.
    """
    local = settings.host == "localhost" or is_loopback(settings.host)
    faults = [
        fault
        for fault, found in (
            (
                f"PINGAN_DEBUG is on while PINGAN_HOST is {settings.host}; debug is for loopback",
                settings.debug and not local,
            ),
            (
                f"PINGAN_AUTH=demo shows all to whoever reaches {settings.host}; use loopback",
                settings.auth == "demo" and not local,
            ),
            (
                f"PINGAN_AUTH={settings.auth} is unknown; known: {', '.join(sorted(PROVIDERS))}",
                settings.auth not in PROVIDERS,
            ),
            (
                f"Dash {dash_version} is older than {OLDEST_DASH}; upgrade it",
                Version(dash_version) < Version(OLDEST_DASH),
            ),
        )
        if found
    ]
    if settings.secret_key:
        faults += _key_faults(settings.secret_key, "PINGAN_SECRET_KEY")
    if faults:
        raise UnsafeError("; ".join(faults))


def secret_key(settings: Settings) -> str:
    """
    The session key: the setting, or a key file that the first start makes for its owner alone.

    Raises
    ------
    UnsafeError
        The file is readable by others, or its key is weak.
    """
    if settings.secret_key:
        return settings.secret_key
    path = settings.home / KEY_FILE
    _make_key(path)
    mode = stat.S_IMODE(path.stat().st_mode)
    faults = _key_faults(path.read_text(encoding="utf-8").strip(), str(path))
    if mode & 0o077:
        faults.append(f"{path} has mode {mode:o}; run `chmod 600 {path}`")
    if faults:
        raise UnsafeError("; ".join(faults))
    return path.read_text(encoding="utf-8").strip()


def check_app(app: dash.Dash, guard: Guard, settings: Settings) -> None:
    """
    Refuse an application that answers more than it declares.

    Raises
    ------
    UnsafeError
        MCP, pages, background or suppressed callbacks are on, or debug does not match.
    UnguardedError
        A callback or endpoint is not declared.
    """
    faults = [
        fault
        for fault, found in (
            ("MCP is on; leave enable_mcp off", bool(app._enable_mcp)),  # noqa: SLF001
            ("Dash pages are on; the app is one page", bool(app.use_pages)),
            ("callback exceptions are suppressed", bool(app.config.suppress_callback_exceptions)),
            ("a background callback manager is set", app._background_manager is not None),  # noqa: SLF001
            ("the server is in debug mode", bool(app.server.debug) and not settings.debug),
        )
        if found
    ]
    if faults:
        raise UnsafeError("; ".join(faults))
    guard.check()


def warm_up(app: dash.Dash) -> None:
    """
    Let Dash finish its set-up before the first visitor comes.

    It would do so during the first request, and fail every other request until that one is done.
    """
    app.server.test_client().get("/healthz")


def _make_key(path: Path) -> None:
    """Write a random key once; of several processes that start together one wins."""
    path.parent.mkdir(parents=True, exist_ok=True)
    waiting = path.with_name(f".{path.name}.{os.getpid()}")
    handle = os.open(waiting, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as stream:
        stream.write(secrets.token_urlsafe(48))
    try:
        os.link(waiting, path)  # fails when the key is there, and never shows half a key
    except FileExistsError:
        pass
    finally:
        waiting.unlink()


def _key_faults(key: str, where: str) -> list[str]:
    if len(key) < SHORTEST_KEY:
        return [f"{where} has {len(key)} characters; use {SHORTEST_KEY} or more, or leave it empty"]
    if len(set(key)) < _DISTINCT or any(word in key.lower() for word in _KNOWN_KEYS):
        return [f"{where} can be guessed; use random text, or leave it empty"]
    return []

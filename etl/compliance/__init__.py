"""
The compliance table: what 等保 level 3 and the laws ask for, judged on this installation.

Whatever a program can see is judged; what it cannot see is said to be checked by hand.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from data import secrets
from data.accounts import stored_settings
from data.state import migrate
from data.state.database import StateDatabase, StateError, state_url
from etl.compliance import accounts, auditing, given, keeping, persons, serving
from etl.compliance.control import NO_STATE, Control, Installed

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from data.settings import Settings

__all__ = ["Control", "examine"]

BY_HAND: Final = (
    Control(
        "commercial cryptography",
        "GB/T 39786-2021 密码应用",
        "by hand",
        "SM2/SM3/SM4 where 密评 asks for them: end TLS at an SM gateway, encrypt the disks",
    ),
    Control(
        "network border",
        "GB/T 22239-2019 8.1.3 安全区域边界",
        "by hand",
        "a firewall lets browsers reach the TLS proxy only, and nobody the map's own port",
    ),
)
"""What no program on this machine can see."""


def examine(
    settings: Settings,
    *,
    now: dt.datetime,
    environ: Mapping[str, str],
    headers_of: Callable[[Settings], Mapping[str, str] | None] = serving.headers_of,
) -> list[Control]:
    """
    Judge every control; nothing is changed.

    Parameters
    ----------
    now
        Aware.
    headers_of
        Asks the running map for the headers of its answers.

    Raises
    ------
    StateError
        The state database fails in the middle.
    """
    asked = headers_of(settings)
    with _opened(Installed(settings, environ, now, key=_key(settings), headers=asked)) as installed:
        return [
            *accounts.controls(installed),
            *auditing.controls(installed),
            *serving.controls(installed),
            *keeping.controls(installed),
            *persons.controls(installed),
            *given.controls(installed),
            *BY_HAND,
        ]


@contextmanager
def _opened(installed: Installed) -> Iterator[Installed]:
    """Add the state database and its settings, or why there is none to be judged."""
    settings = installed.settings
    if _is_missing(settings.state, settings.home):
        yield replace(installed, trouble=NO_STATE)
        return
    try:
        database = StateDatabase(state_url(settings.state, settings.home))
    except (ArgumentError, ImportError) as error:
        # The URL itself may hold a password.
        told = f"PINGAN_STATE cannot be used ({type(error).__name__}); correct it"
        yield replace(installed, trouble=told)
        return
    try:
        yield _with_state(installed, database)
    finally:
        database.close()


def _with_state(installed: Installed, database: StateDatabase) -> Installed:
    try:
        found = migrate.revision(database)
        if found != migrate.newest():
            told = f"the state database has revision {found or 'none'}; run `pingan serve`"
            return replace(installed, trouble=told)
        return replace(
            installed,
            database=database,
            stored=stored_settings.read(database),
            unusable=stored_settings.faults(database),
        )
    except StateError as error:
        return replace(installed, trouble=str(error))


def _is_missing(state: str, home: Path) -> bool:
    """Whether the state is a file that nobody has made; to open it would make it."""
    try:
        url = make_url(state_url(state, home))
    except ArgumentError:
        return False
    is_file = url.get_backend_name() == "sqlite" and bool(url.database)
    return is_file and not (home / str(url.database)).exists()


def _key(settings: Settings) -> bytes | None:
    """The installation's key; None where it is not made yet or cannot be read."""
    if settings.secret_key:
        return settings.secret_key.encode()
    try:
        return (settings.home / secrets.FILE).read_text(encoding="utf-8").strip().encode() or None
    except (OSError, UnicodeDecodeError):
        return None

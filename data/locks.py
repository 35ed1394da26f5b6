"""Locks of a home between processes; each ends with its process, however that ends."""

from __future__ import annotations

import fcntl
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

KEEPING: Final = "keeping.lock"
"""Shared by who reads stored files that a retention run could delete, which takes it alone."""

BACKUP: Final = "backup.lock"
"""Held by the one backup that may run at a time."""


class BusyError(RuntimeError):
    """Another process does what excludes this."""

    exit_code = 75  # EX_TEMPFAIL of sysexits.h: try again later


@contextmanager
def locked(home: Path, name: str, *, shared: bool = False) -> Iterator[None]:
    """
    Hold a lock of a home, alone or with others that share it.

    Raises
    ------
    BusyError
        Somebody else holds it; nothing is waited for.
    """
    home.mkdir(parents=True, exist_ok=True)
    with (home / name).open("a", encoding="utf-8") as stream:
        try:
            fcntl.flock(stream, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BusyError(
                f"a backup, copy or retention run holds {name} of {home}; wait until it ends"
            ) from None
        yield

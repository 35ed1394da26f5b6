"""One drawing at a time in a process: the library that draws is not made for threads."""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

WAIT_S: Final = 5.0
"""Longest wait for the drawing before."""

_LOCK: Final = threading.Lock()


class BusyError(RuntimeError):
    """Another drawing has not ended in time."""


@contextlib.contextmanager
def turn(wait_s: float = WAIT_S) -> Iterator[None]:
    """
    Wait for one's turn.

    Raises
    ------
    BusyError
        It did not come.
    """
    if not _LOCK.acquire(timeout=wait_s):
        raise BusyError("another image is being drawn")
    try:
        yield
    finally:
        _LOCK.release()

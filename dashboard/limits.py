"""One user cannot starve the rest: requests at a time, and time of the processor, per user."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

IN_FLIGHT: Final = 4
"""Requests of one user that a web process answers at a time; half of its threads."""

BURST_S: Final = 4.0
"""Processor time that a user who was idle may use at once."""

PER_SECOND: Final = 0.25
"""Processor time that a user gains each second: a quarter of one core, in each web process."""

MOST_KNOWN: Final = 10_000
"""Users that are remembered; the one that was idle the longest is forgotten first."""


class TooManyError(RuntimeError):
    """The user has used up his share for now."""


@dataclass
class _Share:
    left: float
    at: float
    running: int = 0


class Limits:
    """The shares of the users of one web process."""

    def __init__(
        self,
        *,
        in_flight: int = IN_FLIGHT,
        burst: float = BURST_S,
        per_second: float = PER_SECOND,
        clock: Callable[[], float] = time.monotonic,
        used: Callable[[], float] = time.thread_time,
    ) -> None:
        self._in_flight = in_flight
        self._burst = burst
        self._per_second = per_second
        self._clock = clock
        self._used = used
        self._lock = threading.Lock()
        self._shares: dict[str, _Share] = {}

    def enter(self, user: str) -> float:
        """
        Begin a request; whoever gets an answer calls `leave` with it at the end.

        Raises
        ------
        TooManyError
            The user has too much running, or has used too much.
        """
        with self._lock:
            share = self._share(user)
            if share.running >= self._in_flight or share.left <= 0:
                raise TooManyError(user)
            share.running += 1
        return self._used()

    def leave(self, user: str, began: float) -> None:
        """End a request: its processor time is taken off the share."""
        with self._lock:
            share = self._share(user)
            share.running = max(0, share.running - 1)
            share.left -= max(0.0, self._used() - began)

    def is_spent(self, user: str) -> bool:
        """Whether `enter` would refuse the user now; told without any other work."""
        with self._lock:
            share = self._share(user)
            return share.running >= self._in_flight or share.left <= 0

    @contextmanager
    def taken(self, user: str) -> Iterator[None]:
        """`enter` and `leave` round a block."""
        began = self.enter(user)
        try:
            yield
        finally:
            self.leave(user, began)

    def _share(self, user: str) -> _Share:
        now = self._clock()
        share = self._shares.pop(user, None) or _Share(self._burst, now)
        share.left = min(self._burst, share.left + (now - share.at) * self._per_second)
        share.at = now
        self._shares[user] = share  # the most recent one stands last
        while len(self._shares) > MOST_KNOWN:
            self._shares.pop(next(iter(self._shares)))
        return share

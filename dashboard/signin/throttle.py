"""How many sign-ins may fail from one network address; kept in each web process."""

from __future__ import annotations

import ipaddress
import threading
import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

BURST: Final = 10
PER_SECOND: Final = BURST / 60
MOST: Final = 10_000
"""Addresses that are remembered."""


def source_of(address: str) -> str:
    """What is counted for an address: itself, or the /64 that one IPv6 customer holds."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if parsed.version == 4:
        return str(parsed)
    return str(ipaddress.ip_network((parsed, 64), strict=False))


class Throttle:
    """A bucket of tries for each address; a try that succeeds is put back."""

    def __init__(
        self,
        *,
        burst: int = BURST,
        per_second: float = PER_SECOND,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._burst = burst
        self._per_second = per_second
        self._clock = clock
        self._lock = threading.Lock()
        self._left: dict[str, tuple[float, float]] = {}

    def admits(self, address: str) -> bool:
        """
        Whether one more try is within the limit; it is counted if so.

        Counted before the password is looked at: a hundred tries at once are a hundred tries.
        """
        source = source_of(address)
        with self._lock:
            now = self._clock()
            left = self._now(source, now)
            is_admitted = left >= 1
            self._keep(source, left - is_admitted, now)
        return is_admitted

    def put_back(self, address: str) -> None:
        """Give a try back that was none: it succeeded."""
        source = source_of(address)
        with self._lock:
            now = self._clock()
            self._keep(source, min(self._burst, self._now(source, now) + 1), now)

    def _now(self, source: str, now: float) -> float:
        left, at = self._left.get(source, (float(self._burst), now))
        return min(self._burst, left + (now - at) * self._per_second)

    def _keep(self, source: str, left: float, now: float) -> None:
        self._left[source] = (left, now)
        if len(self._left) > MOST:
            # Who is full again is like new; if nobody is, the emptiest stay.
            kept = sorted((self._now(name, now), name) for name in self._left)[: MOST // 2]
            self._left = {name: (tries, now) for tries, name in kept if tries < self._burst}

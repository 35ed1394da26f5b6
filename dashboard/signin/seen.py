"""Values that count once: nonces and states, kept for as long as they could come again."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import datetime as dt


class Seen:
    """
    The values of one web process; safe to share between threads.

    Ask only for values that are proved genuine, so that nobody else can fill it.
    """

    def __init__(self, keeps: dt.timedelta) -> None:
        self._keeps = keeps
        self._lock = threading.Lock()
        self._until: OrderedDict[str, dt.datetime] = OrderedDict()

    def __len__(self) -> int:
        return len(self._until)

    def is_first(self, value: str, now: dt.datetime) -> bool:
        """Whether a value comes for the first time; it is remembered."""
        with self._lock:
            # All are kept equally long, so the oldest stands in front.
            while self._until and next(iter(self._until.values())) <= now:
                self._until.popitem(last=False)
            is_first = value not in self._until
            if is_first:
                self._until[value] = now + self._keeps
            return is_first

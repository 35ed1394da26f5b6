"""Rounds one after the other: a fault is said once, not in every round."""

from __future__ import annotations

import datetime as dt
import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from data.state.database import open_state
from data.state.migrate import upgrade
from etl.delivering.sender import Sender

if TYPE_CHECKING:
    from collections.abc import Iterator

    from data.settings import Settings

NO_CHANNEL = "delivery: no channel is configured, nothing is sent; see delivery.toml"


@contextmanager
def opened(chosen: Settings, city: Path | None) -> Iterator[Sender]:
    """
    Open the outbox, with the channels of a city folder or of `PINGAN_CITY`.

    Raises
    ------
    StateError
        The state database cannot be used.
    """
    database = open_state(chosen.state, chosen.home)
    try:
        upgrade(database)
        yield Sender(
            database,
            chosen.home,
            city or (Path(chosen.city) if chosen.city else None),
            public_url=chosen.public_url,
            environ=os.environ,
            clock=lambda: dt.datetime.now(dt.UTC),
        )
    finally:
        database.close()


class Rounds:
    """What has to be remembered from one round to the next; `pingan watch` makes one in each."""

    def __init__(self, chosen: Settings, city: Path | None) -> None:
        self._settings, self._city = chosen, city
        self._said = ""

    def round(self, _now: dt.datetime) -> str:
        """Send what waits; what there is to say of it. No fault ends who runs it."""
        try:
            with opened(self._settings, self._city) as sender:
                done = sender.round()
        except (ValueError, RuntimeError, OSError) as error:
            return self._new(f"delivery: {error}")
        fault = done.fault or (NO_CHANNEL if done.waiting else "")
        return "\n".join(filter(None, (*done.lines(), self._new(fault))))

    def _new(self, fault: str) -> str:
        """Return what was not said in the round before."""
        before, self._said = self._said, fault
        return "" if fault == before else fault

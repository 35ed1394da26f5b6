"""Rounds over the outbox: tell what is new, choose its channels, try what is due."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

from data.deliveries.channels import APPRISE, read_delivery_settings
from data.deliveries.message import Message, Place
from data.deliveries.outbox import Outbox
from data.issues import IssueError
from etl.delivering import bots
from etl.delivering.acted import announce_acts
from etl.delivering.error import DeliveryError
from etl.delivering.issued import announce
from etl.delivering.text import write

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from data.deliveries.channels import DeliverySettings
    from data.deliveries.outbox import Held
    from data.state.database import StateDatabase

BUDGET_S: Final = 60.0
"""A round begins no further try after it: who watches has other work too."""


class Failure(NamedTuple):
    """A try that failed."""

    channel: str
    message: str
    reason: str
    again: dt.datetime | None
    """None = given up."""


@dataclass
class Round:
    """What one round did."""

    posted: int = 0
    sent: int = 0
    failures: list[Failure] = field(default_factory=list)
    waiting: int = 0
    """Messages that wait for a channel."""
    fault: str = ""
    """Which issue could not be told, and why."""

    def lines(self) -> list[str]:
        """What there is to say of it."""
        told = [f"delivery: {self.sent:,} sent"] if self.sent else []
        told += [
            f"delivery: message {one.message} by {one.channel} failed: {one.reason}; "
            + (f"tried again at {one.again:%Y-%m-%d %H:%M} UTC" if one.again else "given up")
            for one in self.failures
        ]
        return told


class Sender:
    """Sends what the outbox holds, by the channels of a city folder."""

    def __init__(
        self,
        database: StateDatabase,
        home: Path,
        city: Path | None,
        *,
        public_url: str,
        environ: Mapping[str, str],
        clock: Callable[[], dt.datetime],
    ) -> None:
        self.outbox = Outbox(database)
        self._database = database
        self._home, self._city, self._public_url = home, city, public_url
        self._environ, self._clock = environ, clock

    def settings(self) -> DeliverySettings:
        """
        Read the channels anew.

        Raises
        ------
        DeliverySettingsError
            `delivery.toml` cannot be used.
        """
        return read_delivery_settings(self._city, public_url=self._public_url)

    def round(self) -> Round:
        """
        Tell, choose, try; a channel that fails is left alone until the next round.

        Raises
        ------
        DeliverySettingsError
            `delivery.toml` cannot be used; nothing was tried.
        StateError
            The state database fails.
        """
        done = Round()
        try:
            now = self._clock()
            done.posted = announce_acts(self.outbox, self._database, self._home, now)
            done.posted += announce(self.outbox, self._home, now)
        except IssueError as error:
            done.fault = f"delivery: {error}"
        settings = self.settings()
        self.outbox.route(settings.channels, self._clock())
        done.waiting = self.outbox.unrouted()
        left, until = set[str](), time.monotonic() + BUDGET_S
        while time.monotonic() < until:
            held = self.outbox.hold(self._clock(), without=left)
            if held is None:
                break
            if failure := self._try(held, settings):
                left.add(held.channel)
                done.failures.append(failure)
            else:
                done.sent += 1
        return done

    def test(self, name: str, *, place: Place) -> None:
        """
        Send a message of the kind `test` by one channel now; the outbox is not touched.

        Raises
        ------
        DeliveryError
            There is no such channel, or it did not take the message.
        """
        settings, now = self.settings(), self._clock()
        key = f"test:{name}:{now:%Y%m%dT%H%M%S}"
        message = Message(key, "test", 0, place, {}, "/", now)
        self._send(name, message, settings)

    def _try(self, held: Held, settings: DeliverySettings) -> Failure | None:
        try:
            self._send(held.channel, held.message, settings)
        except DeliveryError as fault:
            again = self.outbox.failed(held, str(fault), self._clock(), is_final=fault.is_final)
            return Failure(held.channel, held.message.id, str(fault), again)
        self.outbox.sent(held, self._clock())
        return None

    def _send(self, name: str, message: Message, settings: DeliverySettings) -> None:
        channel = settings.channel(name)
        if channel is None:
            known = ", ".join(one.name for one in settings.channels) or "none"
            raise DeliveryError(
                f"delivery.toml names no channel {name[:32]!r}; it names {known}", is_final=True
            )
        written = write(message, settings)
        if channel.kind == APPRISE:
            # Loaded where a channel needs it: it brings more than a hundred plugins.
            from etl.delivering import by_apprise  # noqa: PLC0415

            by_apprise.send(channel, written, self._environ)
        else:
            bots.send(channel, written, self._clock(), self._environ)

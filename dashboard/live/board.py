"""
One look at what is new, shared by all requests of a process for half a second.

A hundred screens that ask every two seconds cost a look or two a second, not a hundred; what each
may see of it is picked afterwards (`dashboard.live.scoped`).
"""

from __future__ import annotations

import datetime as dt
import threading
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from dashboard.live.columns import MOST, Codes, Columns, columns
from data.arrivals import ArrivalStore
from data.arrivals.kinds import KEPT
from data.resources.live import LiveStore
from data.warnings.changes import newest_step

if TYPE_CHECKING:
    from collections.abc import Callable

    from data.resources.live import Crowd, Unit
    from data.state.database import StateDatabase
    from data.store import Snapshot, Store

SHARED_S: Final = 0.5
"""How long a look is good for."""

LIVE_S: Final = 2.0
"""The same for positions and crowds, which are read whole."""


@dataclass(frozen=True)
class Look:
    """
    What there was at one moment.

    Attributes
    ----------
    generation
        Another number whenever anything below has changed.
    feed
        Which feed the numbers of rows are of, "" = none yet.
    seq
        Number of the newest row.
    is_whole
        Whether all rows of the two days are held.
    quarantined
        Rows quarantined today, in the whole city.
    step
        Number of the newest step of any warning.
    """

    generation: int
    snapshot: Snapshot
    day: dt.date
    feed: str
    seq: int
    batch: int
    rows: Columns
    is_whole: bool
    quarantined: int
    step: int
    units: tuple[Unit, ...]
    crowds: tuple[Crowd, ...]


class Board:
    """Looks for all who ask; safe to share between threads."""

    def __init__(
        self,
        store: Store,
        database: StateDatabase,
        *,
        now: Callable[[], dt.datetime],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store, self._database = store, database
        self._now, self._clock = now, clock
        self._arrivals, self._live = ArrivalStore(database), LiveStore(database)
        self._lock = threading.Lock()
        self._held: Look | None = None
        self._until = self._live_until = float("-inf")
        self.categories, self.places = Codes(), Codes()

    def look(self, *, at_least: int = 0, feed: str = "") -> Look:
        """
        What there is, at most half a second old.

        Parameters
        ----------
        at_least, feed
            Number of a row that the asker was given, perhaps by another process a moment ago, and
            of which feed: where this process has not seen it yet, it looks again.

        Raises
        ------
        SnapshotError
            Nothing is published.
        StateError
            The database fails.
        """
        held = self._held
        is_ahead = held is not None and held.feed == feed and held.seq < at_least
        if held is not None and self._clock() < self._until and not is_ahead:
            return held
        with self._lock:
            if self._held is held or self._held is None or is_ahead:
                self._held = self._renewed(held)
                self._until = self._clock() + SHARED_S
            return self._held

    def _renewed(self, held: Look | None) -> Look:
        snapshot, now = self._store.current(), self._now()
        day = now.astimezone(ZoneInfo(snapshot.manifest.city["time_zone"])).date()
        fresh = self._with_rows(held, snapshot, day, now)
        fresh = replace(fresh, step=newest_step(self._database))
        if held is None or self._clock() >= self._live_until:
            fresh = replace(fresh, units=self._live.units(now), crowds=self._live.crowds(now))
            self._live_until = self._clock() + LIVE_S
        if held is None or _differs(held, fresh):
            return replace(fresh, generation=fresh.generation + 1)
        return held

    def _with_rows(
        self, held: Look | None, snapshot: Snapshot, day: dt.date, now: dt.datetime
    ) -> Look:
        newest = self._arrivals.newest()
        if newest is None:
            return replace(held or _nothing(snapshot, day), snapshot=snapshot, day=day)
        # Another feed, or one that was set back by a restored backup, is read from its beginning.
        if held is None or held.feed != newest.feed or newest.seq < held.seq:
            generation = held.generation if held else 0
            held = replace(_nothing(snapshot, day), feed=newest.feed, generation=generation)
        fresh = replace(held, snapshot=snapshot, day=day)
        if newest.seq > held.seq:
            fresh = self._with_newer(fresh, now)
        if newest.batch != held.batch or day != held.day:
            zone = ZoneInfo(snapshot.manifest.city["time_zone"])
            midnight = dt.datetime.combine(day, dt.time(), tzinfo=zone)
            fresh = replace(fresh, quarantined=self._arrivals.quarantined(midnight))
        return replace(fresh, batch=newest.batch)

    def _with_newer(self, held: Look, now: dt.datetime) -> Look:
        arrivals, replaced = self._arrivals.since(held.seq, limit=MOST)
        newer = columns(arrivals, self.categories, self.places)
        rows = held.rows.replacing(replaced).joined(newer)
        kept = rows.since((now - KEPT).timestamp())
        seq = int(newer.seq[-1]) if len(newer) else held.seq
        return replace(held, rows=kept, seq=seq, is_whole=held.is_whole and len(rows) < MOST)


def _nothing(snapshot: Snapshot, day: dt.date) -> Look:
    empty = columns((), Codes(), Codes())
    return Look(0, snapshot, day, "", 0, 0, empty, True, 0, 0, (), ())


def _differs(held: Look, fresh: Look) -> bool:
    """Whether anything has changed that a reader may see."""
    return (
        held.snapshot is not fresh.snapshot
        or (held.day, held.feed, held.seq) != (fresh.day, fresh.feed, fresh.seq)
        or (held.batch, held.step) != (fresh.batch, fresh.step)
        or _positions(held) != _positions(fresh)
    )  # fmt: skip


def _positions(look: Look) -> tuple[object, ...]:
    """Units and crowds without the moments at which they were told."""
    units = [
        (one.sender, one.unit, one.kind, one.area_code, one.lng, one.lat) for one in look.units
    ]
    crowds = [(one.sender, one.cell, one.area_code, one.count) for one in look.crowds]
    return units, crowds

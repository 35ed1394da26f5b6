"""What a screen lacks: the difference between what it was given last and what its scope may see."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

import numpy as np

from dashboard.live.cursor import Cursor
from dashboard.live.reach import Class, classes, place
from data.access import decide
from data.warnings import changes

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dashboard.live.board import Board
    from dashboard.live.cursor import Seal
    from dashboard.live.scoped import Seen, Views
    from data.access import Scope
    from data.state.database import StateDatabase

FIRST: Final = 50
"""Incidents that a screen is given at first, the newest."""

MOST: Final = 1_000
"""Incidents of one answer; the rest comes with the next, which is asked for at once."""

_HOUR_S: Final = 3600.0


@dataclass(frozen=True)
class Feed:
    """What the endpoint works with."""

    board: Board
    views: Views
    database: StateDatabase
    seal: Seal
    code: str
    """Version of scripts and styles: a page whose own is another loads itself again."""


def difference(
    feed: Feed, scope: Scope, after: str, *, lang: str, now: dt.datetime
) -> dict[str, Any] | None:
    """
    What a screen lacks since its cursor; None where that is nothing.

    A scope that covers no area exactly is told which snapshot there is, and nothing else. Without
    a cursor, or with one that is not for it: the newest incidents and everything else.

    Raises
    ------
    SnapshotError
        Nothing is published.
    StateError
        The database fails.
    """
    known = feed.seal.opened(after)
    reader = _reader(scope, lang)
    if known is not None and known.reader != reader:
        known = None
    look = feed.board.look(at_least=known.seq if known else 0, feed=known.feed if known else "")
    if known is not None and (known.feed != look.feed or known.seq > look.seq):
        known = None
    seen = feed.views.seen(scope, look)
    fresh = _Fresh(feed, scope, seen, known, lang, now)
    told, cursor = fresh.told(reader)
    # Incidents elsewhere move nothing but the number up to which the feed was read.
    if known is not None and replace(known, seq=cursor.seq) == cursor and not fresh.has_rows:
        return None
    return told | {"cursor": feed.seal.sealed(cursor)}


class _Fresh:
    """One answer in the making."""

    def __init__(  # noqa: PLR0917 - all that an answer depends on
        self,
        feed: Feed,
        scope: Scope,
        seen: Seen,
        known: Cursor | None,
        lang: str,
        now: dt.datetime,
    ) -> None:
        self.feed, self.scope, self.seen, self.known = feed, scope, seen, known
        self.lang, self.now, self.look = lang, now, seen.look
        self.zone = ZoneInfo(seen.look.snapshot.manifest.city["time_zone"])
        self.at, self.gone, self.upto, self.is_more = _rows(seen, known)

    @property
    def has_rows(self) -> bool:
        return bool(len(self.at) or len(self.gone))

    def told(self, reader: str) -> tuple[dict[str, Any], Cursor]:
        """The answer, and the cursor of it."""
        look, known, seen = self.look, self.known, self.seen
        counts, warnings, step = self.counts(), *self.warnings()
        cursor = Cursor(
            reader=reader,
            feed=look.feed,
            seq=self.upto,
            snapshot=look.snapshot.id,
            day=look.day.isoformat(),
            counts=json.dumps(counts),
            warnings=json.dumps([warnings["revision"], warnings["open"]]),
            step=step,
            units=seen.units[1],
            crowds=seen.crowds[1],
            code=self.feed.code,
        )
        told = {
            "at": self.now.astimezone(self.zone).isoformat(timespec="seconds"),
            "day": cursor.day,
            "snapshot": cursor.snapshot,
            "incidents": self.incidents(),
            "removed": [self.number(at) for at in self.gone.tolist()],
            "is_whole": known is None,
            "has_more": self.is_more,
            "counts": counts,
            "warnings": warnings,
            "units": None if known and known.units == cursor.units else seen.units[0],
            "crowds": None if known and known.crowds == cursor.crowds else seen.crowds[0],
            "code": cursor.code,
        }
        return told, cursor

    def number(self, at: int) -> int:
        return self.feed.seal.number(self.look.feed, int(self.look.rows.seq[self.seen.at[at]]))

    def incidents(self) -> list[dict[str, Any]]:
        named = classes(self.scope, self.look.snapshot)
        kept = self.feed.views.told(self.scope, self.look, self.lang)
        found = []
        for at in self.at.tolist():
            row = int(self.seen.at[at])
            seq = int(self.look.rows.seq[row])
            one = kept.get(seq)
            if one is None:
                one = kept[seq] = self._incident(at, named)
            is_new = self.known is not None and bool(self.look.rows.is_new[row])
            found.append(one | {"is_new": is_new})
        return found

    def _incident(self, at: int, named: dict[str, Class]) -> dict[str, Any]:
        rows, row = self.look.rows, int(self.seen.at[at])
        code = self.feed.board.categories.values[rows.category[row]]
        known = named.get(code, Class(code, code, (code, code), (code, code), is_sensitive=False))
        language = 0 if self.lang == "zh" else 1
        area = int(self.seen.areas[at])
        where, address = ("", "")
        if area >= 0:
            where, address = place(self.scope, self.look.snapshot, area, self.lang)
        happened = dt.datetime.fromtimestamp(float(rows.occurred[row]), self.zone)
        has_point = bool(self.seen.has_points[at]) and np.isfinite(rows.lng[row])
        return {
            "seq": self.number(at),
            # A clock at midnight to the second mostly tells a day alone.
            "at": f"{happened:%H:%M}" if happened.time() != dt.time() else "",
            "day": happened.date().isoformat(),
            "class": known.names[language],
            "class_code": known.code,
            "group": known.group_names[language],
            "group_code": known.group,
            "place": where,
            "area": address,
            "lng": float(rows.lng[row]) if has_point else None,
            "lat": float(rows.lat[row]) if has_point else None,
            "severity": int(rows.severity[row]) or None,
        }

    def counts(self) -> dict[str, int | None]:
        """Incidents that arrived today and within the hour; what is not known is None."""
        if not self.scope.sees_areas:
            return dict.fromkeys(("today", "hour", "quarantined"))
        rows = self.look.rows
        present = self.seen.at[rows.replaced_by[self.seen.at] == 0]
        arrived = rows.arrived[present]
        midnight = dt.datetime.combine(self.look.day, dt.time(), tzinfo=self.zone).timestamp()
        oldest = rows.arrived[0] if len(rows) else 0.0
        is_known = self.look.is_whole or oldest < midnight
        return {
            "today": int(np.count_nonzero(arrived >= midnight)) if is_known else None,
            "hour": int(np.count_nonzero(arrived >= self.now.timestamp() - _HOUR_S)),
            "quarantined": self.look.quarantined if self.scope.sees_all else None,
        }

    def warnings(self) -> tuple[dict[str, Any], int]:
        """How the warnings of the scope stand, and the newest step of all that was looked at."""
        known, look = self.known, self.look
        if not decide(self.scope, "warnings").areas:
            return {"revision": 0, "open": None, "changed": []}, 0
        if known is not None and known.step == look.step:
            revision, count = json.loads(known.warnings)
            return {"revision": revision, "open": count, "changed": []}, look.step
        held = changes.standing(self.feed.database, self.scope)
        changed = (
            []
            if known is None
            else changes.changed(self.feed.database, self.scope, since=known.step)
        )
        return _standing_told(held, changed), look.step


def _standing_told(held: changes.Standing, changed: list[int]) -> dict[str, Any]:
    """How the warnings stand, as the answer tells it."""
    return {"revision": held.revision, "open": held.open, "changed": changed}


def _rows(
    seen: Seen, known: Cursor | None
) -> tuple[NDArray[np.int64], NDArray[np.int64], int, bool]:
    """Positions among the seen rows of what is new and of what is gone; up to which number."""
    rows = seen.look.rows
    seq, by = rows.seq[seen.at], rows.replaced_by[seen.at]
    none = np.empty(0, dtype=np.int64)
    if known is None:
        return np.flatnonzero(by == 0)[-FIRST:], none, seen.look.seq, False
    lacking = np.flatnonzero(seq > known.seq)
    upto, is_more = seen.look.seq, len(lacking) > MOST
    if is_more:
        lacking = lacking[:MOST]
        upto = int(seq[lacking[-1]])
    gone = np.flatnonzero((seq <= known.seq) & (by > known.seq) & (by <= upto))
    # One that was replaced by a row beyond this answer is still shown, and goes with the next.
    return lacking[(by[lacking] == 0) | (by[lacking] > upto)], gone, upto, is_more


def _reader(scope: Scope, lang: str) -> str:
    """Digest of what a scope may see, and of the language that it is told in."""
    warned = tuple(sorted(decide(scope, "warnings").areas))
    return hashlib.sha256(repr((scope.cache_key, warned, lang)).encode()).hexdigest()[:16]

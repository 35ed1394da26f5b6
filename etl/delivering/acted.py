"""Messages of what people and rules did: letters that were signed, warnings that were opened."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import sqlalchemy as sa

from data.access import WHOLE_CITY
from data.deliveries.message import Message, Place
from data.deliveries.outbox import FRESH
from data.letters.kinds import SIGNED
from data.letters.models import Letter
from data.manifest import NoSnapshotError
from data.store import Store
from data.warnings import life
from data.warnings.models import WarningPlace, WarningRow, WarningStep

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence
    from pathlib import Path

    from sqlalchemy.orm import Session

    from data.deliveries.outbox import Outbox
    from data.state.database import StateDatabase

_TOLD: Final = (life.OPENED, life.RAISED, life.ESCALATE)
"""Steps of a warning of which its owner should hear at once."""


@dataclass(frozen=True)
class _Found:
    """What is to be told; `path` holds level and code from the area itself up to the city."""

    key: str
    kind: str
    level: int
    path: tuple[tuple[str, str], ...]
    counts: dict[str, int]
    page: str
    at: dt.datetime


def announce_acts(outbox: Outbox, database: StateDatabase, home: Path, now: dt.datetime) -> int:
    """
    Post the messages of the last days' letters and warnings that are not posted; how many were new.

    Raises
    ------
    StateError
        The state database fails.
    MessageError
        A message cannot be one.
    """
    with database.reading() as session:
        found = [*_letters(session, now - FRESH), *_warnings(session, now - FRESH)]
    wanted = outbox.unknown([one.key for one in found])
    if not wanted:
        return 0
    try:
        places = _Places(home)
    except NoSnapshotError:
        return 0
    return outbox.post_all([places.message(one) for one in found if one.key in wanted])


def _letters(session: Session, since: dt.datetime) -> list[_Found]:
    asked = sa.select(Letter).where(Letter.status == SIGNED, Letter.signed_at >= since)
    found = []
    for one in session.scalars(asked.order_by(Letter.signed_at, Letter.id)):
        assert one.signed_at is not None
        assert one.signed_on is not None
        left = {} if one.due is None else {"days_left": max(0, (one.due - one.signed_on).days)}
        path, page = one.area_path[::-1], f"/letters/{one.id}"
        found.append(_Found(f"letter:{one.id}", "letter", 0, path, left, page, one.signed_at))
    return found


def _warnings(session: Session, since: dt.datetime) -> list[_Found]:
    asked = (
        sa.select(WarningStep, WarningRow)
        .join(WarningRow, WarningRow.id == WarningStep.warning_id)
        .where(WarningStep.at >= since, WarningStep.step.in_(_TOLD))
        .order_by(WarningStep.at, WarningStep.warning_id, WarningStep.number)
    )
    taken = list(session.execute(asked))
    paths = _paths(session, sorted({row.id for _, row in taken}))
    found = []
    for step, row in taken:
        path = paths[row.id]
        counts = {"repeats": row.repeats} if row.repeats > 1 else {}
        level, code = path[0]
        page = "/" if code == WHOLE_CITY else f"/?area={level}.{code}"
        key = f"warning:{row.id}:{step.number}"
        found.append(_Found(key, "warning", step.colour, path, counts, page, step.at))
    return found


def _paths(session: Session, ids: Sequence[int]) -> dict[int, tuple[tuple[str, str], ...]]:
    asked = (
        sa.select(WarningPlace)
        .where(WarningPlace.warning_id.in_(ids))
        .order_by(WarningPlace.warning_id, WarningPlace.height)
    )
    found: dict[int, tuple[tuple[str, str], ...]] = {}
    for one in session.scalars(asked):
        known = found.get(one.warning_id, ())
        found[one.warning_id] = (*known, (one.level, one.area_code))
    return found


class _Places:
    """Names of the areas of the published snapshot."""

    def __init__(self, home: Path) -> None:
        areas = Store(home).current().areas
        columns = (areas[name] for name in ("level", "code", "name", "name_en"))
        self._names = {
            (level, code): (name, en) for level, code, name, en in zip(*columns, strict=True)
        }
        self._city = str(areas.loc[areas["level"] == "city", "code"].iloc[0])

    def message(self, one: _Found) -> Message:
        path = [(level, self._city if code == WHOLE_CITY else code) for level, code in one.path]
        # An area that is no more has no name but its code.
        zh, en = self._names.get(path[0], (path[0][1], ""))
        above = tuple(f"{level}.{code}" for level, code in path[1:])
        place = Place(*path[0], zh, en or zh, above)
        return Message(one.key, one.kind, one.level, place, one.counts, one.page, one.at)

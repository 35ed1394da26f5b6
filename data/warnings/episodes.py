"""
Episodes: how long a condition holds in one place, so that it opens one warning and no second one.

The key of a condition is its kind, area and group. An episode begins on the first day of the data
that show it, which with the key is the fingerprint. It ends when later data no longer show the
condition, or when the warning is archived; after that only data of a later day begin a new one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa

from data.warnings import life
from data.warnings.models import WarningRow

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

    from data.state.database import StateDatabase

Key = tuple[str, str, str, str]
"""Kind of condition, level, code, group."""


@dataclass(frozen=True)
class Episode:
    """The newest episode of a key, as its warning tells it."""

    id: int
    fingerprint: str
    state: str
    colour: int
    repeats: int
    seen_on: dt.date
    ended_on: dt.date | None

    @property
    def is_over(self) -> bool:
        """Whether the next finding begins another episode."""
        return self.ended_on is not None or self.state == life.ARCHIVED


def fingerprint_of(key: Key, day: dt.date) -> str:
    """Name of the episode of a key that begins on a day."""
    return "|".join((*key, day.isoformat()))


def newest_episodes(database: StateDatabase, *, since: dt.date) -> dict[Key, Episode]:
    """
    Newest episode of every key.

    Parameters
    ----------
    since
        Episodes that are over and were last seen before this day are left out.
    """
    row = WarningRow
    asked = sa.select(
        row.id, row.fingerprint, row.state, row.colour, row.repeats, row.seen_on, row.ended_on
    ).where(
        sa.or_(
            row.seen_on >= since,
            row.state != life.ARCHIVED,
        )
    )
    found: dict[Key, Episode] = {}
    with database.reading() as session:
        # The day at the end of a fingerprint puts the episodes of a key in order.
        for values in session.execute(asked.order_by(row.fingerprint)):
            episode = Episode(*values)
            kind, level, code, group, _ = (*episode.fingerprint.split("|"), "", "", "", "")[:5]
            found[kind, level, code, group] = episode
    return found


def mark(
    database: StateDatabase, *, seen: Mapping[int, dt.date], ended: Mapping[int, dt.date]
) -> None:
    """Note until when conditions held, and since when they no longer do; no step of a life."""
    if not seen and not ended:
        return
    with database.writing() as session:
        for column, days in ((WarningRow.seen_on, seen), (WarningRow.ended_on, ended)):
            for number, day in sorted(days.items()):
                session.execute(
                    sa.update(WarningRow).where(WarningRow.id == number).values({column: day})
                )

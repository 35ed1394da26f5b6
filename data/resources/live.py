"""
What is live: the newest position of each unit and the newest count of each cell, until they expire.

Nothing that was before is kept, so there is no track; a position is rounded before it is written,
and a count below the least one is not written at all.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import sqlalchemy as sa

from data.resources.models import LiveCrowd, LiveUnit

if TYPE_CHECKING:
    from collections.abc import Iterable

    from data.state.database import StateDatabase

UNITS, CROWDS = "units", "crowds"
"""Names under which a token is allowed to push them (`pingan token create NAME --source units`)."""

STEPS: Final = 1_000
"""Of a degree: positions are kept to about 100 m."""

TTL: Final = dt.timedelta(minutes=10)
LONGEST: Final = dt.timedelta(hours=1)
SHORTEST: Final = dt.timedelta(seconds=30)


@dataclass(frozen=True)
class Unit:
    """One unit; `lng`, `lat` in degrees, WGS 84, and the code of the area that it is in."""

    sender: str
    unit: str
    kind: str
    area_code: str
    lng: float
    lat: float
    at: dt.datetime
    expires_at: dt.datetime


@dataclass(frozen=True)
class Crowd:
    """How many are in an H3 cell, and the code of the area that the cell is in."""

    sender: str
    cell: int
    area_code: str
    count: int
    at: dt.datetime
    expires_at: dt.datetime


class LiveStore:
    """Live rows in the state database; every call takes the clock."""

    def __init__(self, database: StateDatabase) -> None:
        self._database = database

    def put_units(self, units: Iterable[Unit], *, now: dt.datetime) -> None:
        """
        Put the newest positions in the place of those before; what has expired is deleted.

        Raises
        ------
        StateError
            The database fails; nothing was written.
        """
        with self._database.writing() as session:
            session.execute(sa.delete(LiveUnit).where(LiveUnit.expires_at <= now))
            for one in units:
                session.merge(
                    LiveUnit(
                        sender=one.sender,
                        unit=one.unit,
                        kind=one.kind,
                        area_code=one.area_code,
                        lng_e3=round(one.lng * STEPS),
                        lat_e3=round(one.lat * STEPS),
                        at=one.at,
                        expires_at=one.expires_at,
                    )
                )

    def put_crowds(self, crowds: Iterable[Crowd], *, least: int, now: dt.datetime) -> int:
        """
        Put the newest counts in the place of those before.

        Parameters
        ----------
        least
            A smaller count is not written, and takes away the one before.

        Returns
        -------
        withheld
            Counts that were too small.

        Raises
        ------
        StateError
            The database fails; nothing was written.
        """
        withheld = 0
        with self._database.writing() as session:
            session.execute(sa.delete(LiveCrowd).where(LiveCrowd.expires_at <= now))
            for one in crowds:
                if one.count < least:
                    withheld += 1
                    same = (LiveCrowd.sender == one.sender) & (LiveCrowd.cell == one.cell)
                    session.execute(sa.delete(LiveCrowd).where(same))
                    continue
                session.merge(
                    LiveCrowd(
                        sender=one.sender,
                        cell=one.cell,
                        area_code=one.area_code,
                        count=one.count,
                        at=one.at,
                        expires_at=one.expires_at,
                    )
                )
        return withheld

    def present(self, now: dt.datetime) -> tuple[bool, bool]:
        """
        Whether there are units, and crowds, whose time has not run out; in one question.

        Raises
        ------
        StateError
            The database fails.
        """
        has_units = sa.exists().where(LiveUnit.expires_at > now)
        has_crowds = sa.exists().where(LiveCrowd.expires_at > now)
        with self._database.reading() as session:
            units, crowds = session.execute(sa.select(has_units, has_crowds)).one()
        return bool(units), bool(crowds)

    def units(self, now: dt.datetime) -> tuple[Unit, ...]:
        """
        Units whose time has not run out, by sender and number.

        Raises
        ------
        StateError
            The database fails.
        """
        wanted = (
            sa.select(LiveUnit)
            .where(LiveUnit.expires_at > now)
            .order_by(LiveUnit.sender, LiveUnit.unit)
        )
        with self._database.reading() as session:
            return tuple(
                Unit(
                    row.sender, row.unit, row.kind, row.area_code, row.lng_e3 / STEPS,
                    row.lat_e3 / STEPS, row.at, row.expires_at,
                )
                for row in session.scalars(wanted)
            )  # fmt: skip

    def crowds(self, now: dt.datetime) -> tuple[Crowd, ...]:
        """
        Counts whose time has not run out, by sender and cell.

        Raises
        ------
        StateError
            The database fails.
        """
        wanted = (
            sa.select(LiveCrowd)
            .where(LiveCrowd.expires_at > now)
            .order_by(LiveCrowd.sender, LiveCrowd.cell)
        )
        with self._database.reading() as session:
            return tuple(
                Crowd(row.sender, row.cell, row.area_code, row.count, row.at, row.expires_at)
                for row in session.scalars(wanted)
            )

"""Read special periods: under the scope of whoever asks, as they stand on one day."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa

from data.access import NotVisibleError, require
from data.special.kinds import Check, SpecialPeriod, SpecialPlace
from data.special.models import CheckRow, MarkRow, PeriodRow, PlaceRow

if TYPE_CHECKING:
    from collections.abc import Iterable
    from zoneinfo import ZoneInfo

    from sqlalchemy.orm import Session

    from data.access import Decision, Scope
    from data.state.database import StateDatabase
    from data.warnings.kinds import Place

READ, ACT = "warnings", "warnings_act"
"""Actions of the permission matrix."""

MOST: Final = 200
"""Periods of one list."""


class Reading:
    """What reads periods; a scope sees its places, and every place of its own areas' periods."""

    database: StateDatabase
    zone: ZoneInfo

    def listed(self, scope: Scope, *, now: dt.datetime) -> list[SpecialPeriod]:
        """
        List the periods that a scope sees, the last one first, without their places.

        Raises
        ------
        DeniedError
            The scope may not read them.
        """
        decision = require(scope, READ)
        asked = (
            sa.select(PeriodRow)
            .where(PeriodRow.ended_at.is_(None), _seen(decision))
            .order_by(PeriodRow.last_day.desc(), PeriodRow.first_day.desc(), PeriodRow.id.desc())
            .limit(MOST)
        )
        with self.database.reading() as session:
            return [_period(row, self.today(now)) for row in session.scalars(asked)]

    def get(
        self, scope: Scope, period_id: int, *, day: dt.date | None = None, now: dt.datetime
    ) -> SpecialPeriod:
        """
        Return one period with its places and checks.

        Parameters
        ----------
        day
            None = today; a day outside the period becomes its nearest one.

        Raises
        ------
        NotVisibleError
            It is unknown, taken away or outside the scope.
        DeniedError
            The scope may not read periods.
        """
        decision = require(scope, READ)
        asked = sa.select(PeriodRow).where(
            PeriodRow.id == period_id, PeriodRow.ended_at.is_(None), _seen(decision)
        )
        with self.database.reading() as session:
            row = session.scalars(asked).one_or_none()
            if row is None:
                raise NotVisibleError(f"there is no special period {period_id}")
            return self._whole(session, row, decision, day or self.today(now), now)

    def shown(self, scope: Scope, now: dt.datetime) -> SpecialPeriod | None:
        """
        Period that a wall shows: the one of today that began last; None where there is none.

        Raises
        ------
        DeniedError
            The scope may not read periods.
        """
        decision, today = require(scope, READ), self.today(now)
        asked = (
            sa.select(PeriodRow)
            .where(
                PeriodRow.ended_at.is_(None),
                PeriodRow.first_day <= today,
                PeriodRow.last_day >= today,
                _seen(decision),
            )
            .order_by(PeriodRow.first_day.desc(), PeriodRow.id.desc())
            .limit(1)
        )
        with self.database.reading() as session:
            row = session.scalars(asked).one_or_none()
            return None if row is None else self._whole(session, row, decision, today, now)

    def today(self, now: dt.datetime) -> dt.date:
        """Day in the city."""
        return now.astimezone(self.zone).date()

    def due_at(self, day: dt.date, minute: int) -> dt.datetime:
        """Moment of a check's time on a day."""
        time = dt.time(minute // 60, minute % 60)
        return dt.datetime.combine(day, time, self.zone).astimezone(dt.UTC)

    def _whole(
        self, session: Session, row: PeriodRow, decision: Decision, day: dt.date, now: dt.datetime
    ) -> SpecialPeriod:
        day = min(max(day, row.first_day), row.last_day)
        asked = sa.select(PlaceRow).where(PlaceRow.period_id == row.id, PlaceRow.ended_at.is_(None))
        sees_all = covers(decision, path_of(row.path))
        places = [
            place
            for place in session.scalars(asked.order_by(PlaceRow.id))
            if sees_all or covers(decision, path_of(place.path))
        ]
        checks = self._checks(session, [place.id for place in places], day, now)
        return _period(row, day, tuple(_place(one, checks.get(one.id, ())) for one in places))

    def _checks(
        self, session: Session, places: Iterable[int], day: dt.date, now: dt.datetime
    ) -> dict[int, tuple[Check, ...]]:
        """Checks of a day by place, the earliest first."""
        asked = (
            sa.select(CheckRow)
            .where(
                CheckRow.place_id.in_(list(places)),
                CheckRow.ended_at.is_(None),
                CheckRow.only_on.is_(None) | (CheckRow.only_on == day),
            )
            .order_by(CheckRow.due_minute, CheckRow.id)
        )
        rows = session.scalars(asked).all()
        marks = _marks(session, [row.id for row in rows], day)
        found: dict[int, list[Check]] = {}
        for row in rows:
            check = self._check(row, marks.get(row.id), day, now)
            found.setdefault(row.place_id, []).append(check)
        return {place: tuple(several) for place, several in found.items()}

    def _check(self, row: CheckRow, mark: MarkRow | None, day: dt.date, now: dt.datetime) -> Check:
        due = self.due_at(day, row.due_minute)
        is_late = (mark.at if mark else now) > due
        return Check(
            id=row.id,
            kind=row.kind,
            due_at=due,
            only_on=row.only_on,
            state=mark.result if mark else ("late" if is_late else "open"),
            is_late=is_late,
            reason=mark.reason if mark else "",
            at=mark.at if mark else None,
            number=mark.number if mark else 0,
        )


def covers(decision: Decision, path: Iterable[Place]) -> bool:
    """Whether an area of a decision holds what lies at the beginning of a path."""
    return decision.covers_city or not decision.areas.isdisjoint(path)


def path_text(path: Iterable[Place]) -> str:
    """A path as it is stored."""
    return "".join(f"|{level}:{code}" for level, code in path) + "|"


def path_of(text: str) -> tuple[Place, ...]:
    """A stored path: level and code, the lowest first."""
    pairs = (one.partition(":") for one in text.strip("|").split("|"))
    return tuple((level, code) for level, _, code in pairs)


def _seen(decision: Decision) -> Any:
    """Condition on `PeriodRow`: it, or one of its places, lies in an area of the decision."""
    if decision.covers_city:
        return sa.true()
    words = [f"|{level}:{code}|" for level, code in sorted(decision.areas)]
    of_period = [PeriodRow.path.contains(one, autoescape=True) for one in words]
    of_place = [PlaceRow.path.contains(one, autoescape=True) for one in words]
    has_place = sa.exists().where(
        PlaceRow.period_id == PeriodRow.id,
        PlaceRow.ended_at.is_(None),
        sa.or_(sa.false(), *of_place),
    )
    return sa.or_(sa.false(), *of_period, has_place)


def _marks(session: Session, checks: Iterable[int], day: dt.date) -> dict[int, MarkRow]:
    """The last tick of each check on a day."""
    asked = (
        sa.select(MarkRow)
        .where(MarkRow.check_id.in_(list(checks)), MarkRow.day == day)
        .order_by(MarkRow.number)
    )
    return {row.check_id: row for row in session.scalars(asked)}


def _period(row: PeriodRow, day: dt.date, places: tuple[SpecialPlace, ...] = ()) -> SpecialPeriod:
    return SpecialPeriod(
        id=row.id, name=row.name, level=row.level, code=row.area_code, path=path_of(row.path),
        first_day=row.first_day, last_day=row.last_day, version=row.version, day=day,
        places=places,
    )  # fmt: skip


def _place(row: PlaceRow, checks: tuple[Check, ...]) -> SpecialPlace:
    return SpecialPlace(
        id=row.id, level=row.level, code=row.area_code, path=path_of(row.path), kind=row.kind,
        facility=row.facility, text=row.text, checks=checks,
    )  # fmt: skip

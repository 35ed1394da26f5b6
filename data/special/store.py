"""`SpecialPeriods`: make periods, their places and checks, and tick what was done."""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, TypeVar

import sqlalchemy as sa

from data.access import DeniedError, NotVisibleError, decide, require
from data.special import fields, kinds
from data.special.kinds import SpecialError, StaleError
from data.special.models import CheckRow, MarkRow, PeriodRow, PlaceRow
from data.special.reading import ACT, READ, Reading, covers, path_of, path_text
from data.state.alone import SPECIAL, alone
from data.state.models import Base

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterable, Iterator
    from zoneinfo import ZoneInfo

    from sqlalchemy.orm import Session

    from data.access import Scope
    from data.state.database import StateDatabase
    from data.warnings.kinds import Place
    from data.warnings.tree import AreaTree

_KEY: Final = re.compile(r"[A-Za-z0-9_-]{8,64}")

_Row = TypeVar("_Row", bound=Base)


class SpecialPeriods(Reading):
    """
    The special periods of one installation; safe to share between threads.

    Every change takes a `key`, made once for each press: the same key again is the same change.
    And the `version` that the caller saw: whoever was slower gets `StaleError`. What somebody
    writes may name no person. The caller writes the audit; nothing else tells who did what.

    Parameters
    ----------
    zone
        Of the city: its days and times count.
    tree
        Gives the areas of the newest snapshot.
    """

    def __init__(
        self, database: StateDatabase, zone: ZoneInfo, tree: Callable[[], AreaTree]
    ) -> None:
        self.database = database
        self.zone = zone
        self._tree = tree

    def create(
        self,
        scope: Scope,
        area: Place,
        name: str,
        days: tuple[dt.date, dt.date],
        *,
        key: str,
        now: dt.datetime,
    ) -> int:
        """
        Make a period; its id.

        Parameters
        ----------
        days
            The first and the last one.

        Raises
        ------
        DeniedError, NotVisibleError
            The scope may not act, or the area is not of it.
        SpecialError
            A field cannot be taken.
        """
        path = self._own_path(scope, area)
        if path[0][0] not in kinds.MAKERS:
            raise SpecialError("area")
        name, (first, last) = fields.text(name), fields.days(days)
        with self._changing(key) as session:
            known = session.scalar(sa.select(PeriodRow).where(PeriodRow.key == key))
            if known is not None:
                self._check_may(scope, known)
                return known.id
            row = PeriodRow(
                key=key, name=name, level=path[0][0], area_code=path[0][1], path=path_text(path),
                first_day=first, last_day=last, version=1, created_at=now, ended_at=None,
            )  # fmt: skip
            session.add(row)
            session.flush()
            return row.id

    def change(
        self,
        scope: Scope,
        period_id: int,
        name: str,
        days: tuple[dt.date, dt.date],
        *,
        version: int,
    ) -> None:
        """
        Give a period another name or other days; the same again changes nothing.

        Raises
        ------
        DeniedError, NotVisibleError, SpecialError, StaleError
        """
        name, (first, last) = fields.text(name), fields.days(days)
        with self._changing() as session:
            row = self._found(session, scope, period_id)
            if (row.name, row.first_day, row.last_day) == (name, first, last):
                return
            _step(row, version)
            row.name, row.first_day, row.last_day = name, first, last

    def end(self, scope: Scope, period_id: int, *, version: int, now: dt.datetime) -> None:
        """
        Take a period away; its rows stay in the database.

        Raises
        ------
        DeniedError, NotVisibleError, StaleError
        """
        with self._changing() as session:
            row = self._found(session, scope, period_id)
            _step(row, version)
            row.ended_at = now

    def add_place(
        self,
        scope: Scope,
        period_id: int,
        area: Place,
        label: tuple[str, str],
        *,
        version: int,
        key: str,
    ) -> None:
        """
        Add a place.

        Parameters
        ----------
        area
            Level and code, within the period's area.
        label
            A kind of `kinds.PLACES` and ""; or `facility` and its id; or `text` and a short name.

        Raises
        ------
        DeniedError, NotVisibleError, SpecialError, StaleError
        """
        kind, facility, text = fields.label(*label)
        path = self._path(area)
        with self._changing(key) as session:
            row = self._found(session, scope, period_id)
            places = session.scalars(_of(PlaceRow, PlaceRow.period_id == row.id)).all()
            if any(one.key == key for one in places):
                return
            if (row.level, row.area_code) not in path:
                raise SpecialError("area")
            if sum(one.ended_at is None for one in places) >= kinds.MOST_PLACES:
                raise SpecialError("many")
            _step(row, version)
            session.add(
                PlaceRow(
                    period_id=row.id,
                    key=key,
                    level=path[0][0],
                    area_code=path[0][1],
                    path=path_text(path),
                    kind=kind,
                    facility=facility,
                    text=text,
                    ended_at=None,
                )
            )

    def remove_place(self, scope: Scope, place_id: int, *, version: int, now: dt.datetime) -> None:
        """
        Take a place and its checks away; twice is once.

        Raises
        ------
        DeniedError, NotVisibleError, StaleError
        """
        with self._changing() as session:
            place = _row(session, PlaceRow, place_id)
            row = self._found(session, scope, place.period_id)
            if place.ended_at is None:
                _step(row, version)
                place.ended_at = now

    def add_check(
        self,
        scope: Scope,
        place_id: int,
        kind: str,
        due: dt.time,
        *,
        only_on: dt.date | None = None,
        version: int,
        key: str,
    ) -> None:
        """
        Add a check to a place.

        Parameters
        ----------
        due
            Time of the day in the city.
        only_on
            None = each day of the period.

        Raises
        ------
        DeniedError, NotVisibleError, SpecialError, StaleError
        """
        if kind not in kinds.CHECKS:
            raise SpecialError("kind")
        with self._changing(key) as session:
            place = _row(session, PlaceRow, place_id)
            row = self._found(session, scope, place.period_id)
            checks = session.scalars(_of(CheckRow, CheckRow.place_id == place.id)).all()
            if any(one.key == key for one in checks):
                return
            if place.ended_at is not None:
                raise NotVisibleError(f"there is no place {place_id}")
            if only_on is not None and not row.first_day <= only_on <= row.last_day:
                raise SpecialError("day")
            if sum(one.ended_at is None for one in checks) >= kinds.MOST_CHECKS:
                raise SpecialError("many")
            _step(row, version)
            session.add(
                CheckRow(
                    place_id=place.id,
                    key=key,
                    kind=kind,
                    due_minute=due.hour * 60 + due.minute,
                    only_on=only_on,
                    ended_at=None,
                )
            )

    def remove_check(self, scope: Scope, check_id: int, *, version: int, now: dt.datetime) -> None:
        """
        Take a check away; twice is once.

        Raises
        ------
        DeniedError, NotVisibleError, StaleError
        """
        with self._changing() as session:
            check = _row(session, CheckRow, check_id)
            place = _row(session, PlaceRow, check.place_id)
            row = self._found(session, scope, place.period_id)
            if check.ended_at is None:
                _step(row, version)
                check.ended_at = now

    def tick(
        self,
        scope: Scope,
        check_id: int,
        day: dt.date,
        result: str,
        *,
        reason: str = "",
        number: int,
        key: str,
        now: dt.datetime,
    ) -> None:
        """
        Tick a check of a day, or tick it otherwise than before.

        Parameters
        ----------
        result
            `done`, or `not_done` with a reason of `kinds.REASONS`.
        number
            How often it was ticked on that day, as the caller saw it.

        Raises
        ------
        DeniedError
            The scope sees the place and may not act there.
        NotVisibleError
            It is unknown, taken away or outside the scope.
        SpecialError
            The day is not one of the check's or lies ahead, or the reason is none.
        StaleError
            Somebody else was faster.
        """
        if result not in kinds.RESULTS or (result == kinds.NOT_DONE) != (reason in kinds.REASONS):
            raise SpecialError("reason")
        with self._changing(key) as session:
            check = _row(session, CheckRow, check_id)
            place = _row(session, PlaceRow, check.place_id)
            period = _row(session, PeriodRow, place.period_id)
            self._check_tick(scope, period, place)
            marks = session.scalars(
                _of(MarkRow, MarkRow.check_id == check.id, MarkRow.day == day)
            ).all()
            if any(one.key == key for one in marks):
                return
            if any(one.ended_at is not None for one in (check, place, period)):
                raise NotVisibleError(f"there is no check {check_id}")
            is_of_day = check.only_on in (None, day)
            if not is_of_day or not period.first_day <= day <= min(
                period.last_day, self.today(now)
            ):
                raise SpecialError("day")
            if number != len(marks):
                raise StaleError(f"check {check_id} of {day} was ticked meanwhile")
            session.add(
                MarkRow(
                    check_id=check.id,
                    day=day,
                    number=number + 1,
                    key=key,
                    result=result,
                    reason=reason,
                    at=now,
                )
            )

    def _own_path(self, scope: Scope, area: Place) -> tuple[Place, ...]:
        """Path of an area in which the scope may act."""
        decision = require(scope, ACT)
        path = self._path(area)
        if not covers(decision, path):
            raise NotVisibleError(f"there is no area {area[0]} {area[1]}")
        return path

    def _path(self, area: Place) -> tuple[Place, ...]:
        try:
            return self._tree().path(*area)
        except NotVisibleError:
            raise SpecialError("area") from None

    def _found(self, session: Session, scope: Scope, period_id: int) -> PeriodRow:
        """A period that the scope may change."""
        row = _row(session, PeriodRow, period_id)
        if row.ended_at is not None:
            raise NotVisibleError(f"there is no special period {period_id}")
        self._check_may(scope, row)
        return row

    def _check_may(self, scope: Scope, row: PeriodRow) -> None:
        """Refuse who may not change a period: as unknown where it lies outside the scope."""
        path = path_of(row.path)
        if may_act(scope, path):
            return
        if covers(require(scope, READ), path):
            raise DeniedError(f"{scope.user} may not change special period {row.id}")
        raise NotVisibleError(f"there is no special period {row.id}")

    def _check_tick(self, scope: Scope, period: PeriodRow, place: PlaceRow) -> None:
        paths = path_of(period.path), path_of(place.path)
        if any(may_act(scope, path) for path in paths):
            return
        if any(covers(require(scope, READ), path) for path in paths):
            raise DeniedError(f"{scope.user} may not tick place {place.id}")
        raise NotVisibleError(f"there is no place {place.id}")

    @contextmanager
    def _changing(self, key: str | None = None) -> Iterator[Session]:
        """One transaction, alone among those that change special periods."""
        if key is not None and not _KEY.fullmatch(key):
            raise SpecialError("key")
        with self.database.writing() as session:
            alone(session, SPECIAL)
            yield session


def may_act(scope: Scope, path: Iterable[Place]) -> bool:
    """Whether a scope may change or tick what lies at the beginning of a path."""
    decision = decide(scope, ACT)
    return decision.is_allowed and covers(decision, path)


def _row(session: Session, table: type[_Row], number: int) -> _Row:
    found = session.get(table, number)
    if found is None:
        raise NotVisibleError(f"there is no {table.__tablename__} {number}")
    return found


def _of(table: Any, *conditions: Any) -> Any:
    return sa.select(table).where(*conditions)


def _step(row: PeriodRow, version: int) -> None:
    """Count a change, where the caller saw the period as it is."""
    if row.version != version:
        raise StaleError(f"special period {row.id} was changed meanwhile")
    row.version += 1

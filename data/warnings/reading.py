"""Find warnings: the queue of a scope, what runs out soon, the history, the public stage."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa

from data.warnings import life
from data.warnings.kinds import AreaWarning, NotVisibleError, OpenCount, Step, Tracked, Unit
from data.warnings.models import WarningPlace, WarningRow, WarningStep
from data.warnings.rights import seen
from data.warnings.rows import as_step, as_warnings, tracking_of

if TYPE_CHECKING:
    from collections.abc import Collection

    from sqlalchemy.orm import Session

    from data.access import Scope
    from data.state.database import StateDatabase
    from data.warnings.kinds import Place
    from data.warnings.settings import WarningSettings

MOST: Final = 500
"""Warnings of one listing."""

_NEVER: Final = dt.datetime(9999, 1, 1, tzinfo=dt.UTC)


class Reading:
    """What reads warnings; a scope sees those of its areas, and those that its units own."""

    database: StateDatabase
    settings: WarningSettings

    def listed(
        self,
        scope: Scope,
        *,
        states: Collection[str] | None = None,
        colours: Collection[int] | None = None,
        owner: Unit | None = None,
        area: Place | None = None,
        after: int | None = None,
        limit: int = 100,
    ) -> list[AreaWarning]:
        """
        List warnings, the most urgent first: by when the clock runs out.

        Parameters
        ----------
        states
            None = all but the archived ones.
        area
            Only those in its subtree: (level, code).
        after
            Id of the last one of the page before.
        limit
            1 to 500.

        Raises
        ------
        DeniedError
            The scope may not read warnings.
        """
        wanted = states if states is not None else set(life.STATES) - {life.ARCHIVED}
        kept = [seen(scope), WarningRow.state.in_(sorted(wanted))]
        if colours is not None:
            kept.append(WarningRow.colour.in_(sorted(colours)))
        if owner is not None:
            columns = (WarningRow.owner_role, WarningRow.owner_level, WarningRow.owner_code)
            kept += [column == value for column, value in zip(columns, owner, strict=True)]
        if area is not None:
            kept.append(_lies_in(area))
        if after is not None:
            kept.append(_comes_after(after))
        return self._found(kept, limit)

    def coming_breaches(
        self, scope: Scope, now: dt.datetime, within: dt.timedelta, *, limit: int = 100
    ) -> list[AreaWarning]:
        """
        List the warnings whose clock runs out between now and then, the first one first.

        Raises
        ------
        DeniedError
            The scope may not read warnings.
        """
        return self._found(
            [seen(scope), WarningRow.due_at >= now, WarningRow.due_at <= now + within], limit
        )

    def counts(self, scope: Scope) -> dict[tuple[str, int], int]:
        """
        Count the warnings of a scope by state and colour.

        Raises
        ------
        DeniedError
            The scope may not read warnings.
        """
        asked = (
            sa.select(WarningRow.state, WarningRow.colour, sa.func.count())
            .where(seen(scope))
            .group_by(WarningRow.state, WarningRow.colour)
        )
        with self.database.reading() as session:
            return {(state, colour): n for state, colour, n in session.execute(asked)}

    def by_area(self, scope: Scope, level: str) -> dict[str, OpenCount]:
        """
        Count the open warnings in the areas of a level, by code; areas without any are left out.

        Raises
        ------
        DeniedError
            The scope may not read warnings.
        """
        asked = (
            sa.select(WarningPlace.area_code, sa.func.count(), sa.func.max(WarningRow.colour))
            .join(WarningRow, WarningRow.id == WarningPlace.warning_id)
            .where(seen(scope), WarningRow.state.in_(life.OPEN), WarningPlace.level == level)
            .group_by(WarningPlace.area_code)
            .order_by(WarningPlace.area_code)
        )
        with self.database.reading() as session:
            return {code: OpenCount(n, colour) for code, n, colour in session.execute(asked)}

    def get(self, scope: Scope, warning_id: int) -> AreaWarning:
        """
        Return one warning.

        Raises
        ------
        NotVisibleError
            It is unknown or outside the scope; the two look alike.
        DeniedError
            The scope may not read warnings.
        """
        with self.database.reading() as session:
            return visible(session, scope, warning_id, self.settings)[1]

    def steps(self, scope: Scope, warning_id: int) -> list[Step]:
        """
        Return the history of a warning, the opening first.

        Raises
        ------
        NotVisibleError
            It is unknown or outside the scope.
        DeniedError
            The scope may not read warnings.
        """
        with self.database.reading() as session:
            visible(session, scope, warning_id, self.settings)
            found = session.scalars(_history(warning_id)).all()
        return [as_step(row) for row in found]

    def tracked(self, code: str) -> Tracked | None:
        """
        Tell the public stage of a warning and when each was reached, and nothing else.

        None for every code that is not one, whatever is wrong with it.
        """
        asked = (
            sa.select(WarningStep)
            .join(WarningRow, WarningRow.id == WarningStep.warning_id)
            .where(WarningRow.tracking == tracking_of(code))
            .order_by(WarningStep.number)
        )
        with self.database.reading() as session:
            found = session.scalars(asked).all()
        if not found:
            return None
        times: dict[str, dt.datetime] = {}
        for row in found:
            times.setdefault(life.STAGES[row.after], row.at)
        return Tracked(life.STAGES[found[-1].after], tuple(times.items()))

    def _found(self, kept: list[Any], limit: int) -> list[AreaWarning]:
        asked = (
            sa.select(WarningRow)
            .where(*kept)
            .order_by(_due(WarningRow), WarningRow.id)
            .limit(min(max(limit, 1), MOST))
        )
        with self.database.reading() as session:
            return as_warnings(session, session.scalars(asked).all(), self.settings)


def visible(
    session: Session,
    scope: Scope,
    warning_id: int,
    settings: WarningSettings,
) -> tuple[WarningRow, AreaWarning]:
    """
    Row and value of a warning that a scope sees.

    Raises
    ------
    NotVisibleError
        It is unknown or outside the scope.
    DeniedError
        The scope may not read warnings.
    """
    asked = sa.select(WarningRow).where(WarningRow.id == warning_id, seen(scope))
    row = session.scalars(asked).one_or_none()
    if row is None:
        raise NotVisibleError(f"there is no warning {warning_id}")
    return row, as_warnings(session, [row], settings)[0]


def _history(warning_id: int) -> Any:
    return (
        sa.select(WarningStep)
        .where(WarningStep.warning_id == warning_id)
        .order_by(WarningStep.number)
    )


def _due(row: Any) -> Any:
    return sa.func.coalesce(row.due_at, sa.literal(_NEVER, WarningRow.due_at.type))


def _comes_after(warning_id: int) -> Any:
    last = sa.orm.aliased(WarningRow)
    due = sa.select(_due(last)).where(last.id == warning_id).scalar_subquery()
    return sa.tuple_(_due(WarningRow), WarningRow.id) > sa.tuple_(due, sa.literal(warning_id))


def _lies_in(area: Place) -> Any:
    return sa.exists().where(
        WarningPlace.warning_id == WarningRow.id,
        WarningPlace.level == area[0],
        WarningPlace.area_code == area[1],
    )

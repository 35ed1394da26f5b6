"""What has changed among the warnings of a scope since a step: cheap enough to be asked often."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import sqlalchemy as sa

from data.warnings import life
from data.warnings.models import WarningRow, WarningStep
from data.warnings.rights import seen

if TYPE_CHECKING:
    from data.access import Scope
    from data.state.database import StateDatabase

MOST_CHANGED: Final = 200
"""Warnings that one answer names, the newest; a reader who lacks more reads the list anew."""


class Standing(NamedTuple):
    """Number of the newest step that a scope sees, and how many of its warnings are open."""

    revision: int
    open: int


def newest_step(database: StateDatabase) -> int:
    """
    Number of the newest step of all warnings, 0 = none.

    Raises
    ------
    StateError
        The database fails.
    """
    with database.reading() as session:
        return int(session.scalar(sa.select(sa.func.max(WarningStep.id))) or 0)


def standing(database: StateDatabase, scope: Scope) -> Standing:
    """
    Tell how the warnings of a scope stand.

    Raises
    ------
    DeniedError
        The scope may not read warnings.
    StateError
        The database fails.
    """
    held = sa.select(WarningRow.id).where(seen(scope))
    last = sa.select(sa.func.max(WarningStep.id)).where(WarningStep.warning_id.in_(held))
    count = sa.select(sa.func.count()).where(seen(scope), WarningRow.state.in_(life.OPEN))
    with database.reading() as session:
        return Standing(int(session.scalar(last) or 0), int(session.scalar(count) or 0))


def changed(database: StateDatabase, scope: Scope, *, since: int) -> list[int]:
    """
    List the warnings of a scope that took a step after one, the newest last.

    Raises
    ------
    DeniedError
        The scope may not read warnings.
    StateError
        The database fails.
    """
    newest = sa.func.max(WarningStep.id)
    asked = (
        sa.select(WarningStep.warning_id)
        .join(WarningRow, WarningRow.id == WarningStep.warning_id)
        .where(WarningStep.id > since, seen(scope))
        .group_by(WarningStep.warning_id)
        .order_by(newest.desc())
        .limit(MOST_CHANGED)
    )
    with database.reading() as session:
        return [int(found) for found in reversed(session.scalars(asked).all())]

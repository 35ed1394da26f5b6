"""The queue of a desk: one page of the warnings of a scope, and how many there are of each sort."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import sqlalchemy as sa

from data.warnings import life
from data.warnings.kinds import Unit
from data.warnings.models import WarningPlace, WarningRow
from data.warnings.rights import seen
from data.warnings.rows import as_warnings

if TYPE_CHECKING:
    from collections.abc import Collection

    from data.access import Scope
    from data.warnings.kinds import AreaWarning, Place
    from data.warnings.reading import Reading

LATE, SIX_HOURS, ONE_DAY, LATER = "late", "6", "24", "later"
DUE: Final = (LATE, SIX_HOURS, ONE_DAY)
"""Clocks that have run out, and that run out within so many hours; each within the next."""

ORDERS: Final = ("clock", "colour", "new")
"""As a desk sorts them; a wall also asks for `moved`: the newest step first."""

_HOUR: Final = dt.timedelta(hours=1)
_NEVER: Final = dt.datetime(9999, 1, 1, tzinfo=dt.UTC)


class Tally(NamedTuple):
    """So many warnings that are alike; `due` is `late`, `6`, `24` or `later`, "" = no clock."""

    rule: str
    colour: int
    state: str
    owner: Unit
    due: str
    n: int


@dataclass(frozen=True)
class Wanted:
    """
    What of the queue is asked for; None = no matter which.

    Attributes
    ----------
    rules, colours, states
        Any of these.
    area
        In its subtree.
    due
        One of `DUE`.
    """

    rules: Collection[str] | None = None
    colours: Collection[int] | None = None
    states: Collection[str] | None = None
    owner: Unit | None = None
    area: Place | None = None
    due: str | None = None


def tallies(kept: Reading, scope: Scope, area: Place | None, now: dt.datetime) -> list[Tally]:
    """
    Count the warnings of a scope in an area by everything that a queue is filtered by.

    Raises
    ------
    DeniedError
        The scope may not read warnings.
    """
    row, due = WarningRow, _due(now)
    columns = (row.rule, row.colour, row.state, row.owner_role, row.owner_level, row.owner_code)
    asked = (
        sa.select(*columns, due, sa.func.count())
        .where(seen(scope), *_in(area))
        .group_by(*columns, due)
        .order_by(*columns, due)
    )
    with kept.database.reading() as session:
        found = session.execute(asked).all()
    return [
        Tally(rule, colour, state, Unit(role, level, code), late, count)
        for rule, colour, state, role, level, code, late, count in found
    ]


def page(
    kept: Reading, scope: Scope, wanted: Wanted, *, order: str, start: int, limit: int,
    now: dt.datetime,
) -> list[AreaWarning]:  # fmt: skip
    """
    Read a part of the queue: what is open first, then in the order asked for.

    Parameters
    ----------
    order
        `clock`: what runs out first; `colour`: red first; `new`: the newest first; `moved`: the
        newest step first.
    start
        So many are passed over.

    Raises
    ------
    DeniedError
        The scope may not read warnings.
    """
    row = WarningRow
    conditions = [seen(scope), *_in(wanted.area)]
    listed = ((row.rule, wanted.rules), (row.colour, wanted.colours), (row.state, wanted.states))
    conditions += [column.in_(sorted(values)) for column, values in listed if values is not None]
    if wanted.owner is not None:
        columns = (row.owner_role, row.owner_level, row.owner_code)
        conditions += [one == value for one, value in zip(columns, wanted.owner, strict=True)]
    if wanted.due is not None:
        conditions.append(_due(now).in_(_within(wanted.due)))
    asked = sa.select(row).where(*conditions).order_by(*_ordered(order)).offset(start).limit(limit)
    with kept.database.reading() as session:
        return as_warnings(session, session.scalars(asked).all(), kept.settings)


def is_due(due: str, wanted: str) -> bool:
    """Whether a warning with a `due` belongs to what is asked for: 24 hours hold the 6."""
    return due in _within(wanted)


def _within(wanted: str) -> tuple[str, ...]:
    # What has run out does not run out soon.
    return DUE[wanted != LATE : DUE.index(wanted) + 1]


def _due(now: dt.datetime) -> Any:
    row = WarningRow
    return sa.case(
        (row.due_at.is_(None), sa.literal("")),
        (row.due_at < now, sa.literal(LATE)),
        (row.due_at <= now + 6 * _HOUR, sa.literal(SIX_HOURS)),
        (row.due_at <= now + 24 * _HOUR, sa.literal(ONE_DAY)),
        else_=sa.literal(LATER),
    )


def _in(area: Place | None) -> list[Any]:
    if area is None:
        return []
    return [
        sa.exists().where(
            WarningPlace.warning_id == WarningRow.id,
            WarningPlace.level == area[0],
            WarningPlace.area_code == area[1],
        )
    ]


def _ordered(order: str) -> list[Any]:
    row = WarningRow
    is_over = sa.case((row.state.in_(life.OPEN), 0), else_=1)
    due = sa.func.coalesce(row.due_at, sa.literal(_NEVER, row.due_at.type))
    # Many are opened at the same moment: the graver ones before the others.
    by: dict[str, list[Any]] = {
        "clock": [due, row.colour.desc()],
        "colour": [row.colour.desc(), due],
        "new": [row.opened_at.desc(), row.colour.desc()],
        "moved": [row.stage_at.desc(), row.colour.desc()],
    }
    return [is_over, *by[order], row.id]

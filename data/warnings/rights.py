"""Whose warning it is to whom: what a scope sees, and how it stands to the unit that owns one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa

from data.access import DeniedError, Scope, decide, narrowed, require
from data.warnings import life
from data.warnings.models import WarningPlace, WarningRow
from geo.divisions import LEVELS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from data.warnings.kinds import AreaWarning, Place, Unit

READ: Final = "warnings"
ACT: Final = "warnings_act"
HEIGHT: Final[dict[str, int]] = {level: at for at, level in enumerate(LEVELS)}


def seen(scope: Scope) -> Any:
    """
    Condition on `WarningRow`: it lies in the scope, or a unit of the scope's areas owns it.

    Raises
    ------
    DeniedError
        The scope may not read warnings.
    """
    decision = require(scope, READ)
    if decision.covers_city:
        return sa.true()
    areas = sorted(decision.areas)
    if not areas:
        return sa.false()
    place = sa.orm.aliased(WarningPlace)  # the query round it may read places itself
    lies_in = sa.exists().where(
        place.warning_id == WarningRow.id,
        sa.tuple_(place.level, place.area_code).in_(areas),
    )
    return lies_in | sa.tuple_(WarningRow.owner_level, WarningRow.owner_code).in_(areas)


def sees(scope: Scope, warning: AreaWarning) -> bool:
    """The same as `seen`, of a warning at hand."""
    decision = decide(scope, READ)
    places = {*warning.places, warning.owner.place}
    return decision.covers_city or bool(decision.areas & places)


def standings(scope: Scope, owner: Unit, places: Sequence[Place]) -> frozenset[str]:
    """
    How a scope stands to the owner of a warning: `owner`, `above`, both or neither.

    At the top, where no unit is above, the owner itself files what it has closed.
    """
    held = narrowed(scope, ACT).grants
    found = set()
    if any((one.role, one.level, one.code) == owner for one in held):
        found.add("owner")
    lowest = places.index(owner.place) + 1 if owner.place in places else 0
    above = set(places[lowest:])
    if any((one.level, one.code) in above for one in held) or ("owner" in found and not above):
        found.add("above")
    return frozenset(found)


def choices(scope: Scope, warning: AreaWarning) -> tuple[str, ...]:
    """Steps that a scope may take with a warning now: what its buttons are."""
    return life.possible(warning.state, standings(scope, warning.owner, warning.places))


def check_may(scope: Scope, warning: AreaWarning, step: str) -> None:
    """
    Refuse a step that is not the scope's to take.

    Raises
    ------
    StepError
        The life has no such step.
    DeniedError
        Another unit may take it, this one may not.
    """
    move = life.move(warning.state, step)
    if not move.who & standings(scope, warning.owner, warning.places):
        raise DeniedError(f"{scope.user or 'nobody'} may not {step} warning {warning.id}")


def is_higher(one: Place, other: Place) -> bool:
    """Whether an area is of a higher level than another."""
    return HEIGHT[one[0]] < HEIGHT[other[0]]

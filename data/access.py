"""
Who may see what: the one place that decides, for every callback, route, tile, export and cache key.

Two tiers. Inside the areas of a grant figures are exact. Beyond them only the protected edition of
a release is given (`data.releases`), and never both in one answer.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Final, Literal

import numpy as np

from data.permissions import PUBLIC, matrix

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

WHOLE_CITY: Final = "*"
"""Area code of a grant that covers every area."""

Edition = Literal["", "internal", "public"]
"""Protected figures that may be given: none, those for accounts, those for everybody."""


class NotVisibleError(LookupError):
    """The area is unknown or outside the scope; the two are told apart to nobody."""


class DeniedError(PermissionError):
    """The scope does not include the action."""


@dataclass(frozen=True, order=True)
class Grant:
    """A role in the subtree of one area; a role without areas has the whole city's code."""

    role: str
    level: str = "city"
    code: str = WHOLE_CITY


@dataclass(frozen=True)
class Decision:
    """
    What a scope may do of one action.

    Attributes
    ----------
    areas
        (level, code) whose subtrees are given exactly; empty where the action has no areas.
    edition
        Protected figures beyond them.
    """

    is_allowed: bool
    areas: frozenset[tuple[str, str]] = frozenset()
    edition: Edition = ""
    needs_reason: bool = False
    is_own_only: bool = False
    """Only what belongs to the account itself."""

    @property
    def covers_city(self) -> bool:
        """Whether every area is given exactly."""
        return any(code == WHOLE_CITY for _, code in self.areas)


@dataclass(frozen=True)
class Scope:
    """
    One signed-in user and what was granted.

    Attributes
    ----------
    user
        Login; "" for nobody.
    unit
        Post or office, for the watermark.
    session
        First digits of the session's hash, for the audit.
    """

    user: str
    grants: frozenset[Grant]
    unit: str = ""
    session: str = ""

    @property
    def roles(self) -> tuple[str, ...]:
        """Names of the roles, sorted."""
        return tuple(sorted({grant.role for grant in self.grants}))

    @cached_property
    def sight(self) -> Decision:
        """What the scope may see on the map."""
        return decide(self, "map")

    @property
    def sees_all(self) -> bool:
        """Whether the whole city is visible exactly."""
        return self.sight.covers_city

    @property
    def sees_areas(self) -> bool:
        """Whether any area is visible exactly."""
        return bool(self.sight.areas)

    @property
    def is_protected(self) -> bool:
        """Whether the map shows protected figures: no area is covered exactly, an edition is."""
        return not self.sight.areas and self.sight.edition != ""

    @cached_property
    def cache_key(self) -> tuple[object, ...]:
        """What may be seen, in a fixed order; equal for users who may see the same."""
        cells, compare = decide(self, "cells"), decide(self, "compare")
        points = decide(self, "points")
        return (
            tuple(sorted(self.sight.areas)),
            tuple(sorted(cells.areas)),
            tuple(sorted(points.areas)),
            self.sight.edition,
            compare.edition,
        )


NOBODY: Final = Scope(user="", grants=frozenset())
"""The scope of a request that nobody signed: it may do nothing."""


def decide(scope: Scope, action: str) -> Decision:
    """
    Decide what a scope may do of an action: the union of what its grants give.

    A reason is needed only where every grant that gives the action asks for one.

    Raises
    ------
    KeyError
        The matrix has no such action.
    """
    rights = [(grant, matrix().right(action, grant.role)) for grant in sorted(scope.grants)]
    given = [(grant, right) for grant, right in rights if right.reach != "-"]
    if not given:
        return Decision(is_allowed=False)
    reaches = {right.reach for _, right in given}
    wider = [grant.role for grant, right in given if right.reach == "wider"]
    return Decision(
        is_allowed=True,
        areas=frozenset(
            (grant.level, grant.code) for grant, right in given if right.reach == "own"
        ),
        edition=_edition(wider),
        needs_reason=all(right.needs_reason for _, right in given),
        is_own_only=reaches == {"self"},
    )


def require(scope: Scope, action: str) -> Decision:
    """
    Decide, and refuse what is not allowed.

    Raises
    ------
    DeniedError
        The scope does not include the action.
    """
    decision = decide(scope, action)
    if not decision.is_allowed:
        raise DeniedError(f"{scope.user or 'nobody'} may not {action}")
    return decision


def narrowed(scope: Scope, action: str) -> Scope:
    """The same user with only those grants that give the action: for what is given out by it."""
    kept = frozenset(
        grant for grant in scope.grants if matrix().right(action, grant.role).reach != "-"
    )
    return Scope(scope.user, kept, scope.unit, scope.session)


def _edition(roles: list[str]) -> Edition:
    if not roles:
        return ""
    return "public" if all(role == PUBLIC for role in roles) else "internal"


def visible_areas(scope: Scope, areas: pd.DataFrame) -> NDArray[np.bool_]:
    """
    Tell for each area whether the scope covers it exactly.

    Parameters
    ----------
    areas
        The snapshot's `areas` table, levels from the top down.

    Returns
    -------
    visible
        One flag per row: it or one of its ancestors was granted.
    """
    return covered(scope.sight.areas, areas)


def covered(granted: frozenset[tuple[str, str]], areas: pd.DataFrame) -> NDArray[np.bool_]:
    """Tell for each area whether it or an ancestor is among (level, code) pairs."""
    if any(code == WHOLE_CITY for _, code in granted):
        return np.ones(len(areas), dtype=bool)
    levels, codes = areas["level"].to_numpy(object), areas["code"].to_numpy(object)
    visible = np.zeros(len(areas), dtype=bool)
    for level, code in granted:
        visible |= (levels == level) & (codes == code)
    parents = areas["parent_index"].to_numpy()
    for above, below in pairwise(dict.fromkeys(levels)):
        inherited = visible[levels == above]
        rows = np.flatnonzero(levels == below)
        has_parent = parents[rows] >= 0
        visible[rows[has_parent]] |= inherited[parents[rows[has_parent]]]
    return visible

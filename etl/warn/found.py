"""What a rule finds in a snapshot: where its condition holds, and where it cannot be told."""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from data.warnings.rows import is_code
from data.warnings.settings import ALL_GROUPS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from data.store import Snapshot
    from data.warnings.kinds import Place, Value
    from data.warnings.tree import AreaTree


@dataclass(frozen=True)
class Found:
    """
    A condition that holds in an area.

    Attributes
    ----------
    day
        Of the data that show it: an episode that was archived opens anew only with a later one.
    colour
        Of the condition itself; 0 where it has none.
    repeats
        How many times running, as far as the table itself tells.
    """

    level: str
    code: str
    day: dt.date
    evidence: Mapping[str, Value]
    group: str = ALL_GROUPS
    colour: int = 0
    repeats: int = 1

    @property
    def place(self) -> Place:
        """Level and code of the area."""
        return self.level, self.code


@dataclass(frozen=True)
class Findings:
    """
    What a rule finds in one snapshot.

    Attributes
    ----------
    day
        Newest day of the data that were looked at.
    unknown
        Areas of which it cannot be told: nothing begins or ends there.
    """

    day: dt.date
    found: tuple[Found, ...]
    unknown: frozenset[Place] = field(default_factory=frozenset)


@dataclass(frozen=True)
class Sight:
    """
    What a rule may look at.

    Attributes
    ----------
    groups
        Group of each category, by its index; categories of none are left out.
    categories
        Codes by index.
    """

    snapshot: Snapshot
    tree: AreaTree
    groups: Mapping[int, str]
    categories: Mapping[int, str]

    def has(self, *tables: str) -> bool:
        """Whether the snapshot holds all of some tables."""
        return {*tables} <= {*self.snapshot.tables()}


def shown(values: Mapping[str, Any]) -> dict[str, Value]:
    """Values as evidence keeps them: days as text; what is neither number nor code as nothing."""
    return {name: _kept(value) for name, value in values.items()}


def _kept(value: Any) -> Value:
    if isinstance(value, dt.date):
        return value.isoformat()
    is_kept = is_code(value) if isinstance(value, str) else value is None or math.isfinite(value)
    kept: Value = value if is_kept else None
    return kept

"""What a warning is to whoever reads one: values without a database, and what can go wrong."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from data.access import NotVisibleError

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

__all__ = [
    "PERSON",
    "AreaWarning",
    "NotVisibleError",
    "OpenCount",
    "Place",
    "StaleError",
    "Step",
    "StepError",
    "Tracked",
    "Unit",
    "Value",
]

Value = int | float | str | bool | None
"""Of evidence: a number, or a code."""

Place = tuple[str, str]
"""Level and code of an area; the city is ("city", "*"), as in a grant."""

PERSON: Final = "person"
"""Rule of a warning that somebody opened by hand."""


class Unit(NamedTuple):
    """Who owns a warning: a role in one area, never a person."""

    role: str
    level: str
    code: str

    @property
    def place(self) -> Place:
        """Level and code of its area."""
        return self.level, self.code


class OpenCount(NamedTuple):
    """How many warnings are open in an area, and the highest colour of them, 1 to 4."""

    total: int
    colour: int


@dataclass(frozen=True)
class AreaWarning:
    """
    One warning as it stands.

    Attributes
    ----------
    tracking
        Code for the public page; give it only to whoever may see the warning.
    rule
        Name of the rule in `warnings.toml`, or `person`.
    group
        `all` or a name of groups.toml.
    colour
        1 blue to 4 red.
    urgency
        `high`, `medium` or `low`.
    version
        To be given back with the next step.
    repeats
        How many times running the condition held here: 1 = the first.
    measure
        What the ladder of repeats asks for (`notice`, `talk`, `further`), "" = nothing yet.
    tiers
        How often it went to the unit above.
    since
        When the clock of its stage began.
    due_at, due_clock
        The clock that runs out first: `assign`, `sign`, `handle`, `archive` or `risk`; None and ""
        where none runs.
    places
        Its area and all above it, the lowest first.
    seen_on, ended_on
        Last day of the data on which the condition held, first one on which it no longer did.
    """

    id: int
    tracking: str
    fingerprint: str
    rule: str
    level: str
    code: str
    group: str
    colour: int
    urgency: str
    state: str
    version: int
    owner: Unit
    evidence: Mapping[str, Value]
    snapshot: str
    repeats: int
    measure: str
    tiers: int
    opened_at: dt.datetime
    since: dt.datetime
    due_at: dt.datetime | None
    due_clock: str
    places: tuple[Place, ...]
    seen_on: dt.date
    ended_on: dt.date | None

    def is_overdue(self, now: dt.datetime) -> bool:
        """Whether its clock has run out."""
        return self.due_at is not None and now > self.due_at


@dataclass(frozen=True)
class Step:
    """
    One step of the history.

    Attributes
    ----------
    before, after
        States; `before` is "" at the opening.
    by
        Login of the post; "" = the program itself.
    owner
        After the step.
    """

    number: int
    at: dt.datetime
    step: str
    before: str
    after: str
    by: str
    owner: Unit
    reason: str
    colour: int
    due_at: dt.datetime | None
    evidence: Mapping[str, Value]


@dataclass(frozen=True)
class Tracked:
    """
    What the public sees of a warning (一码跟踪).

    Attributes
    ----------
    stage
        `received`, `passed_on`, `in_hand`, `done` or `archived`.
    times
        Stage to when it was first reached, in their order.
    """

    stage: str
    times: tuple[tuple[str, dt.datetime], ...]


class StepError(ValueError):
    """The life of a warning does not allow the step, or it lacks what it needs."""


class StaleError(RuntimeError):
    """Somebody else was faster; `present` is the warning as it stands now."""

    def __init__(self, present: AreaWarning) -> None:
        super().__init__(
            f"warning {present.id} was changed meanwhile: it is {present.state}, "
            f"version {present.version}"
        )
        self.present = present

    def __reduce__(self) -> tuple[type[StaleError], tuple[AreaWarning]]:
        """Travel between processes with the present state."""
        return type(self), (self.present,)

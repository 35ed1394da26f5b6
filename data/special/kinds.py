"""What a special period is to whoever reads one: values without a database, and fixed lists."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import datetime as dt

    from data.warnings.kinds import Place

PLACES: Final = (
    "government", "school", "hospital", "square", "market", "station", "road", "bridge",
    "worship", "venue", "utility", "site",
)  # fmt: skip
"""Kinds of places, beside `FACILITY` of the register and `TEXT` that somebody wrote."""
FACILITY, TEXT = "facility", "text"

CHECKS: Final = ("patrol", "inspect", "post", "traffic", "fire", "utilities", "crowd", "handover")
DONE, NOT_DONE = "done", "not_done"
RESULTS: Final = (DONE, NOT_DONE)
REASONS: Final = ("no_staff", "no_access", "not_needed", "weather", "handed_over")
"""Why something was not done; one of them must be given."""

MAKERS: Final = ("city", "county")
"""Levels of the areas that a period can be made for."""

LONGEST_NAME: Final = 40
LONGEST_DAYS: Final = 92
MOST_PLACES: Final = 60
MOST_CHECKS: Final = 12
"""Of one place."""

FAULTS: Final = (
    "name", "personal", "dates", "area", "place", "kind", "time", "day", "reason", "many", "key",
)  # fmt: skip


class SpecialError(ValueError):
    """Something that cannot be taken; `fault` is one of `FAULTS`."""

    def __init__(self, fault: str) -> None:
        super().__init__(f"special period: {fault}")
        self.fault = fault


class StaleError(RuntimeError):
    """Somebody else was faster; nothing was written."""


@dataclass(frozen=True)
class Check:
    """
    One check on one day.

    Attributes
    ----------
    due_at
        Aware; on that day.
    only_on
        None = each day of the period.
    state
        `open`, `late` (its time has passed and nothing is ticked), `done` or `not_done`.
    is_late
        It was ticked after its time, or its time has passed.
    number
        How often it was ticked on that day; to be given back with the next tick.
    """

    id: int
    kind: str
    due_at: dt.datetime
    only_on: dt.date | None
    state: str
    is_late: bool
    reason: str
    at: dt.datetime | None
    number: int


@dataclass(frozen=True)
class SpecialPlace:
    """
    A place and its checks of one day, by their times.

    Attributes
    ----------
    path
        Its area and all above it, the lowest first.
    kind
        One of `PLACES`, `facility` (then `facility` is its id) or `text` (then `text` is its name).
    """

    id: int
    level: str
    code: str
    path: tuple[Place, ...]
    kind: str
    facility: str
    text: str
    checks: tuple[Check, ...] = ()


@dataclass(frozen=True)
class SpecialPeriod:
    """
    One period as a scope sees it on one day.

    Attributes
    ----------
    version
        To be given back with the next change.
    day
        The day that the checks are of.
    places
        Those of the scope only.
    """

    id: int
    name: str
    level: str
    code: str
    path: tuple[Place, ...]
    first_day: dt.date
    last_day: dt.date
    version: int
    day: dt.date
    places: tuple[SpecialPlace, ...] = ()

    @property
    def checks(self) -> list[Check]:
        """Every check of the day."""
        return [check for place in self.places for check in place.checks]

    def count(self, *states: str) -> int:
        """Checks of the day in some states; all of them without any."""
        return sum(not states or check.state in states for check in self.checks)

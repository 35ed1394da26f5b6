"""Warnings on a wall: how many of each colour, what runs out, what was opened or escalated."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from dashboard.areas import hierarchy
from data.access import decide
from data.warnings import life, queue, rights

if TYPE_CHECKING:
    import datetime as dt

    from dashboard.areas import Area
    from data.access import Scope
    from data.store import Snapshot
    from data.warnings.kinds import AreaWarning, OpenCount, Place
    from data.warnings.store import Warnings

LISTED: Final = 9
"""Warnings of a list: what a wall has room for at a size that is read from afar."""


@dataclass(frozen=True)
class Queue:
    """
    Open warnings of an area.

    Attributes
    ----------
    colours
        How many of each colour 1 to 4, blue first.
    late, soon
        Clocks that have run out, and that run out within a day.
    next_ones
        Those with a clock, the most urgent first; what has run out comes before.
    newest
        Opened or moved last, the newest first.
    by_area
        By code of the areas of a level.
    """

    colours: tuple[int, int, int, int]
    late: int
    soon: int
    next_ones: tuple[AreaWarning, ...]
    newest: tuple[AreaWarning, ...]
    by_area: dict[str, OpenCount]

    @property
    def total(self) -> int:
        """All of them."""
        return sum(self.colours)


def queue_of(  # noqa: PLR0917 - the wall's one question
    scope: Scope, snapshot: Snapshot, area: Area, level: str, kept: Warnings, now: dt.datetime
) -> Queue | None:
    """
    Read the open warnings of an area; None for who may not read warnings.

    Parameters
    ----------
    level
        Whose areas `by_area` counts; "" = none.

    Raises
    ------
    NotVisibleError
        The area is unknown or outside the scope.
    """
    place = warned_place(scope, snapshot, area)
    if not decide(scope, rights.READ).is_allowed:
        return None
    found = [one for one in queue.tallies(kept, scope, place, now) if one.state in life.OPEN]
    wanted = queue.Wanted(states=life.OPEN, area=place)
    listed = {
        order: tuple(queue.page(kept, scope, wanted, order=order, start=0, limit=LISTED, now=now))
        for order in ("clock", "moved")
    }
    return Queue(
        colours=tuple(
            sum(one.n for one in found if one.colour == colour) for colour in range(1, 5)
        ),  # type: ignore[arg-type]
        late=sum(one.n for one in found if one.due == queue.LATE),
        soon=sum(one.n for one in found if queue.is_due(one.due, queue.ONE_DAY)),
        next_ones=tuple(one for one in listed["clock"] if one.due_at is not None),
        newest=listed["moved"],
        by_area=kept.by_area(scope, level) if level else {},
    )


def warned_place(scope: Scope, snapshot: Snapshot, area: Area) -> Place:
    """
    Name an area as warnings do: the city has no code of its own there.

    Raises
    ------
    NotVisibleError
        The area is unknown or outside the scope.
    """
    tree = hierarchy(scope, snapshot)
    tree.check(area)
    if area.level == tree.order[0] == "city":
        return "city", "*"
    return area.level, str(tree.at(area.level).codes[area.index])

"""An area beside others: its place among all of its level, and released figures of those around."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

from dashboard import assessment, released
from dashboard.phone.own import last_day

if TYPE_CHECKING:
    from dashboard.areas import Area
    from data.access import Scope
    from data.periods import Window
    from data.store import Snapshot


@dataclass(frozen=True)
class Peers:
    """
    What may be said of others; rates are incidents per exposure unit and period, NaN = withheld.

    Attributes
    ----------
    rank_lower, rank_upper
        Range of ranks by risk among `ranked` areas of the level, 1 = highest risk; 0 = not told.
    window
        Released periods that the rates are of; None = nothing is released.
    own, above, like
        Rate of the area, of the one above, and the middle one of its siblings.
    told, siblings
        Siblings whose figure is given, of so many.
    threshold
        Least count that is given.
    """

    rank_lower: int = 0
    rank_upper: int = 0
    ranked: int = 0
    window: Window | None = None
    own: float = math.nan
    above: float = math.nan
    above_level: str = ""
    like: float = math.nan
    told: int = 0
    siblings: int = 0
    threshold: int = 0


def peers(scope: Scope, snapshot: Snapshot, area: Area) -> Peers:
    """
    Compare an own area with its level and with those around it, by released figures alone.

    Raises
    ------
    NotVisibleError
        The area is unknown or outside the scope.
    """
    lower, upper, ranked = _ranks(scope, snapshot, area)
    found = released.comparison(scope, snapshot, area) if released.edition(scope) else None
    if found is None:
        return Peers(lower, upper, ranked)
    siblings = [row.rate for row in found.rows if row.relation == "sibling"]
    told = [rate for rate in siblings if not math.isnan(rate)]
    above = next((row for row in found.rows if row.relation == "above"), None)
    return Peers(
        lower,
        upper,
        ranked,
        window=found.recent,
        own=found.rows[0].rate,
        above=above.rate if above else math.nan,
        above_level=above.area.level if above else "",
        like=median(told) if told else math.nan,
        told=len(told),
        siblings=len(siblings),
        threshold=released.threshold(scope, snapshot),
    )


def _ranks(scope: Scope, snapshot: Snapshot, area: Area) -> tuple[int, int, int]:
    """Range of ranks, and how many share them; none where it would tell of the few others."""
    end = snapshot.manifest.last_period
    row = assessment.index(scope, snapshot, area, end)
    if row is None or not row.rank_lower:
        return 0, 0, 0
    if assessment.stands_alone(scope, snapshot, area.level, last_day(snapshot)):
        return 0, 0, 0
    return row.rank_lower, row.rank_upper, assessment.ranked(scope, snapshot, area.level, end)

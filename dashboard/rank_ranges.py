"""Ranges of ranks of the risk index, as the ranking prints them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dashboard import queries
from dashboard.areas import hierarchy
from dashboard.assessment import check_level
from dashboard.cache import scoped_cache
from data.index_trace import GREY

if TYPE_CHECKING:
    import datetime as dt

    from data.access import Scope
    from data.store import Snapshot


@scoped_cache
def rank_ranges(
    scope: Scope, snapshot: Snapshot, level: str, end: dt.date
) -> dict[int, tuple[int, int]] | None:
    """
    First and last rank of each own area of a level in the window that ends with a period.

    Returns
    -------
    ranks
        By area index; grey areas, and those of which a source fell silent, have none. None where
        nothing was analysed.

    Raises
    ------
    NotVisibleError
        The scope covers no area of the level.
    """
    check_level(scope, snapshot, level)
    if "area_index" not in snapshot.tables():
        return None
    found = snapshot.rows(
        "SELECT area_index, rank_lower, rank_upper FROM area_index "
        "WHERE level = ? AND period_end = ? AND rank_lower > 0 AND colour <> ?",
        [level, end, GREY],
    )
    visible = hierarchy(scope, snapshot).at(level).visible
    is_newest = end.isoformat() >= snapshot.manifest.raw.get("analysis", {}).get("last", "9999")
    silent = queries.silent_areas(scope, snapshot, level) if is_newest else np.zeros_like(visible)
    ranks = {
        int(index): (int(lower), int(upper))
        for index, lower, upper in found
        if visible[index] and not silent[index]
    }
    return ranks or None

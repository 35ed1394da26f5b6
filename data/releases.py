"""
Read the protected tier: counts that may be shown beyond a user's own areas.

What is not stored is withheld; nothing here is computed from exact counts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from data.store import Snapshot

ALL: Final = -1
"""Category index of the sum over all categories."""

OTHER: Final = -2
"""Category index of what is in no upper category told by name; so the rare ones are."""

SENSITIVE: Final = -3
"""Category index of the sensitive categories together: city and counties only, and much later."""

RELEASES: Final = "releases"
COUNTS: Final = "released_counts"


def released_starts(snapshot: Snapshot, edition: str) -> tuple[dt.date, ...]:
    """First days of an edition's released periods, oldest first."""
    found = _newest_first(snapshot, edition, "period_start")
    days = found["period_start"].astype("datetime64[D]").tolist() if found else []
    return tuple(reversed(days))


def released_levels(snapshot: Snapshot, edition: str) -> tuple[str, ...]:
    """Levels that the newest release of an edition tells totals of, from the top down."""
    found = _newest_first(snapshot, edition, "finest_totals")
    order = [entry["level"] for entry in snapshot.manifest.levels]
    if not found or not len(found["finest_totals"]):
        return ()
    finest = str(found["finest_totals"][0])
    return tuple(order[: order.index(finest) + 1]) if finest in order else ()


def threshold(snapshot: Snapshot, edition: str) -> int:
    """Least count that the newest release of an edition gives; 0 where there is none."""
    found = _newest_first(snapshot, edition, "k")
    return int(found["k"][0]) if found and len(found["k"]) else 0


def released_counts(
    snapshot: Snapshot,
    edition: str,
    level: str,
    starts: Sequence[dt.date],
    category: int = ALL,
) -> NDArray[np.float64]:
    """
    Counts of an edition by `area_index` of the snapshot.

    Parameters
    ----------
    starts
        First days of periods.
    category
        Index of an upper category, `ALL` or `OTHER`.

    Returns
    -------
    counts
        Shape (n periods, n areas of the level); NaN = withheld, or not released.
    """
    areas = snapshot.areas
    size = int((areas["level"] == level).sum())
    counts = np.full((len(starts), size), np.nan)
    if not starts or COUNTS not in snapshot.tables():
        return counts
    found = snapshot.arrays(
        "SELECT released.period_start, areas.area_index, released.count FROM released_counts AS "
        "released JOIN areas ON areas.level = released.level AND areas.code = released.code AND "
        "areas.valid_from IS NOT DISTINCT FROM released.valid_from "
        "WHERE edition = ? AND released.level = ? AND category_index = ? "
        "AND period_start BETWEEN ? AND ?",
        [edition, level, category, min(starts), max(starts)],
    )
    row_of = {start: row for row, start in enumerate(starts)}
    days = found["period_start"].astype("datetime64[D]").tolist()
    rows = np.array([row_of.get(day, -1) for day in days], dtype=np.int64)
    known = rows >= 0
    counts[rows[known], found["area_index"][known]] = found["count"][known]
    return counts


def _newest_first(snapshot: Snapshot, edition: str, column: str) -> dict[str, NDArray[Any]]:
    """One column of an edition's releases; empty where the snapshot holds none."""
    if RELEASES not in snapshot.tables():
        return {}
    return snapshot.arrays(
        f"SELECT {column} FROM releases WHERE edition = ? ORDER BY period_start DESC", [edition]
    )

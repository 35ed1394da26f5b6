"""Stored risk index of the areas under an area: a row of each, and the colours over time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from dashboard.areas import hierarchy
from dashboard.cache import scoped_cache
from dashboard.queries import exact
from data import periods

if TYPE_CHECKING:
    import datetime as dt

    from numpy.typing import NDArray

    from dashboard.areas import Area
    from data.access import Scope
    from data.store import Snapshot

COLOURS: Final = 5
"""Grey and the four."""

KEPT: Final = 26
"""Periods of the distribution."""

_COLUMNS: Final = (
    "area_index, status, risk, safety_index, colour, override, held, stability, is_firm, "
    "small_sample, n, rank_lower, rank_upper, repeat_red"
)


@scoped_cache
def rows(scope: Scope, snapshot: Snapshot, focus: Area, level: str, end: dt.date) -> pd.DataFrame:
    """
    Index of each area of a level under the focus, the highest risk first.

    An area of which a source fell silent is grey, whatever was stored before. Besides the stored
    columns: `before` (colour of the period before, -1 = unknown) and `moved` (change of the risk).

    Raises
    ------
    NotVisibleError
        The focus is unknown or outside the scope; so in all functions here.
    """
    inside = _inside(scope, snapshot, focus, level)
    if "area_index" not in snapshot.tables():
        return pd.DataFrame()
    found = _of_period(snapshot, _COLUMNS, level, end, inside)
    earlier = periods.shift(end, -1, grain=snapshot.manifest.grain)
    past = _of_period(snapshot, "area_index, colour, risk", level, earlier, inside)
    past = past.set_index("area_index").reindex(found["area_index"])
    silent = found["area_index"].isin(_silent(snapshot, level, end)).to_numpy()
    moved = found["risk"].to_numpy(np.float64) - past["risk"].to_numpy(np.float64)
    found = found.assign(
        colour=np.where(silent, 0, found["colour"]),
        before=past["colour"].fillna(-1).to_numpy(np.int64),
        moved=np.where(silent, np.nan, moved),
        risk=np.where(silent, np.nan, found["risk"]),
        safety_index=np.where(silent, np.nan, found["safety_index"]),
        is_silent=silent,
    )
    order = np.lexsort((found["area_index"], -found["risk"].fillna(-1.0)))
    return found.iloc[order].reset_index(drop=True)


@scoped_cache
def colours(
    scope: Scope, snapshot: Snapshot, focus: Area, level: str, end: dt.date
) -> tuple[list[dt.date], NDArray[np.int64]]:
    """
    Areas of each colour in the last stored periods up to one.

    Returns
    -------
    ends, counts
        Periods, oldest first, and areas by period and colour, shape (n periods, 5).
    """
    inside = _inside(scope, snapshot, focus, level)
    if "area_index" not in snapshot.tables():
        return [], np.zeros((0, COLOURS), dtype=np.int64)
    found = snapshot.arrays(
        "SELECT period_end, area_index, colour FROM area_index WHERE level = ? AND period_end <= ?",
        [level, end],
    )
    own = inside[found["area_index"].astype(np.int64)]
    days, place = np.unique(found["period_end"][own].astype("datetime64[D]"), return_inverse=True)
    counts = np.zeros((len(days), COLOURS), dtype=np.int64)
    np.add.at(counts, (place, found["colour"][own].astype(np.int64)), 1)
    return days[-KEPT:].tolist(), counts[-KEPT:]


def _of_period(
    snapshot: Snapshot, columns: str, level: str, end: dt.date, inside: NDArray[np.bool_]
) -> pd.DataFrame:
    found = snapshot.query(
        f"SELECT {columns} FROM area_index WHERE level = ? AND period_end = ?", [level, end]
    )
    return found[inside[found["area_index"].to_numpy(np.int64)]].reset_index(drop=True)


def _silent(snapshot: Snapshot, level: str, end: dt.date) -> list[int]:
    if "area_trust" not in snapshot.tables():
        return []
    found = snapshot.arrays(
        "SELECT area_index FROM area_trust WHERE is_silent AND level = ? AND period_end = ?",
        [level, end],
    )
    silent: list[int] = found["area_index"].tolist()
    return silent


def _inside(scope: Scope, snapshot: Snapshot, focus: Area, level: str) -> NDArray[np.bool_]:
    exact(scope)
    tree = hierarchy(scope, snapshot)
    tree.check(focus)
    return tree.inside(level, focus)

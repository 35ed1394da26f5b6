"""Stored forecasts of the areas under an area, and how forecasts of a level or cells have done."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from dashboard import assessment
from dashboard.areas import hierarchy
from dashboard.cache import scoped_cache
from dashboard.queries import exact

if TYPE_CHECKING:
    import datetime as dt

    from numpy.typing import NDArray

    from dashboard.areas import Area
    from data.access import Scope
    from data.store import Snapshot

FIGURES: Final = (
    "pai1", "pai2", "pai5", "pei2", "hit1", "hit2", "hit5", "deviance", "crps", "coverage",
)  # fmt: skip
"""Figures of the scorecard; none of them is a share of forecasts that were right."""

METHODS: Final = ("ours", "last_period", "kde4", "history")


@scoped_cache
def next_period(scope: Scope, snapshot: Snapshot, focus: Area, level: str) -> pd.DataFrame:
    """
    Forecast of the newest period for each area of a level under the focus, and group.

    Raises
    ------
    NotVisibleError
        The focus is unknown or outside the scope; so in all functions of areas here.
    """
    inside = _inside(scope, snapshot, focus, level)
    if "forecasts" not in snapshot.tables():
        return pd.DataFrame()
    found = snapshot.query(
        'SELECT period_start, area_index, "group", mean, lower, upper FROM forecasts '
        "WHERE level = ? AND period_start = (SELECT max(period_start) FROM forecasts)",
        [level],
    )
    return found[inside[found["area_index"].to_numpy(np.int64)]].reset_index(drop=True)


@scoped_cache
def last_counts(
    scope: Scope, snapshot: Snapshot, focus: Area, level: str, end: dt.date
) -> dict[int, int]:
    """Reported incidents of each area of a level under the focus in a period."""
    inside = _inside(scope, snapshot, focus, level)
    if "expected" not in snapshot.tables():
        return {}
    found = snapshot.arrays(
        "SELECT area_index, observed FROM expected WHERE level = ? AND period_end = ? AND "
        "\"group\" = 'all'",
        [level, end],
    )
    pairs = zip(found["area_index"].tolist(), found["observed"].tolist(), strict=True)
    return {int(index): int(count) for index, count in pairs if inside[index]}


@scoped_cache
def targets(scope: Scope, snapshot: Snapshot) -> tuple[str, ...]:
    """
    What forecasts were scored for: levels of which the scope covers something, and cells.

    Cells, and levels of which the few other areas could be worked out, only for the whole city.
    """
    exact(scope)
    if "forecast_verdicts" not in snapshot.tables():
        return ()
    found = set(snapshot.query("SELECT DISTINCT target FROM forecast_verdicts")["target"])
    tree = hierarchy(scope, snapshot)
    last = snapshot.manifest.last_period
    levels = [
        name
        for name in tree.order
        if name in found
        and tree.at(name).visible.any()
        and not assessment.stands_alone(scope, snapshot, name, last)
    ]
    cells = sorted(found - set(tree.order)) if scope.sees_all else []
    return (*levels, *cells)


@scoped_cache
def scores(scope: Scope, snapshot: Snapshot, target: str) -> pd.DataFrame:
    """
    Scorecard of all groups together, by period and method, oldest first; empty where not given.

    It tells how well a method does, never which areas are meant.
    """
    if target not in targets(scope, snapshot) or "scorecards" not in snapshot.tables():
        return pd.DataFrame()
    return snapshot.query(
        f"SELECT period_end, method, {', '.join(FIGURES)}, is_frozen FROM scorecards "
        "WHERE target = ? AND \"group\" = 'all' ORDER BY period_end, method",
        [target],
    )


@scoped_cache
def verdicts(scope: Scope, snapshot: Snapshot) -> pd.DataFrame:
    """Whether the forecast of each target and group is shown, and why not."""
    known = targets(scope, snapshot)
    if not known:
        return pd.DataFrame()
    found = snapshot.query(
        'SELECT target, "group", is_shown, reason, reason_method, periods FROM forecast_verdicts'
    )
    return found[found["target"].isin(known)].reset_index(drop=True)


def _inside(scope: Scope, snapshot: Snapshot, focus: Area, level: str) -> NDArray[np.bool_]:
    exact(scope)
    tree = hierarchy(scope, snapshot)
    tree.check(focus)
    return tree.inside(level, focus)

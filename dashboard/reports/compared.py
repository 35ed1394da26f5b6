"""
Counts of a week beside what they are compared with, and which of them chance hardly explains.

Many areas are looked at, so a rise or fall is named only where it stands at the false discovery
rate of all that were tested (Benjamini and Hochberg 1995, doi:10.1111/j.2517-6161.1995.tb02031.x).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd
from scipy import stats

from dashboard.areas import hierarchy
from dashboard.queries import exact
from dashboard.reports.facts import Counted, Range
from data import periods
from data.periods import PERIODS_PER_YEAR

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from dashboard.areas import Area
    from data.access import Scope
    from data.store import Snapshot

DISCOVERY: Final = 0.1
"""Rate of false discoveries among the rises and falls that are named."""

LEAST: Final = 5
"""Incidents now, or to be expected, below which neither rise nor fall is named."""


def area_counts(
    scope: Scope, snapshot: Snapshot, level: str, areas: Sequence[int], end: dt.date
) -> pd.DataFrame:
    """
    Reported incidents of some areas of a level in a week, beside the expected ones.

    Parameters
    ----------
    areas
        Those outside the scope are left out.

    Returns
    -------
    counts
        By `area_index`: `observed`, `lower`, `upper`, `p_more`, `p_less` (NaN = nothing to compare
        with), `before` and `year` (observed then, NaN = not stored).
    """
    exact(scope)
    if "expected" not in snapshot.tables():
        return pd.DataFrame(columns=["observed", "lower", "upper", "p_more", "p_less"])
    visible = hierarchy(scope, snapshot).at(level).visible
    where = "level = ? AND \"group\" = 'all' AND area_index IN (SELECT unnest(?))"
    chosen: list[object] = [level, [one for one in areas if visible[one]]]
    found = _of_week(snapshot, where, chosen, end).set_index("area_index")
    grain = snapshot.manifest.grain
    for name, back in (("before", 1), ("year", PERIODS_PER_YEAR[grain])):
        then = periods.shift(end, -back, grain=grain)
        past = snapshot.query(
            f"SELECT area_index, observed FROM expected WHERE period_end = ? AND {where}",
            [then, *chosen],
        ).set_index("area_index")["observed"]
        # The lowest level holds no row of an area without an incident.
        is_kept = len(past) or _is_kept(snapshot, level, then)
        filled = past.reindex(found.index, fill_value=0) if is_kept else math.nan
        found = found.assign(**{name: filled})
    return found


def _is_kept(snapshot: Snapshot, level: str, end: dt.date) -> bool:
    """Whether anything is stored of a level and week."""
    rows = snapshot.rows(
        "SELECT 1 FROM expected WHERE level = ? AND period_end = ? LIMIT 1", [level, end]
    )
    return bool(rows)


def group_counts(scope: Scope, snapshot: Snapshot, area: Area, end: dt.date) -> pd.DataFrame:
    """
    Reported incidents of one area by group; columns as `area_counts`, by `group`.

    Raises
    ------
    NotVisibleError
        The area is unknown or outside the scope.
    """
    exact(scope)
    hierarchy(scope, snapshot).check(area)
    if "expected" not in snapshot.tables():
        return pd.DataFrame(columns=["observed", "lower", "upper", "p_more", "p_less"])
    where = "level = ? AND area_index = ? AND \"group\" <> 'all'"
    found = _of_week(snapshot, where, [area.level, area.index], end).set_index("group")
    grain = snapshot.manifest.grain
    for name, back in (("before", 1), ("year", PERIODS_PER_YEAR[grain])):
        then = periods.shift(end, -back, grain=grain)
        past = _of_week(snapshot, where, [area.level, area.index], then).set_index("group")[
            "observed"
        ]
        found = found.assign(**{name: past.reindex(found.index) if len(past) else math.nan})
    return found


def _of_week(snapshot: Snapshot, where: str, values: list[object], end: dt.date) -> pd.DataFrame:
    found = snapshot.query(
        'SELECT area_index, "group", observed, expected, lower, upper, size FROM expected '
        f"WHERE period_end = ? AND {where}",
        [end, *values],
    )
    more, less = tails(
        *(found[name].to_numpy(np.float64) for name in ("observed", "expected", "size"))
    )
    return found.assign(p_more=more, p_less=less)


def tails(
    observed: NDArray[np.float64], expected: NDArray[np.float64], size: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """
    P(count at least `observed`) and P(count at most `observed`), shape (n,).

    The count is negative binomial with mean `expected`; a `size` of inf is Poisson. NaN where
    nothing is expected, or where both counts are below `LEAST`.
    """
    tested = np.isfinite(expected) & (expected > 0) & (np.maximum(observed, expected) >= LEAST)
    more, less = np.full(len(observed), np.nan), np.full(len(observed), np.nan)
    poisson = tested & np.isinf(size)
    rest = tested & np.isfinite(size)
    more[poisson] = stats.poisson.sf(observed[poisson] - 1, expected[poisson])
    less[poisson] = stats.poisson.cdf(observed[poisson], expected[poisson])
    share = size[rest] / (size[rest] + expected[rest])
    more[rest] = stats.nbinom.sf(observed[rest] - 1, size[rest], share)
    less[rest] = stats.nbinom.cdf(observed[rest], size[rest], share)
    return more, less


def verdicts(counts: pd.DataFrame) -> list[str]:
    """
    Say of each row whether it is `more`, `less` or `usual`; `unknown` where it was not tested.

    Both tails of every row are tested, at the false discovery rate over all of them.
    """
    p = counts[["p_more", "p_less"]].to_numpy(np.float64)
    tested = ~np.isnan(p[:, 0])
    said = np.where(tested, "usual", "unknown").astype(object)
    if tested.any():
        adjusted = stats.false_discovery_control(p[tested].ravel()).reshape(-1, 2)
        stands = adjusted <= DISCOVERY
        said[np.flatnonzero(tested)[stands[:, 1]]] = "less"
        said[np.flatnonzero(tested)[stands[:, 0]]] = "more"
    return [str(one) for one in said]


def counted(row: pd.Series, verdict: str, *, total: int | None = None) -> Counted:
    """
    Facts of one row of `area_counts` or `group_counts`.

    Parameters
    ----------
    total
        All incidents, those that patrols found included; None = the reported ones alone are told.
    """
    reported = int(row["observed"])
    usual = None
    if not (math.isnan(row["lower"]) or math.isnan(row["upper"])):
        usual = Range(lower=float(row["lower"]), upper=float(row["upper"]))
    return Counted(
        now=reported if total is None else total,
        before=_whole(row["before"]),
        year=_whole(row["year"]),
        reported=reported,
        usual=usual,
        verdict=verdict,
    )


def _whole(value: float) -> int | None:
    return None if math.isnan(value) else int(value)

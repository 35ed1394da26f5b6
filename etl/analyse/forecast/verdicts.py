"""
Whether a forecast is shown: only where it is as good as the plain ones over the scored periods.

Ratios of means over the periods; their 90 % intervals by drawing whole periods with replacement
(Efron 1979, Annals of Statistics 7, 1).
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from etl.analyse.forecast.plain import HEAT, HISTORY, LAST
from etl.analyse.forecast.scorecards import METHODS, OURS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from data.periods import Grain
    from etl.analyse.bed import Floats, Ints

LEAST_PERIODS: Final[dict[Grain, int]] = {"week": 8, "month": 4}
"""Fewer scored periods than this decide nothing: the forecast stays hidden."""

LEAST_PAI: Final = 0.95
MOST_DEVIANCE: Final = 1.02
"""Ratios to a plain forecast that still count as a tie."""

LEAST_LISTED: Final = 5
"""Hits of fewer places than this decide nothing: one event more or less would turn them."""

_DRAWS: Final = 1000
_SEED: Final = 20_170
_POINTS: Final = (5, 95)

SHOWN, FEW, WORSE_HITS, WORSE_ERROR = "shown", "few_periods", "fewer_hits", "larger_error"

VERDICTS: Final = (
    "period_end", "target", "group", "periods", "events", "pai2", "pei2", "hit2",
    "pai2_to_kde4", "pai2_to_kde4_lower", "pai2_to_kde4_upper", "pai2_to_history",
    "pai2_to_history_lower", "pai2_to_history_upper", "pai2_to_last",
    "deviance_to_kde4", "deviance_to_history", "deviance_to_last", "coverage", "is_shown",
    "reason", "reason_method",
)  # fmt: skip


def verdict_table(scorecards: pd.DataFrame, *, grain: Grain) -> pd.DataFrame:
    """
    Judge each target and group over all scored periods.

    Parameters
    ----------
    scorecards
        Rows of `scorecards` of the periods that count, at most one per period, target, group and
        method.

    Returns
    -------
    verdicts
        Columns `VERDICTS`. `reason` is `shown`, `few_periods`, `fewer_hits` (PAI@2 % below
        `LEAST_PAI` of that of the method `reason_method`) or `larger_error` (deviance above
        `MOST_DEVIANCE` of its). Ratios are NaN where a method has no such figure.
    """
    if not len(scorecards):
        return pd.DataFrame(columns=list(VERDICTS))
    last = scorecards["period_end"].max()
    rows = []
    for (target, group), own in scorecards.groupby(["target", "group"], sort=False):
        rows.append({"period_end": last, "target": target, "group": group, **_judge(own, grain)})
    frame = pd.DataFrame(rows, columns=list(VERDICTS))
    return frame.astype({"periods": np.int32})


def _judge(own: pd.DataFrame, grain: Grain) -> dict[str, object]:
    day, at = np.unique(own["period_end"].to_numpy(), return_inverse=True)
    method_of = own["method"].to_numpy()
    pai = np.where(own["listed"] >= LEAST_LISTED, own["pai2"], np.nan)
    wide = [_by_method(one, at, len(day), method_of) for one in (pai, own["deviance"].to_numpy())]
    ours = own[method_of == OURS]
    periods = len(ours)
    hits = {name: ratio(wide[0], name) for name in (LAST, HEAT, HISTORY)}
    error = {name: _quotient(_both(wide[1], name)) for name in (LAST, HEAT, HISTORY)}
    reason, method = SHOWN, ""
    # The history last: of several plain forecasts that are better it is the one to be named.
    for name in (LAST, HEAT, HISTORY):
        if error[name] > MOST_DEVIANCE:
            reason, method = WORSE_ERROR, name
        if hits[name][0] < LEAST_PAI:
            reason, method = WORSE_HITS, name
    if periods < LEAST_PERIODS[grain]:
        reason, method = FEW, ""
    return {
        "periods": periods, "events": float(ours["events"].sum()),
        **{name: float(ours[name].mean()) for name in ("pai2", "pei2", "hit2", "coverage")},
        **dict(zip(("pai2_to_kde4", "pai2_to_kde4_lower", "pai2_to_kde4_upper"), hits[HEAT],
                   strict=True)),
        **dict(zip(("pai2_to_history", "pai2_to_history_lower", "pai2_to_history_upper"),
                   hits[HISTORY], strict=True)),
        "pai2_to_last": hits[LAST][0],
        "deviance_to_kde4": error[HEAT], "deviance_to_history": error[HISTORY],
        "deviance_to_last": error[LAST],
        "is_shown": reason == SHOWN, "reason": reason, "reason_method": method,
    }  # fmt: skip


def _by_method(
    figures: Floats, at: Ints, periods: int, method: NDArray[np.object_]
) -> dict[str, Floats]:
    """Figures of each method by period, shape (periods,); NaN where it has none."""
    found = {}
    for name in METHODS:
        found[name] = np.full(periods, np.nan)
        own = method == name
        found[name][at[own]] = figures[own]
    return found


def _both(figures: Mapping[str, Floats], method: str) -> Floats:
    """Figures of ours and of a plain method in the periods that have both, shape (n, 2)."""
    both = np.column_stack([figures[OURS], figures[method]])
    return np.asarray(both[~np.isnan(both).any(axis=1)])


def _quotient(both: Floats) -> float:
    """Mean of the first column ÷ mean of the second; NaN where there is nothing to compare."""
    ours, theirs = both.sum(axis=0)
    return float(ours / theirs) if theirs > 0 else np.nan


def ratio(figures: Mapping[str, Floats], method: str) -> tuple[float, float, float]:
    """
    Mean of ours ÷ mean of a plain method over the periods that have both, with its 90 % interval.

    `figures` has those of each method by period; NaN where there is nothing to compare.
    """
    both = _both(figures, method)
    if not both[:, 1].sum() > 0:
        return np.nan, np.nan, np.nan
    sums: Floats = both[_draws(len(both))].sum(axis=1)
    some = sums[:, 1] > 0
    lower, upper = np.percentile(sums[some, 0] / sums[some, 1], _POINTS)
    return _quotient(both), float(lower), float(upper)


@lru_cache(maxsize=4)
def _draws(number: int) -> Ints:
    """Periods drawn with replacement, the same ones every time."""
    return np.random.default_rng(_SEED).integers(number, size=(_DRAWS, number))

"""
The level of the whole city: expected events of a period from those before it.

A quasi-Poisson regression (trend, season, Chinese holidays) with a ridge, so that a short history
gives a flat line; its level is that of the last eight periods, and an incomplete period counts by
the share of its events that is known (offset).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from etl.analyse.negative_binomial import relative_variance
from etl.analyse.regression import quasi_poisson

if TYPE_CHECKING:
    from etl.analyse.bed import Floats

LEVEL_PERIODS: Final = 8
_TREND_SD: Final = 0.2
_SEASON_SD: Final = 0.3
_HOLIDAY_SD: Final = 0.7
_REPEAT_SD: Final = 0.3
"""Standard deviation of a holiday's effect between years, as a share of the effect."""

_UNSEEN_SD: Final = 0.3
"""Standard deviation of the effect of a kind of holiday that the history does not hold."""

_INERTIA: Final = 10.0
"""Events, times dispersion, that hold the recent level to the fitted one where few happen."""

_LEAST_COMPLETE: Final = 0.05


@dataclass(frozen=True)
class Level:
    """
    Expected events of the city.

    Attributes
    ----------
    mean
        Of the next period, all that will become known.
    past
        Of each period before it, one step ahead and as far as known now: shape (n periods,).
    variance
        Relative variance beyond Poisson's of the one-step forecast.
    """

    mean: float
    past: Floats
    variance: float


def city_level(counts: Floats, complete: Floats, holiday: Floats, *, season: int) -> Level:
    """
    Expect the period that follows.

    Parameters
    ----------
    counts
        Events of the city per period as known now, shape (n periods,).
    complete
        Share of each period's events known now, shape (n periods,).
    holiday
        Regressors of those periods and of the next one, shape (n periods + 1, n kinds).
    season
        Periods in a year.
    """
    number = len(counts)
    design, prior_sd = _design(number + 1, holiday, season)
    offset = np.log(np.maximum(complete, _LEAST_COMPLETE))
    fit = quasi_poisson(counts[None, :], design[:-1], offset=offset, prior_sd=prior_sd, robust=True)
    fitted = fit.mean[0]
    ratio = _recent_ratio(
        counts, fitted, fit.weights[0], inertia=_INERTIA * float(fit.dispersion[0])
    )
    expected = float(np.exp(design[-1] @ fit.coefficients[0])) * ratio[-1]
    past = fitted * ratio[:-1]
    seen = np.arange(number) >= min(LEVEL_PERIODS, number - 1)
    # The coefficients were fitted to the same periods: their residuals are that much too small.
    free = max(1 - design.shape[1] / max(int(seen.sum()), 1), 0.5)
    residuals = (counts - past)[seen] / np.sqrt(free)
    variance = relative_variance(past[seen] + residuals, past[seen])
    variance = 0.0 if np.isnan(variance) else variance
    return Level(expected, past, variance + _holiday_variance(fit.coefficients[0], holiday))


def _design(number: int, holiday: Floats, season: int) -> tuple[Floats, Floats]:
    """Columns of the regression and the sd of their priors."""
    at = np.arange(number, dtype=np.float64)
    columns, sd = [np.ones(number)], [np.inf]
    if number > season:
        columns.append((at - number / 2) / season)
        sd.append(_TREND_SD)
    harmonics = 2 if number > season * 3 // 2 else 1 if number > season else 0
    for harmonic in range(1, harmonics + 1):
        angle = 2 * np.pi * harmonic * at / (365.25 / 7 if season == 52 else season)
        columns += [np.sin(angle), np.cos(angle)]
        sd += [_SEASON_SD / harmonic] * 2
    # A kind of holiday that the history does not hold has no effect that one could know.
    for kind in np.flatnonzero(holiday[:-1].any(axis=0)):
        columns.append(holiday[:, kind])
        sd.append(_HOLIDAY_SD)
    return np.column_stack(columns), np.array(sd)


def _holiday_variance(coefficients: Floats, holiday: Floats) -> float:
    """What is uncertain in the next period because a holiday's effect repeats only roughly."""
    seen = holiday[:-1].any(axis=0)
    effect = coefficients[len(coefficients) - int(seen.sum()) :]
    sd = np.full(holiday.shape[1], _UNSEEN_SD)
    sd[seen] = _REPEAT_SD * np.abs(effect)
    return float(np.sum((holiday[-1] * sd) ** 2))


def _recent_ratio(counts: Floats, fitted: Floats, weights: Floats, *, inertia: float) -> Floats:
    """Observed ÷ fitted of the eight periods before each, shape (n periods + 1,); 1 at first."""
    observed, expected = (np.append(0.0, np.cumsum(one * weights)) for one in (counts, fitted))
    first = np.maximum(np.arange(len(observed)) - LEVEL_PERIODS, 0)
    above, below = observed - observed[first], expected - expected[first]
    return np.asarray((above + inertia) / (below + inertia))

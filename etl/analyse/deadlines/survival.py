"""
Time to a step: Kaplan-Meier curves of strata on a common grid of quarter hours.

Strata are nested (class group, severity and allowance; group and severity; group; all), so one
histogram of the finest gives the others by sums. Kaplan and Meier 1958 (JASA 53, 457); interval on
the log-log scale with Greenwood's variance, Kalbfleisch and Prentice 2002, section 1.4.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from scipy import special

if TYPE_CHECKING:
    from collections.abc import Sequence

    from etl.analyse.bed import Flags, Floats, Ints

BIN_S: Final = 900
"""Width of a bin in seconds: a step counts at the end of its quarter hour."""
HORIZON_DAYS: Final = 120
"""Longer durations are cut off there: what is still open then is not followed further."""
BINS: Final = HORIZON_DAYS * 86_400 // BIN_S + 1
COVERAGE: Final = 0.90


@dataclass(frozen=True)
class Curves:
    """
    Curves of the strata of one nesting level.

    Attributes
    ----------
    strata
        Distinct keys in ascending order, shape (n strata,).
    events
        Steps done in each bin, shape (n strata, BINS).
    at_risk
        Clocks still running just before the end of each bin, same shape.
    survival
        Share not done by the end of each bin, same shape.
    """

    strata: Ints
    events: Floats
    at_risk: Floats
    survival: Floats

    @property
    def n(self) -> Floats:
        """Clocks of each stratum."""
        return self.at_risk[:, 0]

    def interval(self, rows: Ints, bins: Ints) -> tuple[Floats, Floats]:
        """Lower and upper bound of the survival at 90 %; NaN where it is 0 or 1."""
        events, at_risk = self.events[rows], self.at_risk[rows]
        survival = self.survival[rows][:, bins]
        with np.errstate(divide="ignore", invalid="ignore"):
            steps = np.where(events > 0, events / (at_risk * (at_risk - events)), 0.0)
            error = np.sqrt(np.cumsum(steps, axis=1)[:, bins]) / np.log(survival)
            factor = np.exp(special.ndtri((1 + COVERAGE) / 2) * np.abs(error))
            lower, upper = survival**factor, survival ** (1 / factor)
        inside = (survival > 0) & (survival < 1)
        return np.where(inside, lower, np.nan), np.where(inside, upper, np.nan)


def nested_curves(
    keys: Ints, duration: Ints, ended: Flags, *, coarser: Sequence[int]
) -> list[Curves]:
    """
    Curves at several levels of nesting.

    Parameters
    ----------
    keys
        Stratum of each clock, shape (n,).
    duration
        Seconds to the step, or to the moment up to which the clock was followed, shape (n,).
    ended
        Whether the step was done.
    coarser
        What a key is divided by for each level, from the finest (1) to the coarsest.
    """
    strata, member = np.unique(keys, return_inverse=True)
    done = ended & (duration <= (BINS - 1) * BIN_S)
    # A step counts at the end of its bin; what was followed no longer, at the bin's start.
    place = np.where(done, -(-duration // BIN_S), np.minimum(duration // BIN_S, BINS - 1))
    flat = member * BINS + place
    size = len(strata) * BINS
    events, lost = (
        np.bincount(flat[chosen], minlength=size).reshape(-1, BINS) for chosen in (done, ~done)
    )
    found = []
    for divisor in coarser:
        upper, first = np.unique(strata // divisor, return_index=True)
        total = [np.add.reduceat(one, first) if len(first) else one for one in (events, lost)]
        found.append(_curves(upper, *total))
    return found


def _curves(strata: Ints, events: Ints, lost: Ints) -> Curves:
    gone = np.cumsum(events + lost, axis=1).astype(np.float64)
    at_risk = gone[:, -1:] - np.pad(gone[:, :-1], ((0, 0), (1, 0)))
    survival = np.cumprod(1 - events / np.maximum(at_risk, 1), axis=1)
    return Curves(
        strata, events.astype(np.float64), at_risk, np.asarray(survival, dtype=np.float64)
    )


def chance_open(
    curves: Sequence[Curves],
    keys: Sequence[Ints],
    elapsed: Ints,
    until: Ints,
    *,
    least: int,
) -> Floats:
    """
    P(not done by `until` | not done by `elapsed`) of running clocks.

    Parameters
    ----------
    curves
        From the finest level to the coarsest: the first with enough clocks at risk is taken.
    keys
        Stratum of each clock at each of these levels, shape (m,).
    elapsed, until
        Counted seconds since the start, shape (m,).
    least
        Clocks that must have run as long as this one.

    Returns
    -------
    chance
        NaN = no curve reaches so far.
    """
    found = np.full(len(elapsed), np.nan)
    now, due = elapsed // BIN_S, until // BIN_S
    for level, key in zip(curves, keys, strict=True):
        if not len(level.strata):
            break
        row = np.minimum(np.searchsorted(level.strata, key), len(level.strata) - 1)
        tried = np.isnan(found) & (due < BINS - 1) & (level.strata[row] == key)
        enough = tried.copy()
        enough[tried] = level.at_risk[row[tried], now[tried] + 1] >= least
        r = row[enough]
        found[enough] = level.survival[r, due[enough]] / level.survival[r, now[enough]]
    return found

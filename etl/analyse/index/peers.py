"""
What an area's own past and its peers lead one to expect: Bühlmann shrinkage, the area left out.

The rate of an area is the mean of its own baseline and of its peers', each weighing by what it
rests on: (K·m + y) / (K + e). K is the variance of one unit of observation over the variance
between the peers' true rates, by moments (Marshall 1991, Applied Statistics 40, 283). For counts
this is the posterior mean under a Gamma prior of shape K·m, for shares under a Beta prior.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from etl.analyse.bed import Floats, Ints

STRENGTH_RANGE: Final = (0.05, 50.0)
"""Least and most events that the prior may be worth."""

FEWEST: Final = 3
"""Fewer peers say nothing about the spread between areas: no prior."""

VAGUE: Final = 0.5
"""Events of the prior where there are no peers (Jeffreys)."""


@dataclass(frozen=True)
class Peers:
    """
    Baseline of each area's peers, arrays of shape (n areas,); NaN = no peers.

    `rate` is theirs per unit; `weight` (K) is the number of units that it counts for.
    """

    rate: Floats
    weight: Floats

    def shape_and_units(self, count: Floats, units: Floats) -> tuple[Floats, Floats]:
        """Shape and inverse scale of the posterior Gamma distribution of each area's rate."""
        alone = ~np.isfinite(self.rate)
        shape = np.where(alone, VAGUE, self.weight * self.rate) + count
        return shape, np.where(alone, 0.0, self.weight) + units

    def expected(self, count: Floats, units: Floats) -> Floats:
        """Shrunk rate of each area per unit; NaN without any unit and peer."""
        shape, total = self.shape_and_units(count, units)
        return shape / np.where(total > 0, total, np.nan)


def peers_of(
    count: Floats,
    units: Floats,
    parent: Ints,
    *,
    least: int,
    share: bool = False,
    scatter: float = 1.0,
) -> Peers:
    """
    Peers of each area in its baseline, itself left out.

    Parameters
    ----------
    count, units
        Baseline events and what they are counted against (exposure times periods, or incidents),
        shape (n areas,); areas with NaN or no units are no peers.
    parent
        Siblings are the peers where there are at least `least` others; else the level.
    share
        Whether `count` is a part of `units`.
    scatter
        Variance of one event's value over its mean: 1 where each counts 1.
    """
    known = np.isfinite(units) & (units > 0)
    e = np.where(known, units, 0.0)
    y = np.where(known, count, 0.0)
    sums = np.stack([e, y, np.where(known, y**2 / np.where(known, e, 1.0), 0.0), known * 1.0])
    level = sums.sum(axis=1)[:, None] - sums
    # Areas without a parent are together, and nobody's siblings.
    family = parent + 1
    grouped = np.stack([np.bincount(family, weights=one) for one in sums])
    siblings = grouped[:, family] - sums
    near = (parent >= 0) & (siblings[3] >= least - 0.5)
    units_sum, events, squares, number = np.where(near, siblings, level)
    usable = np.isfinite(units) & (number >= FEWEST - 0.5) & (units_sum > 0)
    total = np.where(usable, units_sum, 1.0)
    rate = np.maximum(events, VAGUE) / total
    if share:
        rate = np.minimum(rate, 1 - VAGUE / (total + 1))
    unit_variance = rate * (1 - rate) if share else rate * scatter
    # Σ e (r - m)² / Σ e - variance of one unit / mean units: the spread of the true rates.
    spread = np.maximum(squares - events**2 / total, 0.0) / total
    between = spread - unit_variance * np.maximum(number, 1) / total
    low, high = STRENGTH_RANGE
    strength = np.clip(rate**2 / np.maximum(between, rate**2 / high), low, high)
    weight = unit_variance * strength / rate**2
    return Peers(np.where(usable, rate, np.nan), np.where(usable, weight, np.nan))

"""
The gate: how likely the window's incidents are if nothing changed.

The number to come in an area, given its shrunk baseline, is negative binomial; so is the scatter
between periods that areas of the level show anyway, and both uncertainties add.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from etl.analyse.index.peers import peers_of
from etl.analyse.negative_binomial import upper_tail

if TYPE_CHECKING:
    from data.index_settings import IndexSettings
    from etl.analyse.bed import Floats, Ints
    from etl.analyse.index.context import Context
    from etl.analyse.index.measure import Moment


def window_tail(
    level: Context,
    now: Floats,
    before: Floats,
    settings: IndexSettings,
    *,
    scatter: float = 0.0,
) -> Floats:
    """
    P(N >= `now`) in the window, given the baseline.

    Parameters
    ----------
    now, before
        Incidents in the window and in the baseline, shape (n areas,).
    scatter
        Variance between periods beyond Poisson's in units of mean².
    """
    exposure = level.exposure
    unit = np.where(np.isfinite(exposure), exposure, 1.0)
    units = np.where(level.usable, exposure * level.baseline, np.nan)
    peers = peers_of(before, units, level.areas.parent, least=settings.peers_least)
    shape, total = peers.shape_and_units(before, unit * level.baseline)
    ahead = unit * level.window * level.complete
    known = (total > 0) & (ahead > 0)
    mean = shape / np.where(known, total, 1.0) * ahead
    size = 1 / (1 / shape + scatter / np.where(known, level.window, 1.0))
    return np.where(known, upper_tail(now, mean, size), np.nan)


def area_tail(moment: Moment) -> tuple[Floats, Floats]:
    """
    Probability that an area's gate goes by, and its reported incidents; shape (n areas,) each.

    The smaller of that of all reported incidents and of the smallest of the gated dimensions times
    `gate_factor`; NaN without a baseline.
    """
    settings, level = moment.prepared.settings, moment.level
    found = []
    for number in range(len(moment.prepared.gates)):
        now, before, _ = moment.sums.of(level, ("gate", number))
        found.append(window_tail(level, now, before, settings, scatter=moment.scatter))
    smallest = found[0]
    for one in found[1:]:
        smallest = np.fmin(smallest, settings.colours.gate_factor * one)
    n = moment.sums.of(level, ("gate", 0))[0]
    return np.where(level.usable, np.minimum(smallest, 1.0), np.nan), n


def caps(probability: Floats, n: Floats, settings: IndexSettings) -> Ints:
    """
    Highest colour that the gate lets stand, shape (n areas,).

    A colour whose gate fails drops one step and is tested again: as the gates get stricter from
    colour to colour, that is a cap.
    """
    found = np.ones(len(probability), dtype=np.int64)
    for colour, gate in enumerate(settings.colours.gates, start=2):
        found = np.where(probability <= gate, colour, found)
    return np.where(n < settings.colours.small_sample, np.minimum(found, 2), found)

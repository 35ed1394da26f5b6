"""
How many signals of each colour chance alone brings: draws from the fitted null, tested alike.

Every area draws its count from its own negative binomial, and the draws go through the very tests
and limits of the signals. Slow rises: the chance of a sum of standard normal steps (Brook and Evans
1972, Biometrika 59, 539).
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final

import numpy as np
from scipy import special

from etl.analyse.hotspots.exceedance import ring_sums
from etl.analyse.signals.detect import CUSUM, RING, colours, small_tail

if TYPE_CHECKING:
    from scipy import sparse

    from data.signal_settings import SignalSettings
    from etl.analyse.bed import Floats
    from etl.analyse.signals.day import Tested
    from etl.analyse.signals.detect import Test

COLOURS: Final = 5
_STATES: Final = 200


def by_chance(
    found: Tested, ring: sparse.csr_array, settings: SignalSettings, *, seed: list[int]
) -> Floats:
    """
    Areas that chance alone would give each colour.

    Parameters
    ----------
    seed
        Of the draws: the same day always gives the same numbers.

    Returns
    -------
    number
        Shape (n levels, 5): mean number of areas whose highest colour is 0 (none) to 4.
    """
    lowest = len(found.tests) - 1
    rows = []
    for depth, tests in enumerate(found.tests):
        rng = np.random.default_rng([*seed, depth])
        rows.append(_level(tests, ring, settings, rng, lowest=depth == lowest))
    return np.array(rows)


def _level(
    tests: tuple[Test, ...],
    ring: sparse.csr_array,
    settings: SignalSettings,
    rng: np.random.Generator,
    *,
    lowest: bool,
) -> Floats:
    draws = settings.chance_draws
    known = np.isfinite(tests[0].mean)
    drawn = _draw(tests[0], draws, rng)
    highest = np.zeros(drawn.shape, dtype=np.int8)
    for one in tests:
        if one.by == CUSUM:
            continue
        counts = ring_sums(ring, drawn) if one.by == RING else drawn
        mean, size = (np.repeat(each[:, None], draws, axis=1) for each in (one.mean, one.size))
        p = small_tail(counts, mean, size)
        highest = np.maximum(highest, colours(p, counts, mean, settings.colours, lowest=lowest))
    number = np.bincount(highest[known].ravel(), minlength=COLOURS) / max(draws, 1)
    rising = np.count_nonzero(known) * _chance_of_a_rise(
        settings.cusum_weeks, settings.cusum_slack, settings.cusum_cap, settings.cusum_limit
    )
    number[settings.cusum_colour] += rising
    number[0] -= rising
    return number


def _draw(test: Test, draws: int, rng: np.random.Generator) -> Floats:
    """Counts from the null of each area, shape (n areas, n draws); 0 where it is unknown."""
    mean = np.nan_to_num(test.mean)
    poisson = ~np.isfinite(test.size)
    size = np.where(poisson, 1.0, test.size)
    factor = rng.standard_gamma(np.broadcast_to(size[:, None], (len(mean), draws)))
    factor = np.where(poisson[:, None], 1.0, factor / size[:, None])
    return rng.poisson(factor * mean[:, None]).astype(np.float64)


@lru_cache
def _chance_of_a_rise(weeks: int, slack: float, cap: float, limit: float) -> float:
    """P(the sum reaches its limit in the last of so many steps), by a chain of small states."""
    if not weeks:
        return 0.0
    width = limit / _STATES
    state = np.arange(2 * _STATES + 1) * width
    edges = np.append(state[:-1] + width / 2, np.inf)
    # From each state to below the upper edge of each other.
    step = edges[None, :] - state[:, None] + slack
    below = np.where(step >= cap, 1.0, special.ndtr(np.minimum(step, cap)))
    move = np.diff(below, prepend=0.0, axis=1)
    chances = np.zeros(len(state))
    chances[0] = 1.0
    for _ in range(weeks):
        chances = chances @ move
    return float(chances[_STATES:].sum())

"""
Scores of one forecast against what happened: hits in the places ranked first, and the error.

PAI after Chainey, Tompson and Uhlig 2008 (Security Journal 21, 4); PEI after Hunt 2016, as used in
the NIJ forecasting challenge of 2017; CRPS after Gneiting and Raftery 2007 (JASA 102, 359).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from scipy import special

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from etl.analyse.bed import Floats, Ints

_FEW: Final = 30.0
"""Up to this mean a distribution is summed count by count; above, over `_STEPS` points."""
_STEPS: Final = 160
_REACH: Final = 12.0
"""Standard deviations beyond which nothing is left of a distribution."""
_SCRAMBLE: Final = 2_017
_ROUNDING: Final = 1 + 1e-12


@dataclass(frozen=True)
class Hits:
    """
    What the places ranked first held; NaN = no data.

    `listed` places take `area_share` of the area; `with_event` of them had an event; `hit` is the
    share of all events in them, `pai` = hit / area share (1 = as good as chance), `pei` = their
    events in relation to those of the best places of the same area.
    """

    listed: int
    with_event: int
    area_share: float
    hit: float
    pai: float
    pei: float


NO_HITS: Final = Hits(0, 0, np.nan, np.nan, np.nan, np.nan)


def hits(
    score: Floats,
    observed: Floats,
    *,
    area: Floats,
    shares: Sequence[float],
    events: float | None = None,
) -> tuple[Hits, ...]:
    """
    Hits in the best-ranked places that together take at most a share of the area.

    Parameters
    ----------
    score
        Forecast count per place, shape (n,); ranked by count per area.
    observed
        Count per place, shape (n,).
    area
        Area per place in any unit, shape (n,); NaN = unknown, then there is no score.
    shares
        Shares of the area, 0-1.
    events
        All events of the period, also those in none of the places; by default the sum.

    Returns
    -------
    hits
        One per share.
    """
    total, whole = float(observed.sum()) if events is None else events, float(area.sum())
    if not total > 0 or not whole > 0:
        return tuple(NO_HITS for _ in shares)
    ranked, best = _ranking(score / area), _ranking(observed / area)
    used, possible = np.cumsum(area[ranked]), np.cumsum(area[best])
    found, ideal = np.cumsum(observed[ranked]), np.cumsum(observed[best])
    with_event = np.cumsum(observed[ranked] > 0)

    def at(share: float) -> Hits:
        listed = int(np.searchsorted(used, share * whole * _ROUNDING, side="right"))
        if not listed:
            return NO_HITS
        taken, held = float(used[listed - 1]), float(found[listed - 1])
        most = int(np.searchsorted(possible, taken * _ROUNDING, side="right"))
        limit = max(held, float(ideal[most - 1]) if most else 0.0)
        pai = held / total / (taken / whole)
        pei = held / limit if limit > 0 else np.nan
        return Hits(listed, int(with_event[listed - 1]), taken / whole, held / total, pai, pei)

    return tuple(at(share) for share in shares)


def _ranking(density: Floats) -> NDArray[np.intp]:
    """Positions from the highest down; equal ones in an order that has nothing to do with place."""
    scrambled = np.random.default_rng(_SCRAMBLE).permutation(len(density))
    return np.asarray(scrambled[np.argsort(-density[scrambled], kind="stable")])


def poisson_deviance(observed: Floats, mean: Floats) -> float:
    """Mean Poisson deviance per place; `mean` must be positive where something was observed."""
    logs = special.xlogy(observed, observed) - special.xlogy(observed, mean)
    return float(np.mean(2 * (logs - observed + mean)))


def crps(observed: Floats, mean: Floats, size: Floats) -> Floats:
    """
    Continuous ranked probability score of negative binomial forecasts.

    Parameters
    ----------
    observed, mean, size
        Shape (n,) each; `size` infinite = Poisson.

    Returns
    -------
    score
        Sum over the counts k of (P(N <= k) - [observed <= k])², in events; shape (n,).
    """
    found = np.zeros(len(mean))
    few = (mean <= _FEW) & (observed <= 20 * _FEW)
    found[few] = _summed_crps(observed[few], mean[few], size[few])
    many = np.flatnonzero(~few)
    if len(many):
        found[many] = _spaced_crps(observed[many], mean[many], size[many])
    return found


def _summed_crps(observed: Floats, mean: Floats, size: Floats) -> Floats:
    """Count by count with the recursion of the probabilities: exact."""
    if len(mean) == 0:
        return np.zeros(0)
    order = np.argsort(_upper_end(observed, mean, size))
    observed, mean, size = observed[order], mean[order], size[order]
    last = _upper_end(observed, mean, size)
    poisson = np.isinf(size)
    finite = np.where(poisson, 1.0, size)
    odds = np.where(poisson, mean, mean / (finite + mean))
    probability = np.where(poisson, np.exp(-mean), np.exp(-finite * np.log1p(mean / finite)))
    below, total = probability.copy(), np.zeros(len(mean))
    first = 0
    for count in range(int(last[-1]) + 1):
        # Places whose distribution is over drop out from the front.
        first = int(np.searchsorted(last, count))
        rest = slice(first, None)
        total[rest] += (below[rest] - (observed[rest] <= count)) ** 2
        growth = np.where(poisson[rest], 1.0, finite[rest] + count) / (count + 1)
        probability[rest] *= odds[rest] * growth
        below[rest] += probability[rest]
    found = np.empty(len(mean))
    found[order] = total
    return found


def _upper_end(observed: Floats, mean: Floats, size: Floats) -> Ints:
    spread = np.sqrt(mean + mean**2 / size)
    heavy = np.where(np.isinf(size), 1.0, 1.0 + mean / size)
    reach = np.maximum(mean + _REACH * spread + 8.0 * heavy, observed)
    return np.asarray(np.ceil(reach), dtype=np.int64)


def _spaced_crps(observed: Floats, mean: Floats, size: Floats) -> Floats:
    """The sum as two integrals, from what was observed down to nothing and up to the far tail."""
    edge = observed - 0.5
    reach = _REACH * np.sqrt(mean + mean**2 / size)
    low = np.maximum(np.minimum(mean - reach, edge), -0.5)
    high = _upper_end(observed, mean, size) + 1.0
    below, step = _points(edge, low)
    above, stride = _points(edge, high)
    left = distribution(below, mean[:, None], size[:, None]) ** 2 * -step
    right = (1 - distribution(above, mean[:, None], size[:, None])) ** 2 * stride
    return np.asarray((left + right).sum(axis=1))


def _points(first: NDArray[Any], last: NDArray[Any]) -> tuple[Floats, Floats]:
    """Middles and lengths of steps that grow from the first point on: tails may be long."""
    middles = (np.arange(_STEPS) + 0.5) / _STEPS
    length = (last - first)[:, None]
    return first[:, None] + length * middles**2, length * (2 * middles / _STEPS)


def distribution(count: Floats, mean: Floats, size: Floats) -> Floats:
    """P(N <= count), continued between whole counts so that it passes through them at + 0."""
    reached = np.maximum(count + 0.5, 1e-9) + 0.5
    poisson = np.broadcast_to(np.isinf(size), count.shape)
    mean, size = np.broadcast_to(mean, count.shape), np.broadcast_to(size, count.shape)
    found = np.empty(count.shape)
    found[poisson] = special.gammaincc(reached[poisson], mean[poisson])
    rest = ~poisson
    share = size[rest] / (size[rest] + mean[rest])
    found[rest] = special.betainc(size[rest], reached[rest], share)
    return found

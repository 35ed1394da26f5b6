"""
The usual band: what the 15 weeks (6 months) just before lead one to expect, 90 % of it.

One band for the map and the weekly report. A count is negative binomial: the spread of the weeks
and the doubt about their mean are both in it. A score is taken as normal, with the same two parts.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
from scipy import special

from dashboard import queries
from dashboard.cache import scoped_cache_of_few
from dashboard.map.measures_counted import comparable, known_share
from data.periods import Window, shift
from data.rates import BASELINE_PERIODS, INTERVAL

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from dashboard.queries import Selection
    from data.access import Scope
    from data.store import Snapshot

WIDER: Final = 1.3
"""A spread that is estimated from 15 periods is as often too small: Student's t at the two P."""

KNOWN_SHARE: Final = 0.5
"""Part of the periods whose score must be known, or there is no band of it."""


@dataclass(frozen=True)
class Predicted:
    """
    Negative binomial of a count, shape (n,); see `predict`.

    Attributes
    ----------
    size, share
        Its two parameters; the mean is size x (1 - share) / share.
    """

    size: NDArray[np.float64]
    share: NDArray[np.float64]

    @property
    def mean(self) -> NDArray[np.float64]:
        """Expected count."""
        return np.asarray(self.size * (1 - self.share) / self.share)

    def at_most(self, count: NDArray[np.float64]) -> NDArray[np.float64]:
        """P(count or fewer)."""
        return np.asarray(special.betainc(self.size, count + 1, self.share))

    def at_least(self, count: NDArray[np.float64]) -> NDArray[np.float64]:
        """P(count or more)."""
        more = special.betainc(np.maximum(count, 1), self.size, 1 - self.share)
        return np.asarray(np.where(count > 0, more, 1.0))

    def of(self, index: int) -> Predicted:
        """One of the distributions, shape (1,)."""
        return Predicted(self.size[index : index + 1], self.share[index : index + 1])


class LevelBand(NamedTuple):
    """Counts of a window, what was to be expected, and of which areas that is known, (n areas,)."""

    now: NDArray[np.float64]
    predicted: Predicted
    known: NDArray[np.bool_]


def predict(
    total: NDArray[np.float64], squares: NDArray[np.float64], *, length: int, exposure: float
) -> Predicted:
    """
    What a baseline leads one to expect of the periods that follow.

    With equal rates and an even course the count is negative binomial: the predictive distribution
    of a Poisson count whose rate has the Jeffreys prior (size total + 1/2). Where the periods of
    the baseline spread more than Poisson counts do, the variance grows in that proportion.

    Parameters
    ----------
    total, squares
        Sum and sum of squares of the counts of the baseline's periods, shape (n,).
    length
        Periods of the baseline.
    exposure
        Periods that follow, each by the share of it that is known.
    """
    mean = total / length
    variance = np.maximum(squares - total * mean, 0.0) / (length - 1)
    spread = np.maximum(WIDER * variance / np.where(mean > 0, mean, 1.0), 1.0)
    inflated = spread * (1 + exposure / length)
    expected = exposure * (total + 0.5) / length
    return Predicted(size=expected / (inflated - 1), share=1 / inflated)


def band_of(one: Predicted) -> tuple[int, int]:
    """The 5 % and the 95 % point of the first of some distributions."""
    mean, share = float(one.mean[0]), float(one.share[0])
    most = int(mean + 20 * np.sqrt(mean / share) + 20)
    # Halving: a city has tens of thousands of counts to choose from.
    lower, upper = (
        bisect_left(range(most), point, key=lambda count: float(one.at_most(np.array([count]))[0]))
        for point in INTERVAL
    )
    return lower, upper


def baseline(window: Window) -> Window:
    """The periods just before a window."""
    return Window(
        shift(window.start, -1, grain=window.grain), BASELINE_PERIODS[window.grain], window.grain
    )


@scoped_cache_of_few
def level_band(
    scope: Scope, snapshot: Snapshot, level: str, selection: Selection, groups: str
) -> LevelBand:
    """
    Band of the count of every area of a level.

    It is not known where the counts do not reach back as far, where a source fell silent, where
    the area was not there all the time, and where the window is longer than the baseline.

    Parameters
    ----------
    groups
        Whose reporting delay counts: that of `all` incidents, or of `any` group, the slowest.
    """
    window, earlier = selection.window, baseline(selection.window)
    now = queries.window_counts(scope, snapshot, level, selection)[:-1].astype(np.float64)
    total, squares = np.zeros(len(now)), np.zeros(len(now))
    for start in earlier.starts:
        one = replace(selection, window=replace(earlier, end=start, periods=1))
        counts = queries.counted(scope, snapshot, level, one)[:-1]
        total += counts
        squares += counts * counts
    shares = [known_share(scope, snapshot, each, groups) for each in (window, earlier)]
    predicted = predict(
        total,
        squares,
        length=earlier.periods,
        exposure=window.periods * shares[0] / shares[1],
    )
    known = comparable(scope, snapshot, level, window, earlier.start)
    if window.periods > earlier.periods:
        known[:] = False
    return LevelBand(now, predicted, known)


def score_band(values: Sequence[float], *, least: float, most: float) -> tuple[float, float] | None:
    """
    Band of a score from the periods before; None where too few of them are known.

    It is the predictive interval of a normal variable of unknown mean and variance: Student's t,
    widened by the doubt about the mean.

    Parameters
    ----------
    values
        Scores of the periods of the baseline; NaN = not known.
    least, most
        Bounds of the score itself.
    """
    known = np.array([value for value in values if not math.isnan(value)])
    if len(known) < 2 or len(known) <= KNOWN_SHARE * len(values):
        return None
    n = len(known)
    reach = float(special.stdtrit(n - 1, INTERVAL[1]) * known.std(ddof=1) * np.sqrt(1 + 1 / n))
    mean = float(known.mean())
    return max(mean - reach, least), min(mean + reach, most)

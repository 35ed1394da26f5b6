"""The window's incidents against what the 15 weeks (6 months) just before lead one to expect."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from scipy import special

from dashboard import numerals, queries
from dashboard.areas import hierarchy
from dashboard.cache import scoped_cache_of_few
from dashboard.map.banded import (
    UNKNOWN,
    Measured,
    Terms,
    scale,
    source_notes,
    window_note,
    within,
)
from dashboard.map.measures_counted import comparable, complete, known_share
from data.periods import Window, shift
from data.rates import BASELINE_PERIODS, INTERVAL, SMALL_SAMPLE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dashboard.areas import Area
    from dashboard.queries import Selection
    from dashboard.text import Words
    from dashboard.view import View
    from data.access import Scope
    from data.store import Snapshot

NEAR: Final = INTERVAL[0]
"""One-sided P outside the band, as in the trend chart."""

FAR: Final = 0.005
INSIDE: Final = 3
WIDER: Final = 1.3
"""A spread that is estimated from 15 periods is as often too small: Student's t at the two P."""


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


def band15(scope: Scope, snapshot: Snapshot, view: View, words: Words) -> Measured:
    """Above, below or within the band, where chance is unlikely."""
    now, predicted, known = _level_band(scope, snapshot, view.level, view.selection, complete(view))
    shown = np.where(known, bands(now, predicted), UNKNOWN)
    inside = hierarchy(scope, snapshot).inside(view.level, view.focus)
    compared = int(np.count_nonzero(inside & known))
    grain, earlier = snapshot.manifest.grain, _baseline(view.selection.window)
    fields = {"far": f"{FAR:g}", "near": f"{NEAR:g}", "small": SMALL_SAMPLE}
    chance = 2 * NEAR * compared
    return within(
        scope,
        snapshot,
        view,
        Measured(
            name="band15",
            bands=shown.astype(np.uint8),
            counts=now.astype(np.int64),
            small=0,
            colours=scale("change", 5),
            texts=tuple(words(f"measure_band15_{band}", **fields) for band in range(1, 6)),
            title=words(f"measure_title_band15_{grain}"),
            no_data=words("measure_band15_unknown"),
            notes=(
                words(f"measure_note_band15_{grain}"),
                words("measure_note_band15_chance", n=f"{compared:,d}", m=f"{chance:,.0f}"),
                words("measure_note_band15_season"),
                window_note(view, words),
                words("measure_before", first=earlier.start, last=earlier.last_day),
                *source_notes(snapshot, words),
            ),
        ),
    )


def band15_terms(scope: Scope, snapshot: Snapshot, view: View, area: Area, words: Words) -> Terms:
    """Count, what was to be expected, the band, the P of the nearer side and what it says."""
    hierarchy(scope, snapshot).check(area)
    counts, predicted, known = _level_band(
        scope, snapshot, area.level, view.selection, complete(view)
    )
    name, at = words("measure_band15"), slice(area.index, area.index + 1)
    if not known[area.index]:
        return [(name, words("measure_band15_unknown"))]
    now, one = counts[at], Predicted(predicted.size[at], predicted.share[at])
    p = float(np.minimum(one.at_most(now), one.at_least(now))[0])
    band = int(bands(now, one)[0])
    is_few = band == INSIDE and p <= NEAR
    lower, upper = band_of(one)
    return [
        (words("measure_count"), f"{now[0]:,.0f}"),
        (
            words("measure_band15_expected", n=BASELINE_PERIODS[view.selection.window.grain]),
            numerals.rate(float(one.mean[0]), words),
        ),
        (words("measure_band15_range"), f"{lower:,d}–{upper:,d}"),
        (words("measure_band15_p"), numerals.probability(p, words)),
        (name, words("measure_band15_few" if is_few else f"measure_band15_verdict_{band}")),
    ]


def band_of(one: Predicted) -> tuple[int, int]:
    """The 5 % and the 95 % point of the first of some distributions."""
    mean, share = float(one.mean[0]), float(one.share[0])
    most = int(mean + 20 * np.sqrt(mean / share) + 20)
    reached = one.at_most(np.arange(most, dtype=np.float64))
    lower, upper = np.searchsorted(reached, INTERVAL)
    return int(lower), int(upper)


def bands(now: NDArray[np.float64], predicted: Predicted) -> NDArray[np.int64]:
    """Band 1 far below to 5 far above; more than expected are at least a few."""
    below, above = predicted.at_most(now), predicted.at_least(now)
    found = np.full(len(now), INSIDE)
    for p, step in ((NEAR, 1), (FAR, 2)):
        found[below < p] = INSIDE - step
        found[(above <= p) & (now >= SMALL_SAMPLE)] = INSIDE + step
    return found


def _baseline(window: Window) -> Window:
    """The periods just before a window."""
    return Window(
        shift(window.start, -1, grain=window.grain), BASELINE_PERIODS[window.grain], window.grain
    )


@scoped_cache_of_few
def _level_band(
    scope: Scope, snapshot: Snapshot, level: str, selection: Selection, groups: str
) -> tuple[NDArray[np.float64], Predicted, NDArray[np.bool_]]:
    """
    Counts of the window, what was to be expected, and of which areas that is known.

    It is not where the counts do not reach back as far, where a source fell silent, where the area
    was not there all the time, and where the window is longer than the baseline.
    """
    window, earlier = selection.window, _baseline(selection.window)
    now = queries.window_counts(scope, snapshot, level, selection)[:-1].astype(np.float64)
    where, values = selection.condition
    rows = snapshot.arrays(
        "SELECT area_index, sum(count)::DOUBLE AS total, sum(count * count)::DOUBLE AS squares "
        f"FROM (SELECT area_index, sum(count) AS count FROM area_counts_{level} "
        f"WHERE period_start BETWEEN ? AND ? AND area_index >= 0 AND {where} "
        "GROUP BY area_index, period_start) GROUP BY area_index",
        [earlier.start, earlier.end, *values],
    )
    total, squares = np.zeros(len(now)), np.zeros(len(now))
    total[rows["area_index"]], squares[rows["area_index"]] = rows["total"], rows["squares"]
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
    return now, predicted, known

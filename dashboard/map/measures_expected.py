"""The window's incidents against what the 15 weeks (6 months) just before lead one to expect."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from dashboard import numerals
from dashboard.areas import hierarchy
from dashboard.map.banded import (
    UNKNOWN,
    Measured,
    Terms,
    scale,
    source_notes,
    window_note,
    within,
)
from dashboard.map.measures_counted import complete
from dashboard.usual_band import Predicted, band_of, baseline, level_band
from data.rates import BASELINE_PERIODS, INTERVAL, SMALL_SAMPLE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dashboard.areas import Area
    from dashboard.text import Words
    from dashboard.view import View
    from data.access import Scope
    from data.store import Snapshot

NEAR: Final = INTERVAL[0]
"""One-sided P outside the band, as in the trend chart."""

FAR: Final = 0.005
INSIDE: Final = 3


def band15(scope: Scope, snapshot: Snapshot, view: View, words: Words) -> Measured:
    """Above, below or within the band, where chance is unlikely."""
    now, predicted, known = level_band(scope, snapshot, view.level, view.selection, complete(view))
    shown = np.where(known, bands(now, predicted), UNKNOWN)
    inside = hierarchy(scope, snapshot).inside(view.level, view.focus)
    compared = int(np.count_nonzero(inside & known))
    grain, earlier = snapshot.manifest.grain, baseline(view.selection.window)
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
    counts, predicted, known = level_band(
        scope, snapshot, area.level, view.selection, complete(view)
    )
    name = words("measure_band15")
    if not known[area.index]:
        return [(name, words("measure_band15_unknown"))]
    now, one = counts[area.index : area.index + 1], predicted.of(area.index)
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


def bands(now: NDArray[np.float64], predicted: Predicted) -> NDArray[np.int64]:
    """Band 1 far below to 5 far above; more than expected are at least a few."""
    below, above = predicted.at_most(now), predicted.at_least(now)
    found = np.full(len(now), INSIDE)
    for p, step in ((NEAR, 1), (FAR, 2)):
        found[below < p] = INSIDE - step
        found[(above <= p) & (now >= SMALL_SAMPLE)] = INSIDE + step
    return found

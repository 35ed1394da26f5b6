"""The hit record: how often the week after a signal was again above what was to be expected."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from data.analysis_settings import DEFAULTS
from data.signal_settings import read_signal_settings
from etl.analyse.expected import expected_counts, upper_tail
from etl.analyse.hotspots.exceedance import ring_sums
from etl.analyse.observed import known_rows
from etl.analyse.signals.chance import COLOURS
from etl.analyse.signals.day import Watch
from etl.analyse.signals.detect import AREA, RING, ring_size

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scipy import sparse

    from data.signal_settings import SignalSettings
    from etl.analyse.bed import Bed, Flags, Floats
    from etl.analyse.signals.day import Tested

RECORDS: Final = ("period_end", "issued_on", "level", "colour", "issued", "followed", "by_chance")
RECORD_PERIODS: Final = 8


def signal_record_table(
    bed: Bed,
    adjacency: sparse.csr_array,
    at: int,
    *,
    known_on: np.datetime64,
    settings: SignalSettings | None = None,
    groups: Sequence[str] | None = None,
) -> pd.DataFrame:
    """
    What followed the signals of the last day of the period before.

    Parameters
    ----------
    at
        Position of the period that is looked at, at least 1.
    known_on
        Day as of which it is counted.

    Returns
    -------
    records
        Columns `RECORDS`, per level and colour: `issued` areas (each group by itself) reached it
        on `issued_on`; `followed` of them had more events in the period `at` than were to be
        expected at its beginning and known by `known_on`; `by_chance` would have, had the counts
        come from the fitted distribution. Signals of a ring are followed on the ring.
    """
    watch = Watch(bed, adjacency, settings or read_signal_settings(DEFAULTS))
    issued_on = bed.ends[at - 1]
    sums = np.zeros((len(bed.levels), COLOURS, 3))
    for group in groups or ("all", *bed.groups):
        found = watch.tested(group, issued_on)
        if found is not None:
            sums += _followed(watch, group, at, known_on, found)
    return pd.DataFrame(
        [
            (bed.starts[at], issued_on, level, colour, *sums[depth, colour])
            for depth, level in enumerate(bed.levels)
            for colour in range(1, COLOURS)
        ],
        columns=list(RECORDS),
    ).astype({"colour": np.int32, "issued": np.int32, "followed": np.int32})


def _followed(watch: Watch, group: str, at: int, known_on: np.datetime64, found: Tested) -> Floats:
    """Issued, followed and by chance, shape (n levels, 5, 3)."""
    bed, neighbours = watch.bed, watch.ring
    expected = expected_counts(bed, group, at=at, known_on=known_on)
    sums = np.zeros((len(bed.levels), COLOURS, 3))
    for depth, level in enumerate(bed.levels):
        colour = found.colour(depth)
        if not colour.any():
            continue
        observed = period_counts(bed, level, group, at, known_on)
        mean = expected.mean[depth] * expected.complete
        size = expected.size[depth]
        ring = _by_ring(found, depth)
        above, chance = _above(observed, mean, size)
        if ring.any():
            spread = ring_size(mean, size, _no_past(len(mean)), neighbours)
            above_ring, chance_ring = _above(
                ring_sums(neighbours, observed), ring_sums(neighbours, mean), spread
            )
            above = np.where(ring, above_ring, above)
            chance = np.where(ring, chance_ring, chance)
        for number in range(1, COLOURS):
            chosen = colour == number
            sums[depth, number] = chosen.sum(), above[chosen].sum(), chance[chosen].sum()
    return sums


def period_counts(bed: Bed, level: str, group: str, at: int, known_on: np.datetime64) -> Floats:
    """Reported events of a group in one period as known on a day, shape (n areas,)."""
    index = bed.index_of(level, known_rows(bed, group, at, at, known_on))
    size = len(bed.level_areas(level))
    return np.bincount(index[index >= 0], minlength=size).astype(np.float64)


def _above(observed: Floats, mean: Floats, size: Floats) -> tuple[Floats, Floats]:
    """Whether a count is above its expectation, and the probability of that; 0 where unknown."""
    chance = upper_tail(np.floor(mean) + 1, mean, size)
    return np.asarray(observed > mean, dtype=np.float64), np.nan_to_num(chance)


def _by_ring(found: Tested, depth: int) -> Flags:
    """Areas whose signal is one of the ring: no test of the area itself reached the colour."""
    own = [one.colour for one in found.tests[depth] if one.by == AREA]
    has_ring = any(one.by == RING for one in found.tests[depth])
    return np.asarray(has_ring & (own[0] < found.colour(depth)))


def _no_past(number: int) -> tuple[Floats, Floats]:
    return np.zeros((number, 0)), np.zeros((number, 0))

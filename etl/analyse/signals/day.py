"""All tests of one group on one day, at every level, and the colours that they lead to."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from etl.analyse.hotspots.exceedance import ring_sums
from etl.analyse.hotspots.neighbours import with_self
from etl.analyse.signals.detect import (
    AREA,
    Counted,
    Test,
    exceedance,
    ring_counted,
    slow_rise,
)
from etl.analyse.signals.trailing import window

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from scipy import sparse

    from data.signal_settings import SignalSettings
    from etl.analyse.bed import Bed, Floats
    from etl.analyse.signals.trailing import Window


@dataclass(frozen=True)
class Tested:
    """Tests of one group on one day, per level from the top down."""

    tests: tuple[tuple[Test, ...], ...]
    days: int

    def colour(self, depth: int) -> NDArray[np.int8]:
        """Highest colour of each area, 0 = none; shape (n areas,)."""
        highest = np.max([one.colour for one in self.tests[depth]], axis=0)
        return np.asarray(highest, dtype=np.int8)


@dataclass(frozen=True)
class Watch:
    """
    What signals are made from.

    `adjacency` tells which of the lowest areas are neighbours: 0/1 without self, (n, n).
    """

    bed: Bed
    adjacency: sparse.csr_array
    settings: SignalSettings

    @cached_property
    def ring(self) -> sparse.csr_array:
        """The same with ones on the diagonal."""
        return with_self(self.adjacency)

    def tested(self, group: str, day: np.datetime64) -> Tested | None:
        """Test every level; None where there is nothing to compare with."""
        memo, key = self.bed.memo, ("tested", group, day)
        if key not in memo:
            held = window(self.bed, group, day, self.settings)
            memo[key] = None if held is None else _tests(held, self.ring, self.settings)
        found: Tested | None = memo[key]
        return found


def _tests(held: Window, ring: sparse.csr_array, settings: SignalSettings) -> Tested:
    lowest = len(held.observed) - 1
    found = []
    for depth, observed in enumerate(held.observed):
        mean, size = held.mean[depth], held.expected.size[depth]
        past = held.past[depth], _past_mean(held, depth)
        others: tuple[Test, ...]
        own = exceedance(
            Counted(AREA, observed, mean, size), settings=settings, lowest=depth == lowest
        )
        if depth == lowest:
            before = ring_sums(ring, past[0]), ring_sums(ring, past[1])
            together = ring_counted(own, before, ring)
            others = (
                exceedance(together, settings=settings, lowest=True),
                slow_rise(together, before, settings=settings),
            )
        else:
            others = (slow_rise(own, past, settings=settings),)
        found.append((own, *others))
    return Tested(tuple(found), held.days)


def _past_mean(held: Window, depth: int) -> Floats:
    """
    Expected counts of the windows before, below the city relative to the city's own count.

    What moves the whole city (season, holidays, late reporting) is then no residual of an area.
    """
    expected = held.expected
    city = expected.recent if depth == 0 else held.past[0].sum(axis=0)
    return np.outer(expected.base[depth], city)

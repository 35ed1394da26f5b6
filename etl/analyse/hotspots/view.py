"""All three layers and the pattern in time of one map in one period."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from etl.analyse.hotspots.emerging import (
    LEAST_STEPS,
    MOSTLY,
    NO_PATTERN,
    classify,
    final_run,
    plain_groups,
    trend_signs,
)
from etl.analyse.hotspots.exceedance import exceeds
from etl.analyse.hotspots.gi_star import Clusters, gi_star
from etl.analyse.hotspots.trend import mann_kendall, shares

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from etl.analyse.bed import Flags, Floats, Ints
    from etl.analyse.hotspots.exceedance import Exceedance
    from etl.analyse.hotspots.prepared import Map, Prepared

NO_DATA: Final = None
"""Pattern of a place whose series of windows is too short."""


@dataclass(frozen=True)
class Step:
    """
    What later periods need of a window.

    Attributes
    ----------
    state
        1 hot, -1 cold, 0 neither, shape (n,).
    counts
        Events of each place, shape (n,).
    total
        Events of the map.
    """

    state: NDArray[np.int8]
    counts: NDArray[np.float32]
    total: float


@dataclass(frozen=True)
class Windows:
    """One map over the window that ends with a period: counts, Gi*, and which places belong."""

    counts: Floats
    study: Flags
    clusters: Clusters


@dataclass(frozen=True)
class View:
    """
    One map in one period, each array of shape (n,).

    Attributes
    ----------
    windows
        Of the last window.
    recent
        Events of the last period.
    much
        Chance that the rate is well above the parent's, NaN = no data.
    expected
        Events expected in the last period, as far as known by now, NaN = no data.
    more
        The last period against what was expected.
    pattern, group
        Code and plain group; None = no data.
    """

    windows: Windows
    recent: Floats
    much: Floats
    expected: Floats
    more: Exceedance
    pattern: NDArray[np.object_]
    group: NDArray[np.object_]


def window(prepared: Prepared, one: Map, *, at: int, known_on: np.datetime64) -> Windows:
    """Gi* of the window that ends with a period, as known on a day."""
    length = prepared.settings.window(prepared.bed.grain)
    counts = one.counts(prepared.rows(at - length + 1, at, known_on))
    study = one.study(prepared.bed.ends[at])
    found = gi_star(counts, one.ring, study=study, rate=prepared.settings.false_discoveries)
    state = np.where(found.hot, 1, np.where(found.cold, -1, 0)).astype(np.int8)
    prepared.steps[one.name, at, known_on] = Step(
        state, counts.astype(np.float32), float(counts.sum())
    )
    return Windows(counts, study, found)


def view(
    prepared: Prepared,
    one: Map,
    *,
    at: int,
    known_on: np.datetime64,
    much: Floats,
    baseline: tuple[Floats, Floats],
) -> View:
    """
    All layers of one map.

    Parameters
    ----------
    much
        Chance that the rate is well above the parent's, shape (n,).
    baseline
        Expected count of the last period as far as known by now, and its size, each shape (n,).
    """
    windows = window(prepared, one, at=at, known_on=known_on)
    recent = one.counts(prepared.rows(at, at, known_on))
    mean, size = baseline
    more = exceeds(recent, mean, size, one.ring, rate=prepared.settings.false_discoveries)
    pattern, group = patterns(prepared, one, at=at, known_on=known_on)
    return View(windows, recent, much, mean, more, pattern, group)


def patterns(
    prepared: Prepared, one: Map, *, at: int, known_on: np.datetime64
) -> tuple[NDArray[np.object_], NDArray[np.object_]]:
    """
    Code and plain group of each place from windows that do not overlap, the last ending with `at`.

    Each window is described as it stood when it had settled, so that it never changes again. Places
    that did not belong to the map through all windows have no pattern.
    """
    settings = prepared.settings
    length = settings.window(prepared.bed.grain)
    ends = list(range(at, length - 2, -length))[: settings.pattern_steps][::-1]
    if len(ends) < LEAST_STEPS:
        return np.full(len(one), NO_DATA), np.full(len(one), NO_DATA)
    steps = [step(prepared, one, at=end, known_on=prepared.settled(end, known_on)) for end in ends]
    states = np.stack([each.state for each in steps], axis=1)
    code = np.full(len(one), NO_PATTERN, dtype=object)
    group = code.copy()
    first = prepared.bed.starts[ends[0] - length + 1]
    always = one.study(first) & one.study(prepared.bed.ends[at])
    rows = np.flatnonzero(always & states.any(axis=1))
    hot, cold = states[rows] > 0, states[rows] < 0
    code[rows] = classify(hot, cold, _trend(hot, cold, steps, rows, least=settings.trend_z))
    group[rows] = plain_groups(code[rows], final_run(hot))
    return code, group


def step(prepared: Prepared, one: Map, *, at: int, known_on: np.datetime64) -> Step:
    """One window as it stood on a day; computed once."""
    key = (one.name, at, known_on)
    if key not in prepared.steps:
        window(prepared, one, at=at, known_on=known_on)
    found: Step = prepared.steps[key]
    return found


def _trend(hot: Flags, cold: Flags, steps: list[Step], rows: Ints, *, least: float) -> Ints:
    """
    Trend of a place's own share of the city, where nearly every step was hot or cold.

    Not of its ring's: a single rising place would make risers of all its neighbours.
    """
    mostly = np.maximum(hot.sum(axis=1), cold.sum(axis=1)) >= MOSTLY * hot.shape[1]
    series = np.stack([one.counts[rows[mostly]] for one in steps], axis=1).astype(np.float64)
    totals = np.array([one.total for one in steps])
    found = np.zeros(len(rows), dtype=np.int64)
    found[mostly] = trend_signs(mann_kendall(shares(series, totals)), least=least)
    return found

"""
How hot spots come and go: the classes of ArcGIS's Emerging Hot Spot Analysis, and five plain ones.

Eight classes of hot and eight of cold places, by whether each step of equal length was hot or cold
and whether the series has a trend. What was hot in at least nine of ten steps but not in the last
one is historical, whatever its trend.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from etl.analyse.bed import Flags, Floats, Ints

NO_PATTERN: Final = "none"
KINDS: Final = (
    "new", "consecutive", "intensifying", "persistent", "diminishing", "sporadic", "oscillating",
    "historical",
)  # fmt: skip
COLD: Final = "cold_"
CODES: Final = (NO_PATTERN, *KINDS, *(COLD + kind for kind in KINDS))
"""Every code: none, eight hot, eight cold."""

NEW, RUNNING, RISING, LASTING, RECEDING = "new", "running", "rising", "lasting", "receding"
GROUPS: Final = (NO_PATTERN, NEW, RUNNING, RISING, LASTING, RECEDING)

MOSTLY: Final = 0.9
"""Share of the steps from which on a place was hot nearly always."""
LEAST_STEPS: Final = 10
"""Fewer steps have no pattern."""


def classify(hot: Flags, cold: Flags, trend: Ints) -> NDArray[np.object_]:
    """
    Class of each place.

    Parameters
    ----------
    hot, cold
        Shape (n places, n steps), the last step last.
    trend
        Shape (n places,): 1 rising, -1 falling, 0 neither (only read where nearly every step was
        hot or cold).

    Returns
    -------
    code
        One of `CODES`, shape (n places,). Hot classes go first where both would hold.
    """
    # Cold places grow colder when counts fall.
    chilled = _kinds(cold, hot, -trend)
    found = np.where(chilled > 0, chilled + len(KINDS), 0)
    heated = _kinds(hot, cold, trend)
    found = np.where(heated > 0, heated, found)
    return np.asarray(np.array(CODES, dtype=object)[found])


def _kinds(on: Flags, opposite: Flags, trend: Ints) -> Ints:
    """Position of each place's kind in `KINDS` + 1, 0 = none."""
    steps = on.shape[1]
    times = on.sum(axis=1)
    run = final_run(on)
    last = run > 0
    mostly = times >= MOSTLY * steps
    before = times > run
    chosen = [
        last & (times == 1),
        last & (run > 1) & ~before & ~mostly,
        mostly & last & (trend > 0),
        mostly & last & (trend == 0),
        mostly & last & (trend < 0),
        last & ~mostly & before & ~opposite.any(axis=1),
        last & ~mostly & before & opposite.any(axis=1),
        mostly & ~last,
    ]
    return np.select(chosen, list(range(1, len(KINDS) + 1)), 0)


def final_run(on: Flags) -> Ints:
    """Length of the unbroken run that ends in the last step, shape (n places,)."""
    off = ~on[:, ::-1]
    return np.asarray(np.where(off.any(axis=1), off.argmax(axis=1), on.shape[1]))


def plain_groups(codes: NDArray[np.object_], run: Ints) -> NDArray[np.object_]:
    """
    Five plain groups of hot places.

    新增: hot now, not in the step before. 连续: hot in the last two steps or more, though not
    nearly always. 上升, 长期: nearly always hot, rising or not. 回落: nearly always hot, but
    falling or no longer. Cold places have none.

    Parameters
    ----------
    codes
        Of `classify`, shape (n places,).
    run
        Length of the final run of hot steps, shape (n places,).
    """
    on_and_off = np.isin(codes, ("new", "consecutive", "sporadic", "oscillating"))
    chosen = [
        on_and_off & (run == 1),
        on_and_off,
        codes == "intensifying",
        codes == "persistent",
        np.isin(codes, ("diminishing", "historical")),
    ]
    return np.asarray(np.select(chosen, list(GROUPS[1:]), NO_PATTERN)).astype(object)


def trend_signs(z: Floats, *, least: float) -> Ints:
    """1 where a standardised trend reaches `least`, -1 where its negative does, else 0."""
    return np.where(z >= least, 1, np.where(z <= -least, -1, 0))

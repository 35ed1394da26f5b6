"""When of the week incidents of an area happen, and whether any part of it stands out."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from scipy import special

from dashboard import queries
from dashboard.areas import hierarchy
from dashboard.cache import scoped_cache

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dashboard.areas import Area
    from dashboard.queries import Selection
    from data.access import Scope
    from data.periods import Window
    from data.store import Snapshot

FINEST: Final = "grid"
"""The level without hours: a few incidents a month have no rhythm of 168 hours."""

DAYS: Final = 7
HOURS: Final = 24
BLOCK: Final = 3
"""Hours of a block: what is tested, and what is shown where incidents are few."""

PER_HOUR: Final = 3
"""Incidents that an hour of the week must have on average to be shown by itself."""

FEWEST: Final = 28
"""Incidents with a time of day below which nothing is drawn: one for two blocks."""

LEVEL: Final = 0.05
"""Chance, at most, that anything of an even week is named."""


@dataclass(frozen=True)
class Week:
    """
    Incidents of a window by hour of the week.

    Attributes
    ----------
    counts
        Shape (7, 24): from Monday, from 0:00.
    untold
        Incidents of which no time of day is known.
    days
        How often each weekday comes in the window, shape (7,).
    group
        Index of the upper category that stands for a lower one that was asked for; else None.
    """

    counts: NDArray[np.int64]
    untold: int
    days: NDArray[np.int64]
    group: int | None

    @property
    def told(self) -> int:
        """Incidents with a time of day."""
        return int(self.counts.sum())

    @property
    def hours(self) -> int:
        """Hours of a cell: 1, or a block where incidents are few."""
        return 1 if self.told >= PER_HOUR * DAYS * HOURS else BLOCK

    def cells(self, hours: int) -> NDArray[np.int64]:
        """Incidents by weekday and part of the day, shape (7, 24 / hours)."""
        return np.asarray(self.counts.reshape(DAYS, -1, hours).sum(axis=2))

    def even(self, hours: int) -> NDArray[np.float64]:
        """What each cell would have if incidents came evenly over the window, same shape."""
        share = np.repeat((self.days / self.days.sum())[:, None], HOURS // hours, axis=1)
        return np.asarray(self.told * share * hours / HOURS)


@dataclass(frozen=True)
class Peak:
    """A busiest part of the week, where chance alone hardly gives it; None = every one."""

    weekday: int | None
    hour: int | None
    """First hour of the block of three."""
    count: int
    share: float
    even: float
    """Share that it would have in an even week."""


@scoped_cache
def week(scope: Scope, snapshot: Snapshot, area: Area, selection: Selection) -> Week | None:
    """
    Incidents of one area in the window by hour of the week; None where no hours are stored.

    Hours are stored by upper category: a lower one is shown as the upper one that it belongs to.

    Raises
    ------
    NotVisibleError
        The area is unknown or outside the scope.
    """
    queries.exact(scope)
    hierarchy(scope, snapshot).check(area)
    if area.level == FINEST or "area_hours" not in snapshot.tables():
        return None
    window = selection.window
    groups, widened = _groups(scope, snapshot, selection)
    found = snapshot.kept.hours().between(
        window.start,
        window.end,
        rows=_rows(scope, snapshot, area),
        categories=groups,
        min_severity=selection.min_severity,
    )
    return Week(
        found[:-1].reshape(DAYS, HOURS),
        int(found[-1]),
        _weekdays(window, snapshot.manifest.first_period),
        widened,
    )


def peaks(found: Week) -> tuple[Peak, ...]:
    """
    What an even week would seldom have: the busiest block of three hours, or part of day and day.

    One-sided binomial tests of the busiest, each P value times the number of its kind (Bonferroni),
    at a third of `LEVEL` a kind. A block is named with its day only where it also exceeds what its
    part of the day and its day give together; else a part of the day and a day are named that
    exceed an even week by themselves.
    """
    if found.told < FEWEST:
        return ()
    counts, even = found.cells(BLOCK), found.even(BLOCK)
    block = _busiest(counts, even)
    together = counts.sum(axis=1, keepdims=True) * counts.sum(axis=0) / found.told
    if block is not None and _is_named(counts[block], together[block], counts):
        weekday, at = block
        return (_peak(found, weekday, at, counts[block], even[block]),)
    by_part, by_day = counts.sum(axis=0), counts.sum(axis=1)
    part = _busiest(by_part, even.sum(axis=0))
    day = _busiest(by_day, even.sum(axis=1))
    named = []
    if part is not None:
        named.append(_peak(found, None, part[0], by_part[part], even.sum(axis=0)[part]))
    if day is not None:
        named.append(_peak(found, day[0], None, by_day[day], even.sum(axis=1)[day]))
    return tuple(named)


def _busiest(counts: NDArray[np.int64], even: NDArray[np.float64]) -> tuple[int, ...] | None:
    """Where the counts exceed an even week most; None where chance may give it."""
    ratio = np.divide(counts, even, out=np.zeros(counts.shape), where=even > 0)
    at = tuple(int(i) for i in np.unravel_index(int(ratio.argmax()), counts.shape))
    return at if _is_named(counts[at], even[at], counts) else None


def _is_named(count: int, expected: float, among: NDArray[np.int64]) -> bool:
    """Whether a count exceeds what is expected by more than the largest of so many would."""
    total = int(among.sum())
    share = min(float(expected) / total, 1.0)
    # P(X >= count) of a binomial, by the incomplete beta function.
    chance = float(special.betainc(int(count), total - int(count) + 1, share)) if count else 1.0
    return chance * among.size < LEVEL / 3


def _peak(found: Week, weekday: int | None, block: int | None, count: int, even: float) -> Peak:
    hour = None if block is None else block * BLOCK
    told = found.told
    return Peak(weekday, hour, int(count), int(count) / told, float(even) / told)


def _rows(scope: Scope, snapshot: Snapshot, area: Area) -> list[int]:
    """Rows of `areas` with hours that lie in an area, itself among them."""
    tree, first = hierarchy(scope, snapshot), 0
    levels = {area.level, *tree.below(area.level)} - {FINEST}
    rows: list[int] = []
    for areas in tree.levels:
        if areas.level in levels:
            rows += (first + np.flatnonzero(tree.inside(areas.level, area))).tolist()
        first += len(areas)
    return rows


def _groups(
    scope: Scope, snapshot: Snapshot, selection: Selection
) -> tuple[list[int] | None, int | None]:
    """Upper categories of a selection (None = all), and the one that it was widened to."""
    if selection.categories is None:
        return None, None
    labels = queries.category_labels(scope, snapshot)
    groups = sorted({labels[index].group for index in selection.categories})
    return groups, next((group for group in groups if group not in selection.categories), None)


def _weekdays(window: Window, first: dt.date) -> NDArray[np.int64]:
    """How often each weekday comes in the part of a window that has data, from Monday."""
    start, days = max(window.start, first), np.zeros(DAYS, dtype=np.int64)
    span = (window.last_day - start).days + 1
    for offset in range(span % DAYS):
        days[(start + dt.timedelta(days=offset)).weekday()] += 1
    return days + span // DAYS

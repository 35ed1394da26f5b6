"""
Expected counts of every area and cell, as known at the end of the period before.

What `etl.analyse.baseline` does on arrays, for a bed: no event of the period itself or later, and
none that became known later, has a part in it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from data.periods import PERIODS_PER_YEAR, shift
from etl.analyse.baseline import (
    LEAST_PERIODS,
    Expected,
    common_variance,
    effective,
    expected_from,
    expected_of,
    memory,
    no_data,
)
from etl.analyse.calendar import Holidays, holidays
from etl.analyse.earlier import area_past, cell_past, city_counts
from etl.analyse.level import Level, city_level
from etl.analyse.negative_binomial import interval, moment_size, size_of, upper_tail
from etl.analyse.reporting_lag import completeness, period_completeness
from etl.analyse.shares import Shares, Tree, shares
from geo.cells import parent_numbers

if TYPE_CHECKING:
    from etl.analyse.bed import Bed, Days, Floats, Ints

__all__ = [
    "CellExpected", "Expected", "cell_expected", "expected_counts", "expected_from", "interval",
    "moment_size", "upper_tail",
]  # fmt: skip

CHILDREN: Final = 7
"""Cells in the cell of the next coarser resolution."""


def expected_counts(bed: Bed, group: str, *, at: int, known_on: np.datetime64) -> Expected:
    """
    Expected counts of a period from what was known at the end of the period before it.

    Parameters
    ----------
    at
        Position of the period in `bed.starts`; the number of periods = the next one.
    known_on
        Day for which `complete` is told; nothing else depends on it.
    """
    key = ("expected", group, at)
    if key not in bed.memo:
        bed.memo[key] = _areas(bed, group, at)
    found: Expected = bed.memo[key]
    return replace(found, complete=known_share(bed, group, at=at, known_on=known_on))


def known_share(bed: Bed, group: str, *, at: int, known_on: np.datetime64) -> float:
    """Share of a period's events known on a day, by the delays seen before the period."""
    edges = period_starts(bed, at)[at:]
    since = (known_on - edges[1:] + 1).astype(np.int64)
    if since[0] >= 0:
        return float(period_completeness(bed, group, edges[0] - 1)(since)[0])
    lag = completeness(bed, group, edges[0] - 1)
    return float(lag.of_periods(edges[:1], edges[1:] - 1, known_on)[0])


def period_starts(bed: Bed, at: int) -> Days:
    """First days of the periods up to `at`, which may be the next one, and of the one after."""
    starts = bed.starts[: at + 2]
    while len(starts) < at + 2:
        after = shift(starts[-1].astype(object), 1, grain=bed.grain)
        starts = np.append(starts, np.datetime64(after, "D"))
    return starts


def _areas(bed: Bed, group: str, at: int) -> Expected:
    if at < LEAST_PERIODS[bed.grain]:
        return no_data([len(one) for one in bed.areas])
    return expected_of(
        [area_past(bed, level, group, at) for level in bed.levels],
        [one.parent for one in bed.areas],
        used=memory(at, bed.grain),
        level=_level(bed, group, at, point=False),
        valid=[(one.valid_from, one.valid_to) for one in bed.areas],
        starts=period_starts(bed, at),
    )


def _level(bed: Bed, group: str, at: int, *, point: bool) -> Level:
    """Level of the city from what was known at the end of the period before."""
    key = ("level", group, at, point)
    if key not in bed.memo:
        day = bed.ends[at - 1]
        since = (day - bed.ends[:at]).astype(np.int64)
        bed.memo[key] = city_level(
            city_counts(bed, group, at, point=point),
            period_completeness(bed, group, day)(since),
            bed_holidays(bed, at).shares,
            season=PERIODS_PER_YEAR[bed.grain],
        )
    found: Level = bed.memo[key]
    return found


def bed_holidays(bed: Bed, at: int) -> Holidays:
    """Holidays of the periods up to and including `at`."""
    key = ("holidays",)
    if key not in bed.memo:
        starts = period_starts(bed, len(bed.starts))[:-1]
        bed.memo[key] = holidays(starts, grain=bed.grain, time_zone=bed.time_zone)
    found: Holidays = bed.memo[key]
    return Holidays(found.shares[: at + 1], found.working[: at + 1], found.known[: at + 1])


@dataclass(frozen=True)
class CellExpected:
    """
    Expected counts of one period and group by H3 cell.

    Attributes
    ----------
    resolution
        Of the cells.
    cells
        Cells with an event before the period, as known then, in ascending order, shape (n,).
    mean, size
        As of areas, shape (n,); NaN = no data.
    complete
        Share of the period's events known on `known_on`.
    base, recent
        As of areas, for `moment_size` over rings of cells.
    """

    resolution: int
    cells: Ints
    mean: Floats
    size: Floats
    complete: float
    base: Floats
    recent: Floats
    _unseen: tuple[tuple[Ints, Floats], ...]
    _unseen_size: float

    def of(self, cells: Ints) -> tuple[Floats, Floats]:
        """
        Mean and size of any cells of the resolution, each of shape (n cells,).

        A cell without an event so far has what its parent cell leaves to such children; where
        the parent had none either, a seventh of what the parent is left; else 0.
        """
        if not self._unseen:
            return np.full(len(cells), np.nan), np.full(len(cells), np.nan)
        mean, found = _looked_up(cells, self.cells, self.mean)
        size, _ = _looked_up(cells, self.cells, self.size)
        size[~found] = self._unseen_size
        new = np.flatnonzero(~found)
        for up, (parents, left) in enumerate(self._unseen):
            above = parent_numbers(cells[new], resolution=self.resolution - 1 - up)
            share, known = _looked_up(above, parents, left)
            mean[new] = share / CHILDREN**up
            new = new[~known]
            if not len(new):
                break
        return mean, size


def _looked_up(keys: Ints, known: Ints, values: Floats) -> tuple[Floats, Any]:
    """Value of each key in an ascending list, 0 where it is not in it, and whether it is."""
    if not len(known):
        return np.zeros(len(keys)), np.zeros(len(keys), dtype=bool)
    place = np.minimum(np.searchsorted(known, keys), len(known) - 1)
    found = known[place] == keys
    return np.where(found, values[place], 0.0), found


def cell_expected(
    bed: Bed, group: str, resolution: int, *, at: int, known_on: np.datetime64
) -> CellExpected:
    """
    Expected counts of the cells: share of the cell × level of all events with a point.

    Shares are shrunk to the mean share of the cell's parent cell, and those to that of the cell
    above. Every cell has seven children whether or not an event is known of them, so that what
    will be seen later has no part in it.
    """
    key = ("cell_expected", group, resolution, at)
    if key not in bed.memo:
        bed.memo[key] = _cells(bed, group, resolution, at)
    found: CellExpected = bed.memo[key]
    return replace(found, complete=known_share(bed, group, at=at, known_on=known_on))


def _cells(bed: Bed, group: str, resolution: int, at: int) -> CellExpected:
    none = np.zeros(0)
    if at < LEAST_PERIODS[bed.grain]:
        nowhere = np.zeros(0, dtype=np.int64)
        return CellExpected(resolution, nowhere, none, none, np.nan, none, none, (), np.nan)
    used = memory(at, bed.grain)
    level = _level(bed, group, at, point=True)
    everywhere, past, ever = cell_past(bed, group, resolution, at)
    # Cells that no event is known of yet have no part, whatever the future holds.
    seen = np.flatnonzero(ever > 0)
    tree = _H3(everywhere[seen], resolution)
    now = tree.shares(past.now[seen] * effective(used.now))
    then = tree.shares(past.then[seen] * effective(used.then))
    scale = level.mean / (now.mean[0].sum() or 1.0)
    base = then.mean[-1] / (then.mean[0].sum() or 1.0)
    recent = level.past[used.before :]
    common = common_variance(
        past.last[seen], base, recent, then.relative_variance[-1], above=level.variance
    )
    return CellExpected(
        resolution=resolution,
        cells=tree.cells[-1],
        mean=now.mean[-1] * scale,
        size=size_of(common + now.relative_variance[-1]),
        complete=1.0,
        base=base,
        recent=recent,
        _unseen=tuple(
            (cells, left * scale)
            for cells, left in zip(tree.cells[-2::-1], now.child[-2::-1], strict=True)
        ),
        _unseen_size=float(size_of(common + 1 / now.strength[-1])),
    )


class _H3:
    """Cells in ascending order with those above them at two coarser resolutions, as a tree."""

    def __init__(self, cells: Ints, resolution: int) -> None:
        self.cells = [cells]
        self._place = [np.arange(len(cells))]
        for coarser in range(resolution - 1, max(resolution - 3, -1), -1):
            # The order of cells is that of the cells above them: equal ones stand together.
            above = parent_numbers(cells, resolution=coarser) if len(cells) else cells
            changes = np.append(True, above[1:] != above[:-1])[: len(above)]
            self.cells.insert(0, above[changes])
            self._place.insert(0, np.cumsum(changes) - 1)
        self._parents = [np.full(len(self.cells[0]), -1)]
        for listed, below, above in zip(
            self.cells[1:], self._place[1:], self._place[:-1], strict=True
        ):
            parent = np.zeros(len(listed), dtype=np.int64)
            parent[below] = above
            self._parents.append(parent)

    def shares(self, sums: Floats) -> Shares:
        """Shares of every level from the sums of the cells."""
        levels = tuple(
            np.bincount(place, weights=sums, minlength=len(listed)).astype(np.float64)
            for place, listed in zip(self._place, self.cells, strict=True)
        )
        always = tuple(np.ones(len(one)) for one in levels)
        return shares(Tree(levels, tuple(self._parents), always, CHILDREN))

"""
Expected counts on plain arrays: share of each area × level of the city, coherent over the levels.

Shares have a long memory (events count half after a year), leave the last periods out and are
shrunk to the parent's mean share. Sizes of the negative binomial by moments, level by level, from
the last periods against shares that are older than them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from data.periods import PERIODS_PER_YEAR
from etl.analyse.level import Level, city_level
from etl.analyse.negative_binomial import size_of
from etl.analyse.shares import Shares, Tree, shares

if TYPE_CHECKING:
    from collections.abc import Sequence

    from data.periods import Grain
    from etl.analyse.bed import Days, Floats, Ints
    from etl.analyse.calendar import Holidays

RECENT: Final[dict[Grain, int]] = {"week": 2, "month": 1}
"""Last periods that the shares leave out, so that a surge does not raise its own baseline."""

SIZE_PERIODS: Final[dict[Grain, int]] = {"week": 12, "month": 6}
LEAST_PERIODS: Final[dict[Grain, int]] = {"week": 8, "month": 6}
"""Fewer periods than this are no baseline: no data."""

_PRIOR_RESIDUALS: Final = 48
"""A level's variance weighs like its number of residuals against this many of the level above."""

_DYADIC: Final = 1024
"""Weights are multiples of 1 / 1024: sums of counts are exact in whatever order they are made."""


@dataclass(frozen=True)
class Expected:
    """
    Expected counts of one period and group, per level from the top down; NaN = no data.

    Attributes
    ----------
    mean
        Events of the whole period that will become known, shape (n areas,); 0 in areas not valid
        on its last day.
    unplaced
        Part of `mean` that lies in none of the children, shape (n areas,).
    size
        Size of the negative binomial, inf = Poisson, shape (n areas,).
    complete
        Share of the period's events known on `known_on`, 0-1.
    base
        Share of the city, estimated from before the last periods, shape (n areas,).
    recent
        Events expected in the city in each of those last periods, one step ahead and as far as
        known now, shape (n last periods,).
    """

    mean: tuple[Floats, ...]
    unplaced: tuple[Floats, ...]
    size: tuple[Floats, ...]
    complete: float
    base: tuple[Floats, ...]
    recent: Floats

    def past(self, depth: int) -> Floats:
        """
        Expected counts of the last periods at a level, from shares that are older than them.

        To be compared with `history[:, -past.shape[1]:]`, for instance over rings of areas by
        `moment_size`. Shape (n areas, n last periods).
        """
        return np.outer(self.base[depth], self.recent)


@dataclass(frozen=True)
class Memory:
    """
    How much each earlier period weighs in the shares.

    Attributes
    ----------
    now, then
        Weights of the shares of the period itself, and of those that leave out the last periods
        from which the sizes are taken; shape (n periods,).
    before
        Position of the first of those last periods.
    """

    now: Floats
    then: Floats
    before: int


def memory(at: int, grain: Grain) -> Memory:
    """Weights that halve with every year, none to the last periods."""
    before = at - min(SIZE_PERIODS[grain], at // 3)
    return Memory(_weights(at, at - RECENT[grain], grain), _weights(at, before, grain), before)


def _weights(at: int, after: int, grain: Grain) -> Floats:
    ages = after - 1 - np.arange(at)
    weights = np.round(0.5 ** (ages / PERIODS_PER_YEAR[grain]) * _DYADIC) / _DYADIC
    return np.where(ages >= 0, weights, 0.0)


def effective(weights: Floats) -> float:
    """What a weighted sum of Poisson counts is to be scaled by to scatter like one (Kish 1965)."""
    return float(weights.sum() / np.sum(weights**2)) if weights.any() else 1.0


@dataclass(frozen=True)
class Past:
    """
    What the areas of a level had before the period that is expected.

    Attributes
    ----------
    now, then
        Events weighted by `Memory.now` and `Memory.then`, shape (n areas,).
    last
        Events of the last periods, shape (n areas, n last periods).
    """

    now: Floats
    then: Floats
    last: Floats


def expected_from(
    history: Sequence[Floats],
    parents: Sequence[Ints],
    *,
    starts: Days,
    grain: Grain,
    at: int,
    calendar: Holidays | None = None,
    complete: Floats | None = None,
    valid: Sequence[tuple[Days, Days]] | None = None,
) -> Expected:
    """
    Expected counts of a period from plain arrays.

    Parameters
    ----------
    history
        Counts per level from the top down, shape (n areas, `at` or more periods); what is after
        `at` is not looked at.
    parents
        Position of each area's parent in the level above; ignored for the top.
    starts
        First days of the periods up to `at` and of the one after it, shape (`at` + 2,); looked at
        for `valid` only.
    calendar
        Holidays of the periods up to and including `at`; by default none.
    complete
        Share of each earlier period's events that is known, shape (`at`,); by default all.
    valid
        First day, and first day no longer valid, of the areas of each level; by default always.
    """
    known = [one[:, :at] for one in history]
    if at < LEAST_PERIODS[grain]:
        return no_data([len(one) for one in known])
    used = memory(at, grain)
    both = np.column_stack([used.now, used.then])
    sums = [one @ both for one in known]
    level = city_level(
        known[0].sum(axis=0),
        np.ones(at) if complete is None else complete,
        np.zeros((at + 1, 0)) if calendar is None else calendar.shares,
        season=PERIODS_PER_YEAR[grain],
    )
    return expected_of(
        [
            Past(total[:, 0], total[:, 1], one[:, used.before :])
            for one, total in zip(known, sums, strict=True)
        ],
        parents,
        used=used,
        level=level,
        valid=valid,
        starts=starts,
    )


def expected_of(
    past: Sequence[Past],
    parents: Sequence[Ints],
    *,
    used: Memory,
    level: Level,
    valid: Sequence[tuple[Days, Days]] | None,
    starts: Days,
) -> Expected:
    """Expected counts from what each level had before; arguments as of `expected_from`."""
    now, then = (
        shares(
            Tree(
                tuple(one * effective(weights) for one in sums),
                tuple(parents),
                tuple(
                    np.ones(len(one)) if valid is None else exposure(*valid[depth], starts, weights)
                    for depth, one in enumerate(sums)
                ),
            )
        )
        for sums, weights in (
            ([one.now for one in past], used.now),
            ([one.then for one in past], used.then),
        )
    )
    factor = level.mean / _whole(now)
    base = tuple(one / _whole(then) for one in then.mean)
    return Expected(
        mean=tuple(one * factor for one in now.mean),
        unplaced=tuple(one * factor for one in now.unplaced),
        size=_sizes([one.last for one in past], base, level, now, then),
        complete=1.0,
        base=base,
        recent=level.past[used.before :],
    )


def _whole(found: Shares) -> float:
    """Events of all the top areas; 1 where none happened, so that every share is 0."""
    return float(found.mean[0].sum()) or 1.0


def exposure(valid_from: Days, valid_to: Days, starts: Days, weights: Floats) -> Floats:
    """
    Weighted share of the periods in which each area was valid; NaN = not on the last day.

    Parameters
    ----------
    starts
        First days of the periods, of the one that is expected, and of the one after it.
    weights
        Of the earlier periods, shape (n,).
    """
    found = np.ones(len(valid_from))
    last = starts[-1] - 1
    part = np.flatnonzero((valid_from > starts[0]) | (valid_to <= last))
    left, right = starts[: len(weights)], starts[1 : len(weights) + 1]
    days = np.minimum(valid_to[part, None], right) - np.maximum(valid_from[part, None], left)
    share = np.maximum(days.astype(np.float64), 0.0) / (right - left).astype(np.float64)
    total = weights.sum()
    found[part] = share @ weights / total if total > 0 else 1.0
    return np.where((valid_from <= last) & (last < valid_to), found, np.nan)


def _sizes(
    observed: Sequence[Floats], base: Sequence[Floats], level: Level, now: Shares, then: Shares
) -> tuple[Floats, ...]:
    """Size per area, from the top down."""
    common = level.variance
    found = []
    for depth, counts in enumerate(observed):
        recent = level.past[-counts.shape[1] :]
        common = common_variance(
            counts, base[depth], recent, then.relative_variance[depth], above=common
        )
        found.append(size_of(common + now.relative_variance[depth]))
    return tuple(found)


def common_variance(
    observed: Floats, base: Floats, recent: Floats, own: Floats, *, above: float
) -> float:
    """
    Relative variance that the areas of a level have in common, by moments.

    What an area's own share is uncertain by (`own`) is not in it. A level of few areas has few
    residuals and leans on the level above it, the top on the city's.
    """
    # Σ((o - e)² - e - own × e²) / Σe² with e = base × recent, without making the table of e.
    squares = base**2 * float(np.sum(recent**2))
    if not squares.any():
        return above
    mixed = float(np.einsum("i,it,t->", base, observed, recent, optimize=False))
    excess = float(np.sum(observed**2)) - 2 * mixed - float(base.sum() * recent.sum())
    variance = max(0.0, (excess + float(np.sum((1 - own) * squares))) / float(squares.sum()))
    number = int(np.count_nonzero(base)) * len(recent)
    return (number * variance + _PRIOR_RESIDUALS * above) / (number + _PRIOR_RESIDUALS)


def no_data(numbers: Sequence[int]) -> Expected:
    """What is expected where the history is too short, for levels of so many areas."""
    none = tuple(np.full(number, np.nan) for number in numbers)
    return Expected(none, none, none, float("nan"), none, np.zeros(0))

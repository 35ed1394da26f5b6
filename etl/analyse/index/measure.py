"""Every indicator of one level in one period: what was counted, and what was to be expected."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

import numpy as np

from data.index_settings import INDICATORS
from data.index_trace import REASONS
from etl.analyse.index.clustering import busiest_places, cusum_levels, scatter_of
from etl.analyse.index.peers import peers_of
from etl.analyse.index.series import Series, day_number
from etl.analyse.index.types import top_types

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from data.index_settings import IndexSettings, Indicator
    from etl.analyse.bed import Floats
    from etl.analyse.index.clustering import Clustering
    from etl.analyse.index.context import Context, Sums
    from etl.analyse.index.prepared import Prepared

STATUSES: Final = tuple(REASONS)
_STATUS: Final = {name: number for number, name in enumerate(STATUSES)}


@dataclass(frozen=True)
class Measured:
    """
    Indicators of a level, arrays of shape (n areas, 28); NaN = no data.

    Attributes
    ----------
    count, exposure
        What was counted, and what it is a share of or counted against.
    baseline
        What the own past leads one to expect of `count`.
    ratios
        To the own past, the peers and last year, shape (3, n areas, 28).
    ratio
        Their weighted geometric mean, NaN where the indicator is missing.
    status
        Position in `STATUSES`.
    """

    count: Floats
    exposure: Floats
    baseline: Floats
    ratios: Floats
    ratio: Floats
    status: NDArray[np.int8]


@dataclass(frozen=True)
class Seen:
    """One indicator of a level, arrays of shape (n areas,); `few` = too little to judge."""

    count: Floats
    exposure: Floats
    own: Floats
    peer: Floats
    year: Floats
    few: NDArray[np.bool_] | None = None


@dataclass(frozen=True)
class Moment:
    """What the indicators of one level go by in one period."""

    prepared: Prepared
    level: Context
    sums: Sums
    at: int
    known_on: np.datetime64
    clustering: Clustering | None

    @cached_property
    def reported(self) -> Floats:
        """Reported incidents of the level's areas up to the period, shape (n areas, at + 1)."""
        level = self.level.areas.level
        counts = self.prepared.bed.history(level, "all", self.known_on)
        return counts[:, : self.at + 1]

    @cached_property
    def scatter(self) -> float:
        """Variance between periods of the baseline beyond Poisson's in units of mean²."""
        stretch = self.level.stretches.baseline
        return scatter_of(self.reported[:, stretch.low : stretch.high])

    @property
    def lag(self) -> np.timedelta64:
        """Time between the end of the period and the day as known on which it is described."""
        return np.timedelta64(self.known_on - self.prepared.bed.ends[self.at])


def measure(moment: Moment, *, silent: NDArray[np.bool_] | None) -> Measured:
    """
    Measure all indicators of a level.

    Parameters
    ----------
    silent
        Areas of which a source fell silent, shape (n areas,).
    """
    settings, size = moment.prepared.settings, len(moment.level.areas)
    figures = np.full((6, INDICATORS, size), np.nan)
    status = np.zeros((INDICATORS, size), dtype=np.int8)
    for i, one in enumerate(settings.indicators):
        reason = _missing(moment, i, one)
        if reason:
            status[i] = _STATUS[reason]
            continue
        seen = _MEASURES[one.measure](moment, i, one)
        figures[:5, i] = seen.count, seen.exposure, seen.own, seen.peer, seen.year
        if seen.few is not None:
            status[i, seen.few] = _STATUS["few"]
    status[:, ~moment.level.usable] = _STATUS["short_history"]
    if silent is not None:
        status[:, silent] = _STATUS["source_silent"]
    ratios = _ratios(figures, settings)
    ratio = combined(ratios, settings.exponents)
    # Without anything to compare with, an indicator says nothing.
    status = np.where((status == 0) & np.isnan(ratio), _STATUS["short_history"], status)
    return Measured(
        count=figures[0].T,
        exposure=figures[1].T,
        baseline=figures[2].T,
        ratios=ratios.transpose(0, 2, 1),
        ratio=np.where(status == 0, ratio, np.nan).T,
        status=status.T.astype(np.int8),
    )


def _ratios(figures: Floats, settings: IndexSettings) -> Floats:
    """Ratios to own past, peers and last year, shape (3, 28, n areas)."""
    plus = settings.pseudo_count
    found: Floats = (figures[0] + plus) / (figures[2:5] + plus)
    for i, one in enumerate(settings.indicators):
        if one.kind == "alarm":
            on = np.where(figures[0, i] > figures[2, i], settings.cusum.alarm_ratio, 1.0)
            found[0, i] = np.where(np.isnan(figures[0, i]), np.nan, on)
            found[1:, i] = np.nan
    return found


def combined(ratios: Floats, exponents: tuple[float, ...]) -> Floats:
    """Weighted geometric mean over the first axis, missing ones left out; NaN without the first."""
    weights = np.array(exponents).reshape(-1, *([1] * (ratios.ndim - 1)))
    known = np.isfinite(ratios)
    logs = np.where(known, np.log(np.where(known, ratios, 1.0)), 0.0)
    left = np.where(known[0], (weights * known).sum(axis=0), 1.0)
    mean: Floats = np.exp((weights * logs).sum(axis=0) / left)
    return np.where(known[0], mean, np.nan)


def _missing(moment: Moment, number: int, indicator: Indicator) -> str:
    """Why an indicator is missing for all areas of the level; empty = it is not."""
    prepared, day = moment.prepared, int(day_number(moment.known_on))
    if number in prepared.reasons:
        return prepared.reasons[number]
    for one in (prepared.counted.get(number), prepared.stocks.get(number)):
        if one is not None and one.since > day:
            return one.reason
    if number in prepared.backlog and prepared.backlog[number].since > day:
        return "no_times"
    hot = indicator.measure in {"hot_cells", "fresh_cells"}
    return "no_clustering" if hot and moment.clustering is None else ""


def _flow(moment: Moment, number: int, indicator: Indicator) -> Seen:
    """A count of incidents, or a share of them."""
    now, before, last = moment.sums.of(moment.level, (number, "part"))
    if indicator.kind == "share":
        whole = moment.sums.of(moment.level, (number, "whole"))
        return share_seen(moment.level, (now, before, last), whole, moment.prepared.settings)
    scatter = 1.0
    if indicator.measure == "weighted":
        scatter = _scatter(moment, number)
    return count_seen(
        moment.level, (now, before, last), moment.prepared.settings,
        absolute=indicator.absolute, scatter=scatter,
    )  # fmt: skip


def _scatter(moment: Moment, number: int) -> float:
    rows = moment.prepared.counted[number].part
    low, high = moment.level.stretches.baseline.low, moment.level.stretches.baseline.high
    assert isinstance(rows, Series)
    assert rows.value is not None
    values = rows.value[rows.rows(low, high, int(day_number(moment.known_on)))]
    return float((values**2).sum() / values.sum()) if len(values) else 1.0


def count_seen(
    level: Context,
    sums: tuple[Floats, Floats, Floats],
    settings: IndexSettings,
    *,
    absolute: bool = False,
    scatter: float = 1.0,
    ends: tuple[float, float] | None = None,
) -> Seen:
    """
    What a count is to be compared with.

    Parameters
    ----------
    sums
        In the window, the baseline and last year, each (n areas,).
    ends
        Length of window and baseline for what is counted at their ends; None = over them.
    """
    now, before, last = sums
    exposure = np.ones(len(level.areas)) if absolute else level.exposure
    unit = np.where(np.isfinite(exposure), exposure, 1.0)
    lives = (level.window, level.baseline, level.year)
    if ends is not None:
        lives = (np.full(len(now), ends[0]), np.full(len(now), ends[1]), np.full(len(now), ends[0]))
    complete = level.complete if ends is None else 1.0
    units = np.where(level.usable, exposure * lives[1], np.nan)
    peers = peers_of(before, units, level.areas.parent, least=settings.peers_least, scatter=scatter)
    ahead = unit * lives[0] * complete
    return Seen(
        count=now,
        exposure=exposure * lives[0],
        own=peers.expected(before, unit * lives[1]) * ahead,
        peer=peers.rate * ahead,
        year=last * (lives[0] / lives[2]) * complete,
    )


def share_seen(
    level: Context,
    part: tuple[Floats, Floats, Floats],
    whole: tuple[Floats, Floats, Floats],
    settings: IndexSettings,
) -> Seen:
    """What a share is to be compared with: the part to be expected of the window's whole."""
    units = np.where(level.usable, whole[1], np.nan)
    peers = peers_of(part[1], units, level.areas.parent, least=settings.peers_least, share=True)
    no_year = ~np.isfinite(level.year)
    return Seen(
        count=part[0],
        exposure=whole[0],
        own=np.where(whole[0] > 0, peers.expected(part[1], whole[1]) * whole[0], 0.0),
        peer=peers.rate * whole[0],
        year=np.where(no_year, np.nan, peers.expected(part[2], whole[2]) * whole[0]),
    )


def _top_type(moment: Moment, number: int, indicator: Indicator) -> Seen:
    """The type that the own baseline had most of: its count, or its share."""
    part, whole = top_types(moment, number)
    settings = moment.prepared.settings
    if indicator.kind == "share":
        return share_seen(moment.level, part, whole, settings)
    return count_seen(moment.level, part, settings)


def _stock(moment: Moment, number: int, indicator: Indicator) -> Seen:
    """What is in hand at the end of the period, and at the ends of the windows before."""
    number_at = moment.prepared.stocks[number].number
    earlier = earlier_ends(moment)
    season = moment.at - moment.prepared.bed.season
    columns = [number_at[:, moment.at], number_at[:, earlier].sum(axis=1)]
    columns.append(number_at[:, season] if season >= 0 else np.full(len(number_at), np.nan))
    now, before, last = moment.prepared.roll.up(np.column_stack(columns))[moment.level.depth].T
    return count_seen(
        moment.level, (now, before, last), moment.prepared.settings,
        absolute=indicator.absolute, ends=(1.0, float(len(earlier))),
    )  # fmt: skip


def earlier_ends(moment: Moment) -> list[int]:
    """Last periods of the windows before this one, as far as the baseline goes."""
    step = moment.level.span.periods
    return list(range(moment.at - step, moment.level.stretches.baseline.low - 1, -step))


def _backlog(moment: Moment, number: int, indicator: Indicator) -> Seen:
    """Median age, compared with the mean of earlier medians, own and of the peers."""
    del indicator
    backlog, level = moment.prepared.backlog[number], moment.level
    name = level.areas.level
    now = backlog.age(name, moment.at)
    past = np.mean(
        [backlog.age(name, one) for one in earlier_ends(moment)] or [now * np.nan], axis=0
    )
    ones = np.where(level.usable, 1.0, np.nan)
    peers = peers_of(past, ones, level.areas.parent, least=moment.prepared.settings.peers_least)
    season = moment.at - moment.prepared.bed.season
    year = backlog.age(name, season) if season >= 0 else now * np.nan
    return Seen(now, now * np.nan, own=past, peer=peers.rate, year=year)


def _cusum(moment: Moment, number: int, indicator: Indicator) -> Seen:
    """Cumulative sum against its limit."""
    del number, indicator
    found = cusum_levels(moment)
    nothing = np.full(len(found), np.nan)
    limit = np.full(len(found), moment.prepared.settings.cusum.limit)
    return Seen(found, nothing, own=limit, peer=nothing, year=nothing)


def _busiest(moment: Moment, number: int, indicator: Indicator) -> Seen:
    """Incidents in the busiest places, compared with windows as long as this one."""
    del number, indicator
    name, settings = moment.level.areas.level, moment.prepared.settings
    nothing = np.full(len(moment.level.areas), np.nan)
    found = [busiest_places(moment, name, one) for one in (moment.at, *earlier_ends(moment))]
    # Few incidents are mostly one to a place: windows with too few teach nothing either.
    enough = [whole >= settings.busiest_least for _, whole in found]
    kept = [pair * some for pair, some in zip(np.array(found), enough, strict=True)]
    before = np.sum(kept[1:], axis=0) if kept[1:] else np.zeros((2, len(nothing)))
    now, whole = found[0]
    seen = share_seen(
        moment.level, (now, before[0], nothing), (whole, before[1], nothing), settings
    )
    return Seen(seen.count, seen.exposure, seen.own, seen.peer, nothing, few=~enough[0])


def _cells(moment: Moment, number: int, indicator: Indicator) -> Seen:
    """Hot cells as a share of the area's, or new and rising ones as a count."""
    del number
    assert moment.clustering is not None
    given = moment.clustering.levels[moment.level.areas.level]
    hot = indicator.kind == "share"
    marked = given.hot if hot else given.fresh
    now, before = marked[:, -1], marked[:, :-1].sum(axis=1)
    earlier = marked.shape[1] - 1
    nothing = np.full(len(now), np.nan)
    if hot:
        whole = (given.cells, given.cells * earlier, nothing)
        return share_seen(moment.level, (now, before, nothing), whole, moment.prepared.settings)
    return count_seen(
        moment.level, (now, before, nothing), moment.prepared.settings,
        absolute=True, ends=(1.0, float(earlier)),
    )  # fmt: skip


_MEASURES: Final[Mapping[str, Callable[[Moment, int, Indicator], Seen]]] = {
    **dict.fromkeys(
        ("events", "weighted", "repeat_place", "severe_share", "marked_repeat", "late_steps",
         "unresolved", "recurring"),
        _flow,
    ),
    "top_type": _top_type,
    "top_type_share": _top_type,
    "open": _stock,
    "overdue": _stock,
    "backlog_age": _backlog,
    "cusum": _cusum,
    "busiest_places": _busiest,
    "hot_cells": _cells,
    "fresh_cells": _cells,
}  # fmt: skip

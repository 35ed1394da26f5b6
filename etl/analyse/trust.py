"""
How far the data of an area can be trusted: origin, placement, lateness, sources gone silent.

A source is silent when the days since its last record are more than its own past makes plausible:
P(no record for so long) < 0.001 at its rate of days with records, and longer than any gap before.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from etl.analyse.area_rates import SMALL, window_of
from etl.analyse.expected import known_share
from etl.analyse.frames import stacked
from etl.analyse.observed import by_area, period_rows

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from etl.analyse.bed import Bed, Flags, Floats, Ints

SILENT_P: Final = 0.001
"""Chance below which a gap is no chance; divided by the number of areas of a level."""

COVERS: Final = 0.1
"""Least share of an area's records of the last year that makes a source one of the area's."""

LEAST_DAYS: Final = 10
"""Days with records, of the last year, that a history needs to be judged by."""

LEAST_GAP: Final = 2
"""Days that any source may pause, however regular it was."""

MEMORY_DAYS: Final = 365


@dataclass(frozen=True)
class Silence:
    """
    Sources that have gone silent in each area, per level from the top down.

    `sources[level]` has shape (n areas, n sources): the source covers the area and is silent in
    it or in an area above it.
    """

    sources: tuple[Flags, ...]

    @property
    def flags(self) -> tuple[Flags, ...]:
        """Areas with a silent source: grey; each shape (n areas,)."""
        return tuple(np.any(one, axis=1) for one in self.sources)


def silent(bed: Bed, day: np.datetime64) -> Silence:
    """
    Judge every source in every larger area by what was known on a day.

    Communities and grids have too few records to be judged: they are as the area above them.
    """
    key = ("silent", day)
    if key not in bed.memo:
        bed.memo[key] = _silent(bed, day)
    found: Silence = bed.memo[key]
    return found


def _silent(bed: Bed, day: np.datetime64) -> Silence:
    found: list[Flags] = []
    for depth, areas in enumerate(bed.areas):
        if depth and areas.level in SMALL:
            found.append(found[-1][areas.parent])
            continue
        quiet, covers = _judged(bed, areas.level, day)
        if depth:
            above = found[-1][areas.parent]
            quiet = quiet | (above & covers)
        found.append(quiet & covers)
    return Silence(tuple(found))


def _judged(bed: Bed, level: str, day: np.datetime64) -> tuple[Flags, Flags]:
    """Which source is silent in, and which covers, each area; both (n areas, n sources)."""
    number, sources = len(bed.level_areas(level)), _sources(bed)
    pair, active, records = _record_days(bed, level)
    today = int(day.astype("datetime64[D]").astype(np.int64))
    used = (active <= today) & (active > today - MEMORY_DAYS)
    pair, active, records = pair[used], active[used], records[used]
    size = number * sources
    days = np.bincount(pair, minlength=size)
    total = np.bincount(pair, weights=records, minlength=size).reshape(number, sources)
    all_records = total.sum(axis=1, keepdims=True)
    covers = total >= COVERS * np.maximum(all_records, 1.0)
    covers &= total > 0
    first, last, longest = _gaps(pair, active, size)
    since = today - last
    rate = np.where(days > 0, (days - 0.5) / np.maximum(last - first + 1, 1), 0.5)
    p_gap = (1 - np.clip(rate, 1e-9, 1 - 1e-9)) ** since
    quiet = (
        (days >= LEAST_DAYS)
        & (p_gap < SILENT_P / max(number, 1))
        & (since > np.maximum(longest, LEAST_GAP))
    )
    return quiet.reshape(number, sources), covers


def _gaps(pair: Ints, active: Ints, size: int) -> tuple[Ints, Ints, Ints]:
    """First and last day, and longest gap between days, of each pair; rows sorted by both."""
    first, last, longest = (np.zeros(size, dtype=np.int64) for _ in range(3))
    if len(pair):
        starts = np.flatnonzero(np.append(True, pair[1:] != pair[:-1]))
        ends = np.append(starts[1:], len(pair)) - 1
        gaps = np.append(0, np.diff(active))
        gaps[starts] = 0
        first[pair[starts]], last[pair[starts]] = active[starts], active[ends]
        longest[pair[starts]] = np.maximum.reduceat(gaps, starts)
    return first, last, longest


def _sources(bed: Bed) -> int:
    return max(len(bed.sources), int(bed.events.source.max(initial=-1)) + 1, 1)


def _record_days(bed: Bed, level: str) -> tuple[Ints, Ints, Ints]:
    """Distinct days on which a source told of events in an area: pair, day, number; sorted."""
    key = ("record days", level)
    if key not in bed.memo:
        index = bed.index(level).astype(np.int64)
        rows = np.flatnonzero((index >= 0) & (bed.events.source >= 0))
        pair = index[rows] * _sources(bed) + bed.events.source[rows]
        known = bed.events.known[rows].astype(np.int64)
        low = int(known.min(initial=0))
        span = int(known.max(initial=0)) - low + 1
        distinct, number = np.unique(pair * span + known - low, return_counts=True)
        bed.memo[key] = distinct // span, distinct % span + low, number
    found: tuple[Ints, Ints, Ints] = bed.memo[key]
    return found


def area_trust(bed: Bed, at: int, known_on: np.datetime64) -> pd.DataFrame:
    """Trust figures of every valid area for the windows that end with a period: `area_trust`."""
    quiet = silent(bed, bed.ends[at])
    windows = {periods: _counts(bed, at, periods, known_on)
               for periods in {window_of(bed, level) for level in bed.levels}}  # fmt: skip
    parts: list[dict[str, Any]] = []
    for depth, areas in enumerate(bed.areas):
        reported, discovered, complete = windows[window_of(bed, areas.level)]
        every = [told + found for told, found in zip(reported, discovered, strict=True)]
        rows = np.flatnonzero(areas.valid(bed.ends[at]))
        parts.append(
            {
                "level": areas.level,
                "period_end": bed.starts[at].astype("datetime64[s]"),
                "area_index": rows,
                "reported": reported[depth][rows].astype(np.int64),
                "discovered": discovered[depth][rows].astype(np.int64),
                "discovered_share": _share(discovered[depth], every[depth])[rows],
                "unplaced_share": _unplaced(bed, depth, every)[rows],
                "complete": complete,
                "silent_sources": _names(bed, quiet.sources[depth][rows]),
                "is_silent": quiet.flags[depth][rows],
            }
        )
    return stacked(parts, length="area_index")


def _counts(
    bed: Bed, at: int, periods: int, known_on: np.datetime64
) -> tuple[list[Floats], list[Floats], float]:
    """Reported and discovered events by area, and share known, of a window."""
    span = range(max(at - periods + 1, 0), at + 1)
    known = np.mean([known_share(bed, "all", at=one, known_on=known_on) for one in span])
    rows = period_rows(bed, span[0], at)
    rows = rows[bed.events.known[rows] <= known_on]
    told = bed.reported[rows]
    return by_area(bed, rows[told]), by_area(bed, rows[~told]), float(known)


def _share(part: Floats, whole: Floats) -> Floats:
    return np.where(whole > 0, part / np.where(whole > 0, whole, 1.0), np.nan)


def _unplaced(bed: Bed, depth: int, every: list[Floats]) -> Floats:
    """Share of each area's events that lie in none of its children; empty at the lowest level."""
    if depth + 1 == len(bed.areas):
        return np.full(len(bed.areas[depth]), np.nan)
    parent = bed.areas[depth + 1].parent
    inside = np.bincount(parent, weights=every[depth + 1], minlength=len(bed.areas[depth]))
    return _share(every[depth] - inside, every[depth])


def _names(bed: Bed, quiet: Flags) -> NDArray[Any]:
    """Names of each area's silent sources, joined by spaces."""
    names = [*bed.sources, *(str(one) for one in range(len(bed.sources), quiet.shape[1]))]
    found = np.full(len(quiet), "", dtype=object)
    for row in np.flatnonzero(np.any(quiet, axis=1)):
        found[row] = " ".join(name for name, told in zip(names, quiet[row], strict=True) if told)
    return found

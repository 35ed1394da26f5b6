"""One level in one period: which areas count, against what, and sums of rows over its spans."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from etl.analyse.index.series import day_number

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from data.index_settings import Span
    from etl.analyse.bed import Areas, Bed, Flags, Floats
    from etl.analyse.index.prepared import Prepared
    from etl.analyse.index.series import Series, Table


@dataclass(frozen=True)
class Stretch:
    """Consecutive periods from `low` up to but without `high`; empty = outside the data."""

    low: int
    high: int

    @property
    def length(self) -> int:
        """Number of periods."""
        return max(self.high - self.low, 0)

    def life(self, bed: Bed, areas: Areas) -> Floats:
        """Periods of it in which each area was valid, in parts by days; shape (n areas,)."""
        if not self.length:
            return np.zeros(len(areas))
        first, after = bed.starts[self.low], bed.ends[self.high - 1] + 1
        begin, end = np.maximum(areas.valid_from, first), np.minimum(areas.valid_to, after)
        days = np.maximum((end - begin).astype("timedelta64[D]").astype(np.int64), 0)
        whole = (after - first).astype("timedelta64[D]").astype(np.int64)
        return np.asarray(days / whole * self.length)


@dataclass(frozen=True)
class Stretches:
    """Window, the baseline just before it, and the same window last year."""

    window: Stretch
    baseline: Stretch
    year: Stretch


def stretches(bed: Bed, span: Span, at: int) -> Stretches:
    """Those of a span whose window ends with a period."""
    low = at - span.periods + 1
    year = low - bed.season
    return Stretches(
        Stretch(max(low, 0), at + 1),
        Stretch(max(low - span.baseline, 0), max(low, 0)),
        Stretch(year, year + span.periods) if year >= 0 else Stretch(0, 0),
    )


@dataclass(frozen=True)
class Context:
    """
    One level in one period; arrays of shape (n areas,).

    Attributes
    ----------
    exposure
        NaN where unknown.
    window, baseline, year
        Periods of each stretch in which an area was valid.
    usable
        Areas with enough of a baseline; `valid` = valid on the last day of the period.
    complete
        Share of the window's incidents that is known.
    """

    depth: int
    span: Span
    stretches: Stretches
    areas: Areas
    exposure: Floats
    window: Floats
    baseline: Floats
    year: Floats
    usable: Flags
    valid: Flags
    complete: float


def context(prepared: Prepared, depth: int, at: int, complete: Floats) -> Context:
    """
    Lay out one level.

    Parameters
    ----------
    complete
        Share of each period's incidents that is known, shape (n periods,).
    """
    bed, settings = prepared.bed, prepared.settings
    areas = bed.areas[depth]
    span = settings.span(areas.level, bed.grain)
    found = stretches(bed, span, at)
    window, baseline, year = (
        one.life(bed, areas) for one in (found.window, found.baseline, found.year)
    )
    valid = areas.valid(bed.ends[at])
    enough = baseline >= settings.baseline_least * span.baseline
    return Context(
        depth=depth,
        span=span,
        stretches=found,
        areas=areas,
        exposure=np.where(areas.exposure > 0, areas.exposure, np.nan),
        window=window,
        baseline=baseline,
        year=np.where(year >= span.periods / 2, year, np.nan),
        usable=valid & enough & (window > 0),
        valid=valid,
        complete=float(complete[found.window.low : found.window.high].mean()),
    )


class Sums:
    """Sums of rows over the stretches of each span, by level: worked out together."""

    def __init__(
        self,
        prepared: Prepared,
        named: Mapping[object, Series | Table],
        *,
        at: int,
        known_on: np.datetime64,
    ) -> None:
        self._column = {name: number for number, name in enumerate(named)}
        self._found: dict[tuple[Span, str], Sequence[Floats]] = {}
        bed, day, size = prepared.bed, int(day_number(known_on)), prepared.roll.size
        spans = {prepared.settings.span(level, bed.grain) for level in bed.levels}
        done: dict[tuple[int, int], Sequence[Floats]] = {}
        for span in sorted(spans, key=lambda one: one.levels):
            found = stretches(bed, span, at)
            for name in ("window", "baseline", "year"):
                one = getattr(found, name)
                key = (one.low, one.high)
                if key not in done:
                    columns = [
                        rows.total(one.low, one.high, known_on=day, size=size)
                        for rows in named.values()
                    ]
                    done[key] = prepared.roll.up(np.column_stack(columns))
                self._found[span, name] = done[key]

    def of(self, level: Context, name: object) -> tuple[Floats, Floats, Floats]:
        """Sums of one series in window, baseline and last year, each (n areas,)."""
        column = self._column[name]
        window, baseline, year = (
            self._found[level.span, stretch][level.depth][:, column]
            for stretch in ("window", "baseline", "year")
        )
        return window, baseline, year

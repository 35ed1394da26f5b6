"""
Counts held as small arrays: what every click sums, in a tenth of the time that a query takes.

A snapshot never changes, so its rows are put in the orders in which they are asked for, once, in
the smallest types that hold them. What a window has of everything comes from running sums: the
difference of two rows of a matrix. Nothing here knows of a scope: `dashboard.queries`,
`dashboard.hours` and `dashboard.cells` let out what one may see. `data.kept` keeps them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from data.schema import NO_HOUR, NOT_PLACED

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Ints = NDArray[np.integer[Any]]
    Columns = dict[str, NDArray[Any]]

HOURS: Final = 168
"""Hours of a week."""


@dataclass(frozen=True)
class Periods:
    """The periods of which a table has any row: their starts, rising."""

    starts: NDArray[np.datetime64]

    @classmethod
    def of(cls, days: NDArray[Any]) -> Periods:
        """Every period among the rows of a table."""
        return cls(np.unique(days).astype("datetime64[D]"))

    def __len__(self) -> int:
        return len(self.starts)

    def places(self, days: NDArray[Any]) -> NDArray[np.int64]:
        """Position of each start among them."""
        return np.searchsorted(self.starts, days.astype("datetime64[D]"))

    def between(self, first: dt.date, last: dt.date) -> slice:
        """Positions of those that start from one day to another."""
        start = int(self.starts.searchsorted(np.datetime64(first)))
        return slice(start, max(start, int(self.starts.searchsorted(np.datetime64(last), "right"))))


@dataclass(frozen=True)
class Running:
    """
    Incidents up to each period.

    Attributes
    ----------
    placed
        Per place, shape (n periods + 1, n places).
    nowhere
        In no place, shape (n periods + 1,): so many that `placed` would need a larger type.
    """

    periods: Periods
    placed: Ints
    nowhere: NDArray[np.int64]

    @classmethod
    def of(cls, periods: Periods, period: Ints, place: Ints, count: Ints, places: int) -> Running:
        """Sum the rows of a table; the place after the last is none."""
        inside = place < places
        totals = np.bincount(place[inside], weights=count[inside], minlength=places)
        kind = np.min_scalar_type(int(totals.max(initial=0)))
        placed = np.zeros((len(periods) + 1, places), dtype=kind)
        at = period.astype(np.int64) + 1
        np.add.at(placed, (at[inside], place[inside]), count[inside].astype(kind))
        np.cumsum(placed, axis=0, out=placed)
        rest = np.bincount(at[~inside], weights=count[~inside], minlength=len(periods) + 1)
        return cls(periods, placed, np.cumsum(rest).astype(np.int64))

    def between(self, first: dt.date, last: dt.date) -> NDArray[np.int64]:
        """Incidents per place and, at last, in none in some periods, shape (n places + 1,)."""
        at = self.periods.between(first, last)
        found = np.empty(self.placed.shape[1] + 1, dtype=np.int64)
        np.subtract(self.placed[at.stop], self.placed[at.start], out=found[:-1])
        found[-1] = self.nowhere[at.stop] - self.nowhere[at.start]
        return found


@dataclass(frozen=True)
class Rows:
    """Rows of one area, by period; arrays of one length."""

    period: Ints
    """Position among the periods of the table."""
    category: Ints
    severity: Ints
    count: Ints

    def only(self, categories: Sequence[int] | None, min_severity: int) -> Rows:
        """Those of some categories (None = all) that are at least so severe."""
        if categories is None and not min_severity:
            return self
        kept = self.severity >= min_severity
        if categories is not None:
            kept &= _among(self.category, categories)
        return Rows(self.period[kept], self.category[kept], self.severity[kept], self.count[kept])

    def within(self, periods: slice) -> Rows:
        """Those of some periods."""
        at = slice(*np.searchsorted(self.period, (periods.start, periods.stop)))
        return Rows(self.period[at], self.category[at], self.severity[at], self.count[at])


class AreaCounts:
    """
    Rows of `area_counts_*` of one level, in the order of categories and in that of areas.

    Parameters
    ----------
    found
        The columns of the table.
    places
        Areas of the level.
    """

    def __init__(self, found: Columns, places: int) -> None:
        self.periods = Periods.of(found["period_start"])
        self._places = places
        period = small(self.periods.places(found["period_start"]))
        area = small(placed(found["area_index"], places))
        category, severity, count = (
            small(found[name]) for name in ("category_index", "severity", "count")
        )
        self._kinds = int(category.max(initial=0)) + 1
        kind = small(category.astype(np.int64) * len(self.periods) + period)
        self._kind_at = offsets(kind, self._kinds * len(self.periods))
        order = np.argsort(kind, kind="stable")
        self._by_kind = area[order], severity[order], count[order]
        self._area_at = offsets(area, places + 1)
        order = np.lexsort((period, area))
        self._by_area = Rows(period[order], category[order], severity[order], count[order])
        self.running = Running.of(self.periods, period, area, count, places)

    def between(
        self,
        first: dt.date,
        last: dt.date,
        *,
        categories: Sequence[int] | None = None,
        min_severity: int = 0,
    ) -> NDArray[np.int64]:
        """
        Incidents per area in the periods from one to another, shape (n areas + 1,).

        The last entry counts what is placed in no area of the level.
        """
        if categories is None and not min_severity:
            return self.running.between(first, last)
        at, length = self.periods.between(first, last), len(self.periods)
        wanted = range(self._kinds) if categories is None else sorted(set(categories))
        begin = np.array([kind * length for kind in wanted if kind < self._kinds], dtype=np.int64)
        edges = np.stack([self._kind_at[begin + at.start], self._kind_at[begin + at.stop]], axis=1)
        area, severity, count = (_joined(column, edges) for column in self._by_kind)
        if min_severity:
            kept = severity >= min_severity
            area, count = area[kept], count[kept]
        return np.bincount(area, weights=count, minlength=self._places + 1).astype(np.int64)

    def of_area(self, index: int) -> Rows:
        """Every row of one area."""
        at, rows = slice(*self._area_at[index : index + 2]), self._by_area
        return Rows(rows.period[at], rows.category[at], rows.severity[at], rows.count[at])


class HourCounts:
    """
    Rows of `area_hours`, in the order of periods and areas.

    Parameters
    ----------
    found
        The columns of the table.
    """

    def __init__(self, found: Columns) -> None:
        self._periods = Periods.of(found["period_start"])
        # What lies in no area stands first.
        area = found["area_row"].astype(np.int64) - NOT_PLACED
        self._places = int(area.max(initial=0)) + 1
        key = self._periods.places(found["period_start"]) * self._places + area
        self._at = offsets(key, self._places * len(self._periods))
        order = np.argsort(key, kind="stable")
        self._hour = small(np.where(found["hour"] == NO_HOUR, HOURS, found["hour"]))[order]
        self._count = small(found["count"])[order]
        self._category = small(found["category_index"])[order]
        self._severity = small(found["severity"])[order]

    def between(
        self,
        first: dt.date,
        last: dt.date,
        *,
        rows: Sequence[int],
        categories: Sequence[int] | None = None,
        min_severity: int = 0,
    ) -> NDArray[np.int64]:
        """
        Incidents of some rows of `areas`, rising, by hour of the week, shape (169,).

        The last entry counts incidents of which no hour is told.
        """
        at = self._periods.between(first, last)
        area = np.asarray(rows, dtype=np.int64) - NOT_PLACED
        # Areas that follow one another stand in one stretch of each period.
        runs = np.split(area, np.flatnonzero(np.diff(area) != 1) + 1)
        ends = np.array([(run[0], run[-1] + 1) for run in runs if len(run)]).reshape(-1, 2)
        begin = np.arange(at.start, at.stop) * self._places
        edges = self._at[(begin[:, None, None] + ends.clip(max=self._places)).reshape(-1, 2)]
        edges = edges[edges[:, 0] < edges[:, 1]]
        hour, count = _joined(self._hour, edges), _joined(self._count, edges)
        if categories is not None or min_severity:
            kept = _joined(self._severity, edges) >= min_severity
            if categories is not None:
                kept &= _among(_joined(self._category, edges), categories)
            hour, count = hour[kept], count[kept]
        return np.bincount(hour, weights=count, minlength=HOURS + 1).astype(np.int64)


def small(values: NDArray[Any]) -> Ints:
    """The same whole numbers from 0 up, in the smallest type."""
    return values.astype(np.min_scalar_type(int(values.max(initial=0))))


def placed(index: NDArray[Any], places: int) -> NDArray[np.int64]:
    """What lies in no place stands after the last."""
    return np.where(index == NOT_PLACED, places, index).astype(np.int64)


def offsets(keys: Ints, n: int) -> NDArray[np.int64]:
    """Where each of n keys begins among the sorted ones; and where the last ends, (n + 1,)."""
    return np.concatenate([[0], np.cumsum(np.bincount(keys, minlength=n))])


def _joined(column: Ints, edges: Ints) -> Ints:
    """Several stretches of a column, each from one place to another."""
    return np.concatenate([column[:0], *(column[first:last] for first, last in edges.tolist())])


def _among(column: Ints, wanted: Sequence[int]) -> NDArray[np.bool_]:
    """Which values are wanted; `isin` for small numbers, in a third of its time."""
    known = np.zeros(max(int(column.max(initial=0)), *wanted, 0) + 1, dtype=bool)
    known[list(wanted)] = True
    return known[column]

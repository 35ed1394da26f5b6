"""
The bed of every analysis: areas of all levels and the current incidents, as plain arrays.

Nothing here reads a file or knows a name. An incident is a place, a time and a class; which of them
a method may use is told by masks, so that "as known on a day" is one comparison.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from data import schema
from data.periods import PERIODS_PER_YEAR, shift
from etl.analyse.counting import children, distinct, group_tables, level_sums
from geo.cells import parent_numbers

if TYPE_CHECKING:
    from collections.abc import Sequence

    from data.periods import Grain

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]
Days = NDArray[np.datetime64]

NO_CELL: Final = 0
NEVER: Final = np.iinfo(np.int64).min
"""Second of a step that has not happened, or of which the source tells nothing."""

REPORTED, DISCOVERED = 0, 1
NO_GROUP: Final = -1


@dataclass(frozen=True)
class Areas:
    """
    The areas of one level, each array of shape (n areas,) in the order of `area_index`.

    `parent` is the position in the level above (-1 = none, or the top); exposures are NaN where
    unknown; days are `datetime64[D]`, valid from the first up to but without the second.
    """

    level: str
    parent: Ints
    residents: Floats
    households: Floats
    area_km2: Floats
    exposure: Floats
    valid_from: Days
    valid_to: Days

    def __len__(self) -> int:
        return len(self.parent)

    def valid(self, day: np.datetime64) -> Flags:
        """Which of them are valid on a day."""
        return np.asarray((self.valid_from <= day) & (day < self.valid_to))


@dataclass(frozen=True)
class Events:
    """
    Current incidents in parallel arrays of shape (n incidents,), in no particular order.

    Attributes
    ----------
    day, known
        `datetime64[D]`, city time: when it happened; when the city could first know of it
        (reported, else happened; never before it happened).
    area
        Row of the `areas` table: the lowest area; -1 = in none.
    cell
        H3 index of resolution 10; `NO_CELL` = no point.
    category
        Position in the city's categories.
    severity
        1-4; 0 = unknown.
    scale
        1 individual, 2 group, 3 large group; 0 = unknown.
    origin
        `REPORTED` or `DISCOVERED`.
    source
        Position in the city's sources.
    status, outcome
        Positions in `data.source.STATUSES` and `OUTCOMES`; -1 = not told.
    repeat
        Whether the source calls it a repetition of another one.
    occurred, reported, dispatched, signed, resolved, archived, deadline
        Seconds since 1970 UTC; `NEVER` = none.
    identity
        Hash of the incident's number, by which the duty officer finds it; 0 = not given.
    """

    day: Days
    known: Days
    area: Ints
    cell: Ints
    category: NDArray[np.int16]
    severity: NDArray[np.int8]
    scale: NDArray[np.int8]
    origin: NDArray[np.int8]
    source: NDArray[np.int16]
    status: NDArray[np.int8]
    outcome: NDArray[np.int8]
    repeat: Flags
    occurred: Ints
    reported: Ints
    dispatched: Ints
    signed: Ints
    resolved: Ints
    archived: Ints
    deadline: Ints
    identity: Ints = field(default_factory=lambda: np.empty(0, dtype=np.int64))

    def __post_init__(self) -> None:
        if len(self.identity) != len(self.day):
            object.__setattr__(self, "identity", np.zeros(len(self.day), dtype=np.int64))

    def __len__(self) -> int:
        return len(self.day)

    def take(self, rows: NDArray[Any]) -> Events:
        """Some of them: positions or flags."""
        return replace(self, **{one.name: getattr(self, one.name)[rows] for one in fields(self)})


@dataclass(frozen=True)
class Bed:
    """
    Areas, incidents and calendar of one city.

    Attributes
    ----------
    areas
        Levels from the top down.
    starts
        First days of the periods, without gaps, `datetime64[D]`, shape (n periods,): from the
        first counted to the last complete one.
    as_of
        Last day covered; incidents of an incomplete period after the last `starts` are in
        `events`, and in no count by period.
    groups
        Names of the category groups (`all` is not among them).
    group_of
        Position of each category's group, shape (n categories,); `NO_GROUP` = only in `all`.
    time_zone
        Of the city: outside Asia there are no Chinese holidays.
    sources
        Names of the city's sources, in the order of `Events.source`.
    """

    areas: tuple[Areas, ...]
    events: Events
    grain: Grain
    starts: Days
    as_of: np.datetime64
    groups: tuple[str, ...]
    group_of: Ints
    time_zone: str = "Asia/Shanghai"
    sources: tuple[str, ...] = ()

    @property
    def levels(self) -> tuple[str, ...]:
        """Names of the levels, from the top down."""
        return tuple(one.level for one in self.areas)

    @property
    def season(self) -> int:
        """Periods in a year."""
        return PERIODS_PER_YEAR[self.grain]

    @cached_property
    def ends(self) -> Days:
        """Last day of each period, shape (n periods,)."""
        after = shift(self.starts[-1].astype(object), 1, grain=self.grain)
        return np.append(self.starts[1:], np.datetime64(after)) - 1

    @cached_property
    def period(self) -> Ints:
        """Position of each event's period in `starts`; -1 = outside."""
        found = np.searchsorted(self.starts, self.events.day, side="right") - 1
        return np.where(self.events.day > self.ends[-1], -1, found)

    @cached_property
    def reported(self) -> Flags:
        """Events that people reported: what risk, hot spots and signals go by."""
        return np.asarray(self.events.origin == REPORTED)

    @cached_property
    def group(self) -> NDArray[np.int8]:
        """Position of each event's group in `groups`, `NO_GROUP` = in none; shape (n events,)."""
        return np.asarray(self.group_of.astype(np.int8)[self.events.category])

    def of_group(self, group: str) -> Flags:
        """Events of a group; `all` = every one."""
        if group == "all":
            return np.ones(len(self.events), dtype=bool)
        return np.asarray(self.group == self.groups.index(group))

    def rows_of_group(self, group: str, rows: Ints) -> Ints:
        """Those of some positions whose event is of a group; `all` = every one."""
        return rows if group == "all" else rows[self.group[rows] == self.groups.index(group)]

    @cached_property
    def _ancestors(self) -> NDArray[np.int32]:
        """Index at each level of each row of `areas`, shape (n levels, n rows + 1); last = none."""
        sizes = [len(one) for one in self.areas]
        first = np.cumsum([0, *sizes])
        found = np.full((len(sizes), first[-1] + 1), schema.NOT_PLACED, dtype=np.int32)
        for depth, one in enumerate(self.areas):
            own = slice(first[depth], first[depth + 1])
            found[depth, own] = np.arange(len(one))
            index = found[depth, own].astype(np.int64)
            for above in range(depth, 0, -1):
                index = np.append(self.areas[above].parent, schema.NOT_PLACED)[index]
                found[above - 1, own] = index
        return found

    def index(self, level: str) -> NDArray[np.int32]:
        """Index of each event's area at a level, -1 = in none; shape (n events,)."""
        found: NDArray[np.int32] = self._ancestors[self.levels.index(level)][self.events.area]
        return found

    def index_of(self, level: str, rows: Ints | NDArray[np.int32]) -> NDArray[np.int32]:
        """`index` of some events by their positions, shape (n rows,)."""
        found: NDArray[np.int32] = self._ancestors[self.levels.index(level)][self.events.area[rows]]
        return found

    def level_areas(self, level: str) -> Areas:
        """The areas of a level."""
        return self.areas[self.levels.index(level)]

    def known_by(self, day: np.datetime64) -> Flags:
        """Events that the city could know of on a day: what came later is no look-ahead."""
        return np.asarray(self.events.known <= day)

    def counts(
        self, level: str, *, mask: Flags | None = None, weights: Floats | None = None
    ) -> Floats:
        """
        Events per area and period, those placed in none left out.

        Parameters
        ----------
        mask
            Events to count, shape (n events,); by default those reported by people.
        weights
            Weight of each event; by default 1.

        Returns
        -------
        counts
            Shape (n areas, n periods).
        """
        size = len(self.level_areas(level))
        return self._table(self.index(level).astype(np.int64), size, mask, weights)

    def history(self, level: str, group: str, day: np.datetime64) -> Floats:
        """
        Reported events of a group per area and period, as known at the end of a day.

        Returns
        -------
        counts
            Shape (n areas, n periods that ended by then).
        """
        ended = int(np.searchsorted(self.ends, day, side="right"))
        found = self.table(level, group)[:, :ended].astype(np.float64)
        rows = self.rows_of_group(group, self.late(day))
        index = self.index_of(level, rows)
        period = self.period[rows]
        kept = (index >= 0) & (period >= 0) & (period < ended)
        np.subtract.at(found, (index[kept], period[kept]), 1.0)
        return found

    def late(self, day: np.datetime64) -> Ints:
        """Positions of the reported events of a day or before that became known after it."""
        key = ("late", day)
        if key not in self.memo:
            late = self.reported & (self.events.known > day) & (self.events.day <= day)
            self.memo[key] = np.flatnonzero(late)
        found: Ints = self.memo[key]
        return found

    def table(self, level: str, group: str) -> NDArray[np.float32]:
        """
        Reported events of a group per area and period, as known today.

        Returns
        -------
        counts
            Shape (n areas, n periods). Not to be changed in place.
        """
        key = ("table", group)
        if key not in self.memo:
            self.memo[key] = self._area_tables(group)
        found: NDArray[np.float32] = self.memo[key][self.levels.index(level)]
        return found

    def _area_tables(self, group: str) -> list[NDArray[np.float32]]:
        """Counts by row of `areas`, added up from the lowest level."""
        rows = self.counted_of(group)
        rows = rows[self.events.area[rows] >= 0]
        size, periods = sum(len(one) for one in self.areas), len(self.starts)
        keys = self.events.area[rows] * periods + self.period[rows]
        own = np.bincount(keys, minlength=size * periods).astype(np.float32)
        return self.by_level(own.reshape(size, periods))

    @cached_property
    def counted(self) -> Ints:
        """Positions of the reported events of the periods."""
        return np.flatnonzero(self.reported & (self.period >= 0))

    def counted_of(self, group: str) -> Ints:
        """Those of `counted` of a group."""
        key = ("counted", group)
        if key not in self.memo:
            self.memo[key] = self.rows_of_group(group, self.counted)
        found: Ints = self.memo[key]
        return found

    def by_level(self, table: NDArray[Any]) -> list[NDArray[Any]]:
        """
        Sums by level of figures by row of `areas`: each area's own, and those of its children.

        Parameters
        ----------
        table
            Shape (n rows of `areas`,) or (n rows of `areas`, m).

        Returns
        -------
        sums
            Per level from the top down, shape (n areas,) or (n areas, m).
        """
        if ("children",) not in self.memo:
            self.memo["children",] = children([one.parent for one in self.areas])
        return level_sums(table, [len(one) for one in self.areas], self.memo["children",])

    @cached_property
    def memo(self) -> dict[tuple[Any, ...], Any]:
        """What several methods ask for alike, by name and arguments. Not to be changed in place."""
        return {}

    def cell_counts(
        self, resolution: int, *, mask: Flags | None = None, weights: Floats | None = None
    ) -> tuple[Ints, Floats]:
        """
        Events per cell and period, those without a point left out.

        Returns
        -------
        cells
            H3 indexes in ascending order, every cell with an event in the bed: shape (n cells,).
        counts
            Shape (n cells, n periods).
        """
        cells, position = self.cells(resolution)
        return cells, self._table(position.astype(np.int64), len(cells), mask, weights)

    def cells(self, resolution: int) -> tuple[Ints, NDArray[np.int32]]:
        """Distinct cells in ascending order, and the position of each event's, -1 = no point."""
        if resolution not in self._cells:
            finest, position = self._finest
            above = parent_numbers(finest, resolution=resolution)
            cells, up = np.unique(above, return_inverse=True)
            places = np.append(up, -1).astype(np.int32)
            self._cells[resolution] = cells.astype(np.int64), places[position]
        return self._cells[resolution]

    @cached_property
    def _finest(self) -> tuple[Ints, NDArray[np.int32]]:
        """Cells as they are given, in ascending order, and the position of each event's."""
        return distinct(self.events.cell, none=NO_CELL)

    @cached_property
    def _cells(self) -> dict[int, tuple[Ints, NDArray[np.int32]]]:
        return {}

    def cell_table(self, resolution: int, group: str) -> NDArray[np.float32]:
        """Reported events of a group per cell and period, as known today: (n cells, n periods)."""
        key = ("cell_table", resolution)
        if key not in self.memo:
            cells, position = self.cells(resolution)
            names = (*self.groups, "all")
            rows = self.counted[position[self.counted] >= 0]
            tables = group_tables(
                self.group[rows], position[rows], self.period[rows],
                shape=(len(names), len(cells), len(self.starts)),
            )  # fmt: skip
            self.memo[key] = dict(zip(names, tables, strict=True))
        found: NDArray[np.float32] = self.memo[key][group]
        return found

    def _table(
        self, position: Ints, size: int, mask: Flags | None, weights: Floats | None
    ) -> Floats:
        chosen = (self.reported if mask is None else mask) & (position >= 0) & (self.period >= 0)
        keys = position[chosen] * len(self.starts) + self.period[chosen]
        found = np.bincount(
            keys,
            weights=None if weights is None else weights[chosen],
            minlength=size * len(self.starts),
        )
        return found.astype(np.float64).reshape(size, len(self.starts))


def concatenate(parts: Sequence[Events]) -> Events:
    """Several sets of events as one."""
    return Events(
        **{one.name: np.concatenate([getattr(part, one.name) for part in parts])
           for one in fields(Events)}
    )  # fmt: skip

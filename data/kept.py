"""What a snapshot keeps as arrays of its own, each made when it is first asked for."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from data.area_rows import AreaRows
from data.counts import AreaCounts, HourCounts, Periods, Running, placed

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from data.manifest import Manifest

    Columns = dict[str, NDArray[Any]]


class Kept:
    """
    The arrays of one snapshot, for every scope; safe between threads.

    Parameters
    ----------
    read
        Runs SQL over the tables of the snapshot.
    """

    def __init__(self, read: Callable[[str], Columns], manifest: Manifest) -> None:
        self._read, self._manifest = read, manifest
        self._lock = threading.Lock()
        self._locks: dict[tuple[str, Any], threading.Lock] = {}
        self._made: dict[tuple[str, Any], Any] = {}

    def areas(self, level: str) -> AreaCounts:
        """Counts of the areas of a level."""
        found: AreaCounts = self._once("areas", level)
        return found

    def cells(self, resolution: int) -> Running:
        """Running sums of the cells of a resolution."""
        found: Running = self._once("cells", resolution)
        return found

    def hours(self) -> HourCounts:
        """Counts by hour of the week."""
        found: HourCounts = self._once("hours", "")
        return found

    def rows(self, sql: str) -> AreaRows:
        """What a query without parameters finds, by area: it selects `level` and `area_index`."""
        found: AreaRows = self._once("rows", sql)
        return found

    def make_ahead(self) -> None:
        """Make the counts of every level, so that no click waits for them."""
        for level in self._levels:
            self.areas(level)

    def follow(self, other: Kept) -> None:
        """Make what another holds, whose snapshot gives way to this one."""
        for kind, name in list(other._made):
            known: dict[str, list[Any]] = {"areas": [*self._levels], "cells": [*self._cells]}
            if name in known.get(kind, [name]):
                self._once(kind, name)

    def drop(self) -> None:
        """Let go of all; what is asked for yet is made again."""
        self._made = {}

    @property
    def _levels(self) -> dict[str, int]:
        """Areas of each level, the highest first."""
        return {entry["level"]: int(entry["count"]) for entry in self._manifest.levels}

    @property
    def _cells(self) -> dict[int, int]:
        """Cells of each resolution."""
        return {int(entry["resolution"]): int(entry["count"]) for entry in self._manifest.cells}

    def _once(self, kind: str, name: Any) -> Any:
        key = (kind, name)
        found = self._made.get(key)
        if found is None:
            with self._lock:
                lock = self._locks.setdefault(key, threading.Lock())
            with lock:
                found = self._made.get(key)
                if found is None:
                    found = self._made[key] = getattr(self, f"_make_{kind}")(name)
        return found

    def _make_areas(self, level: str) -> AreaCounts:
        columns = "period_start, area_index, category_index, severity, count"
        found = self._read(f"SELECT {columns} FROM area_counts_{level}")
        return AreaCounts(found, self._levels[level])

    def _make_cells(self, resolution: int) -> Running:
        # Not grouped: what that takes, the database keeps.
        found = self._read(f"SELECT period_start, cell_index, count FROM cell_counts_{resolution}")
        places = self._cells[resolution]
        periods = Periods.of(found["period_start"])
        period, cell = periods.places(found["period_start"]), placed(found["cell_index"], places)
        return Running.of(periods, period, cell, found["count"], places)

    def _make_hours(self, _: str) -> HourCounts:
        columns = "period_start, area_row, hour, category_index, severity, count"
        return HourCounts(self._read(f"SELECT {columns} FROM area_hours"))

    def _make_rows(self, sql: str) -> AreaRows:
        return AreaRows(self._read(sql), self._levels)

"""
Hex cells as a scope may see them: which there are, by which number, and what they count.

A scope of the whole city reads the counts of the cells. Any other one reads what its own areas have
in each cell: a cell that reaches across a border counts this side of it alone, and a cell in which
the own areas never had an incident does not exist. Cells are numbered anew for each scope, in the
order of H3, so no number tells what there is elsewhere; the version in the address of their tiles
stands for exactly these cells in this order.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from dashboard.cache import scoped_cache, scoped_cache_of_few
from data.access import covered, decide
from geo import cells as hexagons
from geo.tiles import EXTENT

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dashboard.queries import Selection
    from data.access import Scope
    from data.store import Snapshot

_MARK: Final = "~"
"""Between a snapshot's id and the digest of a scope's cells in a version."""


@dataclass(frozen=True)
class Cells:
    """Cells of one resolution by their number in the scope; each array has shape (n cells,)."""

    numbers: NDArray[np.int64]
    """H3 indexes."""
    lng: NDArray[np.float64]
    lat: NDArray[np.float64]
    """Centres in degrees, WGS 84."""
    area_km2: NDArray[np.float64]


@dataclass(frozen=True)
class CellCounts:
    """Incidents in the window per cell by its number in the scope, shape (n cells,)."""

    counts: NDArray[np.int64]
    no_point: int
    """Incidents of the same areas that no cell can show; with `counts` they are all there are."""
    density: NDArray[np.float64]
    """Incidents per km² and period."""


@dataclass(frozen=True)
class _Own:
    """
    Cells of the finest resolution in which a scope's areas ever had an incident.

    Attributes
    ----------
    index
        `cell_index` in the city, rising.
    above
        Resolution to the parents, rising, and to the number of each one's parent among them.
    """

    index: NDArray[np.int64]
    above: dict[int, tuple[NDArray[np.int64], NDArray[np.int64]]]
    digest: str

    def upwards(self, index: NDArray[np.int32], resolution: int) -> NDArray[np.int64]:
        """Number in the scope of each one's parent; -1 stays."""
        parents = np.append(self.above[resolution][1], -1)
        return np.where(index < 0, -1, parents[np.searchsorted(self.index, index)])


def covers_city(scope: Scope) -> bool:
    """Whether the scope may see every cell with all that is in it."""
    return decide(scope, "cells").covers_city


@scoped_cache
def has_cells(scope: Scope, snapshot: Snapshot) -> bool:
    """Whether there is any cell that the scope may see."""
    return any(count_of(scope, snapshot, each) for each in _resolutions(snapshot))


def count_of(scope: Scope, snapshot: Snapshot, resolution: int) -> int:
    """Count the cells of a resolution that the scope may see."""
    if covers_city(scope):
        entries = snapshot.manifest.cells
        return next(int(entry["count"]) for entry in entries if entry["resolution"] == resolution)
    return len(_own(scope, snapshot).above[resolution][0])


def version(scope: Scope, snapshot: Snapshot) -> str:
    """
    Name what the scope's cell tiles show, for ever.

    That of the snapshot's cells; short of the whole city, the snapshot and a digest of the cells.
    """
    if covers_city(scope):
        return snapshot.manifest.cell_version
    return f"{snapshot.id}{_MARK}{_own(scope, snapshot).digest}"


def of_snapshot(name: str) -> str:
    """Part of a version by which the store finds the snapshot."""
    return name.partition(_MARK)[0]


@scoped_cache
def register(scope: Scope, snapshot: Snapshot, resolution: int) -> Cells:
    """Cells of a resolution that the scope may see."""
    columns = "('0x' || cell)::BIGINT AS cell, lng, lat, area_km2"
    if covers_city(scope):
        found = snapshot.arrays(f"SELECT {columns} FROM cells_{resolution} ORDER BY cell_index")
    else:
        numbers = _own(scope, snapshot).above[resolution][0]
        found = snapshot.arrays(
            f"SELECT {columns} FROM cells_{resolution} WHERE cell IN (SELECT unnest(?)) "
            "ORDER BY cell",
            [hexagons.cell_texts(numbers).tolist()],
        )
    return Cells(
        np.asarray(found["cell"], dtype=np.int64),
        *(np.asarray(found[name], dtype=np.float64) for name in ("lng", "lat", "area_km2")),
    )


@scoped_cache_of_few
def cell_counts(
    scope: Scope, snapshot: Snapshot, resolution: int, selection: Selection
) -> CellCounts:
    """
    Count the incidents of the scope's areas in the window, by cell.

    Every incident counts once, in a cell or as one without a point: shown and not shown are
    together what the highest areas of the scope have (in the whole city, all that is recorded).
    """
    if covers_city(scope) and selection.is_everything:
        window = selection.window
        counts = snapshot.kept.cells(resolution).between(window.start, window.end)
    else:
        counts = _filtered(scope, snapshot, resolution, selection)
    area_km2 = register(scope, snapshot, resolution).area_km2
    density = counts[:-1] / (area_km2 * selection.window.periods)
    return CellCounts(counts[:-1], int(counts[-1]), density)


def _filtered(
    scope: Scope, snapshot: Snapshot, resolution: int, selection: Selection
) -> NDArray[np.int64]:
    """Incidents of a selection per cell of the scope and, at last, without a point."""
    where, values = selection.condition
    values = [selection.window.start, selection.window.end, *values]
    table = f"cell_counts_{resolution}" if covers_city(scope) else _table(snapshot)
    if not covers_city(scope):
        where += " AND area_row IN (SELECT unnest(?))"
        values.append(_area_rows(scope, snapshot))
    counts = np.zeros(count_of(scope, snapshot, resolution) + 1, dtype=np.int64)
    if table:
        found = snapshot.arrays(
            f"SELECT cell_index, sum(count)::BIGINT AS count FROM {table} "
            f"WHERE period_start BETWEEN ? AND ? AND {where} GROUP BY cell_index",
            values,
        )
        place = found["cell_index"]
        if not covers_city(scope):
            place = _own(scope, snapshot).upwards(place, resolution)
        np.add.at(counts, place, found["count"])
    return counts


@scoped_cache
def _own(scope: Scope, snapshot: Snapshot) -> _Own:
    resolutions, table = _resolutions(snapshot), _table(snapshot)
    index = numbers = np.empty(0, dtype=np.int64)
    if table:
        found = snapshot.arrays(
            f"SELECT cell_index, ('0x' || cell)::BIGINT AS cell FROM cells_{resolutions[-1]} "
            f"WHERE cell_index IN (SELECT cell_index FROM {table} "
            "WHERE area_row IN (SELECT unnest(?))) ORDER BY cell_index",
            [_area_rows(scope, snapshot)],
        )
        index, numbers = (np.asarray(found[name], dtype=np.int64) for name in found)
    # In the order of H3: that of the city's register would tell who had the first incident in a
    # cell that two areas share.
    above = {
        resolution: np.unique(
            hexagons.parent_numbers(numbers, resolution=resolution), return_inverse=True
        )
        for resolution in resolutions
    }
    digest = hashlib.sha256(f"{EXTENT}".encode() + np.sort(numbers).tobytes()).hexdigest()[:16]
    return _Own(index, above, digest)


@scoped_cache
def _area_rows(scope: Scope, snapshot: Snapshot) -> list[int]:
    """Rows of `areas` whose incidents the scope may see by cell."""
    granted = decide(scope, "cells").areas
    rows: list[int] = np.flatnonzero(covered(granted, snapshot.areas)).tolist()
    return rows


def _resolutions(snapshot: Snapshot) -> list[int]:
    """Resolutions with any cell, the finest last."""
    return sorted(int(entry["resolution"]) for entry in snapshot.manifest.cells)


def _table(snapshot: Snapshot) -> str:
    """What areas have in each cell; empty where there is no cell, or an older build stored none."""
    finest = _resolutions(snapshot)[-1:]
    name = f"area_cell_counts_{finest[0]}" if finest else ""
    return name if name in snapshot.tables() else ""

"""
Maps of one bed, prepared once: the areas of a level or the cells of a resolution, with their rings.

The study area of cells is the city: every cell that shares a point with the polygon of the top
level, whether anything ever happened in it or not, because zeros are part of the null distribution.
A cell outside it (an incident placed by code, a rounded border) belongs to the map from its first
incident on. Without a polygon the map is the cells with an incident so far, and their neighbours.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from scipy import sparse

from etl.analyse.hotspots.geography import Geography, geography, lowest_levels
from etl.analyse.hotspots.neighbours import cell_rings
from etl.analyse.hotspots.settings import HotspotSettings, read_settings
from geo import cells

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from etl.analyse.bed import Bed, Days, Flags, Floats, Ints

SETTLED: Final = np.timedelta64(28, "D")
"""Time after a period from which on its count is taken as it stood, for good."""
_ALWAYS: Final = np.datetime64("0001-01-01", "D")
_NEVER: Final = np.datetime64("9999-12-31", "D")


@dataclass(frozen=True, eq=False)
class Map:
    """
    The areas of a level, or the cells of a resolution.

    Attributes
    ----------
    name
        Level, or resolution.
    numbers
        `area_index`, or H3 index, shape (n,).
    position
        Place in `numbers` of each of `Prepared.events`, -1 = none.
    ring
        0/1 matrix, n x n, with ones on the diagonal.
    since, until
        First day on which each belongs to the map, and first on which it does not any more.
    """

    name: str | int
    numbers: Ints
    position: NDArray[np.int32]
    ring: sparse.csr_array
    since: Days
    until: Days

    def __len__(self) -> int:
        return len(self.numbers)

    def counts(self, rows: Ints) -> Floats:
        """Events per area or cell, shape (n,), of some places in `Prepared.events`."""
        found = self.position[rows]
        return np.bincount(found[found >= 0], minlength=len(self)).astype(np.float64)

    def study(self, day: np.datetime64) -> Flags:
        """Which of them belong to the map on a day."""
        return np.asarray((self.since <= day) & (day < self.until))


@dataclass(frozen=True, eq=False)
class Prepared:
    """
    What does not change from period to period; its bed must not change either.

    Attributes
    ----------
    events, begins
        Rows of the reported events in order of their period, and where each period begins.
    areas
        The two lowest levels below the city (its own where it has no other), with rings where
        their polygons are known.
    cells
        Resolution to its map, from the coarsest.
    geography
        What the maps take from the boundaries.
    steps, chosen
        What was computed already: windows by map and period, events by periods.
    """

    bed: Bed
    settings: HotspotSettings
    events: Ints
    begins: Ints
    areas: dict[str, Map]
    cells: dict[int, Map]
    geography: Geography
    steps: dict[tuple[str | int, int, np.datetime64], Any] = field(default_factory=dict)
    chosen: dict[tuple[int, int, np.datetime64], Ints] = field(default_factory=dict)

    @cached_property
    def level_positions(self) -> list[NDArray[np.int32]]:
        """Area of each of `events` per level from the top down, -1 = none."""
        return [self.bed.index(level)[self.events] for level in self.bed.levels]

    @cached_property
    def _known(self) -> Days:
        return np.asarray(self.bed.events.known[self.events])

    def level_counts(self, depth: int, rows: Ints) -> Floats:
        """Events per area of a level, of some places in `events`; shape (n areas,)."""
        found = self.level_positions[depth][rows]
        size = len(self.bed.areas[depth])
        return np.bincount(found[found >= 0], minlength=size).astype(np.float64)

    def rows(self, first: int, last: int, known_on: np.datetime64) -> Ints:
        """Places in `events` of the periods from `first` to `last` that were known on a day."""
        key = (first, last, known_on)
        if key not in self.chosen:
            start, after = self.begins[max(first, 0)], self.begins[last + 1]
            self.chosen[key] = start + np.flatnonzero(self._known[start:after] <= known_on)
        return self.chosen[key]

    def settled(self, at: int, known_on: np.datetime64) -> np.datetime64:
        """Day as of which an earlier period is described, on a day."""
        settled: np.datetime64 = np.minimum(known_on, self.bed.ends[at] + SETTLED)
        return settled


def prepare(
    bed: Bed,
    shapes: Geography | Mapping[str, NDArray[np.object_]],
    *,
    settings: HotspotSettings | None = None,
) -> Prepared:
    """
    Prepare the maps of a bed.

    Parameters
    ----------
    shapes
        The boundaries' `geography`, or level to its polygons in degrees, WGS 84, in the order of
        `area_index`. A level without polygons may be missing: its areas have no neighbours.
    settings
        By default those of `hotspots.toml`.
    """
    chosen = settings or read_settings()
    measured = (
        shapes
        if isinstance(shapes, Geography)
        else geography(bed.levels, shapes, resolutions=chosen.resolutions)
    )
    events, begins = _by_period(bed)
    return Prepared(
        bed=bed,
        settings=chosen,
        events=events,
        begins=begins,
        areas={
            one: _area_map(bed, one, measured.rings.get(one), events)
            for one in lowest_levels(bed.levels)
        },
        cells={one: _cell_map(bed, one, measured, events) for one in chosen.resolutions},
        geography=measured,
    )


def _by_period(bed: Bed) -> tuple[Ints, Ints]:
    rows = np.flatnonzero(bed.reported & (bed.period >= 0))
    period = bed.period[rows].astype(np.int16)
    order = np.argsort(period, kind="stable")
    return rows[order], np.searchsorted(period[order], np.arange(len(bed.starts) + 1))


def _area_map(bed: Bed, level: str, ring: sparse.csr_array | None, events: Ints) -> Map:
    areas = bed.level_areas(level)
    n = len(areas)
    alone = sparse.eye_array(n, format="csr")
    position = bed.index(level)[events]
    return Map(
        level,
        np.arange(n),
        position,
        alone if ring is None else ring,
        areas.valid_from,
        areas.valid_to,
    )


def _cell_map(bed: Bed, resolution: int, measured: Geography, events: Ints) -> Map:
    active, all_positions = bed.cells(resolution)
    position, known = all_positions[events], bed.events.known[events]
    # As whole numbers: of days it would take many times as long.
    numbered = np.full(len(active), _NEVER.astype(np.int64))
    placed = position >= 0
    np.minimum.at(numbered, position[placed], known[placed].astype(np.int64))
    first = numbered.astype("datetime64[D]")
    covered = measured.covered[resolution]
    if not len(covered):
        return _open_map(resolution, active, position, first)
    outside = ~np.isin(active, covered)
    if not outside.any():
        since = np.full(len(covered), _ALWAYS)
        ring = measured.cell_rings[resolution]
        return _numbered(resolution, (covered, ring, since), active, position)
    numbers = np.union1d(covered, active)
    since = np.full(len(numbers), _ALWAYS)
    since[np.searchsorted(numbers, active[outside])] = first[outside]
    return _numbered(resolution, (numbers, cell_rings(numbers), since), active, position)


def _open_map(resolution: int, active: Ints, position: NDArray[np.int32], first: Days) -> Map:
    """Cells with an incident, and their neighbours, each from the first incident near it on."""
    numbers = cells.with_neighbours(active)
    ring = cell_rings(numbers)
    own = np.full(len(numbers), _NEVER)
    own[np.searchsorted(numbers, active)] = first
    since = np.minimum.reduceat(own[ring.indices], ring.indptr[:-1]) if len(numbers) else own
    return _numbered(resolution, (numbers, ring, since), active, position)


def _numbered(
    resolution: int,
    cover: tuple[Ints, sparse.csr_array, Days],
    active: Ints,
    position: NDArray[np.int32],
) -> Map:
    """Map of cells, their rings and their first days; `position` is that in `active`."""
    numbers, ring, since = cover
    moved = np.append(np.searchsorted(numbers, active), -1)[position].astype(np.int32)
    return Map(resolution, numbers, moved, ring, since, np.full(len(numbers), _NEVER))

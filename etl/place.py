"""
Placing: incidents in the areas of every level, and in cells.

A point is looked for at the lowest level, by the boundaries valid on the day of the event; its
higher levels follow by parent, so sums close from level to level. Where the lowest level has a
gap, the next higher one is tried. A row that no polygon holds is placed by its area code.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from data.schema import NOT_PLACED
from geo import cells as h3_cells
from geo import divisions
from geo.locate import locate, locate_dated

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from etl.boundaries import Boundaries

LOCATED_BY: Final = ("none", "point", "code")
NONE, POINT, CODE = range(3)


@dataclass(frozen=True)
class Placed:
    """
    Where each incident lies, row by row.

    Attributes
    ----------
    areas
        Level to `area_index` of each row, -1 = not placed at this level.
    located_by
        Position in `LOCATED_BY` of each row.
    cells
        Resolution to `cell_index` of each row, -1 = no point.
    registers
        Resolution to the cells, sorted; `cell_index` is the position.
    """

    areas: dict[str, NDArray[np.int32]]
    located_by: NDArray[np.int8]
    cells: dict[int, NDArray[np.int32]]
    registers: dict[int, NDArray[np.object_]]


def place(incidents: pd.DataFrame, built: Boundaries) -> Placed:
    """
    Place incidents in areas and cells.

    Parameters
    ----------
    incidents
        `lng`, `lat` (WGS 84, null = no point), `occurred_on`, `area_code` (null = none).
    built
        The areas and their polygons.
    """
    areas, located_by = _by_point(incidents, built)
    _by_code(incidents, built, areas, located_by)
    cells, registers = _in_cells(incidents)
    return Placed(areas, located_by, cells, registers)


def _by_point(
    incidents: pd.DataFrame, built: Boundaries
) -> tuple[dict[str, NDArray[np.int32]], NDArray[np.int8]]:
    found = {level: np.full(len(incidents), NOT_PLACED, dtype=np.int32) for level in built.levels}
    located_by = np.full(len(incidents), NONE, dtype=np.int8)
    waiting = np.flatnonzero(incidents["lng"].notna().to_numpy())
    for level in reversed(built.levels):
        rows = incidents.iloc[waiting]
        index = _locate(rows, built, level)
        held = index != NOT_PLACED
        _fill_upwards(found, waiting[held], index[held], built, level)
        located_by[waiting[held]] = POINT
        waiting = waiting[~held]
    return found, located_by


def _locate(rows: pd.DataFrame, built: Boundaries, level: str) -> NDArray[np.int64]:
    areas = built.level_areas(level)
    lng, lat = rows["lng"].to_numpy(), rows["lat"].to_numpy()
    shapes, codes = built.geometries[level], areas["code"].to_numpy(dtype=object)
    if areas["valid_from"].isna().all() and areas["valid_to"].isna().all():
        return locate(lng, lat, boundaries=shapes, codes=codes)
    starts, ends = divisions.validity(areas)
    return locate_dated(
        lng,
        lat,
        rows["occurred_on"].to_numpy(),
        boundaries=shapes,
        valid_from=starts,
        valid_to=ends,
        codes=codes,
    )


def _fill_upwards(
    found: dict[str, NDArray[np.int32]],
    rows: NDArray[np.int64],
    index: NDArray[np.int64],
    built: Boundaries,
    level: str,
) -> None:
    """Write the index at a level and, by parents, at every level above it."""
    levels = built.levels
    for current in reversed(levels[: levels.index(level) + 1]):
        found[current][rows] = index
        index = built.parents(current)[index].astype(np.int64)


def _by_code(
    incidents: pd.DataFrame,
    built: Boundaries,
    found: dict[str, NDArray[np.int32]],
    located_by: NDArray[np.int8],
) -> None:
    codes = incidents["area_code"]
    waiting = np.flatnonzero((located_by == NONE) & codes.notna().to_numpy())
    # From the top down: a code that two levels share means the lower, more exact area.
    for level in reversed(built.levels):
        index = index_of_codes(
            codes.iloc[waiting], incidents["occurred_on"].iloc[waiting], built, level
        )
        known = index != NOT_PLACED
        _fill_upwards(found, waiting[known], index[known], built, level)
        located_by[waiting[known]] = CODE
        waiting = waiting[~known]
        if not len(waiting):
            return


def index_of_codes(
    codes: pd.Series, days: pd.Series, built: Boundaries, level: str
) -> NDArray[np.int64]:
    """
    Index of the area that has each code on each day, -1 where there is none.

    A code whose area was not valid on that day stands for its nearest validity: the event lies
    there, only the register was late. It is placed at the levels above by its parent as usual.
    """
    areas = built.level_areas(level)
    starts, ends = divisions.validity(areas)
    index = np.full(len(codes), NOT_PLACED, dtype=np.int64)
    day = days.to_numpy().astype("datetime64[D]")
    values = codes.to_numpy(dtype=object)
    # Later rows win: first any row with the code, then the row valid on the day.
    first = pd.Series(areas.index, index=areas["code"]).groupby(level=0).first()
    position = first.reindex(values).to_numpy(dtype=float, na_value=-1)
    index[:] = np.where(np.isnan(position), -1, position).astype(np.int64)
    repeated = areas["code"].duplicated(keep=False).to_numpy()
    for row in np.flatnonzero(repeated):
        held = (values == areas["code"].iloc[row]) & (day >= starts[row]) & (day < ends[row])
        index[held] = row
    return index


def _in_cells(
    incidents: pd.DataFrame,
) -> tuple[dict[int, NDArray[np.int32]], dict[int, NDArray[np.object_]]]:
    assigned = h3_cells.assign_all(incidents["lng"].to_numpy(), incidents["lat"].to_numpy())
    indices, registers = {}, {}
    for resolution, cells in assigned.items():
        index, register = pd.factorize(cells, sort=True, use_na_sentinel=True)
        indices[resolution] = index.astype(np.int32)
        registers[resolution] = np.asarray(register, dtype=object)
    return indices, registers

"""
Placing: incidents in the areas of every level.

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
    level
        Position of the lowest level that holds it among the levels of the city, -1 = none.
    index
        `area_index` at that level, -1 = none.
    located_by
        Position in `LOCATED_BY`.
    """

    level: NDArray[np.int8]
    index: NDArray[np.int32]
    located_by: NDArray[np.int8]


def place(incidents: pd.DataFrame, built: Boundaries) -> Placed:
    """
    Place incidents in areas.

    Parameters
    ----------
    incidents
        `lng`, `lat` (WGS 84, null = no point), `occurred_on`, `area_code` (null = none).
    built
        The areas and their polygons.
    """
    count = len(incidents)
    placed = Placed(
        np.full(count, -1, dtype=np.int8),
        np.full(count, NOT_PLACED, dtype=np.int32),
        np.full(count, NONE, dtype=np.int8),
    )
    _by_point(incidents, built, placed)
    _by_code(incidents, built, placed)
    return placed


def upwards(
    level: NDArray[np.int8], index: NDArray[np.int32], built: Boundaries
) -> dict[str, NDArray[np.int32]]:
    """
    Index of each row at every level, -1 = not placed there.

    Parameters
    ----------
    level, index
        As in `Placed`.
    """
    found = {}
    current = np.full(len(index), NOT_PLACED, dtype=np.int32)
    for position in range(len(built.levels) - 1, -1, -1):
        current = np.where(level == position, index, current)
        found[built.levels[position]] = current
        parents = np.append(built.parents(built.levels[position]), NOT_PLACED)
        current = parents[current].astype(np.int32)
    return {name: found[name] for name in built.levels}


def _by_point(incidents: pd.DataFrame, built: Boundaries, placed: Placed) -> None:
    waiting = np.flatnonzero(incidents["lng"].notna().to_numpy())
    for position in range(len(built.levels) - 1, -1, -1):
        if not len(waiting):
            return
        index = _locate(incidents.iloc[waiting], built, built.levels[position])
        waiting = _settle(placed, waiting, index, position, POINT)


def _settle(
    placed: Placed,
    waiting: NDArray[np.int64],
    index: NDArray[np.int64],
    position: int,
    located_by: int,
) -> NDArray[np.int64]:
    """Write down what was found at a level; rows that still wait."""
    held = index != NOT_PLACED
    rows = waiting[held]
    placed.level[rows] = position
    placed.index[rows] = index[held]
    placed.located_by[rows] = located_by
    left: NDArray[np.int64] = waiting[~held]
    return left


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


def _by_code(incidents: pd.DataFrame, built: Boundaries, placed: Placed) -> None:
    codes, days = incidents["area_code"], incidents["occurred_on"]
    waiting = np.flatnonzero((placed.located_by == NONE) & codes.notna().to_numpy(dtype=bool))
    # From the bottom up: a code that two levels share means the lower, more exact area.
    for position in range(len(built.levels) - 1, -1, -1):
        if not len(waiting):
            return
        index = index_of_codes(
            codes.iloc[waiting], days.iloc[waiting], built, built.levels[position]
        )
        waiting = _settle(placed, waiting, index, position, CODE)


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
    place_of_row, distinct = pd.factorize(codes)
    values = np.array([*distinct, None], dtype=object)
    # Later rows win: first any row with the code, then the row valid on the day.
    first = pd.Series(areas.index, index=areas["code"]).groupby(level=0).first()
    position = first.reindex(values).to_numpy(dtype=float, na_value=-1)
    index[:] = np.where(np.isnan(position), -1, position).astype(np.int64)[place_of_row]
    repeated = areas["code"].duplicated(keep=False).to_numpy()
    for row in np.flatnonzero(repeated):
        same = (values == areas["code"].iloc[row])[place_of_row]
        index[same & (day >= starts[row]) & (day < ends[row])] = row
    return index

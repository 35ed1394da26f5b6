"""How often our placing agrees with the area codes that a publisher gave."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import shapely

from etl.boundaries import plain_numbers
from etl.clean import as_texts
from etl.place import POINT, index_of_codes, upwards

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from data.source import Source
    from etl.boundaries import Boundaries
    from etl.place import Placed

_METRES_PER_DEGREE: Final = 111_195.0
_NEAR_M: Final = 1.0
_FAR_AWAY: Final = shapely.Point(0.0, -90.0)


@dataclass(frozen=True)
class Agreement:
    """Rows with a point and a code of a level; how many lie in, or within 1 m of, its polygon."""

    level: str
    rows: int
    same: int
    near: int


def agree(
    incidents: pd.DataFrame, placed: Placed, built: Boundaries, source: Source
) -> list[Agreement]:
    """
    Compare placing by point with published codes, at their level and at every level above.

    Parameters
    ----------
    incidents
        Incidents of the source: `lng`, `lat`, `occurred_on`, `published_<level>`.
    """
    if not source.published:
        return []
    rows = np.flatnonzero(incidents["lng"].notna().to_numpy())
    pointed = incidents.iloc[rows]
    ours = upwards(placed.level[rows], placed.index[rows], built)
    by_point = placed.located_by[rows] == POINT
    found = []
    for level, theirs in _published_indices(pointed, source, built).items():
        known = theirs >= 0
        if not known.any():
            continue
        index = np.where(by_point[known], ours[level][known], -1)
        points = pointed.loc[known, ["lng", "lat"]].assign(index=theirs[known])
        same, near = _within(points, index, built.geometries[level])
        found.append(Agreement(level, int(known.sum()), same, near))
    return found


def _published_indices(
    rows: pd.DataFrame, source: Source, built: Boundaries
) -> dict[str, NDArray[np.int64]]:
    """Index of the published area of each row, level by level; parents where no own column."""
    indices: dict[str, NDArray[np.int64]] = {}
    by_level = {entry.level: entry for entry in source.published}
    index: NDArray[np.int64] | None = None
    for level in reversed(built.levels):
        if level in by_level:
            codes = as_texts(rows[f"published_{level}"])
            if by_level[level].numeric_codes:
                codes = plain_numbers(codes)
            index = index_of_codes(codes, rows["occurred_on"], built, level)
        if index is not None:
            indices[level] = index
            index = np.where(index >= 0, built.parents(level)[index], -1)
    # That every code of the city lies in the city says nothing.
    indices.pop(built.levels[0], None)
    return indices


def _within(
    points: pd.DataFrame, ours: NDArray[np.int64], shapes: NDArray[np.object_]
) -> tuple[int, int]:
    """Points in, and within a metre of, the area of their `index`."""
    total = len(points)
    points = points[ours != points["index"].to_numpy()]
    # Addresses repeat: one distance per distinct point and area.
    position = points.groupby(["lng", "lat", "index"], sort=False).ngroup().to_numpy()
    apart = points.drop_duplicates()
    distance_m = _distance_m(
        apart["lng"].to_numpy(), apart["lat"].to_numpy(), shapes[apart["index"].to_numpy()]
    )[position]
    # A point on a border lies in both polygons; placing had to choose one.
    same = total - int((distance_m > 0).sum())
    near = total - int((distance_m > _NEAR_M).sum())
    return same, near


def _distance_m(
    lng: NDArray[np.float64], lat: NDArray[np.float64], shapes: NDArray[np.object_]
) -> NDArray[np.float64]:
    inside = shapely.intersects_xy(shapes, lng, lat)
    # What nobody drew has no distance; it counts as far.
    shapes = np.where(shapely.is_empty(shapes), _FAR_AWAY, shapes)
    lines = shapely.shortest_line(shapely.points(lng, lat), shapes)
    ends = shapely.get_coordinates(lines).reshape(-1, 2, 2)
    step = (ends[:, 1] - ends[:, 0]) * _METRES_PER_DEGREE
    distance = np.hypot(step[:, 0] * np.cos(np.radians(lat)), step[:, 1])
    return np.where(inside, 0.0, distance)

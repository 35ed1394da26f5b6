"""How often our placing agrees with the area codes that a publisher gave."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import shapely

from etl.boundaries import plain_numbers
from etl.place import POINT, index_of_codes

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from data.city import City, Source
    from etl.boundaries import Boundaries
    from etl.place import Placed

_METRES_PER_DEGREE: Final = 111_195.0
_NEAR_M: Final = 1.0


def published_agreement(
    incidents: pd.DataFrame, placed: Placed, built: Boundaries, city: City
) -> list[dict[str, Any]]:
    """
    Compare placing by point with published codes, at their level and at every level above.

    Parameters
    ----------
    incidents
        All accepted incidents: `source`, `lng`, `lat`, `occurred_on`, `published_<level>`.

    Returns
    -------
    agreement
        Per source and level: `rows` with a point and a code of the city, and the shares of them
        whose point lies in (`same`) or within one metre of (`within_1m`) the code's polygon.
    """
    found = []
    for source in city.sources:
        rows = np.flatnonzero((incidents["source"] == source.name).to_numpy())
        rows = rows[incidents["lng"].iloc[rows].notna().to_numpy()]
        for level, index in _published_indices(incidents.iloc[rows], source, built).items():
            known = index >= 0
            if not known.any():
                continue
            rows_known, theirs = rows[known], index[known]
            ours = np.where(
                placed.located_by[rows_known] == POINT, placed.areas[level][rows_known], -1
            )
            points = incidents.iloc[rows_known][["lng", "lat"]].assign(index=theirs)
            same, near = _shares(points, ours, built.geometries[level])
            found.append(
                {
                    "source": source.name,
                    "level": level,
                    "rows": int(known.sum()),
                    "same": round(same, 6),
                    "within_1m": round(near, 6),
                }
            )
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
            codes = rows[f"published_{level}"].astype("str").str.strip()
            if by_level[level].numeric_codes:
                codes = plain_numbers(codes)
            index = index_of_codes(codes, rows["occurred_on"], built, level)
        if index is not None:
            indices[level] = index
            index = np.where(index >= 0, built.parents(level)[index], -1)
    # That every code of the city lies in the city says nothing.
    indices.pop(built.levels[0], None)
    return indices


def _shares(
    points: pd.DataFrame, ours: NDArray[np.int64], shapes: NDArray[np.object_]
) -> tuple[float, float]:
    """Shares of points in, and within a metre of, the area of their `index`."""
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
    return same / total, near / total


def _distance_m(
    lng: NDArray[np.float64], lat: NDArray[np.float64], shapes: NDArray[np.object_]
) -> NDArray[np.float64]:
    inside = shapely.intersects_xy(shapes, lng, lat)
    lines = shapely.shortest_line(shapely.points(lng, lat), shapes)
    ends = shapely.get_coordinates(lines).reshape(-1, 2, 2)
    step = (ends[:, 1] - ends[:, 0]) * _METRES_PER_DEGREE
    distance = np.hypot(step[:, 0] * np.cos(np.radians(lat)), step[:, 1])
    return np.where(inside, 0.0, distance)

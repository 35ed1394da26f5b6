"""Points of raw rows: numbers → WGS 84, with what is wrong with each."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import shapely

from geo.crs import to_wgs84
from geo.points import distinct_points

if TYPE_CHECKING:
    from numpy.typing import NDArray

Degrees = np.ndarray[tuple[int], np.dtype[np.float64]]


class PointFault(IntEnum):
    """Why a row has no usable point."""

    FINE = 0
    NONE_GIVEN = 1
    BAD = 2
    ZERO = 3
    SWAPPED = 4
    OUTSIDE = 5


def check_row_points(
    lng: pd.Series, lat: pd.Series, *, frame: str, limits: shapely.Geometry
) -> tuple[Degrees, Degrees, NDArray[np.int8]]:
    """
    Convert points and find those that cannot be meant.

    Parameters
    ----------
    lng, lat
        Coordinates in `frame`, numbers or text; null where a row has none.
    frame
        As in `geo.crs.to_wgs84`.
    limits
        Polygon in WGS 84 outside which no point of the city lies.

    Returns
    -------
    lng, lat
        Degrees, WGS 84; not-a-number unless the point is fine.
    fault
        `PointFault` of each row. `SWAPPED`: outside the limits, but inside when the two
        coordinates change places.
    """
    east, north = _numbers(lng), _numbers(lat)
    given_lng, given_lat = lng.notna().to_numpy(), lat.notna().to_numpy()
    fault = np.full(len(east), PointFault.FINE, dtype=np.int8)
    unread = (given_lng & np.isnan(east)) | (given_lat & np.isnan(north))
    fault[unread | (given_lng != given_lat)] = PointFault.BAD
    fault[~given_lng & ~given_lat] = PointFault.NONE_GIVEN
    fault[(east == 0) & (north == 0)] = PointFault.ZERO
    open_rows = fault == PointFault.FINE
    degrees_lng, degrees_lat = to_wgs84(east, north, frame=frame)
    far = open_rows & ~_within(degrees_lng, degrees_lat, limits)
    fault[far] = PointFault.OUTSIDE
    fault[far & np.isnan(degrees_lng)] = PointFault.BAD
    rows = np.flatnonzero(far)
    turned = to_wgs84(north[rows], east[rows], frame=frame)
    fault[rows[_within(*turned, limits)]] = PointFault.SWAPPED
    fine = fault == PointFault.FINE
    return np.where(fine, degrees_lng, np.nan), np.where(fine, degrees_lat, np.nan), fault


def _numbers(values: pd.Series) -> Degrees:
    numbers = pd.to_numeric(values, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    return np.where(np.isfinite(numbers), numbers, np.nan)


def _within(lng: Degrees, lat: Degrees, limits: shapely.Geometry) -> NDArray[np.bool_]:
    point_lng, point_lat, point_of_row = distinct_points(lng, lat)
    shapely.prepare(limits)
    inside = shapely.contains_xy(limits, point_lng, point_lat)
    return np.append(inside, False)[point_of_row]

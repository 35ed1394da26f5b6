"""
Distinct points: work per place, not per row.

Addresses repeat (a million rows of a city often hold fewer than 300,000 places), so cells and
areas are worked out once for each distinct point and then spread over the rows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


def check_points(lng: ArrayLike, lat: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """
    Return coordinates as two float arrays, or name the rows that cannot be degrees.

    Parameters
    ----------
    lng, lat
        Degrees, WGS 84 (EPSG:4326); not-a-number means that the row has no point.

    Returns
    -------
    lng, lat
        One-dimensional arrays of equal length.

    Raises
    ------
    ValueError
        The lengths differ, or a coordinate lies outside ±180, ±90.
    """
    lng_degrees = np.atleast_1d(np.asarray(lng, dtype=np.float64))
    lat_degrees = np.atleast_1d(np.asarray(lat, dtype=np.float64))
    if lng_degrees.shape != lat_degrees.shape or lng_degrees.ndim != 1:
        shapes = f"{lng_degrees.shape} and {lat_degrees.shape}"
        raise ValueError(f"`lng` and `lat` have shapes {shapes}; pass two columns of one table")
    bad = np.flatnonzero((np.abs(lng_degrees) > 180) | (np.abs(lat_degrees) > 90))
    if bad.size:
        rows = ", ".join(map(str, bad[:5]))
        raise ValueError(
            f"points: {bad.size:,} of {lng_degrees.size:,} rows lie outside ±180, ±90 degrees "
            f"(rows {rows}); check the order lng, lat and the frame of the source"
        )
    return lng_degrees, lat_degrees


def distinct_points(
    lng: NDArray[np.float64], lat: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]:
    """
    List the distinct points, in order of first appearance.

    Parameters
    ----------
    lng, lat
        Degrees; a row with either coordinate missing has no point.

    Returns
    -------
    lng, lat
        The distinct points.
    point_of_row
        Position in the distinct points for each row, -1 where the row has no point.
    """
    # One complex number a row lets a single hash pass compare both coordinates; adding zero
    # makes -0.0 and 0.0 one key.
    pairs = (lng + 0.0) + 1j * (lat + 0.0)
    point_of_row, distinct = pd.factorize(pairs, use_na_sentinel=True)
    distinct = np.asarray(distinct, dtype=np.complex128)
    return distinct.real, distinct.imag, np.asarray(point_of_row, dtype=np.int64)

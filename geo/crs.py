"""
Frames: WGS 84, CGCS2000, any EPSG code, and the Chinese map offsets GCJ-02 and BD-09.

Everything inside the product is WGS 84 (EPSG:4326), longitude before latitude. A source names
its frame and is shifted once, here. Each row is converted by itself with a fixed number of
steps, so equal coordinates give equal results whatever the other rows are, and borders shared by
two polygons stay shared.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TypeAlias

import numpy as np
import pyproj
import shapely
from numpy.typing import ArrayLike, NDArray

Degrees: TypeAlias = NDArray[np.float64]

NAMED_FRAMES = ("WGS84", "CGCS2000", "GCJ-02", "BD-09")
"""Frames known by name; any other is written ``EPSG:n``."""

CHINA_BOUNDS = (72.004, 0.8293, 137.8347, 55.8271)
"""(west, south, east, north) of the published offset; outside it nothing is shifted."""

# Krasovsky 1940, the ellipsoid of the published offset formula.
_SEMI_MAJOR_M = 6378245.0
_ECCENTRICITY_SQUARED = 0.00669342162296594323
# BD-09: period of the ripple, and the constant shift in degrees.
_BD_RIPPLE = np.pi * 3000.0 / 180.0
_BD_SHIFT_LNG, _BD_SHIFT_LAT = 0.0065, 0.006
# Each step of the inverse shrinks the error some hundredfold; five reach the last bits.
_INVERSE_STEPS = 6
# CGCS2000 and WGS 84 differ by centimetres, less than any source here resolves.
_SAME_AS_WGS84 = {"WGS84", "CGCS2000", "EPSG:4326", "EPSG:4490"}


class CrsError(ValueError):
    """A frame that is unknown or cannot be converted to WGS 84."""


def check_frame(frame: str) -> None:
    """
    Raise unless a frame can be converted to WGS 84.

    Parameters
    ----------
    frame
        One of `NAMED_FRAMES`, or ``EPSG:n``.

    Raises
    ------
    CrsError
        The name is unknown, or PROJ does not know the code.
    """
    if frame not in NAMED_FRAMES:
        _transformer(frame)


def to_wgs84(lng: ArrayLike, lat: ArrayLike, *, frame: str) -> tuple[Degrees, Degrees]:
    """
    Convert coordinates to WGS 84 (EPSG:4326).

    Parameters
    ----------
    lng, lat
        First (east) and second (north) coordinate in `frame`: degrees, or metres or feet where
        the EPSG code is a projection. Not-a-number stays so.
    frame
        ``WGS84``, ``CGCS2000`` (the same numbers), ``GCJ-02``, ``BD-09`` or ``EPSG:n``, always
        in the order east, north whatever the register says.

    Returns
    -------
    lng, lat
        Degrees; not-a-number where the point lies outside the use of a projection.

    Raises
    ------
    CrsError
        The frame is unknown.
    """
    east = np.asarray(lng, dtype=np.float64)
    north = np.asarray(lat, dtype=np.float64)
    if frame in _SAME_AS_WGS84:
        return east.copy(), north.copy()
    if frame == "GCJ-02":
        return gcj02_to_wgs84(east, north)
    if frame == "BD-09":
        return gcj02_to_wgs84(*bd09_to_gcj02(east, north))
    shifted_lng, shifted_lat = _transformer(frame).transform(east, north)
    known = np.isfinite(shifted_lng) & np.isfinite(shifted_lat)
    return np.where(known, shifted_lng, np.nan), np.where(known, shifted_lat, np.nan)


def geometries_to_wgs84(geometries: ArrayLike, *, frame: str) -> NDArray[np.object_]:
    """
    Convert the vertices of geometries to WGS 84 (EPSG:4326).

    Parameters
    ----------
    geometries
        Shapely geometries with coordinates in `frame`; None stays None.
    frame
        As in `to_wgs84`.

    Returns
    -------
    geometries
        New geometries, same order; edges shared before are shared after.

    Raises
    ------
    CrsError
        The frame is unknown, or a vertex lies outside the use of a projection.
    """

    def shift(vertices: NDArray[np.float64]) -> NDArray[np.float64]:
        # vertices: shape n x 2
        shifted = np.column_stack(to_wgs84(vertices[:, 0], vertices[:, 1], frame=frame))
        lost = int(np.isnan(shifted).any(axis=1).sum())
        if lost:
            raise CrsError(
                f"geometries: {lost:,} of {len(shifted):,} vertices cannot be {frame}; "
                "check the frame of the boundary file"
            )
        return shifted

    array = np.asarray(geometries, dtype=object)
    if frame in _SAME_AS_WGS84:
        return array.copy()
    return np.asarray(shapely.transform(array, shift), dtype=object)


def wgs84_to_gcj02(lng: ArrayLike, lat: ArrayLike) -> tuple[Degrees, Degrees]:
    """
    Apply the Chinese map offset (a few hundred metres) to WGS 84 degrees.

    Parameters
    ----------
    lng, lat
        Degrees, WGS 84. Points outside `CHINA_BOUNDS` are returned as they are.

    Returns
    -------
    lng, lat
        Degrees, GCJ-02.

    References
    ----------
    The formula made public with eviltransform, https://github.com/googollee/eviltransform
    """
    east, north = np.asarray(lng, dtype=np.float64), np.asarray(lat, dtype=np.float64)
    shift_lng, shift_lat = _gcj_offset(east, north)
    inside = _in_china(east, north)
    return east + np.where(inside, shift_lng, 0.0), north + np.where(inside, shift_lat, 0.0)


def gcj02_to_wgs84(lng: ArrayLike, lat: ArrayLike) -> tuple[Degrees, Degrees]:
    """
    Undo the Chinese map offset by fixed-point steps, to below a micrometre.

    Parameters
    ----------
    lng, lat
        Degrees, GCJ-02. Points outside `CHINA_BOUNDS` are returned as they are.

    Returns
    -------
    lng, lat
        Degrees, WGS 84.
    """
    east, north = np.asarray(lng, dtype=np.float64), np.asarray(lat, dtype=np.float64)
    true_lng, true_lat = east, north
    for _ in range(_INVERSE_STEPS):
        shift_lng, shift_lat = _gcj_offset(true_lng, true_lat)
        true_lng, true_lat = east - shift_lng, north - shift_lat
    inside = _in_china(east, north)
    return np.where(inside, true_lng, east), np.where(inside, true_lat, north)


def gcj02_to_bd09(lng: ArrayLike, lat: ArrayLike) -> tuple[Degrees, Degrees]:
    """
    Apply Baidu's second offset (about 0.9 km) to GCJ-02 degrees.

    Parameters
    ----------
    lng, lat
        Degrees, GCJ-02. Points outside `CHINA_BOUNDS` are returned as they are.

    Returns
    -------
    lng, lat
        Degrees, BD-09.
    """
    east, north = np.asarray(lng, dtype=np.float64), np.asarray(lat, dtype=np.float64)
    bd_lng, bd_lat = _bd_forward(east, north)
    inside = _in_china(east, north)
    return np.where(inside, bd_lng, east), np.where(inside, bd_lat, north)


def bd09_to_gcj02(lng: ArrayLike, lat: ArrayLike) -> tuple[Degrees, Degrees]:
    """
    Undo Baidu's second offset: closed form (good to 0.1 m), then fixed-point steps.

    Parameters
    ----------
    lng, lat
        Degrees, BD-09. Points outside `CHINA_BOUNDS` are returned as they are.

    Returns
    -------
    lng, lat
        Degrees, GCJ-02.
    """
    east, north = np.asarray(lng, dtype=np.float64), np.asarray(lat, dtype=np.float64)
    x, y = east - _BD_SHIFT_LNG, north - _BD_SHIFT_LAT
    radius = np.hypot(x, y) - 0.00002 * np.sin(y * _BD_RIPPLE)
    angle = np.arctan2(y, x) - 0.000003 * np.cos(x * _BD_RIPPLE)
    gcj_lng, gcj_lat = radius * np.cos(angle), radius * np.sin(angle)
    for _ in range(_INVERSE_STEPS):
        again_lng, again_lat = _bd_forward(gcj_lng, gcj_lat)
        gcj_lng, gcj_lat = gcj_lng + (east - again_lng), gcj_lat + (north - again_lat)
    inside = _in_china(east, north)
    return np.where(inside, gcj_lng, east), np.where(inside, gcj_lat, north)


def _bd_forward(lng: Degrees, lat: Degrees) -> tuple[Degrees, Degrees]:
    radius = np.hypot(lng, lat) + 0.00002 * np.sin(lat * _BD_RIPPLE)
    angle = np.arctan2(lat, lng) + 0.000003 * np.cos(lng * _BD_RIPPLE)
    return radius * np.cos(angle) + _BD_SHIFT_LNG, radius * np.sin(angle) + _BD_SHIFT_LAT


def _in_china(lng: Degrees, lat: Degrees) -> NDArray[np.bool_]:
    west, south, east, north = CHINA_BOUNDS
    inside: NDArray[np.bool_] = (lng >= west) & (lng <= east) & (lat >= south) & (lat <= north)
    return inside


def _gcj_offset(lng: Degrees, lat: Degrees) -> tuple[Degrees, Degrees]:
    # Offsets in degrees; the polynomial is centred on 105 E, 35 N.
    x, y = lng - 105.0, lat - 35.0
    root, wave = np.sqrt(np.abs(x)), _waves(x, (6.0, 20.0), (2.0, 20.0))
    metres_north = (
        -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * root
        + wave + _waves(y, (1.0, 20.0), (1.0 / 3.0, 40.0))
        + (160.0 * np.sin(y / 12.0 * np.pi) + 320.0 * np.sin(y * np.pi / 30.0)) * 2.0 / 3.0
    )  # fmt: skip
    metres_east = (
        300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * root
        + wave + _waves(x, (1.0, 20.0), (1.0 / 3.0, 40.0))
        + (150.0 * np.sin(x / 12.0 * np.pi) + 300.0 * np.sin(x / 30.0 * np.pi)) * 2.0 / 3.0
    )  # fmt: skip
    radians = np.radians(lat)
    curve = 1.0 - _ECCENTRICITY_SQUARED * np.sin(radians) ** 2
    meridian_m = _SEMI_MAJOR_M * (1.0 - _ECCENTRICITY_SQUARED) / (curve * np.sqrt(curve))
    parallel_m = _SEMI_MAJOR_M / np.sqrt(curve) * np.cos(radians)
    return np.degrees(metres_east / parallel_m), np.degrees(metres_north / meridian_m)


def _waves(value: Degrees, *terms: tuple[float, float]) -> Degrees:
    # Sum of two thirds of (amplitude x sine of frequency x pi x value).
    total = np.zeros_like(value)
    for frequency, amplitude in terms:
        total = total + amplitude * np.sin(frequency * np.pi * value) * 2.0 / 3.0
    return total


@lru_cache(maxsize=32)
def _transformer(frame: str) -> pyproj.Transformer:
    if not re.fullmatch(r"EPSG:\d+", frame):
        known = ", ".join(NAMED_FRAMES)
        raise CrsError(f"frame {frame!r} is unknown; write one of {known} or EPSG:n")
    try:
        return pyproj.Transformer.from_crs(frame, "EPSG:4326", always_xy=True)
    except pyproj.exceptions.ProjError as error:
        raise CrsError(f"frame {frame!r} cannot be converted to WGS 84: {error}") from error

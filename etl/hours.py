"""
When of the week incidents happen, and in which of the areas that have hours.

A clock that stands at midnight to the second mostly tells a day alone: such a time is not known,
rather than one of the small hours.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from data import schema

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from data.city import City

AREA_HOURS: Final = "area_hours"

LEVELS: Final = ("city", "county", "township", "community")
"""Levels with hours. In a grid of a few incidents a month, a rhythm of 168 hours is none."""

_DAY_HOURS: Final = 24


def hours_of_week(
    moments: pa.ChunkedArray, sources: pa.ChunkedArray, city: City
) -> NDArray[np.int64]:
    """
    Hour of the week of each incident.

    Parameters
    ----------
    moments, sources
        `occurred_at` (UTC) and name of the source.

    Returns
    -------
    hours
        0 (Monday from 0:00) to 167 (Sunday from 23:00) in city time; -1 where the source's own
        clock stands at midnight to the second.
    """
    local = pc.local_timestamp(_in_zone(moments, city.time_zone))
    day, hour = pc.day_of_week(local), pc.hour(local)
    found = np.asarray(day, dtype=np.int64) * _DAY_HOURS + np.asarray(hour, dtype=np.int64)
    found[_at_midnight(moments, sources, city)] = schema.NO_HOUR
    return found


def _at_midnight(
    moments: pa.ChunkedArray, sources: pa.ChunkedArray, city: City
) -> NDArray[np.bool_]:
    """Where the clock of the source stood at 0:00:00, its zone being its own."""
    zones = {source.name: source.time_zone for source in city.sources}
    named = pc.dictionary_encode(sources).combine_chunks()
    zone_of = [zones.get(name, city.time_zone) for name in named.dictionary.to_pylist()]
    found = np.zeros(len(named), dtype=bool)
    for zone in sorted(set(zone_of)):
        local = pc.local_timestamp(_in_zone(moments, zone))
        midnight = np.asarray(pc.equal(pc.floor_temporal(local, unit="day"), local), dtype=bool)
        found |= midnight & np.array([one == zone for one in zone_of])[np.asarray(named.indices)]
    return found


def _in_zone(moments: pa.ChunkedArray, zone: str) -> pa.ChunkedArray:
    return moments.cast(pa.timestamp("us", tz=zone))


def upper_categories(city: City) -> NDArray[np.int64]:
    """Index of the upper category of each category, its own at the top."""
    index = {category.code: position for position, category in enumerate(city.categories)}
    return np.array(
        [index[category.parent_code or category.code] for category in city.categories],
        dtype=np.int64,
    )


def areas_with_hours(
    by_level: Mapping[str, NDArray[np.int32]], first: NDArray[np.int64]
) -> NDArray[np.int64]:
    """
    Row of `areas` of the lowest area with hours that holds each incident, -1 = none.

    Parameters
    ----------
    by_level
        Index of each incident at every level, highest first, -1 = not placed there.
    first
        Row of `areas` with which each level begins.
    """
    found = np.full(len(next(iter(by_level.values()))), schema.NOT_PLACED, dtype=np.int64)
    for (level, index), start in zip(by_level.items(), first, strict=True):
        if level in LEVELS:
            found = np.where(index < 0, found, start + index)
    return found

"""
Two channels, one event: pairs of incidents that look like the same event, proposed for review.

A pair is two current incidents of different sources that are near in place, in time and in class.
Each incident has at most one partner in each other source. Nothing is merged: counts never change
by a proposal, and only a person decides. The method is told in `docs/counting.md`.
"""

from __future__ import annotations

import csv
import importlib.resources
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd
from scipy.spatial import KDTree

from data import schema

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    Arrays = dict[str, NDArray[Any]]

MATCHES: Final = "matches"
RADIUS_M: Final = 50.0
"""Longest distance of two points that are addresses."""

COARSE_RADIUS_M: Final = 150.0
"""Longest distance where either point is only a street or a place."""

GAP_HOURS: Final = 12.0
"""Longest time between the two."""

CROWD: Final = 50
"""More incidents of one category in one small square and half day tell nothing of pairs."""

SAME_SUBCATEGORY, SAME_GROUP, SAME_CATEGORY = 1.0, 0.8, 0.6
"""Closeness of class."""

_COARSE: Final = ("street", "place")
_HOUR_US: Final = 3_600_000_000
_EARTH_M: Final = 6_371_008.8
_SQUARE_DEGREES: Final = 0.001
_NO_PAIRS: Final = np.empty((0, 2), dtype=np.int64)
_GROUPS: Final = "match-groups.csv"


def match_groups() -> dict[str, str]:
    """Category code to the group of categories under which other channels file the same event."""
    file = importlib.resources.files("data").joinpath("reference", _GROUPS)
    with file.open(encoding="utf-8") as stream:
        return {row["code"]: row["match_group"] for row in csv.DictReader(stream)}


def match_month(
    rows: pd.DataFrame, *, lowest: str, groups: Mapping[str, str] | None = None
) -> pd.DataFrame:
    """
    Propose the pairs among the incidents of a month.

    Parameters
    ----------
    rows
        Current incidents, in any order: `incident_id`, `source`, `category`, `subcategory` (null
        = not told), `occurred_at` (UTC), `lng`, `lat` (degrees, WGS 84, null = no point),
        `precision`, `area_level`, `area_index`.
    lowest
        Lowest level of the city.
    groups
        Category code to match group; by default those of `match_groups`.

    Returns
    -------
    matches
        The `matches` table by its key. `first_id` is the earlier one, the lower id at the same
        moment.
    """
    groups = match_groups() if groups is None else groups
    incidents = _arrays(rows, lowest, groups)
    pairs, ids = _in_order(rows, incidents, _candidates(incidents))
    kept = _one_to_one(incidents, _scored(incidents, pairs, ids))
    first, second = kept.pop("first"), kept.pop("second")
    names = {name: rows[name].to_numpy() for name in ("incident_id", "source")}
    matches = pd.DataFrame(
        {
            "first_id": names["incident_id"][first],
            "second_id": names["incident_id"][second],
            "first_source": names["source"][first],
            "second_source": names["source"][second],
            "area_level": rows["area_level"].to_numpy()[first],
            "area_index": rows["area_index"].to_numpy()[first],
            **kept,
        }
    )
    return matches.sort_values(["first_id", "second_id"], ignore_index=True)


def crowded(rows: pd.DataFrame, *, lowest: str) -> NDArray[np.bool_]:
    """
    Tell the incidents that get no proposal because too many lie together.

    A geocoder's fall-back point, one large event, or an area too large to mean one place: more
    than `CROWD` of one category and half day within 0.001 degrees (without a point: in the area).
    """
    incidents = _arrays(rows, lowest, {})
    by_point, by_area = incidents["crowded_point"], incidents["crowded_area"]
    return np.where(incidents["has_point"], by_point, by_area)


def _arrays(rows: pd.DataFrame, lowest: str, groups: Mapping[str, str]) -> Arrays:
    """Columns as arrays; codes as numbers, -1 = not told."""
    lng, lat = (rows[name].to_numpy(np.float64, na_value=np.nan) for name in ("lng", "lat"))
    has_point = (
        np.isfinite(lng) & np.isfinite(lat) & ~rows["precision"].isin(["area"]).to_numpy(bool)
    )
    in_lowest = rows["area_level"].isin([lowest]).to_numpy(bool)
    told = rows["subcategory"].where(rows["subcategory"].notna(), rows["category"])
    moment = pd.DatetimeIndex(rows["occurred_at"]).as_unit("us")
    coarse = rows["precision"].isin(_COARSE).to_numpy(bool)
    incidents = {
        "source": pd.factorize(rows["source"], sort=True)[0],
        "category": pd.factorize(rows["category"], sort=True)[0],
        "subcategory": pd.factorize(rows["subcategory"], sort=True)[0],
        "group": pd.factorize(told.map(groups), sort=True)[0],
        "moment": moment.asi8,
        "lng": np.where(has_point, lng, np.nan),
        "lat": np.where(has_point, lat, np.nan),
        "radius": np.where(coarse, COARSE_RADIUS_M, RADIUS_M),
        "has_point": has_point,
        "area": np.where(in_lowest, rows["area_index"].to_numpy(np.int64), schema.NOT_PLACED),
    }
    squares = [
        np.floor(np.nan_to_num(incidents[name]) / _SQUARE_DEGREES) for name in ("lng", "lat")
    ]
    incidents["crowded_point"] = has_point & _crowded(incidents, squares)
    in_area = incidents["area"] != schema.NOT_PLACED
    incidents["crowded_area"] = in_area & _crowded(incidents, [incidents["area"]])
    return incidents


def _crowded(incidents: Arrays, place: list[NDArray[Any]]) -> NDArray[np.bool_]:
    """Whether more than `CROWD` rows share place, category and half day."""
    half_day = incidents["moment"] // round(GAP_HOURS * _HOUR_US)
    keys = [*place, incidents["category"], half_day]
    together = pd.DataFrame({str(number): key for number, key in enumerate(keys)})
    sizes = together.groupby(list(together.columns), sort=False)["0"].transform("size")
    return np.asarray(sizes.to_numpy() > CROWD)


def _candidates(incidents: Arrays) -> NDArray[np.int64]:
    """Pairs of positions near in place, time and class, of different sources; two columns."""
    found = [_NO_PAIRS]
    for where in _same(incidents["category"]):
        found.append(_near(incidents, where))
    for where in _same(incidents["group"]):
        pairs = _near(incidents, where)
        category = incidents["category"][pairs]
        found.append(pairs[category[:, 0] != category[:, 1]])
    return np.concatenate(found)


def _same(labels: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
    """Positions of the rows of each label but -1."""
    where = np.flatnonzero(labels >= 0)
    where = where[np.argsort(labels[where], kind="stable")]
    edges = np.flatnonzero(np.diff(labels[where])) + 1
    yield from np.split(where, edges)


def _near(incidents: Arrays, where: NDArray[np.int64]) -> NDArray[np.int64]:
    """Pairs of positions near in place and time: by their points, else by their area."""
    pointed = incidents["has_point"] & ~incidents["crowded_point"]
    by_area = (incidents["area"] != schema.NOT_PLACED) & ~incidents["crowded_area"]
    named = where[by_area[where]]
    area, has_point = incidents["area"][named], incidents["has_point"][named]
    named = named[np.isin(area, area[~has_point])]
    return np.concatenate([_by_point(incidents, where[pointed[where]]), _by_area(incidents, named)])


def _by_point(incidents: Arrays, where: NDArray[np.int64]) -> NDArray[np.int64]:
    if not len(where):
        return _NO_PAIRS
    lng, lat = np.radians(incidents["lng"][where]), np.radians(incidents["lat"][where])
    # The shortest parallel of all: no distance comes out too long, and the exact one follows.
    east, north = _EARTH_M * lng * np.cos(np.abs(lat).max()), _EARTH_M * lat
    reach = incidents["radius"][where].max()
    pairs = _within(incidents, where, np.column_stack([east, north]) / reach)
    radius = incidents["radius"][pairs].max(axis=1)
    return np.asarray(pairs[_distance_m(incidents, pairs) <= radius])


def _by_area(incidents: Arrays, where: NDArray[np.int64]) -> NDArray[np.int64]:
    # Areas stand three units apart, so that only equal ones are near.
    pairs = _within(incidents, where, 3.0 * incidents["area"][where][:, None])
    return pairs[~incidents["has_point"][pairs].all(axis=1)]


def _within(
    incidents: Arrays, where: NDArray[np.int64], place: NDArray[np.float64]
) -> NDArray[np.int64]:
    """Pairs of different sources within one unit of place on each axis and `GAP_HOURS`."""
    if len(np.unique(incidents["source"][where])) < 2:
        return _NO_PAIRS
    moment = incidents["moment"][where]
    time = (moment - moment.min()) / (GAP_HOURS * _HOUR_US)
    tree = KDTree(np.column_stack([place, time]))
    pairs = where[tree.query_pairs(1 + 1e-6, p=np.inf, output_type="ndarray")]
    source, at = incidents["source"][pairs], incidents["moment"][pairs]
    near = np.abs(at[:, 0] - at[:, 1]) <= round(GAP_HOURS * _HOUR_US)
    return np.asarray(pairs[near & (source[:, 0] != source[:, 1])])


def _distance_m(incidents: Arrays, pairs: NDArray[np.int64]) -> NDArray[np.float64]:
    """Metres, on the parallel between the two; not-a-number where either has no point."""
    lng, lat = np.radians(incidents["lng"][pairs]), np.radians(incidents["lat"][pairs])
    east = (lng[:, 0] - lng[:, 1]) * np.cos(lat.mean(axis=1))
    return np.asarray(_EARTH_M * np.hypot(east, lat[:, 0] - lat[:, 1]))


def _in_order(
    rows: pd.DataFrame, incidents: Arrays, pairs: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Turn the pairs so that the earlier comes first, and number the ids in order."""
    paired, place = np.unique(pairs, return_inverse=True)
    rank = pd.factorize(rows["incident_id"].iloc[paired], sort=True)[0]
    ids = rank[place.reshape(pairs.shape)]
    moment = incidents["moment"][pairs]
    later = np.where(
        moment[:, 0] == moment[:, 1], ids[:, 0] > ids[:, 1], moment[:, 0] > moment[:, 1]
    )
    pairs[later], ids[later] = pairs[later, ::-1], ids[later, ::-1]
    return pairs, ids


def _scored(incidents: Arrays, pairs: NDArray[np.int64], ids: NDArray[np.int64]) -> Arrays:
    """Distance, time between, closeness of class and score of the pairs, the best first."""
    distance = _distance_m(incidents, pairs)
    hours = np.abs(np.diff(incidents["moment"][pairs], axis=1)[:, 0]) / _HOUR_US
    lower, group = incidents["subcategory"][pairs], incidents["group"][pairs]
    same = (lower[:, 0] == lower[:, 1]) & (lower[:, 0] >= 0)
    grouped = (group[:, 0] == group[:, 1]) & (group[:, 0] >= 0)
    closeness = np.select([same, grouped], [SAME_SUBCATEGORY, SAME_GROUP], SAME_CATEGORY)
    radius = incidents["radius"][pairs].max(axis=1)
    # A shared area says as little as two points at the edge of the radius.
    place = np.where(np.isnan(distance), 0.5, 1 - distance / (2 * radius))
    score = np.round(closeness * place * (1 - hours / (2 * GAP_HOURS)), 4)
    best = np.lexsort((ids[:, 1], ids[:, 0], -score))
    columns = {
        "first": pairs[:, 0],
        "second": pairs[:, 1],
        "gap_hours": np.round(hours, 3),
        "distance_m": np.round(distance, 1),
        "same_subcategory": same,
        "score": score,
    }
    return {name: values[best] for name, values in columns.items()}


def _one_to_one(incidents: Arrays, candidates: Arrays) -> Arrays:
    """Take the candidates in their order, unless one has its partner in the other's source."""
    source = incidents["source"]
    size = int(source.max(initial=0)) + 1
    first, second = candidates["first"], candidates["second"]
    ends = zip(
        (first * size + source[second]).tolist(),
        (second * size + source[first]).tolist(),
        strict=True,
    )
    taken: set[int] = set()
    kept = np.zeros(len(first), dtype=bool)
    for position, (one, other) in enumerate(ends):
        if one not in taken and other not in taken:
            taken.update((one, other))
            kept[position] = True
    return {name: values[kept] for name, values in candidates.items()}

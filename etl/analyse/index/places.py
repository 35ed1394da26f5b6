"""Places: incidents that follow one another at one, and how few of them hold most."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from etl.analyse.bed import Days, Floats, Ints

_FAR = np.datetime64("9999-12-31", "D")


def last_match(
    key: Ints,
    moment: Ints,
    known: Days,
    *,
    low: int,
    high: int,
    queries: tuple[Ints, Ints] | None = None,
) -> Days:
    """
    Day on which a match for each incident was first known, NaT = there is none.

    A match has the same key and a moment within `low` to `high` seconds of the incident's, both
    included.

    Parameters
    ----------
    key, moment, known
        Of each incident that may be a match: whole numbers from 0, seconds, days; shape (n,).
    queries
        Keys and moments of the incidents to find a match for, shape (m,) each; by default all.
    """
    asked, when = (key, moment) if queries is None else queries
    if not len(key) or not len(asked):
        return np.full(len(asked), np.datetime64("NaT"), dtype="datetime64[D]")
    first = min(moment.min(), when.min() + low)
    last = max(moment.max(), when.max() + high)
    width = np.int64(last - first + 1)
    order = np.argsort(joined := key * width + (moment - first))
    ordered = joined[order]
    # Queries in order: neighbouring ones look at neighbouring places.
    looked_up = order, ordered
    if queries is not None:
        looked_up = np.argsort(given := asked * width + (when - first)), np.sort(given)
    row, wanted = looked_up
    start = np.searchsorted(ordered, wanted + low)
    stop = np.searchsorted(ordered, wanted + high, side="right")
    found = np.full(len(asked), np.datetime64("NaT"), dtype="datetime64[D]")
    some = np.flatnonzero(stop > start)
    if len(some):
        days = np.append(known[order], _FAR).astype("datetime64[D]").astype(np.int64)
        pairs = np.column_stack([start[some], stop[some]]).ravel()
        found[row[some]] = np.minimum.reduceat(days, pairs)[::2].astype("datetime64[D]")
    return found


def busiest(area: Ints, place: Ints, *, size: int, share: float) -> tuple[Floats, Floats]:
    """
    Incidents in the busiest part of each area's places, and all of them.

    Parameters
    ----------
    area, place
        Of each incident, shape (n,); whole numbers from 0.
    size
        Number of areas.
    share
        Part of the places with an incident that counts as busiest; at least one.
    """
    if not len(area):
        return np.zeros(size), np.zeros(size)
    width = int(place.max()) + 1
    pair, number = np.unique(area * width + place, return_counts=True)
    owner = pair // width
    order = np.lexsort((-number, owner))
    owner, number = owner[order], number[order]
    places = np.bincount(owner, minlength=size)
    rank = np.arange(len(owner)) - np.append(0, np.cumsum(places))[owner]
    chosen = rank < np.ceil(share * places - 1e-9)[owner]
    whole = np.bincount(owner, weights=number, minlength=size)
    part = np.bincount(owner[chosen], weights=number[chosen], minlength=size)
    return part.astype(np.float64), whole.astype(np.float64)


def medians(area: Ints, value: Ints, *, size: int) -> Floats:
    """Median of whole numbers from 0 per area, 0 where an area has none; shape (size,)."""
    found = np.zeros(size)
    if not len(area):
        return found
    width = int(value.max()) + 1
    ordered = np.sort(area * width + value)
    number = np.bincount(area, minlength=size)
    first = np.cumsum(number) - number
    some = np.flatnonzero(number)
    low = ordered[first[some] + (number[some] - 1) // 2] % width
    high = ordered[first[some] + number[some] // 2] % width
    found[some] = (low + high) / 2
    return found

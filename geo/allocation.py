"""
Allocation: move counts and rates from the areas of one edition to those of the next.

A crosswalk says which share of each old area's figure belongs to which new area; the shares of an
old area sum to 1. Counts are extensive: they are split, and no total changes. Rates are
intensive: they are averaged over what they are rates of. Shares follow the exact overlay of the
polygons, or points that carry a mass (incidents, residents, the centres of fine cells), which is
better wherever people are spread unevenly.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import shapely
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

from geo import boundaries, divisions
from geo.locate import locate

Figures = NDArray[np.float64]

NOWHERE = -1
"""New index of what no new area takes over."""

_NOISE_SHARE = 1e-4
"""Smaller shares come from borders that two editions drew a little differently."""

_OPEN_END = np.datetime64("9999-12-31", "D")

CARRIER_SCALE = 5.0
"""Mass below which an old area is split by its ground rather than by the points in it."""


@dataclass(frozen=True)
class Carriers:
    """Points that carry a mass: shape n each, degrees WGS 84, mass 0 or more."""

    lng: NDArray[np.float64]
    lat: NDArray[np.float64]
    mass: NDArray[np.float64]


def overlay(old: ArrayLike, new: ArrayLike, *, carriers: Carriers | None = None) -> pd.DataFrame:
    """
    Crosswalk between two sets of polygons.

    Parameters
    ----------
    old, new
        Valid polygons in degrees, WGS 84.
    carriers
        Points whose mass decides instead of the ground; old areas that hold less than
        `CARRIER_SCALE` of it are still split by ground.

    Returns
    -------
    crosswalk
        `old_index`, `new_index`, `weight`, sorted; weights above 0 that sum to 1 per old index.
        An old area that no new one covers has the single new index `NOWHERE`.
    """
    before, after = np.asarray(old, dtype=object), np.asarray(new, dtype=object)
    same = _equal(before, after)
    changed = np.flatnonzero(same < 0)
    shares = _split(before[changed], after, carriers)
    shares["old_index"] = changed[shares["old_index"]]
    kept = np.flatnonzero(same >= 0)
    missing = np.setdiff1d(changed, shares["old_index"])
    alone = pd.DataFrame(
        {
            "old_index": np.concatenate([kept, missing]),
            "new_index": np.concatenate([same[kept], np.full(len(missing), NOWHERE)]),
            "weight": 1.0,
        }
    )
    whole = pd.concat([shares, alone], ignore_index=True)
    return whole.sort_values(["old_index", "new_index"], ignore_index=True)


def build_crosswalk(
    areas: pd.DataFrame,
    geometries: ArrayLike,
    *,
    level: str,
    carriers: Carriers | None = None,
) -> pd.DataFrame:
    """
    Crosswalk from every ended area of a level to the areas that are valid now.

    Parameters
    ----------
    areas
        Rows of one level by `area_index`: `code`, `valid_from`, `valid_to`.
    geometries
        Their polygons, in the same order.
    level
        Written into the table.
    carriers
        As in `overlay`.

    Returns
    -------
    crosswalk
        `level`, `old_index`, `new_index`, `weight`: one row per ended area and area valid now
        that took over a part of it, through all editions between. Areas valid now have no row:
        their own figures stay theirs.
    """
    array = np.asarray(geometries, dtype=object)
    start, end = divisions.validity(areas)
    steps: dict[int, dict[int, float]] = {}
    # The latest re-cut first, so that what an older area became is already known.
    for day in np.unique(end[end < _OPEN_END])[::-1]:
        old = np.flatnonzero(end == day)
        new = np.flatnonzero((start <= day) & (day < end))
        step = overlay(array[old], array[new], carriers=carriers)
        for row in step.itertuples(index=False):
            target = int(new[row.new_index]) if row.new_index >= 0 else NOWHERE
            onward = steps.get(target, {target: 1.0})
            own = steps.setdefault(int(old[row.old_index]), {})
            for final, weight in onward.items():
                own[final] = own.get(final, 0.0) + row.weight * weight
    rows = [
        (level, old_index, new_index, weight)
        for old_index, targets in sorted(steps.items())
        for new_index, weight in sorted(targets.items())
    ]
    table = pd.DataFrame(rows, columns=["level", "old_index", "new_index", "weight"])
    return table.astype({"old_index": "int32", "new_index": "int32", "weight": "float64"})


def move_counts(counts: ArrayLike, crosswalk: pd.DataFrame, *, size: int) -> Figures:
    """
    Move counts from old to new areas; no column's total changes but for what goes nowhere.

    Parameters
    ----------
    counts
        Shape n_old, or n_old x periods.
    crosswalk
        As of `overlay`.
    size
        Number of new areas.

    Returns
    -------
    counts
        Shape size + 1 (x periods): the last row holds what no new area takes over.
    """
    before = np.asarray(counts, dtype=np.float64)
    return np.asarray(_matrix(crosswalk, len(before), size).T @ before)


def move_whole_counts(
    counts: ArrayLike, crosswalk: pd.DataFrame, *, size: int
) -> NDArray[np.int64]:
    """
    Move counts from old to new areas as whole numbers.

    Parameters
    ----------
    counts
        Whole numbers, shape n_old x periods, periods in order of time.
    crosswalk, size
        As in `move_counts`.

    Returns
    -------
    counts
        Shape size + 1 x periods, as in `move_counts`; each period's total is kept exactly, and
        with it that of any level above, as the incidents of an old area are dealt out one by
        one.

    Notes
    -----
    Rounding each period by itself (largest remainder) would give an area with one incident a
    week always to its largest part. The incidents of an old area are dealt out over its whole
    history instead, each to the part that is furthest behind its share (Sainte-Laguë), so the
    parts keep their shares from the first period to the last, within an incident or two.
    """
    before = np.asarray(counts, dtype=np.int64)
    moved = np.zeros((size + 1, before.shape[1]), dtype=np.int64)
    old, target, weight = _columns(crosswalk, size)
    for rows in _groups(old):
        row_counts = before[old[rows[0]]]
        if len(rows) == 1:
            moved[target[rows[0]]] += row_counts
            continue
        turns = _turns(weight[rows], int(row_counts.sum()))
        period = np.repeat(np.arange(len(row_counts)), row_counts)
        np.add.at(moved, (target[rows][turns], period), 1)
    return moved


def move_rates(
    rates: ArrayLike, exposure: ArrayLike, crosswalk: pd.DataFrame, *, size: int
) -> Figures:
    """
    Move rates from old to new areas: means weighted by what the rates are rates of.

    Parameters
    ----------
    rates
        Shape n_old, or n_old x periods; not-a-number = unknown.
    exposure
        Shape n_old: residents, households, km².
    crosswalk, size
        As in `move_counts`.

    Returns
    -------
    rates
        Shape size (x periods). Not-a-number where a part is unknown, or where nothing was.
    """
    before = np.asarray(rates, dtype=np.float64)
    weights = _matrix(crosswalk, len(before), size)
    weights = weights.multiply(np.asarray(exposure, dtype=np.float64)[:, None]).tocsr()
    weights.eliminate_zeros()
    carried = weights.T @ before
    total = np.asarray(weights.sum(axis=0)).ravel()
    total = total if before.ndim == 1 else total[:, None]
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray((carried / total)[:size])


def _matrix(crosswalk: pd.DataFrame, n_old: int, size: int) -> sparse.csr_array:
    old, target, weight = _columns(crosswalk, size)
    return sparse.csr_array((weight, (old, target)), shape=(n_old, size + 1))


def _columns(
    crosswalk: pd.DataFrame, size: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    ordered = crosswalk.sort_values(["old_index", "new_index"])
    target = ordered["new_index"].to_numpy(dtype=np.int64)
    return (
        ordered["old_index"].to_numpy(dtype=np.int64),
        np.where(target < 0, size, target),
        ordered["weight"].to_numpy(dtype=np.float64),
    )


def _groups(sorted_keys: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    starts = np.flatnonzero(np.diff(sorted_keys, prepend=-1))
    return np.split(np.arange(len(sorted_keys)), starts[1:]) if len(starts) else []


def _turns(weight: NDArray[np.float64], incidents: int) -> NDArray[np.int64]:
    """Which part gets the first, second, ... incident: shape `incidents`."""
    # No part gets more than its share and one for each part.
    most = np.ceil(weight * incidents).astype(np.int64) + len(weight)
    part = np.repeat(np.arange(len(weight)), most)
    nth = np.concatenate([np.arange(count) for count in most])
    quotient = weight[part] / (2 * nth + 1)
    order = np.lexsort((part, -quotient))
    return np.asarray(part[order][:incidents])


def _equal(before: NDArray[np.object_], after: NDArray[np.object_]) -> NDArray[np.int64]:
    """Position of the same polygon in the new edition, -1 where there is none."""
    # Most areas of a re-cut level are the same to the last bit and need no overlay.
    known = {wkb: position for position, wkb in enumerate(shapely.to_wkb(after))}
    found = [known.get(wkb, -1) for wkb in shapely.to_wkb(before)]
    return np.array(found, dtype=np.int64)


def _split(
    before: NDArray[np.object_], after: NDArray[np.object_], carriers: Carriers | None
) -> pd.DataFrame:
    """Shares of areas that changed, by ground or by what lies in them."""
    rows, others = shapely.STRtree(after).query(before, predicate="intersects")
    common = boundaries.area_km2(shapely.intersection(before[rows], after[others]))
    by_ground = _shares(rows, others, common, np.zeros(len(before)))
    if carriers is None:
        return by_ground
    return _prefer(_carried(before, after, carriers), by_ground)


def _shares(
    old: NDArray[np.int64],
    new: NDArray[np.int64],
    mass: NDArray[np.float64],
    at_least: NDArray[np.float64],
) -> pd.DataFrame:
    """Shares of each old area's mass; without noise, and without areas of too little mass."""
    total = np.bincount(old, weights=mass, minlength=len(at_least))
    enough = (total > 0) & (total >= at_least)
    share = np.divide(mass, total[old], out=np.zeros(len(mass)), where=total[old] > 0)
    kept = enough[old] & (share >= _NOISE_SHARE)
    old, new, share = old[kept], new[kept], share[kept]
    total = np.bincount(old, weights=share, minlength=len(at_least))
    return pd.DataFrame({"old_index": old, "new_index": new, "weight": share / total[old]})


def _carried(
    before: NDArray[np.object_], after: NDArray[np.object_], carriers: Carriers
) -> pd.DataFrame:
    old = locate(carriers.lng, carriers.lat, boundaries=before)
    new = locate(carriers.lng, carriers.lat, boundaries=after)
    both = (old >= 0) & (new >= 0)
    pairs = pd.DataFrame({"old": old[both], "new": new[both], "mass": carriers.mass[both]})
    summed = pairs.groupby(["old", "new"], as_index=False)["mass"].sum()
    return _shares(
        summed["old"].to_numpy(dtype=np.int64),
        summed["new"].to_numpy(dtype=np.int64),
        summed["mass"].to_numpy(dtype=np.float64),
        np.full(len(before), CARRIER_SCALE),
    )


def _prefer(first: pd.DataFrame, second: pd.DataFrame) -> pd.DataFrame:
    others = second[~second["old_index"].isin(first["old_index"])]
    return pd.concat([first, others], ignore_index=True)

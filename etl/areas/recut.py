"""
Re-cutting: merge a new edition of a level into the dated areas that the city has.

An area whose code, parent and ground stay is the same area, whatever it is called now. One whose
ground or parent changed ends and starts again under its code; codes that disappear end, codes
that appear start.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from etl.areas.read import COLUMNS, DATES
from etl.areas.report import Finding, listed
from geo import boundaries, divisions

if TYPE_CHECKING:
    import datetime as dt

    from numpy.typing import NDArray

_SAME_DEGREES: Final = 1e-7
"""About a centimetre; corners that moved less did not move."""
_SAME_M: Final = 0.1
"""Ground that is nowhere wider than this does not count as changed."""


class RecutError(ValueError):
    """The new edition cannot follow the old one."""


def merge(
    old: gpd.GeoDataFrame | None, new: gpd.GeoDataFrame, *, valid_from: dt.date | None
) -> tuple[gpd.GeoDataFrame, dict[str, int], list[Finding]]:
    """
    Merge a new edition into an old one.

    Parameters
    ----------
    old
        Rows of every validity, `COLUMNS` and polygons; None where the city has none.
    new
        Rows of the new edition, one per code.
    valid_from
        First day of the new edition. None replaces the old one altogether.

    Returns
    -------
    rows
        Every validity, sorted by code and first day; an old area is valid before `valid_from`.
    changes
        Number of areas that are unchanged, updated (name or ledger), redrawn, new and ended.
    findings
        Codes that are used again, and codes that stayed on changed ground.

    Raises
    ------
    RecutError
        `valid_from` is not after the start of the areas that it ends, or the file dates its
        areas itself.
    """
    rows = _columns(new)
    if valid_from is None:
        return _sorted(rows), {"new": len(rows)}, []
    if rows["valid_from"].notna().any() or rows["valid_to"].notna().any():
        raise RecutError("the file dates its areas itself; leave --valid-from out")
    rows["valid_from"] = pd.Series([valid_from] * len(rows), dtype=object)
    if old is None:
        return _sorted(rows), {"new": len(rows)}, []
    before = _columns(old)
    open_end = before["valid_to"].isna().to_numpy()
    past, current = before[~open_end], before[open_end].reset_index(drop=True)
    position = pd.Series(current.index, index=current["code"])
    match = position.reindex(rows["code"]).to_numpy()
    both = np.flatnonzero(~np.isnan(match))
    partner = match[both].astype(np.int64)
    same = _same_ground(current.geometry.to_numpy()[partner], rows.geometry.to_numpy()[both])
    same &= current["parent_code"].to_numpy()[partner] == rows["parent_code"].to_numpy()[both]
    kept, renewed = partner[same], both[same]
    updated = _update(current, kept, rows, renewed)
    ending = np.setdiff1d(np.arange(len(current)), kept)
    _check_day(current.iloc[ending], valid_from)
    current.loc[ending, "valid_to"] = pd.Series([valid_from] * len(ending), ending, dtype=object)
    started = np.setdiff1d(np.arange(len(rows)), renewed)
    redrawn = rows["code"].to_numpy()[both[~same]].tolist()
    reused = sorted(set(rows["code"].iloc[started]) & set(past["code"]) - set(redrawn))
    whole = pd.concat([past, current, rows.iloc[started]], ignore_index=True)
    changes = {
        "unchanged": len(kept) - updated,
        "updated": updated,
        "redrawn": len(redrawn),
        "new": len(started) - len(redrawn),
        "ended": len(ending) - len(redrawn),
    }
    findings = [*listed("reused_code", reused), *listed("redrawn", redrawn)]
    return _sorted(gpd.GeoDataFrame(whole, crs="EPSG:4326")), changes, findings


def valid_on(rows: gpd.GeoDataFrame, day: dt.date | None) -> gpd.GeoDataFrame:
    """Rows valid on a day; None = those without an end."""
    if day is None:
        return rows[rows["valid_to"].isna()].reset_index(drop=True)
    start, end = divisions.validity(rows)
    chosen = (start <= np.datetime64(day)) & (np.datetime64(day) < end)
    return rows[chosen].reset_index(drop=True)


def _same_ground(old: NDArray[np.object_], new: NDArray[np.object_]) -> NDArray[np.bool_]:
    same = shapely.equals_exact(shapely.normalize(old), shapely.normalize(new), _SAME_DEGREES)
    doubt = np.flatnonzero(~same)
    change = shapely.symmetric_difference(old[doubt], new[doubt])
    plane = boundaries.metres_per_degree(change)
    flat = shapely.transform(change, lambda vertices: vertices * plane)
    # Worn off by half the width from both sides, nothing is left of what is no wider.
    same[doubt] = shapely.is_empty(shapely.buffer(flat, -_SAME_M / 2))
    return np.asarray(same)


def _update(
    current: gpd.GeoDataFrame,
    kept: NDArray[np.int64],
    rows: gpd.GeoDataFrame,
    renewed: NDArray[np.int64],
) -> int:
    """Take names and ledgers of unchanged areas from the new edition; the number that differ."""
    differ = np.zeros(len(kept), dtype=bool)
    for column in [name for name in COLUMNS if name not in ("code", "parent_code", *DATES)]:
        fresh = rows[column].iloc[renewed]
        told = fresh.notna().to_numpy()
        before = current[column].iloc[kept].to_numpy()
        differ |= told & (fresh.to_numpy() != before)
        current.loc[kept[told], column] = fresh.to_numpy()[told]
    return int(differ.sum())


def _check_day(ending: gpd.GeoDataFrame, valid_from: dt.date) -> None:
    start, _ = divisions.validity(ending)
    late = ending["code"][start >= np.datetime64(valid_from)]
    if len(late):
        raise RecutError(
            f"{len(late):,} areas that end on {valid_from} start no earlier "
            f"({', '.join(late[:5])}); give a later --valid-from, or none to replace the edition"
        )


def _columns(rows: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    return rows[[*COLUMNS, "geometry"]].reset_index(drop=True).copy()


def _sorted(rows: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    start, _ = divisions.validity(rows)
    order = np.lexsort((start, rows["code"].to_numpy().astype(str)))
    return rows.iloc[order].reset_index(drop=True)

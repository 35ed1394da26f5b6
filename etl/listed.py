"""
Code lists: areas that a city counts by code, whether or not anybody has drawn them.

An area of the list that no polygon file holds is kept with an empty polygon. It has a name, a
parent and counts, but no extent, no place on the map and no exposure measured on the ground.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from data.city import CodeList

_FILLED: Final = ("name", "name_en", "parent_code")
_PLURALS: Final = {
    "city": "cities",
    "county": "counties",
    "township": "townships",
    "community": "communities",
    "grid": "grids",
}


class CodeListError(ValueError):
    """A code list cannot be used; the message names the file and the first five rows."""


def read_code_list(codes: CodeList, *, level: str) -> pd.DataFrame:
    """
    Rows of a code list that are of this city, every column as text.

    Parameters
    ----------
    codes
        The list as `areas.toml` names it.
    level
        For messages.

    Returns
    -------
    rows
        The file's own columns; codes keep their leading zeros, an empty field is null.

    Raises
    ------
    CodeListError
        The file cannot be read, lacks a column, or has a code twice or no code of the city.
    """
    where = f"{level}: {codes.file.name}"
    try:
        rows = pd.read_csv(codes.file, dtype="str", encoding="utf-8-sig")
    except (OSError, ValueError) as error:
        raise CodeListError(f"{where} cannot be read: {error}") from error
    missing = sorted({name for names in codes.columns.values() for name in names} - set(rows))
    if missing:
        raise CodeListError(f"{where} lacks the columns {missing}")
    key = list(codes.columns["code"])
    kept = rows[rows[key[0]].str.startswith(codes.prefix, na=False)].reset_index(drop=True)
    if not len(kept):
        raise CodeListError(f"{where} has no code that starts with {codes.prefix!r}")
    twice = np.flatnonzero(kept.duplicated(key))
    if len(twice):
        raise CodeListError(
            f"{where}: {len(twice)} of {len(kept)} rows repeat a code "
            f"({', '.join(kept[key[0]].iloc[twice[:5]])}); list each area once"
        )
    return kept


def add_listed(rows: gpd.GeoDataFrame, listed: pd.DataFrame) -> gpd.GeoDataFrame:
    """
    Add the areas that only the list has, and the names and parents that only the list tells.

    Parameters
    ----------
    rows
        Areas with polygons: `code`, perhaps `name`, `name_en`, `parent_code`.
    listed
        The code list by our names: `code` and any of those.

    Returns
    -------
    rows
        Sorted by code; rows of one code keep their order. Added areas have an empty polygon.
    """
    known = listed.set_index("code")
    filled = rows.copy()
    for column in [name for name in _FILLED if name in known]:
        told = filled["code"].map(known[column]).astype(object)
        own = filled.get(column, told)
        filled[column] = own.astype(object).where(own.notna(), told)
    alone = listed[~listed["code"].isin(rows["code"])]
    added = pd.DataFrame({name: alone[name] for name in filled.columns if name in alone})
    table = pd.concat([filled.drop(columns="geometry").astype(object), added.astype(object)])
    nowhere = np.full(len(added), shapely.Polygon(), dtype=object)
    shapes = np.concatenate([filled.geometry.to_numpy(), nowhere])
    joined = gpd.GeoDataFrame(table.reset_index(drop=True), geometry=shapes, crs=rows.crs)
    return joined.sort_values("code", kind="stable", ignore_index=True)


def fill_names(rows: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Name each area that has no name by its code, and in English as in Chinese."""
    named = rows.copy()
    for name, fallback in (("name", "code"), ("name_en", "name")):
        own = named[name] if name in named else pd.Series(np.nan, named.index, dtype="str")
        named[name] = own.fillna(named[fallback])
    return named


def without_polygon(geometries: Mapping[str, NDArray[np.object_]]) -> dict[str, int]:
    """Count the areas that have no polygon, level by level; levels without any are left out."""
    counts = {level: int(shapely.is_empty(shapes).sum()) for level, shapes in geometries.items()}
    return {level: count for level, count in counts.items() if count}


def describe_without_polygon(counts: Mapping[str, int]) -> str:
    """
    Say in one line how many areas have no polygon.

    Returns
    -------
    text
        Such as ``areas without polygon: 1 county, 4 townships``; empty where every area has one.
    """
    if not counts:
        return ""
    parts = [
        f"{count:,} {level if count == 1 else _PLURALS[level]}" for level, count in counts.items()
    ]
    return f"areas without polygon: {', '.join(parts)}"

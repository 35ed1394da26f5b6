"""
Boundary files: GeoJSON, GeoPackage, GeoParquet and zipped Shapefile → rows by our names, WGS 84.

Nothing is guessed: the frame is the caller's, codes keep every character, and text that is not
what it claims to be is an error.
"""

from __future__ import annotations

import codecs
import zipfile
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, Final

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pyproj
import shapely

from geo import boundaries, crs

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

TEXTS: Final = ("code", "name", "name_en", "parent_code")
NUMBERS: Final = ("population", "households")
DATES: Final = ("valid_from", "valid_to")
STATED_AREA: Final = "area_km2"
COLUMNS: Final = (*TEXTS, *NUMBERS, *DATES)
"""Columns that a stored level file has; a file to load may also state its areas in km²."""

SUFFIXES: Final = (".geojson", ".json", ".gpkg", ".parquet", ".geoparquet", ".zip")
_PARQUET: Final = (".parquet", ".geoparquet")
_EXACT: Final = 2.0**53
"""Whole numbers below it survive as a float."""

_BYTES: Final = "ISO-8859-1"
"""Keeps every byte of a text, so that it can be decoded strictly here."""


class AreaFileError(ValueError):
    """A boundary file cannot be read; the message names the file and says what to do."""


@dataclass(frozen=True)
class AreaFile:
    """
    One level's file as read.

    Attributes
    ----------
    name
        File name.
    frame
        Frame of its coordinates, as the caller named it.
    rows
        One per feature, in file order: `COLUMNS` (null where the file has none), `area_km2` as
        stated, and valid polygons in WGS 84.
    degrees
        The polygons as the file has them; projected ones in degrees. For trying other frames.
    faults
        Position of each polygon that was invalid to what was wrong with it.
    numeric
        Code columns that the file holds as numbers.
    """

    name: str
    frame: str
    rows: gpd.GeoDataFrame
    degrees: NDArray[np.object_]
    faults: dict[int, str]
    numeric: tuple[str, ...]


def read_areas(path: Path, *, columns: Mapping[str, tuple[str, ...]], frame: str) -> AreaFile:
    """
    Read one level's file.

    Parameters
    ----------
    path
        One of `SUFFIXES`; a zip holds one Shapefile.
    columns
        Our name to the file's columns, whose texts are joined by `-`.
    frame
        Frame of the coordinates (`geo.crs`).

    Raises
    ------
    AreaFileError
        The file cannot be read, lacks a column, or its coordinates are not in the frame.
    geo.crs.CrsError
        The frame is unknown, or a vertex lies outside its use.
    """
    crs.check_frame(frame)
    features = _features(path)
    missing = sorted({name for names in columns.values() for name in names} - set(features))
    if missing:
        has = ", ".join(map(str, features.columns.drop("geometry", errors="ignore")))
        raise AreaFileError(f"{path.name}: lacks the columns {', '.join(missing)}; it has {has}")
    _check_declared(features, frame, path)
    given = features.geometry.to_numpy()
    projected = frame.startswith("EPSG:")
    degrees = crs.geometries_to_wgs84(given, frame=frame) if projected else given
    shifted = degrees if projected else crs.geometries_to_wgs84(given, frame=frame)
    _check_degrees(shifted, path)
    broken = np.flatnonzero(~shapely.is_valid(shifted) & ~shapely.is_missing(shifted))
    reasons = shapely.is_valid_reason(shifted[broken])
    rows = _our_rows(features, columns, path)
    return AreaFile(
        name=path.name,
        frame=frame,
        rows=gpd.GeoDataFrame(rows, geometry=boundaries.repair(shifted), crs="EPSG:4326"),
        degrees=degrees,
        faults=dict(zip(broken.tolist(), reasons.tolist(), strict=True)),
        numeric=tuple(
            ours
            for ours in ("code", "parent_code")
            for theirs in columns.get(ours, ())
            if pd.api.types.is_numeric_dtype(features[theirs])
        ),
    )


def _features(path: Path) -> gpd.GeoDataFrame:
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise AreaFileError(f"{path.name}: unknown kind; give one of {', '.join(SUFFIXES)}")
    try:
        if suffix in _PARQUET:
            return gpd.read_parquet(path)
        if suffix == ".zip":
            return _read_shapefile(path)
        _check_one_layer(path)
        return pyogrio.read_dataframe(path)
    except AreaFileError:
        raise
    except (OSError, ValueError, zipfile.BadZipFile, pyogrio.errors.DataSourceError) as error:
        raise AreaFileError(f"{path.name}: cannot be read: {error}") from error


def _check_one_layer(path: Path) -> None:
    layers = pyogrio.list_layers(path)
    if len(layers) != 1:
        names = ", ".join(layers[:, 0])
        raise AreaFileError(f"{path.name}: holds the layers {names}; keep one of them")


def _read_shapefile(path: Path) -> gpd.GeoDataFrame:
    with zipfile.ZipFile(path) as archive:
        parts = {PurePosixPath(name): name for name in archive.namelist()}
        shapes = [part for part in parts if part.suffix.lower() == ".shp"]
        if len(shapes) != 1:
            raise AreaFileError(f"{path.name}: holds {len(shapes)} Shapefiles; pack exactly one")
        page = [
            archive.read(name).decode("ascii", "replace").strip()
            for part, name in parts.items()
            if part.suffix.lower() == ".cpg" and part.stem == shapes[0].stem
        ]
    found = pyogrio.read_dataframe(f"/vsizip/{path}/{parts[shapes[0]]}", encoding=_BYTES)
    encodings = [_python_encoding(page[0], path)] if page else ["utf-8", "gb18030"]
    for encoding in encodings:
        try:
            return _decoded(found, encoding)
        except UnicodeDecodeError:
            continue
    told = f"not {encodings[0]}, as its .cpg says" if page else "neither UTF-8 nor GB18030"
    raise AreaFileError(f"{path.name}: its text is {told}; export it again with a right .cpg")


def _python_encoding(page: str, path: Path) -> str:
    # ArcGIS writes code pages as plain numbers: 936 is GBK, whose superset is read.
    known = {"65001": "utf-8", "936": "gb18030", "gbk": "gb18030", "gb2312": "gb18030"}
    try:
        return known.get(page.lower(), "") or codecs.lookup(page).name
    except LookupError as error:
        raise AreaFileError(f"{path.name}: its .cpg names the unknown encoding {page!r}") from error


def _decoded(found: gpd.GeoDataFrame, encoding: str) -> gpd.GeoDataFrame:
    decoded = found.copy()
    for name in found.columns.drop("geometry"):
        if not pd.api.types.is_string_dtype(found[name]):
            continue
        position, distinct = pd.factorize(found[name])
        texts = [_strict(text, encoding) for text in distinct]
        decoded[name] = pd.Series([*texts, None], dtype="str").to_numpy()[position]
    # The format cuts column names after ten bytes, in the middle of a character if need be.
    names = {
        name: str(name).encode(_BYTES).decode(encoding, "ignore")
        for name in found.columns.drop("geometry")
    }
    return decoded.rename(columns=names)


def _strict(text: str, encoding: str) -> str:
    raw = text.encode(_BYTES)
    decoded = raw.decode(encoding)
    # What other encodings leave where GB18030 has no character of its own.
    if any(mark == "\ufffd" or "\ue000" <= mark <= "\uf8ff" or mark < " " for mark in decoded):
        raise UnicodeDecodeError(encoding, raw, 0, len(raw), "garbled text")
    return decoded


def _check_declared(features: gpd.GeoDataFrame, frame: str, path: Path) -> None:
    if features.crs is None:
        return
    declared = pyproj.CRS.from_user_input(features.crs)
    expected = pyproj.CRS.from_user_input(frame if frame.startswith("EPSG:") else "EPSG:4326")
    same_kind = declared.is_projected == expected.is_projected
    if not same_kind or (declared.is_projected and not declared.equals(expected, True)):
        raise AreaFileError(
            f"{path.name}: says that its coordinates are {declared.name}, not {frame}; "
            "name the frame that it is in"
        )


def _check_degrees(shapes: NDArray[np.object_], path: Path) -> None:
    boxes = shapely.bounds(shapes)
    wrong = np.flatnonzero((np.abs(boxes) > [180.0, 90.0, 180.0, 90.0]).any(axis=1))
    if len(wrong):
        raise AreaFileError(
            f"{path.name}: {len(wrong):,} of {len(shapes):,} areas have coordinates that are no "
            f"degrees (features {_first(wrong)}); name the projection of the file as its frame"
        )


def _our_rows(
    features: gpd.GeoDataFrame, columns: Mapping[str, tuple[str, ...]], path: Path
) -> pd.DataFrame:
    rows = pd.DataFrame(index=range(len(features)))
    for ours in (*COLUMNS, STATED_AREA):
        theirs = [features[name].reset_index(drop=True) for name in columns.get(ours, ())]
        if ours in (*NUMBERS, STATED_AREA):
            rows[ours] = pd.to_numeric(theirs[0], errors="coerce") if theirs else np.nan
            rows[ours] = rows[ours].astype(float)
        elif not theirs:
            rows[ours] = pd.Series([None] * len(rows), dtype=object)
        elif ours in DATES:
            rows[ours] = _days(theirs[0], path)
        else:
            parts = [_text(values) for values in theirs]
            joined = parts[0].str.cat(parts[1:], sep="-") if len(parts) > 1 else parts[0]
            rows[ours] = joined.astype(object).where(joined.notna(), None)
    return rows


def _text(values: pd.Series) -> pd.Series:
    if pd.api.types.is_float_dtype(values):
        whole = (values == values.round()) & (values.abs() < _EXACT)
        plain = values.where(whole).astype("Int64").astype("str")
        text = plain.where(whole, values.astype("str"))
    else:
        text = values.astype("str").str.strip()
    return text.mask(values.isna() | (text == ""))


def _days(values: pd.Series, path: Path) -> pd.Series:
    try:
        days = pd.to_datetime(values)
    except ValueError as error:
        raise AreaFileError(f"{path.name}: a validity date cannot be read: {error}") from error
    return days.dt.date.astype(object).where(days.notna(), None)


def _first(rows: Any) -> str:
    return ", ".join(str(row + 1) for row in rows[:5])

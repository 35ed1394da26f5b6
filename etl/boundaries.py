"""
Boundaries of a city: level files → the `areas` table, polygons in its order, and tiles.

Each level is read as `areas.toml` says, shifted to WGS 84, repaired, joined where a code has
several pieces (or built by joining the level below), and sorted by code and first day. Parents
come from parent codes alone; polygons only serve to check them. Areas that only a code list names
have an empty polygon.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import shapely

from data.store import file_sha256
from data.writer import replace_text
from etl.listed import add_listed, fill_names, read_code_list
from geo import boundaries as polygons
from geo import crs, divisions, tiles

if TYPE_CHECKING:
    import datetime as dt
    from pathlib import Path

    from numpy.typing import NDArray

    from data.city import City, LevelFile

EXPOSURE_UNIT: Final = {"population": 10_000.0, "households": 1_000.0, "area_km2": 1.0}
"""What one unit of exposure is of each ledger."""

EXPOSURE_UNIT_NAMES: Final = {
    "population": ("万人", "10,000 residents"),
    "households": ("千户", "1,000 households"),
    "area_km2": ("平方公里", "km²"),
}

NEAR_KM: Final = 5.0
"""Points this close to the city are kept as not placed; farther ones are no points of it."""

SIMPLIFY_M: Final = 3.0
"""Tolerance of the drawn borders; about one unit of the tiles' own rounding."""

_LEDGERS: Final = ("population", "households")
_DATES: Final = ("valid_from", "valid_to")
_KM_PER_DEGREE: Final = 111.195
_MISFIT_SHARE: Final = 0.05
"""Larger shares of areas outside their parent mean a wrong file or frame."""


class BoundaryError(ValueError):
    """A level file cannot be used; the message names the file and the first five areas."""


@dataclass(frozen=True)
class Boundaries:
    """
    The areas of all levels and their polygons.

    Attributes
    ----------
    areas
        The `areas` table, levels from the top down, `area_index` ascending in each.
    geometries
        Level to polygons in `area_index` order, degrees, WGS 84; empty where nobody drew one.
    version
        Sixteen hexadecimal digits of the content and of how it is drawn.
    """

    areas: pd.DataFrame
    geometries: dict[str, NDArray[np.object_]]
    version: str

    @property
    def levels(self) -> list[str]:
        """Levels from the top down."""
        return list(self.geometries)

    @cached_property
    def limits(self) -> shapely.Geometry:
        """The city and `NEAR_KM` around it, coarsely, for telling near points from far ones."""
        city = shapely.union_all(self.geometries[self.levels[0]])
        _, south, _, north = shapely.bounds(city)
        shrink = float(np.cos(np.radians((south + north) / 2)))
        flat = shapely.transform(city, lambda vertices: vertices * [shrink, 1.0])
        coarse = shapely.simplify(flat, 0.1 / _KM_PER_DEGREE)
        wide = shapely.buffer(coarse, NEAR_KM / _KM_PER_DEGREE, quad_segs=4)
        return shapely.transform(wide, lambda vertices: vertices / [shrink, 1.0])

    @cached_property
    def first_day(self) -> dt.date | None:
        """First day on which any area of the lowest level is valid; None = always."""
        starts = self.level_areas(self.levels[-1])["valid_from"]
        return None if starts.isna().any() else min(starts)

    @cached_property
    def codes(self) -> frozenset[str]:
        """Every code of every level."""
        return frozenset(self.areas["code"])

    def level_areas(self, level: str) -> pd.DataFrame:
        """Rows of one level, by `area_index`."""
        rows: pd.DataFrame = self.areas[self.areas["level"] == level].reset_index(drop=True)
        return rows

    def parents(self, level: str) -> NDArray[np.int32]:
        """Position of each area's parent in the level above, -1 at the top."""
        parents: NDArray[np.int32] = self.level_areas(level)["parent_index"].to_numpy()
        return parents


def read_boundaries(city: City) -> Boundaries:
    """
    Read, shift, repair, join, check and number the areas of every level.

    Raises
    ------
    BoundaryError, etl.listed.CodeListError
        A file cannot be read, a code is missing, or areas lie outside their parents.
    geo.divisions.DivisionError
        The areas are no dated tree.
    """
    features = {level.level: _read_level(level) for level in city.levels if level.file}
    levels: dict[str, gpd.GeoDataFrame] = {}
    for depth in range(len(city.levels) - 1, -1, -1):
        level = city.levels[depth]
        if level.dissolve is not None:
            below = levels[level.dissolve]
            joined = features.get(level.dissolve, below)
            features[level.level] = _dissolved_features(level, joined, city)
        levels[level.level] = _finish_level(features[level.level], level, depth, city)
    ordered: dict[str, gpd.GeoDataFrame] = {
        level.level: levels[level.level] for level in city.levels
    }
    areas = _areas_table(ordered, city)
    divisions.check_divisions(areas)
    areas["parent_index"] = divisions.parent_indices(areas)
    geometries: dict[str, NDArray[np.object_]] = {
        level: rows.geometry.to_numpy() for level, rows in ordered.items()
    }
    built = Boundaries(areas, geometries, _version(areas, geometries))
    _check_nesting(built)
    return built


def cut_level_tiles(built: Boundaries, home: Path, *, level: str) -> tuple[Path, int, int]:
    """
    Cut the tiles of one level, once per boundary version.

    Returns
    -------
    path, min_zoom, max_zoom
        The archive under `home` and its zooms.
    """
    top = built.geometries[built.levels[0]]
    min_zoom, max_zoom = tiles.fit_zooms(top)
    path = home / "tiles" / built.version / f"{level}.mbtiles"
    noted = path.with_suffix(".sha256")
    if not _is_as_cut(path, noted, f"{min_zoom} {max_zoom}"):
        drawn = _drawn(built.geometries[level], built.level_areas(level))
        tiles.cut_tiles(drawn, path=path, layer="areas", min_zoom=min_zoom, max_zoom=max_zoom)
        replace_text(noted, f"{file_sha256(path)} {min_zoom} {max_zoom}\n")
    return path, min_zoom, max_zoom


def _is_as_cut(path: Path, noted: Path, zooms: str) -> bool:
    """Whether an archive is there whole, every byte of it as it was cut, with these zooms."""
    try:
        return noted.read_bytes().decode("ascii") == f"{file_sha256(path)} {zooms}\n"
    except (OSError, UnicodeDecodeError):
        return False


def _drawn(geometries: NDArray[np.object_], areas: pd.DataFrame) -> NDArray[np.object_]:
    """Simplify the areas still valid as one coverage; ended ones keep every vertex."""
    drawn = geometries.copy()
    current = areas["valid_to"].isna().to_numpy()
    try:
        drawn[current] = polygons.simplify(geometries[current], tolerance_m=SIMPLIFY_M)
    except polygons.CoverageError:
        # Published borders that do not meet exactly would tear; they are drawn as they are.
        return geometries
    return drawn


def _read_level(level: LevelFile) -> gpd.GeoDataFrame:
    """Features of a file with our columns, in WGS 84, repaired, in file order."""
    path = level.file
    assert path is not None
    try:
        if path.suffix == ".parquet":
            found = gpd.read_parquet(path)
        else:
            found = pyogrio.read_dataframe(path)
    except (OSError, ValueError, pyogrio.errors.DataSourceError) as error:
        raise BoundaryError(f"{level.level}: {path.name} cannot be read: {error}") from error
    missing = sorted({name for names in level.columns.values() for name in names} - set(found))
    if missing:
        raise BoundaryError(f"{level.level}: {path.name} lacks the columns {missing}")
    shifted = crs.geometries_to_wgs84(found.geometry.to_numpy(), frame=level.frame)
    columns = _our_columns(found, level)
    columns["_source"] = np.arange(len(found))
    return gpd.GeoDataFrame(columns, geometry=polygons.repair(shifted), crs="EPSG:4326").assign(
        **{f"_theirs_{name}": found[name].to_numpy() for name in found.columns.drop("geometry")}
    )


def _our_columns(found: Any, level: LevelFile, prefix: str = "") -> pd.DataFrame:
    """Mapped columns by our names: text joined by `-`, ledgers as numbers, dates as days."""
    columns = pd.DataFrame(index=range(len(found)))
    for ours, theirs in level.columns.items():
        values = found[prefix + theirs[0]].reset_index(drop=True)
        if ours in _LEDGERS:
            columns[ours] = pd.to_numeric(values, errors="coerce").astype(float)
        elif ours in _DATES:
            columns[ours] = _days(values, level)
        else:
            numeric = level.numeric_codes and ours in ("code", "parent_code")
            parts = [_text(found[prefix + name].reset_index(drop=True), numeric) for name in theirs]
            columns[ours] = parts[0].str.cat(parts[1:], sep="-") if len(parts) > 1 else parts[0]
    return columns


def _text(values: pd.Series, numeric: bool) -> pd.Series:
    text = values.astype("str").str.strip()
    text = text.mask(values.isna() | (text == ""))
    return plain_numbers(text) if numeric else text


def plain_numbers(codes: pd.Series) -> pd.Series:
    """Codes without leading zeros, for publishers who write the same number in two ways."""
    position, distinct = pd.factorize(codes)
    plain = pd.Series([*(code.lstrip("0") or "0" for code in distinct), None], dtype="str")
    return pd.Series(plain.to_numpy()[position], index=codes.index, dtype="str")


def _days(values: pd.Series, level: LevelFile) -> pd.Series:
    try:
        days = pd.to_datetime(values)
    except ValueError as error:
        raise BoundaryError(f"{level.level}: a validity date cannot be read: {error}") from error
    return days.dt.date.astype(object).where(days.notna(), None)


def _dissolved_features(level: LevelFile, below: gpd.GeoDataFrame, city: City) -> gpd.GeoDataFrame:
    """Features of a level that is joined from the level below, not yet joined."""
    prefix = "_theirs_" if any(name.startswith("_theirs_") for name in below) else ""
    columns = (
        _our_columns(below, level, prefix) if level.columns else pd.DataFrame(index=below.index)
    )
    if "code" not in columns:
        parent = (
            below["parent_code"] if "parent_code" in below else pd.Series(city.code, below.index)
        )
        columns["code"] = parent.to_numpy()
    for ledger in _LEDGERS:
        if ledger in below and ledger not in columns:
            columns[ledger] = below[ledger].to_numpy()
    columns["_summed"] = True
    return gpd.GeoDataFrame(columns, geometry=below.geometry.to_numpy(), crs="EPSG:4326")


def _finish_level(
    features: gpd.GeoDataFrame, level: LevelFile, depth: int, city: City
) -> gpd.GeoDataFrame:
    """One row per code and first day, sorted, with every column of the `areas` table we read."""
    rows = features.copy()
    if depth == 0 and "code" not in rows:
        rows["code"] = city.code
    if depth == 0 and "name" not in rows:
        rows["name"], rows["name_en"] = city.name_zh, city.name_en
    if depth == 1 and "parent_code" not in rows:
        rows["parent_code"] = _top_code(city)
    for column in ("parent_code", *_DATES):
        if column not in rows or depth == 0:
            rows[column] = None
    for column in _LEDGERS:
        if column not in rows:
            rows[column] = np.nan
    _check_codes(rows, level)
    summed = "_summed" in rows
    joined = _join_pieces(rows, summed=summed)
    if depth == 0 and len(joined) != 1:
        raise BoundaryError(f"city: {len(joined)} areas where the top level must have one")
    if level.codes is not None:
        joined = add_listed(joined, _listed(level, depth, city))
    return fill_names(joined)


def _listed(level: LevelFile, depth: int, city: City) -> pd.DataFrame:
    """Areas of the level's code list by our names."""
    assert level.codes is not None
    found = read_code_list(level.codes, level=level.level)
    listed = _our_columns(found, replace(level, columns=level.codes.columns))
    if depth == 1 and "parent_code" not in listed:
        listed["parent_code"] = _top_code(city)
    return listed


def _top_code(city: City) -> str:
    if "code" in city.levels[0].columns:
        raise BoundaryError(f"{city.levels[1].level}: name `parent_code` in [level.columns]")
    return city.code


def _check_codes(rows: gpd.GeoDataFrame, level: LevelFile) -> None:
    empty = np.flatnonzero(rows["code"].isna() | shapely.is_empty(rows.geometry.to_numpy()))
    if len(empty):
        raise BoundaryError(
            f"{level.level}: {len(empty)} of {len(rows)} features have no code or no area "
            f"(rows {empty[:5].tolist()}); correct the file"
        )


def _join_pieces(rows: gpd.GeoDataFrame, *, summed: bool) -> gpd.GeoDataFrame:
    starts = rows["valid_from"].map(lambda day: "" if day is None or pd.isna(day) else str(day))
    key = rows["code"].astype(object) + "\0" + starts.astype(object)
    # Joined in one order, whatever the order of the file, so that the same areas give the same
    # vertices.
    order = np.lexsort((shapely.to_wkb(rows.geometry.to_numpy()).astype(bytes), key.astype(str)))
    rows, key = rows.iloc[order], key.iloc[order]
    codes, geometries = polygons.dissolve_by_code(rows.geometry.to_numpy(), key.to_numpy())
    grouped = rows.drop(columns="geometry").groupby(key.to_numpy(), sort=False)
    first = grouped.nth(0)
    if summed:
        for ledger in _LEDGERS:
            # A missing piece makes the sum unknown, not smaller.
            total = grouped[ledger].agg(lambda values: values.sum(skipna=False))
            first[ledger] = total.loc[codes].to_numpy()
    joined = gpd.GeoDataFrame(first, geometry=geometries, crs="EPSG:4326")
    order = np.argsort(codes.astype(str), kind="stable")
    return joined.iloc[order].reset_index(drop=True)


def _areas_table(levels: dict[str, gpd.GeoDataFrame], city: City) -> pd.DataFrame:
    tables = []
    for level, rows in levels.items():
        shapes = rows.geometry.to_numpy()
        lng, lat = polygons.label_points(shapes)
        boxes = polygons.bounds(shapes)
        area_km2 = np.where(shapely.is_empty(shapes), np.nan, polygons.area_km2(shapes))
        ledger = area_km2 if city.exposure == "area_km2" else rows[city.exposure].to_numpy()
        tables.append(
            pd.DataFrame(
                {
                    "level": level,
                    "area_index": np.arange(len(rows), dtype=np.int32),
                    **{
                        name: rows[name].astype(object).where(rows[name].notna(), None)
                        for name in ("code", "name", "name_en", "parent_code", *_DATES)
                    },
                    **{name: rows[name].astype(float) for name in _LEDGERS},
                    "area_km2": area_km2,
                    "exposure": ledger / EXPOSURE_UNIT[city.exposure],
                    "lng": lng,
                    "lat": lat,
                    **dict(zip(("west", "south", "east", "north"), boxes.T, strict=True)),
                }
            )
        )
    return pd.concat(tables, ignore_index=True)


def _version(areas: pd.DataFrame, geometries: dict[str, NDArray[np.object_]]) -> str:
    digest = hashlib.sha256(f"{SIMPLIFY_M} {tiles.EXTENT}".encode())
    digest.update(areas.to_csv(index=False).encode())
    for shapes in geometries.values():
        for shape in shapely.to_wkb(shapes):
            digest.update(shape)
    return digest.hexdigest()[:16]


def _check_nesting(built: Boundaries) -> None:
    """Raise where many areas have their label point outside their parent."""
    for upper, lower in pairwise(built.levels):
        rows = built.level_areas(lower)
        parents = built.geometries[upper][rows["parent_index"].to_numpy()]
        inside = shapely.intersects_xy(parents, rows["lng"].to_numpy(), rows["lat"].to_numpy())
        drawn = ~(shapely.is_empty(parents) | rows["lng"].isna().to_numpy())
        outside = np.flatnonzero(drawn & ~inside)
        if len(outside) > _MISFIT_SHARE * len(rows):
            first = ", ".join(rows["code"].iloc[outside[:5]])
            raise BoundaryError(
                f"{lower}: {len(outside)} of {len(rows)} areas lie outside their {upper} "
                f"({first}); check `parent_code` and `frame` in areas.toml"
            )

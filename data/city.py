"""
City folders: `city.toml`, `areas.toml`, `sources.toml` and `categories.csv`, read strictly.

A folder says everything that differs between two cities. It is checked as a whole: every unknown
key, missing file and wrong value is reported at once, in the words of the file.
"""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

from data.tables import (
    REQUIRED,
    Keys,
    check_choice,
    check_frame_name,
    check_zone,
    existing_file,
    parse_toml,
    tables,
    take,
)
from geo.divisions import LEVELS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from data.periods import Grain
    from geo.divisions import Level

Exposure = Literal["population", "households", "area_km2"]
Format = Literal["csv", "parquet", "geojson"]
Theirs = tuple[str, ...]
"""Columns of a file whose values, joined by `-`, are one value of ours."""

FILES: Final = ("city.toml", "areas.toml", "sources.toml", "categories.csv")
HOME_MARK: Final = "@home"
EXPOSURES: Final = ("population", "households", "area_km2")
FORMATS: Final = ("csv", "parquet", "geojson")
ORIGINS: Final = ("reported", "discovered")
WITHOUT_ID: Final = ("refuse", "accept")
SEVERITIES: Final = (1, 2, 3, 4)
LEVEL_COLUMNS: Final = (
    "code", "name", "name_en", "parent_code", "population", "households", "valid_from", "valid_to",
)  # fmt: skip
SOURCE_COLUMNS: Final = (
    "incident_id", "occurred_at", "reported_at", "deadline_at", "resolved_at", "category",
    "severity", "outcome", "lng", "lat", "area_code",
)  # fmt: skip
TIME_COLUMNS: Final = ("occurred_at", "reported_at", "deadline_at", "resolved_at")
_CATEGORY_HEADER: Final = ["code", "parent_code", "name_zh", "name_en"]


class CityError(ValueError):
    """A city folder cannot be used; the message lists every fault, one a line."""


@dataclass(frozen=True)
class LevelFile:
    """
    Where the areas of one level come from.

    `file` holds its polygons, or `dissolve` names the lower level whose polygons are joined by
    their parent codes; `columns` then names columns of that level's file. With `numeric_codes`
    leading zeros of codes do not count.
    """

    level: Level
    name_zh: str
    name_en: str
    file: Path | None
    dissolve: Level | None
    frame: str
    numeric_codes: bool
    columns: Mapping[str, Theirs]


@dataclass(frozen=True)
class Published:
    """A column with the publisher's own area codes, against which placing is measured."""

    column: str
    level: Level
    numeric_codes: bool


@dataclass(frozen=True)
class Source:
    """
    One ledger: its files, its clock and frame, and the columns that may be read.

    `rows_without_id` tells what an empty incident id means: a fault of the row, or (where the
    publisher gives none for some kinds) a row that is its own identity.
    """

    name: str
    title_zh: str
    title_en: str
    files: tuple[Path, ...]
    format: Format
    time_zone: str
    time_format: str
    frame: str
    channel: str
    origin: str
    rows_without_id: str
    numeric_codes: bool
    columns: Mapping[str, str]
    category_codes: Mapping[str, str]
    severity_codes: Mapping[str, int]
    published: tuple[Published, ...]


@dataclass(frozen=True)
class Category:
    """One category of the two-level taxonomy; `parent_code` is None at the top."""

    code: str
    parent_code: str | None
    name_zh: str
    name_en: str


@dataclass(frozen=True)
class City:
    """One city as its folder describes it; `as_of` (last day covered) replaces the clock."""

    folder: Path
    code: str
    name_zh: str
    name_en: str
    demo: bool
    time_zone: str
    grain: Grain
    exposure: Exposure
    window: int
    cell_bands: tuple[float, ...]
    notice_zh: str
    notice_en: str
    as_of: dt.date | None
    levels: tuple[LevelFile, ...]
    sources: tuple[Source, ...]
    categories: tuple[Category, ...]

    @property
    def config_hash(self) -> str:
        """Sixteen hexadecimal digits of the four files' content."""
        return folder_hash(self.folder)

    @property
    def input_files(self) -> list[Path]:
        """Every file with areas or incidents, each once, in order."""
        files = [level.file for level in self.levels if level.file is not None]
        files += [file for source in self.sources for file in source.files]
        return list(dict.fromkeys(files))


def folder_hash(folder: Path) -> str:
    """Sixteen hexadecimal digits of the content of a city folder's four files."""
    digest = hashlib.sha256()
    for name in FILES:
        digest.update((folder / name).read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def read_city(folder: Path, *, home: Path) -> City:
    """
    Read and check a city folder.

    Parameters
    ----------
    folder
        Holds the four files.
    home
        What `@home` in `data_root` stands for (`PINGAN_HOME`).

    Raises
    ------
    CityError
        With every fault found.
    """
    missing = [name for name in FILES if not (folder / name).is_file()]
    if missing:
        raise CityError(f"city folder {folder} lacks {', '.join(missing)}")
    faults: list[str] = []
    city = _read_table(folder / "city.toml", _CITY_KEYS, faults)
    root = _data_root(folder, str(city["data_root"]), home=home)
    categories = _read_categories(folder / "categories.csv", faults)
    levels = _read_levels(folder / "areas.toml", root, faults)
    sources = _read_sources(folder / "sources.toml", root, categories, faults)
    _check_city(city, faults)
    if faults:
        raise CityError(f"city folder {folder}:\n  " + "\n  ".join(faults))
    del city["data_root"]
    city["cell_bands"] = tuple(float(edge) for edge in city["cell_bands"])
    return City(folder=folder, levels=levels, sources=sources, categories=categories, **city)


_CITY_KEYS: Final[Keys] = {
    "code": (str, REQUIRED),
    "name_zh": (str, REQUIRED),
    "name_en": (str, REQUIRED),
    "demo": (bool, False),
    "time_zone": (str, REQUIRED),
    "grain": (str, REQUIRED),
    "exposure": (str, REQUIRED),
    "data_root": (str, "."),
    "window": (int, REQUIRED),
    "cell_bands": (list, REQUIRED),
    "notice_zh": (str, ""),
    "notice_en": (str, ""),
    "as_of": (dt.date, None),
}
_LEVEL_KEYS: Final[Keys] = {
    "level": (str, REQUIRED),
    "name_zh": (str, REQUIRED),
    "name_en": (str, REQUIRED),
    "file": (str, None),
    "dissolve": (str, None),
    "frame": (str, "EPSG:4326"),
    "numeric_codes": (bool, False),
    "columns": (dict, {}),
}
_SOURCE_KEYS: Final[Keys] = {
    "name": (str, REQUIRED),
    "title_zh": (str, REQUIRED),
    "title_en": (str, REQUIRED),
    "files": (list, REQUIRED),
    "format": (str, REQUIRED),
    "time_zone": (str, REQUIRED),
    "time_format": (str, REQUIRED),
    "frame": (str, REQUIRED),
    "channel": (str, REQUIRED),
    "origin": (str, REQUIRED),
    "rows_without_id": (str, "refuse"),
    "numeric_codes": (bool, False),
    "columns": (dict, REQUIRED),
    "category_codes": (dict, {}),
    "severity_codes": (dict, {}),
    "published": (list, []),
}
_PUBLISHED_KEYS: Final[Keys] = {
    "column": (str, REQUIRED),
    "level": (str, REQUIRED),
    "numeric_codes": (bool, False),
}


def _read_table(path: Path, keys: Keys, faults: list[str]) -> dict[str, Any]:
    return take(parse_toml(path, faults), keys, path.name, faults)


def _data_root(folder: Path, written: str, *, home: Path) -> Path:
    if written == HOME_MARK or written.startswith(HOME_MARK + "/"):
        return home / written[len(HOME_MARK) :].lstrip("/")
    return (folder / written).resolve()


def _check_city(city: dict[str, Any], faults: list[str]) -> None:
    where = "city.toml"
    check_choice(city["grain"], ("week", "month"), f"{where}: `grain`", faults)
    check_choice(city["exposure"], EXPOSURES, f"{where}: `exposure`", faults)
    check_zone(city["time_zone"], where, faults)
    if city["window"] < 1:
        faults.append(f"{where}: `window` must be 1 or more")
    edges = city["cell_bands"]
    numbers = all(isinstance(edge, int | float) for edge in edges)
    if not numbers or not edges or edges != sorted(set(edges)) or edges[0] <= 0:
        faults.append(f"{where}: `cell_bands` must be rising numbers above 0")


def _read_levels(path: Path, root: Path, faults: list[str]) -> tuple[LevelFile, ...]:
    levels = []
    for number, table in enumerate(tables(path, "level", faults), start=1):
        where = f"{path.name}: level {number} ({table.get('level', '?')})"
        taken = take(table, _LEVEL_KEYS, where, faults)
        check_choice(taken["level"], LEVELS, f"{where}: `level`", faults)
        if (taken["file"] is None) == (taken["dissolve"] is None):
            faults.append(f"{where}: give either `file` or `dissolve`")
        check_frame_name(taken["frame"], where, faults)
        columns = _level_columns(taken["columns"], where, faults)
        if taken["file"] is not None:
            taken["file"] = existing_file(root / taken["file"], where, faults)
            if taken["level"] != LEVELS[0] and "code" not in columns:
                faults.append(f"{where}: [level.columns] must name `code`")
        levels.append(LevelFile(**{**taken, "columns": columns}))
    named = [level.level for level in levels]
    if len(set(named)) != len(named):
        faults.append(f"{path.name}: a level is given twice")
    if levels and LEVELS[0] not in named:
        faults.append(f"{path.name}: the level `city` is missing")
    for level in levels:
        if level.dissolve is not None:
            _check_dissolve(level, levels, path.name, faults)
    known = [level for level in levels if level.level in LEVELS]
    return tuple(sorted(known, key=lambda level: LEVELS.index(level.level)))


def _check_dissolve(
    level: LevelFile, levels: list[LevelFile], where: str, faults: list[str]
) -> None:
    if level.level not in LEVELS:
        return
    depth = LEVELS.index(level.level)
    below = [other.level for other in levels if other.level in LEVELS[depth + 1 :]]
    nearest = min(below, key=LEVELS.index, default=None)
    if level.dissolve != nearest:
        faults.append(f"{where}: {level.level} can only be dissolved from {nearest}")


def _level_columns(columns: Mapping[str, Any], where: str, faults: list[str]) -> dict[str, Theirs]:
    taken: dict[str, Theirs] = {}
    for ours, theirs in columns.items():
        names = [theirs] if isinstance(theirs, str) else theirs
        if ours not in LEVEL_COLUMNS:
            faults.append(f"{where}: unknown column `{ours}`; known: {', '.join(LEVEL_COLUMNS)}")
        elif not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            faults.append(f"{where}: column `{ours}` must be a name or a list of names")
        else:
            taken[ours] = tuple(names)
    return taken


def _read_sources(
    path: Path, root: Path, categories: tuple[Category, ...], faults: list[str]
) -> tuple[Source, ...]:
    sources = []
    for number, table in enumerate(tables(path, "source", faults), start=1):
        where = f"{path.name}: source {number} ({table.get('name', '?')})"
        # One published column may stand as a single table.
        published = table.get("published", [])
        single = {"published": [published]} if isinstance(published, dict) else {}
        taken = take({**table, **single}, _SOURCE_KEYS, where, faults)
        taken["files"] = tuple(
            existing_file(root / str(name), where, faults) for name in taken["files"]
        )
        _check_source(taken, {category.code for category in categories}, where, faults)
        taken["published"] = tuple(
            Published(**take(entry, _PUBLISHED_KEYS, f"{where}: published", faults))
            for entry in taken["published"]
        )
        for entry in taken["published"]:
            check_choice(entry.level, LEVELS, f"{where}: published: `level`", faults)
        sources.append(Source(**taken))
    names = [source.name for source in sources]
    if len(set(names)) != len(names):
        faults.append(f"{path.name}: a source name is given twice")
    return tuple(sources)


def _check_source(source: dict[str, Any], codes: set[str], where: str, faults: list[str]) -> None:
    check_choice(source["format"], FORMATS, f"{where}: `format`", faults)
    check_choice(source["origin"], ORIGINS, f"{where}: `origin`", faults)
    check_choice(source["rows_without_id"], WITHOUT_ID, f"{where}: `rows_without_id`", faults)
    check_zone(source["time_zone"], where, faults)
    check_frame_name(source["frame"], where, faults)
    columns = source["columns"]
    for ours, theirs in columns.items():
        if ours not in SOURCE_COLUMNS:
            faults.append(f"{where}: unknown column `{ours}`; known: {', '.join(SOURCE_COLUMNS)}")
        elif not isinstance(theirs, str):
            faults.append(f"{where}: column `{ours}` must be a name")
    for needed in ("occurred_at", "category"):
        if needed not in columns:
            faults.append(f"{where}: [source.columns] must name `{needed}`")
    if ("lng" in columns) != ("lat" in columns):
        faults.append(f"{where}: [source.columns] must name both `lng` and `lat`, or neither")
    unknown = sorted({str(code) for code in source["category_codes"].values()} - codes)
    if unknown:
        faults.append(f"{where}: category codes {unknown[:5]} are not in categories.csv")
    if any(level not in SEVERITIES for level in source["severity_codes"].values()):
        faults.append(f"{where}: severity codes must be 1 to 4")


def _read_categories(path: Path, faults: list[str]) -> tuple[Category, ...]:
    with path.open(encoding="utf-8-sig", newline="") as stream:
        reader = csv.DictReader(stream)
        if reader.fieldnames != _CATEGORY_HEADER:
            faults.append(f"{path.name}: the header must be {','.join(_CATEGORY_HEADER)}")
            return ()
        categories = tuple(
            Category(row["code"], row["parent_code"] or None, row["name_zh"], row["name_en"])
            for row in reader
        )
    parents = {category.code: category.parent_code for category in categories}
    if len(parents) != len(categories):
        faults.append(f"{path.name}: a code is given twice")
    for category in categories:
        if not (category.code and category.name_zh and category.name_en):
            faults.append(f"{path.name}: {category.code or 'a row'} lacks its code or a name")
        above = category.parent_code
        if above is not None and (above not in parents or parents[above] is not None):
            faults.append(f"{path.name}: {category.code} has parent {above}, no top category")
    return categories

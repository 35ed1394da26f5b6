"""
City folders: `city.toml`, `areas.toml`, `categories.csv` and `sources/*.toml`, read strictly.

A folder says everything that differs between two cities. It is checked as a whole: every unknown
key, missing file and wrong value is reported at once, in the words of the file.
"""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

from data.privacy import Privacy, read_privacy
from data.refusals import forbidden_category
from data.source import SOURCES_FOLDER, Source, read_source, source_files
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
Theirs = tuple[str, ...]
"""Columns of a file whose values, joined by `-`, are one value of ours."""

FILES: Final = ("city.toml", "areas.toml", "categories.csv")
HOME_MARK: Final = "@home"
EXPOSURES: Final = ("population", "households", "area_km2")
LEVEL_COLUMNS: Final = (
    "code", "name", "name_en", "parent_code", "population", "households", "valid_from", "valid_to",
)  # fmt: skip
CODE_LIST_COLUMNS: Final = ("code", "name", "name_en", "parent_code")
_CATEGORY_HEADER: Final = ["code", "parent_code", "name_zh", "name_en"]


class CityError(ValueError):
    """A city folder cannot be used; the message lists every fault, one a line."""


@dataclass(frozen=True)
class CodeList:
    """
    CSV list of the areas that exist, with or without a polygon.

    `columns` is as in `LevelFile`, without ledgers and dates; only codes that start with `prefix`
    are of this city.
    """

    file: Path
    prefix: str
    columns: Mapping[str, Theirs]


@dataclass(frozen=True)
class LevelFile:
    """
    Where the areas of one level come from.

    `file` holds its polygons, or `dissolve` names the lower level whose polygons are joined by
    their parent codes; `columns` then names columns of that level's file. With `numeric_codes`
    leading zeros of codes do not count. Areas that only the list `codes` names have no polygon.
    """

    level: Level
    name_zh: str
    name_en: str
    file: Path | None
    dissolve: Level | None
    frame: str
    numeric_codes: bool
    columns: Mapping[str, Theirs]
    codes: CodeList | None = None


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
    code_patterns: Mapping[str, str]
    levels: tuple[LevelFile, ...]
    sources: tuple[Source, ...]
    categories: tuple[Category, ...]
    privacy: Privacy = Privacy()

    @property
    def config_hash(self) -> str:
        """Sixteen hexadecimal digits of what the folder's own files say of the tables."""
        return folder_hash(self.folder)

    @property
    def input_files(self) -> list[Path]:
        """Every file with areas or incidents, each once, in order."""
        files = [level.file for level in self.levels if level.file is not None]
        files += [level.codes.file for level in self.levels if level.codes is not None]
        files += [file for source in self.sources for file in source.files]
        return list(dict.fromkeys(files))


def folder_hash(folder: Path) -> str:
    """
    Sixteen hexadecimal digits of the content of a city folder's own files.

    The table `[privacy]` is left out: it decides about releases to come, and nothing that was
    counted before follows from it.
    """
    digest = hashlib.sha256()
    for path in [*(folder / name for name in FILES), *source_files(folder)]:
        content = path.read_bytes()
        if path.name == FILES[0]:
            content = _PRIVACY_TABLE.sub(b"", content)
        digest.update(path.name.encode() + b"\0" + content + b"\0")
    return digest.hexdigest()[:16]


_PRIVACY_TABLE: Final = re.compile(
    rb"^[ \t]*\[privacy\].*?(?=^[ \t]*\[|\Z)", re.MULTILINE | re.DOTALL
)
"""The table's heading and everything up to the next heading."""


def read_city_code(folder: Path) -> str:
    """
    Code of the city that a folder describes; nothing else is checked.

    Raises
    ------
    CityError
        There is none.
    """
    faults: list[str] = []
    code = parse_toml(folder / "city.toml", faults).get("code")
    if not isinstance(code, str):
        raise CityError(f"city folder {folder}: city.toml gives no `code`")
    return code


def read_city(folder: Path, *, home: Path) -> City:
    """
    Read and check a city folder.

    Parameters
    ----------
    folder
        Holds the three files and the folder `sources`.
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
    codes = frozenset(category.code for category in categories)
    city["privacy"] = read_privacy(city["privacy"], codes, "city.toml", faults)
    sources = tuple(
        read_source(path, root=root, known_categories=codes, faults=faults)
        for path in source_files(folder)
    )
    if not sources:
        faults.append(f"{SOURCES_FOLDER}/: holds no source (*.toml)")
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
    "code_patterns": (dict, {}),
    "privacy": (dict, {}),
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
    "codes": (dict, None),
}
_CODES_KEYS: Final[Keys] = {
    "file": (str, REQUIRED),
    "prefix": (str, ""),
    "columns": (dict, REQUIRED),
}


def _read_table(path: Path, keys: Keys, faults: list[str]) -> dict[str, Any]:
    return take(parse_toml(path, faults), keys, path.name, faults)


def data_root(folder: Path, *, home: Path) -> Path:
    """Folder that the file names of a city folder are relative to; the folder was read before."""
    told = parse_toml(folder / FILES[0], [])
    return _data_root(folder, str(told.get("data_root", ".")), home=home)


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
        if taken["codes"] is not None:
            taken["codes"] = _read_code_list(taken["codes"], root, where, faults)
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


def _read_code_list(
    table: Mapping[str, Any], root: Path, where: str, faults: list[str]
) -> CodeList:
    where = f"{where}: codes"
    taken = take(table, _CODES_KEYS, where, faults)
    columns = _level_columns(taken["columns"], where, faults)
    unusable = sorted(set(columns) - set(CODE_LIST_COLUMNS))
    if unusable or "code" not in columns:
        faults.append(
            f"{where}: [level.codes.columns] must name `code` and may name "
            f"{', '.join(CODE_LIST_COLUMNS[1:])}"
        )
    file = existing_file(root / taken["file"], where, faults)
    return CodeList(file=file, prefix=taken["prefix"], columns=columns)


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
        if forbidden_category(category.name_zh, category.name_en):
            faults.append(
                f"{path.name}: {category.code} ({category.name_zh}, {category.name_en}) is of a "
                "class that is refused (docs/code-books.md); leave it out"
            )
        above = category.parent_code
        if above is not None and (above not in parents or parents[above] is not None):
            faults.append(f"{path.name}: {category.code} has parent {above}, no top category")
    return categories

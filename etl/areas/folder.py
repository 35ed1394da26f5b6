"""
The areas of a city folder while it is being filled: levels read so far, and writing one more.

`data.city.read_city` wants a whole folder; a boundary import meets folders that still lack levels
and sources, so it reads `areas.toml` by itself and looks at the levels that have a file.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import shapely

from data.city import HOME_MARK
from data.tables import parse_toml
from data.writer import replace_text, sync
from etl.areas.checks import Parents
from etl.areas.codes import PATTERNS
from etl.areas.read import COLUMNS, read_areas
from etl.areas.recut import valid_on
from geo import divisions

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping
    from pathlib import Path

    import geopandas as gpd

AREAS: Final = "areas.toml"
_STORE: Final = "areas"
_MARK: Final = "[[level]]"
_NAMES: Final = {
    "city": ("全市", "City"),
    "county": ("区县", "County"),
    "township": ("乡镇街道", "Township"),
    "community": ("社区村", "Community"),
    "grid": ("网格", "Grid"),
}


class AreaFolderError(ValueError):
    """A city folder that cannot take or give areas; the message names the file."""


@dataclass(frozen=True)
class AreaFolder:
    """
    A city folder as far as its areas go.

    `root` is the data root; `code` the city's; `patterns` its own code forms by level; `levels`
    the tables of `areas.toml` as they stand there, by level.
    """

    folder: Path
    root: Path
    code: str
    patterns: Mapping[str, str]
    levels: Mapping[str, Mapping[str, Any]]

    def pattern(self, level: str) -> str | None:
        """Form of a level's codes; None where neither the city nor the standard has one."""
        if level in self.patterns:
            return self.patterns[level]
        official = len(self.code) == len("620100") and self.code.isdigit()
        return PATTERNS[level] if official else None

    def edition(self, level: str) -> gpd.GeoDataFrame | None:
        """Rows of every validity of a level, None where the level has no file."""
        table = self.levels.get(level, {})
        if not table.get("file"):
            return None
        columns = {
            ours: (theirs,) if isinstance(theirs, str) else tuple(theirs)
            for ours, theirs in table.get("columns", {}).items()
            if ours in COLUMNS
        }
        frame = table.get("frame", "EPSG:4326")
        rows = read_areas(self.root / table["file"], columns=columns, frame=frame).rows
        if level == divisions.LEVELS[0] and "code" not in columns:
            rows["code"] = self.code
        return self.with_plain_codes(rows, level)

    def with_plain_codes(self, rows: gpd.GeoDataFrame, level: str) -> gpd.GeoDataFrame:
        """Rows without the leading zeros of their codes, where the level's do not count."""
        if not self.levels.get(level, {}).get("numeric_codes", False):
            return rows
        plain = {
            name: [code if code is None else code.lstrip("0") or "0" for code in rows[name]]
            for name in ("code", "parent_code")
        }
        return rows.assign(**{name: np.array(codes, dtype=object) for name, codes in plain.items()})

    def parents(self, level: str, day: dt.date | None) -> Parents | None:
        """Areas of the level above that are valid on a day; None where there is no file."""
        # A level that is joined from this one says nothing against it.
        upper = divisions.previous_level(self.levels, level)
        rows = None if upper is None else self.edition(upper)
        if upper is None or rows is None:
            return None
        current = valid_on(rows, day).drop_duplicates("code")
        return Parents(upper, current["code"].to_numpy(), current.geometry.to_numpy())

    def outline(self, level: str) -> shapely.Geometry | None:
        """Polygon of the city, from the highest level that has a file, above `level`."""
        above = divisions.LEVELS[: divisions.LEVELS.index(divisions.check_level(level))]
        for name in above:
            rows = self.edition(name)
            if rows is not None:
                return shapely.union_all(valid_on(rows, None).geometry.to_numpy())
        return None


def read_folder(folder: Path, *, home: Path) -> AreaFolder:
    """
    Read what a city folder says of its areas.

    Parameters
    ----------
    folder
        Has a `city.toml`; `areas.toml` may be missing.
    home
        What `@home` in `data_root` stands for.

    Raises
    ------
    AreaFolderError
        A file is missing or is no TOML.
    """
    if not (folder / "city.toml").is_file():
        raise AreaFolderError(f"city folder {folder} lacks city.toml")
    faults: list[str] = []
    city = parse_toml(folder / "city.toml", faults)
    path = folder / AREAS
    areas = parse_toml(path, faults) if path.is_file() else {}
    if faults:
        raise AreaFolderError("; ".join(faults))
    written = str(city.get("data_root", "."))
    root = (folder / written).resolve()
    if written == HOME_MARK or written.startswith(HOME_MARK + "/"):
        root = home / written[len(HOME_MARK) :].lstrip("/")
    return AreaFolder(
        folder=folder,
        root=root,
        code=str(city.get("code", "")),
        patterns=city.get("code_patterns", {}),
        levels={str(table.get("level")): table for table in areas.get("level", [])},
    )


def store_level(city: AreaFolder, level: str, rows: gpd.GeoDataFrame) -> str:
    """
    Write a level's areas and let `areas.toml` name them.

    The new file gets a name of its own; the one replace of `areas.toml` makes it the city's, so
    that a reader finds the old areas or the new ones. The file before stays where it is.

    Returns
    -------
    file
        The level's file, relative to the data root.
    """
    told = [column for column in COLUMNS if rows[column].notna().any()]
    content = io.BytesIO()
    rows[[*told, "geometry"]].to_parquet(
        content, index=False, compression="zstd", write_page_checksum=True
    )
    digest = hashlib.sha256(content.getvalue()).hexdigest()[:8]
    file = f"{_STORE}/{level}-{digest}.parquet"
    _write_bytes(city.root / file, content.getvalue())
    block = _block(level, city.levels.get(level, {}), file, told)
    path = city.folder / AREAS
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    replace_text(path, _with_block(text, level, block))
    return file


def _write_bytes(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    waiting = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        waiting.write_bytes(content)
        sync(waiting)
        waiting.replace(path)
    finally:
        waiting.unlink(missing_ok=True)
    sync(path.parent)


def _block(level: str, table: Mapping[str, Any], file: str, columns: list[str]) -> str:
    name_zh, name_en = _NAMES[level]
    values = {
        "level": level,
        "name_zh": table.get("name_zh", name_zh),
        "name_en": table.get("name_en", name_en),
        "file": file,
        "frame": "EPSG:4326",
        **({"numeric_codes": True} if table.get("numeric_codes") else {}),
    }
    # JSON strings and booleans are TOML, too.
    lines = [f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in values.items()]
    named = [f'{column} = "{column}"' for column in columns]
    return "\n".join([_MARK, *lines, "[level.columns]", *named]) + "\n"


def _with_block(text: str, level: str, block: str) -> str:
    """Replace the level's table in the text of `areas.toml`, or add it at the end."""
    lines = text.splitlines(keepends=True)
    marks = np.array([line.strip().startswith(_MARK) for line in lines], dtype=bool)
    starts = [*np.flatnonzero(marks).tolist(), len(lines)]
    tables = ["".join(lines[a:b]) for a, b in pairwise(starts)]
    head = "".join(lines[: starts[0]])
    own = [_names_level(table, level) for table in tables]
    if not any(own):
        return head + "".join(tables).rstrip("\n") + ("\n\n" if tables else "") + block
    last = len(tables) - 1
    fresh = [
        block + ("" if place == last else "\n") if is_own else table
        for place, (table, is_own) in enumerate(zip(tables, own, strict=True))
    ]
    return head + "".join(fresh)


def _names_level(table: str, level: str) -> bool:
    named = [line for line in table.splitlines() if line.replace(" ", "").startswith("level=")]
    return any(line.split("=", 1)[1].split("#")[0].strip(" \"'") == level for line in named)

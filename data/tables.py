"""
Strict reading of TOML tables: known keys of known types, every fault gathered in one list.

Each function appends what it finds wrong to `faults`, in the words of the file, and returns
something usable, so that one reading finds all faults.
"""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

from geo.crs import CrsError, check_frame

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

REQUIRED: Final = object()
"""Default of a key that must be given."""

Keys = dict[str, tuple[type | tuple[type, ...], Any]]
"""Key to its type and default."""


def parse_toml(path: Path, faults: list[str]) -> dict[str, Any]:
    """Content of a TOML file; empty where it is none."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        faults.append(f"{path.name}: is no TOML: {error}")
        return {}


def take(
    table: Mapping[str, Any],
    keys: Keys,
    where: str,
    faults: list[str],
) -> dict[str, Any]:
    """Known keys of a TOML table with their defaults; everything odd goes into `faults`."""
    for key in table:
        if key not in keys:
            faults.append(f"{where}: unknown key `{key}`; known are {', '.join(keys)}")
    taken: dict[str, Any] = {}
    for key, (kind, default) in keys.items():
        kinds = kind if isinstance(kind, tuple) else (kind,)
        empty = kinds[0]() if default is REQUIRED else default
        if key not in table:
            if default is REQUIRED:
                faults.append(f"{where}: `{key}` is missing")
            taken[key] = empty
        elif not isinstance(table[key], kinds) or (int in kinds and isinstance(table[key], bool)):
            names = " or ".join(one.__name__ for one in kinds)
            faults.append(f"{where}: `{key}` must be of type {names}")
            taken[key] = empty
        else:
            taken[key] = table[key]
    return taken


def tables(path: Path, key: str, faults: list[str]) -> list[dict[str, Any]]:
    """List the `[[key]]` tables of a file, the only thing that it may hold."""
    content = parse_toml(path, faults)
    for other in content:
        if other != key:
            faults.append(f"{path.name}: unknown key `{other}`; known is [[{key}]]")
    tables = content.get(key, [])
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        faults.append(f"{path.name}: write [[{key}]] before each table")
        return []
    if not tables:
        faults.append(f"{path.name}: holds no [[{key}]]")
    return tables


def check_choice(value: str, choices: tuple[str, ...], what: str, faults: list[str]) -> None:
    """A value must be one of the choices."""
    if value not in choices:
        faults.append(f"{what} is {value!r}; write one of {', '.join(choices)}")


def check_zone(name: str, where: str, faults: list[str]) -> None:
    """A time zone must be in the IANA database."""
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        faults.append(f"{where}: time zone {name!r} is unknown")


def check_frame_name(frame: str, where: str, faults: list[str]) -> None:
    """A frame must be one that `geo.crs` converts."""
    try:
        check_frame(frame)
    except CrsError as error:
        faults.append(f"{where}: {error}")


def existing_file(path: Path, where: str, faults: list[str]) -> Path:
    """The path, whose file must exist."""
    if not path.is_file():
        faults.append(f"{where}: file {path} does not exist")
    return path

"""
Registers of a city folder: one TOML file in `registers/` per list of facilities, posts or patrols.

A register is the whole list as it stands: what its files no longer hold is gone. As with sources,
only the columns that the file names are ever read; there is none for a name or a remark.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from data.city import CityError, data_root
from data.resources.kinds import facility_kinds, resource_kinds
from data.source import Source
from data.tables import (
    REQUIRED,
    Keys,
    check_choice,
    check_frame_name,
    check_zone,
    existing_file,
    parse_toml,
    take,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from data.city import City

FOLDER: Final = "registers"
FACILITIES, POSTS, PATROLS = "facilities", "posts", "patrols"
HOLDS: Final = (FACILITIES, POSTS, PATROLS)
FORMATS: Final = ("csv", "tsv", "xlsx", "geojson")
STATUSES: Final = ("active", "removed")

COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    FACILITIES: (
        "id", "kind", "area_code", "lng", "lat", "cycle_days", "last_inspected", "status",
    ),
    POSTS: ("id", "kind", "area_code", "lng", "lat", "status"),
    PATROLS: ("area_code", "week", "visits"),
}  # fmt: skip
NEEDED: Final[Mapping[str, tuple[str, ...]]] = {
    FACILITIES: ("id", "kind", "last_inspected"),
    POSTS: ("id", "kind"),
    PATROLS: ("area_code", "week", "visits"),
}
_AS_READ: Final = {
    "id": "incident_id", "kind": "category", "last_inspected": "occurred_at", "week": "occurred_at",
}  # fmt: skip
"""Names under which the readers of ledgers know such columns."""

_KEYS: Final[Keys] = {
    "title_zh": (str, REQUIRED),
    "title_en": (str, REQUIRED),
    "holds": (str, REQUIRED),
    "files": (list, REQUIRED),
    "format": (str, REQUIRED),
    "sheet": (str, ""),
    "time_zone": (str, REQUIRED),
    "time_format": ((str, list), "%Y-%m-%d"),
    "frame": (str, "WGS84"),
    "numeric_codes": (bool, False),
    "columns": (dict, REQUIRED),
    "kind_codes": (dict, {}),
    "cycle_days": (dict, {}),
    "status_codes": (dict, {}),
}


class RegisterError(CityError):
    """A register of the city folder cannot be used; the message lists every fault, one a line."""


@dataclass(frozen=True)
class Register:
    """
    One register.

    Attributes
    ----------
    holds
        `facilities`, `posts` or `patrols`.
    kind_codes, status_codes
        Theirs = ours; empty = theirs are ours.
    cycle_days
        Days between inspections by kind (ours), where a row tells none.
    source
        What the readers of files are told.
    """

    name: str
    title_zh: str
    title_en: str
    holds: str
    files: tuple[Path, ...]
    kind_codes: Mapping[str, str]
    cycle_days: Mapping[str, int]
    status_codes: Mapping[str, str]
    source: Source

    @property
    def is_of_points(self) -> bool:
        """Whether its rows lie somewhere, rather than counting visits of an area."""
        return self.holds != PATROLS


def read_registers(city: City, *, home: Path) -> tuple[Register, ...]:
    """
    Read the registers of a city; none where it has no such folder.

    Raises
    ------
    RegisterError
        With every fault of every file.
    """
    faults: list[str] = []
    root = data_root(city.folder, home=home)
    found = [_read(path, root, faults) for path in register_files(city.folder)]
    if faults:
        raise RegisterError("\n".join(faults))
    return tuple(found)


def register_files(folder: Path) -> list[Path]:
    """List the register files of a city folder, sorted by name."""
    return sorted((folder / FOLDER).glob("*.toml"))


def inputs_digest(registers: Sequence[Register], folder: Path, *told: str) -> str:
    """
    Sixteen hexadecimal digits of what the tables follow from; "" without any register.

    Parameters
    ----------
    told
        What else they follow from, such as the day.
    """
    if not registers:
        return ""
    digest = hashlib.sha256("\0".join(told).encode())
    for path in [*register_files(folder), *(file for one in registers for file in one.files)]:
        digest.update(path.name.encode() + b"\0")
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:16]


def _read(path: Path, root: Path, faults: list[str]) -> Register:
    where = f"{FOLDER}/{path.name}"
    taken = take(parse_toml(path, faults), _KEYS, where, faults)
    check_choice(taken["holds"], HOLDS, f"{where}: `holds`", faults)
    check_choice(taken["format"], FORMATS, f"{where}: `format`", faults)
    check_zone(taken["time_zone"], where, faults)
    check_frame_name(taken["frame"], where, faults)
    files = _files(taken["files"], root, where, faults)
    holds = taken["holds"] if taken["holds"] in HOLDS else FACILITIES
    _check_columns(taken["columns"], holds, where, faults)
    _check_codes(taken, holds, where, faults)
    return Register(
        name=path.stem,
        title_zh=taken["title_zh"],
        title_en=taken["title_en"],
        holds=holds,
        files=files,
        kind_codes=taken["kind_codes"],
        cycle_days=taken["cycle_days"],
        status_codes=taken["status_codes"],
        source=_source(path.stem, taken, files),
    )


def _files(patterns: list[Any], root: Path, where: str, faults: list[str]) -> tuple[Path, ...]:
    found: list[Path] = []
    for pattern in map(str, patterns):
        if any(mark in pattern for mark in "*?["):
            found += sorted(path for path in root.glob(pattern) if path.is_file())
        else:
            found.append(existing_file(root / pattern, where, faults))
    return tuple(dict.fromkeys(found))


def _check_columns(columns: Mapping[str, Any], holds: str, where: str, faults: list[str]) -> None:
    for ours, theirs in columns.items():
        if ours not in COLUMNS[holds]:
            known = ", ".join(COLUMNS[holds])
            faults.append(f"{where}: unknown column `{ours}`; known: {known}")
        elif not isinstance(theirs, str):
            faults.append(f"{where}: column `{ours}` must be a name")
    faults += [
        f"{where}: [columns] must name `{needed}`"
        for needed in NEEDED[holds]
        if needed not in columns
    ]
    if ("lng" in columns) != ("lat" in columns):
        faults.append(f"{where}: [columns] must name both `lng` and `lat`, or neither")


def _check_codes(taken: Mapping[str, Any], holds: str, where: str, faults: list[str]) -> None:
    known = facility_kinds() if holds == FACILITIES else resource_kinds()
    for table, codes in (
        ("kind_codes", list(taken["kind_codes"].values())),
        ("cycle_days", list(taken["cycle_days"])),
    ):
        wrong = [str(code) for code in codes if code not in known]
        if wrong:
            faults.append(f"{where}: {table}: {wrong[:5]} are none of {', '.join(known)}")
    days = taken["cycle_days"].values()
    if not all(isinstance(one, int) and not isinstance(one, bool) and one > 0 for one in days):
        faults.append(f"{where}: cycle_days must be whole days, 1 or more")
    wrong = [str(code) for code in taken["status_codes"].values() if code not in STATUSES]
    if wrong:
        faults.append(f"{where}: status_codes: {wrong[:5]} are none of {', '.join(STATUSES)}")


def _source(name: str, taken: Mapping[str, Any], files: tuple[Path, ...]) -> Source:
    formats = taken["time_format"]
    none: dict[str, Any] = {}
    return Source(
        name=name,
        title_zh=taken["title_zh"],
        title_en=taken["title_en"],
        files=files,
        watch=None,
        sql=None,
        push=False,
        kafka=None,
        format=taken["format"],
        sheet=taken["sheet"],
        aliases=None,
        time_zone=taken["time_zone"],
        time_format=(formats,) if isinstance(formats, str) else tuple(map(str, formats)),
        frame=taken["frame"],
        channel="register",
        origin="reported",
        rows_without_id="refuse",
        numeric_codes=taken["numeric_codes"],
        point_precision="address",
        columns={_AS_READ.get(ours, ours): theirs for ours, theirs in taken["columns"].items()},
        category_book="",
        category_codes=none,
        severity_codes=none,
        scale_codes=none,
        status_codes=none,
        outcome_codes=none,
        precision_codes=none,
        published=(),
    )

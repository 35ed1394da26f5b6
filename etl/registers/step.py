"""
The step of the pipeline: registers of the city folder → tables of the snapshot.

All of them or none: where one file cannot be read, the tables of the snapshot before are kept with
their day, so that a broken export neither closes nor opens anything.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

import pandas as pd

from data.resources.registers import (
    FACILITIES,
    PATROLS,
    POSTS,
    inputs_digest,
    read_registers,
)
from data.resources.tables import RESOURCE_TABLES
from etl.clean import Ground
from etl.registers import tables
from etl.registers.clean import clean_facilities, clean_patrols
from etl.registers.current import account, current_counts, current_points, without_repeats
from etl.registers.read import read_file
from etl.sources import SourceError

if TYPE_CHECKING:
    import datetime as dt
    from pathlib import Path

    from data.city import City
    from data.resources.registers import Register
    from data.writer import SnapshotWriter
    from etl.boundaries import Boundaries
    from etl.publish import Edition

RULES: Final = "1"
"""Raised when the same files give other tables."""

ENTRY: Final = "registers"
"""Key of the manifest."""

_POINTS: Final = [
    "register", "file", "row", "order", "id", "kind", "is_removed", "lng", "lat", "area_code",
]  # fmt: skip
_COLUMNS: Final = {
    FACILITIES: [*_POINTS, "cycle_days", "last_inspected"],
    POSTS: _POINTS,
    PATROLS: ["register", "file", "row", "order", "area_code", "day", "visits"],
}


@dataclass(frozen=True)
class _Rows:
    """Good rows by what the registers hold, refused ones, and how many each file has."""

    good: dict[str, pd.DataFrame]
    refused: pd.DataFrame
    read: list[dict[str, Any]]


def inputs_version(city: City, home: Path, now: dt.datetime) -> str:
    """
    Sixteen hexadecimal digits of the registers, their files and the day; "" without any.

    Raises
    ------
    RegisterError
        A register cannot be used.
    """
    found = read_registers(city, home=home)
    return inputs_digest(found, city.folder, RULES, _today(city, now).isoformat())


def write_registers(edition: Edition, writer: SnapshotWriter) -> dict[str, Any]:
    """
    Write the tables of the registers, or name those of the parent again.

    What was known on an earlier day is not told: registers keep no history.

    Returns
    -------
    entry
        For the manifest: `inputs`, `as_of`, `registers`, `rows`, and `failed`, file to reason.
        Empty without any register.

    Raises
    ------
    RegisterError
        A register of the city folder cannot be used.
    """
    epoch = edition.epoch
    found = () if edition.as_of else read_registers(epoch.city, home=epoch.home)
    if not found:
        return {}
    day = _today(epoch.city, edition.now)
    inputs = inputs_digest(found, epoch.city.folder, RULES, day.isoformat())
    parent = (edition.parent or {}).get(ENTRY, {})
    kept = [entry for entry in edition.kept if entry["table"] in RESOURCE_TABLES]
    if kept and parent.get("inputs") == inputs:
        return _keep(writer, kept, parent)
    rows, failed = _read_all(found, epoch.boundaries, day)
    if failed:
        before = _keep(writer, kept, parent) if kept else {"registers": [], "rows": {}}
        return before | {"inputs": inputs, "failed": failed}
    named = [
        {"name": one.name, "holds": one.holds, "title_zh": one.title_zh, "title_en": one.title_en}
        for one in found
    ]
    facts = {"inputs": inputs, "as_of": day.isoformat(), "registers": named, "failed": {}}
    return facts | {"rows": _write(writer, rows, epoch.boundaries, day)}


def _today(city: City, now: dt.datetime) -> dt.date:
    return city.as_of or now.astimezone(ZoneInfo(city.time_zone)).date()


def _keep(
    writer: SnapshotWriter, kept: list[dict[str, Any]], parent: dict[str, Any]
) -> dict[str, Any]:
    for entry in kept:
        writer.keep(entry)
    return dict(parent)


def _read_all(
    found: tuple[Register, ...], built: Boundaries, day: dt.date
) -> tuple[_Rows, dict[str, str]]:
    """Clean rows of all files, and the reasons why some could not be read."""
    good: dict[str, list[pd.DataFrame]] = {holds: [] for holds in _COLUMNS}
    refused, read, failed = [], [], {}
    for register in found:
        for path in register.files:
            try:
                raw = read_file(register, path)
            except SourceError as error:
                failed[f"{register.name}: {path.name}"] = str(error)
                continue
            cleaned = _clean(register, raw, built, day)
            place = {"register": register.name, "file": path.name}
            good[register.holds].append(cleaned.rows.assign(**place))
            refused.append(cleaned.refused.assign(**place))
            read.append(place | {"read": len(raw)})
    joined = {holds: _joined(parts, _COLUMNS[holds]) for holds, parts in good.items()}
    none = ["register", "file", "row", "reason", "field"]
    return _Rows(joined, _joined(refused, none), read), failed


def _clean(register: Register, raw: pd.DataFrame, built: Boundaries, day: dt.date) -> Any:
    if register.is_of_points:
        ground = Ground(built.limits, built.codes, None)
        return clean_facilities(raw, register, ground=ground, last_day=day)
    lowest = built.level_areas(built.levels[-1])
    return clean_patrols(raw, register, codes=frozenset(lowest["code"]), last_day=day)


def _joined(parts: list[pd.DataFrame], columns: list[str]) -> pd.DataFrame:
    filled = [part for part in parts if len(part)]
    if not filled:
        return pd.DataFrame(columns=columns)
    rows = pd.concat(filled, ignore_index=True)
    return rows.assign(order=range(len(rows))).reindex(columns=columns)


def _write(writer: SnapshotWriter, rows: _Rows, built: Boundaries, day: dt.date) -> dict[str, int]:
    """Write what there is; a table without any row is left out, as it says nothing."""
    new = {holds: without_repeats(found) for holds, found in rows.good.items()}
    now = {holds: current_points(new[holds]) for holds in (FACILITIES, POSTS) if len(new[holds])}
    visits = current_counts(new[PATROLS]) if len(new[PATROLS]) else new[PATROLS]
    if len(now.get(FACILITIES, ())):
        stored = tables.facilities(now[FACILITIES], built, day)
        writer.add_table("facilities", stored)
        writer.add_table("facilities_due", tables.facilities_due(stored, built.areas, day))
    if len(now.get(POSTS, ())):
        writer.add_table("resources", tables.posts(now[POSTS], built, day))
    if len(visits):
        writer.add_table("patrol_coverage", tables.patrol_coverage(visits, built))
    current = len(visits) + sum(map(len, now.values()))
    place = ["register", "file"]
    told = pd.concat([found[place] for found in new.values()], ignore_index=True)
    accounts = account(rows.read, told, rows.refused)
    writer.add_table("register_accounts", accounts)
    writer.add_table("register_quarantine", rows.refused)
    sums = {name: int(accounts[name].sum()) for name in accounts if name not in place}
    return sums | {"current": current, "replaced": sums["accepted"] - current}

"""Controls of personal data: which columns may be read, and what the stored files hold."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from data import personal
from data.city import CityError, read_city
from data.manifest import SnapshotError
from data.store import Store
from etl import demo
from etl.compliance.control import DEMO, Control, Installed, judged, listed

if TYPE_CHECKING:
    from collections.abc import Iterable

PERSONS: Final = "GB/T 22239-2019 8.1.4.11 个人信息保护; PIPL art. 6, 73 (4)"

NEWEST: Final = 12
"""Files of each kind that are looked into, the newest ones."""
MOST_ROWS: Final = 65_536
"""Rows of each file that are looked into."""

_COLUMNS: Final = ("columns that may be read", f"{PERSONS}; GB/T 37964-2019 3.5")
_STORED: Final = ("no personal numbers stored", PERSONS)
_TEXT_TABLES: Final = ("areas", "categories", "accounts", "quarantine", "matches")
_SHOWN: Final = 5


def controls(installed: Installed) -> list[Control]:
    """Judge every control of personal data."""
    return [_columns(installed), _stored(installed.settings.home)]


def _columns(installed: Installed) -> Control:
    """The allow-lists of the city's sources must name no column about persons."""
    folder = installed.settings.city
    if not folder and not installed.is_demo:
        told = "PINGAN_CITY names no city folder; set it and run this again"
        return Control(*_COLUMNS, "by hand", told)
    try:
        city = read_city(Path(folder or demo.city_folder()), home=installed.settings.home)
    except CityError as error:
        if folder:
            return Control(*_COLUMNS, "fail", " ".join(str(error).split()))
        return Control(*_COLUMNS, "not applicable", f"{DEMO}; the demo city is not made yet")
    faults = [
        f"source {source.name} reads {listed(found)}; take them out of [columns]"
        for source in city.sources
        if (found := personal.personal_columns(list(source.allowed.values())))
    ]
    count = sum(len(source.allowed) for source in city.sources)
    good = f"{count} columns of {len(city.sources)} sources, none of persons; no other is read"
    return judged(*_COLUMNS, faults, good)


def _stored(home: Path) -> Control:
    looks = [(path, _landed) for path in _newest((home / "landed").rglob("*.parquet"))]
    looks += [(path, _texts) for path in _newest((home / "incidents").rglob("*.parquet"))]
    looks += [(path, _texts) for path in _published(home)]
    if not looks:
        return Control(*_STORED, "not applicable", "nothing is stored yet")
    faults: list[str] = []
    rows = 0
    for path, look in looks:
        try:
            table = _first_rows(path)
        except (OSError, pa.ArrowException) as error:
            faults.append(f"{path.relative_to(home)} cannot be read ({type(error).__name__})")
            continue
        rows += len(table)
        faults += [
            f"{path.relative_to(home)}: {count} of {len(table)} values of `{name}` look like a "
            "telephone, identity or plate number"
            for name, count in look(table).items()
        ]
    if faults:
        faults = [*faults[:_SHOWN], "delete what holds them and build anew"]
    return judged(*_STORED, faults, f"{rows:,} rows of {len(looks)} files were looked into")


def _newest(paths: Iterable[Path]) -> list[Path]:
    return sorted(paths, key=lambda path: path.stat().st_mtime, reverse=True)[:NEWEST]


def _published(home: Path) -> list[Path]:
    """Files of the published snapshot that hold text of its sources."""
    try:
        store = Store(home)
        entries = store.manifest(store.current_id()).raw["files"]
    except SnapshotError:
        return []
    return [home / entry["path"] for entry in entries if entry["table"] in _TEXT_TABLES]


def _first_rows(path: Path) -> pa.Table:
    with pq.ParquetFile(path) as file:
        batch = next(file.iter_batches(MOST_ROWS), None)
        return file.schema_arrow.empty_table() if batch is None else pa.Table.from_batches([batch])


def _landed(table: pa.Table) -> dict[str, int]:
    """What the door would remove, were these rows to come in today; by column."""
    before, after = (_removed(rows) for rows in (table, personal.without_personal(table)))
    return {name: count - before[name] for name, count in after.items() if count > before[name]}


def _removed(table: pa.Table) -> dict[str, int]:
    texts = {name: table.column(name) for name in _text_columns(table)}
    found = {name: pc.sum(pc.equal(column, personal.REMOVED)) for name, column in texts.items()}
    return {name: found[name].as_py() or 0 if name in found else 0 for name in table.column_names}


def _texts(table: pa.Table) -> dict[str, int]:
    """Texts that name a person, by column; codes are read as codes."""
    found = {}
    for name in _text_columns(table):
        is_code = name in personal.NUMBER_COLUMNS or name.endswith(("code", "_id", "repeat_of"))
        count = int(personal.names_a_person(table.column(name), is_number=is_code).sum())
        if count:
            found[name] = count
    return found


def _text_columns(table: pa.Table) -> list[str]:
    return [
        field.name
        for field in table.schema
        if pa.types.is_string(field.type)
        or pa.types.is_large_string(field.type)
        or pa.types.is_dictionary(field.type)
    ]

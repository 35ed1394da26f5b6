"""
The `incidents` table as a Delta table: an index of the stored parts for readers outside.

The parts are there already; a commit only names them. So it takes no time, a killed one loses
nothing, and the next one names what is missing. Spark, Dask and DuckDB read it as it is.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
from deltalake import DeltaTable, Schema
from deltalake.exceptions import DeltaError
from deltalake.transaction import AddAction, create_table_with_add_actions

from data import schema
from data.seals import DamageError
from data.writer import ARROW_TYPES, sync
from etl.ingest import month_text
from etl.months import INCIDENTS

if TYPE_CHECKING:
    from pathlib import Path

    from etl.epoch import Epoch
    from etl.ledger import Ledger, Part

_BYTES: Final = ("severity", "scale")


def incidents_entry(ledger: Ledger, version: int | None) -> dict[str, Any]:
    """
    Say for the manifest which files hold the incidents.

    Returns
    -------
    entry
        `path`, `version` of the Delta table (None = it does not show this state), `files`,
        `superseded` (relative to the home) and their `sha256`.
    """
    parts = ledger.parts()
    return {
        "path": INCIDENTS,
        "version": version,
        "files": [part.path for part in parts],
        "superseded": ledger.files("superseded"),
        "sha256": {part.path: part.sha256 for part in parts} | ledger.sums(),
    }


def commit_parts(epoch: Epoch, ledger: Ledger) -> int:
    """Name every part of the epoch in the Delta table; its version."""
    parts = ledger.parts()
    folder = epoch.home / INCIDENTS
    folder.mkdir(parents=True, exist_ok=True)
    wanted = {part.path.removeprefix(f"{INCIDENTS}/"): part for part in parts}
    try:
        table = DeltaTable(folder) if DeltaTable.is_deltatable(str(folder)) else None
    except DeltaError as error:
        raise DamageError(
            f"{folder}/_delta_log is damaged ({error}); it is only an index for other programs: "
            "delete that folder and build again"
        ) from error
    if table is None:
        create_table_with_add_actions(
            str(folder), _schema(), _actions(wanted), partition_by=["month"]
        )
        version = 0
    else:
        version = _append(table, wanted)
    _flush(folder, version)
    return version


def _append(table: DeltaTable, wanted: dict[str, Part]) -> int:
    named = set(pa.table(table.get_add_actions(flatten=True))["path"].to_pylist())
    missing = {path: part for path, part in wanted.items() if path not in named}
    # Files of another epoch are no longer the table, though snapshots may still name them.
    mode = "append" if named <= wanted.keys() else "overwrite"
    actions = _actions(missing if mode == "append" else wanted)
    if actions:
        table.create_write_transaction(actions, mode, _schema(), partition_by=["month"])
        table.update_incremental()
    return int(table.version())


def _actions(parts: dict[str, Part]) -> list[AddAction]:
    return [
        AddAction(
            path=path,
            size=part.size,
            partition_values={"month": month_text(part.month)},
            modification_time=0,
            data_change=True,
            stats=json.dumps({"numRecords": part.rows}),
        )
        for path, part in parts.items()
    ]


def _schema() -> Schema:
    fields = [
        pa.field(
            column.name,
            pa.int8() if column.name in _BYTES else ARROW_TYPES[column.kind],
            nullable=True,
        )
        for column in schema.table("incidents").columns
    ]
    return Schema.from_arrow(pa.schema(fields))


def _flush(folder: Path, version: int) -> None:
    """Put the commit on disk: deltalake leaves that to the operating system."""
    log = folder / "_delta_log"
    sync(log / f"{version:020d}.json")
    sync(log)
    sync(folder)

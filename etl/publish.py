"""
Publishing: one writer at a time; incidents as a Delta table, the rest as one snapshot.

The Delta table is written first and flushed, the snapshot's tables and tiles next, the manifest
that names them all after that, and the pointer last: a reader sees the old state or the new one.
"""

from __future__ import annotations

import fcntl
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from deltalake import DeltaTable, WriterProperties, write_deltalake

from data import schema
from data.writer import sync
from etl.place import LOCATED_BY
from geo.divisions import LEVELS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from data.city import City
    from data.writer import SnapshotWriter
    from etl.boundaries import Boundaries
    from etl.place import Placed

INCIDENTS: Final = "incidents"
LOCK: Final = "writer.lock"
_ARROW_TYPES: Final[dict[schema.Kind, pa.DataType]] = {
    "text": pa.string(),
    "int": pa.int32(),
    "float": pa.float64(),
    "date": pa.date32(),
    "time": pa.timestamp("us", tz="UTC"),
    "bool": pa.bool_(),
}


class WriterBusyError(RuntimeError):
    """Another process is writing under this home."""

    exit_code = 75  # EX_TEMPFAIL of sysexits.h: try again later


@contextmanager
def writer_lock(home: Path) -> Iterator[None]:
    """
    Hold the only right to write under a home; the lock ends with the process, however it ends.

    Raises
    ------
    WriterBusyError
        Another process holds it.
    """
    home.mkdir(parents=True, exist_ok=True)
    with (home / LOCK).open("a", encoding="utf-8") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise WriterBusyError(
                f"another build is writing under {home}; wait until it ends"
            ) from None
        yield


def add_table(writer: SnapshotWriter, name: str, rows: pd.DataFrame) -> None:
    """Add a table with dates as dates; a column without any value keeps its type too."""
    typed = rows.copy(deep=False)
    for column in schema.table(name).columns:
        if column.kind in ("date", "text"):
            values = typed[column.name]
            if column.kind == "date" and values.dtype.kind == "M":
                values = values.to_numpy().astype("datetime64[D]")
            array = pa.array(values, type=_ARROW_TYPES[column.kind], from_pandas=True)
            typed[column.name] = pd.array(array, dtype=pd.ArrowDtype(array.type))
    writer.add_table(name, typed)


def write_incidents(
    home: Path, incidents: pd.DataFrame, placed: Placed, built: Boundaries, city: City
) -> dict[str, Any]:
    """
    Write the incidents as the next version of the Delta table; a full build replaces all months.

    Returns
    -------
    entry
        `path`, `version` and `files` (relative to the home) for the manifest.
    """
    table = _incident_table(incidents, placed, built, city)
    folder = home / INCIDENTS
    write_deltalake(
        folder,
        table,
        mode="overwrite",
        schema_mode="overwrite",
        partition_by="month",
        writer_properties=WriterProperties(compression="ZSTD"),
    )
    delta = DeltaTable(folder)
    files = sorted(f"{INCIDENTS}/{path}" for path in _relative_files(delta))
    _flush(home, files, delta.version())
    return {"path": INCIDENTS, "version": delta.version(), "files": files}


def _relative_files(delta: DeltaTable) -> list[str]:
    paths: list[str] = pa.table(delta.get_add_actions(flatten=True))["path"].to_pylist()
    return paths


def _flush(home: Path, files: list[str], version: int) -> None:
    """Put a Delta version on disk: deltalake leaves that to the operating system."""
    paths = [home / file for file in files]
    log = home / INCIDENTS / "_delta_log"
    for path in [*paths, log / f"{version:020d}.json"]:
        sync(path)
    for folder in {path.parent for path in paths} | {log, home / INCIDENTS, home}:
        sync(folder)


def _incident_table(
    incidents: pd.DataFrame, placed: Placed, built: Boundaries, city: City
) -> pa.Table:
    """Rows of the `incidents` table, as Arrow, ordered by time within a month."""
    order = _time_order(incidents)
    rows = incidents.iloc[order]
    sources = {source.name: source for source in city.sources}
    days = rows["occurred_on"].to_numpy().astype("datetime64[D]")
    severity = rows["severity"].to_numpy()
    columns: dict[str, Any] = {
        "channel": rows["source"].map({name: s.channel for name, s in sources.items()}),
        "origin": rows["source"].map({name: s.origin for name, s in sources.items()}),
        "category": _named(
            rows["category_index"].to_numpy(), [category.code for category in city.categories]
        ),
        "severity": pa.array(severity, type=pa.int8(), mask=severity == schema.UNKNOWN_SEVERITY),
        "occurred_on": days,
        "period_start": rows["period_start"].to_numpy().astype("datetime64[D]"),
        "located_by": _named(placed.located_by[order], LOCATED_BY),
        "month": _months(days),
    }
    for level in LEVELS:
        columns[f"{level}_code"] = (
            _named(placed.areas[level][order], built.level_areas(level)["code"])
            if level in placed.areas
            else pa.nulls(len(rows), pa.string())
        )
    for resolution, register in placed.registers.items():
        columns[f"cell_{resolution}"] = _named(placed.cells[resolution][order], register)
    arrays = {}
    for column in schema.table("incidents").columns:
        kind = pa.int8() if column.name == "severity" else _ARROW_TYPES[column.kind]
        values = columns.get(column.name)
        if values is None:
            values = rows[column.name]
        if not isinstance(values, pa.Array):
            values = pa.array(values, from_pandas=True)
        arrays[column.name] = values.cast(kind)
    return pa.table(arrays)


def _time_order(incidents: pd.DataFrame) -> NDArray[np.int64]:
    """Positions by time, then by id, so that the same incidents always give the same files."""
    keys = pa.table({name: pa.array(incidents[name]) for name in ("occurred_at", "incident_id")})
    names = [(name, "ascending") for name in keys.column_names]
    return np.asarray(pc.sort_indices(keys, sort_keys=names), dtype=np.int64)


def _named(index: NDArray[Any], names: Any) -> pa.Array:
    """Text of each index, null for -1."""
    texts = pa.array(list(names), type=pa.string())
    return texts.take(pa.array(index, type=pa.int32(), mask=np.asarray(index) < 0))


def _months(days: NDArray[np.datetime64]) -> pa.Array:
    position, months = pd.factorize(days.astype("datetime64[M]").astype(np.int64))
    return _named(position, np.asarray(months).astype("datetime64[M]").astype(str))

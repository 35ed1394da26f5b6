"""Write one snapshot: tables and tiles first, the manifest next, the pointer last and at once."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import os
import re
import secrets
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from data import schema
from data.manifest import checksum
from data.store import MANIFESTS, POINTER, SNAPSHOTS, file_sha256

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import pandas as pd

ROW_GROUP_ROWS = 65_536
"""Small row groups let a query for few periods skip the rest of a file."""

ARROW_TYPES: Final[Mapping[schema.Kind, pa.DataType]] = {
    "text": pa.string(),
    "int": pa.int32(),
    "long": pa.int64(),
    "float": pa.float64(),
    "date": pa.date32(),
    "time": pa.timestamp("us", tz="UTC"),
    "bool": pa.bool_(),
}
"""Stored type of each kind: the same in every file of a table, so that files can be joined."""

_PART: Final = re.compile(r"[0-9A-Za-z][0-9A-Za-z_-]*")


def new_snapshot_id(now: dt.datetime) -> str:
    """Id that sorts by time: UTC to the second and four random bytes."""
    return f"{now.astimezone(dt.UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(4)}"


class SnapshotWriter:
    """
    Collects the files of one snapshot and publishes them by one atomic replace.

    Until `publish` returns, no reader sees anything; after it, every file is on disk. The files
    of a table are read in the order in which they were added or kept.
    """

    def __init__(self, home: Path, snapshot_id: str) -> None:
        self.home = home
        self.id = snapshot_id
        self.folder = home / SNAPSHOTS / snapshot_id
        self.folder.mkdir(parents=True)
        self._files: list[dict[str, Any]] = []
        self._tiles: list[dict[str, Any]] = []

    def add_table(
        self, name: str, rows: pd.DataFrame | pa.Table, *, part: str = "", **facts: object
    ) -> dict[str, Any]:
        """
        Check a table, or one part of it, and write it as Parquet with page checksums.

        Parameters
        ----------
        part
            Name of the part, such as a month; parts must not share keys, which is not checked.
        facts
            More keys for the entry in the manifest.

        Returns
        -------
        entry
            As the manifest will hold it: `table`, `path`, `rows`, `sha256` and the facts.

        Raises
        ------
        SchemaError
            The rows do not keep the table's columns or key.
        ValueError
            The part's name is no plain word.
        """
        if part and not _PART.fullmatch(part):
            raise ValueError(f"part {part!r} of {name} must be letters, digits, _ and - only")
        stored = stored_table(name, rows)
        path = self.folder / name / f"{part}.parquet" if part else self.folder / f"{name}.parquet"
        path.parent.mkdir(exist_ok=True)
        # Written from memory: the hash needs no second reading.
        sink = pa.BufferOutputStream()
        pq.write_table(
            stored,
            sink,
            compression="zstd",
            row_group_size=ROW_GROUP_ROWS,
            write_page_checksum=True,
        )
        content = sink.getvalue()
        with path.open("xb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        entry = {
            **facts,
            "table": name,
            "path": path.relative_to(self.home).as_posix(),
            "rows": stored.num_rows,
            "sha256": hashlib.sha256(content).hexdigest(),
        }
        self._files.append(entry)
        return entry

    def keep(self, entry: Mapping[str, Any]) -> None:
        """
        Name a file of an earlier snapshot again, as its manifest names it.

        Parameters
        ----------
        entry
            Of a manifest's `files` or `tiles`; its content is not read again.

        Raises
        ------
        FileNotFoundError
            The file is no longer there.
        """
        if not (self.home / entry["path"]).is_file():
            raise FileNotFoundError(f"{entry['path']} is named again but is no longer there")
        (self._files if "table" in entry else self._tiles).append(dict(entry))

    def add_tiles(self, name: str, path: Path, *, version: str) -> None:
        """Name an MBTiles archive under the home as part of the snapshot."""
        sync(path)
        entry = {"path": path.relative_to(self.home).as_posix(), "sha256": file_sha256(path)}
        self._tiles.append(entry | {"name": name, "version": version})

    def publish(self, manifest: dict[str, Any], *, current: bool = True) -> dict[str, Any]:
        """
        Write the manifest and, unless told otherwise, move the pointer to it.

        Parameters
        ----------
        manifest
            Everything but the snapshot's id, schema version, files, tiles and checksum.
        current
            False leaves the pointer where it is: nobody is served this snapshot, only those who
            ask for it by its id.

        Returns
        -------
        manifest
            As stored.
        """
        stored: dict[str, Any] = {
            "snapshot": self.id,
            "schema_version": schema.SCHEMA_VERSION,
            "current": current,
            **manifest,
            "files": sorted(self._files, key=lambda entry: str(entry["table"])),
            "tiles": sorted(self._tiles, key=lambda entry: str(entry["name"])),
        }
        # As it will be read: keys are text, and pairs are lists.
        stored = json.loads(json.dumps(stored, ensure_ascii=False))
        stored["checksum"] = checksum(stored)
        for folder in [*(path for path in self.folder.rglob("*") if path.is_dir()), self.folder]:
            sync(folder)
        sync(self.folder.parent)
        text = json.dumps(stored, ensure_ascii=False, indent=1)
        replace_text(self.home / MANIFESTS / f"{self.id}.json", text)
        if current:
            replace_text(self.home / POINTER, self.id + "\n")
        return stored


def stored_table(name: str, rows: pd.DataFrame | pa.Table) -> pa.Table:
    """
    Rows as they are stored: the table's columns in its order and types.

    Raises
    ------
    SchemaError
        The rows do not keep the table's columns or key, or a value is not of its kind.
    """
    kept = schema.table(name)
    given = rows.column_names if isinstance(rows, pa.Table) else list(rows.columns)
    if sorted(given) != sorted(kept.names):
        raise _refusal(name, rows)
    arrays = {}
    for column in kept.columns:
        values = rows[column.name]
        if not isinstance(values, pa.ChunkedArray):
            values = pa.array(values, from_pandas=True)
        try:
            arrays[column.name] = values.cast(ARROW_TYPES[column.kind])
        except pa.ArrowInvalid as error:
            raise schema.SchemaError(
                f"{name}: `{column.name}` is no {column.kind}: {error}"
            ) from error
    table = pa.table(arrays)
    if _has_empty(table, kept) or _repeats(table, kept):
        raise _refusal(name, rows)
    return table


def _has_empty(table: pa.Table, kept: schema.Table) -> bool:
    return any(
        table[column.name].null_count
        or (column.kind == "float" and pc.any(pc.is_nan(table[column.name])).as_py())
        for column in kept.columns
        if not column.nullable
    )


def _repeats(table: pa.Table, kept: schema.Table) -> bool:
    keys = table.select(kept.key).group_by(list(kept.key)).aggregate([])
    return bool(keys.num_rows < table.num_rows)


def _refusal(name: str, rows: pd.DataFrame | pa.Table) -> schema.SchemaError:
    """Build the whole list of faults, which takes longer than to see that there is one."""
    try:
        schema.check_table(name, rows.to_pandas() if isinstance(rows, pa.Table) else rows)
    except schema.SchemaError as error:
        return error
    return schema.SchemaError(f"{name}: the rows do not keep the table")


def replace_text(path: Path, text: str) -> None:
    """Write a text file so that a reader finds the old or the new one, never a part."""
    path.parent.mkdir(parents=True, exist_ok=True)
    waiting = path.with_name(f".{path.name}.{os.getpid()}")
    waiting.write_text(text, encoding="utf-8")
    sync(waiting)
    waiting.replace(path)
    sync(path.parent)


def sync(path: Path) -> None:
    """Flush a file or folder to disk, so that it survives a power cut."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

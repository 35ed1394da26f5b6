"""Write one snapshot: tables and tiles first, the manifest next, the pointer last and at once."""

from __future__ import annotations

import datetime as dt
import json
import os
import secrets
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from data import schema
from data.store import MANIFESTS, POINTER, file_sha256

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

ROW_GROUP_ROWS = 65_536
"""Small row groups let a query for few periods skip the rest of a file."""


def new_snapshot_id(now: dt.datetime) -> str:
    """Id that sorts by time: UTC to the second and four random bytes."""
    return f"{now.astimezone(dt.UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(4)}"


class SnapshotWriter:
    """
    Collects the files of one snapshot and publishes them by one atomic replace.

    Until `publish` returns, no reader sees anything; after it, every file is on disk.
    """

    def __init__(self, home: Path, snapshot_id: str) -> None:
        self.home = home
        self.id = snapshot_id
        self.folder = home / "snapshots" / snapshot_id
        self.folder.mkdir(parents=True)
        self._files: list[dict[str, Any]] = []
        self._tiles: list[dict[str, Any]] = []

    def add_table(self, name: str, rows: pd.DataFrame) -> None:
        """
        Check a table and write it as Parquet with page checksums.

        Raises
        ------
        SchemaError
            The frame does not keep the table's columns or key.
        """
        schema.check_table(name, rows)
        ordered = rows[schema.table(name).names]
        path = self.folder / f"{name}.parquet"
        pq.write_table(
            pa.Table.from_pandas(ordered, preserve_index=False),
            path,
            compression="zstd",
            row_group_size=ROW_GROUP_ROWS,
            write_page_checksum=True,
        )
        sync(path)
        self._files.append(self._entry(path) | {"table": name, "rows": len(rows)})

    def add_tiles(self, name: str, path: Path, *, version: str) -> None:
        """Name an MBTiles archive under the home as part of the snapshot."""
        sync(path)
        self._tiles.append(self._entry(path) | {"name": name, "version": version})

    def publish(self, manifest: dict[str, Any]) -> dict[str, Any]:
        """
        Write the manifest and move the pointer to it.

        Parameters
        ----------
        manifest
            Everything but the snapshot's id, schema version, files and tiles.

        Returns
        -------
        manifest
            As stored.
        """
        stored = {
            "snapshot": self.id,
            "schema_version": schema.SCHEMA_VERSION,
            **manifest,
            "files": sorted(self._files, key=lambda entry: entry["table"]),
            "tiles": sorted(self._tiles, key=lambda entry: entry["name"]),
        }
        sync(self.folder)
        sync(self.folder.parent)
        text = json.dumps(stored, ensure_ascii=False, indent=1)
        replace_text(self.home / MANIFESTS / f"{self.id}.json", text)
        replace_text(self.home / POINTER, self.id + "\n")
        return stored

    def _entry(self, path: Path) -> dict[str, Any]:
        return {"path": path.relative_to(self.home).as_posix(), "sha256": file_sha256(path)}


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

"""Read snapshots: the pointer, the manifest, and only the files that the manifest names."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import threading
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import duckdb
import pandas as pd

from data import schema

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from data.periods import Grain

POINTER: Final = "CURRENT"
MANIFESTS: Final = "manifests"
HELD: Final = ("area_counts_", "cell_counts_")
"""
Tables that are held in memory, compressed: every click asks for them.

3 M incidents in 22,000 grids and 5 resolutions take 110 MB, and a query a third of the time that
it takes on the files (`benchmarks/queries.py`).
"""


class SnapshotError(RuntimeError):
    """A snapshot is missing, of another schema version, or damaged."""


class NoSnapshotError(SnapshotError):
    """Nothing has been published under this home yet."""


@dataclass(frozen=True)
class Manifest:
    """What one snapshot consists of; `raw` is the stored JSON object."""

    raw: dict[str, Any]

    @property
    def id(self) -> str:
        """Snapshot id, in order of time."""
        return str(self.raw["snapshot"])

    @property
    def city(self) -> dict[str, Any]:
        """The city's code, names, notices, time zone, grain, exposure unit and bands."""
        return dict(self.raw["city"])

    @property
    def grain(self) -> Grain:
        """Grain of the counted periods."""
        grain: Grain = self.raw["city"]["grain"]
        return grain

    @property
    def levels(self) -> list[dict[str, Any]]:
        """Levels from the top down: level, name_zh, name_en, count, min_zoom, max_zoom."""
        return list(self.raw["levels"])

    @property
    def cells(self) -> list[dict[str, Any]]:
        """Cell resolutions: resolution, count, min_zoom, max_zoom."""
        return list(self.raw["cells"])

    @property
    def boundary_version(self) -> str:
        """Hash of the boundaries; names the area tiles for ever."""
        return str(self.raw["boundary_version"])

    @property
    def cell_version(self) -> str:
        """Hash of the cell registers; names the cell tiles for ever."""
        return str(self.raw["cell_version"])

    @property
    def first_period(self) -> dt.date:
        """First counted period."""
        return dt.date.fromisoformat(self.raw["periods"]["first"])

    @property
    def last_period(self) -> dt.date:
        """Last complete counted period."""
        return dt.date.fromisoformat(self.raw["periods"]["last"])

    @property
    def rows(self) -> dict[str, Any]:
        """Row account: read, accepted, quarantined, duplicate, and what is not placed."""
        return dict(self.raw["rows"])


class Snapshot:
    """One published state of the city, opened for reading; safe to share between threads."""

    def __init__(self, home: Path, manifest: Manifest) -> None:
        self.home = home
        self.manifest = manifest
        self._files: dict[str, Path] = {
            entry["table"]: home / entry["path"] for entry in manifest.raw["files"]
        }
        self._tiles: dict[str, tuple[Path, str]] = {
            entry["name"]: (home / entry["path"], entry["version"])
            for entry in manifest.raw["tiles"]
        }
        self._connection = self._connect()

    @property
    def id(self) -> str:
        """Snapshot id."""
        return self.manifest.id

    @cached_property
    def areas(self) -> pd.DataFrame:
        """The `areas` table, levels from the top down, `area_index` ascending in each."""
        return self.read("areas")

    @cached_property
    def categories(self) -> pd.DataFrame:
        """The `categories` table, by `category_index`."""
        return self.read("categories")

    def tables(self) -> list[str]:
        """Names of the stored tables."""
        return sorted(self._files)

    def read(self, name: str) -> pd.DataFrame:
        """
        Read a whole table in stored order.

        Raises
        ------
        SnapshotError
            The snapshot has no such table.
        """
        return pd.read_parquet(self._file(name))

    def query(self, sql: str, parameters: Sequence[object] = ()) -> pd.DataFrame:
        """
        Run one parameterised query over the tables, each under its own name.

        The connection can read this snapshot's folder and nothing else, and its configuration
        is locked; SQL text comes from code, values only through `parameters`.
        """
        frame: pd.DataFrame = self._connection.cursor().execute(sql, list(parameters)).df()
        return frame

    def arrays(self, sql: str, parameters: Sequence[object] = ()) -> dict[str, NDArray[Any]]:
        """Run a query as `query` does, without the cost of a frame: one array per column."""
        found = self._connection.cursor().execute(sql, list(parameters)).fetchnumpy()
        return dict(found)

    def tile_file(self, name: str, version: str) -> Path:
        """
        MBTiles archive of a level (`county`) or resolution (`cells_8`) at one version.

        Raises
        ------
        SnapshotError
            The snapshot holds no such tiles.
        """
        if name not in self._tiles or self._tiles[name][1] != version:
            raise SnapshotError(f"snapshot {self.id} has no tiles {name} of version {version}")
        return self._tiles[name][0]

    def _file(self, name: str) -> Path:
        if name not in self._files:
            raise SnapshotError(f"snapshot {self.id} has no table {name}")
        return self._files[name]

    def _connect(self) -> duckdb.DuckDBPyConnection:
        connection = duckdb.connect(":memory:")
        connection.execute("SET enable_progress_bar = false")
        connection.execute("ATTACH ':memory:' AS held (COMPRESS)")
        for name, path in self._files.items():
            schema.table(name)
            source = f"read_parquet({_quoted(path.resolve())})"
            if name.startswith(HELD):
                connection.execute(f"CREATE TABLE held.{name} AS SELECT * FROM {source}")
                # Compresses it before the next one takes its room.
                connection.execute("CHECKPOINT held")
                source = f"held.{name}"
            connection.execute(f"CREATE VIEW {name} AS SELECT * FROM {source}")
        # Readers come at the same time; one that takes all cores makes the others wait.
        connection.execute("SET threads = 1")
        folders = sorted({f"{path.resolve().parent}/" for path in self._files.values()})
        listed = ", ".join(_quoted(folder) for folder in folders)
        connection.execute(f"SET allowed_directories = [{listed}]")
        connection.execute("SET enable_external_access = false")
        connection.execute("SET lock_configuration = true")
        return connection


def _quoted(path: Path | str) -> str:
    """SQL literal of a path."""
    return "'" + str(path).replace("'", "''") + "'"


class Store:
    """The published snapshots under one home; the newest is opened once and kept."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self._lock = threading.Lock()
        self._open: Snapshot | None = None

    def current_id(self) -> str:
        """
        Id that the pointer names.

        Raises
        ------
        NoSnapshotError
            Nothing is published yet; the message says which command publishes.
        """
        try:
            return (self.home / POINTER).read_text(encoding="utf-8").strip()
        except FileNotFoundError:
            raise NoSnapshotError(
                f"no snapshot under {self.home}; run `pingan demo` or `pingan build`"
            ) from None

    def manifest(self, snapshot_id: str) -> Manifest:
        """
        Read one manifest.

        Raises
        ------
        SnapshotError
            It is missing or of another schema version.
        """
        path = self.home / MANIFESTS / f"{snapshot_id}.json"
        try:
            raw = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise SnapshotError(f"manifest {snapshot_id} is missing") from None
        if raw["schema_version"] != schema.SCHEMA_VERSION:
            raise SnapshotError(
                f"snapshot {snapshot_id} has schema version {raw['schema_version']}, this "
                f"program reads {schema.SCHEMA_VERSION}; build again"
            )
        return Manifest(raw)

    def current(self) -> Snapshot:
        """
        Open the published snapshot, with every table checked against its sha256 once.

        Raises
        ------
        SnapshotError
            Nothing is published, or a file is missing or damaged.
        """
        snapshot_id = self.current_id()
        with self._lock:
            if self._open is None or self._open.id != snapshot_id:
                manifest = self.manifest(snapshot_id)
                check_files(self.home, manifest)
                self._open = Snapshot(self.home, manifest)
            return self._open


def check_files(home: Path, manifest: Manifest) -> None:
    """
    Compare the content of every named file with its sha256.

    Raises
    ------
    SnapshotError
        With all files that are missing or differ.
    """
    faults = []
    for entry in [*manifest.raw["files"], *manifest.raw["tiles"]]:
        path = home / entry["path"]
        if not path.exists():
            faults.append(f"{entry['path']} is missing")
        elif file_sha256(path) != entry["sha256"]:
            faults.append(f"{entry['path']} is damaged (sha256 differs)")
    if faults:
        raise SnapshotError(
            f"snapshot {manifest.id}: " + "; ".join(faults) + "; restore a backup or build again"
        )


def file_sha256(path: Path) -> str:
    """SHA-256 of a file's bytes, in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()

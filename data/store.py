"""
Read snapshots: the pointer, the manifest, and only the files that the manifest names.

What stays safe while an older snapshot is open: the tables of `data.held.HELD`, `areas` and
`categories` are in memory, so their files may go. Every other table (risk, accounts, quarantine)
and the tile archives are opened by their path at each use; retention keeps them as long as a
process may have that snapshot open.
"""

from __future__ import annotations

import hashlib
import json
import logging
import threading
import time
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import duckdb
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from data import schema
from data.held import Part, Pool
from data.kept import Kept
from data.manifest import Manifest, NoSnapshotError, SnapshotError, checksum

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

POINTER: Final = "CURRENT"
MANIFESTS: Final = "manifests"
SNAPSHOTS: Final = "snapshots"
RETRY_S: Final = 60.0
"""Least time between two tries to open a snapshot that was damaged."""

OLDER: Final = 5
"""Earlier snapshots that are tried at the start when the published one is damaged."""

log = logging.getLogger("data.store")


class Snapshot:
    """One published state of the city, opened for reading; safe to share between threads."""

    def __init__(self, home: Path, manifest: Manifest, pool: Pool | None = None) -> None:
        self.home = home
        self.manifest = manifest
        self._parts: dict[str, list[Part]] = {}
        for entry in manifest.raw["files"]:
            schema.table(entry["table"])
            part = Part(home / entry["path"], entry["sha256"], entry["rows"])
            self._parts.setdefault(entry["table"], []).append(part)
        self._tiles: dict[str, tuple[Path, str]] = {
            entry["name"]: (home / entry["path"], entry["version"])
            for entry in manifest.raw["tiles"]
        }
        lease = self._lease = (pool or Pool(home / SNAPSHOTS)).lease(self._parts)
        # Of the lease, not of the snapshot: a circle would keep both in memory.
        self.kept = Kept(lambda sql: dict(lease.run(sql).fetchnumpy()), manifest)
        for name in {"areas", "categories"} & self._parts.keys():
            getattr(self, name)

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
        return sorted(self._parts)

    def read(self, name: str) -> pd.DataFrame:
        """
        Read a whole table in stored order, from all of its files.

        Raises
        ------
        SnapshotError
            The snapshot has no such table.
        """
        if name not in self._parts:
            raise SnapshotError(f"snapshot {self.id} has no table {name}")
        stored = pa.concat_tables(
            (pq.ParquetFile(part.path).read() for part in self._parts[name]),
            promote_options="permissive",
        )
        frame: pd.DataFrame = stored.to_pandas(types_mapper=_DATES.get)
        return frame

    def query(self, sql: str, parameters: Sequence[object] = ()) -> pd.DataFrame:
        """
        Run one parameterised query over the tables, each under its own name.

        The connection can read the snapshots' folder and nothing else, and its configuration
        is locked; SQL text comes from code, values only through `parameters`.
        """
        frame: pd.DataFrame = self._lease.run(sql, parameters).df()
        return frame

    def arrays(self, sql: str, parameters: Sequence[object] = ()) -> dict[str, NDArray[Any]]:
        """Run a query as `query` does, without the cost of a frame: one array per column."""
        return dict(self._lease.run(sql, parameters).fetchnumpy())

    def rows(self, sql: str, parameters: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """Run a query for a few rows as `query` does: Python's own values, None where empty."""
        found: list[tuple[Any, ...]] = self._lease.run(sql, parameters).fetchall()
        return found

    def tile_file(self, name: str, version: str) -> Path:
        """
        MBTiles archive of a level at one version.

        Raises
        ------
        SnapshotError
            The snapshot holds no such tiles.
        """
        if name not in self._tiles or self._tiles[name][1] != version:
            raise SnapshotError(f"snapshot {self.id} has no tiles {name} of version {version}")
        return self._tiles[name][0]


_DATES: Final = {pa.date32(): pd.ArrowDtype(pa.date32())}
"""Days stay days: as objects they take ten times the memory."""


@dataclass(frozen=True)
class Alarm:
    """Why a published snapshot is not the one that is served."""

    snapshot: str
    reason: str


class Store:
    """
    The published snapshots under one home; the newest sound one is open.

    A later one is opened beside it while it goes on answering, and takes its place when every
    file has proved sound. A damaged one never does: `alarm` then tells why.
    """

    def __init__(self, home: Path) -> None:
        self.home = home
        self.alarm: Alarm | None = None
        self._lock = threading.Lock()
        self._opening: threading.Thread | None = None
        self._open: tuple[Snapshot, ...] = ()
        self._past: tuple[Snapshot, ...] = ()
        self._retry_at = 0.0
        self._checked: Checked = {}
        self._pool: Pool | None = None

    def current_id(self) -> str:
        """
        Id that the pointer names.

        Raises
        ------
        NoSnapshotError
            Nothing is published yet; the message says which command publishes.
        """
        try:
            return (self.home / POINTER).read_text(encoding="utf-8", errors="replace").strip()
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
            It is missing, damaged or of another schema version.
        """
        path = self.home / MANIFESTS / f"{snapshot_id}.json"
        try:
            raw = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            kind = "missing" if isinstance(error, FileNotFoundError) else "damaged"
            raise SnapshotError(f"manifest {snapshot_id} is {kind}") from None
        version = raw.get("schema_version") if isinstance(raw, dict) else None
        if version != schema.SCHEMA_VERSION:
            raise SnapshotError(
                f"snapshot {snapshot_id} has schema version {version}, this "
                f"program reads {schema.SCHEMA_VERSION}; build again"
            )
        if raw.get("checksum") != checksum(raw):
            raise SnapshotError(f"manifest {snapshot_id} is damaged (its checksum differs)")
        return Manifest(raw)

    def current(self) -> Snapshot:
        """
        Newest sound snapshot, at once wherever one is open.

        The first call waits for the opening and falls back to the newest earlier snapshot that
        is sound. Later ones never wait: they start the opening of what is newly published.

        Raises
        ------
        SnapshotError
            Nothing is published, or nothing that is sound.
        """
        if not self._open:
            return self._first()
        if self._is_behind() and not (self._opening and self._opening.is_alive()):
            self._opening = threading.Thread(target=self._try, name="snapshot", daemon=True)
            self._opening.start()
        return self._open[0]

    def of_version(self, version: str) -> Snapshot:
        """
        Snapshot that has this id, or whose boundaries or cells have this version.

        It may be the one before, whose pages still ask for their tiles, or one that another
        process has opened already and this one is still opening, which is waited for.

        Raises
        ------
        SnapshotError
            None of them has it, or nothing is published.
        """
        self.current()
        for wait in (False, True):
            if wait and self._opening:
                self._opening.join()
            for snapshot in (*self._open, *self._past):
                manifest = snapshot.manifest
                if version in {manifest.id, manifest.boundary_version, manifest.cell_version}:
                    return snapshot
        raise SnapshotError(f"no open snapshot has boundaries or cells of version {version}")

    def past(self, snapshot_id: str) -> Snapshot:
        """
        Open an earlier snapshot beside the current one; the last two asked for stay open.

        Raises
        ------
        SnapshotError
            It is missing or damaged.
        """
        with self._lock:
            for snapshot in (*self._open, *self._past):
                if snapshot.id == snapshot_id:
                    return snapshot
            opened = self._checked_snapshot(self.manifest(snapshot_id))
            self._past = (opened, *self._past[:1])
            return opened

    def refresh(self) -> Snapshot:
        """
        Open what is published, now, every file proved sound.

        Raises
        ------
        SnapshotError
            Nothing is published, or a file is missing or damaged.
        """
        with self._lock:
            snapshot_id = self.current_id()
            if not self._open or self._open[0].id != snapshot_id:
                self._take(snapshot_id)
            self.alarm = None
            return self._open[0]

    def _is_behind(self) -> bool:
        try:
            published = self.current_id()
        except NoSnapshotError:
            return False
        failed = self.alarm is not None and self.alarm.snapshot == published
        if failed and time.monotonic() < self._retry_at:
            return False
        return published != self._open[0].id

    def _try(self) -> None:
        published = self.current_id()
        try:
            self.refresh()
        except SnapshotError as error:
            self._raise_alarm(published, str(error))

    def _first(self) -> Snapshot:
        published = self.current_id()
        try:
            return self.refresh()
        except SnapshotError as error:
            with self._lock:
                if self._open or self._fall_back(published):
                    self._raise_alarm(published, str(error))
                    return self._open[0]
            raise

    def _fall_back(self, published: str) -> bool:
        """Open the newest sound snapshot before the published one."""
        stored = sorted(
            (path.stem for path in (self.home / MANIFESTS).glob("*.json")), reverse=True
        )
        stored = [name for name in stored if name != published]
        # A pointer that is damaged itself may name nothing that sorts after them.
        for snapshot_id in ([name for name in stored if name < published] or stored)[:OLDER]:
            try:
                self._take(snapshot_id)
            except SnapshotError as error:
                log.warning("%s", error)
            else:
                return True
        return False

    def _raise_alarm(self, published: str, reason: str) -> None:
        self._retry_at = time.monotonic() + RETRY_S
        self.alarm = Alarm(published, reason)
        log.error("still serving snapshot %s: %s", self._open[0].id, reason)

    def _take(self, snapshot_id: str) -> None:
        """Check a snapshot, open it, and let it answer from now on."""
        manifest = self.manifest(snapshot_id)
        if manifest.raw.get("current") is False:
            raise SnapshotError(f"snapshot {snapshot_id} was not made to be the current one")
        before = self._open[:1]
        self._open = (self._checked_snapshot(manifest, before), *before)
        for one in before:
            one.kept.drop()

    def _checked_snapshot(self, manifest: Manifest, before: Sequence[Snapshot] = ()) -> Snapshot:
        check_files(self.home, manifest, self._checked)
        self._pool = self._pool or Pool(self.home / SNAPSHOTS)
        try:
            opened = Snapshot(self.home, manifest, self._pool)
            for one in before:
                # While that one answers: nobody shall wait for it.
                opened.kept.follow(one.kept)
        except (duckdb.Error, OSError, pa.ArrowException, KeyError) as error:
            raise SnapshotError(f"snapshot {manifest.id} cannot be opened: {error}") from error
        return opened


Checked = dict["Path", tuple[str, tuple[int, int, int, int]]]
"""Files that proved sound: their sha256, and size, times and place on disk as they were then."""


def check_files(home: Path, manifest: Manifest, checked: Checked | None = None) -> None:
    """
    Compare the content of every named file with its sha256.

    Parameters
    ----------
    checked
        What proved sound before and has not been touched since is not read again; grows.

    Raises
    ------
    SnapshotError
        With all files that are missing or differ.
    """
    known = {} if checked is None else checked
    faults = []
    for entry in [*manifest.raw["files"], *manifest.raw["tiles"]]:
        path = home / entry["path"]
        try:
            found = path.stat()
            stamp = (found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino)
            if known.get(path) == (entry["sha256"], stamp):
                continue
            sound = file_sha256(path) == entry["sha256"]
        except OSError:
            faults.append(f"{entry['path']} is missing")
            continue
        if sound:
            known[path] = (entry["sha256"], stamp)
        else:
            faults.append(f"{entry['path']} is damaged (sha256 differs)")
    if faults:
        raise SnapshotError(
            f"snapshot {manifest.id}: " + "; ".join(faults) + "; restore a backup or build again"
        )


def file_sha256(path: Path) -> str:
    """SHA-256 of a file's bytes, in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()

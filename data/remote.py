"""
Snapshots in a bucket: one machine pushes the published one, others pull it or read it in place.

The bucket is laid out as a home is. Whatever is named is there before what names it: files, the
manifest, the pointer. Writing the pointer is one atomic step, without a condition: of two machines
that push into one address the last one wins, and both snapshots are whole.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from data import schema
from data.locks import KEEPING, locked
from data.manifest import SnapshotError, checksum
from data.storage import Storage, is_below
from data.store import MANIFESTS, POINTER, Store, check_files, file_sha256
from data.writer import replace_text, sync

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PUSHED: Final = "incidents/pushed.json"
"""SHA-256 of each part as it was pushed: after a restore, its name may get other content."""

_DELTA_LOG: Final = "_delta_log"
_HINT: Final = "_last_checkpoint"


@dataclass(frozen=True)
class Moved:
    """A snapshot that was pushed or pulled, and what had to be copied for it."""

    snapshot: str
    copied_files: int
    copied_bytes: int


def push(home: Path, url: str) -> Moved:
    """
    Publish the current snapshot in a bucket, with the incidents behind it as a Delta table.

    Parameters
    ----------
    url
        As in `data.storage.Storage`.

    Raises
    ------
    SnapshotError
        Nothing is published here, or it is damaged; the bucket's pointer stays.
    """
    storage, store = Storage(url), Store(home)
    with locked(home, KEEPING, shared=True):
        manifest = store.manifest(store.current_id())
        check_files(home, manifest)
        copied = copy_snapshot(home, manifest.raw, storage)
        copied += _push_incidents(home, manifest.raw["incidents"], storage)
        place(storage, manifest.raw)
    return Moved(manifest.id, len(copied), sum(copied))


def pull(url: str, home: Path) -> Moved:
    """
    Fetch the newest snapshot of a bucket; readers under the home go on meanwhile.

    Returns
    -------
    moved
        Files that are here already, and sound, are not fetched again.

    Raises
    ------
    SnapshotError
        The bucket has no snapshot, or a file of it is missing or damaged; the home's pointer
        stays.
    """
    storage = Storage(url)
    with locked(home, KEEPING, shared=True):
        raw = _pushed_manifest(storage)
        copied = []
        for entry in [*raw["files"], *raw["tiles"]]:
            target = home / entry["path"]
            if not target.is_file() or file_sha256(target) != entry["sha256"]:
                _fetch(storage, entry, target)
                copied.append(target.stat().st_size)
        text = json.dumps(raw, ensure_ascii=False, indent=1)
        replace_text(home / MANIFESTS / f"{raw['snapshot']}.json", text)
        replace_text(home / POINTER, raw["snapshot"] + "\n")
    return Moved(raw["snapshot"], len(copied), sum(copied))


def copy_snapshot(home: Path, manifest: dict[str, Any], storage: Storage) -> list[int]:
    """
    Copy the files of a snapshot that the storage lacks; the sizes of what was copied.

    A snapshot's files are written once and under names of their own, so one of the same size is
    the same.

    Raises
    ------
    data.storage.StorageError
        A file is damaged.
    """
    present = {**storage.sizes("snapshots"), **storage.sizes("tiles")}
    copied = []
    for entry in [*manifest["files"], *manifest["tiles"]]:
        source = home / entry["path"]
        size = source.stat().st_size
        if present.get(entry["path"]) != size:
            storage.put(entry["path"], source, sha256=entry["sha256"])
            copied.append(size)
    return copied


def place(storage: Storage, manifest: dict[str, Any]) -> None:
    """Put the manifest, then the pointer: from here on others see the snapshot."""
    text = json.dumps(manifest, ensure_ascii=False, indent=1)
    storage.put_text(f"{MANIFESTS}/{manifest['snapshot']}.json", text)
    storage.put_text(POINTER, manifest["snapshot"] + "\n")


def _push_incidents(home: Path, incidents: dict[str, Any], storage: Storage) -> list[int]:
    present, pushed = storage.sizes(), _pushed(storage)
    copied = []
    for path in [*incidents["files"], *incidents["superseded"]]:
        size, sha256 = (home / path).stat().st_size, incidents["sha256"][path]
        if pushed.get(path) != sha256 or present.get(path) != size:
            pushed[path] = storage.put(path, home / path, sha256=sha256)
            copied.append(size)
    if copied:
        storage.put_text(PUSHED, json.dumps(pushed))
    for source in _log_entries(home / incidents["path"] / _DELTA_LOG, incidents["version"]):
        path = source.relative_to(home).as_posix()
        if source.name == _HINT or present.get(path) != source.stat().st_size:
            storage.put(path, source)
            copied.append(source.stat().st_size)
    return copied


def _log_entries(folder: Path, version: int) -> Iterator[Path]:
    """Entries of the Delta log up to a version in order, and the hint to its last checkpoint."""
    for path in sorted(folder.glob("[0-9]*")):
        number = path.name.partition(".")[0]
        if path.is_file() and number.isdecimal() and int(number) <= version:
            yield path
    hint = folder / _HINT
    if hint.is_file() and json.loads(hint.read_text(encoding="utf-8"))["version"] <= version:
        yield hint


def _pushed(storage: Storage) -> dict[str, str]:
    try:
        found: dict[str, str] = json.loads(storage.read_text(PUSHED))
    except FileNotFoundError:
        return {}
    return found


def _pushed_manifest(storage: Storage) -> dict[str, Any]:
    try:
        snapshot_id = storage.read_text(POINTER).strip()
        raw: dict[str, Any] = json.loads(storage.read_text(f"{MANIFESTS}/{snapshot_id}.json"))
    except FileNotFoundError:
        raise SnapshotError(
            f"no snapshot in {storage.url}; run `pingan push-snapshot` where it is built"
        ) from None
    except ValueError:
        raise SnapshotError(f"manifest {snapshot_id} in {storage.url} is damaged") from None
    if raw.get("checksum") != checksum(raw):
        raise SnapshotError(f"manifest {snapshot_id} in {storage.url} is damaged")
    if raw["schema_version"] != schema.SCHEMA_VERSION:
        raise SnapshotError(
            f"snapshot {snapshot_id} has schema version {raw['schema_version']}, this program "
            f"reads {schema.SCHEMA_VERSION}; install the same version on both machines"
        )
    if astray := [entry["path"] for entry in raw["files"] if not is_below(entry["path"])]:
        raise SnapshotError(f"snapshot {snapshot_id}: paths lead out of the home: {astray[:5]}")
    return raw


def _fetch(storage: Storage, entry: dict[str, Any], target: Path) -> None:
    waiting = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        if storage.fetch(entry["path"], waiting) != entry["sha256"]:
            raise SnapshotError(f"{entry['path']} in {storage.url} is damaged; push again")
        waiting.replace(target)
    except FileNotFoundError:
        raise SnapshotError(f"{entry['path']} is missing in {storage.url}; push again") from None
    finally:
        waiting.unlink(missing_ok=True)
    sync(target.parent)

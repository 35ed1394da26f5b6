"""
Backup of a home while it is in use.

Whatever changes is taken first and in one order, so that nothing that was taken names what was
not: the pointer and the manifests, the Delta log, the epochs, the ledgers (which are never behind
either), the intake log (which is never behind a ledger). Everything else never changes and is
copied after that, under the hash of its content: a further backup copies only what is new and
leaves the earlier ones whole. The listing is written last.
"""

from __future__ import annotations

import datetime as dt
import shutil
import sqlite3
import stat
import tempfile
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from data import issues
from data.intake import LOG
from data.locks import BACKUP, KEEPING, locked
from data.state.database import FILE as STATE_FILE
from data.storage import Storage, StorageError
from data.store import MANIFESTS, POINTER, file_sha256
from data.writer import new_snapshot_id
from etl.boundary_store import FOLDER as BOUNDARIES
from etl.keeping import contents
from etl.keeping.last import LastBackup, note
from etl.keeping.listing import (
    OBJECTS,
    BackupError,
    Kept,
    Listing,
    listing_ids,
    object_path,
    read_listing,
    write_listing,
)
from etl.ledger import EPOCHS

if TYPE_CHECKING:
    from collections.abc import Callable

ISSUED: Final = "issued"
SOURCE: Final = "source"
KEEP: Final = 14
"""Backups that stay in a target."""

_STAGING: Final = ".backup-"
_PRIVATE: Final = ("secret.key", "tokens.json")
_STATE: Final = STATE_FILE
"""Accounts, sessions and audit, where they are SQLite; a server's are backed up there."""
_FILES_DB: Final = "files.db"
_TRIES: Final = 5


@dataclass
class _Taken:
    """
    Files to copy.

    Attributes
    ----------
    copies
        Path in the home to the copy that was taken of a file that changes.
    named
        Files that never change.
    """

    home: Path
    staging: Path
    copies: dict[str, Path] = field(default_factory=dict)
    named: contents.Named = field(default_factory=dict)

    def copy(self, path: str) -> bool:
        """Take a copy of a small file; False where it is not there."""
        target = self.staging / path
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            shutil.copyfile(self.home / path, target)
        except FileNotFoundError:
            return False
        self.copies[path] = target
        return True

    def copy_database(self, path: str) -> Path | None:
        """Take a copy of an SQLite database as it stands between two transactions."""
        if not (self.home / path).is_file():
            return None
        target = self.staging / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.unlink(missing_ok=True)
        with (
            closing(sqlite3.connect(self.home / path, timeout=30)) as live,
            closing(sqlite3.connect(target)) as copied,
        ):
            live.backup(copied)
            # The copy is one file, without a journal beside it.
            copied.execute("PRAGMA journal_mode = DELETE")
        self.copies[path] = target
        return target

    def name(self, more: contents.Named) -> None:
        """Add files that never change."""
        for path, sha256 in more.items():
            self.named[path] = sha256 or self.named.get(path)


@dataclass(frozen=True)
class Done:
    """A finished backup: its listing, and what had to be copied for it."""

    listing: Listing
    copied_files: int
    copied_bytes: int
    dropped_backups: int


def backup(
    home: Path,
    target: str,
    *,
    now: dt.datetime | None = None,
    with_source: bool = False,
    keep: int = KEEP,
    tell: Callable[[str], None] | None = None,
) -> Done:
    """
    Back up a home; builds, pushes and readers go on meanwhile.

    Parameters
    ----------
    target
        Folder or bucket (see `data.storage.Storage`), of this home alone.
    with_source
        Also the raw files under `source/`, which may hold personal data.
    keep
        Backups that stay in the target; older ones and what only they name are deleted.
    tell
        Called with the name of each step when it is done.

    Raises
    ------
    BackupError
        A file is missing or damaged; the backup does not count, earlier ones stand.
    BusyError
        A retention run or another backup of this home is running.
    """
    home, storage, tell = home.resolve(), Storage(target), tell or (lambda _step: None)
    if storage.folder and (storage.folder == home or home in storage.folder.parents):
        raise BackupError(f"the target {target} lies in the home itself; choose another folder")
    if storage.folder:
        # It holds the session key and the senders' tokens.
        storage.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    moment = (now or dt.datetime.now(dt.UTC)).astimezone(dt.UTC)
    with locked(home, KEEPING, shared=True), locked(home, BACKUP):
        for left in home.glob(f"{_STAGING}*"):
            shutil.rmtree(left, ignore_errors=True)
        with tempfile.TemporaryDirectory(prefix=_STAGING, dir=home) as staging:
            taken = _Taken(home, Path(staging))
            snapshot, batches = _take(taken, tell)
            if with_source:
                taken.name(dict.fromkeys(contents.files_below(home, SOURCE)))
            kept, copied = _copy(taken, storage)
        tell("files")
        listing = Listing(
            new_snapshot_id(moment), moment.isoformat(timespec="seconds"), snapshot, batches, kept
        )
        write_listing(storage, listing)
        tell("listing")
        dropped = _thin(storage, keep=keep)
    note(home, LastBackup(moment, listing.id, target))
    return Done(listing, len(copied), sum(copied), dropped)


def _take(taken: _Taken, tell: Callable[[str], None]) -> tuple[str | None, int]:
    """Take everything that changes, in order; the published snapshot and the last batch."""
    home = taken.home
    published = contents.read_published(home)
    for snapshot_id, manifest in published.manifests.items():
        taken.named[f"{MANIFESTS}/{snapshot_id}.json"] = None
        taken.name(contents.named_by_manifest(manifest))
        for entry in manifest["tiles"]:
            # What the next build knows the archive by; without it, it is cut again.
            taken.copy(entry["path"].rpartition(".")[0] + ".sha256")
    tell("snapshots")
    for path in contents.files_below(home, contents.DELTA_LOG):
        # deltalake deletes expired entries; those are not needed.
        taken.copy(path)
    tell("delta log")
    taken.copy(f"{EPOCHS}/{contents.ACTIVATIONS}")
    for pattern in (f"*/{contents.EPOCH}", f"*/[0-9]*/{contents.RESERVED}"):
        for kept in (home / EPOCHS).glob(pattern):
            taken.named[kept.relative_to(home).as_posix()] = None
    for ledger in contents.ledgers(home):
        copied = taken.copy_database(ledger.relative_to(home).as_posix())
        taken.name(contents.named_by_ledger(copied) if copied else {})
    tell("ledgers")
    batches = _take_intake(taken)
    tell("intake")
    taken.copy_database(_FILES_DB)
    taken.copy_database(_STATE)
    for path in _PRIVATE:
        taken.copy(path)
    for folder in (BOUNDARIES, ISSUED, issues.FOLDER):
        found = contents.files_below(home, folder)
        # Names with a dot in front are not finished.
        taken.name({path: None for path in found if "/." not in path})
    if published.current is not None:
        pointer = taken.staging / POINTER
        pointer.write_text(published.current + "\n", encoding="utf-8")
        taken.copies[POINTER] = pointer
    return published.current, batches


def _take_intake(taken: _Taken) -> int:
    """Take the intake log, and the hashes that its last watermarks stand on; the last batch."""
    copied = taken.copy_database(LOG)
    if copied is None:
        return 0
    for _ in range(_TRIES):
        named = contents.named_by_intake(copied)
        ties = [path for path in named if path.startswith(f"{contents.TIES}/")]
        if all(taken.copy(path) for path in ties):
            break
        # A newer page of a view has deleted them; its batch is in the log by then.
        taken.copy_database(LOG)
    taken.name({path: sha256 for path, sha256 in named.items() if path not in ties})
    with closing(sqlite3.connect(copied)) as log:
        return int(log.execute("SELECT coalesce(max(batch), 0) FROM batches").fetchone()[0])


def _copy(taken: _Taken, storage: Storage) -> tuple[tuple[Kept, ...], list[int]]:
    """Copy what the target lacks; every file of the backup, and the sizes of what was copied."""
    present = storage.sizes(OBJECTS)
    files = {path: (taken.home / path, sha256) for path, sha256 in taken.named.items()}
    files |= {path: (source, None) for path, source in taken.copies.items()}
    kept: list[Kept] = []
    copied: list[int] = []
    faults: list[str] = []
    for path in sorted(files, key=lambda path: (path == POINTER, path)):
        source, stated = files[path]
        try:
            size = source.stat().st_size
            sha256 = stated or file_sha256(source)
            stored = object_path(sha256)
            if present.get(stored) != size:
                storage.put(stored, source, sha256=sha256)
                present[stored] = size
                copied.append(size)
        except FileNotFoundError:
            faults.append(f"{path} is missing")
        except StorageError:
            faults.append(f"{path} is damaged (sha256 differs)")
        else:
            kept.append(Kept(path, sha256, size, _mode(path, source)))
    if faults:
        raise BackupError(
            f"{len(faults)} of {len(files)} files cannot be backed up: {'; '.join(faults[:5])}; "
            "earlier backups stand; restore one, or build again and run `pingan prune --keep 1`"
        )
    return tuple(kept), copied


def _mode(path: str, source: Path) -> int | None:
    """Mode of private files and of those that nobody may change; the others get the usual one."""
    if path.rpartition("/")[2] in (*_PRIVATE, _STATE):
        return 0o600
    mode = stat.S_IMODE(source.stat().st_mode)
    return None if mode & 0o222 else mode


def _thin(storage: Storage, *, keep: int) -> int:
    """Delete older backups, and then the objects that no other backup names."""
    ids = listing_ids(storage)
    old = ids[: -max(keep, 1)]
    if not old:
        return 0
    dropped = [read_listing(storage, backup_id).objects() for backup_id in old]
    standing = [read_listing(storage, backup_id).objects() for backup_id in ids[len(old) :]]
    for backup_id in old:
        storage.delete(f"backups/{backup_id}.json")
    named = {path for objects in standing for path in objects}
    present = storage.sizes(OBJECTS)
    for path in sorted({path for objects in dropped for path in objects} - named):
        if path in present:
            storage.delete(path)
    return len(old)


def summary(done: Done) -> dict[str, Any]:
    """Figures of a backup for the console."""
    listing = done.listing
    return {
        "backup": listing.id,
        "snapshot": listing.snapshot,
        "batches": listing.batches,
        "files": len(listing.files),
        "bytes": listing.size,
        "copied_files": done.copied_files,
        "copied_bytes": done.copied_bytes,
        "dropped_backups": done.dropped_backups,
    }

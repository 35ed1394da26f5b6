"""Restore of a home from a backup: checked whole first, then moved into place, the pointer last."""

from __future__ import annotations

import datetime as dt
import shutil
from typing import TYPE_CHECKING, Final

from data.locks import BACKUP, KEEPING, locked
from data.storage import Storage
from data.store import POINTER
from data.writer import sync
from etl.keeping.listing import BackupError, Listing, object_path, read_listing
from etl.publish import LOCK, writer_lock

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ASIDE: Final = "replaced-"
_WAITING: Final = ".restore"


def check_backup(target: str, *, backup_id: str | None = None) -> Listing:
    """
    Read every byte of a backup and compare it with the listing.

    Raises
    ------
    BackupError
        Files are missing or damaged; the message lists them.
    """
    storage = Storage(target)
    listing = read_listing(storage, backup_id)
    _refuse(listing, _compare(listing, lambda sha256, _path: storage.sha256(object_path(sha256))))
    return listing


def restore(
    target: str,
    home: Path,
    *,
    backup_id: str | None = None,
    force: bool = False,
    now: dt.datetime | None = None,
) -> Listing:
    """
    Put a backup into an empty home.

    Parameters
    ----------
    target
        As given to `backup`.
    backup_id
        By default the newest.
    force
        Where the home is not empty, its content is kept aside in `replaced-<time>` under it.

    Raises
    ------
    BackupError
        The home is not empty, or the backup is missing or damaged; the home is as it was.
    BusyError, WriterBusyError
        Something is writing under the home.
    """
    home, storage = home.resolve(), Storage(target)
    listing = read_listing(storage, backup_id)
    moment = now or dt.datetime.now(dt.UTC)
    with writer_lock(home), locked(home, KEEPING), locked(home, BACKUP):
        present = _entries(home)
        if present and not force:
            raise BackupError(
                f"{home} is not empty ({', '.join(path.name for path in present[:5])}); "
                "choose another folder, or --force to keep what is there aside"
            )
        waiting = home / _WAITING
        shutil.rmtree(waiting, ignore_errors=True)
        waiting.mkdir(mode=0o700)
        try:
            faults = _compare(
                listing,
                lambda sha256, path: storage.fetch(object_path(sha256), waiting / path),
            )
            _refuse(listing, faults)
            _finish(listing, waiting)
            _set_aside(present, home / f"{ASIDE}{moment.astimezone(dt.UTC):%Y%m%dT%H%M%SZ}")
            for path in sorted(waiting.iterdir(), key=lambda path: path.name == POINTER):
                path.rename(home / path.name)
            sync(home)
        finally:
            shutil.rmtree(waiting, ignore_errors=True)
    return listing


def _compare(listing: Listing, digest: Callable[[str, str], str]) -> list[str]:
    faults = []
    for file in listing.files:
        try:
            if digest(file.sha256, file.path) != file.sha256:
                faults.append(f"{file.path} is damaged (sha256 differs)")
        except FileNotFoundError:
            faults.append(f"{file.path} is missing")
    return faults


def _refuse(listing: Listing, faults: list[str]) -> None:
    if faults:
        raise BackupError(
            f"backup {listing.id}: {len(faults)} of {len(listing.files)} files do not hold: "
            f"{'; '.join(faults)}; choose another backup by its id"
        )


def _finish(listing: Listing, waiting: Path) -> None:
    """Give private files their mode and put every name on disk."""
    for file in listing.files:
        if file.mode is not None:
            (waiting / file.path).chmod(file.mode)
    for folder in [*(path for path in waiting.rglob("*") if path.is_dir()), waiting]:
        sync(folder)


def _entries(home: Path) -> list[Path]:
    """Everything under a home but its locks, what was kept aside, and a killed restore's files."""
    locks = {LOCK, KEEPING, BACKUP, _WAITING}
    return sorted(
        path
        for path in home.iterdir()
        if path.name not in locks and not path.name.startswith(ASIDE)
    )


def _set_aside(present: list[Path], folder: Path) -> None:
    """Move the old home aside, its pointer first: then nobody opens a half of it."""
    if not present:
        return
    folder.mkdir()
    for path in sorted(present, key=lambda path: path.name != POINTER):
        path.rename(folder / path.name)
    sync(folder)

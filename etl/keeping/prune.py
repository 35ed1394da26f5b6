"""
Pruning: what retention does not keep is deleted, in an order that leaves the rest whole.

Manifests go first, then the ledgers, then the files that nothing kept names. A run that is killed
leaves files without a name; the next run deletes them. Landed batches, frozen maps and the entries
of the Delta log are never deleted here: deltalake itself drops entries that have expired.
"""

from __future__ import annotations

import datetime as dt
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from data.intake import Intake
from data.locks import KEEPING, locked
from data.store import MANIFESTS, SNAPSHOTS
from data.writer import sync
from etl.boundary_store import FOLDER as BOUNDARIES
from etl.keeping import contents
from etl.keeping.retention import Retention, kept_boundaries, kept_epochs, kept_snapshots
from etl.ledger import EPOCHS
from etl.months import INCIDENTS
from etl.publish import writer_lock
from etl.run import sweep_staging

if TYPE_CHECKING:
    from pathlib import Path

TILES: Final = "tiles"
_INPUTS: Final = "inputs"


@dataclass(frozen=True)
class Pruned:
    """
    What was deleted, or would be.

    Attributes
    ----------
    kept
        Ids of the snapshots that stand.
    files, bytes
        By kind, in the order of deletion: manifests, ledgers, snapshots, tiles, boundaries,
        incidents.
    """

    kept: list[str]
    files: dict[str, int]
    bytes: dict[str, int]


@dataclass(frozen=True)
class _Kept:
    """What stands: snapshots, epochs, boundary versions (None = all), and every named file."""

    snapshots: list[str]
    epochs: set[str]
    boundaries: set[str] | None
    named: set[str]


def prune(
    home: Path,
    retention: Retention | None = None,
    *,
    now: dt.datetime | None = None,
    dry_run: bool = False,
) -> Pruned:
    """
    Delete what the retention does not keep.

    Parameters
    ----------
    dry_run
        Only tell what would be deleted.

    Raises
    ------
    WriterBusyError, BusyError
        A build, backup or copy is running under this home.
    SnapshotError
        The published snapshot's manifest is missing or damaged; nothing is deleted.
    """
    home = home.resolve()
    with writer_lock(home), locked(home, KEEPING):
        kept = _kept(home, retention or Retention(), now or dt.datetime.now(dt.UTC))
        doomed = _doomed(home, kept)
        sizes = {
            kind: sum((home / path).stat().st_size for path in paths)
            for kind, paths in doomed.items()
        }
        if not dry_run:
            sweep_staging(home)
            # What a kill left of a batch that never came into the log.
            Intake(home).sweep(now or dt.datetime.now(dt.UTC))
            _reserve(home, kept.epochs)
            for paths in doomed.values():
                _delete(home, paths)
            _remove_empty(home)
    return Pruned(kept.snapshots, {kind: len(paths) for kind, paths in doomed.items()}, sizes)


def _kept(home: Path, retention: Retention, now: dt.datetime) -> _Kept:
    published = contents.read_published(home)
    snapshots = kept_snapshots(home, published, retention, now)
    manifests = [published.manifests[name] for name in snapshots]
    epochs = kept_epochs(home, published, now - dt.timedelta(days=retention.days))
    # Readers outside see the Delta table as it is now, whichever epoch it shows.
    named = contents.named_by_delta(home)
    for manifest in manifests:
        named |= contents.named_by_manifest(manifest).keys()
    for epoch in epochs:
        ledger = _newest(home, epoch) / contents.LEDGER
        named |= contents.named_by_ledger(ledger).keys() if ledger.is_file() else set()
    return _Kept(snapshots, epochs, kept_boundaries(home, manifests, epochs), named)


def _doomed(home: Path, kept: _Kept) -> dict[str, list[str]]:
    """Files to delete by kind, in order."""
    manifests = {f"{MANIFESTS}/{name}.json" for name in kept.snapshots}
    versions, named = kept.boundaries, kept.named
    ledgers = [path for path in contents.files_below(home, EPOCHS) if not _stays(home, path, kept)]
    return {
        "manifests": [
            path for path in contents.files_below(home, MANIFESTS) if path not in manifests
        ],
        # Without its database a generation is no longer read, whatever else is left of it.
        "ledgers": sorted(ledgers, key=lambda path: (not path.endswith(contents.LEDGER), path)),
        "snapshots": [path for path in contents.files_below(home, SNAPSHOTS) if path not in named],
        "tiles": [
            path
            for path in contents.files_below(home, TILES)
            if path not in named and versions is not None and path.split("/")[1] not in versions
        ],
        "boundaries": [
            path
            for path in contents.files_below(home, BOUNDARIES)
            if versions is not None and _version_of(home, path) not in versions
        ],
        "incidents": [
            path
            for path in contents.files_below(home, INCIDENTS)
            if path not in named and path.startswith(f"{INCIDENTS}/month=")
        ],
    }


def _stays(home: Path, path: str, kept: _Kept) -> bool:
    """Whether a file under `epochs/` stays."""
    file = home / path
    if path in kept.named or file.name == contents.ACTIVATIONS:
        return True
    epoch = path.split("/")[1]
    if file.parent.name == epoch:
        return epoch in kept.epochs and file.name == contents.EPOCH
    is_newest = file.parent == _newest(home, epoch)
    if file.name == contents.RESERVED:
        return is_newest
    return is_newest and epoch in kept.epochs and file.name.startswith(contents.LEDGER)


def _version_of(home: Path, path: str) -> str:
    """Boundary version that a file under `boundaries/` belongs to."""
    folder = path.split("/")[1]
    return (home / path).read_text(encoding="utf-8").strip() if folder == _INPUTS else folder


def _newest(home: Path, epoch: str) -> Path:
    folder = home / EPOCHS / epoch
    numbers = [int(path.name) for path in folder.glob("[0-9]*") if path.is_dir()]
    return folder / str(max(numbers, default=0))


def _reserve(home: Path, epochs: set[str]) -> None:
    """
    Let the epochs that end go on with another generation, should they ever come back.

    Kept snapshots may name files of the generation that ends; the same names must not be given to
    other content.
    """
    for ledger in contents.ledgers(home):
        newest = _newest(home, ledger.parent.parent.name)
        if ledger.parent.parent.name not in epochs and ledger.parent == newest:
            following = newest.with_name(str(int(newest.name) + 1))
            following.mkdir(exist_ok=True)
            (following / contents.RESERVED).touch()
            for folder in (following, following.parent):
                sync(folder)


def _delete(home: Path, paths: list[str]) -> None:
    for path in paths:
        if path.endswith(contents.LEDGER):
            # A journal that outlives its database would be read into the next one.
            with closing(sqlite3.connect(home / path, timeout=30)) as log:
                log.execute("PRAGMA journal_mode = DELETE")
        (home / path).unlink(missing_ok=True)
    for folder in {(home / path).parent for path in paths}:
        sync(folder)


def _remove_empty(home: Path) -> None:
    for root in (SNAPSHOTS, TILES, BOUNDARIES, EPOCHS, INCIDENTS):
        folders = [path for path in (home / root).rglob("*") if path.is_dir()]
        for folder in sorted(folders, key=lambda path: len(path.parts), reverse=True):
            if not any(folder.iterdir()):
                folder.rmdir()

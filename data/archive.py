"""Earlier snapshots that are still kept: what was known then."""

from __future__ import annotations

import datetime as dt
import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from data.manifest import SnapshotError
from data.store import MANIFESTS

if TYPE_CHECKING:
    from pathlib import Path

    from data.store import Snapshot, Store

MOST: Final = 60
"""Days that are looked back on at most."""


@dataclass(frozen=True)
class Kept:
    """An earlier snapshot: its id, when it was made, and the last day that it knows of."""

    id: str
    made_at: dt.datetime
    as_of: dt.date
    versions: frozenset[str]
    """Of its boundaries and of its cells, as addresses of tiles name them."""


@dataclass(frozen=True)
class Archive:
    """The earlier snapshots of a store."""

    store: Store

    def earlier(self, now: Snapshot) -> tuple[Kept, ...]:
        """
        Snapshots before one, the last of each day on which any was made, the newest first.

        Those that cannot be read, or were made by another version of the tables, are left out.
        """
        folder = self.store.home / MANIFESTS
        names = sorted((path.stem for path in folder.glob("*.json")), reverse=True)
        found: dict[dt.date, Kept] = {}
        for name in (name for name in names if name < now.id):
            kept = _read(self.store, folder / f"{name}.json")
            if kept is not None:
                found.setdefault(kept.made_at.date(), kept)
            if len(found) == MOST:
                break
        return tuple(found.values())

    def of_version(self, version: str) -> Snapshot:
        """
        Snapshot whose tiles have this version: the current one, or one that is looked back on.

        Raises
        ------
        SnapshotError
            There is none.
        """
        try:
            return self.store.of_version(version)
        except SnapshotError:
            for kept in self.earlier(self.store.current()):
                if version in kept.versions:
                    return self.store.past(kept.id)
            raise

    def open(self, now: Snapshot, snapshot_id: str) -> Snapshot:
        """
        Open one of them beside the current one.

        Raises
        ------
        LookupError
            It is none of them, or it cannot be opened.
        """
        if snapshot_id not in {kept.id for kept in self.earlier(now)}:
            raise LookupError(f"there is no snapshot {snapshot_id}")
        try:
            return self.store.past(snapshot_id)
        except SnapshotError as error:
            raise LookupError(str(error)) from error


@functools.lru_cache(maxsize=512)
def _read(store: Store, path: Path) -> Kept | None:
    """A manifest never changes."""
    try:
        raw = store.manifest(path.stem).raw
        if raw.get("current") is False:
            return None
        made_at = dt.datetime.fromisoformat(raw["created_at"])
        versions = frozenset({path.stem, raw["boundary_version"], raw["cell_version"]})
        return Kept(path.stem, made_at, dt.date.fromisoformat(raw["periods"]["as_of"]), versions)
    except (SnapshotError, KeyError, ValueError):
        return None

"""Listing: what one backup consists of, as it stands in its target."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from data.manifest import checksum
from data.storage import is_below

if TYPE_CHECKING:
    from data.storage import Storage

NEWEST: Final = "backup.json"
LISTINGS: Final = "backups"
OBJECTS: Final = "objects"
FORMAT: Final = 1


class BackupError(RuntimeError):
    """A backup cannot be made or used; the message lists the files."""


@dataclass(frozen=True)
class Kept:
    """One file of a home in a backup; `mode` is the file's where others must not read it."""

    path: str
    sha256: str
    size: int
    mode: int | None = None


@dataclass(frozen=True)
class Listing:
    """
    One backup.

    Attributes
    ----------
    id
        Sorts by time.
    snapshot
        Published snapshot; None where nothing was published.
    batches
        Number of the last landed batch.
    files
        The pointer last.
    """

    id: str
    created_at: str
    snapshot: str | None
    batches: int
    files: tuple[Kept, ...]

    @property
    def size(self) -> int:
        """Bytes of the home."""
        return sum(file.size for file in self.files)

    def objects(self) -> dict[str, int]:
        """Stored object to its size: the same content is stored once."""
        return {object_path(file.sha256): file.size for file in self.files}


def object_path(sha256: str) -> str:
    """Name under which content is stored."""
    return f"{OBJECTS}/{sha256[:2]}/{sha256}"


def write_listing(storage: Storage, listing: Listing) -> None:
    """Write a listing under its id, then as the newest one, which makes the backup count."""
    stored: dict[str, Any] = {"format": FORMAT, **asdict(listing)}
    stored = json.loads(json.dumps(stored))
    stored["checksum"] = checksum(stored)
    text = json.dumps(stored, ensure_ascii=False, indent=1)
    storage.put_text(f"{LISTINGS}/{listing.id}.json", text)
    storage.put_text(NEWEST, text)


def listing_ids(storage: Storage) -> list[str]:
    """Ids of the backups in a target, oldest first."""
    names = (path.rpartition("/")[2] for path in storage.sizes(LISTINGS))
    return sorted(name.removesuffix(".json") for name in names)


def read_listing(storage: Storage, backup_id: str | None = None) -> Listing:
    """
    Read the listing of a backup, by default of the newest.

    Raises
    ------
    BackupError
        There is none, it is damaged, or a path leads out of the home.
    """
    path = NEWEST if backup_id is None else f"{LISTINGS}/{backup_id}.json"
    try:
        raw = json.loads(storage.read_text(path))
    except FileNotFoundError:
        known = ", ".join(listing_ids(storage)[-5:]) or "none"
        raise BackupError(f"{storage.url} has no {path}; backups there: {known}") from None
    except ValueError:
        raw = None
    if not isinstance(raw, dict) or raw.get("checksum") != checksum(raw):
        raise BackupError(f"{path} of {storage.url} is damaged; choose another backup by its id")
    if raw["format"] != FORMAT:
        raise BackupError(f"{path} has format {raw['format']}, this program reads {FORMAT}")
    files = tuple(Kept(**entry) for entry in raw["files"])
    if astray := [file.path for file in files if not is_below(file.path)]:
        raise BackupError(f"{path}: {len(astray)} paths lead out of the home: {astray[:5]}")
    kept = {name: raw[name] for name in ("id", "created_at", "snapshot", "batches")}
    return replace(Listing(**kept, files=()), files=files)

"""
Uploaded files that wait for the pipeline, and what became of them.

A file lies under `uploads/<source>/` by a name of our own, from the moment it is whole and checked
until it is taken in or refused; then it is deleted, because it may name persons. What stays is a
record: its name, size and outcome.
"""

from __future__ import annotations

import contextlib
import dataclasses
import datetime as dt
import hashlib
import json
import os
import re
import secrets
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, Self

from data.source import SUFFIXES
from data.upload_error import UploadError
from data.uploads import MAX_BYTES, check_file, too_large
from data.writer import replace_text, sync

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path
    from types import TracebackType

State = Literal["waiting", "taken", "refused"]

UPLOADS: Final = "uploads"
MOST_WAITING: Final = 50
"""Files of one source that may wait: twenty megabytes each."""
MOST_RECORDS: Final = 200

_WRITING: Final = threading.Lock()
"""Two threads that write one record would share its temporary name."""
_SHOWN: Final = "upload "
_LOST: Final = "its storing was interrupted; upload it again"
_TEMPORARY: Final = ".tmp"
_RECORDS: Final = ".records"
_LEFT_AFTER: Final = dt.timedelta(hours=1)
_DIGITS: Final = 16
_NAME: Final = re.compile(f"[0-9a-f]{{{_DIGITS}}}(?:{'|'.join(map(re.escape, SUFFIXES))})")


@dataclass(frozen=True)
class Record:
    """
    What became of one uploaded file.

    Attributes
    ----------
    name
        As accounts and messages name it.
    sha256
        Of its content.
    at
        When it was stored, UTC.
    batch
        Number in the intake log once it is taken in.
    told
        Why it was refused.
    """

    source: str
    name: str
    sha256: str
    size: int
    at: dt.datetime
    state: State = "waiting"
    batch: int | None = None
    told: str = ""


class Arriving:
    """
    A file that is being received, for its owner alone; deleted unless it is kept.

    Nobody else's claim of its length counts: bytes are counted as they come.
    """

    def __init__(self, home: Path, now: dt.datetime) -> None:
        self._home = home
        self._folder = home / UPLOADS / _TEMPORARY
        _make(self._folder)
        _sweep(self._folder, now)
        self.path = self._folder / secrets.token_hex(16)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
        self._stream = os.fdopen(os.open(self.path, flags, 0o600), "wb")
        self._hash = hashlib.sha256()
        self.size = 0

    def write(self, block: bytes) -> None:
        """
        Add bytes.

        Raises
        ------
        UploadError
            There are more than the limit.
        """
        self.size += len(block)
        if self.size > MAX_BYTES:
            raise too_large()
        self._hash.update(block)
        self._stream.write(block)

    @property
    def sha256(self) -> str:
        """Hash of what came so far."""
        return self._hash.hexdigest()

    def check(self, ending: str) -> None:
        """
        Put the whole file on disk and check it.

        Raises
        ------
        UploadError
            It is not what its ending says, or could do harm when it is read.
        """
        self._stream.flush()
        os.fsync(self._stream.fileno())
        self._stream.close()
        check_file(self.path, ending)

    def keep(self, source: str, ending: str, now: dt.datetime) -> Record:
        """
        Put the checked file where the pipeline finds it; on disk when this returns.

        Raises
        ------
        UploadError
            Too many files wait already.
        """
        folder = self._home / UPLOADS / source
        _make(folder)
        target = folder / f"{self.sha256[:_DIGITS]}{ending}"
        if not target.exists() and len(waiting(self._home, source)) >= MOST_WAITING:
            raise UploadError("many_waiting", most=MOST_WAITING)
        record = Record(source, shown(target), self.sha256, self.size, now)
        # Before the file, so that what is taken in at once is not told to be waiting.
        write_record(self._home, record)
        self.path.replace(target)
        for place in (folder, folder.parent, self._home):
            sync(place)
        return record

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Delete what was not kept."""
        self._stream.close()
        self.path.unlink(missing_ok=True)


def shown(path: Path) -> str:
    """Name of an uploaded file in accounts and messages."""
    return f"{_SHOWN}{path.name}"


def waiting(home: Path, source: str) -> list[Path]:
    """Uploaded files of a source, in the order of their arrival."""
    found: list[tuple[int, Path]] = []
    folder = home / UPLOADS / source
    # A folder that nobody uploaded to does not exist, and a file may be gone at the second look.
    with contextlib.suppress(FileNotFoundError):
        for path in folder.iterdir():
            with contextlib.suppress(FileNotFoundError):
                if _NAME.fullmatch(path.name) and path.is_file() and not path.is_symlink():
                    found.append((path.stat().st_mtime_ns, path))
    return [path for _, path in sorted(found)]


def is_upload(home: Path, path: Path) -> bool:
    """Whether a file is one that was uploaded."""
    return path.parent.parent == home / UPLOADS


def settle(
    home: Path, path: Path, now: dt.datetime, *, batch: int | None = None, told: str = ""
) -> None:
    """
    Write down what became of an uploaded file, then delete it and what a reader put beside it.

    Parameters
    ----------
    batch
        Where it was taken in; None = it was refused, as `told` says.
    """
    source = path.parent.name
    found = _read_record(_record_path(home, source, path.name))
    if found is None:
        found = Record(source, shown(path), "", path.stat().st_size if path.exists() else 0, now)
    state: State = "refused" if batch is None else "taken"
    write_record(home, dataclasses.replace(found, state=state, batch=batch, told=told))
    for left in path.parent.glob(f"{path.name}*"):
        left.unlink(missing_ok=True)
    sync(path.parent)


def waiting_elsewhere(home: Path, sources: Collection[str]) -> list[Path]:
    """Uploaded files that wait for other sources than these."""
    with contextlib.suppress(FileNotFoundError):
        folders = sorted((home / UPLOADS).iterdir())
        others = [one for one in folders if one.name not in sources and one.name[0] != "."]
        return [path for folder in others for path in waiting(home, folder.name)]
    return []


def records(home: Path, source: str, *, limit: int) -> list[Record]:
    """Uploads of a source, newest first; one whose file got lost before it was taken in is told."""
    folder = home / UPLOADS / _RECORDS / source
    found = [record for path in folder.glob("*.json") if (record := _read_record(path))]
    found.sort(key=lambda record: record.at, reverse=True)
    return [_with_loss(home, record) for record in found[:limit]]


def write_record(home: Path, record: Record) -> None:
    """Write a record anew; the oldest ones of the source go."""
    path = _record_path(home, record.source, record.name.removeprefix(_SHOWN))
    values = dataclasses.asdict(record) | {"at": record.at.isoformat()}
    with _WRITING:
        _make(path.parent)
        replace_text(path, json.dumps(values, ensure_ascii=False))
    kept = records(home, record.source, limit=1 << 30)
    for old in kept[MOST_RECORDS:]:
        name = old.name.removeprefix(_SHOWN)
        _record_path(home, record.source, name).unlink(missing_ok=True)


def _with_loss(home: Path, record: Record) -> Record:
    path = home / UPLOADS / record.source / record.name.removeprefix(_SHOWN)
    if record.state != "waiting" or path.exists():
        return record
    return dataclasses.replace(record, state="refused", told=_LOST)


def _record_path(home: Path, source: str, name: str) -> Path:
    return home / UPLOADS / _RECORDS / source / f"{name}.json"


def _read_record(path: Path) -> Record | None:
    """A record; None where there is none that can be read: no decision rests on it."""
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        return Record(**values | {"at": dt.datetime.fromisoformat(values["at"])})
    except (OSError, ValueError, TypeError, KeyError):
        return None


def _make(folder: Path) -> None:
    if not folder.is_dir():
        _make(folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)


def _sweep(folder: Path, now: dt.datetime) -> None:
    """Delete what a killed process left."""
    for path in folder.iterdir():
        with contextlib.suppress(FileNotFoundError):
            if now.timestamp() - path.stat().st_mtime > _LEFT_AFTER.total_seconds():
                path.unlink()

"""
What is known of files: their content hashes, since when they are quiet, and which of them failed.

A file is hashed again when anything of its `stat` has changed. All of it can be deleted at any
time: the intake log alone decides what was taken in.
"""

from __future__ import annotations

import datetime as dt
import sqlite3
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from data.seals import told
from data.store import file_sha256

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FILE: Final = "files.db"
SETTLED_AFTER: Final = dt.timedelta(seconds=5)
"""A file in a watched folder is taken in when it has not changed for so long."""

_COARSEST_CLOCK: Final = dt.timedelta(seconds=2)
"""Some file systems count in steps of 2 s: a younger hash may have missed a change."""

_TABLES: Final = """
CREATE TABLE IF NOT EXISTS hashes (
    path TEXT PRIMARY KEY, stamp TEXT NOT NULL, sha256 TEXT NOT NULL, is_sure INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS sightings (
    path TEXT PRIMARY KEY, stamp TEXT NOT NULL, first_seen TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS failures (
    source TEXT NOT NULL, path TEXT NOT NULL, attempt TEXT NOT NULL, reason TEXT NOT NULL,
    failed_at TEXT NOT NULL, PRIMARY KEY (source, path)
);
"""


@dataclass(frozen=True)
class Failure:
    """A file that could not be taken in; `attempt` names its content and the source's rules."""

    source: str
    path: str
    attempt: str
    reason: str
    failed_at: str


class KnownFiles:
    """Memory of the files that one home has looked at; safe to use from several processes."""

    def __init__(self, home: Path) -> None:
        self._home = home

    def content(self, path: Path, now: dt.datetime) -> str:
        """
        SHA-256 of a file; read only when its `stat` is another than at the last time.

        Raises
        ------
        OSError
            The file cannot be read.
        """
        stamp, changed_at = _stamp(path)
        with self._open() as memory:
            row = memory.execute(
                "SELECT sha256 FROM hashes WHERE path = ? AND stamp = ? AND is_sure",
                (str(path), stamp),
            ).fetchone()
            if row is not None:
                return str(row[0])
        digest = file_sha256(path)
        is_sure = now - changed_at > _COARSEST_CLOCK and _stamp(path)[0] == stamp
        with self._open() as memory:
            memory.execute(
                "INSERT OR REPLACE INTO hashes VALUES (?, ?, ?, ?)",
                (str(path), stamp, digest, is_sure),
            )
        return digest

    def holds(self, path: Path, content: str) -> bool:
        """Whether a file still is what it was when `content` returned this hash."""
        with self._open() as memory:
            row = memory.execute("SELECT stamp FROM hashes WHERE path = ?", (str(path),)).fetchone()
            unchanged = row is None or row[0] == _stamp(path)[0]
            # Read again: what was kept of the file decides what is taken in, and may be damaged.
            if unchanged and file_sha256(path) == content:
                return True
            memory.execute("DELETE FROM hashes WHERE path = ?", (str(path),))
        return False

    def is_settled(self, path: Path, now: dt.datetime) -> bool:
        """Whether nobody seems to write to a file any more."""
        stamp, changed_at = _stamp(path)
        if changed_at <= now - SETTLED_AFTER:
            return True
        # Its clock may be ahead of ours: then what counts is how long we have seen it unchanged.
        with self._open() as memory:
            row = memory.execute(
                "SELECT stamp, first_seen FROM sightings WHERE path = ?", (str(path),)
            ).fetchone()
            if row is not None and row[0] == stamp:
                return dt.datetime.fromisoformat(row[1]) <= now - SETTLED_AFTER
            memory.execute(
                "INSERT OR REPLACE INTO sightings VALUES (?, ?, ?)",
                (str(path), stamp, now.isoformat()),
            )
        return False

    def note_failure(self, failure: Failure) -> None:
        """Keep why a file could not be taken in; an earlier reason is replaced."""
        values = (
            failure.source, failure.path, failure.attempt, failure.reason, failure.failed_at,
        )  # fmt: skip
        with self._open() as memory:
            memory.execute("INSERT OR REPLACE INTO failures VALUES (?, ?, ?, ?, ?)", values)

    def forget_failure(self, source: str, path: Path) -> None:
        """Forget a failure, because the file is in, or gone."""
        with self._open() as memory:
            memory.execute(
                "DELETE FROM failures WHERE source = ? AND path = ?", (source, str(path))
            )

    def failures(self) -> list[Failure]:
        """Files that could not be taken in, by source and path."""
        with self._open() as memory:
            rows = memory.execute(
                "SELECT source, path, attempt, reason, failed_at FROM failures ORDER BY 1, 2"
            ).fetchall()
        return [Failure(*row) for row in rows]

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        self._home.mkdir(parents=True, exist_ok=True)
        path = self._home / FILE
        with (
            told(path, remedy="delete it; it is made anew"),
            closing(sqlite3.connect(path, timeout=30, isolation_level=None)) as memory,
        ):
            memory.executescript(_TABLES)
            yield memory


def _stamp(path: Path) -> tuple[str, dt.datetime]:
    """Everything of `stat` that a change of content changes, and the time of the last change."""
    found = path.stat()
    changed_at = dt.datetime.fromtimestamp(found.st_mtime, dt.UTC)
    return f"{found.st_ino}:{found.st_size}:{found.st_mtime_ns}:{found.st_ctime_ns}", changed_at

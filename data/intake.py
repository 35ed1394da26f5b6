"""
Intake: everything that was ever taken in, in order, never changed afterwards.

A batch is what arrived at once: a file, a push, a page of a database view. Its allowed columns are
written as they stand (personal numbers and long texts removed, refused classes left out) to
Parquet, flushed, and named by one row of the log. From that row on the batch is safe: whatever is
computed from it can be computed again. The log is an SQLite database, because several processes
(the pipeline, the web) take in at the same time and a repeated arrival must be found.
"""

from __future__ import annotations

import datetime as dt
import json
import secrets
import shutil
import sqlite3
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np

from data.landing import write_chunks
from data.seals import check_database, seal, told
from data.write_ahead import write_ahead

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    import pyarrow as pa
    from numpy.typing import NDArray

    from data.source import Source

Kind = Literal["file", "push", "view", "topic"]

LOG: Final = "intake.db"
LANDED: Final = "landed"
CHUNK_ROWS: Final = 262_144
"""Rows of a landed file: the unit of work and of memory of everything that follows."""

_ORPHAN_AGE: Final = dt.timedelta(days=1)
_REMEDY: Final = "restore a backup"
_COLUMNS: Final = (
    "batch", "source", "kind", "name", "content", "idempotency_key", "watermark", "ingested_at",
    "read", "refused", "malformed", "chunks",
)  # fmt: skip
_TABLE: Final = """
CREATE TABLE IF NOT EXISTS batches (
    batch INTEGER PRIMARY KEY AUTOINCREMENT,
    source TEXT NOT NULL,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    content TEXT NOT NULL,
    idempotency_key TEXT,
    watermark TEXT,
    ingested_at TEXT NOT NULL,
    read INTEGER NOT NULL,
    refused TEXT NOT NULL,
    malformed TEXT NOT NULL,
    chunks TEXT NOT NULL,
    seal TEXT NOT NULL,
    UNIQUE (source, content),
    UNIQUE (source, idempotency_key)
)
"""


class IntakeError(ValueError):
    """A batch cannot be taken in; nothing of it is kept."""


@dataclass(frozen=True)
class RawChunk:
    """
    Some rows of a file or batch as they stand in it.

    Attributes
    ----------
    rows
        Columns by our names (`published_<level>` for published codes), typed as the file types
        them (text where it does not), and `row`: 1-based number among the data rows of the file.
    malformed
        Numbers of rows that cannot be read at all; they are not in `rows`.
    """

    rows: pa.Table
    malformed: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, dtype=np.int64))


@dataclass(frozen=True)
class Batch:
    """
    One row of the log.

    Attributes
    ----------
    number
        1, 2, 3 … in order of arrival.
    name
        File name, or what stands for it (`push 2026-11-16`).
    content
        Hash of the content: the same content of a source is taken in once.
    watermark
        Last value of the view's or topic's growing column.
    ingested_at
        UTC; never earlier than that of the batch before, whatever the clock does.
    read
        Data rows that arrived.
    refused
        Reason to number of rows that were turned away at the door; nothing of them is stored.
    malformed
        Numbers of unreadable rows.
    chunks
        Landed files, relative to the home, with `rows` and `sha256` each.
    """

    number: int
    source: str
    kind: Kind
    name: str
    content: str
    watermark: str | None
    ingested_at: dt.datetime
    read: int
    refused: dict[str, int]
    malformed: tuple[int, ...]
    chunks: tuple[dict[str, Any], ...]


@dataclass(frozen=True)
class Landed:
    """A batch on disk that is not in the log yet: its folder, and its row of the log."""

    folder: str
    row: dict[str, Any]


class Intake:
    """The log and the landed files under one home; safe to use from several processes."""

    def __init__(self, home: Path) -> None:
        self.home = home

    def bind(self, city_code: str) -> None:
        """
        Let the home belong to one city for ever: incidents of two would be one in every count.

        Raises
        ------
        IntakeError
            It belongs to another city.
        """
        with self._open() as log:
            log.execute("CREATE TABLE IF NOT EXISTS owner (city TEXT NOT NULL)")
            log.execute(
                "INSERT INTO owner SELECT ? WHERE NOT EXISTS (SELECT * FROM owner)", (city_code,)
            )
            owner = log.execute("SELECT city FROM owner").fetchone()[0]
        if owner != city_code:
            raise IntakeError(
                f"this home holds the city {owner}, not {city_code}; give each city a home of its "
                "own (PINGAN_HOME)"
            )

    def land(
        self,
        source: Source,
        chunks: Iterable[RawChunk],
        *,
        kind: Kind,
        name: str,
        content: str,
        now: dt.datetime,
        headings: Sequence[str] = (),
        idempotency_key: str | None = None,
        watermark: str | None = None,
    ) -> tuple[Batch, bool]:
        """
        Take in a batch; when this returns, it is on disk and in the log.

        Parameters
        ----------
        chunks
            Its rows; read once, written as they come.
        headings
            Every heading of the file, by which a register of persons is known.
        idempotency_key
            Sender's own name of the batch; a second batch with it is the first one.

        Returns
        -------
        batch, is_new
            `is_new` is False where the same content or key was taken in before.

        Raises
        ------
        IntakeError
            The disk does not take it, or it has no row at all.
        """
        if (known := self.find(source.name, content, idempotency_key)) is not None:
            return known, False
        landed = self.write(
            source,
            chunks,
            kind=kind,
            name=name,
            content=content,
            headings=headings,
            idempotency_key=idempotency_key,
            watermark=watermark,
        )
        return self.append(landed, now)

    def write(
        self,
        source: Source,
        chunks: Iterable[RawChunk],
        *,
        kind: Kind,
        name: str,
        content: str,
        headings: Sequence[str] = (),
        idempotency_key: str | None = None,
        watermark: str | None = None,
    ) -> Landed:
        """
        Write the rows of a batch, not yet in the log; several may be written at once.

        Raises
        ------
        IntakeError
            The disk does not take it.
        """
        folder = self.home / LANDED / source.name / secrets.token_hex(8)
        folder.mkdir(parents=True)
        try:
            written = write_chunks(source, chunks, folder, self.home, headings=headings)
        except OSError as error:
            shutil.rmtree(folder, ignore_errors=True)
            raise IntakeError(f"source {source.name}: {name} is not taken in: {error}") from error
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        return Landed(
            folder.relative_to(self.home).as_posix(),
            {
                "source": source.name,
                "kind": kind,
                "name": name,
                "content": content,
                "idempotency_key": idempotency_key,
                "watermark": watermark,
                **written,
            },
        )

    def append(self, landed: Landed, now: dt.datetime) -> tuple[Batch, bool]:
        """
        Put a written batch into the log; from then on it is safe.

        Returns
        -------
        batch, is_new
            As in `land`; what was written for a known batch is deleted.
        """
        row = landed.row
        try:
            return self._append(row, now), True
        except IntakeError as error:
            # The folder stays until it is swept: the row may have reached the disk after all.
            raise IntakeError(f"{row['name']} is not taken in: {error}") from error
        except sqlite3.IntegrityError:
            # Another process took the same batch in meanwhile.
            shutil.rmtree(self.home / landed.folder, ignore_errors=True)
            known = self.find(row["source"], row["content"], row["idempotency_key"])
            assert known is not None
            return known, False

    def find(self, source: str, content: str, key: str | None = None) -> Batch | None:
        """Batch of a source with this content, or with this idempotency key."""
        rows = self._select(
            "WHERE source = ? AND (content = ? OR idempotency_key = ?)", (source, content, key)
        )
        return rows[0] if rows else None

    def batches(self, *, upto: int | None = None, after: int = 0) -> list[Batch]:
        """
        Batches in order, from `after` (exclusive) up to `upto` (inclusive).

        Raises
        ------
        IntakeError
            The log is damaged: a row is not what was written, or one is missing.
        """
        last = upto if upto is not None else 1 << 62
        found = self._select("WHERE batch > ? AND batch <= ? ORDER BY batch", (after, last))
        if [batch.number for batch in found] != list(range(after + 1, after + 1 + len(found))):
            raise IntakeError(f"{self.home / LOG} is damaged: a batch is missing; {_REMEDY}")
        return found

    def check(self, *, known: int = 0) -> None:
        """
        Check every page of the log.

        Parameters
        ----------
        known
            Number of a batch that was processed already.

        Raises
        ------
        DamageError, IntakeError
            The log is damaged or has lost that batch.
        """
        with self._open() as log:
            check_database(log, self.home / LOG, remedy=_REMEDY)
            last = log.execute("SELECT max(batch) FROM batches").fetchone()[0] or 0
        if last < known:
            raise IntakeError(
                f"{self.home / LOG} ends with batch {last:,}, but batch {known:,} was processed "
                f"already; {_REMEDY}"
            )

    def as_of(self, moment: dt.datetime) -> int:
        """Number of the last batch that had arrived at a moment, 0 = none."""
        with self._open() as log:
            found = log.execute(
                "SELECT max(batch) FROM batches WHERE ingested_at <= ?", (_stamp(moment),)
            ).fetchone()
        return int(found[0] or 0)

    def watermark(self, source: str) -> str | None:
        """Watermark of the source's last batch that has one."""
        rows = self._select(
            "WHERE source = ? AND watermark IS NOT NULL ORDER BY batch DESC LIMIT 1", (source,)
        )
        return rows[0].watermark if rows else None

    def sweep(self, now: dt.datetime) -> int:
        """Delete landed folders that no batch names and that are a day old; how many there were."""
        named = {
            str(chunk["path"]).rsplit("/", 1)[0]
            for batch in self.batches()
            for chunk in batch.chunks
        }
        swept = 0
        for folder in (self.home / LANDED).glob("*/*"):
            changed = dt.datetime.fromtimestamp(folder.stat().st_mtime, dt.UTC)
            if folder.relative_to(self.home).as_posix() not in named and (
                now - changed > _ORPHAN_AGE
            ):
                shutil.rmtree(folder, ignore_errors=True)
                swept += 1
        return swept

    def _append(self, row: dict[str, Any], now: dt.datetime) -> Batch:
        with self._open() as log:
            log.execute("BEGIN IMMEDIATE")
            number, last = log.execute(
                "SELECT coalesce(max(batch), 0) + 1, coalesce(max(ingested_at), '') FROM batches"
            ).fetchone()
            # A clock that was set back must not change the order of arrival.
            stamped = row | {"batch": number, "ingested_at": max(_stamp(now), last)}
            values = tuple(stamped[name] for name in _COLUMNS)
            log.execute(
                f"INSERT INTO batches ({', '.join(_COLUMNS)}, seal) "
                f"VALUES ({', '.join('?' for _ in _COLUMNS)}, ?)",
                (*values, seal(values)),
            )
            log.execute("COMMIT")
        return _batch(values)

    def _select(self, where: str, values: tuple[Any, ...]) -> list[Batch]:
        columns = ", ".join(_COLUMNS)
        with self._open() as log:
            rows = log.execute(f"SELECT {columns}, seal FROM batches {where}", values).fetchall()
        for *said, sealed in rows:
            if seal(said) != sealed:
                raise IntakeError(
                    f"{self.home / LOG} is damaged: batch {said[0]} is not as written; {_REMEDY}"
                )
        return [_batch(row[:-1]) for row in rows]

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        self.home.mkdir(parents=True, exist_ok=True)
        path = self.home / LOG
        with (
            told(path, remedy=_REMEDY, kind=IntakeError),
            closing(sqlite3.connect(path, timeout=30, isolation_level=None)) as log,
        ):
            write_ahead(log)
            log.execute("PRAGMA synchronous = FULL")
            log.execute(_TABLE)
            yield log


def _batch(row: tuple[Any, ...]) -> Batch:
    number, source, kind, name, content, _, watermark, at, read, refused, malformed, chunks = row
    return Batch(
        number=number,
        source=source,
        kind=kind,
        name=name,
        content=content,
        watermark=watermark,
        ingested_at=dt.datetime.fromisoformat(at),
        read=read,
        refused=json.loads(refused),
        malformed=tuple(json.loads(malformed)),
        chunks=tuple(json.loads(chunks)),
    )


def _stamp(moment: dt.datetime) -> str:
    return moment.astimezone(dt.UTC).isoformat(timespec="microseconds")

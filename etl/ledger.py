"""
Ledger: what has been processed in an epoch, run by run.

A run takes a range of batches through both passes. It is written in one transaction when all its
files are on disk; files of a run that never ended are not named and are swept.
"""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from data.seals import DamageError, check_database, check_files, seal, told
from data.write_ahead import write_ahead

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from etl.epoch import Epoch

EPOCHS: Final = "epochs"
_FILE: Final = "ledger.db"
_TABLES: Final = """
CREATE TABLE IF NOT EXISTS runs (
    run INTEGER PRIMARY KEY, after INTEGER NOT NULL, upto INTEGER NOT NULL,
    superseded TEXT, register TEXT, seal TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS parts (
    run INTEGER NOT NULL, month INTEGER NOT NULL, path TEXT PRIMARY KEY, rows INTEGER NOT NULL,
    size INTEGER NOT NULL, sha256 TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS sums (
    run INTEGER NOT NULL, path TEXT PRIMARY KEY, sha256 TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS touched (
    run INTEGER NOT NULL, month INTEGER NOT NULL, batch INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS batches (
    batch INTEGER PRIMARY KEY, source TEXT NOT NULL, file TEXT NOT NULL,
    read INTEGER NOT NULL, accepted INTEGER NOT NULL, quarantined INTEGER NOT NULL,
    duplicate INTEGER NOT NULL, refused INTEGER NOT NULL,
    first_day TEXT, last_day TEXT, details TEXT NOT NULL
);
"""
_SEALED: Final[dict[str, str]] = {
    "parts": "SELECT * FROM parts WHERE run = ? ORDER BY path",
    "sums": "SELECT * FROM sums WHERE run = ? ORDER BY path",
    "touched": "SELECT * FROM touched WHERE run = ? ORDER BY month, batch",
    "batches": "SELECT * FROM batches WHERE batch BETWEEN ? AND ? ORDER BY batch",
}
_REMEDY: Final = "process the landed rows anew with `pingan build --force`"


@dataclass(frozen=True)
class Part:
    """One Parquet file of incidents: versions of one month that one run added."""

    run: int
    month: int
    path: str
    rows: int
    size: int
    sha256: str


@dataclass(frozen=True)
class Run:
    """
    Everything that one run adds.

    Attributes
    ----------
    after, upto
        Batches `after + 1` to `upto`.
    superseded
        Parquet file of the `superseded` table's new rows; None without any.
    register
        File of the cells that came up for the first time; None without any.
    sums
        Path to sha256 of every file but the parts.
    touched
        Month and batch of everything that changes a count: new versions and replaced ones.
    batches
        Rows of the account, by batch.
    """

    number: int
    after: int
    upto: int
    superseded: str | None
    register: str | None
    sums: dict[str, str]
    parts: list[Part]
    touched: list[tuple[int, int]]
    batches: list[dict[str, Any]]


class Ledger:
    """
    The processed runs of one epoch.

    A ledger that is renewed starts from nothing in a new generation; files that snapshots name
    are never written again.
    """

    def __init__(self, epoch: Epoch, *, renew: bool = False) -> None:
        self._home: Path = epoch.home
        above = self._home / EPOCHS / epoch.id
        numbers = [int(path.name) for path in above.glob("[0-9]*") if path.is_dir()]
        self.generation = max(numbers, default=0) + (1 if renew or not numbers else 0)
        self.folder = above / str(self.generation)
        self.folder.mkdir(parents=True, exist_ok=True)

    def last(self) -> tuple[int, int]:
        """Number of the last run and of its last batch; zeros before the first."""
        with self._open() as log:
            found = log.execute("SELECT max(run), max(upto) FROM runs").fetchone()
        return int(found[0] or 0), int(found[1] or 0)

    def record(self, run: Run) -> None:
        """Write a run, all of it or nothing."""
        with self._open() as log:
            log.execute("BEGIN IMMEDIATE")
            log.execute(
                "INSERT INTO runs VALUES (?, ?, ?, ?, ?, '')",
                (run.number, run.after, run.upto, run.superseded, run.register),
            )
            log.executemany(
                "INSERT INTO sums VALUES (?, ?, ?)",
                [(run.number, path, sha256) for path, sha256 in run.sums.items()],
            )
            log.executemany(
                "INSERT INTO parts VALUES (?, ?, ?, ?, ?, ?)",
                [(p.run, p.month, p.path, p.rows, p.size, p.sha256) for p in run.parts],
            )
            log.executemany(
                "INSERT INTO touched VALUES (?, ?, ?)",
                [(run.number, month, batch) for month, batch in run.touched],
            )
            log.executemany(
                "INSERT INTO batches VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                [
                    (*row.values(),)
                    for row in (
                        entry | {"details": json.dumps(entry["details"], ensure_ascii=False)}
                        for entry in run.batches
                    )
                ],
            )
            log.execute(
                "UPDATE runs SET seal = ? WHERE run = ?", (_seal(log, run.number), run.number)
            )
            log.execute("COMMIT")

    def check(self) -> None:
        """
        Check that everything is as it was recorded.

        Raises
        ------
        DamageError
            It is not; the message says what to do.
        """
        path = self.folder / _FILE
        with self._open() as log:
            check_database(log, path, remedy=_REMEDY)
            runs = log.execute("SELECT run, seal FROM runs ORDER BY run").fetchall()
            wrong = [run for run, sealed in runs if _seal(log, run) != sealed]
            if wrong or [run for run, _ in runs] != list(range(1, len(runs) + 1)):
                raise DamageError(f"{path} is damaged: runs {wrong[:5]} differ; {_REMEDY}")

    def check_files(self) -> None:
        """
        Compare every file that the ledger names with its hash.

        Raises
        ------
        DamageError
            Files are missing or damaged.
        """
        sums = {part.path: part.sha256 for part in self.parts()} | self.sums()
        check_files(self._home, sums, remedy=_REMEDY)

    def sums(self) -> dict[str, str]:
        """Path to sha256 of the files of replaced versions, cells and quarantined rows."""
        with self._open() as log:
            return dict(log.execute("SELECT path, sha256 FROM sums ORDER BY path").fetchall())

    def parts(self, *, month: int | None = None) -> list[Part]:
        """Files of incidents, oldest first; of one month, or all."""
        where, values = ("WHERE month = ?", (month,)) if month is not None else ("", ())
        with self._open() as log:
            found = log.execute(
                "SELECT run, month, path, rows, size, sha256 FROM parts "
                f"{where} ORDER BY run, path",
                values,
            ).fetchall()
        return [Part(*row) for row in found]

    def paths_by_month(self) -> dict[int, list[str]]:
        """Files of incidents of each month, oldest first."""
        stored: dict[int, list[str]] = {}
        for part in self.parts():
            stored.setdefault(part.month, []).append(part.path)
        return stored

    def files(self, column: str) -> list[str]:
        """Files of the `superseded` rows or of the cell `register`, oldest first."""
        assert column in ("superseded", "register")
        with self._open() as log:
            found = log.execute(
                f"SELECT {column} FROM runs WHERE {column} IS NOT NULL ORDER BY run"
            ).fetchall()
        return [str(row[0]) for row in found]

    def touched(self, *, after: int, upto: int) -> set[int]:
        """Months of which a count changed between two batches."""
        with self._open() as log:
            found = log.execute(
                "SELECT DISTINCT month FROM touched WHERE batch > ? AND batch <= ?", (after, upto)
            ).fetchall()
        return {int(row[0]) for row in found}

    def months(self, *, upto: int) -> list[int]:
        """Months that hold any version that had arrived, in order."""
        return sorted(self.touched(after=0, upto=upto))

    def batches(self, *, upto: int) -> pd.DataFrame:
        """Account of each batch: a row per batch, `details` as an object."""
        with self._open() as log:
            rows = pd.read_sql_query(
                "SELECT * FROM batches WHERE batch <= ? ORDER BY batch", log, params=(upto,)
            )
        return rows.assign(details=rows["details"].map(json.loads))

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        path = self.folder / _FILE
        with (
            told(path, remedy=_REMEDY),
            closing(sqlite3.connect(path, timeout=30, isolation_level=None)) as log,
        ):
            write_ahead(log)
            log.execute("PRAGMA synchronous = FULL")
            log.executescript(_TABLES)
            yield log


def _seal(log: sqlite3.Connection, run: int) -> str:
    """Hash of everything that a run recorded."""
    said = log.execute(
        "SELECT run, after, upto, superseded, register FROM runs WHERE run = ?", (run,)
    ).fetchone()
    after, upto = said[1:3]
    rows = [*said]
    for name, query in _SEALED.items():
        values = (after + 1, upto) if name == "batches" else (run,)
        for row in log.execute(query, values):
            rows += [name, *row]
    return seal(rows)

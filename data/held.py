"""
Tables held in memory, compressed: what every click asks for, shared by the snapshots of a process.

A table is the sum of its files, and a new snapshot mostly names the files of the one before. So
each file is loaded once, its rows marked with a part number, and a snapshot is a view that leaves
out the parts that are not its own: 1.1 to 1.2 times the cost of a table of its own, where a union
of monthly tables costs up to three times that (`benchmarks/opening.py`).
"""

from __future__ import annotations

import itertools
import threading
import weakref
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import duckdb

from data import schema

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path


HELD: Final = (
    "area_counts_", "cell_counts_", "area_cell_counts_", "cells_", "released_counts",
    "area_index", "area_trust", "area_hotspots", "cell_hotspots", "signals", "signal_chance",
    "signal_records", "forecasts", "forecast_verdicts", "clock_states",
    "expected", "completeness", "area_hours", "points",
)  # fmt: skip
"""Tables that are held; a name that ends in `_` stands for all that begin with it. Of the analysis,
what the map and every panel ask for: a query takes a tenth of the time that its files take. The
rest is too large for what it is asked (`index_trace`: 28 rows of one area) or seldom asked."""

_HELD_FAMILIES: Final = tuple(name for name in HELD if name.endswith("_"))

MOST_STALE: Final = 0.5
"""Rows that no current file holds, as a share of the others, before a table is made anew."""

MOST_UNCOMPRESSED: Final = 1_500_000
"""Rows that may wait for their compression, about 40 MB."""

_TYPES: Final[Mapping[schema.Kind, str]] = {
    "text": "VARCHAR",
    "int": "INTEGER",
    "long": "BIGINT",
    "float": "DOUBLE",
    "date": "DATE",
    "time": "TIMESTAMPTZ",
    "bool": "BOOLEAN",
}


@dataclass(frozen=True)
class Part:
    """One Parquet file of a table; path and content hash name it for ever."""

    path: Path
    sha256: str
    rows: int


@dataclass
class _Loaded:
    """A table in memory: the number of each part that it holds."""

    name: str
    numbers: dict[Part, int] = field(default_factory=dict)

    @property
    def rows(self) -> int:
        return sum(part.rows for part in self.numbers)

    def condition(self, parts: Sequence[Part]) -> str:
        """SQL condition on the part number that lets through these parts and no other."""
        own = {self.numbers[part] for part in parts}
        last = max(own, default=-1)
        others = sorted(set(range(last)) - own)
        excluded = "".join(f" AND part <> {number}" for number in others)
        return f"part <= {last}{excluded}"


class Lease:
    """What one snapshot asks: its views, and the tables in memory under them, while it lives."""

    def __init__(self, pool: Pool, name: str) -> None:
        self.name = name
        self.tables: set[str] = set()
        self._pool = pool
        self._of_thread = threading.local()

    def run(self, sql: str, parameters: Sequence[object] = ()) -> duckdb.DuckDBPyConnection:
        """Run one parameterised query; its result is to be fetched before the thread's next."""
        kept: duckdb.DuckDBPyConnection | None = getattr(self._of_thread, "cursor", None)
        if kept is None:
            kept = self._of_thread.cursor = self._pool.cursor(self.name)
        return kept.execute(sql, list(parameters))


class Pool:
    """
    The database of one process; safe to share between threads.

    It can read the one folder and nothing else, and its configuration is locked.

    Parameters
    ----------
    folder
        Holds every file that is ever named.
    """

    def __init__(self, folder: Path) -> None:
        self._lock = threading.Lock()
        self._current: dict[str, _Loaded] = {}
        self._leases: weakref.WeakSet[Lease] = weakref.WeakSet()
        self._numbers = itertools.count()
        self._uncompressed = 0
        self._connection = duckdb.connect(":memory:")
        for statement in (
            "SET enable_progress_bar = false",
            # A file never changes: its footer is read once.
            "SET parquet_metadata_cache = true",
            "ATTACH ':memory:' AS held (COMPRESS)",
            "SET allowed_configs = ['threads']",
            f"SET allowed_directories = [{_quoted(f'{folder.resolve()}/')}]",
            "SET enable_external_access = false",
            "SET lock_configuration = true",
        ):
            self._connection.execute(statement)

    def cursor(self, lease: str) -> duckdb.DuckDBPyConnection:
        """Open a connection of its own that sees the views of a lease under their plain names."""
        return self._connection.cursor().execute(f"USE {lease}")

    def lease(self, tables: Mapping[str, Sequence[Part]]) -> Lease:
        """
        Load what is not in memory yet, and make a view of each table.

        Tables that are not `HELD` are read from their files at each query.

        Raises
        ------
        duckdb.Error
            A file cannot be read.
        """
        with self._lock:
            self._drop_unused()
            found = Lease(self, f"snapshot_{next(self._numbers)}")
            self._connection.execute(f"CREATE SCHEMA {found.name}")
            try:
                for name, parts in tables.items():
                    source = self._hold(name, parts, found) if is_held(name) else _files(parts)
                    self._connection.execute(f"CREATE VIEW {found.name}.{name} AS {source}")
            except Exception:
                self._connection.execute(f"DROP SCHEMA {found.name} CASCADE")
                raise
            if not self._leases:
                self._compress()
                # From now on readers come together; one on all cores makes the others wait.
                self._connection.execute("SET threads = 1")
            self._leases.add(found)
            return found

    def _hold(self, name: str, parts: Sequence[Part], lease: Lease) -> str:
        """Select exactly these parts from a table in memory; loads the missing ones."""
        loaded = self._current.get(name)
        missing = [part for part in parts if loaded is None or part not in loaded.numbers]
        wanted = sum(part.rows for part in parts)
        grown = sum(part.rows for part in missing)
        if loaded is None or loaded.rows + grown > (1 + MOST_STALE) * wanted:
            loaded = self._anew(name, loaded, parts)
            missing = [part for part in parts if part not in loaded.numbers]
        self._load(name, loaded, missing)
        self._current[name] = loaded
        lease.tables.add(loaded.name)
        return f"SELECT {_columns(name)} FROM held.{loaded.name} WHERE {loaded.condition(parts)}"

    def _anew(self, name: str, before: _Loaded | None, parts: Sequence[Part]) -> _Loaded:
        """Make a table that holds what the one before has of these parts."""
        made = _Loaded(f"{name}_{next(self._numbers)}")
        types = ", ".join(f'"{c.name}" {_TYPES[c.kind]}' for c in schema.table(name).columns)
        self._connection.execute(f"CREATE TABLE held.{made.name} ({types}, part INTEGER)")
        for part in parts if before else ():
            number = before.numbers.get(part) if before else None
            if number is not None and before:
                at = made.numbers[part] = len(made.numbers)
                self._connection.execute(
                    f"INSERT INTO held.{made.name} SELECT {_columns(name)}, {at} "
                    f"FROM held.{before.name} WHERE part = {number}"
                )
        return made

    def _load(self, name: str, loaded: _Loaded, parts: Sequence[Part]) -> None:
        if not parts:
            return
        first = len(loaded.numbers)
        self._connection.execute(
            f"INSERT INTO held.{loaded.name} SELECT {_columns(name)}, {first} + file_index "
            f"FROM {_parquet(parts)}"
        )
        loaded.numbers |= {part: number for number, part in enumerate(parts, start=first)}
        self._uncompressed += sum(part.rows for part in parts)
        if self._uncompressed > MOST_UNCOMPRESSED:
            self._compress()

    def _compress(self) -> None:
        self._connection.execute("CHECKPOINT held")
        self._uncompressed = 0

    def _drop_unused(self) -> None:
        """Forget the views and tables that only snapshots asked for that are gone."""
        alive = list(self._leases)
        views = self._connection.execute(
            "SELECT schema_name FROM duckdb_schemas() WHERE database_name = 'memory' "
            "AND schema_name LIKE 'snapshot_%'"
        ).fetchall()
        for (view,) in views:
            if view not in {lease.name for lease in alive}:
                self._connection.execute(f"DROP SCHEMA {view} CASCADE")
        kept = {loaded.name for loaded in self._current.values()}.union(
            *(lease.tables for lease in alive)
        )
        tables = self._connection.execute(
            "SELECT table_name FROM duckdb_tables() WHERE database_name = 'held'"
        ).fetchall()
        for (table,) in tables:
            if table not in kept:
                self._connection.execute(f"DROP TABLE held.{table}")


def is_held(name: str) -> bool:
    """Whether a table is read into memory when a snapshot is opened."""
    return name in HELD or name.startswith(_HELD_FAMILIES)


def _files(parts: Iterable[Part]) -> str:
    return f"SELECT * FROM {_parquet(parts)}"


def _parquet(parts: Iterable[Part]) -> str:
    listed = ", ".join(_quoted(str(part.path.resolve())) for part in parts)
    return f"read_parquet([{listed}])"


def _columns(name: str) -> str:
    """The columns of a table as SQL; some are words of SQL themselves."""
    return ", ".join(f'"{column}"' for column in schema.table(name).names)


def _quoted(path: str) -> str:
    """SQL literal of a path."""
    return "'" + path.replace("'", "''") + "'"

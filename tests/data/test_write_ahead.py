"""The write-ahead log of a file that others hold."""

import sqlite3
from contextlib import closing

import pytest

from data import write_ahead as wal


def impatient(path) -> sqlite3.Connection:
    """Who does not wait by itself is refused like two that switch a file at once."""
    return sqlite3.connect(path, timeout=0, isolation_level=None)


def test_a_switch_that_is_refused_is_asked_again(tmp_path, monkeypatch):
    path = tmp_path / "log.db"
    with closing(impatient(path)) as holder, closing(impatient(path)) as log:
        holder.execute("BEGIN EXCLUSIVE")
        monkeypatch.setattr(wal.time, "sleep", lambda _seconds: holder.execute("COMMIT"))
        wal.write_ahead(log)
        assert log.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_a_file_that_stays_locked_is_told(tmp_path, monkeypatch):
    path = tmp_path / "log.db"
    monkeypatch.setattr(wal, "PATIENCE_S", 0.0)
    with closing(impatient(path)) as holder, closing(impatient(path)) as log:
        holder.execute("BEGIN EXCLUSIVE")
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            wal.write_ahead(log)


def test_another_fault_is_not_waited_for(tmp_path, monkeypatch):
    path = tmp_path / "log.db"
    path.write_bytes(b"no database at all" * 100)
    monkeypatch.setattr(wal.time, "sleep", lambda _seconds: pytest.fail("waited"))
    with closing(impatient(path)) as log, pytest.raises(sqlite3.DatabaseError):
        wal.write_ahead(log)

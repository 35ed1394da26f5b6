"""Open the state database: SQLite under the home by default, PostgreSQL by URL."""

from __future__ import annotations

import os
import sqlite3
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Engine, create_engine, event, make_url
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session, sessionmaker

from data.write_ahead import write_ahead

if TYPE_CHECKING:
    from collections.abc import Iterator

FILE: Final = "state.db"
BUSY_MS: Final = 5_000
"""How long a writer waits for another one (without: 45 % of concurrent inserts were lost)."""

_ASK_MS: Final = 4
"""SQLite looks again after 1 and 2 ms within it."""

WRITES: Final = "pingan_writes"
"""Execution option of a transaction that will write: SQLite takes its lock at the start."""


class StateError(RuntimeError):
    """The state database cannot be reached or used."""


class StateDatabase:
    """One installation's accounts, sessions, audit and settings; safe to share between threads."""

    def __init__(self, url: str) -> None:
        self.url = make_url(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self.engine = _sqlite(url) if self.is_sqlite else _server(url)
        self._reading = sessionmaker(self.engine, expire_on_commit=False)
        self._writing = sessionmaker(
            self.engine.execution_options(**{WRITES: True}), expire_on_commit=False
        )

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """
        A session to read in.

        Raises
        ------
        StateError
            The database fails.
        """
        with _told(), self._reading() as session:
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """
        One transaction, on disk when the block ends; nothing of it stays after an error.

        Raises
        ------
        StateError
            The database fails; nothing was written.
        """
        with _told(), self._writing.begin() as session:
            yield session

    def close(self) -> None:
        """Give back every connection."""
        self.engine.dispose()


def state_url(url: str, home: Path) -> str:
    """The setting, or the file under the home where it is empty."""
    return url or f"sqlite:///{(home / FILE).absolute()}"


def open_state(url: str, home: Path) -> StateDatabase:
    """
    Open the database of an installation; a new SQLite file is for its owner alone.

    Raises
    ------
    StateError
        The file cannot be made.
    """
    named = make_url(state_url(url, home))
    path = Path(named.database or "")
    if named.get_backend_name() == "sqlite" and path.name not in ("", ":memory:"):
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        except OSError as error:
            raise StateError(f"{path} cannot be opened: {error.strerror}") from error
    return StateDatabase(state_url(url, home))


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except SQLAlchemyError as error:
        # The first line names the fault; the rest would repeat values.
        first = str(error).splitlines()[0]
        raise StateError(f"the state database failed: {first}") from error


def _sqlite(url: str) -> Engine:
    engine = create_engine(url, connect_args={"timeout": BUSY_MS / 1_000})

    @event.listens_for(engine, "connect")
    def _configure(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # transactions begin below, not behind our back
        write_ahead(connection)
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")

    @event.listens_for(engine, "begin")
    def _begin(connection: Any) -> None:
        # A reader that turns writer may be refused at once; who will write says so first.
        if connection.get_execution_options().get(WRITES):
            _begin_writing(connection)
        else:
            connection.exec_driver_sql("BEGIN")

    return engine


def _begin_writing(connection: Any) -> None:
    """
    Take SQLite's lock, asking for it every few milliseconds.

    SQLite itself soon asks only every 100 ms; beside busy writers one then waits in vain.
    """
    file = connection.connection.dbapi_connection
    file.execute(f"PRAGMA busy_timeout = {_ASK_MS}")
    try:
        until = time.monotonic() + BUSY_MS / 1_000
        while time.monotonic() < until:
            try:
                file.execute("BEGIN IMMEDIATE")
            except sqlite3.DatabaseError as error:
                if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                    break
            else:
                return
        connection.exec_driver_sql("BEGIN IMMEDIATE")  # the last time; its error is told
    finally:
        file.execute(f"PRAGMA busy_timeout = {BUSY_MS}")


def _server(url: str) -> Engine:
    return create_engine(url, pool_pre_ping=True, pool_size=8, max_overflow=8)

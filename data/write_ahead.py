"""Open the write-ahead log of an SQLite file, however many open it at once."""

from __future__ import annotations

import sqlite3
import time
from typing import Final

PATIENCE_S: Final = 30.0
_ASK_S: Final = 0.005


def write_ahead(connection: sqlite3.Connection) -> None:
    """
    Switch a database to its write-ahead log, so that readers and a writer do not wait.

    Who switches a new file while another does the same is refused at once, whatever patience the
    connection has (SQLite sees that waiting could last for ever), so it is asked again here.

    Raises
    ------
    sqlite3.OperationalError
        The file stays locked for half a minute, or cannot be written.
    """
    until = time.monotonic() + PATIENCE_S
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            is_busy = error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
            if not is_busy or time.monotonic() > until:
                raise
            time.sleep(_ASK_S)
        else:
            return

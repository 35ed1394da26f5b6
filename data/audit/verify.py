"""Verify the audit: every row, both ends, and what was remembered outside the database."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa

from data.audit import protect
from data.audit.anchor import AnchorError, Mark
from data.audit.chain import Head
from data.audit.log import HEAD, ROWS
from data.audit.sealed_file import check_archives, head_of
from data.audit.walk import Faults, Walk
from data.state.database import StateError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from data.audit.log import AuditLog

_PAGE: Final = 2_000
_MICROSECONDS: Final = "YYYY-MM-DD HH24:MI:SS.US"
Known = dict[str, tuple[int, str]]
"""Rows that were remembered elsewhere: by whom, number, hash or its first digits."""

_OLDER: Final = "the audit was put back to an older copy, or cut and sealed anew"


@dataclass(frozen=True)
class Verdict:
    """
    What a verification found.

    Attributes
    ----------
    rows
        Rows that are here.
    first_seq, last_seq
        The sealed range; `last_seq` is `first_seq` - 1 where no row is left.
    hash
        Of the last row. Noted elsewhere with `last_seq`, it proves later that nothing up to that
        row was replaced.
    anchor
        Row that the anchor names; None without one.
    faults
        A sentence each; rows by their numbers.
    """

    rows: int
    first_seq: int
    last_seq: int
    hash: str
    anchor: int | None
    faults: tuple[str, ...]

    @property
    def is_sound(self) -> bool:
        """Whether nothing was found."""
        return not self.faults


def verify(
    log: AuditLog, *, noted: tuple[int, str] | None = None, archives: Path | None = None
) -> Verdict:
    """
    Check the whole audit as it stands at one moment; writers go on meanwhile.

    Parameters
    ----------
    noted
        Number and hash of a row, or the first digits of its hash, as an earlier verification told.
    archives
        Folder of the archived files, which must then lead up to the first row.
    """
    faults = Faults()
    mark = _anchored(log, faults)
    known: Known = {"the note": noted} if noted else {}
    if mark:
        known["the anchor"] = (mark.seq, mark.hash)
    head, rows = Head(), 0
    try:
        with log.database.reading() as reading:
            connection = snapshot(reading, is_sqlite=log.database.is_sqlite)
            for name in protect.missing(connection):
                faults.other(f"the guard {name} of the database is missing; restart the server")
            head = _head(log, connection, faults)
            walk = Walk(log.key, head, faults)
            for row in walk.follow(raw_rows(connection)):
                rows = walk.rows
                _compare(row, known, faults)
    except StateError as error:
        faults.other(f"the audit cannot be read to its end: {error}")
    _compare_ends(head, known, faults)
    if archives is not None:
        check_archives(archives, log.key, head, faults)
    anchored = mark.seq if mark else None
    return Verdict(rows, head.first_seq, head.seq, head.hash, anchored, faults.told())


def snapshot(session: Any, *, is_sqlite: bool) -> sa.Connection:
    """Connection in which every statement sees the same moment."""
    options = {} if is_sqlite else {"isolation_level": "REPEATABLE READ"}
    connection: sa.Connection = session.connection(execution_options=options)
    return connection


def raw_rows(
    connection: sa.Connection, *, first: int | None = None, last: int | None = None
) -> Iterator[dict[str, Any]]:
    """
    Rows as they are stored, in order; whatever was put into them must not stop the reading.

    SQLite keeps any bytes in any column, which are `bytes` here where they are no UTF-8.
    """
    columns = [_raw(column, connection.dialect.name) for column in ROWS.columns]
    asked = sa.select(*columns).order_by(ROWS.c.seq)
    if first is not None:
        asked = asked.where(ROWS.c.seq >= first)
    if last is not None:
        asked = asked.where(ROWS.c.seq <= last)
    names = ROWS.columns.keys()
    with connection.execute(asked, execution_options={"yield_per": _PAGE}) as found:
        for row in found:
            yield {name: _text(value) for name, value in zip(names, row, strict=True)}


def raw_heads(connection: sa.Connection) -> list[dict[str, Any]]:
    """Every head, normally one; a number that is none is -1."""
    columns = [_raw(column, connection.dialect.name) for column in HEAD.columns]
    return [
        {
            name: repr(value) if isinstance(value, bytes) else value
            for name, value in zip(HEAD.columns.keys(), map(_text, row), strict=True)
        }
        for row in connection.execute(sa.select(*columns).order_by(HEAD.c.id))
    ]


def _raw(column: Any, dialect: str) -> Any:
    if isinstance(column.type, sa.Integer):
        is_whole = sa.func.typeof(column) == "integer"
        return sa.case((is_whole, column), else_=-1) if dialect == "sqlite" else column
    if dialect == "sqlite":
        return sa.cast(column, sa.LargeBinary)
    if column.name == "at":
        utc = sa.func.timezone("UTC", column)
        return sa.func.to_char(utc, _MICROSECONDS, type_=sa.Text)
    return column


def _text(value: Any) -> Any:
    try:
        return value.decode() if isinstance(value, bytes) else value
    except UnicodeDecodeError:
        return value


def _anchored(log: AuditLog, faults: Faults) -> Mark | None:
    """What the anchor names; read first, so that it is never ahead of the rows."""
    try:
        return log.anchor.read() if log.anchor else None
    except AnchorError as error:
        faults.other(str(error))
        return None


def _head(log: AuditLog, connection: sa.Connection, faults: Faults) -> Head:
    found = raw_heads(connection)
    if not found:
        if connection.execute(sa.select(ROWS.c.seq).limit(1)).first() is not None:
            faults.other("the head is missing")
        return Head()
    stored = found[0]
    head = head_of(stored)
    if len(found) > 1 or stored["id"] != 1 or not head.is_sealed(log.key, stored["seal"]):
        faults.other(
            f"the head was changed, or sealed with another key; it says rows {head.first_seq} "
            f"to {head.seq}"
        )
    return head


def _compare(row: Mapping[str, Any], known: Known, faults: Faults) -> None:
    """A row that was known with another hash is a fault."""
    for name, (seq, digest) in known.items():
        if row["seq"] == seq and not str(row["hash"]).startswith(digest):
            faults.rows(f"is not the row that {name} knows; {_OLDER}", seq)


def _compare_ends(head: Head, known: Known, faults: Faults) -> None:
    for name, (seq, digest) in known.items():
        if seq > head.seq:
            faults.rows(f"gone, but {name} knows row {seq}; {_OLDER}", head.seq + 1, seq)
        elif seq == head.first_seq - 1 and not head.first_previous.startswith(digest):
            faults.rows(f"is not the row that {name} knows; {_OLDER}", seq)

"""
Take rows out of the database: old ones into archives, a damaged audit as a whole aside.

Nothing is lost in between: a file is on disk and was read back before its rows are deleted, and
rows are deleted in the transaction that moves the sealed beginning.
"""

from __future__ import annotations

import datetime as dt
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa

from data.audit import protect
from data.audit.anchor import AnchorError, Mark
from data.audit.chain import Head
from data.audit.log import HEAD, LOCK, MOVE_HEAD, ROWS, AuditError, head_values
from data.audit.sealed_file import (
    SealedFileError,
    archive_path,
    damaged_path,
    head_of,
    read_sealed,
    write_sealed,
)
from data.audit.verify import raw_heads, raw_rows, snapshot, verify
from data.audit.walk import Faults, Walk
from data.locks import locked
from data.state.database import StateError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from data.audit.log import AuditLog

KEPT: Final = dt.timedelta(days=180)
"""Rows younger than this never leave the database: six months must be at hand."""

PART_ROWS: Final = 50_000
"""Rows of a file; writers wait while those of one file are deleted, about a second."""

_LOCK: Final = "audit.lock"


@dataclass(frozen=True)
class Archived:
    """Files that were written, and the rows that are now there instead of the database."""

    files: tuple[Path, ...]
    rows: int


def archive(
    log: AuditLog, folder: Path, *, older_than: dt.datetime, now: dt.datetime, by: str = ""
) -> Archived:
    """
    Move the oldest rows into sealed files; the chain goes on from where they end.

    A run that was killed is taken up by the next one.

    Parameters
    ----------
    folder
        Made for its owner alone.
    older_than
        Rows up to the first one that is not older; at least 180 days before `now`. Both aware.
    by
        Login of whoever asked for it, for the row that records it.

    Raises
    ------
    AuditError
        Too young rows are asked for, the audit does not verify, or the database fails.
    BusyError
        Another archive run uses the folder.
    """
    if now - older_than < KEPT:
        raise AuditError(
            f"rows of the last {KEPT.days} days stay; {older_than:%Y-%m-%d} is too late"
        )
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    files: list[Path] = []
    moved = 0
    with locked(folder, _LOCK), _told("archived"):
        verdict = verify(log)
        if not verdict.is_sound:
            raise AuditError(
                f"the audit has {len(verdict.faults)} faults, the first: {verdict.faults[0]}; "
                "nothing was archived: run `pingan audit verify`"
            )
        while part := _oldest(log, older_than):
            files.append(_move(log, folder, part))
            moved += part.seq - part.first_seq + 1
    if files:
        _record(log, now, by, "ok", f"{moved} rows into {len(files)} files")
    return Archived(tuple(files), moved)


def set_aside(
    log: AuditLog, folder: Path, *, reason: str, now: dt.datetime, by: str = ""
) -> Archived:
    """
    Take a damaged audit out as it stands and begin a new one, whose first row says so.

    Without this a forged head would stop every audited action for ever. The file is evidence: it
    holds the rows and the head as they were found and is sealed, but its rows prove nothing.

    Parameters
    ----------
    reason
        What the auditor found, for the first row.

    Raises
    ------
    AuditError
        Nothing is wrong with the audit, no reason is given, or the database fails.
    """
    verdict = verify(log)
    if verdict.is_sound or not reason.strip():
        raise AuditError("only an audit with faults is set aside, and with a reason")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with locked(folder, _LOCK), _told("set aside"), log.database.writing() as transaction:
        connection = transaction.connection()
        connection.execute(LOCK)  # nobody appends meanwhile
        stored = raw_heads(connection)
        about = {
            "format": 1,
            "set_aside_at": now.isoformat(),
            "faults": verdict.faults,
            "head": stored,
        }
        walk = Walk(log.key, Head(), Faults())
        path = damaged_path(folder, now)
        sha256 = write_sealed(path, log.key, about, walk.follow(raw_rows(connection)))
        last = max(walk.sound_seq, _sealed_end(log, stored))
        head = Head(last + 1, sha256, last, sha256)
        protect.lift(connection)
        connection.execute(sa.delete(ROWS))
        connection.execute(sa.delete(HEAD))
        connection.execute(sa.insert(HEAD), head_values(head, log.key) | {"id": 1})
        protect.install(connection)
    if log.anchor:
        log.anchor.put(Mark(head.seq, head.hash, now))
    told = f"{walk.rows} rows with {len(verdict.faults)} faults into {path.name}: {reason}"
    _record(log, now, by, "failed", told)
    return Archived((path,), walk.rows)


def _oldest(log: AuditLog, older_than: dt.datetime) -> Head | None:
    """Range of the rows that go into the next file; None where none is old enough."""
    with log.database.reading() as reading:
        head = reading.execute(sa.select(HEAD).where(HEAD.c.id == 1)).one_or_none()
        if head is None:
            return None
        young = sa.select(sa.func.min(ROWS.c.seq)).where(ROWS.c.at >= older_than)
        end = reading.scalar(young) or head.seq + 1
        last = min(end - 1, head.first_seq + PART_ROWS - 1)
        digest = reading.scalar(sa.select(ROWS.c.hash).where(ROWS.c.seq == last))
    if last < head.first_seq or digest is None:
        return None
    return Head(head.first_seq, head.first_previous, last, digest)


def _move(log: AuditLog, folder: Path, part: Head) -> Path:
    path = archive_path(folder, part.first_seq)
    _check_leftover(log, path)
    faults = Faults()
    with log.database.reading() as reading:
        connection = snapshot(reading, is_sqlite=log.database.is_sqlite)
        rows = raw_rows(connection, first=part.first_seq, last=part.seq)
        walked = Walk(log.key, part, faults).follow(rows)
        write_sealed(path, log.key, {"format": 1, **vars(part)}, walked)
    if faults.told():
        path.unlink()
        raise AuditError(f"the audit is changing while it is archived: {faults.told()[0]}")
    read_sealed(path, log.key)
    with log.database.writing() as transaction:
        connection = transaction.connection()
        head = log.locked_head(connection)
        if (head.first_seq, head.first_previous) != (part.first_seq, part.first_previous):
            raise AuditError(f"another run has archived row {part.first_seq}; see its files")
        after = replace(head, first_seq=part.seq + 1, first_previous=part.hash)
        # In this order: the guards give free only rows before the sealed beginning.
        connection.execute(MOVE_HEAD, head_values(after, log.key))
        connection.execute(sa.delete(ROWS).where(ROWS.c.seq <= part.seq))
    return path


def _check_leftover(log: AuditLog, path: Path) -> None:
    """Refuse to replace a file unless all its rows are still in the database."""
    if not path.exists():
        return
    kept = head_of(read_sealed(path, log.key))
    with log.database.reading() as reading:
        here = reading.scalar(sa.select(ROWS.c.hash).where(ROWS.c.seq == kept.seq))
    if here != kept.hash:
        raise AuditError(
            f"{path} holds rows that the database does not have (was it put back to an older "
            "copy?); choose another folder"
        )


def _sealed_end(log: AuditLog, heads: list[dict[str, Any]]) -> int:
    """Largest number that the head or the anchor proves was given."""
    ends = [0]
    for stored in heads:
        head = head_of(stored)
        if head.is_sealed(log.key, stored["seal"]):
            ends.append(head.seq)
    try:
        mark = log.anchor.read() if log.anchor else None
    except AnchorError:
        mark = None
    return max(*ends, mark.seq if mark else 0)


def _record(log: AuditLog, now: dt.datetime, by: str, result: str, detail: str) -> None:
    log.write(
        at=now,
        user=by,
        roles="",
        address="",
        session="",
        action="system",
        target="audit",
        result=result,
        detail=detail,
    )


@contextmanager
def _told(what: str) -> Iterator[None]:
    try:
        yield
    except (StateError, SealedFileError, OSError) as error:
        raise AuditError(f"the audit was not {what}: {error}") from error

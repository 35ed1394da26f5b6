"""The audit log: append a row, search the rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, cast

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from data.audit import chain
from data.audit.anchor import FILE, Anchor, Mark
from data.audit.chain import Head
from data.audit.grouped import Grouped
from data.audit.words import LONGEST, check_words, fit, printable
from data.state.database import StateError
from data.state.models import AuditHead, AuditRow

if TYPE_CHECKING:
    import datetime as dt
    from pathlib import Path

    from data.state.database import StateDatabase

MOST: Final = 1_000
"""Rows of one search at most."""

ROWS: Final = cast("sa.Table", AuditRow.__table__)
HEAD: Final = cast("sa.Table", AuditHead.__table__)
# SQLite has no such lock and needs none: its transaction has locked the database.
LOCKED_HEAD: Final = sa.select(HEAD).where(HEAD.c.id == 1).with_for_update()
LOCK: Final = sa.select(HEAD.c.id).with_for_update()
MOVE_HEAD: Final = sa.update(HEAD).where(HEAD.c.id == 1)
_LARGEST: Final = 2**31 - 1
_APPEND: Final = sa.insert(ROWS)


class AuditError(RuntimeError):
    """The audit cannot be written, read or trusted; what needs it must not happen."""


class AuditLog:
    """
    The audit of one installation; safe to share between threads, beside other processes.

    Parameters
    ----------
    key
        32 bytes or more; whoever has it can forge rows.
    home
        Folder of the anchor; None = no anchor.
    """

    def __init__(self, database: StateDatabase, key: bytes, *, home: Path | None = None) -> None:
        if len(key) < chain.SHORTEST_KEY:
            raise ValueError(f"the audit's key has {len(key)} bytes; {chain.SHORTEST_KEY} needed")
        self.database = database
        self.key = key
        self.anchor = Anchor(home / FILE, key) if home else None
        self._append = Grouped(self._append_all)

    def write(
        self,
        *,
        at: dt.datetime,
        user: str,
        roles: str,
        address: str,
        session: str,
        action: str,
        target: str,
        result: str,
        detail: str = "",
    ) -> int:
        """
        Append a row; it is on disk when this returns.

        Do not call it inside a `writing()` block: on SQLite each would wait for the other.

        Parameters
        ----------
        at
            Aware.
        user
            Login; "" for nobody.
        roles
            Names with commas between.
        session
            First digits of the session's hash.
        action, result
            One of `data.audit.words.ACTIONS` and `RESULTS`.
        target, detail
            Cut to 500 characters; all texts lose what cannot be printed, and what looks like a
            password or a random secret.

        Returns
        -------
        seq
            Number of the row; there are no gaps.

        Raises
        ------
        AuditError
            The row is not written: the database refuses, or its head is not what this
            installation sealed.
        ValueError
            An unknown action or result, or a moment without zone.
        """
        check_words(action, result)
        texts = {
            "user": user,
            "roles": roles,
            "address": address,
            "session": session,
            "action": action,
            "target": target,
            "result": result,
            "detail": detail,
        }
        fitted = {name: fit(name, text) for name, text in texts.items()}
        entry = fitted | {"at": chain.moment_text(at)}
        try:
            return self._append((at, entry))
        except StateError as error:
            raise AuditError(f"the audit was not written: {error}") from error

    def search(
        self,
        *,
        user: str | None = None,
        action: str | None = None,
        result: str | None = None,
        text: str | None = None,
        since: dt.datetime | None = None,
        until: dt.datetime | None = None,
        before: int | None = None,
        limit: int = 100,
    ) -> list[AuditRow]:
        """
        Find rows, newest first.

        Parameters
        ----------
        text
            Part of the target, detail, address or session, whatever its case.
        since, until
            From the one on, up to and without the other; aware.
        before
            Only rows with a smaller number: the next page.
        limit
            1 to 1,000.

        Raises
        ------
        AuditError
            The database fails.
        """
        kept = [
            column == printable(value)
            for column, value in (
                (AuditRow.user, user), (AuditRow.action, action), (AuditRow.result, result),
            )
            if value is not None
        ]  # fmt: skip
        if text:
            places = (AuditRow.target, AuditRow.detail, AuditRow.address, AuditRow.session)
            sought = printable(text[:LONGEST])
            kept.append(sa.or_(*(place.icontains(sought, autoescape=True) for place in places)))
        if since is not None:
            kept.append(AuditRow.at >= since)
        if until is not None:
            kept.append(AuditRow.at < until)
        if before is not None:
            kept.append(AuditRow.seq < min(max(before, 0), _LARGEST))
        asked = sa.select(AuditRow).where(*kept).order_by(AuditRow.seq.desc())
        try:
            with self.database.reading() as reading:
                return list(reading.scalars(asked.limit(min(max(limit, 1), MOST))))
        except StateError as error:
            raise AuditError(f"the audit cannot be searched: {error}") from error

    def locked_head(self, connection: sa.Connection) -> Head:
        """
        Lock the head until the transaction ends; the first writer makes it.

        Raises
        ------
        AuditError
            It is missing although there are rows, or not sealed by this installation. To go on
            from it would hide what was cut off.
        """
        found = connection.execute(LOCKED_HEAD).one_or_none()
        if found is None:
            made = _insert_once(connection.dialect.name)
            connection.execute(made, head_values(Head(), self.key) | {"id": 1})
            found = connection.execute(LOCKED_HEAD).one()
        head = Head(found.first_seq, found.first_previous, found.seq, found.hash)
        if head == Head():
            self._check_first(connection)
        if not head.is_sealed(self.key, found.seal):
            raise AuditError(
                "the audit's head was changed, or sealed with another key; nothing can be "
                "recorded: run `pingan audit verify`"
            )
        return head

    def _check_first(self, connection: sa.Connection) -> None:
        """Refuse to begin anew where rows are; the head is locked, so nobody has just begun."""
        if connection.execute(sa.select(ROWS.c.seq).limit(1)).first() is not None:
            raise AuditError(
                "the audit's head is missing; nothing can be recorded: run `pingan audit verify`"
            )

    def _append_all(self, entries: list[tuple[dt.datetime, dict[str, str]]]) -> list[int]:
        """Append rows in one transaction; their numbers."""
        with self.database.writing() as transaction:
            connection = transaction.connection()
            head = self.locked_head(connection)
            seq, digest = head.seq, head.hash
            rows: list[dict[str, Any]] = []
            for at, texts in entries:
                seq, previous = seq + 1, digest
                digest = chain.row_hash(self.key, previous, {"seq": seq, **texts})
                sums = {"seq": seq, "previous": previous, "hash": digest}
                rows.append({**texts, **sums, "at": at})
            connection.execute(_APPEND, rows)
            after = Head(head.first_seq, head.first_previous, seq, digest)
            connection.execute(MOVE_HEAD, head_values(after, self.key))
        if self.anchor:
            self.anchor.follow(Mark(seq, digest, entries[-1][0]), has=self._has)
        return list(range(head.seq + 1, seq + 1))

    def _has(self, mark: Mark) -> bool:
        """Whether the row of a mark is here as it was, or went into an archive."""
        with self.database.reading() as reading:
            here = reading.scalar(sa.select(ROWS.c.hash).where(ROWS.c.seq == mark.seq))
            head = reading.execute(sa.select(HEAD.c.first_seq, HEAD.c.first_previous)).first()
        if here is not None or head is None:
            return bool(here == mark.hash)
        if mark.seq == head.first_seq - 1:
            return bool(head.first_previous == mark.hash)
        return bool(mark.seq < head.first_seq)


def head_values(head: Head, key: bytes) -> dict[str, Any]:
    """Columns of a head, with its seal."""
    return vars(head) | {"seal": head.seal(key)}


def _insert_once(dialect: str) -> Any:
    """Of several first writers one inserts the head; the others wait, and find it."""
    made = sqlite.insert(HEAD) if dialect == "sqlite" else postgresql.insert(HEAD)
    return made.on_conflict_do_nothing()

"""
Guards in the database itself: audit rows are appended, never changed or deleted.

They stop mistakes and injected statements on both engines. Who owns the tables can drop them;
`verify` tells that they are gone, and the chain tells what was done. No statement switches them
off: rows before the sealed beginning, where the archive has put it, may go, no others.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import sqlalchemy as sa

    from data.state.database import StateDatabase

log = logging.getLogger("data.audit")

_TOLD: Final = "audit rows are only appended"
_LAST: Final = "coalesce((SELECT seq FROM audit_head WHERE id = 1), NEW.seq)"
_FIRST: Final = "coalesce((SELECT first_seq FROM audit_head WHERE id = 1), 0)"
_BACK: Final = (
    "NEW.id <> OLD.id OR NEW.seq < OLD.seq OR NEW.first_seq < OLD.first_seq "
    "OR NEW.first_seq > NEW.seq + 1"
)

# Name to table, event and condition. Where a row is inserted is checked because INSERT OR REPLACE
# deletes one without any trigger that sees it.
_SQLITE: Final = {
    "audit_insert": ("audit", "INSERT", f"NEW.seq <= {_LAST}"),
    "audit_update": ("audit", "UPDATE", "1"),
    "audit_delete": ("audit", "DELETE", f"OLD.seq >= {_FIRST}"),
    "audit_head_insert": ("audit_head", "INSERT", "EXISTS (SELECT 1 FROM audit_head)"),
    "audit_head_update": ("audit_head", "UPDATE", _BACK),
    "audit_head_delete": ("audit_head", "DELETE", "1"),
}
_SERVER: Final = {
    "audit_insert": ("audit", "INSERT", "ROW EXECUTE FUNCTION audit_appended()"),
    "audit_update": ("audit", "UPDATE", "ROW EXECUTE FUNCTION audit_refused()"),
    "audit_delete": ("audit", "DELETE", "ROW EXECUTE FUNCTION audit_archived()"),
    "audit_truncate": ("audit", "TRUNCATE", "STATEMENT EXECUTE FUNCTION audit_refused()"),
    "audit_head_insert": (
        "audit_head", "INSERT", "ROW WHEN (NEW.id <> 1) EXECUTE FUNCTION audit_refused()"
    ),
    "audit_head_update": (
        "audit_head", "UPDATE", f"ROW WHEN ({_BACK}) EXECUTE FUNCTION audit_refused()"
    ),
    "audit_head_delete": ("audit_head", "DELETE", "ROW EXECUTE FUNCTION audit_refused()"),
    "audit_head_truncate": ("audit_head", "TRUNCATE", "STATEMENT EXECUTE FUNCTION audit_refused()"),
}  # fmt: skip
_RAISE: Final = f"RAISE EXCEPTION '{_TOLD}'"
_FUNCTIONS: Final = {
    "audit_refused": f"BEGIN {_RAISE}; END",
    "audit_appended": (f"BEGIN IF NEW.seq <= {_LAST} THEN {_RAISE}; END IF; RETURN NEW; END"),
    "audit_archived": f"BEGIN IF OLD.seq >= {_FIRST} THEN {_RAISE}; END IF; RETURN OLD; END",
}


def protect(database: StateDatabase) -> None:
    """
    Install the guards where they are missing, after the tables exist.

    Raises
    ------
    StateError
        The database refuses.
    """
    with database.writing() as transaction:
        guard(transaction.connection())


def guard(connection: sa.Connection) -> None:
    """Do the same in a transaction that is open; part of every upgrade."""
    gone = missing(connection)
    if not gone:
        return
    lift(connection)
    install(connection)
    if connection.exec_driver_sql("SELECT 1 FROM audit_head").first() is not None:
        log.error(
            "guards of the audit were gone and are back: %s; run `pingan audit verify`",
            ", ".join(gone),
        )


def missing(connection: sa.Connection) -> list[str]:
    """Names of guards that are not there, switched off, or changed."""
    if connection.dialect.name == "sqlite":
        asked = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"
        stored = _pairs(connection, asked)
        return [name for name in _SQLITE if stored.get(name) != _trigger(name)]
    triggers = set(
        connection.exec_driver_sql(
            "SELECT tgname FROM pg_trigger WHERE tgenabled IN ('O', 'A') AND tgrelid IN "
            "(to_regclass('audit'), to_regclass('audit_head'))"
        ).scalars()
    )
    functions = _pairs(
        connection,
        "SELECT proname, prosrc FROM pg_proc "
        "WHERE pronamespace = to_regnamespace(current_schema())",
    )
    gone = [name for name in _SERVER if name not in triggers]
    return gone + [name for name, text in _FUNCTIONS.items() if functions.get(name) != text]


def install(connection: sa.Connection) -> None:
    """Create every guard; none may be there."""
    if connection.dialect.name == "sqlite":
        for name in _SQLITE:
            connection.exec_driver_sql(_trigger(name))
        return
    for name, text in _FUNCTIONS.items():
        connection.exec_driver_sql(
            f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $${text}$$"
        )
    for name, (table, event, how) in _SERVER.items():
        connection.exec_driver_sql(
            f"CREATE TRIGGER {name} BEFORE {event} ON {table} FOR EACH {how}"
        )


def lift(connection: sa.Connection) -> None:
    """Drop the guards, in a transaction that installs them again."""
    is_sqlite = connection.dialect.name == "sqlite"
    for name, (table, *_) in (_SQLITE if is_sqlite else _SERVER).items():
        where = "" if is_sqlite else f" ON {table}"
        connection.exec_driver_sql(f"DROP TRIGGER IF EXISTS {name}{where}")


def _pairs(connection: sa.Connection, asked: str) -> dict[str, str]:
    return {row[0]: row[1] for row in connection.exec_driver_sql(asked)}


def _trigger(name: str) -> str:
    """Text of a trigger as SQLite keeps it."""
    table, event, when = _SQLITE[name]
    return (
        f"CREATE TRIGGER {name} BEFORE {event} ON {table} WHEN {when} "
        f"BEGIN SELECT RAISE(ABORT, '{_TOLD}'); END"
    )

"""Let one transaction at a time do what must be decided on everything that is stored."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import sqlalchemy as sa

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

TABLES: Final = 0x50_49_01
"""Who changes the tables themselves."""

DUTIES: Final = 0x50_49_02
"""Who changes rights, or opens or uses the first set-up."""

TOKENS: Final = 0x50_49_03
"""Who takes in an old file of tokens."""

WARNINGS: Final = 0x50_49_04
"""Who opens warnings."""

SPECIAL: Final = 0x50_49_07
"""Who changes special periods."""


def alone(session: Session, what: int) -> None:
    """
    Wait until no other transaction holds the lock; it is held until this one ends.

    A writer of SQLite is alone already.
    """
    if session.get_bind().dialect.name == "postgresql":
        session.execute(sa.select(sa.func.pg_advisory_xact_lock(what)))

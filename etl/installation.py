"""The state of an installation as commands use it: each change leaves a row in the audit."""

from __future__ import annotations

import datetime as dt
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from data.accounts.users import Accounts
from data.audit import AuditLog
from data.secrets import derived, installation_key
from data.state.database import open_state
from data.state.migrate import upgrade
from data.tokens import TokenStore

if TYPE_CHECKING:
    from collections.abc import Iterator

    from data.settings import Settings
    from data.state.database import StateDatabase

USER: Final = "cli"
"""Who the audit names: whoever may run commands on this machine."""


@dataclass(frozen=True)
class Installation:
    """What the commands about accounts and tokens work with; `now` is the same for all they do."""

    database: StateDatabase
    accounts: Accounts
    tokens: TokenStore
    audit: AuditLog
    now: dt.datetime

    @contextmanager
    def recorded(self, action: str, target: str, detail: str = "") -> Iterator[None]:
        """
        Write a row of the audit, then do what it tells of; one more where that fails.

        Raises
        ------
        AuditError
            The row cannot be written; nothing was done.
        """
        self._write(action, target, "ok", detail)
        try:
            yield
        except Exception as error:
            self._write(action, target, "failed", str(error))
            raise

    def _write(self, action: str, target: str, result: str, detail: str) -> None:
        self.audit.write(
            at=self.now,
            user=USER,
            roles="",
            address="",
            session="",
            action=action,
            target=target,
            result=result,
            detail=detail,
        )


@contextmanager
def installation(settings: Settings) -> Iterator[Installation]:
    """
    Open the state database, brought up to date, with the tokens of an older version.

    Raises
    ------
    UnsafeKeyError, StateError, TokenError
        The key, the database or the old file of tokens cannot be used.
    """
    key = installation_key(settings.home, settings.secret_key)
    database = open_state(settings.state, settings.home)
    try:
        upgrade(database)
        tokens = TokenStore(database)
        tokens.import_file(settings.home)
        yield Installation(
            database=database,
            accounts=Accounts(database, key),
            tokens=tokens,
            audit=AuditLog(database, derived(key, "audit"), home=settings.home),
            now=dt.datetime.now(dt.UTC),
        )
    finally:
        database.close()

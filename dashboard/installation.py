"""One installation's parts: settings, snapshots, state database, accounts, audit, key."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from data.accounts.sessions import Sessions
from data.accounts.users import Accounts
from data.audit import AuditLog
from data.manifest import SnapshotError
from data.secrets import derived, installation_key
from data.state.database import open_state
from data.state.migrate import upgrade
from data.tokens import TokenStore

if TYPE_CHECKING:
    from data.settings import Settings
    from data.state.database import StateDatabase
    from data.store import Store

ZONE: Final = "Asia/Shanghai"
"""Time zone before a city is published."""


@dataclass(frozen=True)
class Installation:
    """What every page and provider works with."""

    settings: Settings
    store: Store
    database: StateDatabase
    accounts: Accounts
    sessions: Sessions
    audit: AuditLog
    key: bytes = field(repr=False)

    def zone(self) -> ZoneInfo:
        """Time zone of the city."""
        try:
            return ZoneInfo(self.store.current().manifest.city["time_zone"])
        except SnapshotError:
            return ZoneInfo(ZONE)


def open_installation(settings: Settings, store: Store) -> Installation:
    """
    Open everything, and bring the state database up to date.

    Raises
    ------
    UnsafeKeyError, StateError
        The key or the state database cannot be used.
    """
    key = installation_key(settings.home, settings.secret_key)
    database = open_state(settings.state, settings.home)
    upgrade(database)
    TokenStore(database).import_file(settings.home)
    sessions = Sessions(database)
    sessions.prune(dt.datetime.now(dt.UTC))
    return Installation(
        settings=settings,
        store=store,
        database=database,
        accounts=Accounts(database, key),
        sessions=sessions,
        audit=AuditLog(database, derived(key, "audit"), home=settings.home),
        key=key,
    )

"""Controls of the audit: whole, kept long enough, and able to take the next row."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from data.accounts.stored_settings import SETTINGS
from data.audit import AuditError, AuditLog
from data.audit.verify import verify
from data.secrets import derived
from data.state.database import StateError
from etl.compliance.control import Control, Installed, judged

if TYPE_CHECKING:
    from data.state.database import StateDatabase

AUDIT: Final = "GB/T 22239-2019 8.1.4.3 安全审计"
LEAST_DAYS: Final = 180
"""Six months: 网络安全法 art. 21 (3)."""

_CHAIN: Final = ("audit chain", f"{AUDIT} c")
_KEPT: Final = ("audit kept", "网络安全法 art. 21 (3)")
_WRITABLE: Final = ("audit can be written", f"{AUDIT} a, d")
_PURPOSE: Final = "audit"
_DAYS: Final = "audit_keep_days"


def controls(installed: Installed) -> list[Control]:
    """Judge every control of the audit."""
    if installed.database is None or installed.key is None:
        chain, writable = (installed.without_state(name) for name in (_CHAIN, _WRITABLE))
        return [chain, _kept(installed), writable]
    log = AuditLog(
        installed.database, derived(installed.key, _PURPOSE), home=installed.settings.home
    )
    return [_chain(log), _kept(installed), _writable(log, installed.database)]


def _chain(log: AuditLog) -> Control:
    verdict = verify(log)
    good = f"{verdict.rows:,} rows prove each other, {verdict.first_seq} to {verdict.last_seq}"
    return judged(*_CHAIN, verdict.faults, good)


def _kept(installed: Installed) -> Control:
    days = int(installed.stored.get(_DAYS, SETTINGS[_DAYS].default))
    faults = installed.unusable_of([_DAYS])
    if days < LEAST_DAYS:
        faults.append(f"{_DAYS} is {days}; set {LEAST_DAYS} or more")
    return judged(*_KEPT, faults, f"{days} days, then archived in sealed files")


def _writable(log: AuditLog, database: StateDatabase) -> Control:
    """Take the lock that a row takes and look at the head; nothing of it stays."""
    faults = []
    try:
        with database.writing() as session:
            log.locked_head(session.connection())
            session.rollback()
    except (AuditError, StateError) as error:
        faults = [f"{error}; exports and changes are refused meanwhile"]
    return judged(*_WRITABLE, faults, "the next row can be written; without it nothing is changed")

"""
Codes of reports: which one it is, and that it is this account's, without a list of who sent what.

A code is ten letters that tell the report from others and six that only this installation can make
for this account. Nothing about the sender is stored beside the report.
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from data.manifest import SnapshotError

if TYPE_CHECKING:
    from data.intake import Batch
    from data.store import Store

_OWN: Final = 10
_TAG: Final = 6
_CODE: Final = re.compile(rf"[A-Z2-7]{{{_OWN + _TAG}}}")


class Codes:
    """Makes and reads the codes of one installation."""

    def __init__(self, key: bytes) -> None:
        self._key = hmac.digest(key, b"phone reports", "sha256")

    def code(self, user: str, key: str) -> str:
        """Code of what an account sends under an idempotency key; the same for the same."""
        own = self._letters(f"report\n{user}\n{key}", _OWN)
        return own + self._tag(user, own)

    def read(self, user: str, text: str) -> str | None:
        """Code as it is stored, from what an address says; None unless it is this account's."""
        code = text.replace("-", "").upper()
        if not _CODE.fullmatch(code):
            return None
        is_own = hmac.compare_digest(self._tag(user, code[:_OWN]), code[_OWN:])
        return code if is_own else None

    def reader(self, user: str) -> str:
        """What tells one account's pages from another's on a phone, without its name."""
        return self._letters(f"reader\n{user}", 16)

    def _tag(self, user: str, own: str) -> str:
        return self._letters(f"tag\n{user}\n{own}", _TAG)

    def _letters(self, text: str, count: int) -> str:
        digest = hmac.digest(self._key, text.encode(), "sha256")
        return base64.b32encode(digest).decode()[:count]


def spaced(code: str) -> str:
    """Code as it is read out: four letters at a time."""
    return "-".join(code[at : at + 4] for at in range(0, len(code), 4))


def stored_key(code: str) -> str:
    """Idempotency key under which a report is in the intake log."""
    return hashlib.sha256(f"phone {code}".encode()).hexdigest()


@dataclass(frozen=True)
class Progress:
    """
    What became of a report.

    Attributes
    ----------
    state
        `received`, `taken`, `quarantined` or `refused`.
    reason
        Why it was quarantined or refused, as the tables call it.
    taken_at
        When the snapshot with it was made.
    """

    received_at: dt.datetime
    state: str
    reason: str = ""
    taken_at: dt.datetime | None = None


def progress(store: Store, batch: Batch) -> Progress:
    """Tell how far a report has come, by the intake log and the published snapshot."""
    if batch.refused:
        return Progress(batch.ingested_at, "refused", next(iter(batch.refused)))
    if batch.malformed:
        return Progress(batch.ingested_at, "refused", "malformed_row")
    try:
        snapshot = store.current()
        raw = snapshot.manifest.raw
        if batch.number > int(raw["batch"]):
            return Progress(batch.ingested_at, "received")
        rows = snapshot.rows("SELECT reason FROM quarantine WHERE batch = ?", [batch.number])
    except (SnapshotError, KeyError):
        return Progress(batch.ingested_at, "received")
    made = dt.datetime.fromisoformat(raw["created_at"])
    if rows:
        return Progress(batch.ingested_at, "quarantined", str(rows[0][0]), made)
    return Progress(batch.ingested_at, "taken", taken_at=made)

"""
How audit rows prove each other: every row is hashed with the row before it, the ends are sealed.

All sums are HMAC-SHA256 under the installation's audit key. Who can change the database but does
not have the key cannot compute one.
"""

from __future__ import annotations

import datetime as dt
import hmac
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

GENESIS: Final = "0" * 64
"""What stands in place of a hash before the first row."""

SHORTEST_KEY: Final = 32
"""Bytes."""

FIELDS: Final = (
    "seq", "at", "user", "roles", "address", "session", "action", "target", "result", "detail",
)  # fmt: skip
"""What a row says, in the order in which it is hashed."""


@dataclass(frozen=True)
class Head:
    """
    Where the audit begins and ends.

    Attributes
    ----------
    first_seq
        First row that is still here; earlier ones are in archived files.
    first_previous
        Hash of the row before it.
    seq, hash
        The last row; `first_seq` - 1 and `first_previous` where no row is left.
    """

    first_seq: int = 1
    first_previous: str = GENESIS
    seq: int = 0
    hash: str = GENESIS

    def seal(self, key: bytes) -> str:
        """Sum over all of it."""
        return seal(key, "head", self.first_seq, self.first_previous, self.seq, self.hash)

    def is_sealed(self, key: bytes, found: object) -> bool:
        """Whether a stored seal is that of this head, whatever was stored."""
        try:
            return same(self.seal(key), found)
        except TypeError:  # SQLite keeps any value in any column
            return False


def moment_text(at: dt.datetime) -> str:
    """
    Write a moment as it is hashed: UTC with microseconds, as SQLite keeps it.

    Raises
    ------
    ValueError
        The moment has no zone.
    """
    if at.tzinfo is None:
        raise ValueError("an audited moment needs its zone")
    utc = at.astimezone(dt.UTC).replace(tzinfo=None)
    return utc.isoformat(sep=" ", timespec="microseconds")


def row_hash(key: bytes, previous: str, entry: Mapping[str, Any]) -> str:
    """
    Hash a row with the hash of the row before it.

    Parameters
    ----------
    entry
        At least `FIELDS`; `at` as `moment_text` writes it, `seq` a whole number, the rest text.
    """
    text = _json({name: entry[name] for name in FIELDS})
    return hmac.digest(key, (previous + text).encode(), "sha256").hex()


def seal(key: bytes, purpose: str, *values: object) -> str:
    """Sum over plain values; one for another purpose never fits."""
    return hmac.digest(key, f"{purpose}:{_json(values)}".encode(), "sha256").hex()


def same(computed: str, found: object) -> bool:
    """Compare sums in constant time; `found` may be anything that was stored."""
    return isinstance(found, str) and hmac.compare_digest(computed.encode(), found.encode())


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))

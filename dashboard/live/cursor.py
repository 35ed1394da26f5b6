"""
The cursor: what a screen was given last, sealed.

It holds numbers of the whole city (how far the feed was read), so the reader can neither read nor
make one. One that is forged, of another feed or of another reader's scope stands for none: the
answer is whole then.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import secrets
from dataclasses import astuple, dataclass
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

LONGEST: Final = 600
"""Characters of a cursor."""

_NONCE: Final = 12
_SEEN: Final = b"live 1"
_NUMBER_BITS: Final = 52
"""Of the number under which a reader knows an incident: JavaScript counts exactly that far."""


@dataclass(frozen=True)
class Cursor:
    """What a screen was given last."""

    reader: str
    """Digest of what the reader may see."""
    feed: str
    seq: int
    snapshot: str
    day: str
    counts: str
    warnings: str
    step: int
    units: str
    crowds: str
    code: str


class Seal:
    """Seals cursors, and gives incidents the numbers under which a reader knows them."""

    def __init__(self, key: bytes) -> None:
        self._box = AESGCM(key)
        self._key = hashlib.sha256(b"numbers" + key).digest()

    def sealed(self, cursor: Cursor) -> str:
        """Text of a cursor; says nothing to whoever holds it."""
        nonce = secrets.token_bytes(_NONCE)
        said = json.dumps(astuple(cursor)).encode()
        return base64.urlsafe_b64encode(nonce + self._box.encrypt(nonce, said, _SEEN)).decode()

    def opened(self, text: str) -> Cursor | None:
        """Cursor of a text; None where it was not sealed here."""
        if not text or len(text) > LONGEST:
            return None
        try:
            raw = base64.urlsafe_b64decode(text.encode("ascii"))
            said = self._box.decrypt(raw[:_NONCE], raw[_NONCE:], _SEEN)
            return Cursor(*json.loads(said))
        except (ValueError, TypeError, InvalidTag, binascii.Error):
            return None

    def number(self, feed: str, seq: int) -> int:
        """
        Number under which every reader knows a row.

        Rows are numbered through, so their own numbers would tell a reader of one street how much
        happens in the whole city.
        """
        digest = hmac.digest(self._key, f"{feed} {seq}".encode(), "sha256")
        return int.from_bytes(digest[:8], "big") >> (64 - _NUMBER_BITS)

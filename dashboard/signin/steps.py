"""
What a sign-in holds between its two steps, sealed and kept by the browser.

The password is right and the code is still to come: nothing is signed in yet, and no process keeps
anything. What the browser holds is encrypted, good for one browser and for some minutes.
"""

from __future__ import annotations

import base64
import hmac
import json
from typing import TYPE_CHECKING, Final

from cryptography.fernet import Fernet, InvalidToken

if TYPE_CHECKING:
    import datetime as dt

LASTS_S: Final = 300


class Steps:
    """Seals and opens what the second step needs of the first."""

    def __init__(self, key: bytes) -> None:
        derived = hmac.digest(key, b"sign-in steps", "sha256")
        self._box = Fernet(base64.urlsafe_b64encode(derived))

    def seal(self, login: str, password: str, *, browser: str, now: dt.datetime) -> str:
        """
        Seal a right password until its code comes.

        Parameters
        ----------
        browser
            Random text that this browser holds as a cookie.
        """
        content = json.dumps([login, password, browser]).encode()
        return self._box.encrypt_at_time(content, int(now.timestamp())).decode()

    def open(self, sealed: str, *, browser: str, now: dt.datetime) -> tuple[str, str] | None:
        """Login and password of the first step; None where it is too old or of another browser."""
        try:
            content = self._box.decrypt_at_time(sealed.encode(), LASTS_S, int(now.timestamp()))
        except InvalidToken:
            return None
        login, password, sealed_for = json.loads(content)
        is_same = hmac.compare_digest(str(sealed_for).encode(), browser.encode())
        return (str(login), str(password)) if is_same and browser else None

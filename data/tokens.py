"""
Tokens: which sender may push rows, and for which sources.

A token is shown once, when it is made. Its SHA-256 is kept, in a file for its owner alone: enough
to know the token again, and the key of the sender's signatures. Who reads that file can sign but
cannot show the token, which is why the file is refused when others may read it.
"""

from __future__ import annotations

import fcntl
import hashlib
import hmac
import json
import os
import re
import secrets
import stat
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Final

from data.writer import sync

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator, Sequence
    from pathlib import Path

FILE: Final = "tokens.json"
PREFIX: Final = "pingan"

_NAME: Final = re.compile(r"[\w.-]{1,64}")
_ID_BYTES, _SECRET_BYTES = 4, 32


class TokenError(ValueError):
    """A token cannot be made or found, or the file cannot be trusted."""


@dataclass(frozen=True)
class Token:
    """
    One sender.

    Attributes
    ----------
    id
        Eight hexadecimal digits, the public part; a signed request names it.
    sources
        Names of the sources that it may push to.
    sha256
        Of the whole token, in hexadecimal digits; as text also the key of its signatures.
    created_at
        UTC.
    """

    id: str
    name: str
    sources: tuple[str, ...]
    sha256: str
    created_at: str

    def signs(self, message: bytes, signature: str) -> bool:
        """Whether a signature is that of the message by this token; takes constant time."""
        return hmac.compare_digest(sign(self.sha256, message), signature.encode())


_Tokens = list[Token]  # `list` is a method below


def token_sha256(secret: str) -> str:
    """SHA-256 of a token, in hexadecimal digits."""
    return hashlib.sha256(secret.encode()).hexdigest()


def sign(key: str, message: bytes) -> bytes:
    """HMAC-SHA256 of a message, in hexadecimal digits; the key is `token_sha256`."""
    return hmac.new(key.encode(), message, hashlib.sha256).hexdigest().encode()


class TokenStore:
    """The tokens of one home; several processes may use it at the same time."""

    def __init__(self, home: Path) -> None:
        self._path = home / FILE

    def create(self, name: str, sources: Sequence[str], *, now: dt.datetime) -> tuple[Token, str]:
        """
        Make a token.

        Returns
        -------
        token, secret
            The secret is what the sender needs; it cannot be shown again.

        Raises
        ------
        TokenError
            The name is taken or no plain name, or no source is given.
        """
        if not _NAME.fullmatch(name):
            raise TokenError(f"token name {name!r}: use 1 to 64 letters, digits, `.`, `-`, `_`")
        if not sources:
            raise TokenError(f"token {name}: name at least one source")
        number = secrets.token_hex(_ID_BYTES)
        secret = f"{PREFIX}_{number}_{secrets.token_urlsafe(_SECRET_BYTES)}"
        token = Token(
            id=number,
            name=name,
            sources=tuple(dict.fromkeys(sources)),
            sha256=token_sha256(secret),
            created_at=now.isoformat(timespec="seconds"),
        )
        with self._changed() as tokens:
            if any(known.name == name for known in tokens):
                raise TokenError(f"token {name} exists; revoke it first or use another name")
            tokens.append(token)
        return token, secret

    def revoke(self, name: str) -> None:
        """
        Delete a token; the next request with it is refused.

        Raises
        ------
        TokenError
            There is no such token.
        """
        with self._changed() as tokens:
            left = [token for token in tokens if token.name != name]
            if len(left) == len(tokens):
                known = ", ".join(token.name for token in tokens) or "none"
                raise TokenError(f"there is no token {name}; known: {known}")
            tokens[:] = left

    def list(self) -> _Tokens:
        """
        Every token, in the order in which they were made.

        Raises
        ------
        TokenError
            The file is damaged, or others than its owner may read it.
        """
        try:
            mode = stat.S_IMODE(self._path.stat().st_mode)
            text = self._path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return []
        if mode & 0o077:
            raise TokenError(f"{self._path} has mode {mode:o}; run `chmod 600 {self._path}`")
        try:
            entries = json.loads(text)
            return [Token(**{**entry, "sources": tuple(entry["sources"])}) for entry in entries]
        except (ValueError, TypeError, KeyError) as error:
            raise TokenError(f"{self._path} is damaged ({error}); make the tokens anew") from None

    def by_secret(self, secret: str) -> Token | None:
        """Token with this secret; None where there is none."""
        digest = token_sha256(secret)
        found = [token for token in self.list() if hmac.compare_digest(token.sha256, digest)]
        return found[0] if found else None

    def by_id(self, number: str) -> Token | None:
        """Token with this public part; None where there is none."""
        return next((token for token in self.list() if token.id == number), None)

    @contextmanager
    def _changed(self) -> Iterator[_Tokens]:
        """Tokens to change; written at once when the block ends without an error."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with _own_file(self._path.with_name(f".{FILE}.lock")) as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            tokens = self.list()
            yield tokens
            text = json.dumps([asdict(token) for token in tokens], ensure_ascii=False, indent=1)
            waiting = self._path.with_name(f".{FILE}.new")
            with _own_file(waiting) as handle:
                os.write(handle, text.encode() + b"\n")
                os.fsync(handle)
            waiting.replace(self._path)
            sync(self._path.parent)


@contextmanager
def _own_file(path: Path) -> Iterator[int]:
    """Open a file that only its owner may read, emptied."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        yield handle
    finally:
        os.close(handle)

"""
Tokens: which sender may push rows, and for which sources.

A token is shown once, when it is made. Its SHA-256 is kept in the state database: enough to know
the token again, and the key of the sender's signatures. Who reads that table can sign but cannot
show the token.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import json
import re
import secrets
import stat
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from data.state.alone import TOKENS, alone
from data.state.models import ApiToken

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from data.state.database import StateDatabase

FILE: Final = "tokens.json"
"""Where tokens were kept before there was a state database."""

TAKEN_IN: Final = "tokens.json.imported"
PREFIX: Final = "pingan"

_NAME: Final = re.compile(r"[\w.-]{1,64}")
_NUMBER: Final = re.compile(r"[0-9a-f]{8}")
_ID_BYTES, _SECRET_BYTES = 4, 32


class TokenError(ValueError):
    """A token cannot be made or found, or an old file cannot be trusted."""


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
    return hashlib.sha256(secret.encode(errors="replace")).hexdigest()


def sign(key: str, message: bytes) -> bytes:
    """HMAC-SHA256 of a message, in hexadecimal digits; the key is `token_sha256`."""
    return hmac.new(key.encode(), message, hashlib.sha256).hexdigest().encode()


class TokenStore:
    """The tokens of one installation; several processes may use it at the same time."""

    def __init__(self, database: StateDatabase) -> None:
        self._database = database

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
        StateError
            The database fails; nothing was written.
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
        with self._database.writing() as session:
            session.add(_row(token))
            try:
                session.flush()
            except IntegrityError:
                raise TokenError(
                    f"token {name} exists; revoke it first or use another name"
                ) from None
        return token, secret

    def revoke(self, name: str) -> None:
        """
        Delete a token; the next request with it is refused.

        Raises
        ------
        TokenError
            There is no such token.
        StateError
            The database fails; nothing has changed.
        """
        with self._database.writing() as session:
            gone = sa.delete(ApiToken).where(ApiToken.name == name).returning(ApiToken.id)
            if session.execute(gone).first() is None:
                names = session.scalars(sa.select(ApiToken.name).order_by(*_ORDER)).all()
                known = ", ".join(names) or "none"
                raise TokenError(f"there is no token {name}; known: {known}")

    def list(self) -> _Tokens:
        """
        Every token, in the order in which they were made.

        Raises
        ------
        StateError
            The database fails.
        """
        with self._database.reading() as session:
            return [_token(row) for row in session.scalars(sa.select(ApiToken).order_by(*_ORDER))]

    def by_secret(self, secret: str) -> Token | None:
        """Token with this secret; None where there is none."""
        return self._one(ApiToken.sha256 == token_sha256(secret))

    def by_id(self, number: str) -> Token | None:
        """Token with this public part; None where there is none."""
        return self._one(ApiToken.id == number) if _NUMBER.fullmatch(number) else None

    def import_file(self, home: Path) -> int:
        """
        Take in the tokens of an older version's file once; it is renamed then.

        Returns
        -------
        count
            Of tokens that were taken in; 0 where there is no such file.

        Raises
        ------
        TokenError
            The file is damaged, or others than its owner may read it; nothing was taken in.
        StateError
            The database fails; nothing was taken in.
        """
        path = home / FILE
        if not path.exists():
            return 0
        with self._database.writing() as session:
            alone(session, TOKENS)
            tokens = _read_file(path)
            names = set(session.scalars(sa.select(ApiToken.name)))
            new = [token for token in tokens if token.name not in names]
            session.add_all(_row(token) for token in new)
        with suppress(FileNotFoundError):  # another process took the same tokens in
            path.replace(home / TAKEN_IN)
        return len(new)

    def _one(self, condition: sa.ColumnElement[bool]) -> Token | None:
        with self._database.reading() as session:
            row = session.scalar(sa.select(ApiToken).where(condition))
        return _token(row) if row else None


_ORDER: Final = (ApiToken.created_at, ApiToken.name)


def _row(token: Token) -> ApiToken:
    return ApiToken(
        id=token.id,
        name=token.name,
        sources=json.dumps(token.sources, ensure_ascii=False),
        sha256=token.sha256,
        created_at=dt.datetime.fromisoformat(token.created_at),
    )


def _token(row: ApiToken) -> Token:
    return Token(
        id=row.id,
        name=row.name,
        sources=tuple(json.loads(row.sources)),
        sha256=row.sha256,
        created_at=row.created_at.isoformat(timespec="seconds"),
    )


def _read_file(path: Path) -> _Tokens:
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return []
    if mode & 0o077:
        raise TokenError(f"{path} has mode {mode:o}; run `chmod 600 {path}`")
    try:
        tokens = [
            Token(**{**entry, "sources": tuple(entry["sources"])}) for entry in json.loads(text)
        ]
        for token in tokens:
            _row(token)
    except (ValueError, TypeError, KeyError) as error:
        raise TokenError(f"{path} is damaged ({error}); make the tokens anew") from None
    return tokens

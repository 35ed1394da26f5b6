"""
Tokens of wall screens: made once, shown once, good from some addresses only.

Of a token its SHA-256 is kept. A request is looked up anew each time, so that a token that is
revoked, or has come to its end, shows nothing more from the next request on.
"""

from __future__ import annotations

import datetime as dt
import ipaddress
import re
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from data.access import WHOLE_CITY, Grant, Scope
from data.permissions import WALL
from data.personal import names_a_person
from data.screens.models import ScreenRow
from data.tokens import token_sha256
from geo.divisions import LEVELS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from data.state.database import StateDatabase

SEEN_EVERY: Final = dt.timedelta(minutes=1)
"""How often it is written down, at most, that a screen is there."""

MOST_NETWORKS: Final = 20

_NAME: Final = re.compile(r"[\w.-]{1,40}")
_CODE: Final = re.compile(r"[^\s*]{1,40}")
_SECRET: Final = re.compile(r"[A-Za-z0-9_-]{43}")
_SECRET_BYTES: Final = 32

_Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class ScreenError(ValueError):
    """A screen cannot be made or found as asked."""


@dataclass(frozen=True)
class Screen:
    """
    One wall screen.

    Attributes
    ----------
    addresses
        Networks from which its token counts; an address is a network of one.
    created_at, seen_at
        UTC; `seen_at` is None while it has not been there.
    valid_until
        Last day in the city; None = without end.
    """

    id: int
    name: str
    level: str
    code: str
    addresses: tuple[str, ...]
    created_at: dt.datetime
    valid_until: dt.date | None
    seen_at: dt.datetime | None

    def takes(self, address: str) -> bool:
        """Whether its token counts from a network address."""
        found = _plain(address)
        return found is not None and any(
            found in ipaddress.ip_network(one) for one in self.addresses
        )

    def is_over(self, day: dt.date) -> bool:
        """Whether its last day has passed."""
        return self.valid_until is not None and day > self.valid_until

    @property
    def scope(self) -> Scope:
        """What it may see: one area, read only."""
        grant = Grant(WALL, self.level, self.code)
        return Scope(f"screen-{self.name}", frozenset({grant}), session=f"screen{self.id}"[-8:])


_Screens = list[Screen]  # `list` is a method below


class ScreenStore:
    """The wall screens of one installation; several processes may use it at the same time."""

    def __init__(self, database: StateDatabase) -> None:
        self._database = database

    def create(
        self,
        name: str,
        area: tuple[str, str],
        addresses: Sequence[str],
        *,
        valid_until: dt.date | None = None,
        now: dt.datetime,
    ) -> tuple[Screen, str]:
        """
        Make a screen.

        Parameters
        ----------
        area
            Level and code.
        addresses
            IP addresses or networks (CIDR) from which its token counts; at least one.

        Returns
        -------
        screen, secret
            The secret is part of the address that the wall opens; it cannot be shown again.

        Raises
        ------
        ScreenError
            The name is taken or no plain name, or area or addresses cannot be.
        StateError
            The database fails; nothing was written.
        """
        if not _NAME.fullmatch(name) or names_a_person(pa.array([name]))[0]:
            raise ScreenError(f"screen name {name!r}: use 1 to 40 letters, digits, `.`, `-`, `_`")
        level, code = _checked_area(*area)
        secret = secrets.token_urlsafe(_SECRET_BYTES)
        row = ScreenRow(
            name=name, level=level, area_code=code, addresses=" ".join(_networks(addresses)),
            sha256=token_sha256(secret), created_at=now, valid_until=valid_until, seen_at=None,
        )  # fmt: skip
        with self._database.writing() as session:
            session.add(row)
            try:
                session.flush()
            except IntegrityError:
                raise ScreenError(
                    f"screen {name} exists; revoke it first or use another name"
                ) from None
            return _screen(row), secret

    def list(self) -> _Screens:
        """
        Every screen, in the order in which they were made.

        Raises
        ------
        StateError
            The database fails.
        """
        with self._database.reading() as session:
            rows = session.scalars(sa.select(ScreenRow).order_by(ScreenRow.id))
            return [_screen(row) for row in rows]

    def revoke(self, name: str) -> None:
        """
        Delete a screen; its next request shows nothing.

        Raises
        ------
        ScreenError
            There is no such screen.
        StateError
            The database fails; nothing has changed.
        """
        with self._database.writing() as session:
            gone = sa.delete(ScreenRow).where(ScreenRow.name == name).returning(ScreenRow.id)
            if session.execute(gone).first() is None:
                names = session.scalars(sa.select(ScreenRow.name).order_by(ScreenRow.id)).all()
                known = ", ".join(names) or "none"
                raise ScreenError(f"there is no screen {name}; known: {known}")

    def by_secret(self, secret: str) -> Screen | None:
        """Screen whose token this is, from wherever it comes; None where there is none."""
        if not _SECRET.fullmatch(secret):
            return None
        asked = sa.select(ScreenRow).where(ScreenRow.sha256 == token_sha256(secret))
        with self._database.reading() as session:
            row = session.scalar(asked)
        return None if row is None else _screen(row)

    def current(self, secret: str, address: str, *, day: dt.date) -> Screen | None:
        """
        Screen that a request shows: its token, from one of its addresses, before its end.

        Parameters
        ----------
        day
            In the city.
        """
        screen = self.by_secret(secret)
        if screen is None or not screen.takes(address) or screen.is_over(day):
            return None
        return screen

    def see(self, screen: Screen, *, now: dt.datetime) -> None:
        """
        Write down that a screen is there, where that was not done in the last minute.

        Raises
        ------
        StateError
            The database fails; nothing has changed.
        """
        if screen.seen_at is not None and now - screen.seen_at < SEEN_EVERY:
            return
        with self._database.writing() as session:
            session.execute(
                sa.update(ScreenRow)
                .where(
                    ScreenRow.id == screen.id,
                    ScreenRow.seen_at.is_(None) | (ScreenRow.seen_at <= now - SEEN_EVERY),
                )
                .values(seen_at=now)
            )


def _checked_area(level: str, code: str) -> tuple[str, str]:
    if level not in LEVELS:
        raise ScreenError(f"there is no level {level!r}; known: {', '.join(LEVELS)}")
    if level == "city":
        return level, WHOLE_CITY
    if not _CODE.fullmatch(code) or not code.isprintable():
        raise ScreenError(f"area code {code!r}: use 1 to 40 characters without spaces")
    return level, code


def _networks(addresses: Sequence[str]) -> tuple[str, ...]:
    """Networks as they are stored, each once."""
    if not 1 <= len(addresses) <= MOST_NETWORKS:
        raise ScreenError(f"name 1 to {MOST_NETWORKS} addresses or networks of the screen")
    found = []
    for text in addresses:
        try:
            network: _Network = ipaddress.ip_network(text.strip(), strict=False)
        except ValueError:
            raise ScreenError(f"{text!r} is no IP address or network, as 10.1.2.0/24") from None
        if network.prefixlen == 0:
            raise ScreenError(f"{text} is every address there is; name those of the screen")
        found.append(str(network))
    return tuple(dict.fromkeys(found))


def _plain(address: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """An address as it is compared: an IPv4 one that came in IPv6's clothes is itself."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return None
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return mapped or found


def _screen(row: ScreenRow) -> Screen:
    return Screen(
        id=row.id, name=row.name, level=row.level, code=row.area_code,
        addresses=tuple(row.addresses.split()), created_at=row.created_at,
        valid_until=row.valid_until, seen_at=row.seen_at,
    )  # fmt: skip

"""Links that open one thing: the first set-up, once; a protected view, for some days."""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets
from typing import TYPE_CHECKING, Final

import sqlalchemy as sa

from data.accounts.duties import SECURITY_ADMIN, AccountError
from data.state.alone import DUTIES, alone
from data.state.models import Link, UserScope

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from data.state.database import StateDatabase

SETUP, SHARE = "setup", "share"
SETUP_HOURS: Final = 24
LONGEST_DAYS: Final = 90
LONGEST_SEARCH: Final = 4_000

_SECRET_BYTES: Final = 32


class LinkError(AccountError):
    """A link cannot be made."""


def hashed(secret: str) -> str:
    """What is stored of a secret: its SHA-256, in hexadecimal digits."""
    return hashlib.sha256(secret.encode(errors="replace")).hexdigest()


def has_security_admin(session: Session) -> bool:
    """Whether anybody was ever given the role that manages accounts."""
    held = sa.select(UserScope.id).where(UserScope.role == SECURITY_ADMIN).limit(1)
    return session.scalar(held) is not None


def setup_link(database: StateDatabase, *, now: dt.datetime) -> str:
    """
    Open the first set-up for 24 hours; an earlier link that is still open closes.

    Returns
    -------
    secret
        What the link holds; it cannot be shown again.

    Raises
    ------
    LinkError
        There is a security administrator: the set-up is over for good.
    StateError
        The database fails.
    """
    with database.writing() as session:
        alone(session, DUTIES)
        if has_security_admin(session):
            raise LinkError(
                f"there is a {SECURITY_ADMIN} already, who makes accounts on the page of users; "
                "on this machine use `pingan user add`"
            )
        session.execute(
            sa.update(Link).where(Link.kind == SETUP, Link.ended_at.is_(None)).values(ended_at=now)
        )
        ends = now + dt.timedelta(hours=SETUP_HOURS)
        return _make(session, SETUP, by="", now=now, ends=ends)


def setup_is_open(database: StateDatabase, secret: str, *, now: dt.datetime) -> bool:
    """Whether a set-up link would work; it is not used by that."""
    with database.reading() as session:
        return _open(session, SETUP, secret, now) is not None and not has_security_admin(session)


def use_setup(database: StateDatabase, secret: str, now: dt.datetime) -> bool:
    """Use a set-up link up; True once, however many try at the same time."""
    with database.writing() as session:
        return use_setup_within(session, secret, now)


def use_setup_within(session: Session, secret: str, now: dt.datetime) -> bool:
    """Use a set-up link up together with what else the transaction writes."""
    alone(session, DUTIES)
    link = _open(session, SETUP, secret, now)
    if link is None or has_security_admin(session):
        return False
    link.ended_at = now
    return True


def share(database: StateDatabase, *, search: str, by: str, days: int, now: dt.datetime) -> str:
    """
    Make a link to a protected view.

    Parameters
    ----------
    search
        The view, as the query of an address.
    by
        Login of who shares it.
    days
        How long it works, 1 to 90.

    Returns
    -------
    secret
        What the link holds; it cannot be shown again.

    Raises
    ------
    LinkError
        The days are out of bounds, or the view is no query of an address.
    StateError
        The database fails.
    """
    if not 1 <= days <= LONGEST_DAYS:
        raise LinkError(f"a link works for 1 to {LONGEST_DAYS} days, not {days}")
    if len(search) > LONGEST_SEARCH or not search.isprintable():
        raise LinkError(f"a view is the query of an address, {LONGEST_SEARCH:,} characters at most")
    with database.writing() as session:
        ends = now + dt.timedelta(days=days)
        return _make(session, SHARE, by=by, now=now, ends=ends, search=search)


def shared(database: StateDatabase, secret: str, now: dt.datetime) -> Link | None:
    """Return the view behind a link; None where it is unknown, over or withdrawn."""
    with database.reading() as session:
        return _open(session, SHARE, secret, now)


def shares(database: StateDatabase, *, now: dt.datetime, by: str | None = None) -> list[Link]:
    """Shared links that work, of one account or of all, newest first."""
    kept = [Link.kind == SHARE, Link.ended_at.is_(None), Link.expires_at > now]
    if by is not None:
        kept.append(Link.created_by == by)
    with database.reading() as session:
        return list(session.scalars(sa.select(Link).where(*kept).order_by(Link.created_at.desc())))


def withdraw(
    database: StateDatabase, link_id: str, *, now: dt.datetime, by: str | None = None
) -> bool:
    """
    End a shared link; False where there is none that works.

    Parameters
    ----------
    link_id
        Its `id`, the hash of its secret.
    by
        Only if this account made it.
    """
    kept = [Link.id == _plain(link_id), Link.kind == SHARE, Link.ended_at.is_(None)]
    if by is not None:
        kept.append(Link.created_by == by)
    with database.writing() as session:
        ended = session.execute(
            sa.update(Link).where(*kept).values(ended_at=now).returning(Link.id)
        )
        return ended.first() is not None


def withdraw_all_of(session: Session, login: str, now: dt.datetime) -> None:
    """End every link that an account has shared."""
    session.execute(
        sa.update(Link)
        .where(Link.kind == SHARE, Link.created_by == login, Link.ended_at.is_(None))
        .values(ended_at=now)
    )


def _make(
    session: Session,
    kind: str,
    *,
    by: str,
    now: dt.datetime,
    ends: dt.datetime,
    search: str = "",
) -> str:
    secret = secrets.token_urlsafe(_SECRET_BYTES)
    session.add(
        Link(
            id=hashed(secret),
            kind=kind,
            search=search,
            created_by=by,
            created_at=now,
            expires_at=ends,
        )
    )
    return secret


def _plain(link_id: str) -> str:
    """Return the id, or "" for what no database takes."""
    return link_id if link_id.isascii() and link_id.isprintable() else ""


def _open(session: Session, kind: str, secret: str, now: dt.datetime) -> Link | None:
    return session.scalar(
        sa.select(Link).where(
            Link.id == hashed(secret),
            Link.kind == kind,
            Link.ended_at.is_(None),
            Link.expires_at > now,
        )
    )

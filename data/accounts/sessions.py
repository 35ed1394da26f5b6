"""Sessions: who is signed in, by a secret of which only the hash is stored."""

from __future__ import annotations

import datetime as dt
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import sqlalchemy as sa

from data.accounts.links import hashed
from data.state.models import User, UserSession

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from data.accounts.policy import Policy
    from data.state.database import StateDatabase

SEEN_EVERY: Final = dt.timedelta(minutes=1)
"""How often the use of a session is written down."""

KEPT: Final = dt.timedelta(days=30)
"""How long an ended session is still listed."""

_SECRET_BYTES: Final = 32
_ADDRESS: Final = 64


@dataclass(frozen=True)
class SignedIn:
    """
    Who holds a session.

    Attributes
    ----------
    session_id
        Hash of the secret; its first eight digits name the session in the audit.
    seen
        When it was last used before now, to the minute.
    """

    user: User
    session_id: str
    seen: dt.datetime


class Sessions:
    """The sessions of one installation."""

    def __init__(self, database: StateDatabase) -> None:
        self._database = database

    def start(self, user: User, *, address: str, policy: Policy, now: dt.datetime) -> str:
        """
        Sign an account in.

        Returns
        -------
        secret
            For the cookie of the browser; it cannot be shown again.

        Raises
        ------
        StateError
            The database fails.
        """
        secret = secrets.token_urlsafe(_SECRET_BYTES)
        with self._database.writing() as session:
            if policy.one_session:
                end_sessions(session, user.id, now=now)
            session.add(
                UserSession(
                    id=hashed(secret),
                    user_id=user.id,
                    address=address[:_ADDRESS],
                    created_at=now,
                    seen_at=now,
                    expires_at=now + dt.timedelta(hours=policy.session_hours),
                )
            )
        return secret

    def current(self, secret: str, *, now: dt.datetime, policy: Policy) -> SignedIn | None:
        """
        Tell who holds a session; None where it is unknown, ended, idle too long or over.

        A disabled account holds none. The account is read anew, so a change of it counts at once.

        Raises
        ------
        StateError
            The database fails.
        """
        asked = (
            sa.select(UserSession, User)
            .join(User, User.id == UserSession.user_id)
            .where(UserSession.id == hashed(secret), User.disabled.is_(False))
        )
        with self._database.reading() as reading:
            found = reading.execute(asked).one_or_none()
        if found is None or not _is_open(found[0], now, policy):
            return None
        held, user = found
        if now - held.seen_at >= SEEN_EVERY:
            self._see(held.id, now)
        return SignedIn(user, held.id, held.seen_at)

    def end(self, secret: str, *, now: dt.datetime | None = None) -> None:
        """End a session; one that is unknown or over is left as it is."""
        with self._database.writing() as session:
            session.execute(
                sa.update(UserSession)
                .where(UserSession.id == hashed(secret), UserSession.ended_at.is_(None))
                .values(ended_at=now or dt.datetime.now(dt.UTC))
            )

    def end_all(
        self, user_id: int, *, but: str | None = None, now: dt.datetime | None = None
    ) -> int:
        """
        End every session of an account.

        Parameters
        ----------
        but
            Id of a session that stays.

        Returns
        -------
        count
            Of sessions that were ended.
        """
        with self._database.writing() as session:
            return end_sessions(session, user_id, but=but, now=now or dt.datetime.now(dt.UTC))

    def open_of(self, user_id: int, *, now: dt.datetime | None = None) -> list[UserSession]:
        """Sessions of an account that are not over, latest use first."""
        moment = now or dt.datetime.now(dt.UTC)
        asked = sa.select(UserSession).where(
            UserSession.user_id == user_id,
            UserSession.ended_at.is_(None),
            UserSession.expires_at > moment,
        )
        with self._database.reading() as session:
            return list(session.scalars(asked.order_by(UserSession.seen_at.desc())))

    def prune(self, now: dt.datetime) -> int:
        """Delete sessions that ended more than 30 days ago; returns how many."""
        before = now - KEPT
        is_old = sa.or_(UserSession.expires_at < before, UserSession.ended_at < before)
        with self._database.writing() as session:
            gone = session.execute(sa.delete(UserSession).where(is_old).returning(UserSession.id))
            return len(gone.all())

    def _see(self, session_id: str, now: dt.datetime) -> None:
        with self._database.writing() as session:
            session.execute(
                sa.update(UserSession)
                .where(UserSession.id == session_id, UserSession.seen_at < now)
                .values(seen_at=now)
            )


def end_sessions(
    session: Session, user_id: int, *, now: dt.datetime, but: str | None = None
) -> int:
    """End the sessions of an account together with what else the transaction writes."""
    kept = [UserSession.user_id == user_id, UserSession.ended_at.is_(None)]
    if but is not None:
        kept.append(UserSession.id != but)
    ended = session.execute(
        sa.update(UserSession).where(*kept).values(ended_at=now).returning(UserSession.id)
    )
    return len(ended.all())


def _is_open(held: UserSession, now: dt.datetime, policy: Policy) -> bool:
    idle_ends = held.seen_at + dt.timedelta(minutes=policy.idle_minutes)
    # The rules may have become stricter since the session began.
    ends = min(held.expires_at, held.created_at + dt.timedelta(hours=policy.session_hours))
    return held.ended_at is None and now < idle_ends and now < ends

"""Rows of accounts as one transaction reads and writes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from data.accounts.duties import AccountError
from data.accounts.logins import normal_login
from data.state.models import PasswordHistory, User, UserScope

if TYPE_CHECKING:
    import datetime as dt

    from sqlalchemy.orm import Session

HISTORY_KEPT: Final = 24
"""Passwords of an account that are remembered: as many as a setting can ask for."""


def new_user(
    login: str, unit: str, now: dt.datetime, password_hash: str | None, *, must_change: bool
) -> User:
    """Make the row of an account, not yet stored."""
    return User(
        login=login,
        unit=unit,
        password_hash=password_hash,
        password_changed_at=now if password_hash else None,
        must_change=must_change,
        created_at=now,
    )


def insert_user(session: Session, user: User) -> None:
    """
    Store an account.

    Raises
    ------
    AccountError
        The login or the subject is taken.
    """
    session.add(user)
    try:
        session.flush()
    except IntegrityError as error:
        who = f" or its subject at {user.provider}" if user.subject else ""
        raise AccountError(f"login {user.login}{who} is taken; choose another") from error
    if user.password_hash:
        remember(session, user)


def find_user(session: Session, login: str, *, lock: bool = False) -> User:
    """
    Return the row of an account, for others to wait for if it is locked.

    Raises
    ------
    AccountError
        There is none.
    """
    asked = sa.select(User).where(User.login == normal_login(login))
    user = session.scalar(asked.with_for_update() if lock else asked)
    if user is None:
        raise AccountError(f"there is no account {login[:64]!r}")
    return user


def remember(session: Session, user: User) -> None:
    """Put the present password into the history, of which the latest stay."""
    session.add(
        PasswordHistory(
            user_id=user.id,
            password_hash=user.password_hash,
            changed_at=user.password_changed_at,
        )
    )
    session.flush()
    for old in session.scalars(history_of(user).offset(HISTORY_KEPT)):
        session.delete(old)


def history_of(user: User) -> sa.Select[PasswordHistory]:
    """Passwords of an account, the present one first."""
    latest = (PasswordHistory.changed_at.desc(), PasswordHistory.id.desc())
    return sa.select(PasswordHistory).where(PasswordHistory.user_id == user.id).order_by(*latest)


def all_grants() -> sa.Select[UserScope]:
    """Grants of all accounts, by role and area."""
    order = (UserScope.role, UserScope.level, UserScope.area_code)
    return sa.select(UserScope).order_by(*order)


def grants_of(session: Session, user: User) -> list[UserScope]:
    """Every grant of an account, those that do not hold today among them."""
    return list(session.scalars(all_grants().where(UserScope.user_id == user.id)))

"""Sign in with a login and a password, and a one-time code where the account has one."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import sqlalchemy as sa

from data.accounts import totp
from data.accounts.logins import normal_login
from data.accounts.passwords import hash_password, is_password, needs_new_hash
from data.state.models import Role, User

if TYPE_CHECKING:
    from data.accounts.policy import Policy
    from data.accounts.users import Accounts

Result = Literal[
    "ok", "wrong", "locked", "expired", "must_change", "code_needed", "code_wrong", "disabled"
]


@dataclass(frozen=True)
class Outcome:
    """
    What came of a sign-in.

    Attributes
    ----------
    result
        `ok`, `must_change` and `expired` let the account in, the last two only as far as its
        password page. `wrong` and `locked` must look the same to whoever tries: only accounts
        that exist are locked.
    user
        Who is let in; None with every other result.
    """

    result: Result
    user: User | None = None


@dataclass(frozen=True)
class _Try:
    """An attempt that was counted before the password is looked at."""

    user: User | None
    is_locked: bool


def sign_in(
    accounts: Accounts, login: str, password: str, *, code: str = "", now: dt.datetime
) -> Outcome:
    """
    Judge a sign-in and count it.

    Each attempt is counted as failed first and cleared when it turns out right, so a hundred at
    once are a hundred. An unknown login takes as long as a known one.

    Raises
    ------
    StateError
        The database fails.
    """
    policy = accounts.policy()
    tried = _count(accounts, policy, login, now)
    user = tried.user
    is_right = is_password(user.password_hash if user else None, password)
    if tried.is_locked:
        return Outcome("locked")
    if user is None or not is_right:
        return Outcome("wrong")
    if user.disabled:
        return Outcome("disabled")
    if totp.is_asked(policy, user):
        if not code:
            _take_back(accounts, policy, user)
            return Outcome("code_needed")
        if not totp.check(accounts, user.login, code, now):
            return Outcome("code_wrong")
    return _admit(accounts, policy, user, password, now)


def check_password(accounts: Accounts, login: str, password: str, *, now: dt.datetime) -> Outcome:
    """
    Judge and count the password alone, as of somebody signed in who wants to change it.

    Returns
    -------
    outcome
        `ok` with the user, `wrong`, `locked` or `disabled`.

    Raises
    ------
    StateError
        The database fails.
    """
    policy = accounts.policy()
    tried = _count(accounts, policy, login, now)
    user = tried.user
    is_right = is_password(user.password_hash if user else None, password)
    if tried.is_locked:
        return Outcome("locked")
    if user is None or not is_right:
        return Outcome("wrong")
    if user.disabled:
        return Outcome("disabled")
    _take_back(accounts, policy, user)
    return Outcome("ok", user)


def has_expired(policy: Policy, user: User, now: dt.datetime) -> bool:
    """Whether the password is older than the rules allow."""
    changed = user.password_changed_at
    return changed is not None and changed + dt.timedelta(days=policy.expiry_days) <= now


def _count(accounts: Accounts, policy: Policy, login: str, now: dt.datetime) -> _Try:
    asked = sa.select(User).where(User.login == normal_login(login)).with_for_update()
    with accounts.database.writing() as session:
        user = session.scalar(asked)
        if user is None or user.password_hash is None:
            # To the disk and back takes time too: a write that changes nothing.
            session.execute(sa.update(Role).values(title_en=Role.title_en))
            return _Try(None, is_locked=False)
        is_locked = user.locked_until is not None and user.locked_until > now
        if user.locked_until is not None and not is_locked:
            user.failures, user.locked_until = 0, None
        user.failures += 1
        if user.failures >= policy.lock_failures and not is_locked:
            user.locked_until = now + dt.timedelta(minutes=policy.lock_minutes)
        return _Try(None if is_locked else user, is_locked=is_locked)


def _take_back(accounts: Accounts, policy: Policy, user: User) -> None:
    """Count one attempt less, and no more: the others may have been those of a guesser."""
    with accounts.database.writing() as session:
        row = session.get_one(User, user.id, with_for_update=True)
        row.failures = max(row.failures - 1, 0)
        if row.failures < policy.lock_failures:
            row.locked_until = None


def _admit(
    accounts: Accounts, policy: Policy, user: User, password: str, now: dt.datetime
) -> Outcome:
    old_hash = user.password_hash
    new_hash = hash_password(password) if needs_new_hash(old_hash or "") else old_hash
    with accounts.database.writing() as session:
        row = session.get_one(User, user.id, with_for_update=True)
        if row.password_hash != old_hash or row.disabled:
            return Outcome("wrong")  # changed since it was compared
        row.password_hash = new_hash
        row.failures, row.locked_until = 0, None
        expired = has_expired(policy, row, now)
        row.must_change = row.must_change or expired
    if expired:
        return Outcome("expired", row)
    return Outcome("must_change" if row.must_change else "ok", row)

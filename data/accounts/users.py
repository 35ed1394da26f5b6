"""Accounts: posts and offices that may sign in, and the roles that each holds in which areas."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import sqlalchemy as sa

from data.access import NOBODY, Grant, Scope
from data.accounts import duties, links, rights, stored_settings
from data.accounts.duties import SECURITY_ADMIN, AccountError
from data.accounts.links import LinkError
from data.accounts.logins import (
    LOCAL,
    checked_login,
    checked_subject,
    checked_unit,
    normal_login,
)
from data.accounts.passwords import hash_password, is_password, make_password
from data.accounts.policy import Policy, password_faults, told
from data.accounts.rights import Days, as_grant, new_grant
from data.accounts.rows import (
    HISTORY_KEPT,
    all_grants,
    find_user,
    grants_of,
    history_of,
    insert_user,
    new_user,
    remember,
)
from data.accounts.sessions import end_sessions
from data.state.alone import DUTIES, alone
from data.state.models import User, UserScope

if TYPE_CHECKING:
    from collections.abc import Sequence

    from data.state.database import StateDatabase

_SESSION_DIGITS: Final = 8


class PasswordError(AccountError):
    """A password is against the rules; `faults` are codes of `policy.PasswordFault`."""

    def __init__(self, login: str, faults: Sequence[str]) -> None:
        super().__init__(f"the password of {login} is {told([*faults])}; choose another")
        self.faults = tuple(faults)


@dataclass(frozen=True)
class Account:
    """A user with every grant, those that do not hold today among them."""

    user: User
    held: tuple[UserScope, ...]

    @property
    def grants(self) -> tuple[Grant, ...]:
        """Role, level and area of each, whether it holds today or not."""
        return tuple(as_grant(one) for one in self.held)


class Accounts:
    """
    The accounts of one installation.

    Parameters
    ----------
    key
        The installation's key, 32 bytes or more; secrets of one-time codes are encrypted with
        what is derived from it.
    """

    def __init__(self, database: StateDatabase, key: bytes) -> None:
        self.database = database
        self.key = key

    def policy(self) -> Policy:
        """The rules as they hold now."""
        return stored_settings.policy(self.database)

    def add(
        self,
        login: str,
        *,
        unit: str = "",
        password: str | None = None,
        provider: str = LOCAL,
        subject: str | None = None,
        now: dt.datetime,
        must_change: bool | None = None,
    ) -> tuple[User, str]:
        """
        Make an account; it holds no role yet.

        Parameters
        ----------
        unit
            Post or office, as the watermark shows it.
        password
            None = a random one, which must be changed at the first sign-in.
        provider, subject
            Where the account signs in and who it is there; the login, if nothing else is given.
        must_change
            Whether the password is only for the first sign-in; None = if it was made here.

        Returns
        -------
        user, password
            The password that was made, "" where none was; it cannot be shown again.

        Raises
        ------
        AccountError
            The login is taken or looks personal, or the password is against the rules.
        StateError
            The database fails.
        """
        name, unit = checked_login(login), checked_unit(unit)
        made = ""
        if provider == LOCAL:
            rules = self.policy()
            if password is None:
                password = made = make_password(rules, name)
            _check_password(rules, name, password)
            must_change = rules.first_change if must_change is None and made else must_change
            user = new_user(name, unit, now, hash_password(password), must_change=bool(must_change))
        else:
            if password is not None:
                raise AccountError(f"{name} signs in by {provider}; give no password")
            user = new_user(name, unit, now, None, must_change=False)
            user.provider = provider
            user.subject = checked_subject(name, provider, subject)
        with self.database.writing() as session:
            insert_user(session, user)
        return user, made

    def add_first(
        self, secret: str, login: str, password: str, *, unit: str = "", now: dt.datetime
    ) -> User:
        """
        Use a set-up link up for the first security administrator: both happen, or neither.

        Raises
        ------
        LinkError
            The link is unknown, used or over.
        AccountError
            The login or the password cannot be used; the link still works.
        """
        name, unit = checked_login(login), checked_unit(unit)
        _check_password(self.policy(), name, password)
        user = new_user(name, unit, now, hash_password(password), must_change=False)
        with self.database.writing() as session:
            if not links.use_setup_within(session, secret, now):
                raise LinkError("this set-up link was used or is over; make a new one")
            insert_user(session, user)
            session.add(new_grant(user, Grant(SECURITY_ADMIN), by="setup", now=now))
        return user

    def get(self, login: str) -> User | None:
        """Return the user with a login; None where there is none."""
        with self.database.reading() as session:
            return session.scalar(sa.select(User).where(User.login == normal_login(login)))

    def by_subject(self, provider: str, subject: str) -> User | None:
        """Return the user whom an outside provider calls so; None where there is none."""
        if not (provider + subject).isprintable():
            return None  # no database takes it
        asked = sa.select(User).where(User.provider == provider, User.subject == subject)
        with self.database.reading() as session:
            return session.scalar(asked)

    def account(self, login: str) -> Account:
        """
        Return a user with the grants.

        Raises
        ------
        AccountError
            There is none.
        """
        with self.database.reading() as session:
            user = find_user(session, login)
            return Account(user, tuple(grants_of(session, user)))

    def all(self) -> list[Account]:
        """Every user with the grants, by login."""
        with self.database.reading() as session:
            users = session.scalars(sa.select(User).order_by(User.login)).all()
            held: dict[int, list[UserScope]] = {user.id: [] for user in users}
            for grant in session.scalars(all_grants()):
                held[grant.user_id].append(grant)
        return [Account(user, tuple(held[user.id])) for user in users]

    def disable(self, login: str, *, now: dt.datetime | None = None) -> None:
        """
        Keep an account from signing in; its sessions and shared links end at once.

        Raises
        ------
        AccountError
            There is none, or it is the last security administrator.
        """
        moment = now or dt.datetime.now(dt.UTC)
        with self.database.writing() as session:
            alone(session, DUTIES)
            user = find_user(session, login)
            roles = {one.role for one in grants_of(session, user)}
            if SECURITY_ADMIN in roles and not user.disabled:
                duties.check_not_last(session, user, day=moment.date())
            user.disabled = True
            end_sessions(session, user.id, now=moment)
            links.withdraw_all_of(session, user.login, moment)

    def enable(self, login: str) -> None:
        """Let an account sign in again."""
        with self.database.writing() as session:
            alone(session, DUTIES)
            find_user(session, login).disabled = False

    def unlock(self, login: str) -> None:
        """Forget the failed sign-ins of an account."""
        with self.database.writing() as session:
            user = find_user(session, login, lock=True)
            user.failures, user.locked_until = 0, None

    def set_unit(self, login: str, unit: str) -> None:
        """Change the post or office."""
        with self.database.writing() as session:
            find_user(session, login).unit = checked_unit(unit)

    def set_password(
        self,
        login: str,
        new: str,
        *,
        now: dt.datetime,
        must_change: bool = False,
        but: str | None = None,
    ) -> None:
        """
        Change a password; the account's sessions end.

        Parameters
        ----------
        but
            Id of the session that stays: the one in which it was changed.

        Raises
        ------
        PasswordError
            It is against the rules or was used before; nothing has changed.
        AccountError
            There is no such account, or it signs in elsewhere.
        """
        with self.database.reading() as session:
            user = find_user(session, login)
            old = session.scalars(history_of(user).limit(HISTORY_KEPT)).all()
        if user.provider != LOCAL:
            raise AccountError(f"{user.login} signs in by {user.provider}; it has no password here")
        rules = self.policy()
        faults = password_faults(rules, user.login, new)
        # Not told of a password that is refused anyway, and not looked for: it takes long.
        if not faults and any(is_password(one.password_hash, new) for one in old[: rules.history]):
            faults = ["reused"]
        if faults:
            raise PasswordError(user.login, faults)
        new_hash = hash_password(new)
        with self.database.writing() as session:
            row = find_user(session, login, lock=True)
            if row.password_hash != user.password_hash:
                raise AccountError(f"the password of {row.login} was just changed; try again")
            row.password_hash, row.password_changed_at = new_hash, now
            row.must_change, row.failures, row.locked_until = must_change, 0, None
            remember(session, row)
            end_sessions(session, row.id, now=now, but=but)

    def reset_password(self, login: str, *, now: dt.datetime) -> str:
        """
        Give an account a new random password for one sign-in, and unlock it.

        Returns
        -------
        password
            It cannot be shown again.

        Raises
        ------
        AccountError
            There is no such account, or it signs in elsewhere.
        """
        rules = self.policy()
        made = make_password(rules, login)
        self.set_password(login, made, now=now, must_change=rules.first_change)
        return made

    def grant(
        self,
        login: str,
        grant: Grant,
        *,
        by: str,
        now: dt.datetime,
        valid_from: dt.date | None = None,
        valid_until: dt.date | None = None,
    ) -> None:
        """
        Give an account a role in the subtree of an area; one that it has gets the new dates.

        Parameters
        ----------
        by
            Who gives it; nobody changes their own rights.
        valid_from, valid_until
            First and last day; None = no bound.

        Raises
        ------
        AccountError
            The role, the area or the days cannot be, or the role cannot be held beside others.
        """
        with self.database.writing() as session:
            rights.give(session, login, grant, Days(valid_from, valid_until), by=by, now=now)

    def revoke(
        self, login: str, grant: Grant, *, by: str = "", now: dt.datetime | None = None
    ) -> None:
        """
        Take a role in an area away; it no longer counts from the next request on.

        Raises
        ------
        AccountError
            The account does not hold it, or is the last security administrator.
        """
        with self.database.writing() as session:
            rights.take(session, login, grant, by=by, now=now or dt.datetime.now(dt.UTC))

    def scope_of(self, user: User, *, day: dt.date, session: str = "") -> Scope:
        """
        What a user may do on a day of the city; `NOBODY` for a disabled account.

        Parameters
        ----------
        session
            Id of the session; its first digits go into the audit.

        Raises
        ------
        StateError
            The database fails.
        """
        with self.database.reading() as reading:
            is_disabled = reading.scalar(sa.select(User.disabled).where(User.id == user.id))
            held = grants_of(reading, user)
        if is_disabled is not False:
            return NOBODY
        grants = frozenset(as_grant(one) for one in held if duties.is_in_force(one, day))
        return Scope(user.login, grants, unit=user.unit, session=session[:_SESSION_DIGITS])


def _check_password(rules: Policy, login: str, password: str) -> None:
    faults = password_faults(rules, login, password)
    if faults:
        raise PasswordError(login, faults)

"""Give roles and take them away, one change at a time so that the rules for duties hold."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from data.access import Grant, Scope, decide
from data.accounts import duties, links
from data.accounts.duties import SECURITY_ADMIN, AccountError
from data.accounts.rows import find_user, grants_of
from data.state.alone import DUTIES, alone
from data.state.models import User, UserScope

if TYPE_CHECKING:
    import datetime as dt

    from sqlalchemy.orm import Session


class Days(NamedTuple):
    """First and last day of a grant; None = no bound."""

    first: dt.date | None = None
    last: dt.date | None = None


def as_grant(held: UserScope) -> Grant:
    """Role, level and area of a stored grant."""
    return Grant(held.role, held.level, held.area_code)


def new_grant(user: User, grant: Grant, *, by: str, now: dt.datetime) -> UserScope:
    """Make the row of a grant without bounds, not yet stored."""
    return UserScope(
        user_id=user.id,
        role=grant.role,
        level=grant.level,
        area_code=grant.code,
        granted_by=by,
        granted_at=now,
    )


def give(
    session: Session, login: str, grant: Grant, days: Days, *, by: str, now: dt.datetime
) -> None:
    """
    Give a role in an area; one that the account has gets the new days.

    Raises
    ------
    AccountError
        The role, the area or the days cannot be, or the role cannot be held beside others.
    """
    stored = duties.checked(grant)
    if days.first and days.last and days.last < days.first:
        raise AccountError(f"the last day {days.last} is before the first {days.first}")
    alone(session, DUTIES)
    user = find_user(session, login)
    _check_not_self(user, by)
    held = {as_grant(row): row for row in grants_of(session, user)}
    duties.check_together(user.login, [one.role for one in held], stored.role)
    if stored.role == SECURITY_ADMIN and stored in held and (days.first or days.last):
        duties.check_not_last(session, user, day=now.date())
    row = held.get(stored) or new_grant(user, stored, by=by, now=now)
    row.valid_from, row.valid_until = days
    row.granted_by, row.granted_at = by, now
    session.add(row)


def take(session: Session, login: str, grant: Grant, *, by: str, now: dt.datetime) -> None:
    """
    Take a role in an area away, and the shared links with the last role that may share.

    Raises
    ------
    AccountError
        The account does not hold it, or is the last security administrator.
    """
    stored = duties.checked(grant)
    alone(session, DUTIES)
    user = find_user(session, login)
    _check_not_self(user, by)
    row = {as_grant(row): row for row in grants_of(session, user)}.get(stored)
    if row is None:
        raise AccountError(
            f"{user.login} does not hold {stored.role} for {stored.level} {stored.code}"
        )
    if stored.role == SECURITY_ADMIN:
        duties.check_not_last(session, user, day=now.date())
    session.delete(row)
    left = frozenset(as_grant(one) for one in grants_of(session, user) if one is not row)
    if not decide(Scope(user.login, left), "share").is_allowed:
        links.withdraw_all_of(session, user.login, now)


def _check_not_self(user: User, by: str) -> None:
    if by == user.login:
        raise AccountError(f"{by} cannot change the rights of {by}; another administrator can")

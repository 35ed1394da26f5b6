"""Rules for rights: which grants there are, and which cannot be held together or taken away."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import sqlalchemy as sa

from data.access import WHOLE_CITY, Grant
from data.permissions import ADMINISTRATORS, NOT_HELD, matrix
from data.state.models import User, UserScope
from geo.divisions import LEVELS

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable

    from sqlalchemy.orm import Session

SECURITY_ADMIN: Final = "security_admin"
"""Who manages accounts; there is always one."""

_CODE: Final = re.compile(r"[^\s*]{1,40}")


class AccountError(ValueError):
    """An account or right cannot be found, made or changed as asked."""


def checked(grant: Grant) -> Grant:
    """
    Return a grant as it is stored; the whole city has one code.

    Raises
    ------
    AccountError
        No account can hold the role, or it does not go with the area.
    """
    roles = [name for name in matrix().roles if name not in NOT_HELD]
    if grant.role not in roles:
        raise AccountError(f"there is no role {grant.role!r}; known: {', '.join(roles)}")
    if grant.level not in LEVELS:
        raise AccountError(f"there is no level {grant.level!r}; known: {', '.join(LEVELS)}")
    if grant.level == "city":
        return Grant(grant.role, "city", WHOLE_CITY)
    if not matrix().roles[grant.role].level:
        raise AccountError(f"role {grant.role} has no area; leave the area out")
    if not _CODE.fullmatch(grant.code) or not grant.code.isprintable():
        raise AccountError(f"area code {grant.code!r}: use 1 to 40 characters without spaces")
    return grant


def check_together(login: str, held: Iterable[str], wanted: str) -> None:
    """
    Refuse a role that must not be held beside the others.

    Raises
    ------
    AccountError
        An administrator holds one administrator's role and nothing else.
    """
    others = sorted(set(held) - {wanted})
    in_conflict = others if wanted in ADMINISTRATORS else sorted({*others} & {*ADMINISTRATORS})
    if in_conflict:
        raise AccountError(
            f"{login} holds {', '.join(in_conflict)}, which cannot go together with {wanted}: an "
            "administrator has one duty and no other role; use another account"
        )


def check_not_last(session: Session, user: User, *, day: dt.date) -> None:
    """
    Refuse to leave the installation without a security administrator; call it `alone`.

    Raises
    ------
    AccountError
        Nobody else holds that role today without an end, in an account that is not disabled.
    """
    others = session.scalar(
        sa.select(sa.func.count())
        .select_from(UserScope)
        .join(User, User.id == UserScope.user_id)
        .where(
            UserScope.role == SECURITY_ADMIN,
            UserScope.user_id != user.id,
            UserScope.valid_until.is_(None),
            sa.or_(UserScope.valid_from.is_(None), UserScope.valid_from <= day),
            User.disabled.is_(False),
        )
    )
    if not others:
        raise AccountError(
            f"{user.login} is the last {SECURITY_ADMIN}; give that role to another account first"
        )


def is_in_force(held: UserScope, day: dt.date) -> bool:
    """Whether a grant holds on a day; both ends count."""
    has_begun = held.valid_from is None or held.valid_from <= day
    return has_begun and (held.valid_until is None or day <= held.valid_until)

"""Controls of accounts: who may sign in, how, and with which roles."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import pyarrow as pa
from sqlalchemy import select

from data import personal, safety
from data.accounts.duties import is_in_force
from data.accounts.stored_settings import SETTINGS
from data.permissions import ADMINISTRATORS, NOT_HELD, PUBLIC, WALL, matrix
from data.state.models import AuditRow, User, UserScope
from etl.compliance.control import DEMO, Control, Installed, judged, listed

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from data.state.database import StateDatabase

IDENTITY: Final = "GB/T 22239-2019 8.1.4.1 身份鉴别"
ACCESS: Final = "GB/T 22239-2019 8.1.4.2 访问控制"

UNUSED: Final = dt.timedelta(days=90)
"""An enabled account that nobody has signed in to for so long is superfluous."""

_UNIQUE: Final = ("unique logins", f"{IDENTITY} a")
_RULES: Final = ("password rules", f"{IDENTITY} a")
_DEFAULT: Final = ("no default account", f"{ACCESS} b")
_LOCK: Final = ("lock after failed sign-ins", f"{IDENTITY} b")
_IDLE: Final = ("idle logout", f"{IDENTITY} b")
_FACTORS: Final = ("two factors", f"{IDENTITY} d")
_MATRIX: Final = ("permission matrix", f"{ACCESS} e, f")
_SCOPES: Final = ("scopes of accounts", f"{ACCESS} a")
_SUPERFLUOUS: Final = ("unused accounts", f"{ACCESS} c")
_ADMINISTRATORS: Final = ("three administrators", f"{ACCESS} d, 8.1.5 安全管理中心")

READ_BY_WALLS: Final = ("map", "cells", "compare", "warnings")
"""All that the role of a wall screen may do; it stands where nobody is signed in."""

_DEFAULT_NAMES: Final = frozenset(
    {"admin", "administrator", "root", "test", "guest", "demo", "user", "pingan", "default"}
)
_PASSWORDS: Final = ("min_length", "min_classes", "history", "expiry_days", "first_change")
_FAILURES: Final = ("lock_failures", "lock_minutes")
_SESSIONS: Final = ("idle_minutes", "session_hours")


@dataclass(frozen=True)
class _Account:
    """An enabled account and the roles that it holds today."""

    user: User
    roles: frozenset[str]


def controls(installed: Installed) -> list[Control]:
    """
    Judge every control of accounts.

    Raises
    ------
    StateError
        The state database fails.
    """
    if installed.is_demo:
        return _all(lambda name: Control(*name, "not applicable", DEMO))
    if installed.database is None:
        return _all(installed.without_state)
    accounts = _accounts(installed.database, installed.now)
    judges = {
        _UNIQUE: lambda: _unique(accounts),
        _RULES: lambda: _settings(installed, _RULES, _PASSWORDS),
        _DEFAULT: lambda: _default(installed, accounts),
        _LOCK: lambda: _settings(installed, _LOCK, _FAILURES),
        _IDLE: lambda: _settings(installed, _IDLE, _SESSIONS),
        _FACTORS: lambda: _two_factors(accounts),
        _SCOPES: lambda: _scopes(accounts),
        _SUPERFLUOUS: lambda: _unused(installed, accounts),
        _ADMINISTRATORS: lambda: _separation(accounts),
    }
    return _all(lambda name: judges[name]())


def _all(judge: Callable[[tuple[str, str]], Control]) -> list[Control]:
    """Every control in its place; the matrix is part of the product, whoever is served."""
    before, after = (_UNIQUE, _RULES, _DEFAULT, _LOCK, _IDLE, _FACTORS), (
        _SCOPES, _SUPERFLUOUS, _ADMINISTRATORS,
    )  # fmt: skip
    return [*map(judge, before), _matrix(), *map(judge, after)]


def _accounts(database: StateDatabase, now: dt.datetime) -> list[_Account]:
    today = now.astimezone(dt.UTC).date()
    with database.reading() as session:
        users = session.scalars(select(User).where(~User.disabled).order_by(User.login)).all()
        scopes = session.scalars(select(UserScope)).all()
    held = [scope for scope in scopes if is_in_force(scope, today)]
    return [
        _Account(user, frozenset(scope.role for scope in held if scope.user_id == user.id))
        for user in users
    ]


def _unique(accounts: Sequence[_Account]) -> Control:
    logins = [account.user.login for account in accounts]
    lowered = [login.casefold() for login in logins]
    texts = logins + [account.user.unit for account in accounts]
    faults = []
    if not accounts:
        faults.append("there is no enabled account; run `pingan user add`")
    if doubled := sorted({login for login in lowered if lowered.count(login) > 1}):
        faults.append(f"{len(doubled)} logins stand for several accounts: {listed(doubled)}")
    if count := int(personal.names_a_person(pa.array(texts, pa.string())).sum()):
        faults.append(
            f"{count} logins or units hold a telephone, identity or plate number; an account is a "
            "post, rename it"
        )
    return judged(*_UNIQUE, faults, f"{len(logins)} enabled accounts, each login once")


def _settings(installed: Installed, name: tuple[str, str], settings: Sequence[str]) -> Control:
    """Settings that must not protect less than their defaults."""
    values = {one: installed.stored.get(one, SETTINGS[one].default) for one in settings}
    weaker = [one for one, value in values.items() if SETTINGS[one].is_weaker(value)]
    faults = [
        f"{one} is {values[one]}, weaker than {SETTINGS[one].default}; set it back"
        for one in weaker
    ] + installed.unusable_of(settings)
    good = ", ".join(f"{one} {value}" for one, value in values.items())
    return judged(*name, faults, good)


def _default(installed: Installed, accounts: Sequence[_Account]) -> Control:
    assert installed.database is not None
    named = [a.user.login for a in accounts if a.user.login.casefold() in _DEFAULT_NAMES]
    faults = safety.account_faults(installed.database, installed.settings)
    if named:
        faults.append(
            f"{len(named)} enabled accounts have names that are guessed first: {listed(named)}; "
            "make others and disable these"
        )
    return judged(*_DEFAULT, faults, "the product has none; every account has a password")


def _two_factors(accounts: Sequence[_Account]) -> Control:
    local = [account.user for account in accounts if account.user.provider == "local"]
    lacking = [user.login for user in local if not user.totp_secret]
    if lacking:
        told = (
            f"{len(lacking)} of {len(local)} local accounts have no one-time code: "
            f"{listed(lacking)}; set totp to all, and have each set it up"
        )
        return Control(*_FACTORS, "fail", told)
    outside = len(accounts) - len(local)
    if outside:
        told = f"{outside} accounts sign in elsewhere; see that two factors are asked for there"
        return Control(*_FACTORS, "by hand", told)
    return Control(*_FACTORS, "pass", f"{len(local)} local accounts have one-time codes")


def _matrix() -> Control:
    known = matrix()
    cells = len(known.actions) * len(known.roles)
    faults = []
    if len(known.rights) != cells:
        faults.append(f"{cells - len(known.rights)} of {cells} rights are not decided")
    if missing := sorted({*ADMINISTRATORS, *NOT_HELD} - set(known.roles)):
        faults.append(f"roles are missing: {listed(missing)}")
    for role in ADMINISTRATORS:
        if known.right("map", role).reach != "-":
            faults.append(f"{role} may see the map; administrators see no figures")
    wide = [one for one in known.actions if known.right(one, PUBLIC).reach not in ("-", "wider")]
    if wide:
        faults.append(f"shared links give more than protected figures: {listed(wide)}")
    acting = [one for one in known.actions if one not in READ_BY_WALLS]
    if more := [one for one in acting if known.right(one, WALL).reach != "-"]:
        faults.append(f"wall screens may do more than show figures: {listed(more)}")
    if faults:
        faults.append("install the product anew")
    good = f"{cells} rights of {len(known.roles)} roles are decided, all others are denied"
    return judged(*_MATRIX, faults, good)


def _scopes(accounts: Sequence[_Account]) -> Control:
    without = [account.user.login for account in accounts if not account.roles]
    unknown = sorted({role for one in accounts for role in one.roles} - set(matrix().roles))
    faults = []
    if without:
        faults.append(
            f"{len(without)} enabled accounts have no role that holds today: {listed(without)}; "
            "grant one or disable them"
        )
    if unknown:
        faults.append(f"{len(unknown)} roles are unknown: {listed(unknown)}; revoke them")
    return judged(*_SCOPES, faults, f"{len(accounts)} accounts, each with a role and an area")


def _unused(installed: Installed, accounts: Sequence[_Account]) -> Control:
    assert installed.database is not None
    since = installed.now - UNUSED
    signed_in = select(AuditRow.user).where(
        AuditRow.action == "sign_in", AuditRow.result == "ok", AuditRow.at >= since
    )
    with installed.database.reading() as session:
        used = set(session.scalars(signed_in.distinct()))
    unused = [
        account.user.login
        for account in accounts
        if account.user.login not in used and account.user.created_at < since
    ]
    told = f"not used for {UNUSED.days} days: {listed(unused)}; disable them"
    faults = [f"{len(unused)} enabled accounts were {told}"] if unused else []
    good = f"every account was used or made in the last {UNUSED.days} days"
    return judged(*_SUPERFLUOUS, faults, good)


def _separation(accounts: Sequence[_Account]) -> Control:
    faults = [
        f"nobody is {role}; grant it to a post of its own"
        for role in ADMINISTRATORS
        if not any(role in account.roles for account in accounts)
    ]
    mixed = [
        account.user.login
        for account in accounts
        if account.roles & set(ADMINISTRATORS) and len(account.roles) > 1
    ]
    if mixed:
        faults.append(
            f"{len(mixed)} accounts are administrators and something else: {listed(mixed)}; revoke "
            "one of the roles"
        )
    return judged(*_ADMINISTRATORS, faults, "three posts, and none of them holds another role")

"""Changes of one account: each has a reason, which is in the audit before anything happens."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from flask import abort, request

from dashboard import audited
from dashboard.guard import current_scope
from dashboard.pages import render, user
from dashboard.pages.faults import right_faults
from dashboard.pages.reasons import given_reason, written_reason
from data.access import Grant
from data.accounts import duties, totp
from data.accounts.duties import AccountError
from data.permissions import NOT_HELD, matrix
from geo.divisions import LEVELS

if TYPE_CHECKING:
    from flask import Response

    from dashboard.pages.context import PageContext
    from dashboard.text import Words
    from data.accounts.users import Account


class FaultyError(ValueError):
    """A form that cannot be taken; the message is for its reader."""


def change(context: PageContext, login: str) -> Response:
    """Change one account as its form says; never the own one."""
    told, do = render.words(), request.form.get("do", "")
    account = user.account_of(context, login)
    name = account.user.login
    audited.describe("users", name, do[:16])
    changes = {
        "disable": _disable,
        "enable": _enable,
        "unlock": _unlock,
        "reset": _reset,
        "totp_remove": _remove_totp,
        "grant": _grant,
        "revoke": _revoke,
    }
    if do not in changes:
        abort(400)
    if name == current_scope().user:
        return user.page(context, name, faulty=[told("user_fault_self")])
    if not given_reason():
        return user.page(context, name, faulty=[told("reason_missing")])
    try:
        password = changes[do](context, account, told)
    except FaultyError as error:
        return user.page(context, name, faulty=[str(error)])
    except AccountError as error:
        wanted = request.form.get("role", "") if do == "grant" else ""
        return user.page(context, name, faulty=right_faults(error, account, wanted, told))
    if password:
        return user.page(context, name, password=password)
    return render.go(render.address("user", login=name, told=do))


def _before(account: Account, what: str) -> None:
    audited.before("users", account.user.login, f"{what}: {written_reason()}")


def _disable(context: PageContext, account: Account, _told: Words) -> str:
    _before(account, "disable")
    context.accounts.disable(account.user.login, now=context.clock())
    return ""


def _enable(context: PageContext, account: Account, _told: Words) -> str:
    _before(account, "enable")
    context.accounts.enable(account.user.login)
    return ""


def _unlock(context: PageContext, account: Account, _told: Words) -> str:
    _before(account, "unlock")
    context.accounts.unlock(account.user.login)
    return ""


def _reset(context: PageContext, account: Account, _told: Words) -> str:
    _before(account, "new first password")
    return context.accounts.reset_password(account.user.login, now=context.clock())


def _remove_totp(context: PageContext, account: Account, _told: Words) -> str:
    _before(account, "one-time codes removed")
    totp.remove(context.accounts, account.user.login)
    return ""


def _grant(context: PageContext, account: Account, told: Words) -> str:
    grant = _asked_grant(context, told)
    first, last = _day("valid_from", told), _day("valid_until", told)
    if first and last and last < first:
        raise FaultyError(told("user_fault_dates"))
    # Before it is recorded as done; what must wait for the others is looked at again inside.
    duties.check_together(account.user.login, [one.role for one in account.grants], grant.role)
    days = f" {first or ''}..{last or ''}" if first or last else ""
    _before(account, f"grant {grant.role} {grant.level} {grant.code}{days}")
    context.accounts.grant(
        account.user.login,
        grant,
        by=current_scope().user,
        now=context.clock(),
        valid_from=first,
        valid_until=last,
    )
    return ""


def _revoke(context: PageContext, account: Account, _told: Words) -> str:
    known = {user.grant_key(grant): grant for grant in account.grants}
    grant = known.get(request.form.get("grant", ""))
    if grant is None:
        abort(400)
    _before(account, f"revoke {grant.role} {grant.level} {grant.code}")
    by = current_scope().user
    context.accounts.revoke(account.user.login, grant, by=by, now=context.clock())
    return ""


def _asked_grant(context: PageContext, told: Words) -> Grant:
    """Role and area of the form; the area must be one of the present boundaries."""
    form = request.form
    role, level, code = (form.get(name, "").strip() for name in ("role", "level", "code"))
    entry = matrix().roles.get(role)
    if level not in ("", *LEVELS) or role in NOT_HELD or (role and entry is None):
        abort(400)
    if entry is None or (entry.level and not level):
        raise FaultyError(told("user_fault_choose"))
    if not entry.level or (level == "city" and not code):
        return Grant(role)
    if not code:
        raise FaultyError(told("user_fault_code"))
    if context.names.has_areas() and context.names.find(level, code) is None:
        raise FaultyError(
            told("user_fault_area", level=user.level_name(level, told), code=code[:40])
        )
    return Grant(role, level, code)


def _day(name: str, told: Words) -> dt.date | None:
    text = request.form.get(name, "").strip()
    try:
        return dt.date.fromisoformat(text) if text else None
    except ValueError:
        raise FaultyError(told("user_fault_dates")) from None

"""One account: its rights and its state, and the forms to change them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from flask import abort, request

from dashboard import audited
from dashboard.guard import current_scope
from dashboard.pages import render
from dashboard.pages.reasons import written_reason
from dashboard.pages.rights import grant_words
from data.access import WHOLE_CITY, Grant, decide
from data.accounts.duties import AccountError, is_in_force
from data.accounts.logins import LOCAL
from data.permissions import NOT_HELD, matrix
from geo.divisions import LEVELS

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from flask import Response

    from dashboard.pages.context import PageContext
    from dashboard.text import Words
    from data.accounts.users import Account
    from data.state.models import UserScope

DONE: Final = ("disable", "enable", "unlock", "totp_remove", "grant", "revoke")
"""Changes that lead back to the page; a new password is shown at once instead."""


class Held(NamedTuple):
    """One grant as the page shows it."""

    title: str
    area: str
    level: str
    code: str
    valid: str
    state: str
    by: str
    at: dt.datetime


class NewGrant(NamedTuple):
    """What the form for a new grant holds."""

    role: str = ""
    level: str = ""
    code: str = ""
    code_hint: str = ""
    valid_from: str = ""
    valid_until: str = ""
    reason: str = ""


class FoundArea(NamedTuple):
    """One area that a search found; its link fills the form."""

    name: str
    level: str
    code: str
    href: str


def show(context: PageContext, login: str) -> Response:
    """Show one account."""
    audited.describe("view", f"/users/of/{login[:64]}")
    told = request.args.get("told", "")
    return page(context, login, done=render.words()(f"user_done_{told}") if told in DONE else "")


def states(context: PageContext, account: Account, told: Words) -> list[tuple[str, str]]:
    """Tone and words of everything about an account that is out of the ordinary."""
    user, found = account.user, []
    keys = state_keys(account, context.clock())
    if "disabled" in keys:
        found.append(("bad", told("state_disabled")))
    if "locked" in keys:
        at = render.local_time(context, user.locked_until)
        found.append(("warn", told("state_locked", at=at)))
    if user.must_change:
        found.append(("info", told("state_must_change")))
    if "no_rights" in keys:
        found.append(("", told("state_no_rights")))
    if user.totp_secret is not None:
        found.append(("good", told("state_totp")))
    return found or [("plain", told("state_ok"))]


def state_keys(account: Account, now: dt.datetime) -> set[str]:
    """Words by which a list of accounts is searched."""
    user = account.user
    keys = {
        "disabled": user.disabled,
        "locked": user.locked_until is not None and user.locked_until > now,
        "no_rights": not account.held,
    }
    found = {key for key, holds in keys.items() if holds}
    return found or {"ok"}


def page(
    context: PageContext,
    login: str,
    *,
    faulty: Sequence[str] = (),
    done: str = "",
    password: str = "",
) -> Response:
    """
    Draw the page of one account.

    Parameters
    ----------
    password
        One that was just made; it is shown in this answer and nowhere else.
    """
    told, account = render.words(), account_of(context, login)
    user, is_self = account.user, account.user.login == current_scope().user
    may_change = decide(current_scope(), "users_change").is_allowed and not is_self
    find = request.args.get("find", "").strip()[:40]
    values: dict[str, Any] = {
        "one": {"login": user.login, "unit": user.unit, "states": states(context, account, told)},
        "is_self": is_self,
        "may_change": may_change,
        "grants": [_held(context, row, told) for row in account.held],
        "revocable": [_choice(context, row, told) for row in account.held],
        "facts": _facts(context, account, told),
        "actions": _actions(context, account, told),
        "find": find if may_change else "",
        "found": _found(context, login, find, told) if may_change else [],
        "role_choices": [("", told("choose"))]
        + [
            (role.name, told.pick(role.title_zh, role.title_en))
            for role in matrix().roles.values()
            if role.name not in NOT_HELD
        ],
        "level_choices": [
            ("", told("choose")),
            *((level, level_name(level, told)) for level in LEVELS),
        ],
        "new": _new_grant(context, told),
        "password": password,
        "faulty": faulty,
        "done": done,
    }
    return render.page(context, "user.html", status=400 if faulty else 200, **values)


def account_of(context: PageContext, login: str) -> Account:
    """Return the account of an address; 404 where there is none."""
    try:
        return context.accounts.account(login[:64])
    except AccountError:
        abort(404)


def _new_grant(context: PageContext, told: Words) -> NewGrant:
    """What the form holds: what was just sent, or the area that was picked from a search."""
    given = request.form if request.form.get("do") == "grant" else request.args
    level, code = given.get("level", ""), given.get("code", "")[:40]
    area = context.names.find(level, code)
    hint = told("user_code_here", name=area.name(told.lang)) if area else told("user_code_hint")
    return NewGrant(
        given.get("role", "")[:40],
        level,
        code,
        hint,
        given.get("valid_from", "")[:10],
        given.get("valid_until", "")[:10],
        written_reason() if given is request.form else "",
    )


def _found(context: PageContext, login: str, find: str, told: Words) -> list[FoundArea]:
    return [
        FoundArea(
            area.name(told.lang),
            level_name(area.level, told),
            area.code,
            render.address("user", login=login, level=area.level, code=area.code, _anchor="grant"),
        )
        for area in context.names.search(find)
    ]


def _held(context: PageContext, row: UserScope, told: Words) -> Held:
    title, area = grant_words(context, _as_grant(row), told)
    today = context.today()
    state = ""
    if not is_in_force(row, today):
        is_over = row.valid_until is not None and row.valid_until < today
        state = told("user_over" if is_over else "user_not_yet")
    shown = row.area_code if row.area_code != WHOLE_CITY else ""
    return Held(
        title,
        area,
        level_name(row.level, told),
        shown,
        _valid(row, told),
        state,
        row.granted_by,
        row.granted_at,
    )


def _valid(row: UserScope, told: Words) -> str:
    first, last = row.valid_from, row.valid_until
    if first and last:
        return told("user_valid_both", first=first, last=last)
    if first:
        return told("user_valid_from", day=first)
    return told("user_valid_until", day=last) if last else told("user_always")


def _choice(context: PageContext, row: UserScope, told: Words) -> tuple[str, str]:
    title, area = grant_words(context, _as_grant(row), told)
    return grant_key(_as_grant(row)), f"{title} · {area}" if area else title


def _as_grant(row: UserScope) -> Grant:
    return Grant(row.role, row.level, row.area_code)


def grant_key(grant: Grant) -> str:
    """Text that names a grant in a form."""
    return f"{grant.role} {grant.level} {grant.code}"


def level_name(level: str, told: Words) -> str:
    """Name of a level."""
    return told(f"level_{level}")


def _facts(context: PageContext, account: Account, told: Words) -> list[tuple[str, str]]:
    user = account.user
    open_now = len(context.sessions.open_of(user.id, now=context.clock()))
    facts = [
        (told("user_provider"), told("provider_local") if user.provider == LOCAL else user.provider)
    ]
    if user.subject:
        facts.append((told("user_subject"), user.subject))
    facts.append((told("user_created"), render.local_time(context, user.created_at)))
    if user.password_changed_at:
        changed = render.local_time(context, user.password_changed_at)
        facts.append((told("user_changed"), changed))
        facts.append((told("user_failures"), str(user.failures)))
    facts.append((told("user_open"), str(open_now)))
    return facts


def _actions(context: PageContext, account: Account, told: Words) -> list[tuple[str, str, str]]:
    """Value, tone and words of each button that makes sense now."""
    user, keys = account.user, state_keys(account, context.clock())
    actions = []
    if "locked" in keys:
        actions.append(("unlock", "", told("user_unlock")))
    if user.provider == LOCAL:
        actions.append(("reset", "quiet", told("user_reset")))
    if user.totp_secret is not None:
        actions.append(("totp_remove", "quiet", told("user_totp_remove")))
    if user.disabled:
        actions.append(("enable", "quiet", told("user_enable")))
    else:
        actions.append(("disable", "danger", told("user_disable")))
    return actions

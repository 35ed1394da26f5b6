"""The accounts: find one, make one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from flask import abort, request

from dashboard import audited
from dashboard.guard import current_scope
from dashboard.pages import render, user
from dashboard.pages.faults import account_faults, other_faults
from dashboard.pages.reasons import given_reason, written_reason
from dashboard.pages.rights import grant_words
from data.access import decide
from data.accounts.duties import AccountError
from data.accounts.logins import LOCAL, normal_login
from data.permissions import NOT_HELD, matrix

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flask import Response

    from dashboard.pages.context import PageContext
    from dashboard.text import Words
    from data.accounts.users import Account

AT_ONCE: Final = 50
STATES: Final = ("ok", "locked", "disabled", "no_rights")


class Line(NamedTuple):
    """One account of the list."""

    login: str
    unit: str
    grants: list[tuple[str, str]]
    provider: str
    states: list[tuple[str, str]]


class NewAccount(NamedTuple):
    """What the form for a new account holds."""

    login: str = ""
    unit: str = ""
    provider: str = LOCAL
    subject: str = ""
    reason: str = ""


def show(context: PageContext) -> Response:
    """List accounts."""
    audited.describe("view", "/users", request.args.get("q", "")[:64])
    return _page(context)


def add(context: PageContext) -> Response:
    """Make an account, and show its first password once."""
    told, form = render.words(), request.form
    new = NewAccount(
        normal_login(form.get("login", "")[:256]),
        " ".join(form.get("unit", "").split()),
        form.get("provider", LOCAL),
        form.get("subject", "").strip(),
        written_reason(),
    )
    audited.describe("users", new.login[:64], "add")
    if new.provider not in (name for name, _ in provider_choices(context, told)):
        abort(400)
    faulty = account_faults(context, new.login, new.unit, told)
    if not given_reason():
        faulty.append(told("reason_missing"))
    if faulty:
        return _page(context, new, faulty)
    audited.before("users", new.login, f"add ({new.provider}): {new.reason}")
    try:
        made, password = context.accounts.add(
            new.login,
            unit=new.unit,
            provider=new.provider,
            subject=new.subject or None,
            now=context.clock(),
        )
    except AccountError as error:
        return _page(context, new, other_faults(context, error, told))
    return user.page(context, made.login, done=told("user_done_add"), password=password)


def provider_choices(context: PageContext, told: Words) -> list[tuple[str, str]]:
    """Ways to sign in that this installation has, local passwords first."""
    choices = [(LOCAL, told("provider_local"))]
    choices += [
        (one.name, told.pick(one.title_zh, one.title_en)) for one in context.externals.values()
    ]
    if context.settings.auth == "header":
        choices.append(("header", told("provider_header")))
    return choices


def _page(
    context: PageContext, new: NewAccount | None = None, faulty: Sequence[str] = ()
) -> Response:
    told, now = render.words(), context.clock()
    q, role, state = (request.args.get(name, "").strip()[:64] for name in ("q", "role", "state"))
    fitting = [
        one
        for one in context.accounts.all()
        if _fits(one, q.casefold(), role) and (not state or state in user.state_keys(one, now))
    ]
    at = _start(len(fitting))
    shown = fitting[at : at + AT_ONCE]
    kept = {"q": q, "role": role, "state": state}
    kept = {name: value for name, value in kept.items() if value}
    providers = dict(provider_choices(context, told))
    roles = [entry for entry in matrix().roles.values() if entry.name not in NOT_HELD]
    values: dict[str, Any] = {
        "people": [_line(context, one, providers, told) for one in shown],
        "q": q,
        "role": role,
        "state": state,
        "total": len(fitting),
        "first": at + 1,
        "last": at + len(shown),
        "before": render.address("users", **kept, at=at - AT_ONCE) if at else "",
        "after": render.address("users", **kept, at=at + AT_ONCE)
        if at + AT_ONCE < len(fitting)
        else "",
        "role_choices": [
            ("", told("any")),
            *((one.name, told.pick(one.title_zh, one.title_en)) for one in roles),
        ],
        "state_choices": [("", told("any")), *((one, told(_state_word(one))) for one in STATES)],
        "provider_choices": list(providers.items()),
        "may_change": decide(current_scope(), "users_change").is_allowed,
        "new": new or NewAccount(),
        "faulty": faulty,
        "done": "",
    }
    return render.page(context, "users.html", status=400 if faulty else 200, **values)


def _state_word(state: str) -> str:
    return "state_locked_short" if state == "locked" else f"state_{state}"


def _fits(one: Account, text: str, role: str) -> bool:
    is_named = text in one.user.login or text in one.user.unit.casefold()
    return is_named and (not role or any(grant.role == role for grant in one.grants))


def _start(total: int) -> int:
    """First line of the page that is asked for."""
    asked = request.args.get("at", "")
    at = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 7 else 0
    return at - at % AT_ONCE if at < total else 0


def _line(context: PageContext, one: Account, providers: dict[str, str], told: Words) -> Line:
    return Line(
        one.user.login,
        one.user.unit,
        [grant_words(context, grant, told) for grant in sorted(one.grants)],
        providers.get(one.user.provider, one.user.provider),
        user.states(context, one, told),
    )

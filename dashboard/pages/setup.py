"""The first set-up: a link that works once makes the first security administrator."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from flask import abort, request

from dashboard import audited
from dashboard.pages import render
from dashboard.pages.faults import account_faults, new_password_faults, other_faults
from dashboard.pages.password_words import rules
from data.accounts import links
from data.accounts.duties import AccountError
from data.accounts.links import LinkError
from data.accounts.logins import normal_login

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flask import Response

    from dashboard.pages.context import PageContext

LONGEST: Final = 256


def show(context: PageContext, secret: str) -> Response:
    """Show the form while the link works; 404 otherwise, whatever the reason."""
    _check_open(context, secret)
    return _page(context)


def take(context: PageContext, secret: str) -> Response:
    """Make the account and use the link up: both, or neither."""
    _check_open(context, secret)
    form = request.form
    login, unit = normal_login(form.get("login", "")[:LONGEST]), form.get("unit", "").strip()
    password = form.get("new", "")[:LONGEST]
    told = render.words()
    audited.describe("users", "/setup")
    faulty = account_faults(context, login, unit, told) or new_password_faults(
        context, login, password, form.get("again", "")[:LONGEST], told
    )
    if faulty:
        return _page(context, login, unit, faulty)
    audited.before("users", login, "set-up: first security administrator")
    try:
        context.accounts.add_first(secret, login, password, unit=unit, now=context.clock())
    except LinkError:
        abort(404)
    except AccountError as error:
        return _page(context, login, unit, other_faults(context, error, told))
    return render.go(render.address("signin", told="set_up"))


def _check_open(context: PageContext, secret: str) -> None:
    if context.is_demo or not links.setup_is_open(context.database, secret, now=context.clock()):
        # The address holds a secret, so the audit names the page without it.
        audited.describe("denied", "/setup")
        abort(404)


def _page(
    context: PageContext, login: str = "", unit: str = "", faulty: Sequence[str] = ()
) -> Response:
    return render.page(
        context,
        "setup.html",
        status=400 if faulty else 200,
        login=login,
        unit=unit,
        faulty=faulty,
        policy_words=rules(context.accounts.policy(), render.words()),
    )

"""The demonstration's sign-in: a card for each role, one click, no password, this machine only."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from flask import abort, request

from dashboard import audited
from dashboard.guard import current_scope
from dashboard.pages import phone_frame, render
from dashboard.pages.rights import rights_of
from dashboard.signin.demo import COOKIE, DemoAccount, demo_accounts
from data.manifest import SnapshotError

if TYPE_CHECKING:
    from flask import Response

    from dashboard.pages.context import PageContext


class Card(NamedTuple):
    """One account as the page shows it."""

    name: str
    title: str
    area: str
    sees: list[str]
    is_here: bool


def show(context: PageContext, where: str) -> Response:
    """Show the accounts, and what each one sees."""
    told, lang = render.words(), render.language()
    cards = [
        Card(
            account.name,
            told.pick(account.title_zh, account.title_en),
            told.pick(account.note_zh, account.note_en),
            [right.title for right in rights_of(account.scope, told) if right.is_main],
            account.scope.user == current_scope().user,
        )
        for account in _accounts(context)
    ]
    return render.page(context, "demo.html", cards=cards, next=where, speaks=lang)


def take(context: PageContext, where: str) -> Response:
    """Put the chosen account into the cookie."""
    known = {account.name: account for account in _accounts(context)}
    account = known.get(request.form.get("account", ""))
    if account is None:
        abort(400)
    audited.describe("sign_in", account.scope.user, "demonstration")
    answer = render.go(where or render.home_of(account.scope))
    answer.set_cookie(COOKIE, account.name, path="/", httponly=True, samesite="Lax")
    return phone_frame.forget_others(answer, context, account.scope.user)


def _accounts(context: PageContext) -> list[DemoAccount]:
    try:
        return demo_accounts(context.store.current())
    except SnapshotError:
        return []

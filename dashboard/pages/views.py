"""Saved views: addresses of the map that an account keeps under names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from flask import abort, request

from dashboard import audited
from dashboard.guard import current_scope
from dashboard.pages import render
from dashboard.state import ViewState
from data.accounts import views as stored

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from flask import Response

    from dashboard.pages.context import PageContext


class Saved(NamedTuple):
    """One saved view as pages show it."""

    name: str
    href: str
    created_at: dt.datetime


def show(context: PageContext) -> Response:
    """Show the saved views, and a form to save the one that was open."""
    audited.describe("view", "/views")
    told = request.args.get("told", "")
    keys = {"saved": "views_done", "deleted": "views_deleted"}
    done = render.words()(keys[told]) if told in keys else ""
    search = request.query_string.decode("latin-1") if not told else ""
    return _page(context, _normal(search), done=done)


def take(context: PageContext) -> Response:
    """Save a view under a name, or delete one."""
    user_id = _user_id(context)
    if user_id is None:
        abort(403)
    if deleted := request.form.get("delete", ""):
        return _delete(context, user_id, deleted)
    told = render.words()
    name = " ".join(request.form.get("name", "").split())[: stored.LONGEST_NAME]
    search = _normal(request.form.get("search", ""))
    if not name or not name.isprintable():
        return _page(context, search, faulty=[told("views_no_name")])
    kept = {view.name for view in stored.saved(context.database, user_id)}
    if name not in kept and len(kept) >= stored.MOST:
        return _page(context, search, name=name, faulty=[told("views_full", most=stored.MOST)])
    audited.before("view", f"save view {name}", search)
    stored.save(context.database, user_id, name, search, context.clock())
    return render.go(render.address("views", told="saved"))


def list_of(context: PageContext) -> list[Saved] | None:
    """Views of who asks; None for somebody who has no account here."""
    user_id = _user_id(context)
    if user_id is None:
        return None
    return [
        Saved(view.name, f"/{_normal(view.search)}", view.created_at)
        for view in stored.saved(context.database, user_id)
    ]


def _delete(context: PageContext, user_id: int, name: str) -> Response:
    audited.before("view", f"delete view {name[: stored.LONGEST_NAME]}")
    stored.delete(context.database, user_id, name)
    return render.go(render.address("views", told="deleted"))


def _user_id(context: PageContext) -> int | None:
    account = context.accounts.get(current_scope().user)
    return None if account is None else account.id


def _normal(search: str) -> str:
    """Address of the view as the map writes it; whatever else was in it is gone."""
    state, _ = ViewState.from_address(search)
    return state.to_address()


def _page(
    context: PageContext, search: str, *, faulty: Sequence[str] = (), **more: Any
) -> Response:
    return render.page(
        context,
        "views.html",
        status=400 if faulty else 200,
        search=search,
        back=f"/{search}",
        views=list_of(context),
        most=stored.MOST,
        faulty=faulty,
        **{"name": "", "done": "", **more},
    )

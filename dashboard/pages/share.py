"""Links that show the protected figures of a view to whoever has them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Response, abort, request

from dashboard import audited
from dashboard.guard import current_scope
from dashboard.pages.reasons import given_reason
from dashboard.pages.render import go, page, words
from dashboard.signin import cookies
from dashboard.signin.provider import LINK
from dashboard.state import ViewState
from data import releases
from data.access import decide
from data.accounts import links, stored_settings
from data.manifest import SnapshotError

if TYPE_CHECKING:
    from flask import Flask

    from dashboard.pages.context import PageContext


def register(server: Flask, context: PageContext) -> None:
    """Add the page, and the address that a link opens."""

    @server.route("/share", methods=["GET", "POST"], endpoint="share")
    def share() -> Response:
        if request.method != "POST":
            audited.describe("view", "/share")
            return _page(context)
        context.forms.check_token()
        if request.form.get("withdraw"):
            return _withdrawn(context)
        return _made(context)

    @server.get("/s/<secret>", endpoint="shared")
    def shared(secret: str) -> Response:
        link = links.shared(context.database, secret, context.clock())
        if link is None:
            abort(404)
        audited.describe("sign_in", f"shared link {link.id[:8]}")
        answer = go(f"/{link.search}")
        cookies.put(answer, request, context.settings, secret, base=LINK)
        return answer


def _page(context: PageContext, *, made: str = "", fault: str = "") -> Response:
    stored = stored_settings.read(context.database)
    return page(
        context,
        "share.html",
        status=400 if fault else 200,
        title=words()("share_title"),
        query=request.query_string.decode("latin-1"),
        made=made,
        fault=fault,
        days=stored["share_days"],
        k=_threshold(context),
        open_links=links.shares(context.database, now=context.clock(), by=current_scope().user),
    )


def _made(context: PageContext) -> Response:
    reason, scope = given_reason(), current_scope()
    if decide(scope, "share").needs_reason and not reason:
        return _page(context, fault=words()("reason_missing"))
    state, _ = ViewState.from_address(f"?{request.query_string.decode('latin-1')}")
    search = state.to_search()
    audited.before("share", search or "/", reason)
    secret = links.share(
        context.database,
        search=search,
        by=scope.user,
        days=int(stored_settings.read(context.database)["share_days"]),
        now=context.clock(),
    )
    return _page(context, made=f"{_origin(context)}/s/{secret}")


def _withdrawn(context: PageContext) -> Response:
    number = request.form["withdraw"]
    audited.before("share", f"withdraw link {number[:8]}")
    me = current_scope().user
    if not links.withdraw(context.database, number, now=context.clock(), by=me):
        abort(404)
    return go("/share")


def _threshold(context: PageContext) -> int:
    try:
        return releases.threshold(context.store.current(), "public")
    except SnapshotError:
        return 10


def _origin(context: PageContext) -> str:
    return (context.settings.public_url or request.host_url).rstrip("/")

"""The export of a view: a form that asks why, then the file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Response, abort, request

from dashboard import audited, exports
from dashboard.guard import current_scope
from dashboard.pages.reasons import given_reason
from dashboard.pages.render import page, words
from dashboard.state import MAX_ADDRESS
from dashboard.watermark import watermark_text
from data.access import NotVisibleError, decide, narrowed
from data.manifest import SnapshotError

if TYPE_CHECKING:
    from flask import Flask

    from dashboard.pages.context import PageContext


def register(server: Flask, context: PageContext) -> None:
    """Add the page."""

    @server.route("/export", methods=["GET", "POST"], endpoint="export")
    def export() -> Response:
        if request.method == "POST":
            context.forms.check_token()
            return _given(context)
        audited.describe("view", "/export")
        return _form(context)


def _form(context: PageContext, *, fault: str = "") -> Response:
    return page(
        context,
        "export.html",
        status=400 if fault else 200,
        title=words()("export_title"),
        query=_query(),
        fault=fault,
        formats=tuple(exports.FORMATS),
    )


def _given(context: PageContext) -> Response:
    scope = narrowed(current_scope(), "export")
    kind, reason = request.form.get("format", ""), given_reason()
    if kind not in exports.FORMATS:
        abort(400)
    if decide(scope, "export").needs_reason and not reason:
        return _form(context, fault=words()("reason_missing"))
    now = context.clock().astimezone(context.city().zone)
    try:
        snapshot = context.store.current()
        made = exports.tables(
            scope,
            snapshot,
            f"?{_query()}",
            mark=watermark_text(scope, now),
            reason=reason,
        )
    except (SnapshotError, NotVisibleError):
        abort(404)
    audited.before("export", f"{kind} {made.what} snapshot {snapshot.id}", reason)
    answer = Response(exports.written(made, kind), content_type=exports.FORMATS[kind])
    name = exports.file_name(snapshot, now, kind)
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    answer.headers["Cache-Control"] = "private, no-store"
    return answer


def _query() -> str:
    return request.query_string.decode("latin-1")[:MAX_ADDRESS]

"""The image of a view: a form that asks why, then the file; the rules are those of every export."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, Final

from flask import Response, abort, request

from dashboard import audited
from dashboard.guard import current_scope
from dashboard.images.formats import KINDS, SIZES, STRIP_MAPS
from dashboard.images.turns import BusyError, turn
from dashboard.pages.reasons import given_reason
from dashboard.pages.render import page, words
from dashboard.state import MAX_ADDRESS
from dashboard.watermark import watermark_text
from data.access import NotVisibleError, decide, narrowed
from data.archive import Archive
from data.manifest import SnapshotError

if TYPE_CHECKING:
    import datetime as dt

    from flask import Flask

    from dashboard.pages.context import PageContext
    from data.access import Scope
    from data.store import Snapshot

STRIP: Final = "strip"
CHOICES: Final = (*SIZES, STRIP)
"""Sizes of the form."""


def register(server: Flask, context: PageContext) -> None:
    """Add the page."""

    @server.route("/image", methods=["GET", "POST"], endpoint="image")
    def image() -> Response:
        if request.method == "POST":
            context.forms.check_token()
            return _given(context)
        audited.describe("view", "/image")
        return _form(context)


def _form(context: PageContext, *, fault: str = "", status: int = 400) -> Response:
    told = words()
    return page(
        context,
        "image.html",
        status=status if fault else 200,
        title=told("image_title"),
        query=_query(),
        fault=fault,
        formats=tuple(KINDS),
        sizes=[(name, told(f"image_size_{name}", n=STRIP_MAPS)) for name in CHOICES],
    )


def _given(context: PageContext) -> Response:
    scope = narrowed(current_scope(), "export")
    kind, size = request.form.get("format", ""), request.form.get("size", "")
    reason = given_reason()
    if kind not in KINDS or size not in CHOICES:
        abort(400)
    if decide(scope, "export").needs_reason and not reason:
        return _form(context, fault=words()("reason_missing"))
    now = context.clock().astimezone(context.city().zone)
    try:
        snapshot = context.store.current()
        content = _drawn(context, scope, snapshot, now, kind=kind, size=size)
    except (SnapshotError, NotVisibleError):
        abort(404)
    except BusyError:
        answer = _form(context, fault=words()("image_busy"), status=503)
        answer.headers["Retry-After"] = "5"
        return answer
    if content is None:
        return _form(context, fault=words()("image_no_font"), status=503)
    audited.before("export", f"{kind} image {size} {_query()} snapshot {snapshot.id}", reason)
    answer = Response(content, content_type=KINDS[kind])
    name = f"pingan-map-{snapshot.id[:15]}-{now:%Y%m%dT%H%M%S}.{kind}"
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    answer.headers["Cache-Control"] = "private, no-store"
    return answer


def _drawn(
    context: PageContext,
    scope: Scope,
    snapshot: Snapshot,
    now: dt.datetime,
    *,
    kind: str,
    size: str,
) -> bytes | None:
    """
    Draw in one's turn; None where no font with Chinese is installed.

    What draws takes seconds to load and is loaded here, when it is first asked for.
    """
    mark, search = watermark_text(scope, now), f"?{_query()}"
    with turn():
        fonts = _loaded("fonts")
        try:
            if size == STRIP:
                strip = _loaded("strip").draw_strip
                content: bytes = strip(
                    scope, snapshot, search, count=STRIP_MAPS, kind=kind, mark=mark
                )
            else:
                archive = Archive(context.store)
                content = _loaded("map_image").draw(
                    scope, snapshot, search, size=size, kind=kind, mark=mark, archive=archive
                )
        except fonts.FontError:
            return None
    return content


def _loaded(name: str) -> Any:
    return importlib.import_module(f"dashboard.images.{name}")


def _query() -> str:
    return request.query_string.decode("latin-1")[:MAX_ADDRESS]

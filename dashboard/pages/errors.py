"""What somebody sees when a request fails: what to do, never why in detail."""

from __future__ import annotations

import logging
import secrets
from typing import TYPE_CHECKING, Final

from flask import Response, current_app, request
from werkzeug.exceptions import HTTPException, InternalServerError

from dashboard.guard import current_scope
from dashboard.pages import render
from data.audit import AuditError
from data.state.database import StateError

if TYPE_CHECKING:
    from flask import Flask

    from dashboard.pages.context import PageContext

log = logging.getLogger("dashboard")

TOLD: Final = (400, 401, 403, 404, 413, 429, 500, 503)
"""Answers that have their own words; others are told as 400 or 500."""


def register(server: Flask, context: PageContext) -> None:
    """Answer every failure of a server with a page, or with a line where no browser shows it."""

    @server.errorhandler(HTTPException)
    def failed(error: HTTPException) -> Response:
        status = error.code or 500
        number = ""
        if isinstance(error, InternalServerError):
            number = secrets.token_hex(4)
            log.error("request failed, number %s: %s", number, request.path)
        answer = _answer(context, status, number)
        for name, value in error.get_headers():
            if name in ("Retry-After", "Allow"):
                answer.headers[name] = value
        return answer

    @server.errorhandler(AuditError)
    @server.errorhandler(StateError)
    def unavailable(error: Exception) -> Response:
        number = secrets.token_hex(4)
        log.error("the state database failed, number %s", number, exc_info=error)
        return _answer(context, 503, number)


def _answer(context: PageContext, status: int, number: str = "") -> Response:
    code = status if status in TOLD else 500 if status >= 500 else 400
    told = render.words()
    if not _wants_page():
        line = told(f"error_{code}_title") + (f" {number}" if number else "")
        return Response(f"{line}\n", status, mimetype="text/plain")
    home = render.home_of(current_scope()) if "account" in current_app.view_functions else "/"
    values = {"code": code, "shown": status, "number": number, "home": home}
    return render.page(context, "error.html", status=status, **values)


def _wants_page() -> bool:
    """Whether a browser shows the answer to somebody, and did not ask for it from a script."""
    accepted = request.accept_mimetypes
    return "text/html" in accepted.values() and not request.path.startswith(("/_", "/api"))

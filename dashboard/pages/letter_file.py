"""A letter as a file: a form that asks why, then Word or PDF."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from flask import Response, abort, request

from dashboard import audited
from dashboard.guard import current_scope
from dashboard.images.turns import BusyError
from dashboard.letters import drafting, files
from dashboard.pages import render
from dashboard.pages.reasons import given_reason
from dashboard.watermark import watermark_text
from data.access import NotVisibleError, decide, narrowed
from data.letters.store import Letters

if TYPE_CHECKING:
    from dashboard.pages.context import PageContext
    from data.letters.models import Letter


def show(context: PageContext, letter_id: str) -> Response:
    """Show the form."""
    audited.describe("view", f"/letters/{letter_id[:12]}/file")
    return _form(context, _letter(context, letter_id))


def take(context: PageContext, letter_id: str) -> Response:
    """Make the file and give it out."""
    audited.describe("export", f"/letters/{letter_id[:12]}/file")
    letter = _letter(context, letter_id)
    kind, reason, told = request.form.get("format", ""), given_reason(), render.words()
    if kind not in files.KINDS:
        abort(400)
    scope = current_scope()
    if decide(scope, "export").needs_reason and not reason:
        return _form(context, letter, fault=told("reason_missing"))
    mark = watermark_text(scope, context.clock().astimezone(context.city().zone))
    fonts: Any = importlib.import_module("dashboard.images.fonts")  # with the drawing library
    try:
        content = files.make_file(letter, kind, told.lang, mark=mark)
    except BusyError:
        answer = _form(context, letter, fault=told("weekly_file_busy"), status=503)
        answer.headers["Retry-After"] = "5"
        return answer
    except fonts.FontError:
        return _form(context, letter, fault=told("image_no_font"), status=503)
    audited.before("export", f"{kind} letter {letter.id} revision {letter.revision}", reason)
    given = Response(content, content_type=files.KINDS[kind])
    name = files.file_name(letter, kind, told.lang)
    given.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    given.headers["Cache-Control"] = "private, no-store"
    return given


def _letter(context: PageContext, letter_id: str) -> Letter:
    # Whoever reads by one post and exports by another gets only what the second one covers.
    scope = narrowed(current_scope(), "export")
    try:
        return Letters(context.database).find(scope, letter_id)
    except NotVisibleError:
        abort(404)


def _form(context: PageContext, letter: Letter, *, fault: str = "", status: int = 400) -> Response:
    told = render.words()
    kind = request.form.get("format", "docx")
    names = {"docx": told("letter_file_docx"), "pdf": told("weekly_file_pdf")}
    return render.page(
        context,
        "letter_file.html",
        status=status if fault else 200,
        title=told("letter_file_title"),
        what=f"{drafting.numbered(letter, told)} {told.pick(letter.title_zh, letter.title_en)}",
        here=render.address("letter_file", letter_id=letter.id),
        back=render.address("letter", letter_id=letter.id),
        formats=[(name, names[name]) for name in files.KINDS],
        kind=kind if kind in files.KINDS else "docx",
        fault=fault,
    )

"""A report as a file: a form that asks why, then Word, PDF or the workbook of what is issued."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from flask import Response, abort, request

from dashboard import audited
from dashboard.guard import current_scope
from dashboard.images.turns import BusyError
from dashboard.pages import render, weekly, weekly_links
from dashboard.pages.reasons import given_reason
from dashboard.reports import files
from dashboard.watermark import watermark_text
from data import issues
from data.access import NotVisibleError, decide, narrowed
from data.issues import IssueError

if TYPE_CHECKING:
    from dashboard.pages.context import PageContext
    from dashboard.pages.weekly import Opened
    from data.access import Scope


def show(context: PageContext) -> Response:
    """Show the form for the edition that the address names."""
    audited.describe("view", "/weekly/file")
    return _answered(context, _form)


def take(context: PageContext) -> Response:
    """Make the file and give it out."""
    audited.describe("export", "/weekly/file")
    return _answered(context, _given)


def _answered(context: PageContext, answer: Any) -> Response:
    # Whoever reads by one post and exports by another gets only what the second one covers.
    scope = narrowed(current_scope(), "export")
    try:
        home = context.settings.home
        opened = weekly.open_edition(scope, home, issues.issues(home))
        if opened is None:
            abort(404)
        made: Response = answer(context, scope, opened)
    except NotVisibleError:
        abort(404)
    except IssueError as error:
        return weekly.damaged(context, error)
    return made


def _form(
    context: PageContext, _scope: Scope, opened: Opened, *, fault: str = "", status: int = 400
) -> Response:
    told = render.words()
    kind = request.form.get("format", "docx")
    return render.page(
        context,
        "weekly_file.html",
        status=status if fault else 200,
        title=told("weekly_file_title"),
        what=told(
            "weekly_file_what",
            place=told.pick(opened.edition.place.name_zh, opened.edition.place.name_en),
            issue=weekly_links.named(opened.issue),
        ),
        here=weekly_links.href(opened.issue, opened.area, endpoint="weekly_file"),
        back=weekly_links.href(opened.issue, opened.area),
        formats=[(name, told(f"weekly_file_{name}")) for name in files.KINDS],
        kind=kind if kind in files.KINDS else "docx",
        fault=fault,
    )


def _given(context: PageContext, scope: Scope, opened: Opened) -> Response:
    kind, reason = request.form.get("format", ""), given_reason()
    if kind not in files.KINDS:
        abort(400)
    if decide(scope, "export").needs_reason and not reason:
        return _form(context, scope, opened, fault=render.words()("reason_missing"))
    home, place, lang = context.settings.home, opened.edition.place, render.language()
    mark = watermark_text(scope, context.clock().astimezone(context.city().zone))
    fonts: Any = importlib.import_module("dashboard.images.fonts")  # with the drawing library
    try:
        content = files.make_file(
            home, opened.issue, place.level, place.code, kind, lang, mark=mark
        )
    except BusyError:
        fault = render.words()("weekly_file_busy")
        answer = _form(context, scope, opened, fault=fault, status=503)
        answer.headers["Retry-After"] = "5"
        return answer
    except fonts.FontError:
        return _form(context, scope, opened, fault=render.words()("image_no_font"), status=503)
    told = f"{kind} report {weekly.told_of(opened)} snapshot {opened.issue.snapshot}"
    audited.before("export", told, reason)
    answer = Response(content, content_type=files.KINDS[kind])
    name = files.file_name(opened.issue, place.level, place.code, kind, lang)
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    answer.headers["Cache-Control"] = "private, no-store"
    return answer

"""Reports from the spot: taken in once, and tracked by their code."""

from __future__ import annotations

import functools
import json
import logging
import sqlite3
from typing import TYPE_CHECKING, Any

from flask import Response, abort, request

from dashboard import audited
from dashboard.guard import current_scope
from dashboard.pages import render
from dashboard.pages.phone_frame import look, marked
from dashboard.phone.reporting import ReportError, Reports, check_category, place, read_report
from dashboard.phone.tracking import Codes, progress, spaced
from dashboard.text import catalogue
from data.access import NotVisibleError
from data.city import CityError
from data.intake import IntakeError
from data.manifest import SnapshotError

if TYPE_CHECKING:
    from flask import Flask

    from dashboard.pages.context import PageContext
    from dashboard.phone.tracking import Progress
    from dashboard.text import Words
    from data.source import Source

log = logging.getLogger("dashboard")

RETRY_S = "30"


class Desk:
    """What the pages of reports work with."""

    def __init__(self, context: PageContext) -> None:
        self.context = context
        self.reports = Reports(context.settings)
        self.codes = Codes(context.key)

    def source(self) -> Source | None:
        """Source of reports; None where there is none, or the city folder cannot be read now."""
        try:
            return self.reports.source()
        except (CityError, OSError):
            log.exception("the city folder cannot be read")
            return None

    def is_open(self) -> bool:
        """Whether reports can be taken in."""
        return self.source() is not None


def register(server: Flask, desk: Desk) -> None:
    """Add the two addresses."""
    server.add_url_rule(
        "/m/reports", "phone_report", functools.partial(take, desk), methods=["POST"]
    )
    server.add_url_rule(
        "/m/reports/<code>", "phone_progress", functools.partial(show_progress, desk)
    )


def take(desk: Desk) -> Response:
    """Take a report in; an answer of 200 is given only once it is on disk."""
    context, scope = desk.context, current_scope()
    context.forms.check_token()
    source = desk.source()
    if source is None:
        return _refused("closed", 503)
    now = context.clock()
    try:
        snapshot = context.store.current()
        report = read_report(request.form, now=now)
        check_category(snapshot, report.category)
        area = place(scope, snapshot, report)
    except (SnapshotError, NotVisibleError):
        return _refused("closed", 503)
    except ReportError as error:
        return _refused(error.fault, 400)
    code = desk.codes.code(scope.user, report.key)
    audited.before("report", f"source {source.name} in {area.level} {area.index}")
    try:
        batch = desk.reports.take(source, report, code, now=now)
    except ReportError as error:
        return _refused(error.fault, 409)
    except (IntakeError, sqlite3.Error):
        log.exception("a report from a phone was not taken in")
        return _refused("later", 503)
    log.info("report from a phone: batch %d", batch.number)
    answer = _json({"code": spaced(code), "href": render.address("phone_progress", code=code)})
    return marked(answer, context)


def show_progress(desk: Desk, code: str) -> Response:
    """Show how far a report has come; of another account's code no more than of none."""
    scope, told = current_scope(), render.words()
    audited.describe("view", "/m/reports")
    own, source = desk.codes.read(scope.user, code), desk.source()
    batch = desk.reports.find(source, own) if own and source else None
    if own is None or batch is None:
        abort(403)
    found = progress(desk.context.store, batch)
    answer = render.page(
        desk.context,
        "phone_report.html",
        title=told("phone_report_title"),
        code=spaced(own),
        progress=found,
        reason=_reason(found, told),
        made=desk.context.clock().astimezone(desk.context.city().zone),
        reader=desk.codes.reader(scope.user),
        **look(None),
    )
    return marked(answer, desk.context)


def _reason(found: Progress, told: Words) -> str:
    """Why it was held back, in words; one that the catalogue does not know stays a code."""
    key = f"reason_{found.reason}"
    return told(key) if key in catalogue() else found.reason


def _refused(fault: str, status: int) -> Response:
    answer = _json({"error": render.words()(f"phone_fault_{fault}"), "fault": fault})
    answer.status_code = status
    if status == 503:
        answer.headers["Retry-After"] = RETRY_S
    return answer


def _json(content: dict[str, Any]) -> Response:
    text = json.dumps(content, ensure_ascii=False)
    answer = Response(f"{text}\n", mimetype="application/json")
    answer.headers["Cache-Control"] = "private, no-store"
    return answer

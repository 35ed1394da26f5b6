"""
The record of a table that the browser writes out: no file without a reason and a row in the audit.

The rows are on the reader's screen already; what is asked here is what any export is asked.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from flask import Response, abort, request

from dashboard import audited
from dashboard.guard import current_scope
from dashboard.pages.reasons import given_reason
from data.access import decide
from data.manifest import SnapshotError

if TYPE_CHECKING:
    from flask import Flask

    from data.store import Store

_TABLE: Final = re.compile(r"[a-z-]{1,40}")
_ROWS: Final = re.compile(r"\d{1,5}")


def register(server: Flask, store: Store) -> None:
    """Add the route."""

    @server.post("/exported", endpoint="exported")
    def exported() -> Response:
        table, rows = request.form.get("table", ""), request.form.get("rows", "")
        if not (_TABLE.fullmatch(table) and _ROWS.fullmatch(rows)):
            abort(400)
        reason = given_reason()
        if decide(current_scope(), "export").needs_reason and not reason:
            abort(400)
        try:
            snapshot = store.current()
        except SnapshotError:
            abort(404)
        audited.before("export", f"csv table {table}, {rows} rows, snapshot {snapshot.id}", reason)
        return Response(status=204)

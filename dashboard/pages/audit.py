"""The audit for its readers: search, prove, take along as a file."""

from __future__ import annotations

import csv
import datetime as dt
import io
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from flask import Response, abort, request
from sqlalchemy import select

from dashboard import audited
from dashboard.guard import current_scope
from dashboard.pages import render
from dashboard.pages.reasons import given_reason, written_reason
from dashboard.safe_cells import safe_cell
from dashboard.watermark import watermark_text
from data.access import decide
from data.accounts import stored_settings
from data.audit import verify as verification
from data.audit.words import ACTIONS, RESULTS
from data.state.models import AuditHead

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from zoneinfo import ZoneInfo

    from dashboard.pages.context import PageContext
    from dashboard.text import Words
    from data.audit.verify import Verdict
    from data.state.models import AuditRow

AT_ONCE: Final = 50
MOST_ROWS: Final = 50_000
"""Rows of one file."""
BLOCK: Final = 1_000

MOST_VERIFIED: Final = 300_000
"""Rows that a request can prove before its time is over: measured 42,000 a second."""

TONES: Final = {"ok": "good", "denied": "bad", "failed": "warn"}
COLUMNS: Final = (
    "seq", "at", "user", "roles", "address", "session", "action", "target", "result", "detail",
)  # fmt: skip


class Asked(NamedTuple):
    """What was searched for, as the form wrote it; "" = anything."""

    user: str = ""
    action: str = ""
    result: str = ""
    text: str = ""
    since: str = ""
    until: str = ""

    def limits(self, zone: ZoneInfo) -> dict[str, Any]:
        """
        Arguments of the log's search.

        Raises
        ------
        ValueError
            A date is none, or a word is unknown.
        """
        if self.action not in ("", *ACTIONS) or self.result not in ("", *RESULTS):
            raise ValueError("unknown action or result")
        since, until = _midnight(self.since, zone), _midnight(self.until, zone, days=1)
        return {
            "user": self.user or None,
            "action": self.action or None,
            "result": self.result or None,
            "text": self.text or None,
            "since": since,
            "until": until,
        }


class Entry(NamedTuple):
    """One row in words."""

    seq: int
    at: dt.datetime
    user: str
    roles: str
    address: str
    session: str
    action: str
    target: str
    result: str
    detail: str
    tone: str


def show(context: PageContext) -> Response:
    """Search; whoever may read only what is his own finds only that."""
    return _page(context)


def verify(context: PageContext) -> Response:
    """Prove the whole chain, and show the verdict."""
    if decide(current_scope(), "audit").is_own_only:
        abort(403)
    audited.before("system", "/audit/verify")
    if _rows_here(context) > MOST_VERIFIED:
        return _page(context, faulty=[render.words()("audit_verify_long", most=MOST_VERIFIED)])
    return _page(context, verdict=verification.verify(context.audit))


def save(context: PageContext) -> Response:
    """Write the rows that were found into a file, and who took it along for what."""
    told, asked = render.words(), _asked()
    reason = given_reason()
    if not reason:
        audited.describe("export", "/audit", "no reason")
        return _page(context, faulty=[told("reason_missing")])
    zone = context.city().zone
    try:
        limits = asked.limits(zone)
    except ValueError:
        abort(400)
    now = context.clock().astimezone(zone)
    audited.before("export", "/audit", f"{_told(asked)}: {reason}")
    # All of it before the first byte: a search that fails must not end as half a file.
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    for row in _all(context, limits):
        cells = [getattr(row, name) for name in COLUMNS]
        cells[1] = row.at.astimezone(zone).isoformat(timespec="seconds")
        writer.writerow([safe_cell(str(cell)) for cell in cells])
    mark = watermark_text(current_scope(), now)
    writer.writerows([[], [told("export_mark"), safe_cell(mark)]])
    writer.writerow([told("export_reason"), safe_cell(reason)])
    answer = Response("\ufeff" + text.getvalue(), mimetype="text/csv")
    name = f"audit-{now:%Y%m%d-%H%M%S}.csv"
    answer.headers["Content-Disposition"] = f"attachment; filename={name}"
    answer.headers["Cache-Control"] = "private, no-store"
    return answer


def in_words(row: AuditRow, told: Words) -> Entry:
    """Tell a row in the language of the page."""
    return Entry(
        row.seq,
        row.at,
        row.user,
        told("list_comma").join(
            render.role_titles(tuple(name for name in row.roles.split(",") if name), told)
        ),
        row.address,
        row.session,
        told(f"audit_{row.action}") if row.action in ACTIONS else row.action,
        row.target,
        told(f"audit_{row.result}") if row.result in RESULTS else row.result,
        row.detail,
        TONES.get(row.result, ""),
    )


def _page(
    context: PageContext, *, verdict: Verdict | None = None, faulty: Sequence[str] = ()
) -> Response:
    told, asked = render.words(), _asked()
    if request.method == "GET":
        audited.describe("view", "/audit", _told(asked))
    before = request.args.get("before", "")
    is_page = before.isascii() and before.isdigit() and len(before) < 16
    entries: list[Entry] = []
    try:
        limits = asked.limits(context.city().zone)
        found = context.audit.search(
            **limits, before=int(before) if is_page else None, limit=AT_ONCE
        )
        entries = [in_words(row, told) for row in found]
    except ValueError:
        faulty = [told("audit_fault")]
    kept = {name: value for name, value in asked._asdict().items() if value}
    is_full = len(entries) == AT_ONCE
    return render.page(
        context,
        "audit.html",
        status=400 if faulty else 200,
        asked=asked,
        entries=entries,
        faulty=faulty,
        verdict=verdict,
        is_own_only=decide(current_scope(), "audit").is_own_only,
        keep_days=stored_settings.read(context.database)["audit_keep_days"],
        action_choices=[("", told("any")), *((one, told(f"audit_{one}")) for one in ACTIONS)],
        result_choices=[("", told("any")), *((one, told(f"audit_{one}")) for one in RESULTS)],
        reason=written_reason(),
        csv=render.address("audit_export", **kept),
        newest=render.address("audit", **kept) if is_page else "",
        older=render.address("audit", **kept, before=entries[-1].seq) if is_full else "",
    )


def _asked() -> Asked:
    asked = Asked(*(request.args.get(name, "").strip()[:100] for name in Asked._fields))
    if decide(current_scope(), "audit").is_own_only:
        asked = asked._replace(user=current_scope().user)
    return asked


def _all(context: PageContext, limits: dict[str, Any]) -> Iterator[AuditRow]:
    before: int | None = None
    for _ in range(MOST_ROWS // BLOCK):
        rows = context.audit.search(**limits, before=before, limit=BLOCK)
        yield from rows
        if len(rows) < BLOCK:
            return
        before = rows[-1].seq


def _rows_here(context: PageContext) -> int:
    """Rows from the first that is not archived to the newest, by their numbers."""
    with context.database.reading() as session:
        ends = session.execute(select(AuditHead.first_seq, AuditHead.seq)).first()
    return 0 if ends is None else ends.seq - ends.first_seq + 1


def _told(asked: Asked) -> str:
    return ", ".join(f"{name} {value}" for name, value in asked._asdict().items() if value)


def _midnight(text: str, zone: ZoneInfo, *, days: int = 0) -> dt.datetime | None:
    """Begin of a day of the city, or of the day after; None where no day was given."""
    if not text:
        return None
    day = dt.date.fromisoformat(text) + dt.timedelta(days=days)
    return dt.datetime.combine(day, dt.time(), zone)

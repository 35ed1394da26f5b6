"""Uploading a ledger: the form, and what became of the last files of each source."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from flask import request

from dashboard import audited
from dashboard.pages.render import language, page, words
from dashboard.uploads import LONGEST_REASON, SHORTEST_REASON, Door, status_of
from data.city import CityError
from data.intake import Intake
from data.manifest import SnapshotError
from data.upload_error import UploadError
from data.upload_store import records
from data.uploads import MAX_BYTES, endings

if TYPE_CHECKING:
    import datetime as dt

    from flask import Flask, Response

    from dashboard.pages.context import PageContext
    from data.intake import Batch
    from data.source import Source

LISTED: Final = 8
"""Batches of one source that are shown."""
LOOKED_AT: Final = 400
"""Last batches of the log among which they are looked for."""

_COUNTS: Final = ("read", "accepted", "quarantined", "duplicate", "refused")
_STATES: Final = ("waiting", "refused", "taken", "processed")
_Accounts = dict[tuple[str, str], tuple[int, ...]]


class Line(NamedTuple):
    """One batch, or one upload that is none yet; `counts` is None until it is processed."""

    at: dt.datetime
    name: str
    state: str
    tone: str
    told: str = ""
    counts: tuple[int, ...] | None = None


class Said(NamedTuple):
    """A source as the page shows it."""

    name: str
    title: str
    endings: str
    lines: list[Line]


class Outcome(NamedTuple):
    """What the page says about the upload that it answers; `is_stored` or not."""

    text: str
    is_stored: bool
    status: int


def register(server: Flask, context: PageContext) -> None:
    """Add the page and the door behind its form."""
    door = Door(context.settings, context.forms.check_token, context.clock)

    @server.route("/upload", methods=["GET", "POST"], endpoint="upload")
    def upload() -> Response:
        if request.method == "POST":
            return _show(context, door, _received(door))
        audited.describe("view", "/upload")
        return _show(context, door)


def _received(door: Door) -> Outcome:
    told = words()
    try:
        record, name = door.receive()
    except UploadError as error:
        return Outcome(
            told(f"upload_no_{error.code}", **error.facts), is_stored=False, status=status_of(error)
        )
    text = told("upload_done", name=name, stored=record.name)
    return Outcome(text, is_stored=True, status=201)


def _show(context: PageContext, door: Door, outcome: Outcome | None = None) -> Response:
    told, fault = words(), ""
    try:
        sources = list(door.sources().values())
    except (CityError, OSError):
        sources, fault = [], told("upload_city_fault")
    if not context.settings.city:
        fault = told("upload_no_city")
    batches, accounts = _last_batches(context), _accounts(context)
    return page(
        context,
        "upload.html",
        status=outcome.status if outcome else 200,
        title=told("menu_upload"),
        outcome=outcome,
        fault=fault,
        sources=[_said(context, one, batches, accounts) for one in sources],
        chosen=request.form.get("source", "") if outcome and not outcome.is_stored else "",
        accept=",".join(sorted({ending for one in sources for ending in endings(one)})),
        most=MAX_BYTES // (1024 * 1024),
        least_reason=SHORTEST_REASON,
        most_reason=LONGEST_REASON,
        columns=[told(f"upload_{name}") for name in _COUNTS],
        states={name: told(f"upload_is_{name}") for name in _STATES},
    )


def _said(context: PageContext, source: Source, batches: list[Batch], accounts: _Accounts) -> Said:
    lines = [_batch_line(one, accounts) for one in batches if one.source == source.name]
    for record in records(context.settings.home, source.name, limit=LISTED):
        if record.state == "waiting":
            lines.append(Line(record.at, record.name, "waiting", "info"))
        elif record.state == "refused":
            lines.append(Line(record.at, record.name, "refused", "bad", record.told))
    lines.sort(key=lambda line: line.at, reverse=True)
    title = source.title_zh if language() == "zh" else source.title_en
    return Said(source.name, title, " ".join(endings(source)), lines[:LISTED])


def _batch_line(batch: Batch, accounts: _Accounts) -> Line:
    counts = accounts.get((batch.source, batch.name))
    if counts is None:
        return Line(batch.ingested_at, batch.name, "taken", "info")
    tone = "good" if counts[2] + counts[4] == 0 else "warn"
    return Line(batch.ingested_at, batch.name, "processed", tone, counts=counts)


def _last_batches(context: PageContext) -> list[Batch]:
    intake = Intake(context.settings.home)
    last = intake.as_of(context.clock())
    return intake.batches(after=max(0, last - LOOKED_AT))


def _accounts(context: PageContext) -> _Accounts:
    """Row account of each file of the published snapshot."""
    try:
        rows = context.store.current().read("accounts")
    except SnapshotError:
        return {}
    return {
        (str(row.source), str(row.file)): tuple(int(getattr(row, name)) for name in _COUNTS)
        for row in rows.itertuples()
    }

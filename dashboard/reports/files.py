"""Documents of an issue as files: Word, PDF, workbook, made when somebody asks for them."""

from __future__ import annotations

import datetime as dt
from importlib import resources
from typing import TYPE_CHECKING, Final, NamedTuple

from dashboard.text import LANGUAGES
from data import issues
from data.issues import IssueError
from data.report_settings import TEMPLATE

if TYPE_CHECKING:
    from pathlib import Path

    from dashboard.reports.document import Document
    from dashboard.reports.outlines import Outlines
    from data.issues import Issue

OFFICE: Final = "application/vnd.openxmlformats-officedocument"
KINDS: Final = {
    "docx": f"{OFFICE}.wordprocessingml.document",
    "pdf": "application/pdf",
    "xlsx": f"{OFFICE}.spreadsheetml.sheet",
}
"""Kind to the type of the answer."""


class Content(NamedTuple):
    """What every kind of file is made from."""

    document: Document
    outlines: Outlines
    at: dt.datetime
    """When the issue was made, UTC."""


def make_file(  # noqa: PLR0917 - the address of an edition, from issue to language
    home: Path, issue: Issue, level: str, code: str, kind: str, lang: str, *, mark: str = ""
) -> bytes:
    """
    Make a document of one edition; the caller has checked who may read it.

    Parameters
    ----------
    kind
        One of `KINDS`.
    lang
        zh or en.
    mark
        Who took it and when, on every page.

    Returns
    -------
    content
        The same edition and mark give the same bytes.

    Raises
    ------
    IssueError
        There is no such edition, kind or language, or a file of the issue is damaged.
    FontError
        No font with Chinese is installed.
    BusyError
        Another image is being drawn (`dashboard.images.turns`).
    """
    if kind not in KINDS or lang not in LANGUAGES:
        raise IssueError(f"no document of kind {kind!r} in language {lang!r}")
    content = _read(home, issue, level, code, lang)
    if kind == "xlsx":
        from dashboard.reports import workbook  # noqa: PLC0415 - loaded when one is asked for

        return workbook.render(content.document, at=content.at, mark=mark)
    if kind == "pdf":
        from dashboard.reports import pdf  # noqa: PLC0415

        return pdf.render(content.document, content.outlines, at=content.at, mark=mark)
    from dashboard.reports import word  # noqa: PLC0415

    return word.render(
        content.document,
        content.outlines,
        template=_template(home, issue),
        at=content.at,
        mark=mark,
    )


def file_name(issue: Issue, level: str, code: str, kind: str, lang: str) -> str:
    """Name to keep a document under: plain ASCII, told apart by week, version and edition."""
    return f"pingan-report-{issue.week}-v{issue.version}-{level}-{code}-{lang}.{kind}"


def _read(home: Path, issue: Issue, level: str, code: str, lang: str) -> Content:
    from dashboard.reports import making, reading  # noqa: PLC0415

    edition = making.read_edition(home, issue, level, code)
    document = reading.document(home, issue, edition, lang=lang)
    at = dt.datetime.fromisoformat(issue.created_at).astimezone(dt.UTC)
    return Content(document, making.read_outlines(home, issue), at)


def _template(home: Path, issue: Issue) -> bytes:
    if TEMPLATE in issue.files:
        return issues.content(home, issue, TEMPLATE)
    own = resources.files("dashboard").joinpath("reports", "templates", TEMPLATE)
    return own.read_bytes()

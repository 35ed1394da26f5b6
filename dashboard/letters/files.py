"""A letter as a Word document or a PDF, made when somebody asks for it."""

from __future__ import annotations

from importlib import resources
from typing import TYPE_CHECKING, Any, Final

from dashboard.letters.document import paper
from dashboard.reports import files, printed
from dashboard.reports.document import Paragraph
from dashboard.reports.outlines import Outlines

if TYPE_CHECKING:
    import datetime as dt

    from dashboard.letters.document import Paper
    from data.letters.models import Letter

KINDS: Final = {kind: files.KINDS[kind] for kind in ("docx", "pdf")}
"""Kind to the type of the answer."""

ANNEX: Final = "\ue000annex\ue000"
"""Stands for the annex while the template is filled in."""

_NO_MAP: Final = Outlines(metres=1.0, levels={})


def make_file(letter: Letter, kind: str, lang: str, *, mark: str = "") -> bytes:
    """
    Make a document of a letter; the caller has checked who may read it.

    Parameters
    ----------
    kind
        One of `KINDS`.
    mark
        Who took it and when, on every page.

    Returns
    -------
    content
        The same letter and mark give the same bytes.

    Raises
    ------
    IssueError
        The template cannot be filled in.
    FontError
        No font with Chinese is installed.
    """
    told = paper(letter, lang=lang)
    at = (letter.signed_at or letter.edited_at or letter.drafted_at).replace(microsecond=0)
    return _pdf(told, at, mark) if kind == "pdf" else _word(told, at, mark)


def file_name(letter: Letter, kind: str, lang: str) -> str:
    """Name to keep a document under: plain ASCII."""
    number = f"{letter.number_year}-{letter.number}" if letter.number else "draft"
    return f"pingan-{letter.kind.replace('_', '-')}-{number}-{letter.area_code}-{lang}.{kind}"


def _word(told: Paper, at: dt.datetime, mark: str) -> bytes:
    from dashboard.reports import word  # noqa: PLC0415 - loaded when one is asked for

    document = told.document
    template = resources.files("dashboard").joinpath("letters", "templates", "letter.docx")
    file = word.filled(
        template.read_bytes(),
        {
            "publisher": document.publisher,
            "number": document.number,
            "title": document.title,
            "addressee": told.addressee,
            "body": word.BODY,
            "dated": document.dated,
            "copies": printed.copies(document),
            "imprint": printed.imprint(document),
            "annex_title": told.annex_title,
            "annex": ANNEX,
            "foot": "\n".join(printed.foot(document, mark)),
        },
    )
    word.put(file, word.BODY, document.blocks, document, _NO_MAP)
    # Who signs never stands alone on a sheet.
    ends = {one.text for one in document.blocks[-2:] if isinstance(one, Paragraph)}
    for paragraph in file.paragraphs:
        if paragraph.text in ends:
            paragraph.paragraph_format.keep_with_next = True
    word.put(file, ANNEX, told.annex, document, _NO_MAP)
    return word.saved(file, document, at)


def _pdf(told: Paper, at: dt.datetime, mark: str) -> bytes:
    from dashboard.reports import pdf  # noqa: PLC0415

    document = told.document
    letter: dict[str, Any] = {
        "masthead": document.publisher,
        "addressee": told.addressee,
        "signature": document.publisher,
        "annex_title": told.annex_title,
        "annex": [pdf.as_told(document, _NO_MAP, one) for one in told.annex],
    }
    return pdf.set_type(pdf.content(document, _NO_MAP, mark) | {"letter": letter}, at=at)

"""What Word, PDF and workbook have in common beside the blocks: foot, copies, annexes, inks."""

from __future__ import annotations

import io
import re
import zipfile
from typing import TYPE_CHECKING, Final

from dashboard.reports.document import Table
from dashboard.text import Words

if TYPE_CHECKING:
    import datetime as dt

    from dashboard.reports.document import Block, Document

DARK: Final = "#16202c"
LIGHT: Final = "#ffffff"

ACROSS: Final = 156 / 25.4 * 72 / 10.5
"""Signs of a table's text (10.5 pt) on the width of the type area."""

LATIN: Final = 0.55
"""Width of a Latin letter or a digit, in Chinese signs."""

_WORD: Final = re.compile(r"[^\s\u2e80-\uffef]+")
_MODIFIED: Final = re.compile(rb"(<dcterms:modified[^>]*>)[^<]*(</dcterms:modified>)")


def blocks(document: Document) -> list[Block]:
    """Blocks of Word and PDF: all but the appendix."""
    return [one for one in document.blocks if not (isinstance(one, Table) and one.is_appendix)]


def foot(document: Document, mark: str) -> tuple[str, ...]:
    """Lines at the foot of every page; who took the document and when is the last."""
    words = Words(document.lang)
    return (*document.foot, *([words("image_mark", mark=mark)] if mark else []))


def copies(document: Document) -> str:
    """Who gets a copy; empty where nobody is named."""
    return Words(document.lang)("rep_doc_copies", names=document.copies) if document.copies else ""


def imprint(document: Document) -> str:
    """Who printed it and when, the last line of a document that is sent round."""
    words = Words(document.lang)
    return words("rep_doc_printed", publisher=document.publisher, dated=document.dated)


def correction(document: Document) -> str:
    """Why this version was made; empty for a first one."""
    if not document.correction:
        return ""
    return Words(document.lang)("rep_doc_correction", reason=document.correction)


def annexes(document: Document) -> str:
    """The tables that the workbook has over this document."""
    words = Words(document.lang)
    titles = [table.title for table in document.tables() if table.is_appendix]
    listed = [f"{n}. {title}" for n, title in enumerate(titles, start=1)]
    return words("rep_doc_annex", list=words("rep_semicolon").join(listed)) if listed else ""


def widths(table: Table) -> list[float]:
    """
    Widths of a table's columns in signs of its text: their shares, but none breaks a word.

    The sum is that of the type area, `ACROSS`.
    """
    needed = [
        max(_longest(text) for text in (column.title, *(row[at].text for row in table.rows)))
        for at, column in enumerate(table.columns)
    ]
    shares = [column.width for column in table.columns]
    tight: set[int] = set()
    while len(tight) < len(shares):
        room = ACROSS - sum(needed[at] for at in tight)
        unit = room / sum(share for at, share in enumerate(shares) if at not in tight)
        short = {at for at, share in enumerate(shares) if unit * share < needed[at]} - tight
        if not short or room <= 0:
            return [
                needed[at] if at in tight else max(unit, 0.0) * share
                for at, share in enumerate(shares)
            ]
        tight |= short
    return [one * ACROSS / sum(needed) for one in needed]


def _longest(text: str) -> float:
    """Width of the longest word, a Chinese sign being one, with the room round it."""
    words = _WORD.findall(text)
    return 1.2 + max((LATIN * len(word) for word in words), default=1.0)


def tint(document: Document, colour: int | None) -> str | None:
    """Colour of a cell as `#rrggbb`; None where it is in none."""
    if colour is None:
        return None
    return document.tints[colour if colour < len(document.tints) else 0]


def ink(tint: str) -> str:
    """The text colour, dark or light, that stands out more from a tint (WCAG 2.2)."""
    lightness = _lightness(tint)
    on_dark = (lightness + 0.05) / (_lightness(DARK) + 0.05)
    on_light = 1.05 / (lightness + 0.05)
    return DARK if on_dark >= on_light else LIGHT


def _lightness(colour: str) -> float:
    """Relative luminance."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def dated(archive: bytes, at: dt.datetime) -> bytes:
    """
    An Office file with one time all over, so that the same report has the same bytes.

    Parameters
    ----------
    at
        UTC; after 1980, which is when the format's time begins.
    """
    stream = io.BytesIO()
    moment = f"{at:%Y-%m-%dT%H:%M:%SZ}".encode()
    with (
        zipfile.ZipFile(io.BytesIO(archive)) as found,
        zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as made,
    ):
        for entry in found.infolist():
            content = found.read(entry)
            if entry.filename == "docProps/core.xml":
                content = _MODIFIED.sub(rb"\g<1>" + moment + rb"\g<2>", content)
            one = zipfile.ZipInfo(entry.filename, at.timetuple()[:6])
            one.compress_type = zipfile.ZIP_DEFLATED
            made.writestr(one, content)
    return stream.getvalue()

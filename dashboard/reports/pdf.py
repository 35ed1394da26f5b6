"""A report as a PDF, set by typst from `templates/report.typ`: no network, no browser."""

from __future__ import annotations

import functools
import json
from importlib import resources
from typing import TYPE_CHECKING, Any, Final

import typst

from dashboard.images import fonts
from dashboard.images.turns import turn
from dashboard.reports import maps, printed
from dashboard.reports.document import Figures, Heading, Paragraph, Table
from dashboard.reports.faces import faces
from dashboard.text import Words

if TYPE_CHECKING:
    import datetime as dt

    from dashboard.reports.document import Block, Document
    from dashboard.reports.outlines import Outlines

WAIT_S: Final = 30.0

LATIN: Final = ("Times New Roman", "Liberation Serif", "Libertinus Serif")
LATIN_HEI: Final = ("Arial", "Liberation Sans", "DejaVu Sans")
"""What a report in English is set in; names in Chinese are in the faces of the Chinese one."""


def render(document: Document, outlines: Outlines, *, at: dt.datetime, mark: str = "") -> bytes:
    """
    Set a report.

    Parameters
    ----------
    at
        Moment that the file bears (UTC): that of its issue.
    mark
        Who took it and when, at the foot of every page.

    Returns
    -------
    content
        The same report and mark give the same bytes.

    Raises
    ------
    FontError
        No font with Chinese is installed.
    BusyError
        Another image is being drawn (`dashboard.images.turns`).
    """
    return set_type(content(document, outlines, mark), at=at)


def set_type(told: dict[str, Any], *, at: dt.datetime) -> bytes:
    """Set what the template is given: a report, or a letter (`told["letter"]`)."""
    source = resources.files("dashboard").joinpath("reports", "templates", "report.typ")
    made: bytes = typst.compile(
        source.read_bytes(),
        font_paths=_fonts(),
        format="pdf",
        sys_inputs={"report": json.dumps(told, ensure_ascii=False)},
        timestamp=at,
    )
    return made


def content(document: Document, outlines: Outlines, mark: str) -> dict[str, Any]:
    """What the template is given."""
    return {
        "lang": document.lang,
        "fonts": _faces(document.lang),
        "title": document.title,
        "subtitle": document.subtitle,
        "number": document.number,
        "publisher": document.publisher,
        "dated": document.dated,
        "headline": document.headline,
        "correction": printed.correction(document),
        "annexes": printed.annexes(document),
        "copies": printed.copies(document),
        "imprint": printed.imprint(document),
        "foot": printed.foot(document, mark),
        "keywords": list(document.properties.values()),
        "blocks": [as_told(document, outlines, one) for one in printed.blocks(document)],
    }


def as_told(document: Document, outlines: Outlines, block: Block) -> dict[str, Any]:
    """A block as the template reads it."""
    if isinstance(block, Heading):
        return {"kind": "heading", "text": block.text, "level": block.level}
    if isinstance(block, Paragraph):
        return {
            "kind": "paragraph", "text": block.text, "lead": block.lead, "is_note": block.is_note
        }  # fmt: skip
    if isinstance(block, Figures):
        items = [
            {"name": one.name, "detail": one.detail, **_tinted(document, one.text, one.colour)}
            for one in block.items
        ]
        return {"kind": "figures", "items": items}
    if isinstance(block, Table):
        return {
            "kind": "table",
            "title": block.title,
            "note": block.note,
            "columns": [
                {"title": one.title, "is_number": one.is_number, "width": width}
                for one, width in zip(block.columns, printed.widths(block), strict=True)
            ],
            "rows": [
                [_tinted(document, one.text, one.colour) for one in row] for row in block.rows
            ],
        }
    words = Words(document.lang)
    with turn(WAIT_S):
        picture = maps.draw(document, block, outlines, kind="svg")
    missing = "" if picture else maps.undrawn(block, outlines, words)
    return {
        "kind": "maps",
        "picture": picture.decode() if picture else None,
        "told": maps.told(block, words) + missing,
        "note": block.note,
    }


def _tinted(document: Document, text: str, colour: int | None) -> dict[str, Any]:
    fill = printed.tint(document, colour)
    return {"text": text, "fill": fill, "ink": printed.ink(fill) if fill else printed.DARK}


@functools.cache
def _fonts() -> typst.Fonts:
    """Fonts of the machine, looked for once."""
    return typst.Fonts()


@functools.cache
def _faces(lang: str) -> dict[str, list[str]]:
    """Of each face the installed fonts; what they lack is taken from the font of the maps."""
    held = set(_fonts().families())
    last = fonts.families()
    found = {}
    for part, face in faces().items():
        latin = LATIN_HEI if part == "hei" else LATIN
        wanted = (*(latin if lang == "en" else ()), *face.pdf, *last)
        found[part] = [name for name in wanted if name in held]
    return found

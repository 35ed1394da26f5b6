"""
A report as a Word document: a template that its user owns, filled in.

The template says where head, report, annexes and copies go (`{{ names }}`), and its styles say how
each kind of paragraph looks; see docs/weekly-report.md. Offices edit the result and sign it.
"""

from __future__ import annotations

import io
import zipfile
from typing import TYPE_CHECKING, Any, Final

from docx.enum.table import WD_TABLE_ALIGNMENT
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import OxmlElement, parse_xml
from docx.oxml.ns import nsdecls, qn
from docx.shared import Emu, Mm, RGBColor
from docxtpl import DocxTemplate
from jinja2 import TemplateError
from jinja2.sandbox import SandboxedEnvironment

from dashboard.images.turns import turn
from dashboard.reports import maps, printed
from dashboard.reports.document import Figures, Heading, Maps, Paragraph, Table
from dashboard.text import Words
from data.issues import IssueError
from data.report_settings import TEMPLATE

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from docx.document import Document as File

    from dashboard.reports.document import Block, Document
    from dashboard.reports.outlines import Outlines

BODY: Final = "\ue000report\ue000"
"""Stands for the report while the template is filled in."""

WAIT_S: Final = 30.0
LEAD: Final = "Report Lead"
RULE: Final = "8A94A0"
HEAD: Final = "EEF1F4"
FIGURES: Final = (1.4, 1.5, 2.4)
"""Shares of the width of name, value and comparison."""


def render(
    document: Document, outlines: Outlines, *, template: bytes, at: dt.datetime, mark: str = ""
) -> bytes:
    """
    Fill in a template.

    Parameters
    ----------
    template
        A Word document with `{{ body }}`.
    at
        Moment that the file bears (UTC): that of its issue.
    mark
        Who took it and when.

    Returns
    -------
    content
        The same report and mark give the same bytes.

    Raises
    ------
    IssueError
        The template is none that can be filled in.
    BusyError
        Another image is being drawn (`dashboard.images.turns`).
    """
    file = filled(template, _context(document, mark))
    if document.lang == "en":
        _latin(file)
    put(file, BODY, printed.blocks(document), document, outlines)
    return saved(file, document, at)


def put(
    file: File, mark: str, blocks: Sequence[Block], document: Document, outlines: Outlines
) -> None:
    """
    Write blocks in the place of the paragraph that holds a mark.

    Raises
    ------
    IssueError
        The template has no such paragraph.
    BusyError
        Another image is being drawn.
    """
    place = _place(file, mark)
    writer = _Writer(file, place, document, outlines, _width(file))
    for block in blocks:
        writer.write(block)
    place.getparent().remove(place)


def saved(file: File, document: Document, at: dt.datetime) -> bytes:
    """The finished file, with what it is about and when it was made."""
    known = file.core_properties
    known.title, known.author = f"{document.title} {document.number}", document.publisher
    known.subject, known.keywords = document.subtitle, document.properties.get("snapshot", "")
    known.created = known.modified = at.replace(tzinfo=None)
    stream = io.BytesIO()
    file.save(stream)
    return printed.dated(stream.getvalue(), at)


def check_template(template: bytes) -> None:
    """
    Refuse a template that no report could be put into.

    Raises
    ------
    IssueError
        With what is wrong with it.
    """
    names = ("title", "number", "publisher", "dated", "subtitle", "correction", "headline")
    more = ("annexes", "copies", "imprint", "foot")
    _place(filled(template, dict.fromkeys((*names, *more), "1") | {"body": BODY}), BODY)


def _context(document: Document, mark: str) -> dict[str, str]:
    return {
        "title": document.title,
        "number": document.number,
        "publisher": document.publisher,
        "dated": document.dated,
        "subtitle": document.subtitle,
        "correction": printed.correction(document),
        "headline": document.headline,
        "body": BODY,
        "annexes": printed.annexes(document),
        "copies": printed.copies(document),
        "imprint": printed.imprint(document),
        "foot": "\n".join(printed.foot(document, mark)),
    }


def filled(template: bytes, context: dict[str, str]) -> File:
    """
    A template with its names filled in.

    Raises
    ------
    IssueError
        It is none that can be filled in.
    """
    made = DocxTemplate(io.BytesIO(template))
    # A template comes from the city's folder: its expressions reach nothing but these texts.
    sandbox = SandboxedEnvironment(autoescape=True)
    try:
        made.render(context, jinja_env=sandbox, autoescape=True)
    except (TemplateError, SyntaxError, zipfile.BadZipFile, KeyError, ValueError) as error:
        raise IssueError(f"{TEMPLATE} cannot be filled in: {error}") from None
    file: File = made.docx
    return file


def _place(file: File, mark: str) -> Any:
    """The paragraph that holds a mark."""
    for paragraph in file.paragraphs:
        if mark in paragraph.text:
            return paragraph._p  # noqa: SLF001 - the place in the XML
    raise IssueError(f"{TEMPLATE} has no paragraph {{{{ body }}}} for the report")


def _width(file: File) -> int:
    """Width of the type area."""
    page = file.sections[0]
    sides = (page.page_width, page.left_margin, page.right_margin)
    whole, left, right = (int(side or Mm(0)) for side in sides)
    return whole - left - right


def _latin(file: File) -> None:
    """Quotation marks in the Latin font, not in the Chinese one; lines of words not stretched."""
    for fonts in file.styles.element.iter(qn("w:rFonts")):
        fonts.attrib.pop(qn("w:hint"), None)
    for alignment in file.styles.element.iter(qn("w:jc")):
        if alignment.get(qn("w:val")) == "both":
            alignment.set(qn("w:val"), "left")


class _Writer:
    """Writes blocks before a place of a document, in the styles of its template."""

    def __init__(
        self, file: File, place: Any, document: Document, outlines: Outlines, width: int
    ) -> None:
        self.file, self.place, self.width = file, place, width
        self.document, self.outlines = document, outlines
        self._styles = {one.name for one in file.styles}

    def write(self, block: Block) -> None:
        """Write one block."""
        if isinstance(block, Heading):
            self._paragraph(block.text, f"Heading {block.level}")
        elif isinstance(block, Paragraph):
            self._said(block)
        elif isinstance(block, Figures):
            self._figures(block)
        elif isinstance(block, Table):
            self._table(block)
        else:
            self._maps(block)

    def _paragraph(self, text: str, style: str) -> Any:
        made = self.file.add_paragraph(text, style if style in self._styles else None)
        self.place.addprevious(made._p)  # noqa: SLF001
        return made

    def _said(self, block: Paragraph) -> None:
        made = self._paragraph("", "Report Note" if block.is_note else "Report Body")
        if block.lead:
            lead = made.add_run(block.lead)
            if LEAD in self._styles:
                lead.style = LEAD
            else:
                lead.bold = True
        made.add_run(block.text)

    def _figures(self, block: Figures) -> None:
        table = self._grid(len(block.items), FIGURES)
        for row, one in zip(table.rows, block.items, strict=True):
            name, value, detail = row.cells
            self._cell(name, one.name)
            self._cell(value, one.text, "Report Figure", centre=True, colour=one.colour)
            self._cell(detail, one.detail)

    def _table(self, block: Table) -> None:
        self._paragraph(block.title, "Report Table Title")
        table = self._grid(1 + len(block.rows), printed.widths(block))
        head, *rows = table.rows
        head._tr.get_or_add_trPr().append(OxmlElement("w:tblHeader"))  # noqa: SLF001
        for cell, column in zip(head.cells, block.columns, strict=True):
            self._cell(cell, column.title, centre=True, head=True)
        for row, cells in zip(rows, block.rows, strict=True):
            for cell, column, one in zip(row.cells, block.columns, cells, strict=True):
                centre = one.colour is not None
                self._cell(cell, one.text, centre=centre, right=column.is_number, colour=one.colour)
        for cell in table.rows[-1].cells:
            cell.paragraphs[0].paragraph_format.keep_with_next = True  # with the note
        self._paragraph(block.note, "Report Note")

    def _maps(self, block: Maps) -> None:
        words = Words(self.document.lang)
        with turn(WAIT_S):
            picture = maps.draw(self.document, block, self.outlines, kind="png")
        told = maps.told(block, words)
        if picture is None:
            missing = maps.undrawn(block, self.outlines, words)
            self._paragraph(told + missing, "Report Body")
        else:
            made = self._paragraph("", "Report Picture")
            shape = made.add_run().add_picture(io.BytesIO(picture), width=Emu(self.width))
            inline = shape._inline  # noqa: SLF001 - what follows has no setter
            inline.docPr.set("descr", told)
            for side in ("distT", "distB", "distL", "distR"):
                inline.set(side, "0")
        self._paragraph(block.note, "Report Note")

    def _grid(self, rows: int, shares: Sequence[float]) -> Any:
        """An empty table over the whole width."""
        table = self.file.add_table(rows, len(shares))
        table.alignment, table.autofit = WD_TABLE_ALIGNMENT.CENTER, False
        table._tbl.tblPr.extend([_borders(), _room()])  # noqa: SLF001
        for column, share in zip(table.columns, shares, strict=True):
            column.width = Emu(round(self.width * share / sum(shares)))
        for row in table.rows:
            row._tr.get_or_add_trPr().append(OxmlElement("w:cantSplit"))  # noqa: SLF001
            for cell, column in zip(row.cells, table.columns, strict=True):
                cell.width = column.width
        self.place.addprevious(table._tbl)  # noqa: SLF001
        return table

    def _cell(
        self,
        cell: Any,
        text: str,
        style: str = "Report Table",
        *,
        centre: bool = False,
        right: bool = False,
        head: bool = False,
        colour: int | None = None,
    ) -> None:
        made = cell.paragraphs[0]
        if style in self._styles:
            made.style = style
        made.alignment = (
            WD_ALIGN_PARAGRAPH.CENTER if centre
            else WD_ALIGN_PARAGRAPH.RIGHT if right
            else WD_ALIGN_PARAGRAPH.LEFT
        )  # fmt: skip
        run = made.add_run(text)
        cell.vertical_alignment = 1
        if head:
            run.bold = True
            _shade(cell, HEAD)
        tint = printed.tint(self.document, colour)
        if tint:
            _shade(cell, tint[1:].upper())
            run.font.color.rgb = RGBColor.from_string(printed.ink(tint)[1:].upper())


def _shade(cell: Any, fill: str) -> None:
    shade = f'<w:shd {nsdecls("w")} w:val="clear" w:color="auto" w:fill="{fill}"/>'
    properties = cell._tc.get_or_add_tcPr()  # noqa: SLF001
    properties.insert_element_before(
        parse_xml(shade), "w:noWrap", "w:tcMar", "w:textDirection", "w:tcFitText", "w:vAlign"
    )


def _borders() -> Any:
    """Thin lines round every cell, and room within."""
    sides = ("top", "left", "bottom", "right", "insideH", "insideV")
    line = f'w:val="single" w:sz="4" w:space="0" w:color="{RULE}"'
    return parse_xml(
        f"<w:tblBorders {nsdecls('w')}>"
        + "".join(f"<w:{side} {line}/>" for side in sides)
        + "</w:tblBorders>"
    )


def _room() -> Any:
    """Room over and under the text of a cell, twentieths of a point."""
    sides = "".join(
        f'<w:{side} w:w="{wide}" w:type="dxa"/>'
        for side, wide in (("top", 45), ("left", 80), ("bottom", 45), ("right", 80))
    )
    return parse_xml(f"<w:tblCellMar {nsdecls('w')}>{sides}</w:tblCellMar>")

"""A report as a workbook: an overview, and every table with numbers that can be counted with."""

from __future__ import annotations

import io
import re
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Any, Final

from openpyxl import Workbook
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.utils import get_column_letter

from dashboard.reports import printed
from dashboard.reports.document import Figures, Heading, Maps, Paragraph
from dashboard.reports.faces import faces
from dashboard.safe_cells import safe_cell
from dashboard.text import Words

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable

    from dashboard.reports.document import Cell, Document, Number, Table

WIDE: Final = (26, 18, 52)
"""Columns of the overview, in characters."""

LEAST, MOST = 6, 48
"""Width of a table's column, in characters."""

HEAD_ROW: Final = 3
"""Row of a table's headings, below its title and the snapshot."""

LINE_PT: Final = 15

_NUMBER: Final = re.compile(r"-?(\d{1,3}(?:,\d{3})*|\d+)(?:\.(\d+))?(%?)")
_NAME: Final = re.compile(r"[\[\]:*?/\\]")
_THIN: Final = Side(style="thin", color="C9D0D8")
_BOX: Final = Border(left=_THIN, right=_THIN, top=_THIN, bottom=_THIN)
_HEAD: Final = PatternFill("solid", fgColor="EEF1F4")
_WORDS: Final = Alignment(vertical="center", wrap_text=True)
_BOXED: Final = Alignment(vertical="center", wrap_text=True, indent=1)
_RIGHT: Final = Alignment(horizontal="right", vertical="center", indent=1)


def render(document: Document, *, at: dt.datetime, mark: str = "") -> bytes:
    """
    Write a report as sheets: the overview first, then one for each table, appendix included.

    Parameters
    ----------
    at
        Moment that the file bears (UTC): that of its issue.
    mark
        Who took it and when.

    Returns
    -------
    content
        The same report and mark give the same bytes.
    """
    book = Workbook()
    known = book.properties
    known.title, known.creator = f"{document.title} {document.number}", document.publisher
    known.subject, known.keywords = document.subtitle, document.properties.get("snapshot", "")
    known.created = at.replace(tzinfo=None)
    foot = printed.foot(document, mark)
    _overview(book.active, document, foot)
    names = {book.active.title}
    for table in document.tables():
        name = _sheet_name(table.name, names)
        names.add(name)
        _table(book.create_sheet(name), document, table, foot)
    stream = io.BytesIO()
    book.save(stream)
    return printed.dated(stream.getvalue(), at)


def number_of(text: str, value: Number | None) -> tuple[Number, str] | None:
    """
    The number of a printed figure and the format that prints it likewise.

    Where the stored number would be printed otherwise by a spreadsheet program, which rounds
    halves up, the printed one is taken.

    Returns
    -------
    number, format
        None where the text is no single number.
    """
    found = _NUMBER.fullmatch(text)
    if found is None:
        return None
    whole, decimals, percent = found.groups()
    form = "#,##0" if "," in whole or value is not None else "0"
    form += ("." + "0" * len(decimals) if decimals else "") + percent
    told = Decimal(text.rstrip("%").replace(",", "")) / (100 if percent else 1)
    step = Decimal(1).scaleb(-len(decimals or "") - (2 if percent else 0))
    if value is not None:
        stored = Decimal(f"{value:.15g}").quantize(step, ROUND_HALF_UP)
        if stored == told:
            return value, form
    return (int(told) if told == told.to_integral_value() else float(told)), form


def _overview(sheet: Any, document: Document, foot: tuple[str, ...]) -> None:
    """Head, headline, figures, then what the report says outside its tables."""
    words = Words(document.lang)
    sheet.title = words("rep_doc_overview")
    _line(sheet, document.title, bold=True, size=16)
    _line(sheet, words("image_join").join((document.number, document.publisher, document.dated)))
    _line(sheet, document.subtitle)
    _line(sheet, printed.correction(document))
    _line(sheet, document.headline, bold=True)
    for block in document.blocks:
        if isinstance(block, Heading):
            _line(sheet, block.text, bold=True)
        elif isinstance(block, Paragraph):
            _line(sheet, block.lead + block.text)
        elif isinstance(block, Figures):
            _figures(sheet, document, block, words)
        elif isinstance(block, Maps):
            _legend(sheet, document, block)
    for line in foot:
        _line(sheet, line)
    for at, width in enumerate(WIDE, start=1):
        sheet.column_dimensions[get_column_letter(at)].width = width
    _paper(sheet, foot, landscape=False)


def _line(sheet: Any, text: str, *, bold: bool = False, size: int = 11) -> None:
    """A line over all columns, as high as its text needs."""
    if not text:
        return
    row = _next(sheet)
    sheet.merge_cells(start_row=row, end_row=row, start_column=1, end_column=len(WIDE))
    _put(sheet.cell(row, 1), text, bold=bold, size=size)
    across = sum(WIDE) * 11 / size
    lines = max(1, -(-_width(text) // int(across - 2)))
    sheet.row_dimensions[row].height = LINE_PT * lines * size / 11


def _figures(sheet: Any, document: Document, block: Figures, words: Words) -> None:
    heads = (words("rep_doc_figure"), words("rep_doc_value"), words("rep_doc_compared"))
    _heads(sheet, _next(sheet), heads)
    for one in block.items:
        row = _next(sheet)
        _put(sheet.cell(row, 1), one.name, boxed=True)
        _figure(sheet.cell(row, 2), document, one.text, None, one.colour)
        _put(sheet.cell(row, 3), one.detail, boxed=True)


def _legend(sheet: Any, document: Document, block: Maps) -> None:
    """How many areas have each colour."""
    for colour, name, count in block.legend:
        row = _next(sheet)
        _figure(sheet.cell(row, 1), document, name, None, colour)
        _figure(sheet.cell(row, 2), document, f"{count:,d}", count, None)


def _table(sheet: Any, document: Document, table: Table, foot: tuple[str, ...]) -> None:
    """Title, snapshot, headings that stay in view, rows, note."""
    join = Words(document.lang)("image_join")
    title = join.join((document.title, table.title))
    _put(sheet.cell(1, 1), title, bold=True, size=14, wrap=False)
    _put(sheet.cell(2, 1), join.join((document.number, *foot)), wrap=False)
    _heads(sheet, HEAD_ROW, (column.title for column in table.columns))
    for row in table.rows:
        at = _next(sheet)
        for column, cell in enumerate(row, start=1):
            one = sheet.cell(at, column)
            if table.columns[column - 1].is_number or cell.value is not None:
                _figure(one, document, cell.text, cell.value, cell.colour)
            else:
                _text(one, document, cell)
    last = get_column_letter(len(table.columns))
    sheet.freeze_panes = f"A{HEAD_ROW + 1}"
    if table.rows:
        sheet.auto_filter.ref = f"A{HEAD_ROW}:{last}{HEAD_ROW + len(table.rows)}"
    for at, width in enumerate(_widths(table), start=1):
        sheet.column_dimensions[get_column_letter(at)].width = width
    if table.note:
        _put(sheet.cell(HEAD_ROW + len(table.rows) + 2, 1), table.note, wrap=False)
    sheet.print_title_rows = f"1:{HEAD_ROW}"
    _paper(sheet, foot, landscape=True)


def _heads(sheet: Any, row: int, titles: Iterable[str]) -> None:
    for column, title in enumerate(titles, start=1):
        cell = sheet.cell(row, column)
        _put(cell, title, bold=True, boxed=True)
        cell.fill = _HEAD
        cell.alignment = Alignment(horizontal="center", vertical="center", wrap_text=True)


def _figure(
    cell: Any, document: Document, text: str, value: Number | None, colour: int | None
) -> None:
    """A number as a number, and what is none as text at the same side."""
    found = number_of(text, value)
    _put(cell, text, boxed=True)
    if found is not None:
        cell.value, cell.number_format = found
    cell.alignment = _RIGHT
    _colour(cell, document, colour)


def _text(cell: Any, document: Document, one: Cell) -> None:
    _put(cell, one.text, boxed=True)
    _colour(cell, document, one.colour)


def _put(
    cell: Any,
    text: str,
    *,
    bold: bool = False,
    size: int = 11,
    boxed: bool = False,
    wrap: bool = True,
) -> None:
    """Text that stays text, whatever it begins with."""
    cell.value = safe_cell(text)
    cell.data_type = "s"
    cell.number_format = "@"
    cell.font = Font(name=faces()["plain"].word, size=size, bold=bold)
    if wrap:
        cell.alignment = _BOXED if boxed else _WORDS
    if boxed:
        cell.border = _BOX


def _colour(cell: Any, document: Document, colour: int | None) -> None:
    tint = printed.tint(document, colour)
    if tint:
        cell.fill = PatternFill("solid", fgColor=tint[1:].upper())
        cell.font = Font(name=faces()["plain"].word, size=11, color=printed.ink(tint)[1:].upper())
        cell.alignment = Alignment(horizontal="center", vertical="center", wrap_text=True)


def _paper(sheet: Any, foot: tuple[str, ...], *, landscape: bool) -> None:
    """A4, as wide as a page, with notice and snapshot at the foot of each."""
    sheet.page_setup.paperSize = sheet.PAPERSIZE_A4
    sheet.page_setup.orientation = "landscape" if landscape else "portrait"
    sheet.sheet_properties.pageSetUpPr.fitToPage = True
    sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight = 1, 0
    # & begins a command there, and the whole may have 255 signs.
    sheet.oddFooter.left.text = " | ".join(foot)[:180].replace("&", "&&")
    sheet.oddFooter.left.size = sheet.oddFooter.right.size = 8
    sheet.oddFooter.right.text = "&P / &N"


def _next(sheet: Any) -> int:
    """The first row that is free."""
    return 1 if sheet.max_row == 1 and sheet.cell(1, 1).value is None else sheet.max_row + 1


def _widths(table: Table) -> list[float]:
    """Of each column, that of its longest text, within limits."""
    found = []
    for at, column in enumerate(table.columns):
        texts = (column.title, *(row[at].text for row in table.rows))
        found.append(float(min(max(max(map(_width, texts)) + 4, LEAST), MOST)))
    return found


def _width(text: str) -> int:
    """Width in Latin letters."""
    return sum(2 if ord(sign) >= 0x2E80 else 1 for sign in text)


def _sheet_name(name: str, taken: set[str]) -> str:
    """A name that a sheet may have, and that none has yet."""
    plain = (_NAME.sub(" ", name).strip("' ") or "-")[:31]
    found, n = plain, 1
    while found.casefold() in {one.casefold() for one in taken}:
        n += 1
        found = f"{plain[: 30 - len(str(n))]} {n}"
    return found

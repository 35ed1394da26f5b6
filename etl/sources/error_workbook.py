"""
The error workbook 退回表: refused rows of a file, each with its reason and what to do.

It holds the columns that the source may read and no others, with personal numbers and long texts
removed even from those, so it may be sent back the way the ledger came. Its header is the
ledger's: once the marked cells are corrected, the workbook itself can be handed in.
"""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Final

import openpyxl
import pyarrow as pa
import pyarrow.compute as pc
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.comments import Comment
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter

from data.personal import without_personal
from etl.sources import read_chunks
from etl.sources.chunks import file_faults
from etl.sources.ledger import open_ledger
from etl.sources.reasons import Reason, reason

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    import pandas as pd

    from data.source import Source

SHEET: Final = "退回记录"
NOTES: Final = ("原表行号", "退回原因", "处理办法", "Reason", "What to do")
"""Headings of the columns that stand before those of the ledger."""

Fault = tuple[str, list[str]]
"""Reason and the columns of ours that it is about."""
Refused = tuple[int, int | None, dict[str, str | None]]
"""Number of a data row, its row on the sheet, its texts by our names."""

_LEDGERS: Final = ("xlsx", "xls")
_WIDTHS: Final = {"原表行号": 10, "退回原因": 34, "处理办法": 40, "Reason": 34, "What to do": 40}
_WIDTH: Final = 20
_AUTHOR: Final = "平安地图"
_FAULTY: Final = PatternFill("solid", fgColor="FFFFD9D9")
_HEADER: Final = PatternFill("solid", fgColor="FFDCE6F1")


def write_error_workbook(source: Source, path: Path, faults: pd.DataFrame, out: Path) -> int:
    """
    Write the refused rows of a file as a workbook.

    Parameters
    ----------
    path
        The file that the rows came in, unchanged since.
    faults
        One row per fault: `row` (1-based number among the data rows), `reason`, `field` (ours,
        several joined by commas) and `value`; a row may have several.
    out
        The .xlsx to write; replaced where it exists.

    Returns
    -------
    rows
        Refused rows written.

    Raises
    ------
    SourceError
        The file can no longer be read as its source says.
    """
    is_ledger = source.format in _LEDGERS
    found = {
        int(row): [
            _fault(name, field, is_ledger=is_ledger)
            for name, field in zip(group["reason"], group["field"].fillna(""), strict=True)
        ]
        for row, group in faults.groupby("row", sort=True)
    }
    book = openpyxl.Workbook()
    sheet = book.active
    # Where the source names its sheet, the corrected workbook must have it.
    sheet.title = source.sheet or SHEET
    written = 0
    with ExitStack() as stack:
        stack.enter_context(file_faults(source, path))
        names, refused = _refused(source, path, found.keys(), stack)
        headings = list(dict.fromkeys(names.values()))
        places = {ours: headings.index(heading) for ours, heading in names.items()}
        _write_header(sheet, [*NOTES, *headings])
        for number, sheet_row, values in refused:
            written += 1
            shown = {places[ours]: value for ours, value in values.items()}
            _write_row(sheet, written + 1, sheet_row, shown, _marked(found[number], places))
    sheet.freeze_panes = "B2"
    sheet.auto_filter.ref = sheet.dimensions
    book.save(out)
    return written


def _refused(
    source: Source, path: Path, numbers: Any, stack: ExitStack
) -> tuple[dict[str, str], Iterator[Refused]]:
    """Headings by our names, and the refused rows: number, row on the sheet, values."""
    wanted = pa.array(sorted(numbers), pa.int64())
    if source.format not in _LEDGERS:
        names = dict(source.allowed)
        return names, _rows(read_chunks(source, path), list(names), wanted, None)
    ledger = stack.enter_context(open_ledger(source, path))
    names = {ours: ledger.heading(ours) for ours in source.allowed}
    chunks = ledger.chunks(keep_malformed=True)
    return names, _rows(chunks, list(names), wanted, ledger.sheet_rows)


def _rows(
    chunks: Any, ours: Sequence[str], wanted: pa.Array, sheet_rows: Sequence[int] | None
) -> Iterator[Refused]:
    for chunk in chunks:
        picked = chunk.rows.filter(pc.is_in(chunk.rows["row"], value_set=wanted))
        texts = picked.select([name for name in ours if name in picked.column_names])
        shown = without_personal(
            pa.table({name: texts[name].cast(pa.string()) for name in texts.column_names})
        )
        for number, row in zip(picked["row"].to_pylist(), shown.to_pylist(), strict=True):
            at = None if sheet_rows is None else sheet_rows[number - 1]
            yield number, at, row


def _write_header(sheet: Any, headings: Sequence[str]) -> None:
    for column, heading in enumerate(headings, start=1):
        cell = sheet.cell(1, column)
        write_text(cell, heading)
        cell.font = Font(bold=True)
        cell.fill = _HEADER
        cell.alignment = Alignment(wrap_text=True, vertical="top")
        width = _WIDTHS.get(heading, _WIDTH)
        sheet.column_dimensions[get_column_letter(column)].width = width


def _fault(name: str, field: str, *, is_ledger: bool) -> Fault:
    # All that makes a ledger's row unreadable is a number without its end.
    if is_ledger and name == "malformed_row":
        return "lost_digits", ["incident_id"]
    return name, field.split(",")


def _marked(faults: Sequence[Fault], places: Mapping[str, int]) -> list[tuple[Reason, list[int]]]:
    """Words of each fault, and the columns that it marks."""
    return [
        (reason(name), sorted({places[field] for field in fields if field in places}))
        for name, fields in faults
    ]


def _write_row(
    sheet: Any,
    at: int,
    sheet_row: int | None,
    values: Mapping[int, str | None],
    faults: Sequence[tuple[Reason, list[int]]],
) -> None:
    words = list(dict.fromkeys(word for word, _ in faults))
    notes = [
        "\n".join(getattr(word, part) for word in words) for part in ("zh", "do_zh", "en", "do_en")
    ]
    for column, text in enumerate([str(sheet_row or ""), *notes], start=1):
        write_text(sheet.cell(at, column), text)
        sheet.cell(at, column).alignment = Alignment(wrap_text=True, vertical="top")
    for place, value in values.items():
        write_text(sheet.cell(at, len(NOTES) + 1 + place), value)
    for word, places in faults:
        for place in places:
            cell = sheet.cell(at, len(NOTES) + 1 + place)
            cell.fill = _FAULTY
            cell.comment = Comment(word.zh, _AUTHOR)


def write_text(cell: Any, text: str | None) -> None:
    """
    Write a text so that no spreadsheet takes it for a formula, a number or a date.

    What starts with `=`, `+`, `-` or `@` is stored as text and stays text when it is edited.
    """
    if not text:
        return
    cell.value = ILLEGAL_CHARACTERS_RE.sub("", text)
    cell.data_type = "s"
    cell.number_format = "@"
    cell.quotePrefix = text.startswith(("=", "+", "-", "@"))

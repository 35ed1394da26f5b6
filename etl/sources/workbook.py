"""
Workbooks: what may be opened, and the cells, merged ranges and date system of a sheet.

A workbook is judged by its content, not by its name: what is called `.xls` may be a web page, and
what is called `.xlsx` a text file. What it claims to hold is checked before it is read, because a
few kilobytes can claim terabytes. The pipeline reads them apart besides (`etl.connectors.apart`).
"""

from __future__ import annotations

import re
import warnings
import zipfile
import zlib
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import openpyxl
import python_calamine as calamine

from etl.sources.chunks import SourceError
from etl.sources.compound import check_chains

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

MAX_BYTES: Final = 200_000_000
"""Unpacked bytes that a workbook may claim; of an .xls, its own size."""
MAX_RATIO: Final = 100
"""Unpacked bytes to one packed byte."""
MAX_CELLS: Final = 20_000_000
"""Rows × columns of a sheet: the reader holds them all, empty or not."""

Merge = tuple[int, int, int, int]
"""First row, first column, last row, last column of a merged range, counted from 0."""

_ZIP: Final = b"PK\x03\x04"
_OLE: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_BLOCK: Final = 1 << 20
_OVERLAP: Final = 32
_FAR_COLUMN: Final = re.compile(rb"""r=["']([A-Za-z]{2,30})\d""")
_FAR_ROW: Final = {
    digits: re.compile(rb"""r=["'][A-Za-z]{0,30}(\d{%d,18})["']""" % digits) for digits in (6, 4)
}
"""Rows of so many digits: few sheets have any of six, so that these are found fast."""
_NEAR_COLUMNS: Final = 26
_DATE_1904: Final = re.compile(rb"""<(?:\w+:)?workbookPr\b[^>]*\bdate1904=["'](?:1|true)["']""")
_DATE_MODE: Final = re.compile(rb"\x22\x00\x02\x00([\x00\x01])\x00")
_ZERO_FORMAT: Final = re.compile(r"^(0{2,})(?:;.*)?$")
_DOUBLE_DIGITS: Final = 15


@dataclass(frozen=True)
class Sheet:
    """One visible or hidden sheet with its cells as the reader types them, "" = empty."""

    name: str
    hidden: bool
    merges: tuple[Merge, ...]
    cells: calamine.CalamineSheet

    @property
    def last_row(self) -> int:
        """Last row with a value, counted from 0; -1 = none."""
        return self.cells.end[0] if self.cells.end else -1


@dataclass(frozen=True)
class Workbook:
    """
    An opened workbook.

    Attributes
    ----------
    from_1904
        Its dates count from 1904 instead of 1900.
    pads_zeros
        Some of its numbers may be shown with leading zeros; not known of an .xls.
    """

    path: Path
    is_zip: bool
    from_1904: bool
    pads_zeros: bool
    names: tuple[str, ...]
    hidden: frozenset[str]
    book: calamine.CalamineWorkbook

    def sheet(self, name: str) -> Sheet:
        """Read one sheet."""
        cells = self.book.get_sheet_by_name(name)
        merges = tuple(
            (top, left, bottom, right)
            for (top, left), (bottom, right) in cells.merged_cell_ranges or ()
        )
        return Sheet(name, name in self.hidden, merges, cells)


@contextmanager
def open_workbook(path: Path) -> Iterator[Workbook]:
    """
    Open an .xlsx, .xlsm or .xls file by its content.

    Raises
    ------
    SourceError
        It is no workbook, is damaged or protected by a password, or claims more than the limits.
    """
    is_zip = _check_kind(path)
    from_1904, pads_zeros = _check_zip(path) if is_zip else (_check_ole(path), False)
    # A stream is recognised by its content, a path by its ending.
    with path.open("rb") as stream:
        try:
            with calamine.load_workbook(stream) as book:
                sheets = [
                    sheet
                    for sheet in book.sheets_metadata
                    if sheet.typ == calamine.SheetTypeEnum.WorkSheet
                ]
                hidden = frozenset(
                    sheet.name
                    for sheet in sheets
                    if sheet.visible != calamine.SheetVisibleEnum.Visible
                )
                names = tuple(sheet.name for sheet in sheets)
                yield Workbook(path, is_zip, from_1904, pads_zeros, names, hidden, book)
        except calamine.PasswordError:
            raise _protected() from None
        except calamine.CalamineError as error:
            raise _damaged(error) from error
        except BaseException as error:
            # What the reader's own checks did not foresee: no Exception, and no public class.
            if type(error).__name__ != "PanicException":
                raise
            raise _damaged(error) from error


def exact_codes(
    workbook: Workbook, sheet: str, columns: Collection[int]
) -> dict[tuple[int, int], str]:
    """
    Codes that the sheet holds as numbers and shows or writes with more than the number.

    Parameters
    ----------
    columns
        Columns of codes, counted from 0.

    Returns
    -------
    texts
        By row and column: numbers shown with leading zeros (format `000000`), and long numbers
        whose digits all stand in the file. Empty for an .xls: its formats are not read.
    """
    if not workbook.is_zip:
        return {}
    try:
        return _exact_texts(workbook, sheet, columns)
    except (KeyError, ValueError, TypeError, SyntaxError, zipfile.BadZipFile) as error:
        # One reader took it, the other does not: faults in parts that only this one opens.
        raise _damaged(error) from error


def _exact_texts(
    workbook: Workbook, sheet: str, columns: Collection[int]
) -> dict[tuple[int, int], str]:
    texts = {}
    with warnings.catch_warnings():
        # Extensions that openpyxl leaves out are none of ours.
        warnings.simplefilter("ignore")
        with closing(openpyxl.load_workbook(workbook.path, read_only=True)) as book:
            reading = book[sheet]
            reading.reset_dimensions()
            for cells in reading.iter_rows():
                for cell in cells:
                    if cell.value is None or cell.column - 1 not in columns:
                        continue
                    if (text := _exact(cell.value, cell.number_format)) is not None:
                        texts[cell.row - 1, cell.column - 1] = text
    return texts


def _exact(value: Any, number_format: str) -> str | None:
    if not isinstance(value, int | float) or isinstance(value, bool) or value != int(value):
        return None
    digits = str(int(value))
    if isinstance(value, int) and len(digits.rstrip("0")) > _DOUBLE_DIGITS:
        # Excel itself keeps fifteen digits, so a program wrote these, and wrote them all.
        return digits
    zeros = _ZERO_FORMAT.match(number_format or "")
    if zeros is None or value < 0 or len(digits) > _DOUBLE_DIGITS:
        return None
    return digits.zfill(len(zeros[1]))


def _check_kind(path: Path) -> bool:
    """Whether the file is a zip (else it is an OLE container)."""
    with path.open("rb") as stream:
        head = stream.read(4096)
    if head.startswith(_ZIP):
        return True
    if head.startswith(_OLE):
        return False
    if not head:
        raise SourceError("is empty")
    if b"\0" in head.removeprefix(b"\xff\xfe"):
        raise SourceError("is damaged or no Excel workbook; export it again")
    text = head.decode("latin-1").lower()
    if "urn:schemas-microsoft-com:office:spreadsheet" in text:
        kind = "an XML table"
    elif re.search(r"<(?:!doctype html|html|head|body|table|meta|style)\b", text):
        kind = "a web page (HTML)"
    else:
        kind = "a text file (perhaps CSV)"
    raise SourceError(
        f"is {kind} under the name of an Excel workbook; open it in Excel or WPS, "
        "save it as .xlsx and hand that in"
    )


def _check_zip(path: Path) -> tuple[bool, bool]:
    """Check what the parts claim; whether dates count from 1904, whether zeros may be padded."""
    try:
        with zipfile.ZipFile(path) as parts:
            _check_claims(path, parts.infolist())
            if "xl/workbook.xml" not in parts.namelist():
                raise SourceError(
                    "is no .xlsx workbook (.xlsb, .ods and .et are not read); save it as .xlsx"
                )
            for part in parts.infolist():
                if part.filename.startswith("xl/worksheets/") and part.filename.endswith(".xml"):
                    _check_extent(parts, part)
            styles = parts.read("xl/styles.xml") if "xl/styles.xml" in parts.namelist() else b""
            from_1904 = _DATE_1904.search(parts.read("xl/workbook.xml")) is not None
            return from_1904, b'formatCode="00' in styles
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError) as error:
        raise _damaged(error) from error
    except (NotImplementedError, RuntimeError) as error:
        # An encrypted part, or a packing method that Excel does not use.
        raise _damaged(error) from error


def _check_claims(path: Path, parts: list[zipfile.ZipInfo]) -> None:
    claimed = sum(part.file_size for part in parts)
    packed = max(path.stat().st_size, 1)
    if claimed > MAX_BYTES or claimed > MAX_RATIO * packed:
        raise SourceError(
            f"of {packed:,} bytes claims to unpack to {claimed:,} bytes "
            f"(allowed: {MAX_BYTES:,}, and {MAX_RATIO} times its size); "
            "split the ledger or clear its empty formatted rows"
        )


def _check_extent(parts: zipfile.ZipFile, part: zipfile.ZipInfo) -> None:
    for digits in _FAR_ROW:
        rows, columns = _extent(parts, part, digits)
        if rows * columns <= MAX_CELLS:
            return
    raise SourceError(
        f"has a sheet that reaches to row {rows:,} and column {columns:,}, more than "
        f"{MAX_CELLS:,} cells; delete the empty rows and columns around the table"
    )


def _extent(parts: zipfile.ZipFile, part: zipfile.ZipInfo, digits: int) -> tuple[int, int]:
    """Last row and column of a sheet, as far as they lie beyond the near ones."""
    rows, columns = 10 ** (digits - 1) - 1, _NEAR_COLUMNS
    tail = b""
    with parts.open(part) as stream:
        while block := stream.read(_BLOCK):
            text = tail + block
            rows = max(rows, *map(int, _FAR_ROW[digits].findall(text)), 0)
            columns = max(columns, *map(_column_number, set(_FAR_COLUMN.findall(text))), 0)
            tail = text[-_OVERLAP:]
    return rows, columns


def _column_number(letters: bytes) -> int:
    number = 0
    for letter in letters.upper():
        number = number * 26 + letter - ord("A") + 1
    return number


def _check_ole(path: Path) -> bool:
    size = path.stat().st_size
    if size > MAX_BYTES:
        raise SourceError(f"has {size:,} bytes (allowed: {MAX_BYTES:,}); split it")
    content = path.read_bytes()
    check_chains(content)
    if "EncryptedPackage".encode("utf-16-le") in content:
        raise _protected()
    mode = _DATE_MODE.search(content)
    return mode is not None and mode[1] == b"\1"


def _protected() -> SourceError:
    return SourceError("is protected by a password; save it without one")


def _damaged(error: BaseException) -> SourceError:
    return SourceError(f"is damaged or no Excel workbook ({error}); export it again")

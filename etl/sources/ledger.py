"""
Excel ledgers 台账: the rows of `.xlsx` and `.xls` workbooks as clerks keep them.

Read are the sheet that the source names, else the first visible sheet whose header has all the
columns. Hidden rows and columns count like the others: a filter hides rows, it does not withdraw
them. Hidden sheets are read only where the source names them. Formulas give their last result.

Not every row under a header is data. Blank rows (also those with only a serial number), rows of
totals (合计, 小计, 平均 …), notes (填表人, 备注, the example of a template …) and headers repeated
on every printed page are set aside: they are in no chunk, have no row number, and are counted in
`Ledger.set_aside`. A row with a time of its own is data.

Vertically merged cells count for every row that they cover.
"""

from __future__ import annotations

import datetime as dt
import functools
import re
from array import array
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa

from data.intake import CHUNK_ROWS, RawChunk
from data.personal import scrub
from data.source import TIME_COLUMNS
from etl.sources.cell_text import (
    LOST_DIGITS,
    code_text,
    is_blank,
    is_time,
    number_text,
    time_text,
)
from etl.sources.chunks import SourceError
from etl.sources.header import HEAD_ROWS, Header, find_header
from etl.sources.heading_match import heading_key
from etl.sources.workbook import Sheet, Workbook, exact_codes, open_workbook

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from data.source import Source

Cells = list[Any]

_SERIAL_NUMBERS: Final = frozenset({"序号", "编次", "行号", "项次", "no", "serialno"})
_TOTALS: Final = re.compile(
    r"^.{0,12}?(?:合计|总计|小计|共计|累计|总数|平均|平均值|平均数|均值|总和|subtotal|total|average)"
    r"(?:数|件数|值)?(?:[::(].{0,20})?\d*(?:件|起|条|宗|例|个)?$",
    re.IGNORECASE,
)
_NOTES: Final = re.compile(
    r"^[(【\[*※]?(?:填表|制表|填报|上报|报送|审核|审批|复核|负责人|单位负责|分管|主管|经办|联系人|联系电话|"
    r"备注|附注|注(?=[::\d.、])|说明|统计|数据来源|数据截至|截至|截止|打印|导出|制作|签字|签名|盖章|示例|样例|example)"
    r"[^::]{0,10}(?:[::)】\].、\d].*)?$",
    re.IGNORECASE | re.DOTALL,
)
_EXAMPLE: Final = re.compile(r"^(?:填写)?(?:示例|样例)|^example$", re.IGNORECASE)
_LONGEST_LABEL: Final = 30
_LABEL_CELLS: Final = 3
"""A total names itself in one of the first texts of its row."""
_REMEMBERED: Final = 1 << 16
_MEASURED: Final = frozenset({*TIME_COLUMNS, "lng", "lat"})
_SHOWN_HEADINGS: Final = 30


def read_chunks(source: Source, path: Path, *, rows: int = CHUNK_ROWS) -> Iterator[RawChunk]:
    """
    Read the allowed columns of a ledger.

    Yields
    ------
    chunk
        All columns as text: times as `YYYY-MM-DD HH:MM:SS`, codes as they were meant, anything
        not understood as it is written. `malformed` are rows whose own number is a number of
        more than fifteen digits: its end is lost, and two rows could seem one.

    Raises
    ------
    SourceError
        The file is no workbook that may be read, or no sheet has all the columns.
    """
    with open_ledger(source, path) as ledger:
        yield from ledger.chunks(rows=rows)


def headings(source: Source, path: Path) -> list[str]:
    """Every heading of the sheet that is read, or of the likeliest one where none fits."""
    with open_workbook(path) as workbook:
        _, header = _choose(workbook, source)
        return [name for name in header.names if name]


@contextmanager
def open_ledger(source: Source, path: Path) -> Iterator[Ledger]:
    """Open a workbook at the sheet that holds the source's columns."""
    with open_workbook(path) as workbook:
        sheet, header = _choose(workbook, source)
        _check_fits(header, sheet)
        yield Ledger(source, workbook, sheet, header)


@dataclass
class Ledger:
    """
    The table of one sheet.

    Attributes
    ----------
    set_aside
        Rows that are no data, by kind (`blank`, `totals`, `note`, `header`); counted while the
        chunks are read.
    sheet_rows
        Row of the sheet, as Excel numbers it, of data row 1, 2, 3 …; filled likewise.
    """

    source: Source
    workbook: Workbook
    sheet: Sheet
    header: Header
    set_aside: Counter[str] = field(default_factory=Counter)
    sheet_rows: array[int] = field(default_factory=lambda: array("q"))
    _readers: dict[str, Callable[[Any], str | None]] = field(default_factory=dict)

    def heading(self, ours: str) -> str:
        """Heading under which a column of ours stands in this file."""
        return self.header.names[self.header.match.columns[ours]]

    def chunks(self, *, rows: int = CHUNK_ROWS, keep_malformed: bool = False) -> Iterator[RawChunk]:
        """
        Rows of the table in order.

        Parameters
        ----------
        keep_malformed
            Give rows without a usable number too, with what stands there.
        """
        self.set_aside.clear()
        del self.sheet_rows[:]
        columns = self.header.match.columns
        readers = {ours: self.reader(ours) for ours in columns}
        codes = {at for ours, at in columns.items() if ours not in _MEASURED}
        exact = self._exact(codes) if self.workbook.pads_zeros else None
        data = self._data_rows()
        first = 1
        while block := list(islice(data, rows)):
            if exact is None and any(_lost_digits(row[at]) for _, row in block for at in codes):
                exact = self._exact(codes)
            for at, cells in block:
                self.sheet_rows.append(at + 1)
                for column, text in (exact or {}).get(at, {}).items():
                    cells[column] = text
            numbers = np.arange(first, first + len(block), dtype=np.int64)
            first += len(block)
            arrays = {
                ours: pa.array([read(cells[columns[ours]]) for _, cells in block], pa.string())
                for ours, read in readers.items()
            }
            table = pa.table(arrays | {"row": numbers})
            lost = self._without_number(block)
            if keep_malformed or not lost.any():
                yield RawChunk(table)
            else:
                yield RawChunk(table.filter(pa.array(~lost)), numbers[lost])

    def _without_number(self, block: list[tuple[int, Cells]]) -> NDArray[np.bool_]:
        """Which rows have a number of their own that lost its last digits."""
        column = self.header.match.columns.get("incident_id")
        if column is None:
            return np.zeros(len(block), dtype=np.bool_)
        return np.array([_lost_digits(cells[column]) for _, cells in block], dtype=np.bool_)

    def reader(self, ours: str) -> Callable[[Any], str | None]:
        """What makes text of the cells of a column; one for all who read it."""
        if ours not in self._readers:
            formats, from_1904 = self.source.time_format, self.workbook.from_1904
            if ours in TIME_COLUMNS:
                read: Callable[[Any], str | None] = functools.partial(
                    time_text, formats=formats, from_1904=from_1904
                )
            else:
                read = number_text if ours in ("lng", "lat") else code_text
            # Clerks repeat themselves; 1, 1.0 and True must not be taken for each other.
            self._readers[ours] = functools.lru_cache(_REMEMBERED, typed=True)(read)
        return self._readers[ours]

    def _exact(self, codes: Collection[int]) -> dict[int, dict[int, str]]:
        """Texts of codes held as numbers, by row and column, where the number is not enough."""
        found = exact_codes(self.workbook, self.sheet.name, codes)
        texts: dict[int, dict[int, str]] = {}
        for (row, column), text in found.items():
            texts.setdefault(row, {})[column] = text
        for row, lent in self._merged_downwards().items():
            for column, top in lent.items():
                if (top, column) in found:
                    texts.setdefault(row, {})[column] = found[top, column]
        return texts

    def _rows_below(self) -> Iterator[tuple[int, Cells]]:
        """Rows under the header with their place on the sheet, counted from 0."""
        below = self.header.last + 1
        return islice(enumerate(self.sheet.cells.iter_rows()), below, None)

    def _data_rows(self) -> Iterator[tuple[int, Cells]]:
        """Rows of data, vertically merged cells filled."""
        kind_of = _Kinds(self)
        merged = self._merged_downwards()
        tops = {top for lent in merged.values() for top in lent.values()}
        first: dict[int, Cells] = {}
        for at, cells in self._rows_below():
            kind = kind_of(at, cells)
            if at in tops:
                first[at] = cells
            for column, top in merged.get(at, {}).items():
                cells[column] = first[top][column]
            if kind == "data":
                yield at, cells
            else:
                self.set_aside[kind] += 1

    def _merged_downwards(self) -> dict[int, dict[int, int]]:
        """Row whose value a merged cell lends, by the row and column that it is lent to."""
        used = set(self.header.match.columns.values())
        lent: dict[int, dict[int, int]] = {}
        for top, left, bottom, _ in self.sheet.merges:
            if top > self.header.last and left in used:
                for row in range(top + 1, min(bottom, self.sheet.last_row) + 1):
                    lent.setdefault(row, {})[left] = top
        return lent


class _Kinds:
    """What a row below the header is: `data`, or what it is set aside as."""

    def __init__(self, ledger: Ledger) -> None:
        header = ledger.header
        columns = header.match.columns
        self._serial = {
            at
            for at, name in enumerate(header.names)
            if heading_key(name) in _SERIAL_NUMBERS and at not in columns.values()
        }
        self._occurred = columns.get("occurred_at")  # a register of places may have no time
        self._told = [columns[ours] for ours in ("incident_id", "category") if ours in columns]
        self._time = ledger.reader("occurred_at")
        above = islice(ledger.sheet.cells.iter_rows(), header.first, header.last + 1)
        self._headers = {_texts(cells) for cells in above}
        width = sum(bool(name) for name in header.names)
        self._wide = {
            top for top, left, _, right in ledger.sheet.merges if right - left + 1 > width / 2
        }

    def __call__(self, at: int, cells: Cells) -> str:
        occurred = None if self._occurred is None else cells[self._occurred]
        if isinstance(occurred, dt.date) or is_time(self._time(occurred)):
            return "note" if _is_example(cells) else "data"
        filled = {at: cell for at, cell in enumerate(cells) if not is_blank(cell)}
        if all(at in self._serial and _is_number(cell) for at, cell in filled.items()):
            return "blank"
        texts = ["".join(cell.split()) for cell in filled.values() if isinstance(cell, str)]
        labels = [text for text in texts[:_LABEL_CELLS] if len(text) <= _LONGEST_LABEL]
        if texts and _texts(cells) in self._headers:
            return "header"
        if not self._tells_no_incident(cells):
            return "data"
        if any(map(_TOTALS.match, labels)):
            return "totals"
        is_note = texts and _NOTES.match(texts[0]) is not None
        return "note" if is_note or (len(filled) == 1 and at in self._wide) else "data"

    def _tells_no_incident(self, cells: Cells) -> bool:
        """Whether the row lacks a number of its own or a category (a total may stand there)."""
        told = [cells[column] for column in self._told]
        return any(is_blank(cell) or _TOTALS.match(str(cell).strip()) for cell in told)


def _is_number(cell: Any) -> bool:
    return isinstance(cell, int | float) or str(cell).strip().isdigit()


def _is_example(cells: Cells) -> bool:
    first = next(cell for cell in cells if not is_blank(cell))
    return isinstance(first, str) and _EXAMPLE.match(first.strip()) is not None


def _choose(workbook: Workbook, source: Source) -> tuple[Sheet, Header]:
    """Sheet to be read and its header; the likeliest sheet where none has all columns."""
    found = []
    for name in _sheet_names(workbook, source):
        sheet = workbook.sheet(name)
        if sheet.cells.start is None:
            continue
        rows = list(islice(sheet.cells.iter_rows(), HEAD_ROWS))
        header = find_header(rows, sheet.merges, source)
        if header is not None and header.match.fits:
            return sheet, header
        if header is not None:
            found.append((sheet, header))
    if not found:
        raise SourceError("has no sheet with a table; hand in the sheet with its header")
    return max(found, key=lambda pair: len(pair[1].match.columns))


def _sheet_names(workbook: Workbook, source: Source) -> Sequence[str]:
    if source.sheet:
        same = [name for name in workbook.names if name.strip() == source.sheet.strip()]
        if not same:
            raise SourceError(
                f"has no sheet `{source.sheet}`, only {', '.join(workbook.names)}; "
                "correct `sheet` of the source or the workbook"
            )
        return same
    return [name for name in workbook.names if name not in workbook.hidden]


def _check_fits(header: Header, sheet: Sheet) -> None:
    if header.match.fits:
        return
    faults = []
    if header.match.missing:
        faults.append(f"lacks the columns {header.match.missing}")
    faults += [
        f"has {len(meant)} columns that may mean `{ours}` ({', '.join(meant)})"
        for ours, meant in header.match.ambiguous.items()
    ]
    raise SourceError(
        f"{'; '.join(faults)}; sheet {sheet.name}, {_shown(header)}; "
        "correct [columns] of the source, name an alias, or start from the template"
    )


def _shown(header: Header) -> str:
    if not header.match.columns and not header.match.ambiguous:
        # What was taken for a header may be data, and so somebody's name.
        return f"no header in the first {HEAD_ROWS} rows"
    names = [name for name in header.names if name]
    listed = ", ".join(map(scrub, names[:_SHOWN_HEADINGS]))
    more = " …" if len(names) > _SHOWN_HEADINGS else ""
    return f"header in row {header.last + 1}: {listed}{more}"


def _lost_digits(value: Any) -> bool:
    return isinstance(value, int | float) and abs(value) >= LOST_DIGITS


def _texts(cells: Cells) -> tuple[str, ...]:
    return tuple(code_text(cell) or "" for cell in cells)

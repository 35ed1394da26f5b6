"""An Excel ledger as an office keeps it: a title, a heading of two rows, totals, mixed dates."""

from __future__ import annotations

import datetime as dt
import io
import re
import zipfile
from typing import TYPE_CHECKING, Any, Final

import openpyxl
from openpyxl.styles import Alignment, Font

from etl.synthesize.formats import settled_zip

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from pathlib import Path

    import pandas as pd
    from openpyxl.worksheet.worksheet import Worksheet

_GROUP: Final = "事发位置"
_TOP: Final = 3  # row of the upper heading
_MODIFIED: Final = re.compile(rb"(<dcterms:(?:created|modified)[^>]*>)[^<]*")
_MADE: Final = rb"\g<1>2026-11-16T06:00:00Z"

# The same day as Excel keeps it, as text and as a number: each clerk has a habit.
_DAYS: Final[tuple[Callable[[dt.datetime], Any], ...]] = (
    lambda moment: dt.datetime(moment.year, moment.month, moment.day),  # noqa: DTZ001
    lambda moment: f"{moment:%Y%m%d}",
    lambda moment: int(f"{moment:%Y%m%d}"),
    lambda moment: f"{moment.year}年{moment.month}月{moment.day}日",
)


def write_workbook(
    rows: pd.DataFrame,
    path: Path,
    *,
    title: str,
    codes: Collection[str],
    times: Collection[str],
    grouped: tuple[str, str],
) -> None:
    """
    Write rows as an Excel ledger.

    Parameters
    ----------
    rows
        Text by heading; times as `YYYY-MM-DD HH:MM:SS`.
    title
        Stands merged above the table.
    codes
        Columns that a clerk typed as numbers, so that leading zeros are gone.
    times
        Columns of days, in whatever form.
    grouped
        Two neighbouring columns under one upper heading.
    """
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "台账"
    width = rows.shape[1] + 1
    _write_heading(sheet, list(rows), title, grouped)
    for number, row in enumerate(rows.to_dict("records")):
        cells = [
            _cell(value, number, is_code=name in codes, is_time=name in times)
            for name, value in row.items()
        ]
        sheet.append([number + 1, *cells])
    sheet.append(["合计", f"{len(rows)}件"])
    sheet.append(["填表人：", None, None, "审核人："])
    sheet.freeze_panes = sheet.cell(_TOP + 2, 2)
    sheet.merge_cells(start_row=1, end_row=1, start_column=1, end_column=width)
    packed = io.BytesIO()
    book.save(packed)
    path.write_bytes(_settled(packed))


def _write_heading(
    sheet: Worksheet, names: list[str], title: str, grouped: tuple[str, str]
) -> None:
    sheet.append([title])
    sheet["A1"].font = Font(bold=True, size=16)
    sheet["A1"].alignment = Alignment(horizontal="center")
    sheet.append(["填报单位：示范街道", None, None, "填报日期：2026年11月16日"])
    sheet.append(["序号", *(_GROUP if name == grouped[0] else name for name in names)])
    sheet.append([None, *(name if name in grouped else None for name in names)])
    for column, name in enumerate(["序号", *names], start=1):
        if name == grouped[0]:
            sheet.cell(_TOP, column + 1).value = None
            sheet.merge_cells(
                start_row=_TOP, end_row=_TOP, start_column=column, end_column=column + 1
            )
        elif name not in grouped:
            sheet.merge_cells(
                start_row=_TOP, end_row=_TOP + 1, start_column=column, end_column=column
            )


def _cell(value: Any, number: int, *, is_code: bool, is_time: bool) -> Any:
    if value is None or value != value:  # noqa: PLR0124 - not a number
        return None
    if is_code:
        return float(value) if str(value).isdigit() else str(value)
    if is_time:
        try:
            moment = dt.datetime.fromisoformat(str(value))
        except ValueError:
            return value
        return _DAYS[number % len(_DAYS)](moment)
    return value


def _settled(packed: io.BytesIO) -> bytes:
    """Workbook without the time of its making."""
    with zipfile.ZipFile(packed) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    core = "docProps/core.xml"
    members[core] = _MODIFIED.sub(_MADE, members[core])
    return settled_zip(members)

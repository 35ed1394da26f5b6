"""
Templates: an empty ledger to fill in, one workbook a source.

It has the columns that the source may read and none for persons or descriptions. Columns of codes
are formatted as text, so that Excel keeps their zeros, and offer the codes that the source knows.
What is filled in reads back through `etl.sources.ledger`; the example row is passed over.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import openpyxl
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation

from data.codebooks import category_meaning, read_book
from data.source import CODED_COLUMNS, TIME_COLUMNS
from etl.sources.error_workbook import write_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from data.city import City
    from data.source import Source

SHEET: Final = "填报表"
CODES: Final = "代码表"
NOTES: Final = "填写说明"
SERIAL: Final = "序号"
EXAMPLE: Final = "示例"
"""What marks the example row; the reader takes such a row for a note."""
HEADER_ROW: Final = 3
FORMATTED_ROWS: Final = 1000

_TEXT: Final = "@"
_TIME: Final = "yyyy-mm-dd hh:mm:ss"
_NOON: Final = dt.datetime(2026, 11, 16, 8, 5)  # noqa: DTZ001 -- a wall clock, no instant
_REQUIRED: Final = Font(bold=True, color="FFC00000")
_OPTIONAL: Final = Font(bold=True)
_EXAMPLE: Final = Font(italic=True, color="FF808080")
_HEADER: Final = PatternFill("solid", fgColor="FFDCE6F1")

_OUR_NAMES: Final[Mapping[str, Mapping[str, str]]] = {
    "severity": {"1": "一般", "2": "较大", "3": "重大", "4": "特别重大"},
    "scale": {"1": "个体性事件", "2": "一般群体性事件", "3": "重大群体性事件"},
    "status": {
        "open": "待处理", "in_hand": "处理中", "resolved": "已办结", "archived": "已归档",
        "void": "作废",
    },
    "outcome": {
        "resolved": "已解决", "partly": "部分解决", "unresolved": "未解决",
        "transferred": "已移交", "void": "作废",
    },
    "precision": {"address": "门牌或杆号", "street": "路段", "place": "地名", "area": "区域中心"},
}  # fmt: skip
_TOLD: Final[Mapping[str, str]] = {
    "incident_id": "本系统内唯一的编号，不得重复",
    "version": "整数，数值大的替换数值小的，可不填",
    "occurred_at": "事情发生的时间，如 2026-11-16 08:05；只知道日期可只填日期",
    "updated_at": "本条记录最后修改的时间",
    "category": f"从“{CODES}”中选填代码",
    "repeat_of": "重复事件填首次事件的编号",
    "lng": "十进制度数的经度，保留六位小数",
    "lat": "十进制度数的纬度，保留六位小数",
    "area_code": "所属网格或社区的编码，须为文本",
}
_RULES: Final = (
    "标红并带 * 的列必须填写，其余列不清楚可留空。",
    "不得增加姓名、证件号码、电话、住址、车牌、事件经过等列；平台不读取这些列。",
    "经度、纬度与区划（网格）编码至少填一项，否则该记录只计入全市，不能落到图上。",
    "不得改动表头文字；可以增加空行、合计行，平台不把它们计为数据。",
    f"第一列为“{EXAMPLE}”的行不计为数据，填报时可以删去。",
    "编码列已设为文本格式；从其他表粘贴时请选择“只粘贴值”，以免前面的 0 丢失。",
)


@dataclass(frozen=True)
class _Column:
    """One column of the template: ours, its heading, its codes with their meaning."""

    ours: str
    heading: str
    required: bool
    codes: Mapping[str, str]
    example: Any

    @property
    def number_format(self) -> str:
        if self.ours in TIME_COLUMNS:
            return _TIME
        return "General" if self.ours in ("lng", "lat") else _TEXT

    @property
    def told(self) -> str:
        if self.ours in TIME_COLUMNS:
            return _TOLD.get(self.ours, "时间，如 2026-11-16 08:05")
        fallback = f"从“{CODES}”中选填代码" if self.codes else "代码，须为文本"
        return _TOLD.get(self.ours, fallback)


def write_template(source: Source, city: City, out: Path) -> None:
    """
    Write the template of a source.

    Parameters
    ----------
    city
        Gives the names of the categories.
    out
        The .xlsx to write; replaced where it exists.
    """
    columns = _columns(source, city)
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = source.sheet or SHEET
    lists = _write_codes(book.create_sheet(CODES), columns)
    _write_notes(book.create_sheet(NOTES), source, columns)
    _write_table(sheet, source, columns)
    for at, column in enumerate(columns, start=2):
        if column.ours in lists:
            _offer(sheet, get_column_letter(at), column, lists[column.ours])
    book.save(out)


def _columns(source: Source, city: City) -> list[_Column]:
    required = {"occurred_at", "category"}
    if source.rows_without_id == "refuse":
        required.add("incident_id")
    columns: dict[str, _Column] = {}
    for ours, heading in source.allowed.items():
        codes = _codes(source, city, ours)
        # Two columns of ours may be one of theirs.
        columns.setdefault(
            heading, _Column(ours, heading, ours in required, codes, _example(ours, codes, city))
        )
    return list(columns.values())


def _codes(source: Source, city: City, ours: str) -> dict[str, str]:
    """Codes that a column may hold, each with its meaning; empty = any."""
    if ours not in CODED_COLUMNS:
        return {}
    if ours == "category":
        return _categories(source, city)
    given: Mapping[str, Any] = getattr(source, f"{ours}_codes")
    names = _OUR_NAMES[ours]
    return {theirs: names.get(str(code), theirs) for theirs, code in given.items()} or dict(names)


def _categories(source: Source, city: City) -> dict[str, str]:
    names = {category.code: category.name_zh for category in city.categories}
    if source.category_codes:
        return {theirs: names[code] for theirs, code in source.category_codes.items()}
    meaning = category_meaning(source, city.categories)
    if source.category_book:
        book = read_book(source.category_book)
        return {code.code: code.name_zh for code in book.codes if code.code in meaning}
    above = {category.parent_code for category in city.categories}
    return {code: name for code, name in names.items() if code not in above}


def _example(ours: str, codes: Mapping[str, str], city: City) -> Any:
    if codes:
        return next(iter(codes))
    if ours in TIME_COLUMNS:
        return _NOON + dt.timedelta(hours=TIME_COLUMNS.index(ours))
    fixed = {"incident_id": "2026110001", "version": "1", "lng": 103.834303, "lat": 36.061089}
    return fixed.get(ours, f"{city.code}001001" if "area" in ours else "")


def _write_table(sheet: Any, source: Source, columns: Sequence[_Column]) -> None:
    width = len(columns) + 1
    for row, text in (
        (1, f"{source.title_zh}（填报模板）"),
        (2, f"填报单位：　　　　　填写前请阅读“{NOTES}”"),
    ):
        sheet.cell(row, 1, text)
        sheet.merge_cells(start_row=row, start_column=1, end_row=row, end_column=width)
    sheet.cell(1, 1).font = Font(bold=True, size=14)
    sheet.cell(1, 1).alignment = Alignment(horizontal="center")
    _write_heading(sheet, 1, SERIAL, required=False)
    write_text(sheet.cell(HEADER_ROW + 1, 1), EXAMPLE)
    for at, column in enumerate(columns, start=2):
        _write_heading(sheet, at, column.heading, required=column.required)
        example = sheet.cell(HEADER_ROW + 1, at)
        if isinstance(column.example, str):
            write_text(example, column.example)
        else:
            example.value = column.example
        for row in range(HEADER_ROW + 1, HEADER_ROW + 1 + FORMATTED_ROWS):
            sheet.cell(row, at).number_format = column.number_format
    for cell in sheet[HEADER_ROW + 1]:
        cell.font = _EXAMPLE
    sheet.freeze_panes = sheet.cell(HEADER_ROW + 1, 2)


def _write_heading(sheet: Any, at: int, heading: str, *, required: bool) -> None:
    cell = sheet.cell(HEADER_ROW, at)
    write_text(cell, f"{heading}*" if required else heading)
    cell.font = _REQUIRED if required else _OPTIONAL
    cell.fill = _HEADER
    sheet.column_dimensions[get_column_letter(at)].width = 8 if heading == SERIAL else 20


def _write_codes(sheet: Any, columns: Sequence[_Column]) -> dict[str, str]:
    """Write the lists of codes; the range of each by our name of its column."""
    ranges = {}
    at = 1
    for column in columns:
        if not column.codes:
            continue
        letter = get_column_letter(at)
        for offset, text in enumerate((f"{column.heading}代码", "含义")):
            write_text(sheet.cell(1, at + offset), text)
            sheet.cell(1, at + offset).font = _OPTIONAL
            sheet.column_dimensions[get_column_letter(at + offset)].width = 20
        for row, (code, meaning) in enumerate(column.codes.items(), start=2):
            write_text(sheet.cell(row, at), code)
            write_text(sheet.cell(row, at + 1), meaning)
        ranges[column.ours] = f"'{CODES}'!${letter}$2:${letter}${len(column.codes) + 1}"
        at += 3
    sheet.freeze_panes = "A2"
    return ranges


def _offer(sheet: Any, letter: str, column: _Column, codes: str) -> None:
    offered = DataValidation(
        type="list",
        formula1=f"={codes}",
        allow_blank=not column.required,
        showErrorMessage=True,
        errorTitle="代码不在表中",
        error=f"请从“{CODES}”中选填{column.heading}",
    )
    first = HEADER_ROW + 1
    offered.add(f"{letter}{first}:{letter}{first + FORMATTED_ROWS - 1}")
    sheet.add_data_validation(offered)


def _write_notes(sheet: Any, source: Source, columns: Sequence[_Column]) -> None:
    write_text(sheet.cell(1, 1), f"{source.title_zh}填写说明")
    sheet.cell(1, 1).font = _OPTIONAL
    rules = [*_RULES, f"坐标系：{source.frame}；时间为 {source.time_zone} 时间。"]
    for row, rule in enumerate(rules, start=2):
        write_text(sheet.cell(row, 1), f"{row - 1}. {rule}")
    first = len(rules) + 3
    lines = [("列名", "是否必填", "填写要求")] + [
        (column.heading, "必填" if column.required else "选填", column.told) for column in columns
    ]
    for row, line in enumerate(lines, start=first):
        for at, text in enumerate(line, start=1):
            write_text(sheet.cell(row, at), text)
    for letter, width in (("A", 28), ("B", 12), ("C", 60)):
        sheet.column_dimensions[letter].width = width

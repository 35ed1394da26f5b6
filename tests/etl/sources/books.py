"""Ledgers made the way clerks and systems make them, and the source that reads them."""

import io
import zipfile

import openpyxl
import pyarrow as pa
from openpyxl.utils.datetime import CALENDAR_MAC_1904

from data.source import Source
from etl.sources import read_chunks
from etl.sources.ledger import open_ledger

COLUMNS = {
    "incident_id": "纠纷编号",
    "occurred_at": "发生日期",
    "category": "事件类别",
    "severity": "危害程度",
    "lng": "经度",
    "lat": "纬度",
    "area_code": "所属网格编码",
}
HEADER = ["序号", *COLUMNS.values(), "主要当事人姓名", "事件简述"]


def make_source(**changes):
    given = {
        "name": "disputes", "title_zh": "矛盾纠纷台账", "title_en": "Disputes", "files": (),
        "watch": None, "sql": None, "push": False, "kafka": None, "format": "xlsx", "sheet": "",
        "aliases": None, "time_zone": "Asia/Shanghai", "time_format": ("%Y-%m-%d %H:%M:%S",),
        "frame": "EPSG:4490", "channel": "mediation", "origin": "reported",
        "rows_without_id": "refuse", "numeric_codes": False, "point_precision": "address",
        "columns": COLUMNS, "category_book": "gbt31000-5.56", "category_codes": {},
        "severity_codes": {"03": 1, "02": 2, "01": 3}, "scale_codes": {}, "status_codes": {},
        "outcome_codes": {}, "precision_codes": {}, "published": (),
    }  # fmt: skip
    return Source(**given | changes)


def data_row(number, **changes):
    values = {
        "serial": number,
        "incident_id": f"JF2026{number:04d}",
        "occurred_at": "2026-11-16 08:05:00",
        "category": "0101",
        "severity": "02",
        "lng": 103.834303,
        "lat": 36.061089,
        "area_code": "620102001001",
        "name": "某某",
        "told": "邻里因停车发生口角",
    }
    return list((values | changes).values())


def write_xlsx(path, rows, *, merges=(), formats=None, is_1904=False, sheet="台账", hidden=()):
    """Write rows as an .xlsx; `formats` gives number formats by cell, such as {"C4": "000000"}."""
    book = openpyxl.Workbook()
    if is_1904:
        book.epoch = CALENDAR_MAC_1904
    writing = book.active
    writing.title = sheet
    for row in rows:
        writing.append(row)
    for cell, number_format in (formats or {}).items():
        writing[cell].number_format = number_format
    for merged in merges:
        writing.merge_cells(merged)
    for name, hidden_rows in hidden:
        beside = book.create_sheet(name, 0)
        beside.sheet_state = "hidden"
        for row in hidden_rows:
            beside.append(row)
        book.active = writing
    book.save(path)
    return path


def read_all(source, path, **options):
    """All rows of a file, the unreadable ones, and what was set aside."""
    with open_ledger(source, path) as ledger:
        chunks = list(ledger.chunks(**options))
    rows = [row for chunk in chunks for row in chunk.rows.to_pylist()]
    malformed = [int(number) for chunk in chunks for number in chunk.malformed]
    return rows, malformed, dict(ledger.set_aside)


def column(source, path, ours):
    tables = [chunk.rows for chunk in read_chunks(source, path)]
    return pa.concat_tables(tables)[ours].to_pylist()


def rewrite_sheet(path, *changes):
    """Replace bytes in the first sheet of an .xlsx, as another program would have written them."""
    out = io.BytesIO()
    with zipfile.ZipFile(path) as parts, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for part in parts.infolist():
            content = parts.read(part)
            if part.filename == "xl/worksheets/sheet1.xml":
                # Two libraries that write XML differ in how they write an empty element.
                content = content.replace(b"<v></v>", b"<v />")
                for old, wanted in changes:
                    assert old in content
                    content = content.replace(old, wanted)
            new.writestr(part, content)
    path.write_bytes(out.getvalue())

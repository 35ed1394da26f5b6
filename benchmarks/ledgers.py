"""
Rows of an Excel ledger per second, beside what pandas takes only to load the sheet.

Run: `python benchmarks/ledgers.py [ROWS]`. Medians of five; the workbook has a title, a two-row
header, sixteen columns, eight of them read.
"""

import datetime as dt
import statistics
import sys
import tempfile
import time
from pathlib import Path

import openpyxl
import pandas as pd

from data.source import Source
from etl.sources import read_chunks

ROUNDS = 5
COLUMNS = {
    "incident_id": "纠纷编号", "occurred_at": "发生日期", "reported_at": "登记日期",
    "category": "事件类别", "severity": "危害程度", "lng": "经度", "lat": "纬度",
    "area_code": "所属网格编码",
}  # fmt: skip
SOURCE = Source(
    name="disputes", title_zh="台账", title_en="Ledger", files=(), watch=None, sql=None, push=False,
    kafka=None, format="xlsx", sheet="", aliases=None, time_zone="Asia/Shanghai",
    time_format=("%Y-%m-%d %H:%M:%S",), frame="EPSG:4490", channel="mediation", origin="reported",
    rows_without_id="refuse", numeric_codes=False, point_precision="address", columns=COLUMNS,
    category_book="", category_codes={}, severity_codes={}, scale_codes={}, status_codes={},
    outcome_codes={}, precision_codes={}, published=(),
)  # fmt: skip


def write_ledger(path, rows):
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("台账")
    sheet.append(["某某市矛盾纠纷排查化解台账"])
    sheet.append(
        ["序号", *COLUMNS.values(), "当事人", *[None] * 2, *(f"其他{n}" for n in range(4))]
    )
    sheet.append([*[None] * 9, "姓名", "电话", "住址"])
    start = dt.datetime(2026, 1, 1)  # noqa: DTZ001 -- a sheet holds wall clocks
    for n in range(rows):
        moment = start + dt.timedelta(minutes=5 * n)
        text = f"{moment:%Y年%m月%d日 %H时%M分}"
        place = (103.8 + n % 997 / 1e4, 36.0 + n % 991 / 1e4, 620102001001 + n % 900)
        sheet.append(
            [
                n + 1,
                f"JF{n:08d}",
                moment,
                text,
                "0101",
                "02",
                *place,
                "某",
                "略",
                "略",
                1,
                2,
                "a",
                "b",
            ]
        )
    book.save(path)


def median_seconds(call):
    taken = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        call()
        taken.append(time.perf_counter() - start)
    return statistics.median(taken)


def main(rows):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "ledger.xlsx"
        write_ledger(path, rows)
        assert sum(len(chunk.rows) for chunk in read_chunks(SOURCE, path)) == rows
        for name, call in (
            ("read_chunks: header, codes, times", lambda: list(read_chunks(SOURCE, path))),
            ("pandas + calamine: the bare sheet",
             lambda: pd.read_excel(path, header=None, engine="calamine")),
        ):  # fmt: skip
            seconds = median_seconds(call)
            print(f"{name:36} {seconds:6.2f} s {rows / seconds:10,.0f} rows/s")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)

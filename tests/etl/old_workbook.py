"""
Maker of `etl/synthesize/static/safety_checks.xls` and of what is known about it.

    python -m tests.etl.old_workbook
"""

import datetime as dt
import json
from collections import Counter
from pathlib import Path

import numpy as np
import xlwt

from etl.synthesize.dirt import ID_NUMBER_LIKE, PERSON_NAME, PERSON_PHONE, PHONE_LIKE

FOLDER = Path(__file__).parents[2] / "etl" / "synthesize" / "static"
NAME = "safety_checks"
ROWS = 240
SEED = 54
FIRST, DAYS = dt.datetime.fromisoformat("2024-11-18"), 720
COUNTIES = (990102.0, 990181.0)
# GB/T 31000-2015, 5.45 as a spreadsheet keeps it, and what the demo city makes of it.
CLASSES = {1.0: "H3", 2.0: "H1", 3.0: "D6", 4.0: "D4", 99.0: "H3"}
HEADINGS = ("隐患编号", "排查日期", "安全隐患类型", "隐患等级", "整改情况", "所属区县")
UNREAD = ("责任人姓名", "联系电话", "证件号码")
PERSON = (PERSON_NAME, PERSON_PHONE, ID_NUMBER_LIKE)
# Reason, column, value: each stands twice.
FAULTS = (
    ("missing_id", 0, None),
    ("unparseable_date", 1, "二月三十日"),
    ("future_date", 1, dt.datetime.fromisoformat("2031-05-01")),
    ("before_period", 1, dt.datetime.fromisoformat("2009-05-01")),
    ("unknown_category", 2, 77.0),
    ("severity_out_of_range", 3, 9.0),
    ("phone_like_text", 4, f"已回电{PHONE_LIKE}"),
    ("id_number_like_text", 4, f"已核实{ID_NUMBER_LIKE}"),
    ("unknown_area", 5, 990199.0),
)
TWICE = 2


def ledger_rows():
    """Rows of the ledger with the faulty ones, the reasons, and the true counts."""
    rng = np.random.default_rng(SEED)
    rows, counts = [], Counter()
    for number in range(ROWS):
        day = FIRST + dt.timedelta(days=int(rng.integers(DAYS)))
        county, kind = rng.choice(COUNTIES), rng.choice(list(CLASSES), p=(0.2, 0.4, 0.1, 0.1, 0.2))
        grade = float(rng.choice((1, 2, 3), p=(0.1, 0.2, 0.7)))
        state = "整改中" if rng.random() < 0.1 else "已整改"
        rows.append([f"AQ{number + 1:06d}", day, float(kind), grade, state, float(county)])
        counts[str(int(county)), CLASSES[float(kind)]] += 1
    bad = []
    for reason, column, value in FAULTS:
        for _ in range(TWICE):
            row = list(rows[int(rng.integers(ROWS))])
            row[0] = f"XA{len(bad) + 1:06d}"
            row[column] = value
            bad.append((reason, row))
    repeated = [("repeated_id", list(rows[place])) for place in (10, 20)]
    for _, row in [*repeated, *bad]:
        # Behind the row that it repeats, before the totals.
        rows.insert(int(rng.integers(30, len(rows))), row)
    return rows, Counter(reason for reason, _ in [*repeated, *bad]), counts


def write(folder):
    """Write the workbook and the JSON beside it."""
    rows, reasons, counts = ledger_rows()
    book = xlwt.Workbook(encoding="utf-8")
    sheet = book.add_sheet("月报")
    as_day = xlwt.easyxf(num_format_str="yyyy/m/d")
    width = len(HEADINGS) + len(UNREAD) + 1
    sheet.write_merge(0, 0, 0, width - 1, "区县安全隐患排查月报")
    sheet.write_merge(1, 2, 0, 0, "序号")
    for column, heading in enumerate(HEADINGS, start=1):
        sheet.write_merge(1, 2, column, column, heading)
    first = len(HEADINGS) + 1
    sheet.write_merge(1, 1, first, first + len(UNREAD) - 1, "责任人")
    for column, heading in enumerate(UNREAD, start=first):
        sheet.write(2, column, heading)
    for number, row in enumerate(rows):
        sheet.write(number + 3, 0, number + 1)
        for column, value in enumerate(row, start=1):
            if isinstance(value, dt.datetime) and number % 2:
                sheet.write(number + 3, column, value, as_day)
            elif isinstance(value, dt.datetime):
                sheet.write(number + 3, column, f"{value:%Y.%m.%d}")
            elif value is not None:
                sheet.write(number + 3, column, value)
        for column, value in enumerate(PERSON, start=first):
            sheet.write(number + 3, column, value)
    sheet.write(len(rows) + 3, 0, "合计")
    sheet.write(len(rows) + 3, 1, f"{len(rows)}处")
    book.save(str(folder / f"{NAME}.xls"))
    known = {"dirty": dict(reasons), "counts": {}}
    for (county, category), number in sorted(counts.items()):
        known["counts"].setdefault(county, {})[category] = number
    text = json.dumps(known, ensure_ascii=False, indent=1)
    (folder / f"{NAME}.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    write(FOLDER)

# ruff: noqa: DTZ001 -- a sheet holds wall clocks, no instants
import datetime as dt

import openpyxl
import pytest
import xlwt
from hypothesis import given, settings
from hypothesis import strategies as st

from etl.sources import SourceError, headings, read_chunks
from etl.sources.ledger import open_ledger
from tests.etl.sources.books import (
    COLUMNS,
    HEADER,
    column,
    data_row,
    make_source,
    read_all,
    rewrite_sheet,
    write_xlsx,
)

TITLE = ["某某区2026年11月矛盾纠纷排查化解台账"]
UNIT = ["填报单位:某某街道", None, None, "填报日期:2026年11月20日"]
MOMENT = dt.datetime(2026, 11, 16, 8, 5)
ISO = "2026-11-16 08:05:00"


def test_titles_totals_and_notes_are_no_data(tmp_path):
    rows = [
        TITLE,
        UNIT,
        HEADER,
        data_row(1),
        data_row(2),
        ["小计", None, None, 2],
        [],
        data_row(3),
        [4],
        [None, "合计", None, 3],
        [36, "总 计:3件"],
        [None, None, "平均值", 1.5],
        ["填表人:甲", None, "审核人:乙"],
        ["备注:以上数据来自综治中心"],
        ["以上数据由指挥中心统一提供"],
    ]
    path = write_xlsx(tmp_path / "a.xlsx", rows, merges=["A1:J1", "A2:C2", "D2:J2", "A15:J15"])
    found, malformed, aside = read_all(make_source(), path)
    assert [row["incident_id"] for row in found] == ["JF20260001", "JF20260002", "JF20260003"]
    assert [row["row"] for row in found] == [1, 2, 3]
    assert malformed == []
    assert aside == {"totals": 4, "blank": 2, "note": 3}


def test_a_row_with_a_time_or_a_number_of_its_own_is_data_whatever_its_first_cell_says(tmp_path):
    rows = [
        HEADER,
        data_row(1, serial="合计"),
        data_row(2, serial="备注:补录"),
        data_row(3, serial="小计", occurred_at="不详"),
    ]
    found, _, aside = read_all(make_source(), write_xlsx(tmp_path / "a.xlsx", rows))
    assert [row["occurred_at"] for row in found] == [ISO, ISO, "不详"]
    assert aside == {}


def test_two_row_header_joins_what_is_not_unique(tmp_path):
    source = make_source(columns=COLUMNS | {"lng": "事发位置·经度", "lat": "事发位置·纬度"})
    upper = ["序号", "纠纷编号", "发生日期", "事件类别", "危害程度", "事发位置", None, "上报位置",
             None, "所属网格编码", "当事人", None]  # fmt: skip
    lower = [None] * 5 + ["经度", "纬度", "经度", "纬度", None, "姓名", "电话"]
    data = [1, "JF1", ISO, "0101", "02", 103.8, 36.1, 1, 2, "620102", "某", "无"]
    merges = ["A1:L1", *(f"{letter}2:{letter}3" for letter in "ABCDEJ"), "F2:G2", "H2:I2", "K2:L2"]
    path = write_xlsx(tmp_path / "a.xlsx", [TITLE, upper, lower, data], merges=merges)
    found, _, aside = read_all(source, path)
    assert [(row["lng"], row["lat"], row["area_code"]) for row in found] == [
        ("103.8", "36.1", "620102")
    ]
    assert aside == {}
    names = headings(source, path)
    assert names[5:9] == ["事发位置·经度", "事发位置·纬度", "上报位置·经度", "上报位置·纬度"]
    assert names[-2:] == ["姓名", "电话"]
    assert not any("Unnamed" in name for name in names)


@pytest.mark.parametrize("merges", [["E1:F1", "G1:H1"], []])
def test_subheadings_of_columns_that_are_not_read_belong_to_the_header(tmp_path, merges):
    source = make_source(
        columns={k: COLUMNS[k] for k in ("incident_id", "occurred_at", "category")}
    )
    upper = ["序号", "纠纷编号", "发生日期", "事件类别", "当事人", None, "化解人", None]
    lower = [None] * 4 + ["姓名", "电话", "姓名", "电话"]
    path = write_xlsx(
        tmp_path / "a.xlsx", [upper, lower, [1, "JF1", ISO, "0101", "某"]], merges=merges
    )
    found, _, aside = read_all(source, path)
    assert len(found) == 1
    assert aside == {}
    assert headings(source, path)[4:] == [
        "当事人·姓名",
        "当事人·电话",
        "化解人·姓名",
        "化解人·电话",
    ]


def test_headers_repeated_on_each_page_are_set_aside(tmp_path):
    rows = [TITLE, HEADER, data_row(1), TITLE, HEADER, data_row(2)]
    path = write_xlsx(tmp_path / "a.xlsx", rows, merges=["A1:J1", "A4:J4"])
    found, _, aside = read_all(make_source(), path)
    assert [row["row"] for row in found] == [1, 2]
    assert aside == {"note": 1, "header": 1}


def test_blank_columns_are_passed_over_and_the_table_may_start_anywhere(tmp_path):
    rows = [[], [], [None, None, *HEADER[:4], None, None, *HEADER[4:]]]
    data = data_row(1)
    rows.append([None, None, *data[:4], None, None, *data[4:]])
    path = write_xlsx(tmp_path / "a.xlsx", rows)
    with open_ledger(make_source(), path) as ledger:
        assert sum(len(chunk.rows) for chunk in ledger.chunks()) == 1
        assert list(ledger.sheet_rows) == [4]


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (101.0, "101"), ("101.0", "101"), (620102001001, "620102001001"), ("０１０１", "0101"),
        (" 0101　", "0101"), ("'0101", "0101"), ("/", None), ("—", None), ("#N/A", None),
        (True, "TRUE"), ("婚恋（家庭）", "婚恋（家庭）"), ("A\u200b1", "A1"), (1.5, "1.5"),
        (620102001001001.0, "620102001001001"), (dt.datetime(2026, 1, 2), "2026-01-02"),
        (6.20102001001e17, "6.20102001001000E+17"),
    ],
)  # fmt: skip
def test_codes_are_read_as_they_were_meant(tmp_path, written, read):
    path = write_xlsx(tmp_path / "a.xlsx", [HEADER, data_row(1, area_code=written)])
    assert column(make_source(), path, "area_code") == [read]


def test_leading_zeros_of_number_formats_count(tmp_path):
    rows = [
        HEADER,
        data_row(1, area_code=102, category=101),
        data_row(2, area_code=103, category=101),
    ]
    formats = {"H2": "000000", "D2": "0000", "D3": "0000;@"}
    path = write_xlsx(tmp_path / "a.xlsx", rows, formats=formats)
    assert column(make_source(), path, "area_code") == ["000102", "103"]
    assert column(make_source(), path, "category") == ["0101", "0101"]


def test_long_numbers_are_kept_whole_or_refused(tmp_path):
    rows = [
        HEADER,
        data_row(1, incident_id=11),
        data_row(2, incident_id=6.2010220261116e17),
        data_row(3, incident_id=13, area_code=620102001001001),
        data_row(4, incident_id=14),
    ]
    path = write_xlsx(tmp_path / "a.xlsx", rows)
    rewrite_sheet(
        path,
        (b"<v>11</v>", b"<v>620102202611160012</v>"),
        (b"<v>13</v>", b"<v>620102202611160099</v>"),
        # Seventeen digits that end in zeros: what Excel left of a longer number.
        (b"<v>14</v>", b"<v>62010220261116300</v>"),
    )
    found, malformed, _ = read_all(make_source(), path)
    assert [row["incident_id"] for row in found] == ["620102202611160012", "620102202611160099"]
    assert [row["row"] for row in found] == [1, 3]
    assert malformed == [2, 4]


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (MOMENT, ISO), (dt.date(2026, 11, 16), "2026-11-16 00:00:00"),
        (46342.5, "2026-11-16 12:00:00"), (45982.5, "2025-11-21 12:00:00"),
        (20261116, "2026-11-16 00:00:00"), (20261116080500, ISO), (202611160805, ISO),
        ("20261116", "2026-11-16 00:00:00"), ("20261116080500", ISO), ("20261116 0805", ISO),
        ("2026/11/16 8:05", ISO), ("2026-11-16T08:05:00", ISO), ("2026.11.16", "2026-11-16 00:00:00"),
        ("2026年11月16日 8时5分", ISO), ("2026年11月16日8时5分0秒", ISO), ("2026年11月16日 08:05", ISO),
        ("2026年11月16日", "2026-11-16 00:00:00"), ("２０２６－１１－１６　０８：０５", ISO),
        ("2026-11-16 星期一 8:05", ISO), ("2026年11月16日下午8时5分", "2026-11-16 20:05:00"),
        ("2026/11/16 8:05:00 PM", "2026-11-16 20:05:00"), ("2026-11-16 08:05:00.000", ISO),
        ("2026-11-16\n08:05", ISO), ("2026-11-16 24:00", "2026-11-17 00:00:00"),
        ("46342.5", "2026-11-16 12:00:00"), ("20261116.0", "2026-11-16 00:00:00"),
        ("/", None), ("#VALUE!", None), (None, None),
        ("2026-13-45", "2026-13-45"), ("待定", "待定"), ("2026年11月", "2026年11月"), (7, "7"),
        (20261345, "20261345"), ("16/11/2026", "16/11/2026"),
        ("2026-11-16T08:05:00+08:00", "2026-11-16T08:05:00+08:00"),
    ],
)  # fmt: skip
def test_every_way_to_write_a_time(tmp_path, written, read):
    path = write_xlsx(tmp_path / "a.xlsx", [HEADER, data_row(1, occurred_at=written)])
    assert column(make_source(), path, "occurred_at") == [read]


def test_own_formats_of_the_source_come_first(tmp_path):
    source = make_source(time_format=("%d/%m/%Y %H:%M", "%Y-%d-%m", "%Y-%m-%dT%H:%M%z"))
    written = ["16/11/2026 08:05", "2026-02-11", "2026-11-16T08:05+0800", "2026/11/16 8:05"]
    rows = [HEADER, *(data_row(n, occurred_at=text) for n, text in enumerate(written))]
    path = write_xlsx(tmp_path / "a.xlsx", rows)
    assert column(source, path, "occurred_at") == [
        ISO,
        "2026-11-02 00:00:00",
        "2026-11-16T08:05+0800",
        ISO,
    ]


def test_dates_of_workbooks_that_count_from_1904(tmp_path):
    rows = [HEADER, data_row(1, occurred_at=MOMENT), data_row(2, occurred_at=46342.5 - 1462)]
    path = write_xlsx(tmp_path / "a.xlsx", rows, is_1904=True)
    assert column(make_source(), path, "occurred_at") == [ISO, "2026-11-16 12:00:00"]


@pytest.mark.parametrize("is_1904", [False, True])
def test_old_workbooks(tmp_path, is_1904):
    book = xlwt.Workbook()
    book.dates_1904 = is_1904
    sheet = book.add_sheet("台账")
    sheet.write_merge(0, 0, 0, 9, TITLE[0])
    for at, heading in enumerate(HEADER):
        sheet.write(1, at, heading)
    date = xlwt.easyxf(num_format_str="yyyy-mm-dd hh:mm")
    serial = 46342.5 - 1462 * is_1904
    for row, moment in enumerate([MOMENT, serial, "2026年11月16日 8时5分"], start=2):
        for at, value in enumerate(data_row(row, occurred_at=moment, area_code=620102001001)):
            sheet.write(row, at, value, *([date] if isinstance(value, dt.datetime) else []))
    sheet.write(5, 0, "合计")
    path = tmp_path / "a.xls"
    book.save(str(path))
    found, _, aside = read_all(make_source(format="xls"), path)
    assert [row["occurred_at"] for row in found] == [ISO, "2026-11-16 12:00:00", ISO]
    assert {row["area_code"] for row in found} == {"620102001001"}
    assert aside == {"totals": 1}


def test_cells_merged_downwards_count_for_every_row(tmp_path):
    rows = [
        HEADER,
        data_row(1, occurred_at=MOMENT),
        data_row(2, occurred_at=None),
        data_row(3, occurred_at=None),
        data_row(4, occurred_at=None),
    ]
    path = write_xlsx(tmp_path / "a.xlsx", rows, merges=["C2:C4"])
    assert column(make_source(), path, "occurred_at") == [ISO, ISO, ISO, None]


def test_the_first_visible_sheet_that_fits_is_read(tmp_path):
    path = write_xlsx(
        tmp_path / "a.xlsx",
        [HEADER, data_row(1)],
        hidden=[("旧", [HEADER, data_row(8), data_row(9)])],
    )
    book = openpyxl.load_workbook(path)
    cover = book.create_sheet("封面", 0)
    cover["B2"] = "矛盾纠纷台账"
    book.save(path)
    assert column(make_source(), path, "incident_id") == ["JF20260001"]
    named = make_source(sheet="旧")
    assert column(named, path, "incident_id") == ["JF20260008", "JF20260009"]
    with pytest.raises(SourceError, match="no sheet `新`, only 封面, 旧, 台账"):
        column(make_source(sheet="新"), path, "incident_id")


def test_hidden_rows_are_data(tmp_path):
    path = write_xlsx(tmp_path / "a.xlsx", [HEADER, data_row(1), data_row(2)])
    book = openpyxl.load_workbook(path)
    book.active.row_dimensions[2].hidden = True
    book.active.column_dimensions["C"].hidden = True
    book.save(path)
    assert column(make_source(), path, "incident_id") == ["JF20260001", "JF20260002"]


def test_formulas_give_their_last_result(tmp_path):
    # A program that never calculated leaves none: the cell is empty.
    path = write_xlsx(tmp_path / "a.xlsx", [HEADER, data_row(1, severity='="0"&"2"')])
    assert column(make_source(), path, "severity") == [None]
    rewrite_sheet(path, (b"<v />", b"<v>02</v>"), (b'<c r="E2"', b'<c r="E2" t="str"'))
    assert column(make_source(), path, "severity") == ["02"]


def test_a_header_without_rows_gives_no_chunk(tmp_path):
    path = write_xlsx(tmp_path / "a.xlsx", [TITLE, HEADER])
    assert list(read_chunks(make_source(), path)) == []


def test_chunks_have_the_size_asked_for(tmp_path):
    path = write_xlsx(tmp_path / "a.xlsx", [HEADER, *(data_row(n) for n in range(5))])
    chunks = list(read_chunks(make_source(), path, rows=2))
    assert [len(chunk.rows) for chunk in chunks] == [2, 2, 1]
    assert [chunk.rows["row"].to_pylist() for chunk in chunks] == [[1, 2], [3, 4], [5]]
    assert set(chunks[0].rows.column_names) == {*COLUMNS, "row"}


def test_three_hundred_columns(tmp_path):
    wide = [f"列{n}" for n in range(290)]
    rows = [TITLE, [*wide, *HEADER], [*range(290), *data_row(1)]]
    path = write_xlsx(tmp_path / "a.xlsx", rows)
    assert column(make_source(), path, "incident_id") == ["JF20260001"]
    assert len(headings(make_source(), path)) == 300


def test_headings_of_a_register_are_told_even_where_the_columns_do_not_fit(tmp_path):
    register = ["姓名", "证件号码", "性别", "民族", "户籍地详址"]
    path = write_xlsx(
        tmp_path / "a.xlsx", [["重点人员名册"], register, ["某", "1", "男", "汉", "某"]]
    )
    assert headings(make_source(), path) == register
    with pytest.raises(
        SourceError, match=r"a\.xlsx lacks the columns .*纠纷编号.*no header"
    ) as caught:
        list(read_chunks(make_source(), path))
    # The row taken for a header may be somebody's data.
    assert "汉" not in str(caught.value)


def test_a_ledger_that_lacks_a_column_says_what_it_has(tmp_path):
    rows = [TITLE, HEADER[:5], data_row(1)[:5]]
    path = write_xlsx(tmp_path / "a.xlsx", rows, merges=["A1:E1"])
    with pytest.raises(SourceError, match=r"lacks .*'经度', '纬度'.* in row 2: 序号, 纠纷编号, "):
        list(read_chunks(make_source(), path))


def test_codes_with_zeros_are_lent_to_merged_rows_whole(tmp_path):
    rows = [HEADER, data_row(1, area_code=102), data_row(2, area_code=None)]
    path = write_xlsx(tmp_path / "a.xlsx", rows, merges=["H2:H3"], formats={"H2": "000000"})
    assert column(make_source(), path, "area_code") == ["000102", "000102"]


FORMS = [
    lambda moment: moment,
    lambda moment: f"{moment:%Y%m%d%H%M%S}",
    lambda moment: int(f"{moment:%Y%m%d%H%M%S}"),
    lambda moment: (moment - dt.datetime(1899, 12, 30)) / dt.timedelta(days=1),
    lambda moment: f"{moment.year}/{moment.month}/{moment.day} {moment.hour}:{moment:%M:%S}",
    lambda moment: f"{moment:%Y年%m月%d日 %H时%M分%S秒}",
    lambda moment: f"{moment:%Y-%m-%d %H:%M:%S}",
]


@st.composite
def ledgers(draw):
    """A table as it was meant, and the rows of a sheet that shows it."""
    moments = draw(
        st.lists(st.datetimes(dt.datetime(2000, 1, 1), dt.datetime(2090, 1, 1)), max_size=12)
    )
    moments = [moment.replace(microsecond=0) for moment in moments]
    order = draw(st.permutations(list(COLUMNS)))
    form = draw(st.sampled_from(FORMS))
    deep = draw(st.booleans())
    top = draw(st.lists(st.sampled_from([TITLE, UNIT, []]), max_size=4))
    marks = draw(st.sampled_from(["{}", "*{}", "{}(必填)", " {}\n", "{}:", "【必填】{}"]))
    meant, rows = [], [*top]
    width = len(order) + 2
    merges = [f"A{at}:{chr(64 + width)}{at}" for at, row in enumerate(top, start=1) if row == TITLE]
    names = [marks.format(COLUMNS[ours]) for ours in order]
    at = len(rows) + 1
    if deep:
        rows += [["序号", *names, "当事人", None], [None] * (len(order) + 1) + ["姓名", "电话"]]
        merges += [f"{chr(64 + n)}{at}:{chr(64 + n)}{at + 1}" for n in range(1, width)]
        merges.append(f"{chr(64 + width)}{at}:{chr(65 + width)}{at}")
    else:
        rows.append(["序号", *names, "姓名"])
    for number, moment in enumerate(moments, start=1):
        row = {
            "incident_id": f"JF{number}", "occurred_at": f"{moment:%Y-%m-%d %H:%M:%S}",
            "category": draw(st.sampled_from(["0101", "0202", "9900"])),
            "severity": draw(st.sampled_from(["01", None])),
            "lng": f"{draw(st.integers(100_000_001, 104_999_999)) / 1e6!r}", "lat": "36.5",
            "area_code": draw(st.sampled_from(["620102001001", None])),
        }  # fmt: skip
        meant.append(row)
        shown = row | {"occurred_at": form(moment), "lng": float(row["lng"])}
        rows.append([number, *(shown[ours] for ours in order), "某"])
        if draw(st.booleans()):
            rows.append(
                draw(st.sampled_from([["合计", None, 3], [], ["小计:1件"], [number], ["备注:无"]]))
            )
    return meant, rows, merges


@settings(max_examples=60, deadline=None)
@given(ledgers())
def test_any_table_reads_back_as_it_was_meant(tmp_path_factory, ledger):
    meant, rows, merges = ledger
    path = write_xlsx(tmp_path_factory.mktemp("book") / "a.xlsx", rows, merges=merges)
    found, malformed, _ = read_all(make_source(), path, rows=5)
    assert malformed == []
    assert [{**row, "row": at} for at, row in enumerate(meant, start=1)] == found

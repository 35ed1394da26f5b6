import openpyxl
import pandas as pd
import pytest

from data.personal import REMOVED, TOO_LONG
from etl.clean import REASONS
from etl.sources import SourceError, read_chunks
from etl.sources.error_workbook import NOTES, write_error_workbook
from etl.sources.reasons import reason, reasons
from tests.etl.sources.books import COLUMNS, HEADER, data_row, make_source, write_xlsx

TITLE = ["矛盾纠纷台账"]


def faults(*rows):
    return pd.DataFrame(rows, columns=["row", "reason", "field", "value"])


@pytest.fixture
def ledger(tmp_path):
    rows = [
        TITLE,
        HEADER,
        data_row(1),
        data_row(2, occurred_at="待定"),
        ["小计", None, 2],
        data_row(3, area_code="=cmd|' /C calc'!A0", category="9x"),
        data_row(4, incident_id="620102199003077777", severity="某" * 80),
    ]
    path = write_xlsx(tmp_path / "a.xlsx", rows, merges=["A1:J1"])
    # A formula of that text would be one cell; the sheet holds it as text.
    book = openpyxl.load_workbook(path)
    book.active["H6"].data_type = "s"
    book.save(path)
    return path


FAULTS = faults(
    (2, "bad_time", "occurred_at", "待定"),
    (3, "unknown_category", "category", "9x"),
    (3, "unknown_area_code", "area_code", None),
    (4, "free_text", "severity", None),
)


def test_refused_rows_come_back_with_reasons_and_marks(tmp_path, ledger):
    out = tmp_path / "退回.xlsx"
    assert write_error_workbook(make_source(), ledger, FAULTS, out) == 3
    sheet = openpyxl.load_workbook(out).active
    rows = list(sheet.iter_rows(values_only=True))
    assert rows[0] == (*NOTES, *COLUMNS.values())
    assert [row[0] for row in rows[1:]] == ["4", "6", "7"]
    assert rows[1][1] == reason("bad_time").zh
    assert rows[2][3].split("\n") == [reason("unknown_category").en, reason("unknown_area_code").en]
    marked = {
        (cell.row, cell.column - len(NOTES))
        for line in sheet.iter_rows(min_row=2)
        for cell in line
        if cell.fill.fgColor.rgb == "FFFFD9D9"
    }
    assert marked == {(2, 2), (3, 3), (3, 7), (4, 4)}
    assert sheet.cell(2, len(NOTES) + 2).comment.text == reason("bad_time").zh


def test_no_personal_column_or_value_leaves(tmp_path, ledger):
    out = tmp_path / "退回.xlsx"
    write_error_workbook(make_source(), ledger, FAULTS, out)
    cells = [
        str(value)
        for row in openpyxl.load_workbook(out).active.iter_rows(values_only=True)
        for value in row
    ]
    text = "\n".join(cells)
    assert "某某" not in text
    assert "口角" not in text
    assert "主要当事人姓名" not in text
    assert TOO_LONG in cells


def test_personal_numbers_are_removed_from_kept_columns(tmp_path):
    path = write_xlsx(tmp_path / "a.xlsx", [HEADER, data_row(1, area_code="13912345678")])
    out = tmp_path / "out.xlsx"
    write_error_workbook(make_source(), path, faults((1, "person_data", "area_code", REMOVED)), out)
    row = list(openpyxl.load_workbook(out).active.iter_rows(values_only=True))[1]
    assert row[-1] == REMOVED


def test_no_cell_is_a_formula(tmp_path, ledger):
    out = tmp_path / "退回.xlsx"
    write_error_workbook(make_source(), ledger, FAULTS, out)
    cell = openpyxl.load_workbook(out).active.cell(3, len(NOTES) + 7)
    assert cell.value == "=cmd|' /C calc'!A0"
    assert cell.data_type == "s"
    assert cell.quotePrefix


def test_the_error_workbook_is_itself_a_ledger(tmp_path, ledger):
    out = tmp_path / "退回.xlsx"
    write_error_workbook(make_source(), ledger, FAULTS, out)
    [chunk] = read_chunks(make_source(), out)
    [whole] = read_chunks(make_source(), ledger)
    kept = ["incident_id", "occurred_at", "category", "lng", "lat"]
    first = whole.rows.select(kept).to_pylist()[1:3]
    assert chunk.rows.select(kept).to_pylist()[:2] == first
    named = make_source(sheet="台账")
    write_error_workbook(named, ledger, FAULTS, out)
    assert sum(len(chunk.rows) for chunk in read_chunks(named, out)) == 3


def test_rows_whose_number_lost_digits_say_so(tmp_path):
    path = write_xlsx(tmp_path / "a.xlsx", [HEADER, data_row(1, incident_id=6.2010220261116e17)])
    out = tmp_path / "out.xlsx"
    write_error_workbook(make_source(), path, faults((1, "malformed_row", "row", None)), out)
    row = list(openpyxl.load_workbook(out).active.iter_rows(values_only=True))[1]
    assert row[1] == reason("lost_digits").zh
    assert row[len(NOTES)] == "6.20102202611160E+17"


def test_text_files_too(tmp_path):
    path = tmp_path / "a.csv"
    rows = [list(COLUMNS.values()), ["JF1", "待定", "0101", "", "103.8", "36.1", "620102"]]
    path.write_text("\n".join(",".join(row) for row in rows), encoding="utf-8")
    out = tmp_path / "out.xlsx"
    source = make_source(format="csv")
    assert (
        write_error_workbook(source, path, faults((1, "bad_time", "occurred_at", None)), out) == 1
    )
    row = list(openpyxl.load_workbook(out).active.iter_rows(values_only=True))[1]
    assert row[len(NOTES) : len(NOTES) + 3] == ("JF1", "待定", "0101")


def test_a_ledger_that_changed_is_told(tmp_path):
    path = write_xlsx(tmp_path / "a.xlsx", [["甲", "乙"], [1, 2]])
    with pytest.raises(SourceError, match=r"a\.xlsx lacks the columns"):
        write_error_workbook(make_source(), path, FAULTS, tmp_path / "out.xlsx")


def test_every_reason_has_words():
    assert set(REASONS) <= set(reasons())
    for name, words in reasons().items():
        for text in (words.zh, words.en, words.do_zh, words.do_en):
            assert text.strip(), name
    assert reason("not yet known").zh == "not yet known"

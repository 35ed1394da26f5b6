# ruff: noqa: DTZ001 -- a sheet holds wall clocks, no instants
import dataclasses
import datetime as dt
from types import SimpleNamespace

import openpyxl
import pytest

from data.city import _read_categories
from data.source import read_source
from etl.sources import headings, read_chunks
from etl.sources.template import CODES, HEADER_ROW, NOTES, SHEET, write_template
from tests.conftest import ROOT
from tests.etl.sources.books import COLUMNS, make_source

DEMO = ROOT / "data" / "cities" / "demo"


@pytest.fixture
def city():
    """The part of a city that a template needs."""
    categories = _read_categories(DEMO / "categories.csv", [])
    return SimpleNamespace(code="620100", categories=categories)


def test_has_the_columns_of_the_source_and_no_others(tmp_path, city):
    write_template(make_source(), city, tmp_path / "t.xlsx")
    book = openpyxl.load_workbook(tmp_path / "t.xlsx")
    assert book.sheetnames == [SHEET, CODES, NOTES]
    shown = [cell.value for cell in book[SHEET][HEADER_ROW]]
    assert shown == ["序号", "纠纷编号*", "发生日期*", "事件类别*", *list(COLUMNS.values())[3:]]
    assert book[SHEET].cell(HEADER_ROW, 2).font.color.rgb == "FFC00000"


def test_codes_keep_their_zeros_and_are_offered(tmp_path, city):
    source = make_source(category_codes={"0101": "D101", "0102": "D102"}, category_book="")
    write_template(source, city, tmp_path / "t.xlsx")
    book = openpyxl.load_workbook(tmp_path / "t.xlsx")
    sheet = book[SHEET]
    formats = [sheet.cell(HEADER_ROW + 9, at).number_format for at in range(2, 9)]
    assert formats == ["@", "yyyy-mm-dd hh:mm:ss", "@", "@", "General", "General", "@"]
    offered = {str(one.sqref): one.formula1 for one in sheet.data_validations.dataValidation}
    assert offered == {
        "D4:D1003": f"='{CODES}'!$A$2:$A$3",
        "E4:E1003": f"='{CODES}'!$D$2:$D$4",
    }
    lists = [list(row) for row in book[CODES].iter_rows(min_row=2, max_row=3, values_only=True)]
    assert [row[0] for row in lists] == ["0101", "0102"]
    assert lists[0][3:] == ["03", "一般"]


def test_codes_of_a_book_leave_out_what_is_refused(tmp_path, city):
    write_template(make_source(), city, tmp_path / "t.xlsx")
    sheet = openpyxl.load_workbook(tmp_path / "t.xlsx")[CODES]
    codes = [row[0] for row in sheet.iter_rows(min_row=2, values_only=True) if row[0]]
    assert "0101" in codes
    assert not any(code.startswith(("14", "15", "16")) for code in codes)


def test_what_is_filled_in_reads_back_and_the_example_does_not(tmp_path, city):
    path = tmp_path / "t.xlsx"
    write_template(make_source(), city, path)
    assert list(read_chunks(make_source(), path)) == []
    book = openpyxl.load_workbook(path)
    filled = [1, "JF1", dt.datetime(2026, 11, 16, 8, 5), "0101", "02", 103.8, 36.1, "0102"]
    for at, value in enumerate(filled, start=1):
        book[SHEET].cell(HEADER_ROW + 2, at, value)
    book.save(path)
    [chunk] = read_chunks(make_source(), path)
    assert chunk.rows.to_pylist() == [
        {
            "incident_id": "JF1", "occurred_at": "2026-11-16 08:05:00", "category": "0101",
            "severity": "02", "lng": "103.8", "lat": "36.1", "area_code": "0102", "row": 1,
        }
    ]  # fmt: skip
    assert headings(make_source(), path)[0] == "序号"


def test_two_columns_of_ours_that_are_one_of_theirs_stand_once(tmp_path, city):
    source = make_source(columns=COLUMNS | {"updated_at": "发生日期"})
    write_template(source, city, tmp_path / "t.xlsx")
    shown = [cell.value for cell in openpyxl.load_workbook(tmp_path / "t.xlsx")[SHEET][HEADER_ROW]]
    assert len(shown) == len(set(shown)) == len(COLUMNS) + 1


@pytest.mark.parametrize("path", sorted((DEMO / "sources").glob("*.toml")), ids=lambda p: p.stem)
def test_every_source_of_the_demo_city_has_one(tmp_path, city, path):
    known = frozenset(category.code for category in city.categories)
    source = read_source(path, root=tmp_path, known_categories=known, faults=[])
    write_template(source, city, tmp_path / "t.xlsx")
    assert list(read_chunks(_as_ledger(source), tmp_path / "t.xlsx")) == []


def _as_ledger(source):
    return dataclasses.replace(source, format="xlsx", files=())

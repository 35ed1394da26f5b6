"""Numbers of the workbook print as the report prints them; its sheets can be worked with."""

import io

import pytest
from openpyxl import load_workbook

from dashboard.reports import story, workbook
from dashboard.reports.workbook import number_of
from tests.dashboard.reports import made


@pytest.fixture(scope="module")
def document(tmp_path_factory):
    issue = made.put(tmp_path_factory.mktemp("home"))
    day = made.CREATED.date()
    return story.document(made.edition(), made.HEAD, issue, lang="zh", issued=day)


@pytest.fixture(scope="module")
def book(document):
    return load_workbook(io.BytesIO(workbook.render(document, at=made.CREATED)))


@pytest.mark.parametrize(
    ("text", "value", "expected"),
    [
        ("3,016", 3016, (3016, "#,##0")),
        ("12", 12, (12, "#,##0")),
        ("88.4", 88.41999, (88.41999, "#,##0.0")),
        # A half that this program rounds down and a spreadsheet program up.
        ("12.2", 12.25, (12.2, "#,##0.0")),
        ("0.0", 0.04, (0.04, "#,##0.0")),
        ("97.2%", None, (0.972, "0.0%")),
        ("2026", None, (2026, "0")),
        ("暂无数据", None, None),
        ("2,593–2,884", None, None),
        ("下降 2.2%", None, None),
        ("", None, None),
    ],
)
def test_a_number_gets_the_format_that_prints_it(text, value, expected):
    assert number_of(text, value) == expected


def test_headings_stay_in_view_and_on_paper(book):
    for sheet in book.worksheets[1:]:
        assert sheet.freeze_panes == "A4"
        assert sheet.print_title_rows == "$1:$3"
        assert sheet.page_setup.fitToHeight == 0


def test_unknown_is_said_and_never_a_zero(book):
    clocks = book["时限"]
    assert clocks["E5"].value == "暂无数据"


def test_codes_stay_text(book):
    assert [cell.value for cell in book["区县一览"]["A"][3:7]] == [
        code for code, _, _ in made.NAMES
    ]


def test_cells_have_the_colours_of_the_index(book, document):
    fills = {
        str(cell.value): cell.fill.fgColor.rgb[-6:]
        for row in book["区县一览"].iter_rows(min_row=4)
        for cell in row
        if cell.fill.fill_type
    }
    assert fills["红"] == document.tints[4][1:].upper()
    assert fills["灰"] == document.tints[0][1:].upper()


def test_notes_and_every_line_of_the_report_are_kept(book, document):
    text = [cell.value for row in book.worksheets[0] for cell in row]
    assert document.headline in text
    for table, sheet in zip(document.tables(), book.worksheets[1:], strict=True):
        assert table.note in [cell.value for cell in sheet["A"]]


def test_names_of_sheets_are_allowed_and_told_apart():
    taken = {"总览"}
    for name, expected in (
        ("[a]:*?/\\", "a"), ("A", "A 2"), ("x" * 40, "x" * 31), ("x" * 40, "x" * 29 + " 2"), ("''", "-"),
    ):  # fmt: skip
        found = workbook._sheet_name(name, taken)
        assert found == expected
        taken.add(found)

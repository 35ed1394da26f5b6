"""Word, PDF and workbook hold the same numbers, to the last digit, and stay what they were."""

import datetime as dt
import io
import json
import re
import subprocess
import sys
import zipfile
from decimal import ROUND_HALF_UP, Decimal

import docx
import pypdf
import pytest
from openpyxl import load_workbook

from dashboard.reports import making, reading
from dashboard.reports.document import Figures, Paragraph
from dashboard.reports.files import KINDS, file_name, make_file
from dashboard.reports.word_template import template
from data.issues import IssueError
from tests.dashboard.reports import made

MARK = "li 2026-11-16 09:31"


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def issue(home):
    return made.put(home)


@pytest.fixture(scope="module", params=["zh", "en"])
def lang(request):
    return request.param


@pytest.fixture(scope="module")
def document(home, issue, lang):
    edition = making.read_edition(home, issue, "city", made.CITY.code)
    return reading.document(home, issue, edition, lang=lang)


@pytest.fixture(scope="module")
def files(home, issue, lang):
    return {kind: make(home, issue, kind, lang) for kind in KINDS}


def make(home, issue, kind, lang, *, mark=MARK):
    return make_file(home, issue, "city", made.CITY.code, kind, lang, mark=mark)


def squeezed(text):
    """Without the breaks of lines, which are those of a layout."""
    return re.sub(r"\s", "", text)


def word_text(file):
    cells = [cell.text for table in file.tables for row in table.rows for cell in row.cells]
    return squeezed("".join([one.text for one in file.paragraphs] + cells))


def pdf_text(pages):
    """Of the pages one after the other, without their feet."""
    return squeezed("".join(page.extract_text() for page in pages))


def printed_as(cell):
    """A cell as a spreadsheet program prints it: halves are rounded up."""
    if not isinstance(cell.value, int | float):
        return cell.value
    is_share = cell.number_format.endswith("%")
    decimals = len(cell.number_format.rstrip("%").partition(".")[2])
    value = Decimal(repr(cell.value)) * (100 if is_share else 1)
    rounded = value.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP)
    comma = "," if "," in cell.number_format else ""
    return f"{rounded:{comma}}" + ("%" if is_share else "")


def test_every_figure_is_the_same_in_all_three(files, document):
    word = word_text(docx.Document(io.BytesIO(files["docx"])))
    pdf = pdf_text(pypdf.PdfReader(io.BytesIO(files["pdf"])).pages)
    book = load_workbook(io.BytesIO(files["xlsx"]))
    overview = [printed_as(cell) for row in book.worksheets[0] for cell in row]
    figures = [
        one for block in document.blocks if isinstance(block, Figures) for one in block.items
    ]
    assert len(figures) == 5
    for one in figures:
        for text in (one.name, one.text, one.detail):
            assert squeezed(text) in word
            assert squeezed(text) in pdf
            assert text in overview
    assert squeezed(document.headline) in word
    assert squeezed(document.headline) in pdf
    assert document.headline in overview


def test_every_sentence_is_the_same_in_all_three(files, document):
    word = word_text(docx.Document(io.BytesIO(files["docx"])))
    pages = pypdf.PdfReader(io.BytesIO(files["pdf"])).pages
    book = load_workbook(io.BytesIO(files["xlsx"]))
    overview = [cell.value for row in book.worksheets[0] for cell in row]
    for block in document.blocks:
        if isinstance(block, Paragraph):
            text = block.lead + block.text
            assert squeezed(text) in word
            assert text in overview
            # A sentence may run over the foot of a page; its numbers do not.
            for number in re.findall(r"[\d.,%–]*\d%?", text):
                assert number in "".join(page.extract_text() for page in pages)


def test_every_cell_of_every_table_is_the_same_in_all_three(files, document):
    file = docx.Document(io.BytesIO(files["docx"]))
    held = [[[cell.text for cell in row.cells] for row in table.rows] for table in file.tables]
    pdf = pdf_text(pypdf.PdfReader(io.BytesIO(files["pdf"])).pages)
    book = load_workbook(io.BytesIO(files["xlsx"]))
    sheets = iter(book.worksheets[1:])
    for table in document.tables():
        rows = [[column.title for column in table.columns]]
        rows += [[cell.text for cell in row] for row in table.rows]
        if table.is_appendix:
            assert rows not in held
        else:
            assert rows in held
            assert all(squeezed("".join(row)) in pdf for row in rows)
        sheet = next(sheets)
        found = [
            [printed_as(cell) for cell in row]
            for row in sheet.iter_rows(min_row=3, max_row=2 + len(rows), max_col=len(table.columns))
        ]
        assert [[(one or "").removeprefix("'") for one in row] for row in found] == rows
    assert not list(sheets)


def test_numbers_of_the_workbook_can_be_counted_with(files, document):
    book = load_workbook(io.BytesIO(files["xlsx"]))
    for table, sheet in zip(document.tables(), book.worksheets[1:], strict=True):
        for at, row in enumerate(table.rows, start=4):
            for column, cell in enumerate(row, start=1):
                if cell.value is not None:
                    stored = sheet.cell(at, column).value
                    assert isinstance(stored, int | float)
                    assert stored == pytest.approx(cell.value, abs=0.051)


def test_snapshot_and_mark_stand_on_every_page(files):
    file = docx.Document(io.BytesIO(files["docx"]))
    section = file.sections[0]
    for footer in (section.footer, section.even_page_footer):
        text = "".join(one.text for one in footer.paragraphs)
        assert made.SNAPSHOT in text
        assert MARK in text
        assert "FS (2026) 001" in text or "方S（2026）001号" in text
    for page in pypdf.PdfReader(io.BytesIO(files["pdf"])).pages:
        text = squeezed(page.extract_text())
        assert made.SNAPSHOT in text
        assert squeezed(MARK) in text
    book = load_workbook(io.BytesIO(files["xlsx"]))
    for sheet in book.worksheets:
        text = "".join(str(cell.value) for row in sheet for cell in row)
        assert made.SNAPSHOT in text
        assert MARK in text


def test_nothing_of_the_data_runs_or_is_read_as_markup(files):
    book = load_workbook(io.BytesIO(files["xlsx"]))
    cells = [cell for sheet in book.worksheets for row in sheet for cell in row]
    assert any("1+1" in str(cell.value) for cell in cells)
    for cell in cells:
        assert cell.data_type != "f"
        assert not str(cell.value).startswith(("=", "@", "+"))
    with zipfile.ZipFile(io.BytesIO(files["xlsx"])) as archive:
        for name in archive.namelist():
            assert b"<f>" not in archive.read(name)
    assert "<b>#*_&" in word_text(docx.Document(io.BytesIO(files["docx"])))
    assert "<b>#*_&" in pdf_text(pypdf.PdfReader(io.BytesIO(files["pdf"])).pages)


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_edition_and_mark_give_the_same_bytes(home, issue, files, lang, kind):
    assert make(home, issue, kind, lang) == files[kind]
    assert make(home, issue, kind, lang, mark="another") != files[kind]


def test_files_bear_the_time_of_their_issue(files):
    for kind in ("docx", "xlsx"):
        with zipfile.ZipFile(io.BytesIO(files[kind])) as archive:
            assert {one.date_time for one in archive.infolist()} == {(2026, 11, 16, 1, 30, 0)}
            core = archive.read("docProps/core.xml").decode()
        assert set(re.findall(r">(\d{4}-[^<]*)</dcterms", core)) == {"2026-11-16T01:30:00Z"}
    known = pypdf.PdfReader(io.BytesIO(files["pdf"])).metadata
    assert known.creation_date == made.CREATED


def test_what_is_not_there_is_refused(home, issue):
    for level, code, kind, lang in (
        ("city", made.CITY.code, "exe", "zh"),
        ("city", made.CITY.code, "pdf", "fr"),
        ("county", "990101", "pdf", "zh"),
        ("../city", made.CITY.code, "pdf", "zh"),
    ):
        with pytest.raises(IssueError):
            make_file(home, issue, level, code, kind, lang)


def test_an_issue_brings_its_own_template(tmp_path):
    own = docx.Document(io.BytesIO(template()))
    own.paragraphs[0].insert_paragraph_before("机密★一年")
    stream = io.BytesIO()
    own.save(stream)
    issue = made.put(tmp_path, template=stream.getvalue())
    file = docx.Document(io.BytesIO(make(tmp_path, issue, "docx", "zh")))
    assert file.paragraphs[0].text == "机密★一年"


def test_a_correction_says_why(tmp_path):
    made.put(tmp_path)
    issue = made.put(tmp_path, reason="迟报三件")
    for kind, text in (
        ("docx", lambda content: word_text(docx.Document(io.BytesIO(content)))),
        ("pdf", lambda content: pdf_text(pypdf.PdfReader(io.BytesIO(content)).pages)),
    ):
        assert "更正说明：迟报三件" in text(make(tmp_path, issue, kind, "zh"))


def test_names_of_files_tell_versions_apart(issue):
    assert file_name(issue, "city", "990100", "pdf", "zh") == (
        "pingan-report-2026-W46-v1-city-990100-zh.pdf"
    )


def test_the_program_writes_a_document(home, issue, tmp_path):
    path = tmp_path / "report.xlsx"
    asked = {
        "do": "file", "home": str(home), "week": made.WEEK, "level": "city",
        "code": made.CITY.code, "kind": "xlsx", "lang": "zh", "mark": MARK, "path": str(path),
    }  # fmt: skip

    def run(**more):
        return subprocess.run(
            [sys.executable, "-m", "dashboard.reports"],
            input=json.dumps(asked | more), capture_output=True, text=True, check=False,
        )  # fmt: skip

    done = run()
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout) == {"file": str(path), "size": path.stat().st_size}
    assert path.read_bytes() == make(home, issue, "xlsx", "zh")
    refused = run(kind="exe")
    assert refused.returncode == 1
    assert "exe" in json.loads(refused.stdout)["error"]


def test_issues_of_another_day_have_another_date(tmp_path):
    issue = made.put(tmp_path)
    text = word_text(docx.Document(io.BytesIO(make(tmp_path, issue, "docx", "zh"))))
    assert f"{made.CREATED.astimezone(dt.timezone(dt.timedelta(hours=8))):%Y年%m月%d日}" in text

"""The Word document has the layout of GB/T 9704-2012, and its template is the city's to change."""

import io
import re
import zipfile

import docx
import pytest
from docx.oxml.ns import qn
from docx.shared import Mm, Pt

from dashboard.reports import story, word
from dashboard.reports.document import Maps
from dashboard.reports.faces import faces
from dashboard.reports.word_template import PATH, template
from data.issues import IssueError
from tests.dashboard.reports import made


@pytest.fixture(scope="module")
def document(tmp_path_factory):
    issue = made.put(tmp_path_factory.mktemp("home"))
    day = made.CREATED.date()
    return story.document(made.edition(), made.HEAD, issue, lang="zh", issued=day)


@pytest.fixture(scope="module")
def content(document):
    return word.render(document, made.outlines(), template=template(), at=made.CREATED)


@pytest.fixture(scope="module")
def file(content):
    return docx.Document(io.BytesIO(content))


def test_the_stored_template_is_the_one_that_is_made():
    def held(content):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return {name: archive.read(name) for name in archive.namelist()}

    assert held(PATH.read_bytes()) == held(template()), (
        "run python -m dashboard.reports.word_template"
    )


def test_the_page_is_that_of_an_official_document(file):
    page = file.sections[0]
    sides = (
        page.page_width,
        page.page_height,
        page.top_margin,
        page.bottom_margin,
        page.left_margin,
        page.right_margin,
    )
    assert [round(side / Mm(1)) for side in sides] == [210, 297, 37, 35, 28, 26]


@pytest.mark.parametrize(
    ("text", "face", "size"),
    [
        ("平安风险周报", "方正小标宋简体", 22),
        ("一、", "黑体", 16),
        ("颜色变化", "仿宋_GB2312", 16),
        ("抄送：市委办、市政府办", "仿宋_GB2312", 14),
    ],
)
def test_faces_and_sizes_are_the_prescribed_ones(file, text, face, size):
    style = next(one for one in file.paragraphs if text in one.text).style
    assert style.font.size == Pt(size)
    assert style.element.rPr.rFonts.get(qn("w:eastAsia")) == face


def test_body_lines_are_twenty_two_a_page_and_indented_by_two_signs(file):
    layout = next(one for one in file.paragraphs if "颜色变化" in one.text).style
    assert int(Mm(225) / layout.paragraph_format.line_spacing) == 22
    assert layout.element.pPr.find(qn("w:ind")).get(qn("w:firstLineChars")) == "200"


def test_each_font_has_a_name_that_other_machines_know(content):
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        table = archive.read("word/fontTable.xml").decode()
    for one in faces().values():
        assert re.search(f'w:name="{one.word}"[^>]*><w:altName w:val="{one.alias}"', table)


def test_page_numbers_stand_outside(file):
    assert file.settings.odd_and_even_pages_header_footer
    for footer, side in ((file.sections[0].footer, 2), (file.sections[0].even_page_footer, 0)):
        number = footer.paragraphs[0]
        assert number.alignment == side
        assert "PAGE" in number._p.xml


def test_headings_of_tables_are_repeated_and_rows_not_torn(file):
    for table in file.tables[1:]:
        marks = [row._tr.trPr.find(qn("w:tblHeader")) is not None for row in table.rows]
        assert marks == [True] + [False] * (len(marks) - 1)
        assert all(row._tr.trPr.find(qn("w:cantSplit")) is not None for row in table.rows)


def test_coloured_cells_have_the_tint_and_say_the_colour(file, document):
    cells = [cell for table in file.tables for row in table.rows for cell in row.cells]
    red = [cell for cell in cells if cell.text.startswith("红")]
    assert red
    for cell in red:
        shade = cell._tc.tcPr.find(qn("w:shd"))
        assert shade.get(qn("w:fill")) == document.tints[4][1:].upper()


def test_the_map_fills_the_width_and_says_what_it_shows(file):
    shape = file.inline_shapes[0]
    assert shape.width == pytest.approx(Mm(156), rel=0.001)
    assert "红 1 个、橙 1 个、黄 0 个、蓝 1 个、灰 1 个" in shape._inline.docPr.get("descr")


def test_a_map_that_nobody_drew_is_told_in_words(document):
    outlines = made.outlines()
    outlines.levels.clear()
    content = word.render(document, outlines, template=template(), at=made.CREATED)
    file = docx.Document(io.BytesIO(content))
    assert not file.inline_shapes
    text = "".join(one.text for one in file.paragraphs)
    assert "4 个区域没有边界数据" in text
    assert "红 1 个、橙 1 个" in text
    assert any(isinstance(one, Maps) for one in document.blocks)


def changed(find, put):
    """The template with another text."""
    own = docx.Document(io.BytesIO(template()))
    paragraph = next(one for one in own.paragraphs if find in one.text)
    paragraph.text = put
    stream = io.BytesIO()
    own.save(stream)
    return stream.getvalue()


def test_the_default_template_passes_its_own_check():
    word.check_template(template())


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (changed("{{ body }}", "nothing"), "{{ body }}"),
        (changed("{{ number }}", "{{ number.__class__.__mro__ }}"), "cannot be filled in"),
        (changed("{{ number }}", "{% if number %}"), "cannot be filled in"),
        (b"no archive", "cannot be filled in"),
    ],
)
def test_a_template_that_would_fail_is_refused(content, said):
    with pytest.raises(IssueError, match=re.escape(said)):
        word.check_template(content)


def test_a_template_without_our_styles_still_holds_the_report(document):
    plain = docx.Document()
    plain.add_paragraph("{{ title }}")
    plain.add_paragraph("{{ body }}")
    stream = io.BytesIO()
    plain.save(stream)
    content = word.render(document, made.outlines(), template=stream.getvalue(), at=made.CREATED)
    file = docx.Document(io.BytesIO(content))
    assert file.paragraphs[0].text == document.title
    assert len(file.tables) == 4

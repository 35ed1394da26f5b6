"""
Make `templates/report.docx`, the default template of the Word documents (GB/T 9704-2012).

The file is then a template as any city's own: styles say how each kind of paragraph looks, and
`{{ names }}` where the text goes. `python -m dashboard.reports.word_template` writes it anew.
"""

from __future__ import annotations

import datetime as dt
import io
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from docx import Document
from docx.enum.style import WD_STYLE_TYPE
from docx.enum.text import WD_ALIGN_PARAGRAPH, WD_LINE_SPACING, WD_TAB_ALIGNMENT
from docx.oxml import OxmlElement, parse_xml
from docx.oxml.ns import nsdecls, qn
from docx.shared import Mm, Pt, RGBColor

from dashboard.reports.faces import faces
from dashboard.reports.printed import dated

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from docx.document import Document as Word

    from dashboard.reports.faces import Face

PATH: Final = Path(__file__).with_name("templates") / "report.docx"
MADE: Final = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)

RED: Final = RGBColor(0xD7, 0x00, 0x0F)
GREY: Final = RGBColor(0x59, 0x63, 0x70)
LINE_PT: Final = 28.95
"""Twenty-two lines on the 225 mm of the type area."""

Style = tuple[str, float, dict[str, Any]]
"""Its face, size in points, and layout."""

STYLES: Final[dict[str, Style]] = {
    "Normal": ("fang", 16, {}),
    "Heading 1": ("hei", 16, {"indent": 2, "keep": True, "after": 4}),
    "Heading 2": ("kai", 16, {"indent": 2, "keep": True}),
    "Report Masthead": ("song", 22, {"centre": True, "ink": RED, "before": 6, "spacing": 34}),
    "Report Number": ("fang", 16, {"centre": True}),
    "Report Issuer": ("fang", 16, {"after": 14}),
    "Report Subtitle": ("kai", 16, {"centre": True, "after": 8}),
    "Report Headline": ("hei", 16, {"indent": 2}),
    "Report Body": ("fang", 16, {"indent": 2}),
    "Report Annex": ("fang", 16, {"indent": 2, "before": 14}),
    "Report Table Title": ("hei", 12, {"centre": True, "keep": True, "before": 8, "spacing": 20}),
    "Report Table": ("fang", 10.5, {"spacing": 14}),
    "Report Figure": ("hei", 14, {"spacing": 20}),
    "Report Note": ("kai", 9, {"after": 6, "spacing": 13, "ink": GREY}),
    "Report Picture": ("fang", 9, {"centre": True, "before": 4, "spacing": 0}),
    "Report Copies": ("fang", 14, {"spacing": 24}),
    "Report Page": ("plain", 14, {"spacing": 18}),
    "Report Foot": ("plain", 7.5, {"centre": True, "spacing": 10, "ink": GREY}),
}
"""Styles by name."""

LEAD: Final = "Report Lead"
"""Character style of what a paragraph begins with."""


def template(
    styles: Mapping[str, Style] | None = None, body: Callable[[Word], None] | None = None
) -> bytes:
    """
    A template; the same program gives the same bytes.

    Parameters
    ----------
    styles
        Further styles than `STYLES`.
    body
        Writes what is to be filled in; by default that of the report.
    """
    made = Document()
    _pages(made)
    for name, (face, size, layout) in {**STYLES, **(styles or {})}.items():
        _style(made, name, faces()[face], size, **layout)
    lead: Any = made.styles.add_style(LEAD, WD_STYLE_TYPE.CHARACTER)
    lead.font.bold = True
    _fonts(lead.element.get_or_add_rPr(), faces()["hei"])
    _fallbacks(made)
    _without_picture(made)
    (body or _body)(made)
    for footer, is_odd in (
        (made.sections[0].footer, True),
        (made.sections[0].even_page_footer, False),
    ):
        footer.is_linked_to_previous = False
        _foot(footer, is_odd=is_odd)
    known = made.core_properties
    known.author, known.comments, known.title = "", "", ""
    known.created = known.modified = MADE.replace(tzinfo=None)
    stream = io.BytesIO()
    made.save(stream)
    return dated(stream.getvalue(), MADE)


def _pages(made: Word) -> None:
    """A4 with a type area of 156 by 225 mm; page numbers at the outer side."""
    page = made.sections[0]
    page.page_width, page.page_height = Mm(210), Mm(297)
    page.top_margin, page.bottom_margin = Mm(37), Mm(35)
    page.left_margin, page.right_margin = Mm(28), Mm(26)
    page.header_distance, page.footer_distance = Mm(15), Mm(13)
    made.settings.odd_and_even_pages_header_footer = True


def _style(
    made: Word,
    name: str,
    face: Face,
    size: float,
    *,
    indent: int = 0,
    centre: bool = False,
    keep: bool = False,
    before: float = 0,
    after: float = 0,
    spacing: float = LINE_PT,
    ink: RGBColor | None = None,
) -> None:
    """Set a style; `indent` in characters, `spacing` 0 = as high as its content."""
    styles: Any = made.styles
    known = name in [one.name for one in styles]
    style = styles[name] if known else styles.add_style(name, WD_STYLE_TYPE.PARAGRAPH)
    style.quick_style = True
    if name != "Normal":
        style.base_style = styles["Normal"]
    style.font.size, style.font.bold, style.font.italic = Pt(size), False, False
    style.font.color.rgb = ink or RGBColor(0, 0, 0)
    _fonts(style.element.get_or_add_rPr(), face)
    layout = style.paragraph_format
    layout.space_before, layout.space_after = Pt(before), Pt(after)
    layout.keep_with_next, layout.widow_control = keep, True
    layout.alignment = WD_ALIGN_PARAGRAPH.CENTER if centre else WD_ALIGN_PARAGRAPH.JUSTIFY
    if spacing:
        layout.line_spacing_rule, layout.line_spacing = WD_LINE_SPACING.EXACTLY, Pt(spacing)
    else:
        layout.line_spacing_rule = WD_LINE_SPACING.SINGLE
    layout.first_line_indent = Pt(indent * size)
    if indent:
        chars = style.element.pPr.find(qn("w:ind"))
        chars.set(qn("w:firstLineChars"), str(100 * indent))


def _fonts(properties: Any, face: Face) -> None:
    """Chinese and Latin font; without those of the theme, which would win."""
    fonts = properties.get_or_add_rFonts()
    for name in list(fonts.attrib):
        del fonts.attrib[name]
    for script in ("ascii", "hAnsi", "cs"):
        fonts.set(qn(f"w:{script}"), face.latin)
    fonts.set(qn("w:eastAsia"), face.word)
    fonts.set(qn("w:hint"), "eastAsia")


def _fallbacks(made: Word) -> None:
    """Name the fonts that stand in where a machine lacks one."""
    rows = "".join(
        f'<w:font w:name="{one.word}"><w:altName w:val="{one.alias}"/><w:charset w:val="86"/>'
        '<w:family w:val="auto"/><w:pitch w:val="variable"/></w:font>'
        for one in faces().values()
    )
    table = f'<?xml version="1.0" encoding="UTF-8"?>\n<w:fonts {nsdecls("w")}>{rows}</w:fonts>'
    for part in made.part.package.iter_parts():
        if str(part.partname) == "/word/fontTable.xml":
            part._blob = table.encode()  # noqa: SLF001 - it has no other way in
    language: Any = made.styles.element.find(f".//{qn('w:lang')}")
    language.set(qn("w:eastAsia"), "zh-CN")


def _without_picture(made: Word) -> None:
    """Drop the small picture of an empty page that the library's own template brings."""
    relations = made.part.package.rels
    for name in [key for key, one in relations.items() if one.reltype.endswith("/thumbnail")]:
        relations.pop(name)


def _body(made: Word) -> None:
    """Head, place of the report, annexes and copies."""
    made.add_paragraph("{{ title }}", "Report Masthead")
    made.add_paragraph("{{ number }}", "Report Number")
    issuer = made.add_paragraph("{{ publisher }}\t{{ dated }}", "Report Issuer")
    issuer.paragraph_format.tab_stops.add_tab_stop(Mm(156), WD_TAB_ALIGNMENT.RIGHT)
    rule(issuer, bottom="D7000F", size=18)
    made.add_paragraph("{{ subtitle }}", "Report Subtitle")
    for name, style in (("correction", "Report Note"), ("headline", "Report Headline")):
        _where_told(made, name, style)
    made.add_paragraph("{{ body }}", "Report Body")
    _where_told(made, "annexes", "Report Annex")
    imprint(made)


def imprint(made: Word) -> None:
    """Copies and who printed it, between lines; left out where nobody gets a copy."""
    made.add_paragraph("{%p if copies %}", "Report Body")
    gap = made.add_paragraph("", "Report Body")
    gap.paragraph_format.keep_with_next = True
    copies = made.add_paragraph("{{ copies }}", "Report Copies")
    rule(copies, top="000000", bottom="000000", size=8)
    copies.paragraph_format.keep_with_next = True
    printed_by = made.add_paragraph("{{ imprint }}", "Report Copies")
    rule(printed_by, bottom="000000", size=8)
    made.add_paragraph("{%p endif %}", "Report Body")


def _where_told(made: Word, name: str, style: str) -> None:
    """A paragraph that is left out where there is nothing to tell."""
    made.add_paragraph("{%p if " + name + " %}", style)
    made.add_paragraph("{{ " + name + " }}", style)
    made.add_paragraph("{%p endif %}", style)


def rule(paragraph: Any, *, size: int, top: str = "", bottom: str = "") -> None:
    """Lines over and under a paragraph, in eighths of a point."""
    borders = OxmlElement("w:pBdr")
    for side, ink in (("top", top), ("bottom", bottom)):
        if ink:
            line = f'w:val="single" w:sz="{size}" w:space="4" w:color="{ink}"'
            borders.append(parse_xml(f"<w:{side} {nsdecls('w')} {line}/>"))
    properties = paragraph._p.get_or_add_pPr()  # noqa: SLF001 - borders have no other way in
    properties.insert_element_before(borders, *_AFTER_BORDERS)


_AFTER_BORDERS: Final = (
    "w:shd", "w:tabs", "w:suppressAutoHyphens", "w:kinsoku", "w:wordWrap", "w:overflowPunct",
    "w:topLinePunct", "w:autoSpaceDE", "w:autoSpaceDN", "w:bidi", "w:adjustRightInd",
    "w:snapToGrid", "w:spacing", "w:ind", "w:contextualSpacing", "w:mirrorIndents",
    "w:suppressOverlap", "w:jc", "w:textDirection", "w:textAlignment", "w:textboxTightWrap",
    "w:outlineLvl", "w:divId", "w:cnfStyle", "w:rPr", "w:sectPr", "w:pPrChange",
)  # fmt: skip
"""What the format's order of properties puts after the borders."""


def _foot(footer: Any, *, is_odd: bool) -> None:
    """Page number one character in from the outer side; notice, snapshot and mark below."""
    number = footer.paragraphs[0]
    number.style = "Report Page"
    number.alignment = WD_ALIGN_PARAGRAPH.RIGHT if is_odd else WD_ALIGN_PARAGRAPH.LEFT
    layout = number.paragraph_format
    layout.left_indent, layout.right_indent = (Pt(0), Pt(14)) if is_odd else (Pt(14), Pt(0))
    number.add_run("— ")
    for kind, text in (("begin", ""), ("", "PAGE"), ("separate", ""), (None, "1"), ("end", "")):
        run = number.add_run(text if kind is None else "")._r  # noqa: SLF001 - a field is XML
        if kind:
            run.append(parse_xml(f'<w:fldChar {nsdecls("w")} w:fldCharType="{kind}"/>'))
        elif kind == "":
            run.append(parse_xml(f"<w:instrText {nsdecls('w')}> {text} </w:instrText>"))
    number.add_run(" —")
    footer.add_paragraph("{{ foot }}", "Report Foot")


def main() -> int:
    """Write the template."""
    PATH.write_bytes(template())
    return 0


if __name__ == "__main__":
    sys.exit(main())

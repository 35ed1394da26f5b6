"""
Make `templates/letter.docx`, the layout of letters and slips (GB/T 9704-2012, form for letters).

Who issues it in red over a red line, the number at the right under it, the title, to whom it goes,
the text, who signs and when; the figures on a sheet of their own. `python -m
dashboard.letters.word_template` writes it anew.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.shared import Pt

from dashboard.reports import word_template
from dashboard.reports.word_template import RED, rule

if TYPE_CHECKING:
    from docx.document import Document as Word

PATH: Final = Path(__file__).with_name("templates") / "letter.docx"

STYLES: Final[dict[str, word_template.Style]] = {
    "Letter Masthead": ("song", 30, {"centre": True, "ink": RED, "spacing": 44, "after": 6}),
    "Letter Number": ("fang", 16, {}),
    "Letter Title": ("song", 22, {"centre": True, "spacing": 34, "before": 14, "after": 14}),
    "Letter Addressee": ("fang", 16, {}),
    "Letter Signature": ("fang", 16, {"keep": True}),
    "Letter Annex": ("hei", 16, {"keep": True, "after": 8}),
}


def template() -> bytes:
    """The template; the same program gives the same bytes."""
    return word_template.template(STYLES, _body)


def _body(made: Word) -> None:
    rule(made.add_paragraph("{{ publisher }}", "Letter Masthead"), bottom="D7000F", size=18)
    _right(made.add_paragraph("{{ number }}", "Letter Number"), characters=0)
    made.add_paragraph("{{ title }}", "Letter Title")
    made.add_paragraph("{{ addressee }}", "Letter Addressee")
    made.add_paragraph("{{ body }}", "Report Body")
    signature = made.add_paragraph("{{ publisher }}", "Letter Signature")
    signature.paragraph_format.space_before = Pt(30)
    _right(signature, characters=2)
    _right(made.add_paragraph("{{ dated }}", "Letter Signature"), characters=2)
    word_template.imprint(made)
    annex = made.add_paragraph("{{ annex_title }}", "Letter Annex")
    annex.paragraph_format.page_break_before = True
    made.add_paragraph("{{ annex }}", "Report Body")


def _right(paragraph: Any, *, characters: int) -> None:
    """At the right, some characters in from the edge."""
    paragraph.alignment = WD_ALIGN_PARAGRAPH.RIGHT
    paragraph.paragraph_format.right_indent = Pt(16 * characters)


def main() -> int:
    """Write the template."""
    PATH.parent.mkdir(exist_ok=True)
    PATH.write_bytes(template())
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""docs/methods.md says what the methods page says."""

from pathlib import Path

import pytest

from dashboard.pages.methods import SECTIONS, sections
from docs import methods_page


def test_the_page_in_the_docs_is_that_of_the_screen():
    assert methods_page.PAGE.read_text(encoding="utf-8") == methods_page.joined(), (
        "run `python -m docs.methods_page`"
    )


@pytest.mark.parametrize("language", ["zh", "en"])
def test_each_method_opens_with_a_sentence_for_a_leader_and_tells_its_weak_points(language):
    for one in sections(language):
        assert one.title, one.name
        assert "<blockquote>" in one.text, one.name
        assert {"zh": "薄弱", "en": "eak point"}[language] in one.text, one.name


def test_no_text_lies_unused():
    folder = Path(methods_page.__file__).parents[1] / "dashboard" / "methods"
    told = {f"{name}.{language}.md" for name in SECTIONS for language in ("zh", "en")}
    assert {path.name for path in folder.iterdir()} == told

"""Stored figures as they are printed."""

import pytest

from dashboard.command.evidence import Evidence
from dashboard.text import Words
from data.resources.kinds import facility_kinds


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_kinds_of_facilities_have_names(lang):
    words = Words(lang)
    evidence = Evidence(words, None, {})
    for code, kind in facility_kinds().items():
        assert evidence.value("kind", code) == words.pick(kind.name_zh, kind.name_en)


def test_a_kind_that_the_table_no_longer_has_is_told_by_its_code():
    assert Evidence(Words("zh"), None, {}).value("kind", "gone") == "gone"


def test_what_a_signal_compares_with_is_told_in_words():
    zh, en = (Evidence(Words(lang), None, {}) for lang in ("zh", "en"))
    assert zh.value("by", "ring") == "连同相邻区域"
    assert en.value("by", "area") == "in the area itself"
    assert en.value("by", "gone") == "gone"

"""Names found by the letters of their pinyin."""

import pytest

from dashboard import pinyin


@pytest.mark.parametrize(
    "letters", ["xigu", "xgq", "xigq", "xiguqu", "xguq", "gu", "guq", "q", "xi"]
)
def test_letters_find_a_name(letters):
    assert pinyin.matches(letters, "西固区")


@pytest.mark.parametrize("letters", ["xq", "gx", "xiguqux", "xing", "quxi", "z"])
def test_other_letters_do_not(letters):
    assert not pinyin.matches(letters, "西固区")


def test_every_reading_of_a_character_counts():
    assert pinyin.matches("chongqing", "重庆")
    assert pinyin.matches("zhongqing", "重庆")
    assert pinyin.matches("lv", "绿园街道") or pinyin.matches("lu", "绿园街道")


def test_names_of_mixed_script_keep_their_letters_and_figures():
    assert pinyin.matches("dawan3", "大湾3组")
    assert pinyin.matches("a2q", "A2区")
    assert not pinyin.matches("b", "A2区")

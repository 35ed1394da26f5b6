import re
from pathlib import Path

import pytest

import dashboard
from dashboard.text import Words, catalogue

PACKAGE = Path(dashboard.__file__).parent
MODULES = sorted(PACKAGE.rglob("*.py"))
CJK = re.compile(r"[\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef]")


def test_every_key_has_two_texts_with_the_same_fields():
    for key, (chinese, english) in catalogue().items():
        assert chinese, key
        assert english, key
        fields = [set(re.findall(r"\{(\w+)", text)) for text in (chinese, english)]
        assert fields[0] == fields[1], key


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.name)
def test_no_module_holds_chinese(path):
    assert not CJK.findall(path.read_text(encoding="utf-8"))


def test_every_key_is_used():
    code = "\n".join(path.read_text(encoding="utf-8") for path in MODULES)
    patterns = [re.escape(name) for name in re.findall(r'f"([a-z0-9_{}().]+)"', code)]
    named = set(re.findall(r'"([a-z0-9_]+)"', code))
    for key in catalogue():
        made = any(re.fullmatch(re.sub(r"\\\{.*?\\\}", ".*", pattern), key) for pattern in patterns)
        assert key in named or made, key


def test_words_fill_their_fields():
    assert Words("en")("periods_week_choice", n=4) == "4 wk"
    with pytest.raises(KeyError):
        Words("zh")("no such key")


def test_a_name_without_english_stays_chinese():
    assert Words("en").pick("市", "") == "市"
    assert Words("en").pick("市", "City") == "City"

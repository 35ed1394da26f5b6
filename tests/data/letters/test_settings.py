import pytest

from data.letters.kinds import KINDS
from data.letters.settings import (
    FILE,
    RULES,
    LetterSettingsError,
    read_letter_settings,
)
from geo.divisions import LEVELS


def test_the_default_knows_every_kind_rule_and_level():
    found = read_letter_settings(None)
    assert tuple(found.codes) == KINDS
    assert tuple(one.name for one in found.rules) == RULES
    for level in LEVELS:
        assert found.addressee(level, 0) is not None
    assert found.addressee("county", 4).name_zh.startswith("中共")
    assert found.addressee("county", 3).name_zh == "{area}平安建设领导小组办公室"


def test_a_citys_own_copy_goes_first(tmp_path):
    text = _default().replace("平安提示", "某安提示")
    (tmp_path / FILE).write_text(text, encoding="utf-8")
    assert read_letter_settings(tmp_path).codes["reminder"][0] == "某安提示"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('name = "red"', 'name = "purple"', "rule 'purple': `name` must be one of"),
        ('letter = "notice"', 'letter = "feedback"', "`letter` must be one of reminder"),
        ("days = 3\n", "days = 0\n", "`days` 1 to 90"),
        ('level = "grid"', 'level = "street"', "addressee of 'street'"),
        ("{area}综治中心", "{area.code}综治中心", "no {} but area"),
        ('reminder = "平安提示"', 'reminder = "平安受理"', "the codes must differ"),
        ('name = "orange"', 'name = "red"', "every rule must stand once"),
        ("[code_zh]", "[code_xx]", "unknown key `code_xx`"),
        ("[code_zh]", "[[", "is no TOML"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said(tmp_path, old, new, said):
    assert old in _default()
    (tmp_path / FILE).write_text(_default().replace(old, new, 1), encoding="utf-8")
    with pytest.raises(LetterSettingsError) as told:
        read_letter_settings(tmp_path)
    assert said in str(told.value)


def _default():
    from importlib import resources

    return (resources.files("data") / "reference" / FILE).read_text(encoding="utf-8")

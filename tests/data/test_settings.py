from dataclasses import fields
from pathlib import Path

import pytest

from data.settings import PREFIX, Settings, SettingsError

ROOT = Path(__file__).resolve().parents[2]


def test_defaults_without_an_environment():
    assert Settings.from_env({}) == Settings()
    assert Settings().host == "127.0.0.1"
    assert not Settings().debug


def test_values_are_read_in_their_type():
    found = Settings.from_env(
        {"PINGAN_HOME": "/srv/pingan", "PINGAN_PORT": "80", "PINGAN_DEBUG": "1"}
    )
    assert (found.home, found.port, found.debug) == (Path("/srv/pingan"), 80, True)


def test_every_fault_is_told_at_once():
    with pytest.raises(SettingsError) as caught:
        Settings.from_env({"PINGAN_PROT": "80", "PINGAN_PORT": "eighty", "PINGAN_DEBUG": "maybe"})
    message = str(caught.value)
    assert "PINGAN_PROT is unknown" in message
    assert "PINGAN_PORT='eighty'" in message
    assert "PINGAN_DEBUG='maybe'" in message


@pytest.mark.parametrize("name", ["README.md", "README.zh-CN.md"])
def test_the_readme_names_every_setting_and_its_default(name):
    text = (ROOT / name).read_text(encoding="utf-8")
    for item in fields(Settings):
        row = f"| `{PREFIX}{item.name.upper()}` | `{item.default}` |"
        assert row in text, row

"""Settings of clocks and effects: defaults, a city's own, and every fault at once."""

import math
from pathlib import Path

import pytest

from data.analysis_settings import DEFAULTS, AnalysisSettingsError
from data.clock_settings import STEPS, read_clock_settings
from data.effect_settings import read_effect_settings

DEFAULT = (DEFAULTS / "clocks.toml").read_text(encoding="utf-8")


def own(folder, name, text):
    (folder / "analysis").mkdir()
    (folder / "analysis" / name).write_text(text, encoding="utf-8")
    return folder


def test_the_defaults_are_one_two_three_and_seven_days():
    settings = read_clock_settings(Path("none"), time_zone="Asia/Shanghai")
    found = {clock.name: clock for clock in settings.clocks}
    assert [found[name].allowed[1] for name in ("dispatch", "sign", "resolve", "archive")] == [
        1,
        2,
        3,
        7,
    ]
    assert found["risk"].allowed[1:] == (7, 3, 1, 1)
    assert math.isnan(found["risk"].allowed[0])
    assert [name for name, clock in found.items() if clock.own_deadline] == ["resolve"]
    steps = [(STEPS[clock.start], STEPS[clock.end]) for clock in settings.clocks]
    assert steps[:2] == [("received", "dispatched"), ("dispatched", "signed")]
    assert steps[2:4] == [("signed", "resolved"), ("resolved", "archived")]


def test_a_group_may_have_its_own_allowance(tmp_path):
    text = DEFAULT + '\n[[override]]\ngroup = "disputes"\nclock = "resolve"\nallowed = 30\n'
    settings = read_clock_settings(own(tmp_path, "clocks.toml", text), time_zone="Asia/Shanghai")
    resolve = settings.clocks[2]
    assert settings.allowed(resolve, "disputes") == (30.0,) * 5
    assert settings.allowed(resolve, "police") == (3.0,) * 5


def test_every_fault_of_the_clocks_is_listed(tmp_path):
    text = DEFAULT.replace('days = "calendar"', 'days = "lunar"\nmystery = 1')
    text = text.replace('start = "dispatched"\nend = "signed"', 'start = "signed"\nend = "signed"')
    text = text.replace("allowed = 7\n", "allowed = 0\n").replace("[7, 3, 1, 1]", "[7, 3]")
    text += '\n[[override]]\ngroup = "gossip"\nclock = "nap"\nallowed = 3\n'
    with pytest.raises(AnalysisSettingsError) as raised:
        read_clock_settings(own(tmp_path, "clocks.toml", text), time_zone="Asia/Shanghai")
    for fault in (
        "mystery",
        "'lunar'",
        "later step",
        "above 0",
        "each severity",
        "'gossip'",
        "'nap'",
    ):
        assert fault in str(raised.value), fault


def test_windows_of_effects_follow_the_grain():
    weeks = read_effect_settings(Path("none"), grain="week")
    months = read_effect_settings(Path("none"), grain="month")
    assert (weeks.matching, weeks.before, weeks.excluded, weeks.after) == (26, 26, 8, 12)
    assert (months.matching, months.before, months.excluded, months.after) == (6, 6, 2, 3)
    assert {kind.name for kind in weeks.kinds} >= {"patrol", "lighting", "other"}


def test_faults_of_effects_are_listed(tmp_path):
    text = (DEFAULTS / "effect.toml").read_text(encoding="utf-8")
    text = text.replace("after = 12", "after = 0").replace('name = "lighting"', 'name = "patrol"')
    with pytest.raises(AnalysisSettingsError, match=r"names must differ[\s\S]*`after`"):
        read_effect_settings(own(tmp_path, "effect.toml", text), grain="week")

import shutil

import pytest

from data.analysis_settings import DEFAULTS, AnalysisSettingsError
from data.index_file import read_index_settings


@pytest.fixture
def city(tmp_path):
    (tmp_path / "analysis").mkdir()
    shutil.copy(DEFAULTS / "index.toml", tmp_path / "analysis" / "index.toml")
    return tmp_path


def changed(city, old, new):
    path = city / "analysis" / "index.toml"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return city


def test_the_default_holds_six_dimensions_and_28_indicators(tmp_path):
    found = read_index_settings(tmp_path)
    assert [one.weight for one in found.dimensions] == [0.25, 0.25, 0.20, 0.10, 0.15, 0.05]
    assert [one.id for one in found.indicators] == list(range(1, 29))
    leads = [one.id for one in found.indicators if one.lead]
    assert leads == [1, 7, 13, 17, 20, 26]
    assert found.severity_weights[1:] == (1, 2, 4, 8)
    assert [found.span(level, "week").baseline for level in ("county", "grid")] == [15, 48]
    assert [found.span(level, "week").periods for level in ("county", "grid")] == [1, 4]


def test_bands_and_gates_are_those_of_the_method(tmp_path):
    found = read_index_settings(tmp_path)
    assert found.colours.edges == (10, 20, 30)
    assert found.colours.gates == (0.20, 0.05, 0.01)
    assert found.curve.ratio == (0, 1.1, 1.3, 1.5, 3)
    assert found.curve.points == (0, 10, 20, 30, 100)
    assert found.palette.names_zh == ("蓝", "黄", "橙", "红")


def test_a_city_may_choose_another_palette(city):
    found = read_index_settings(
        changed(
            city, 'shown_palette = "red_orange_yellow_blue"', 'shown_palette = "red_orange_green"'
        )
    )
    assert found.palette.names_zh == ("绿", "绿", "橙", "红")


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("missing_limit = 0.4", 'missing_limit = "much"', "`missing_limit` must be of type"),
        ("missing_limit = 0.4", "", "`missing_limit` is missing"),
        ("missing_limit = 0.4", "missing_limit = 0.4\nmood = 3", "unknown key `mood`"),
        ("weight = 0.25", "weight = 0.35", "must add up to 1"),
        ("lead = true", "lead = false", "must have one lead"),
        ('measure = "weighted"', 'measure = "guessed"', "`measure` is 'guessed'"),
        ("id = 28", "id = 29", "numbered 1 to 28"),
        ("ratio = [0.0, 1.1, 1.3, 1.5, 3.0]", "ratio = [0.0, 1.1, 1.3, 1.2, 3.0]", "and rise"),
        ("edges = [10.0, 20.0, 30.0]", "edges = [10.0, 20.0]", "`edges` must be 3 numbers"),
        (
            'shown_palette = "red_orange_yellow_blue"',
            'shown_palette = "grey"',
            "none of the palettes",
        ),
        ('levels = ["community", "grid"]', 'levels = ["grid"]', "must name each level once"),
        ("severity_weights = [1.0, ", "severity_weights = [", "must be 5 numbers"),
    ],
)
def test_every_fault_is_told(city, old, new, told):
    with pytest.raises(AnalysisSettingsError, match=told):
        read_index_settings(changed(city, old, new))


def test_all_faults_are_told_at_once(city):
    changed(city, "weight = 0.25", "weight = 0.35")
    changed(city, "id = 28", "id = 29")
    with pytest.raises(AnalysisSettingsError) as raised:
        read_index_settings(city)
    assert "must add up to 1" in str(raised.value)
    assert "numbered 1 to 28" in str(raised.value)

import json

import pytest

from data.analysis_settings import DEFAULTS, AnalysisSettingsError, read_group_list
from data.clock_settings import read_clock_settings
from data.index_file import read_index_settings
from data.shown_settings import settings_entry, settings_from
from data.signal_settings import read_signal_settings


@pytest.fixture
def city(tmp_path):
    """A city folder with its own weights and its own palette."""
    own = tmp_path / "analysis"
    own.mkdir()
    text = (DEFAULTS / "index.toml").read_text(encoding="utf-8")
    text = text.replace("pseudo_count = 2.0", "pseudo_count = 2.1")
    text = text.replace("red_orange_yellow_blue", "red_orange_yellow_green", 1)
    (own / "index.toml").write_text(text, encoding="utf-8")
    return tmp_path


def stored(folder):
    """The entry as it comes back from the manifest."""
    return json.loads(json.dumps(settings_entry(folder), ensure_ascii=False))


def test_the_manifest_gives_the_index_settings_of_the_city_folder(city, tmp_path_factory):
    shown = settings_from(stored(city))
    assert shown.index == read_index_settings(city)
    assert shown.index.pseudo_count == 2.1
    assert shown.index.palette.name == "red_orange_yellow_green"
    default = tmp_path_factory.mktemp("default")
    assert settings_from(stored(default)).index == read_index_settings(default) != shown.index


def test_names_are_those_of_the_files(city):
    shown = settings_from(stored(city))
    groups = read_group_list(city)
    clocks = read_clock_settings(city, time_zone="Asia/Shanghai").clocks
    colours = read_signal_settings(city).colours
    assert shown.groups == {one.name: (one.name_zh, one.name_en) for one in groups}
    assert shown.clocks == {one.name: (one.name_zh, one.name_en) for one in clocks}
    assert shown.signals == {one.number: (one.name_zh, one.name_en) for one in colours}


def test_a_file_that_cannot_be_used_gives_no_entry(city):
    path = city / "analysis" / "index.toml"
    text = path.read_text(encoding="utf-8").replace("#dc5049", "url(//x)")
    path.write_text(text, encoding="utf-8")
    with pytest.raises(AnalysisSettingsError, match=r"write tints as #rrggbb"):
        settings_entry(city)


def test_an_entry_of_another_form_is_refused(city):
    entry = stored(city)
    del entry["index"]["pseudo_count"]
    with pytest.raises(AnalysisSettingsError, match=r"`pseudo_count` is missing"):
        settings_from(entry)

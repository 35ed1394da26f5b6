"""hotspots.toml: the default is whole, and every fault of a city's own file is told."""

import pytest

from data.analysis_settings import DEFAULTS, FOLDER, AnalysisSettingsError
from etl.analyse.hotspots.emerging import GROUPS
from etl.analyse.hotspots.settings import FILE, read_settings


def own(folder, text):
    (folder / FOLDER).mkdir()
    (folder / FOLDER / FILE).write_text(text, encoding="utf-8")
    return folder


def test_the_default():
    found = read_settings()
    assert found.resolutions == (7, 8, 9)
    assert found.window("week") == 4
    assert found.window("month") == 1
    assert found.names["more"] == ("超出预期", "More than expected")
    assert set(GROUPS[1:]) <= set(found.names)


def test_a_city_may_have_its_own(tmp_path):
    text = (
        (DEFAULTS / FILE)
        .read_text(encoding="utf-8")
        .replace("window_weeks = 4", "window_weeks = 2")
    )
    assert read_settings(own(tmp_path, text)).window("week") == 2


def test_every_fault_is_told(tmp_path):
    text = (DEFAULTS / FILE).read_text(encoding="utf-8")
    for good, bad in (
        ("window_weeks = 4", "window_weeks = 0"),
        ("resolutions = [7, 8, 9]", "resolutions = [9, 10]"),
        ("much_probability = 0.95", "much_probability = 1.5"),
        ("near_days = [7, 14, 28]", 'near_days = [7, "x"]'),
        ("near_metres = [100, 200, 400, 800]", "near_metres = [200, 100]"),
        ("scan_replicas = 99", "scan_replica = 99"),
        ('name = "more"', 'name = "most"'),
    ):
        text = text.replace(good, bad)
    with pytest.raises(AnalysisSettingsError) as told:
        read_settings(own(tmp_path, text))
    for part in (
        "unknown key `scan_replica`", "`scan_replicas` is missing", "`window_weeks` must be positive",
        "`resolutions` may hold 6 to 9", "`much_probability` must be below 1",
        "`near_days` must hold whole numbers", "`near_metres` must rise", "layer: name each of",
    ):  # fmt: skip
        assert part in str(told.value)

from pathlib import Path

import pytest

from data.city import CityError, folder_hash, read_city

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT.parent / "shared" / "data"

CITY = """
code = "T"
name_zh = "测试"
name_en = "Test"
time_zone = "Asia/Shanghai"
grain = "week"
exposure = "area_km2"
data_root = "@home/source"
window = 2
cell_bands = [1.0, 2.0]
"""
AREAS = """
[[level]]
level = "city"
name_zh = "市"
name_en = "City"
file = "city.geojson"
"""
SOURCES = """
title_zh = "电话"
title_en = "Calls"
files = ["calls.csv"]
format = "csv"
time_zone = "Asia/Shanghai"
time_format = "%Y-%m-%d"
frame = "GCJ-02"
channel = "hotline"
origin = "reported"
[columns]
occurred_at = "when"
category = "kind"
"""
CATEGORIES = "code,parent_code,name_zh,name_en\nA,,甲,A\nA1,A,甲一,A one\n"


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "home" / "source").mkdir(parents=True)
    for name in ("city.geojson", "calls.csv"):
        (tmp_path / "home" / "source" / name).touch()
    files = {
        "city.toml": CITY, "areas.toml": AREAS, "sources/calls.toml": SOURCES, "categories.csv": CATEGORIES,
    }  # fmt: skip
    city = tmp_path / "city"
    (city / "sources").mkdir(parents=True)
    for name, text in files.items():
        (city / name).write_text(text, encoding="utf-8")
    return city


def change(folder, name, old, new):
    text = (folder / name).read_text(encoding="utf-8")
    assert old in text
    (folder / name).write_text(text.replace(old, new), encoding="utf-8")


def faults(folder):
    with pytest.raises(CityError) as caught:
        read_city(folder, home=folder.parent / "home")
    return str(caught.value)


def test_a_sound_folder_is_read_with_its_defaults(folder):
    home = folder.parent / "home"
    city = read_city(folder, home=home)
    assert (city.code, city.demo, city.notice_zh, city.as_of) == ("T", False, "", None)
    assert city.cell_bands == (1.0, 2.0)
    assert city.levels[0].file == home / "source" / "city.geojson"
    assert city.sources[0].files == (home / "source" / "calls.csv",)
    assert [(c.code, c.parent_code) for c in city.categories] == [("A", None), ("A1", "A")]
    assert city.input_files == [home / "source" / "city.geojson", home / "source" / "calls.csv"]


@pytest.mark.parametrize(
    ("name", "old", "new", "said"),
    [
        ("city.toml", "window = 2", 'window = 2\ncolour = "red"', "unknown key `colour`"),
        ("city.toml", "window = 2", "", "`window` is missing"),
        ("city.toml", "window = 2", "window = true", "`window` must be of type int"),
        ("city.toml", "window = 2", "window = 0", "`window` must be 1 or more"),
        ("city.toml", '"week"', '"day"', "write one of week, month"),
        ("city.toml", '"area_km2"', '"cars"', "`exposure` is 'cars'"),
        ("city.toml", "Asia/Shanghai", "Asia/Nowhere", "time zone 'Asia/Nowhere' is unknown"),
        ("city.toml", "[1.0, 2.0]", "[2.0, 1.0]", "rising numbers"),
        ("city.toml", 'code = "T"', "code = ", "is no TOML"),
        ("areas.toml", '"city.geojson"', '"other.geojson"', "does not exist"),
        ("areas.toml", 'level = "city"', 'level = "town"', "write one of city, county"),
        ("areas.toml", 'file = "city.geojson"', "", "either `file` or `dissolve`"),
        ("areas.toml", 'file = "city.geojson"', 'dissolve = "grid"', "only be dissolved from None"),
        ("areas.toml", "[[level]]", "[[area]]", "unknown key `area`"),
        ("sources/calls.toml", "GCJ-02", "GCJ-03", "frame 'GCJ-03' is unknown"),
        ("sources/calls.toml", '"reported"', '"heard"', "write one of reported, discovered"),
        ("sources/calls.toml", 'category = "kind"', "", "must name `category`"),
        ("sources/calls.toml", 'category = "kind"', 'category = "kind"\nname = "who"', "column `name`"),
        ("sources/calls.toml", 'category = "kind"', 'category = "kind"\nlng = "x"', "both `lng` and `lat`"),
        ("sources/calls.toml", 'category = "kind"', 'category = "kind"\n[category_codes]\nx = "Z"', "['Z']"),
        ("sources/calls.toml", 'category = "kind"', 'category = "kind"\n[severity_codes]\nx = 5', "none of 1, 2, 3, 4"),
        ("categories.csv", "A1,A,", "A1,Q,", "no top category"),
        ("categories.csv", "code,", "id,", "the header must be"),
    ],
)  # fmt: skip
def test_a_fault_is_named(folder, name, old, new, said):
    change(folder, name, old, new)
    assert said in faults(folder)


def test_all_faults_are_named_at_once(folder):
    change(folder, "city.toml", '"week"', '"day"')
    change(folder, "areas.toml", '"city.geojson"', '"other.geojson"')
    change(folder, "sources/calls.toml", "GCJ-02", "GCJ-03")
    change(folder, "categories.csv", "A1,A,", "A1,Q,")
    told = faults(folder).splitlines()
    assert len(told) == 5


def test_a_missing_file_of_the_folder_is_named(folder):
    (folder / "areas.toml").unlink()
    assert "lacks areas.toml" in faults(folder)


def test_the_hash_follows_the_content(folder):
    before = folder_hash(folder)
    assert before == folder_hash(folder)
    change(folder, "city.toml", "window = 2", "window = 3")
    assert folder_hash(folder) != before


@pytest.mark.parametrize("name", ["merseyside", "chicago"])
def test_the_real_cities_are_sound(name, tmp_path):
    if not (DATA / name).is_dir():
        pytest.skip(f"the real data of {name} is not beside this repository")
    city = read_city(ROOT / "tests" / "cities" / name, home=tmp_path)
    assert city.levels[0].level == "city"
    assert {category.code for category in city.categories} >= set(
        city.sources[0].category_codes.values()
    )

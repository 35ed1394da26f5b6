"""Code lists: areas that are counted by code although nobody has drawn them."""

import json

import numpy as np
import pytest
import shapely

from data.city import CityError, read_city
from etl.boundaries import cut_level_tiles, read_boundaries
from etl.listed import CodeListError, describe_without_polygon, without_polygon
from geo.divisions import DivisionError

CITY = """
code = "6201"
name_zh = "测试市"
name_en = "Test City"
time_zone = "Asia/Shanghai"
grain = "week"
exposure = "area_km2"
window = 2
cell_bands = [1.0]
"""
SOURCE = """
title_zh = "电话"
title_en = "Calls"
format = "rows"
time_zone = "Asia/Shanghai"
time_format = "%Y-%m-%d"
frame = "EPSG:4326"
channel = "hotline"
origin = "reported"
[columns]
occurred_at = "when"
category = "kind"
"""
TOWNSHIPS = """code,name,areaCode
620171101,中川镇,620171
620102001,酒泉路街道,620102
620103001,西园街道,620103
620171102,秦川镇,620171
"""
AREAS = """
[[level]]
level = "city"
name_zh = "全市"
name_en = "City"
dissolve = "county"
[[level]]
level = "county"
name_zh = "区县"
name_en = "County"
file = "counties.geojson"
[level.columns]
code = "code"
[level.codes]
file = "counties.csv"
prefix = "6201"
[level.codes.columns]
code = "代码"
name = "名称"
[[level]]
level = "township"
name_zh = "乡镇街道"
name_en = "Township"
file = "townships.geojson"
[level.columns]
code = "code"
[level.codes]
file = "townships.csv"
[level.codes.columns]
code = "code"
name = "name"
parent_code = "areaCode"
"""


def write_shapes(path, codes):
    features = [
        {
            "type": "Feature",
            "properties": {"code": code},
            "geometry": json.loads(shapely.to_geojson(shapely.box(west, 36.0, west + 0.1, 36.1))),
        }
        for west, code in zip((103.0, 103.1), codes, strict=True)
    ]
    path.write_text(
        json.dumps({"type": "FeatureCollection", "features": features}), encoding="utf-8"
    )


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "sources").mkdir()
    for name, text in (
        ("city.toml", CITY),
        ("areas.toml", AREAS),
        ("categories.csv", "code,parent_code,name_zh,name_en\nA,,甲,A\n"),
        ("sources/calls.toml", SOURCE),
        ("counties.csv", "代码,名称\n120101,和平区\n620102,城关区\n620103,\n620171,兰州新区\n"),
        (
            "townships.csv",
            TOWNSHIPS,
        ),
    ):
        (tmp_path / name).write_text(text, encoding="utf-8-sig" if ".csv" in name else "utf-8")
    write_shapes(tmp_path / "counties.geojson", ["620102", "620103"])
    write_shapes(tmp_path / "townships.geojson", ["620102001", "620103001"])
    return tmp_path


def change(folder, name, old, new):
    path = folder / name
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def built(folder):
    return read_boundaries(read_city(folder, home=folder))


def test_areas_of_the_list_stand_beside_those_with_polygons(folder):
    found = built(folder)
    counties, townships = found.level_areas("county"), found.level_areas("township")
    assert counties["code"].tolist() == ["620102", "620103", "620171"]
    assert townships["code"].tolist() == ["620102001", "620103001", "620171101", "620171102"]
    assert found.parents("township").tolist() == [0, 1, 2, 2]
    assert without_polygon(found.geometries) == {"county": 1, "township": 2}


def test_names_and_parents_come_from_the_list_where_the_file_has_none(folder):
    found = built(folder)
    assert found.level_areas("county")["name"].tolist() == ["城关区", "620103", "兰州新区"]
    townships = found.level_areas("township")
    assert townships["name"].tolist() == ["酒泉路街道", "西园街道", "中川镇", "秦川镇"]
    assert townships["parent_code"].tolist() == ["620102", "620103", "620171", "620171"]


def test_an_area_without_polygon_has_no_extent_and_no_exposure(folder):
    rows = built(folder).areas
    undrawn = rows["code"].str.startswith("620171")
    ground = ["area_km2", "exposure", "lng", "lat", "west", "south", "east", "north"]
    assert rows.loc[undrawn, ground].isna().all(axis=None)
    assert rows.loc[~undrawn, ground].notna().all(axis=None)


def test_an_area_without_polygon_is_in_no_tile_and_bounds_nothing(folder):
    found = built(folder)
    assert cut_level_tiles(found, folder, level="county")[0].is_file()
    assert shapely.bounds(found.limits) == pytest.approx([102.94, 35.95, 103.26, 36.15], abs=0.01)


def test_the_list_s_file_is_an_input_of_the_city(folder):
    names = [path.name for path in read_city(folder, home=folder).input_files]
    assert names == ["counties.geojson", "townships.geojson", "counties.csv", "townships.csv"]


def test_the_version_follows_the_list(folder):
    before = built(folder).version
    change(folder, "townships.csv", "秦川镇", "秦王川镇")
    assert built(folder).version != before


def test_the_report_is_one_line():
    shapes = {"county": np.array([shapely.Polygon()], dtype=object)}
    assert without_polygon(shapes) == {"county": 1}
    counts = {"county": 1, "township": 4, "community": 1088}
    wanted = "areas without polygon: 1 county, 4 townships, 1,088 communities"
    assert describe_without_polygon(counts) == wanted
    assert describe_without_polygon({}) == ""


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "620171102",
            "620171101",
            "township: townships.csv: 1 of 4 rows repeat a code (620171101); list each area once",
        ),
        ("areaCode", "parent", "township: townships.csv lacks the columns ['areaCode']"),
    ],
)
def test_unusable_lists_are_named(folder, old, new, message):
    change(folder, "townships.csv", old, new)
    with pytest.raises(CodeListError) as caught:
        built(folder)
    assert str(caught.value) == message


def test_a_list_of_other_cities_is_refused(folder):
    change(folder, "areas.toml", 'prefix = "6201"', 'prefix = "6209"')
    with pytest.raises(CodeListError, match=r"counties.csv has no code that starts with '6209'"):
        built(folder)


def test_parents_that_nobody_lists_are_named(folder):
    change(folder, "counties.csv", "620171,兰州新区\n", "")
    with pytest.raises(DivisionError, match=r"2 of \d+ rows have an unknown parent"):
        built(folder)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            'name = "名称"',
            'households = "户数"',
            r"\[level.codes.columns\] must name `code` and may",
        ),
        ('code = "代码"\n', "", r"\[level.codes.columns\] must name `code` and may"),
        ('"counties.csv"', '"none.csv"', r"codes: file .*none.csv does not exist"),
        ('prefix = "6201"', "begins = 6201", r"codes: unknown key `begins`"),
    ],
)
def test_faults_of_the_entry_are_in_the_words_of_the_file(folder, old, new, message):
    change(folder, "areas.toml", old, new)
    with pytest.raises(CityError, match=message):
        read_city(folder, home=folder)

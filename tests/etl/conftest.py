"""A toy city: four square grids of 0.1 degree in two counties, and one CSV ledger."""

import datetime as dt
import json
from types import SimpleNamespace

import pyarrow as pa
import pytest

from data import personal
from data.city import read_city
from etl.boundaries import read_boundaries
from etl.clean import Ground, clean
from etl.pipeline import Options, build
from etl.sources import read_chunks

CITY = """
code = "T"
name_zh = "测试市"
name_en = "Test City"
time_zone = "Asia/Shanghai"
grain = "week"
exposure = "population"
window = 2
cell_bands = [1.0, 2.0]
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
dissolve = "grid"

[[level]]
level = "grid"
name_zh = "网格"
name_en = "Grid"
file = "grid.geojson"
[level.columns]
code = "code"
parent_code = "parent"
population = "people"
valid_from = "from"
valid_to = "to"
"""
SOURCE = """
title_zh = "电话"
title_en = "Calls"
files = ["calls.csv"]
format = "csv"
time_zone = "Asia/Shanghai"
time_format = "%Y-%m-%d %H:%M"
frame = "EPSG:4326"
channel = "hotline"
origin = "reported"
[columns]
incident_id = "id"
occurred_at = "when"
category = "kind"
severity = "grade"
outcome = "result"
lng = "x"
lat = "y"
area_code = "grid"
"""
CATEGORIES = "code,parent_code,name_zh,name_en\nA,,甲,A\nA1,A,甲一,A one\nB,,乙,B\n"
HEADER = "id,when,kind,grade,result,x,y,grid\n"
NOW = dt.datetime(2026, 3, 1, 4, 0, tzinfo=dt.UTC)
# code, county, west, south, valid from, valid to
GRIDS = [
    ("W1", "W", 103.0, 36.0, "2025-01-01", None),
    ("W2", "W", 103.0, 36.1, "2025-01-01", None),
    ("E1", "E", 103.1, 36.0, "2025-01-01", None),
    ("E2", "E", 103.1, 36.1, "2025-01-01", "2026-02-01"),
    ("E3", "E", 103.1, 36.1, "2026-02-01", None),
]


def square(west, south, side=0.1):
    east, north = round(west + side, 6), round(south + side, 6)
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return {"type": "Polygon", "coordinates": [ring]}


def feature(grid):
    code, parent, west, south, start, end = grid
    properties = {"code": code, "parent": parent, "people": 1000.0, "from": start, "to": end}
    return {"type": "Feature", "properties": properties, "geometry": square(west, south)}


def write_grids(folder, grids=GRIDS):
    features = [feature(grid) for grid in grids]
    collection = {"type": "FeatureCollection", "features": features}
    (folder / "grid.geojson").write_text(json.dumps(collection), encoding="utf-8")


@pytest.fixture
def toy(tmp_path):
    return make_toy(tmp_path)


def make_toy(base):
    """The toy city's folder, with shortcuts to read, clean and build it."""
    folder = base / "city"
    (folder / "sources").mkdir(parents=True)
    for name, text in (
        ("city.toml", CITY),
        ("areas.toml", AREAS),
        ("sources/calls.toml", SOURCE),
        ("categories.csv", CATEGORIES),
    ):
        (folder / name).write_text(text, encoding="utf-8")
    write_grids(folder)
    home = base / "home"

    def write(lines):
        (folder / "calls.csv").write_text(HEADER + "\n".join(lines) + "\n", encoding="utf-8")

    def city():
        return read_city(folder, home=home)

    def cleaned(lines, now=NOW):
        """The good and the refused rows of the ledger, as the first pass sees them."""
        write(lines)
        found = city()
        built = read_boundaries(found)
        source = found.sources[0]
        chunks = list(read_chunks(source, source.files[0]))
        landed = pa.concat_tables([personal.without_personal(chunk.rows) for chunk in chunks])
        return clean(
            landed,
            source,
            found,
            ground=Ground(built.limits, built.codes, built.first_day),
            file=source.files[0].name,
            last_moment=now,
        )

    def change(name, old, new):
        text = (folder / name).read_text(encoding="utf-8")
        assert old in text
        (folder / name).write_text(text.replace(old, new), encoding="utf-8")

    def publish(lines=None, now=NOW, **options):
        if lines is not None:
            write(lines)
        return build(folder, home=home, now=now, options=Options(**options))

    write(["1,2026-01-05 10:00,A1,1,,103.05,36.05,"])
    return SimpleNamespace(
        folder=folder,
        home=home,
        write=write,
        city=city,
        cleaned=cleaned,
        change=change,
        publish=publish,
        write_grids=lambda grids: write_grids(folder, grids),
        now=NOW,
        grids=list(GRIDS),
    )

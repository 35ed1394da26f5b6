from pathlib import Path

import numpy as np
import pytest
import shapely

from etl.areas.load import load

LANZHOU = Path(__file__).resolve().parents[3].parent / "shared" / "data" / "lanzhou"


def kinds(report):
    return {finding.kind: finding for finding in report.findings}


def test_overlaps_and_gaps_name_their_codes_and_a_point_inside(office):
    office.load_above("grid")
    grids = office.files["grid"].copy()
    grids.loc[0, "geometry"] = shapely.transform(
        grids.geometry[0], lambda v: v + np.array([0.004, 0])
    )
    found = kinds(office.load("grid", grids))
    (overlap,) = found["overlap"].examples
    (gap,) = found["gap"].examples
    assert overlap == "620102001001001/620102001001002 0.8003 km² @ 103.622000,36.010000"
    assert gap == "620102001001 0.8003 km² @ 103.602000,36.010000"
    assert found["overlap"].km2 == pytest.approx(0.8003, abs=1e-4)
    assert "outside_parent" not in found


def test_slivers_are_warnings(office):
    office.load_above("grid")
    grids = office.files["grid"].copy()
    # Half a metre into the neighbour.
    grids.loc[0, "geometry"] = shapely.transform(
        grids.geometry[0], lambda v: v + np.array([5e-6, 0])
    )
    report = office.load("grid", grids)
    slivers = [finding for finding in report.findings if finding.kind == "sliver"]
    assert [finding.examples[0].split("/")[0] for finding in slivers] == ["overlap", "gap"]
    assert report.file is not None


def test_areas_outside_their_parent_and_the_city(office):
    office.load_above("grid")
    grids = office.files["grid"].copy()
    west = grids["编码"] == "620102001001001"
    grids.loc[west, "geometry"] = shapely.transform(
        grids.geometry[west].iloc[0], lambda v: v - [0.005, 0]
    )
    grids.loc[31, "geometry"] = shapely.box(120, 30, 120.1, 30.1)
    found = kinds(office.load("grid", grids))
    assert found["outside_parent"].count == 2
    assert found["outside_city"].examples == (grids["编码"][31],)
    assert found["beyond_city"].examples == ("620102001001001",)


def test_the_top_level_is_held_against_its_own_holes(office):
    counties = office.files["county"].copy()
    hole = counties.geometry[0].centroid.buffer(0.001, quad_segs=1)
    counties.loc[0, "geometry"] = counties.geometry[0].difference(hole)
    found = kinds(office.load("county", counties, dry_run=True))
    assert found["gap"].count == found["holes"].count == 1
    assert found["holes"].examples == ("620102",)


def test_what_the_ledger_says_is_compared(office):
    office.load_above("grid")
    grids = office.files["grid"].assign(户数=[299, 300, 500, 501] * 8, 面积=4.0)
    grids.loc[[5, 6], "面积"] = [4.3, float("nan")]
    columns = {
        "code": "编码", "name": "名称", "parent_code": "上级", "households": "户数",
        "area_km2": "面积",
    }  # fmt: skip
    report = office.load("grid", grids, columns=columns)
    found = kinds(report)
    assert found["households"].count == 16
    assert found["households"].examples[0] == "620102001001001 299"
    assert found["stated_area"].count == 1
    assert found["stated_area"].examples[0].endswith("≠ 4.3000 km²")
    assert office.stored("grid")["households"].tolist()[:4] == [299, 300, 500, 501]
    assert report.is_sound


@pytest.mark.parametrize(
    ("frame", "known"),
    [
        ("EPSG:4490", True), ("EPSG:4544", True), ("WGS84", True), ("EPSG:4326", True),
        ("EPSG:4610", False), ("EPSG:2343", False), ("EPSG:4214", False),
    ],
)  # fmt: skip
def test_a_datum_without_published_parameters_is_told(office, frame, known):
    counties = office.files["county"]
    if frame.startswith("EPSG:"):
        counties = counties.to_crs(frame)
    report = office.load("county", counties, frame=frame, dry_run=True)
    assert ("unknown_shift" not in kinds(report)) is known


def test_repaired_and_many_part_areas_are_told(office):
    office.load_above("grid")
    grids = office.files["grid"].copy()
    west, south, east, north = grids.geometry[0].bounds
    bow = shapely.Polygon([(west, south), (east, north), (east, south), (west, north)])
    grids.loc[0, "geometry"] = bow
    report = office.load("grid", grids, accept=["gap"])
    found = kinds(report)
    assert found["repaired"].examples[0].startswith("620102001001001: Self-intersection[")
    assert found["multi_part"].examples == ("620102001001001",)
    assert found["gap"].count == 2
    assert office.stored("grid").geometry.is_valid.all()


@pytest.mark.skipif(not LANZHOU.is_dir(), reason="the data of Lanzhou is not beside the project")
def test_lanzhou_counties_are_loaded_and_620171_is_told(office):
    options = {
        "folder": office.folder,
        "home": office.home,
        "frame": "GCJ-02",
        "columns": {"code": "adcode", "name": "name"},
    }
    assert load(LANZHOU / "lanzhou_city.geojson", level="city", **options).file is not None
    counties = LANZHOU / "lanzhou_counties.geojson"
    codes = LANZHOU / "codes_areas.csv"
    report = load(counties, level="county", code_list=codes, **options)
    assert report.file is not None
    assert report.parent_level == "city"
    assert kinds(report)["no_polygon"].examples == ("620171 兰州新区",)
    assert {finding.severity for finding in report.findings} <= {"warning", "note"}
    wrong = load(counties, level="county", dry_run=True, **options | {"frame": "WGS84"})
    assert "wrong_frame" in kinds(wrong)

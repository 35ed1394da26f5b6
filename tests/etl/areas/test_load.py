import datetime as dt
import json
from types import SimpleNamespace

import numpy as np
import pytest
import shapely

from data.city import _read_levels
from data.tables import parse_toml
from etl.areas.load import LoadError, load
from etl.areas.read import AreaFileError
from etl.areas.recut import RecutError
from etl.boundaries import read_boundaries
from geo import crs
from geo.allocation import build_crosswalk


def kinds(report):
    return {finding.kind: finding for finding in report.findings}


AREAS = '[[level]]\nlevel = "city"\ndissolve = "county"\n'
JULY = dt.date(2026, 7, 1)
AUGUST = dt.date(2026, 8, 1)


def test_a_sound_city_is_loaded_level_by_level(office):
    for level in ("county", "township", "community", "grid"):
        report = office.load(level, office.files[level])
        assert report.findings == ()
        assert report.file is not None
    levels = parse_toml(office.folder / "areas.toml", [])["level"]
    assert [level["level"] for level in levels] == [
        "city", "county", "township", "community", "grid",
    ]  # fmt: skip
    assert levels[4]["columns"] == {"code": "code", "name": "name", "parent_code": "parent_code"}
    assert (office.folder / "areas.toml").read_text(encoding="utf-8").startswith("# Kept by hand.")
    assert len(office.stored("grid")) == 32
    assert [report.is_sound for report in office.check()] == [True] * 4


def test_a_dry_run_and_a_faulty_file_write_nothing(office):
    before = (office.folder / "areas.toml").read_bytes()
    assert office.load("county", office.files["county"], dry_run=True).file is None
    twice = office.files["county"].iloc[[0, 0, 1]]
    report = office.load("county", twice)
    assert [finding.kind for finding in report.blocking] == ["duplicate_code", "overlap"]
    assert report.file is None
    assert (office.folder / "areas.toml").read_bytes() == before
    assert not (office.folder / "areas").exists()


def test_an_accepted_kind_does_not_block(office):
    office.load_above("grid")
    grids = office.files["grid"].iloc[1:]
    assert office.load("grid", grids).file is None
    report = office.load("grid", grids, accept=["gap"])
    assert report.is_sound
    assert report.file is not None
    assert "错误 已接受" in report.as_markdown()
    with pytest.raises(LoadError, match="cannot accept holes; errors are no_code,"):
        office.load("grid", grids, accept=["holes"])


def test_pieces_of_one_code_are_joined_when_accepted(office):
    office.load_above("grid")
    grids = office.files["grid"].copy()
    grids.loc[1, "编码"] = grids.loc[0, "编码"]
    report = office.load("grid", grids, accept=["duplicate_code"])
    assert report.file is not None
    stored = office.stored("grid")
    assert len(stored) == 31
    joined = stored.geometry[stored["code"] == grids.loc[0, "编码"]].iloc[0]
    assert joined.equals(shapely.union(*grids.geometry[:2]))


def test_a_level_is_replaced_where_no_date_is_given(office):
    office.load_above("grid")
    office.load("grid", office.files["grid"])
    text = (office.folder / "areas.toml").read_text(encoding="utf-8")
    office.load("grid", office.files["grid"].assign(名称="新"))
    assert set(office.stored("grid")["name"]) == {"新"}
    again = (office.folder / "areas.toml").read_text(encoding="utf-8")
    assert again.count("[[level]]") == text.count("[[level]]") == 5


def test_a_recut_ends_starts_and_keeps(office):
    office.load_above("grid")
    grids = office.files["grid"].copy()
    office.load("grid", grids)
    west, east = grids.geometry[0], grids.geometry[1]
    # The first is cut in two, the second renamed, the third and fourth trade ground.
    recut = grids.iloc[[0, *range(len(grids))]].reset_index(drop=True)
    recut.loc[[0, 1], "编码"] = ["620102001001005", "620102001001006"]
    recut.loc[[0, 1], "geometry"] = halves(west)
    recut.loc[2, "名称"] = "改名"
    recut.loc[[3, 4], "geometry"] = recut.geometry[[4, 3]].to_numpy()
    report = office.load("grid", recut, valid_from=JULY)

    assert report.changes == {"unchanged": 28, "updated": 1, "redrawn": 2, "new": 2, "ended": 1}
    assert kinds(report)["redrawn"].count == 2
    stored = office.stored("grid").set_index("code")
    assert stored.loc["620102001001001", "valid_to"] == JULY
    assert stored.loc["620102001001005", "valid_from"] == JULY
    renamed = stored.loc["620102001001002"]
    assert (renamed["name"], renamed["valid_from"], renamed["valid_to"]) == ("改名", None, None)
    assert renamed.geometry.equals(east)
    traded = stored.loc["620102001001003"]
    assert traded["valid_to"].tolist() == [JULY, None]
    assert traded["valid_from"].tolist() == [None, JULY]
    assert [report.is_sound for report in office.check()] == [True] * 4

    # The same file again changes nothing; an abolished code must not come back.
    again = office.load("grid", recut, valid_from=AUGUST)
    assert again.changes == {"unchanged": 32 + 1, "updated": 0, "redrawn": 0, "new": 0, "ended": 0}
    back = office.load("grid", grids, valid_from=dt.date(2026, 9, 1))
    assert kinds(back)["reused_code"].examples == ("620102001001001",)
    assert back.file is None


def test_a_border_drawn_a_little_differently_is_no_recut(office):
    office.load_above("grid")
    grids = office.files["grid"]
    office.load("grid", grids)
    moved = grids.set_geometry(shapely.transform(grids.geometry.to_numpy(), lambda v: v + 2e-7))
    moved.geometry = moved.geometry.set_crs("EPSG:4490")
    report = office.load("grid", moved, valid_from=JULY, dry_run=True)
    assert report.changes["unchanged"] == 32


def test_a_recut_must_come_after_the_one_before(office):
    office.load_above("grid")
    grids = office.files["grid"]
    office.load("grid", grids, valid_from=JULY)
    with pytest.raises(RecutError, match="1 areas that end on 2026-07-01 start no earlier"):
        office.load("grid", grids.iloc[1:], valid_from=JULY, accept=["gap"])


def test_a_file_with_its_own_dates_is_checked_as_it_stands_now(office):
    office.load_above("grid")
    grids = office.files["grid"].assign(至="")
    old = grids.iloc[[0]].assign(编码="620102001001099", 至="2026-01-01")
    both = gpd_concat(old, grids)
    columns = {"code": "编码", "name": "名称", "parent_code": "上级", "valid_to": "至"}
    report = office.load("grid", both, columns=columns)
    assert report.findings == ()
    assert report.areas == 32
    assert office.stored("grid")["valid_to"].notna().sum() == 1
    with pytest.raises(RecutError, match="dates its areas itself"):
        office.load("grid", both, columns=columns, valid_from=JULY)


def gpd_concat(*parts):
    import geopandas as gpd
    import pandas as pd

    return gpd.GeoDataFrame(pd.concat(parts, ignore_index=True), crs="EPSG:4490")


def test_a_recut_above_tells_the_areas_that_lost_their_parent(office):
    office.load_above("grid")
    office.load("grid", office.files["grid"])
    communities = office.files["community"].copy()
    communities.loc[0, "编码"] = "620102001099"
    report = office.load("community", communities, valid_from=JULY)
    assert kinds(report)["orphaned"].count == 4
    assert [found.is_sound for found in office.check(levels=["grid"])] == [False]


@pytest.mark.parametrize(
    ("stated", "true"), [("EPSG:4490", "GCJ-02"), ("GCJ-02", "WGS84"), ("WGS84", "BD-09")]
)
def test_a_wrong_frame_is_suspected(office, stated, true):
    office.load_above("grid")
    grids = office.files["grid"].copy()
    if true != "WGS84":
        grids.geometry = shapely.transform(grids.geometry.to_numpy(), lambda v: shifted(v, true))
        grids = grids.set_crs("EPSG:4490", allow_override=True)
    report = office.load("grid", grids, frame=stated)
    assert "wrong_frame" in kinds(report)
    assert max(report.frame_shares, key=report.frame_shares.get) == true
    report = office.load("grid", grids, frame=true)
    assert "wrong_frame" not in kinds(report)
    assert report.frame_shares[true] == pytest.approx(1, abs=1e-6)
    assert report.file is not None


def shifted(vertices, frame):
    gcj = crs.wgs84_to_gcj02(vertices[:, 0], vertices[:, 1])
    return np.column_stack(gcj if frame == "GCJ-02" else crs.gcj02_to_bd09(*gcj))


def test_a_killed_load_leaves_the_old_or_the_new_areas(office, monkeypatch):
    office.load_above("grid")
    office.load("grid", office.files["grid"])
    before = (office.folder / "areas.toml").read_bytes()

    def fail(_path, _text):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("etl.areas.folder.replace_text", fail)
    with pytest.raises(OSError, match="No space"):
        office.load("grid", office.files["grid"].assign(名称="新"))
    assert (office.folder / "areas.toml").read_bytes() == before
    assert set(office.stored("grid")["name"]) != {"新"}
    assert list((office.folder / "areas").glob(".*")) == []


def test_the_report_is_written_in_three_forms(office, tmp_path):
    office.load_above("grid")
    grids = office.files["grid"].iloc[1:]
    report = office.load("grid", grids)
    text = report.write(tmp_path / "report").read_text(encoding="utf-8")
    assert "**不能导入 must not be loaded**" in text
    assert "| 错误 | 空隙 gaps | `gap` | 1 | 4.0013 |" in text
    told = json.loads((tmp_path / "report" / "grid.json").read_text(encoding="utf-8"))
    assert told["sound"] is False
    assert told["findings"][0]["kind"] == "gap"
    places = json.loads((tmp_path / "report" / "grid.geojson").read_text(encoding="utf-8"))
    gap = shapely.from_geojson(json.dumps(places["features"][0]["geometry"]))
    assert gap.equals(office.files["grid"].geometry[0])
    properties = places["features"][0]["properties"]
    assert properties["codes"] == "620102001001"
    assert gap.contains(shapely.Point(properties["lng"], properties["lat"]))


def test_what_cannot_be_asked_is_told(office, tmp_path):
    with pytest.raises(LoadError, match="unknown columns colour; known are code, name,"):
        office.load("county", office.files["county"], columns={"code": "编码", "colour": "名称"})
    with pytest.raises(LoadError, match="name the column of the codes"):
        office.load("county", office.files["county"], columns={"name": "名称"})
    with pytest.raises(
        AreaFileError, match=r"county.gpkg: lacks the columns 代码; it has 编码, 名称, 上级"
    ):
        office.load("county", office.files["county"], columns={"code": "代码"})
    with pytest.raises(AreaFileError, match=r"a.dwg: unknown kind; give one of .geojson"):
        load(
            tmp_path / "a.dwg", folder=office.folder, home=tmp_path, level="county",
            columns={"code": "a"}, frame="WGS84",
        )  # fmt: skip


def test_leading_zeros_do_not_count_where_the_city_says_so(office):
    text = AREAS + '\n[[level]]\nlevel = "county"\nnumeric_codes = true\n'
    (office.folder / "areas.toml").write_text(text, encoding="utf-8")
    (office.folder / "city.toml").write_text('code = "C"\n', encoding="utf-8")
    counties = office.files["county"].assign(编码=["01", "02"])
    assert office.load("county", counties).file is not None
    assert office.stored("county")["code"].tolist() == ["1", "2"]
    report = office.load("county", counties.assign(编码=["001", "02"]), valid_from=JULY)
    assert report.changes["unchanged"] == 2
    townships = office.files["township"].assign(上级=["1", "1", "2", "2"])
    assert "unknown_parent" not in kinds(office.load("township", townships))


def test_a_level_joined_from_the_file_is_no_parent_of_it(office):
    text = AREAS.replace("county", "grid") + '[[level]]\nlevel = "county"\ndissolve = "grid"\n'
    (office.folder / "areas.toml").write_text(text, encoding="utf-8")
    grids = office.files["grid"].assign(上级="620102")
    report = office.load("grid", grids)
    assert report.parent_level is None
    assert report.findings == ()


def test_a_loaded_and_recut_city_can_be_built(office):
    for level in ("county", "township", "community", "grid"):
        assert office.load(level, office.files[level]).file is not None
    grids = office.files["grid"].copy()
    grids.loc[0, "编码"], grids.loc[1, "编码"] = "620102001001008", "620102001001009"
    grids.loc[[0, 1], "geometry"] = halves(shapely.union(grids.geometry[0], grids.geometry[1]))
    assert office.load("grid", grids, valid_from=JULY).file is not None
    faults = []
    city = SimpleNamespace(
        code="620100", name_zh="测试市", name_en="Test City", exposure="area_km2",
        levels=_read_levels(office.folder / "areas.toml", office.folder, faults),
    )  # fmt: skip
    built = read_boundaries(city)

    assert faults == []
    assert [len(built.level_areas(level)) for level in built.levels] == [1, 2, 4, 8, 34]
    crosswalk = build_crosswalk(built.level_areas("grid"), built.geometries["grid"], level="grid")
    codes = built.level_areas("grid")["code"]
    moved = crosswalk.assign(old=codes[crosswalk["old_index"]].str[-3:].to_numpy())
    moved["new"] = codes[crosswalk["new_index"]].str[-3:].to_numpy()
    assert moved[["old", "new"]].to_numpy().tolist() == [
        ["001", "008"], ["001", "009"], ["002", "008"], ["002", "009"],
    ]  # fmt: skip
    assert moved["weight"].to_numpy() == pytest.approx([0.5] * 4, abs=1e-3)


def halves(shape):
    """South and north of a rectangle."""
    west, south, east, north = shape.bounds
    middle = (south + north) / 2
    parts = [shapely.box(west, south, east, middle), shapely.box(west, middle, east, north)]
    return np.array(parts, dtype=object)

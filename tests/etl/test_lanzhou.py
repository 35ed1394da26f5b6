"""True borders and codes: Lanzhou to the grid, its neighbour without counties, two larger cities."""

import csv
from types import SimpleNamespace

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pyproj
import pytest
import shapely

from data.city import read_city
from etl.boundaries import read_boundaries
from etl.listed import describe_without_polygon, without_polygon
from etl.place import LOCATED_BY, place, upwards
from etl.synthesize.ledgers import demo_leaves, demo_sources, read_sources
from etl.synthesize.subdivide import subdivide
from geo import boundaries, crs
from geo.boundaries import check_coverage
from tests.cities.lanzhou import make as maker

pytestmark = [
    pytest.mark.skipif(
        not maker.TRUE_DATA.is_dir(), reason="the true polygons are not beside this repository"
    ),
    pytest.mark.early,
]

# README of the data: areas in km² as published, in GCJ-02; the shift to WGS 84 takes 0.098 % off
# Lanzhou.
PUBLISHED_KM2 = {"lanzhou": 13_145, "jiuquan": 167_731, "jiayuguan": 1_225, "tianjin": 12_100,
                 "chongqing": 82_437}  # fmt: skip
CODE_LENGTH = {"county": 6, "township": 9, "community": 12, "grid": 15}
LISTED = {"county": 9, "township": 116, "community": 1_177}
TOWNSHIPS = {"620102": 28, "620103": 15, "620104": 13, "620105": 10, "620111": 7, "620121": 15,
             "620122": 4, "620123": 20, "620171": 4}  # fmt: skip
COMMUNITIES = {"620102": 181, "620103": 141, "620104": 111, "620105": 81, "620111": 56,
               "620121": 196, "620122": 42, "620123": 281, "620171": 88}  # fmt: skip


def listed(name, prefix):
    with (maker.TRUE_DATA / name).open(encoding="utf-8") as stream:
        return {row["code"]: row for row in csv.DictReader(stream)
                if row["code"].startswith(prefix)}  # fmt: skip


@pytest.fixture(scope="session")
def lanzhou(tmp_path_factory):
    home = tmp_path_factory.mktemp("lanzhou")
    root = home / "source" / "lanzhou"
    truth = maker.make(root)
    city = read_city(maker.FOLDER, home=home)
    return SimpleNamespace(
        home=home, root=root, truth=truth, city=city, built=read_boundaries(city)
    )


class TestAreas:
    def test_every_level_has_the_listed_areas(self, lanzhou):
        for level, file in (("county", "codes_areas.csv"), ("township", "codes_streets.csv"),
                            ("community", "codes_villages.csv")):  # fmt: skip
            true = listed(file, maker.PREFIX)
            rows = lanzhou.built.level_areas(level)
            assert len(true) == LISTED[level]
            assert dict(zip(rows["code"], rows["name"], strict=True)) == {
                code: row["name"] for code, row in true.items()
            }

    def test_townships_and_communities_per_county(self, lanzhou):
        for level, wanted in (("township", TOWNSHIPS), ("community", COMMUNITIES)):
            codes = lanzhou.built.level_areas(level)["code"]
            assert codes.str[:6].value_counts().to_dict() == wanted

    def test_codes_are_texts_of_the_right_length_under_their_parent(self, lanzhou):
        for level, length in CODE_LENGTH.items():
            rows = lanzhou.built.level_areas(level)
            assert all(isinstance(code, str) for code in rows["code"])
            assert (rows["code"].str.len() == length).all()
            assert rows["code"].str.isdigit().all()
            if level != "county":
                above = {"township": 6, "community": 9, "grid": 12}[level]
                assert (rows["code"].str[:above] == rows["parent_code"]).all()
            assert (lanzhou.built.parents(level) >= 0).all()

    def test_the_new_area_is_reported_not_dropped(self, lanzhou):
        counts = without_polygon(lanzhou.built.geometries)
        assert counts == {"county": 1, "township": 4, "community": 88}
        wanted = "areas without polygon: 1 county, 4 townships, 88 communities"
        assert describe_without_polygon(counts) == wanted
        areas = lanzhou.built.areas
        undrawn = areas["area_km2"].isna()
        assert areas.loc[undrawn, "code"].str.startswith(maker.NOT_DRAWN).all()
        assert (undrawn == areas["code"].str.startswith(maker.NOT_DRAWN)).all()

    def test_three_to_five_grids_in_every_drawn_community(self, lanzhou):
        number = lanzhou.built.level_areas("grid")["parent_code"].value_counts()
        assert len(number) == LISTED["community"] - COMMUNITIES[maker.NOT_DRAWN]
        assert number.between(3, 5).all()

    def test_rare_characters_survive(self, lanzhou):
        names = lanzhou.built.level_areas("community").set_index("code")["name"]
        rare = {"620123100218": "龚家屲村委会", "620123205215": "阳屲村委会"}
        assert {code: names[code] for code in rare} == rare


class TestShapes:
    @pytest.mark.parametrize("level", ["county", "township", "community", "grid"])
    def test_areas_tile_their_parents_exactly(self, lanzhou, level):
        built = lanzhou.built
        upper = built.levels[built.levels.index(level) - 1]
        drawn = ~shapely.is_empty(built.geometries[level])
        report = check_coverage(
            built.geometries[level][drawn],
            parents=built.geometries[upper],
            parent_index=built.parents(level)[drawn],
        )
        drawn_parents = ~shapely.is_empty(built.geometries[upper])
        assert round(report.overlap_km2, 3) == 0
        assert round(report.gap_km2[drawn_parents].sum(), 3) == 0
        assert round(report.outside_km2.sum(), 3) == 0
        assert not len(report.unmatched)

    def test_the_borders_can_be_simplified_as_one_coverage(self, lanzhou):
        for shapes in lanzhou.built.geometries.values():
            assert shapely.coverage_is_valid(shapes)

    def test_the_counties_have_the_published_extent(self, lanzhou):
        total = lanzhou.built.level_areas("county")["area_km2"].sum()
        assert total == pytest.approx(PUBLISHED_KM2["lanzhou"], rel=1e-3)

    def test_the_counties_are_shifted_by_some_two_hundred_metres(self, lanzhou):
        there = pyogrio.read_dataframe(lanzhou.root / "lanzhou_counties.geojson")
        there = shapely.centroid(there.sort_values("adcode").geometry.to_numpy())
        shapes = lanzhou.built.geometries["county"]
        here = shapely.centroid(shapes[~shapely.is_empty(shapes)])
        metres = pyproj.Geod(ellps="WGS84").inv(
            shapely.get_x(here), shapely.get_y(here), shapely.get_x(there), shapely.get_y(there)
        )[2]
        assert np.median(metres) == pytest.approx(220, abs=30)
        assert metres.min() > 100
        assert (shapely.get_x(there) > shapely.get_x(here)).all()

    def test_a_forgotten_shift_would_show_in_the_tiling(self, lanzhou):
        published = pyogrio.read_dataframe(lanzhou.root / "lanzhou_counties.geojson")
        unshifted = published.sort_values("adcode").geometry.to_numpy()
        townships = lanzhou.built.geometries["township"]
        parents = lanzhou.built.parents("township")
        drawn = ~shapely.is_empty(townships)
        outside = shapely.difference(townships[drawn], unshifted[parents[drawn]])
        assert boundaries.area_km2(outside).sum() > 50

    def test_towns_are_smaller_than_mountains(self, lanzhou):
        townships = lanzhou.built.level_areas("township").dropna(subset=["area_km2"])
        street = townships["code"].str[6:].astype(int) <= maker.STREET_LAST
        size = townships["area_km2"]
        assert size[~street].median() > 10 * size[street].median()


class TestLedgers:
    def test_the_five_sources_are_those_of_the_demonstration(self):
        own = read_sources(maker.FOLDER)
        assert set(own) == set(demo_sources())
        assert {config["frame"] for config in own.values()} == {"EPSG:4490", "GCJ-02", "BD-09"}
        with (maker.FOLDER / "categories.csv").open(encoding="utf-8") as stream:
            leaves = [row["code"] for row in csv.DictReader(stream) if row["parent_code"]]
        assert leaves == demo_leaves()

    def test_the_accounts_add_up(self, lanzhou):
        files = lanzhou.truth["files"].values()
        assert sum(file["accepted"] for file in files) == maker.INCIDENTS
        for file in files:
            assert file["rows"] == file["accepted"] + file["duplicate"] + file["quarantined"]
            assert file["accepted"] == file["point"] + file["code"] + file["none"]
        assert sum(lanzhou.truth["counts"].values()) == sum(f["point"] + f["code"] for f in files)
        assert lanzhou.truth["by_code"][maker.NOT_DRAWN] > 50

    def test_rows_of_the_hotline_are_placed_as_the_truth_says(self, lanzhou):
        rows = pd.read_csv(lanzhou.root / "hotline.csv", dtype="str", encoding="utf-8-sig")
        # Faulty rows have ids of their own, and copies repeat one.
        rows = rows[~rows["工单编号"].str.startswith("X", na=True)].drop_duplicates("工单编号")
        lng, lat = crs.to_wgs84(
            rows["经度"].astype(float), rows["纬度"].astype(float), frame="BD-09"
        )
        incidents = pd.DataFrame(
            {
                "lng": lng,
                "lat": lat,
                "occurred_on": pd.Timestamp("2026-03-01").date(),
                "area_code": rows["事发区域编码"].to_numpy(),
            }
        )
        placed = place(incidents, lanzhou.built)
        account = lanzhou.truth["files"]["hotline.csv"]
        how = np.bincount(placed.located_by, minlength=3)
        assert dict(zip(LOCATED_BY, how.tolist(), strict=True)) == {
            name: account[name] for name in LOCATED_BY
        }
        counties = upwards(placed.level, placed.index, lanzhou.built)["county"]
        codes = lanzhou.built.level_areas("county")["code"].to_numpy()[counties]
        by_point = placed.located_by == LOCATED_BY.index("point")
        new_area = incidents["area_code"].str.startswith(maker.NOT_DRAWN, na=False).to_numpy()
        # Its ground lies in its neighbours' polygons; without a point its own code counts.
        assert set(codes[new_area & by_point]) <= set(maker.NEIGHBOURS)
        assert set(codes[new_area & ~by_point]) == {maker.NOT_DRAWN}
        assert (codes[by_point & ~new_area] == incidents["area_code"].str[:6].to_numpy()[
            by_point & ~new_area]).all()  # fmt: skip


class TestOtherCities:
    @pytest.mark.parametrize("name", ["jiuquan", "tianjin", "chongqing"])
    def test_city_and_counties_read_and_fit(self, tmp_path, name):
        code = {"jiuquan": "620900", "tianjin": "120000", "chongqing": "500000"}[name]
        prefix = code.rstrip("0")
        levels = [level("city", f"{name}_city.geojson", name="name"),
                  level("county", f"{name}_counties.geojson", code="adcode", name="name")
                  + code_list("codes_areas.csv", prefix, code="code", name="name")]  # fmt: skip
        built = build_city(tmp_path, code, levels)
        names = {key: row["name"] for key, row in listed("codes_areas.csv", prefix).items()}
        counties = built.level_areas("county")
        assert dict(zip(counties["code"], counties["name"], strict=True)) == names
        assert without_polygon(built.geometries) == {}
        total = counties["area_km2"].sum()
        assert total == pytest.approx(PUBLISHED_KM2[name], rel=2e-3)
        report = check_coverage(
            built.geometries["county"],
            parents=built.geometries["city"],
            parent_index=built.parents("county"),
        )
        assert report.is_clean()

    def test_a_city_without_counties(self, tmp_path):
        cut_jiayuguan(tmp_path)
        levels = [level("city", "jiayuguan_city.geojson", name="name"),
                  level("township", "townships.parquet", code="code", frame="EPSG:4490")
                  + code_list("codes_streets.csv", "6202", code="code", name="name")]  # fmt: skip
        built = build_city(tmp_path, "620200", levels)
        townships = built.level_areas("township")
        true = listed("codes_streets.csv", "6202")
        assert built.levels == ["city", "township"]
        assert dict(zip(townships["code"], townships["name"], strict=True)) == {
            code: row["name"] for code, row in true.items()
        }
        assert (townships["parent_code"] == "620200").all()
        assert built.parents("township").tolist() == [0] * 5

    def test_a_city_whose_only_county_has_its_own_code(self, tmp_path):
        cut_jiayuguan(tmp_path)
        levels = [level("city", "jiayuguan_city.geojson", name="name"),
                  level("county", "jiayuguan_counties.geojson", code="adcode", name="name"),
                  level("township", "townships.parquet", code="code", parent_code="above",
                        frame="EPSG:4490")]  # fmt: skip
        built = build_city(tmp_path, "620200", levels)
        top = built.areas[built.areas["code"] == "620200"]
        assert top["level"].tolist() == ["city", "county"]
        assert top["parent_code"].tolist() == [None, "620200"]
        assert built.parents("township").tolist() == [0] * 5
        incidents = pd.DataFrame(
            {
                "lng": [np.nan],
                "lat": [np.nan],
                "occurred_on": [pd.Timestamp("2026-03-01").date()],
                "area_code": ["620200"],
            }
        )
        placed = place(incidents, built)
        # A code that two levels share means the lower one.
        assert built.levels[placed.level[0]] == "county"


def level(key, file, *, frame="GCJ-02", **columns):
    text = f'[[level]]\nlevel = "{key}"\nname_zh = "{key}"\nname_en = "{key}"\n'
    text += f'file = "{file}"\nframe = "{frame}"\n[level.columns]\n'
    return text + "".join(f'{ours} = "{theirs}"\n' for ours, theirs in columns.items())


def code_list(file, prefix, **columns):
    text = f'[level.codes]\nfile = "{maker.TRUE_DATA / file}"\nprefix = "{prefix}"\n'
    text += "[level.codes.columns]\n"
    return text + "".join(f'{ours} = "{theirs}"\n' for ours, theirs in columns.items())


def build_city(folder, code, levels):
    """Boundaries of a small city folder whose polygons stay where they are published."""
    own = (maker.FOLDER / "city.toml").read_text(encoding="utf-8")
    own = own.replace('"620100"', f'"{code}"').replace("@home/source/lanzhou", ".")
    (folder / "city.toml").write_text(own, encoding="utf-8")
    text = "".join(levels)
    for path in maker.TRUE_DATA.glob("*.geojson"):
        text = text.replace(f'"{path.name}"', f'"{path}"')
    (folder / "areas.toml").write_text(text, encoding="utf-8")
    (folder / "categories.csv").write_bytes((maker.FOLDER / "categories.csv").read_bytes())
    (folder / "sources").mkdir()
    calls = (maker.FOLDER / "sources" / "police_calls.toml").read_text(encoding="utf-8")
    calls = calls.replace('files = ["police_calls.parquet"]\n', "")
    (folder / "sources" / "police_calls.toml").write_text(calls, encoding="utf-8")
    return read_boundaries(read_city(folder, home=folder))


def cut_jiayuguan(folder):
    """Five townships with true codes, cut out of the true city, which has two parts."""
    city = pyogrio.read_dataframe(maker.TRUE_DATA / "jiayuguan_city.geojson")
    shape = boundaries.repair(crs.geometries_to_wgs84(city.geometry.to_numpy(), frame="GCJ-02"))
    assert shape[0].geom_type == "MultiPolygon"
    codes = sorted(listed("codes_streets.csv", "6202"))
    cut = subdivide(
        shape,
        np.array([len(codes)]),
        density=lambda lng, _: np.ones(len(lng)),
        rng=np.random.default_rng(5),
    )
    rows = gpd.GeoDataFrame(
        {"code": codes, "above": "620200"}, geometry=cut.shapes, crs="EPSG:4490"
    )
    rows.to_parquet(folder / "townships.parquet")


def published(lanzhou):
    from data.store import Store
    from etl.pipeline import Options, build

    options = Options(analyse="never")
    build(maker.FOLDER, home=lanzhou.home, options=options)  # the second one finds nothing new
    return Store(lanzhou.home).current()


class TestBuild:
    def test_the_whole_build_counts_as_the_truth_says(self, lanzhou):
        snapshot = published(lanzhou)
        accounts = snapshot.read("accounts").groupby("source")[
            ["read", "accepted", "quarantined", "duplicate"]
        ].sum()  # fmt: skip
        for file, wanted in lanzhou.truth["files"].items():
            found = accounts.loc[file.split(".")[0]]
            assert found["read"] == wanted["rows"]
            assert found["accepted"] == wanted["accepted"]
            assert found["quarantined"] == wanted["quarantined"]
            assert found["duplicate"] == wanted["duplicate"]
        counts = snapshot.read("area_counts_county").groupby("area_index")["count"].sum()
        codes = lanzhou.built.level_areas("county")["code"].to_numpy()
        placed = counts[counts.index >= 0]
        assert (
            dict(zip(codes[placed.index], placed.tolist(), strict=True)) == lanzhou.truth["counts"]
        )

    def test_an_area_without_polygon_is_counted_and_has_no_rate(self, lanzhou):
        snapshot = published(lanzhou)
        risk = snapshot.read("area_risk")
        counties = lanzhou.built.level_areas("county")
        new_area = int(counties.index[counties["code"] == maker.NOT_DRAWN][0])
        rows = risk[(risk["level"] == "county") & (risk["area_index"] == new_area)]
        assert rows["count"].sum() > 0
        assert rows["rate"].isna().all()
        assert (rows["band"] == 0).all()

    def test_the_manifest_tells_what_has_no_polygon(self, lanzhou):
        snapshot = published(lanzhou)
        told = {
            entry["level"]: entry["without_polygon"] for entry in snapshot.manifest.raw["levels"]
        }
        assert told == {"city": 0, "county": 1, "township": 4, "community": 88, "grid": 0}

    def test_the_snapshot_verifies(self, lanzhou):
        from etl.verify import verify

        published(lanzhou)
        assert [check for check in verify(lanzhou.home)["checks"] if not check["ok"]] == []

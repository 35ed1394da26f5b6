"""The synthetic city: nested shapes, whole accounts, planted faults and surges."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
import tomllib
from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from etl.demo import city_folder
from etl.synthesize import Truth, read_truth, synthesize
from etl.synthesize.dirt import ID_NUMBER_LIKE, PHONE_LIKE
from etl.synthesize.incidents import class_leaves
from etl.synthesize.ledgers import category_words, demo_leaves, demo_sources, read_source
from etl.synthesize.names import draw_names
from etl.synthesize.partition import apportion
from etl.synthesize.plan import LAST_DAY
from etl.synthesize.rhythm import LEAF_SEASONS, LEAF_WEIGHTS, RHYTHMS, STREAMS, day_weights
from etl.synthesize.samples import SAMPLES
from geo import crs

LEVELS = ("city", "county", "township", "community", "grid")
MAIN = {config["files"][0] for config in demo_sources().values()}
SEED = 5
BEFORE, BETWEEN, AFTER = date(2025, 3, 1), date(2026, 3, 1), date(2026, 9, 1)

PHONE = re.compile(r"(?<!\d)1[3-9]\d{9}(?!\d)")
ID_NUMBER = re.compile(r"(?<!\d)\d{17}[\dXx](?!\d)")

Made = tuple[Path, Truth]


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Truth]:
    folder = tmp_path_factory.mktemp("tiny")
    return folder, synthesize(folder, size="tiny", seed=SEED)


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Truth]:
    folder = tmp_path_factory.mktemp("small")
    return folder, synthesize(folder, size="small", seed=SEED)


@pytest.fixture(params=["tiny", "small"])
def city(request: pytest.FixtureRequest) -> tuple[Path, Truth]:
    made: tuple[Path, Truth] = request.getfixturevalue(request.param)
    return made


def read_areas(folder: Path, level: str) -> gpd.GeoDataFrame:
    return gpd.read_parquet(folder / "areas" / f"{level}.parquet")


def valid_on(areas: gpd.GeoDataFrame, day: date) -> gpd.GeoDataFrame:
    opened = areas["valid_from"] <= day
    return areas[opened & (areas["valid_to"].isna() | (areas["valid_to"] > day))]


def read_ledger(folder: Path, name: str) -> pd.DataFrame:
    """Rows of a source under our column names, everything but Parquet as text."""
    config = demo_sources()[name]
    path = folder / config["files"][0]
    if config["format"] == "parquet":
        rows = pd.read_parquet(path)
    elif config["format"] == "csv":
        rows = pd.read_csv(path, dtype="string", encoding="utf-8-sig")
    else:
        features = json.loads(path.read_text("utf-8"))["features"]
        rows = pd.DataFrame([feature["properties"] for feature in features])
    return rows.rename(columns={theirs: ours for ours, theirs in config["columns"].items()})


def parse_times(rows: pd.DataFrame, name: str, column: str) -> pd.Series:
    config = demo_sources()[name]
    if config["format"] == "parquet":
        return rows[column]
    return pd.to_datetime(rows[column], format=config["time_format"], errors="coerce")


def our_categories(rows: pd.DataFrame, name: str) -> pd.Series:
    words = category_words(demo_sources()[name])
    return rows["category"].replace({theirs: ours for ours, theirs in words.items()})


class TestAreas:
    def test_numbers(self, tiny: tuple[Path, Truth], small: tuple[Path, Truth]) -> None:
        wanted = {
            tiny[0]: {"city": 1, "county": 2, "township": 6, "community": 20, "grid": 60},
            small[0]: {
                "city": 1, "county": 8, "township": 116, "community": 1177, "grid": 4700,
            },
        }  # fmt: skip
        for folder, numbers in wanted.items():
            assert {"990102", "990181"} <= set(read_areas(folder, "county")["code"])
            for level, number in numbers.items():
                areas = read_areas(folder, level)
                for day in (BEFORE,) if level == "grid" else (BEFORE, AFTER):
                    assert len(valid_on(areas, day)) == number, (folder, level)

    @pytest.mark.parametrize("level", LEVELS)
    @pytest.mark.parametrize("day", [BEFORE, BETWEEN, AFTER], ids=str)
    def test_coverage(self, city: tuple[Path, Truth], level: str, day: date) -> None:
        areas = valid_on(read_areas(city[0], level), day)
        shapes = areas.geometry.to_numpy()
        assert shapely.is_valid(shapes).all()
        assert set(shapely.get_type_id(shapes)) == {shapely.GeometryType.POLYGON}
        assert shapely.get_num_interior_rings(shapes).sum() == 0
        assert shapely.coverage_is_valid(shapes)

    @pytest.mark.parametrize("level", LEVELS[1:])
    @pytest.mark.parametrize("day", [BEFORE, BETWEEN, AFTER], ids=str)
    def test_children_tile_their_parent(
        self, city: tuple[Path, Truth], level: str, day: date
    ) -> None:
        areas = valid_on(read_areas(city[0], level), day)
        above = read_areas(city[0], LEVELS[LEVELS.index(level) - 1]).set_index("code")
        assert set(areas["parent_code"]) == set(above.index)
        for parent, children in areas.groupby("parent_code"):
            union = shapely.coverage_union_all(children.geometry.to_numpy())
            assert union.equals(above.geometry[parent]), parent

    def test_extent(self, small: tuple[Path, Truth]) -> None:
        area = read_areas(small[0], "city").to_crs("ESRI:102025").area.sum() / 1e6
        assert 6000 < area < 8000
        west, south, east, north = read_areas(small[0], "city").total_bounds
        assert 29 < south < north < 31
        assert crs.CHINA_BOUNDS[0] < west < east < crs.CHINA_BOUNDS[2]

    def test_dense_core_has_small_grids(self, small: tuple[Path, Truth]) -> None:
        grids = valid_on(read_areas(small[0], "grid"), BEFORE)
        area = grids.to_crs("ESRI:102025").area / 1e6
        urban = grids["population"] / area > 2500
        assert urban.mean() > 0.2
        assert area[urban].median() * 5 < area[~urban].median()
        assert 300 < grids.loc[urban, "households"].median() < 500

    def test_codes(self, city: tuple[Path, Truth]) -> None:
        widths = {"city": 6, "county": 6, "township": 9, "community": 12, "grid": 15}
        for level, width in widths.items():
            codes = read_areas(city[0], level)["code"]
            assert codes.is_unique
            assert codes.str.fullmatch(rf"99\d{{{width - 2}}}").all()
        for level in ("township", "community", "grid"):
            areas = read_areas(city[0], level)
            starts = zip(areas["code"], areas["parent_code"], strict=True)
            assert all(code.startswith(parent) for code, parent in starts)
        towns = read_areas(city[0], "township")
        numbers = towns["code"].str[6:].astype(int)
        for suffix, low, high in (("街道", 1, 99), ("镇", 100, 199), ("乡", 200, 399)):
            assert numbers[towns["name"].str.endswith(suffix)].between(low, high).all()
        communities = read_areas(city[0], "community")
        village = communities["name"].str.endswith("村")
        assert (communities["code"].str[9:].astype(int).ge(200) == village).all()

    def test_names(self, city: tuple[Path, Truth]) -> None:
        for level in LEVELS[1:]:
            areas = read_areas(city[0], level)
            assert not areas.duplicated(["parent_code", "name"]).any()
            assert areas["name_en"].str.fullmatch(r"[A-Z][A-Za-z]* [A-Z0-9][a-z0-9]*").all()

    def test_population_sums(self, city: tuple[Path, Truth]) -> None:
        folder, truth = city
        for column in ("population", "households"):
            total = read_areas(folder, "city")[column].sum()
            for level in LEVELS[1:]:
                areas = read_areas(folder, level)
                above = read_areas(folder, LEVELS[LEVELS.index(level) - 1]).set_index("code")
                for day in (BEFORE, BETWEEN, AFTER):
                    current = valid_on(areas, day)
                    assert current[column].sum() == total
                    sums = current.groupby("parent_code")[column].sum()
                    assert (sums == above.loc[sums.index, column]).all()
        assert read_areas(folder, "city")["population"].sum() == truth.population
        grids = read_areas(folder, "grid")
        assert (grids["population"].dropna() >= grids["households"].dropna()).all()
        missing = grids.loc[grids["population"].isna(), "code"].tolist()
        assert missing == truth.without_population
        assert 2 <= len(missing) < 0.05 * len(grids)

    def test_recuts(self, city: tuple[Path, Truth]) -> None:
        folder, truth = city
        grids = read_areas(folder, "grid").set_index("code")
        changed: set[str] = set()
        for recut in truth.recuts:
            old, new = grids.loc[recut["old"]], grids.loc[recut["new"]]
            day = date.fromisoformat(str(recut["date"]))
            assert day.year == 2026
            assert set(old["valid_to"]) == {day}
            assert set(new["valid_from"]) == {day}
            before = shapely.coverage_union_all(old.geometry.to_numpy())
            assert before.equals(shapely.coverage_union_all(new.geometry.to_numpy()))
            changed |= set(old.index) | set(new.index)
        untouched = grids.drop(index=list(changed))
        assert untouched["valid_to"].isna().all()
        assert 2 <= grids["valid_to"].notna().sum() <= 0.05 * len(grids)


class TestLedgers:
    def test_accounts(self, city: tuple[Path, Truth]) -> None:
        folder, truth = city
        for name, config in demo_sources().items():
            file = config["files"][0]
            rows = read_ledger(folder, name)
            assert len(rows) == truth.rows[file] == sum(truth.expected[file].values())
            # Status and outcome are one column of theirs.
            assert set(config["columns"]) - {"status"} <= set(rows.columns)
            assert rows["incident_id"].isna().sum() == truth.dirty[file]["missing_id"]
            repeated = rows[rows["incident_id"].notna()].duplicated("incident_id")
            assert repeated.sum() == truth.dirty[file]["repeated_id"]
            assert rows[rows["incident_id"].notna()].duplicated().sum() == repeated.sum()
        accepted = {
            file: account["accepted"] for file, account in truth.expected.items() if file in MAIN
        }
        assert len(accepted) == len(MAIN)
        assert sum(accepted.values()) == (5_000 if truth.size == "tiny" else 300_000)

    def test_samples_are_small_and_of_every_size(self, tiny: Made, small: Made) -> None:
        files = {file: rows for file, rows in tiny[1].rows.items() if file not in MAIN}
        assert files == {file: small[1].rows[file] for file in files}
        assert len(files) == 11
        assert all(100 < rows < 300 for rows in files.values())
        assert len(tiny[1].same_events) == len(small[1].same_events) == 40

    def test_faults(self, city: tuple[Path, Truth]) -> None:
        folder, truth = city
        known = set(demo_leaves())
        for name, config in demo_sources().items():
            rows, dirty = read_ledger(folder, name), truth.dirty[config["files"][0]]
            day = parse_times(rows, name, "occurred_at")
            grades = {*config.get("severity_codes", dict.fromkeys("1234")), pd.NA}
            found = {
                "unparseable_date": day.isna(),
                "future_date": day > pd.Timestamp(2027, 1, 1),
                "before_period": day < pd.Timestamp(2020, 1, 1),
                "unknown_category": ~our_categories(rows, name).isin(known),
                "severity_out_of_range": rows["severity"].notna() & ~rows["severity"].isin(grades),
                "phone_like_text": rows["outcome"].str.contains(PHONE_LIKE),
                "id_number_like_text": rows["outcome"].str.contains(ID_NUMBER_LIKE),
                "coordinates_zero": pd.to_numeric(rows["lng"]) == 0,
                "coordinates_swapped": pd.to_numeric(rows["lat"]) > 90,
            }
            for reason, mask in found.items():
                assert mask.sum() == dirty[reason] > 0, (name, reason)
        share = sum(sum(truth.dirty[file].values()) for file in MAIN)
        assert share / sum(truth.rows[file] for file in MAIN) == pytest.approx(
            0.0155, abs=0.001
        ) or (truth.size == "tiny")

    def test_no_persons(self, city: tuple[Path, Truth]) -> None:
        folder, truth = city
        words = ("姓名", "电话", "手机", "证件", "身份证", "当事人", "报警人", "住址", "车牌")
        for config in demo_sources().values():
            file = config["files"][0]
            if config["format"] == "parquet":
                text = pd.read_parquet(folder / file).to_csv()
            else:
                text = (folder / file).read_text("utf-8")
            assert not any(word in text for word in words)
            dirty = truth.dirty[file]
            assert Counter(PHONE.findall(text)) == {PHONE_LIKE: dirty["phone_like_text"]}
            assert Counter(ID_NUMBER.findall(text)) == {
                ID_NUMBER_LIKE: dirty["id_number_like_text"]
            }

    def test_points_lie_in_the_grid_that_is_written(self, small: tuple[Path, Truth]) -> None:
        rows = read_ledger(small[0], "grid_reports")
        rows = rows[rows["area_code"].str.len().eq(15) & rows["lng"].notna()]
        day = parse_times(rows, "grid_reports", "occurred_at").dt.date
        rows = rows[(day >= date(2024, 11, 18)) & (day <= date(2026, 11, 15))]
        grids = read_areas(small[0], "grid").set_index("code").loc[rows["area_code"]]
        lng, lat = crs.to_wgs84(
            rows["lng"].astype(float), rows["lat"].astype(float), frame="GCJ-02"
        )
        assert shapely.contains_xy(grids.geometry.to_numpy(), lng, lat).all()
        day = day[rows.index].to_numpy()
        assert (grids["valid_from"].to_numpy() <= day).all()
        closed = grids["valid_to"].notna().to_numpy()
        assert (grids["valid_to"].to_numpy()[closed] > day[closed]).all()

    @pytest.mark.parametrize(
        ("name", "metres"), [("hotline", (600, 1600)), ("hazards", (150, 900))]
    )
    def test_frames_are_shifted(
        self, tiny: tuple[Path, Truth], name: str, metres: tuple[int, int]
    ) -> None:
        rows = read_ledger(tiny[0], name)
        lng = pd.to_numeric(rows["lng"]).to_numpy(dtype=float, na_value=np.nan)
        lat = pd.to_numeric(rows["lat"]).to_numpy(dtype=float, na_value=np.nan)
        kept = np.abs(lat - 30) < 0.3
        true = crs.to_wgs84(lng[kept], lat[kept], frame=demo_sources()[name]["frame"])
        shift = np.hypot((true[0] - lng[kept]) * 96_400, (true[1] - lat[kept]) * 110_850)
        assert metres[0] < np.median(shift) < metres[1]
        west, south, east, north = read_areas(tiny[0], "city").total_bounds
        inside = (west < true[0]) & (true[0] < east) & (south < true[1]) & (true[1] < north)
        assert inside.mean() > 0.99

    def test_reports_follow_incidents_and_trail_off(self, small: tuple[Path, Truth]) -> None:
        shares = {}
        for name in demo_sources():
            rows = read_ledger(small[0], name)
            occurred, reported = (
                parse_times(rows, name, c) for c in ("occurred_at", "reported_at")
            )
            true = (occurred > pd.Timestamp(2024, 1, 1)) & (occurred < pd.Timestamp(2027, 1, 1))
            assert (reported[true] >= occurred[true]).all()
            assert reported.max() <= pd.Timestamp(small[1].exported_at)
            days = occurred[true].dt.normalize().value_counts()
            last = days.reindex(pd.date_range("2026-11-14", "2026-11-15"), fill_value=0).sum()
            before = days[pd.date_range("2026-10-31", "2026-11-01")].sum()
            shares[name] = last / before
        assert shares["disputes"] < 0.75
        assert shares["police_calls"] > 0.8


class TestTruth:
    def test_written(self, tiny: tuple[Path, Truth]) -> None:
        assert read_truth(tiny[0] / "truth.json") == tiny[1]

    def test_counts(self, city: tuple[Path, Truth]) -> None:
        truth = city[1]
        placed = sum(sum(leaves.values()) for leaves in truth.counts.values())
        accepted = sum(account["accepted"] for account in truth.expected.values())
        assert placed + sum(truth.unplaced.values()) == accepted - sum(truth.superseded.values())
        for file, located in truth.located.items():
            assert sum(located.values()) == truth.expected[file]["accepted"]
        assert sum(located["none"] for located in truth.located.values()) == sum(
            truth.unplaced.values()
        )

    def test_surges_stand_out(self, small: tuple[Path, Truth]) -> None:
        assert 6 <= len(small[1].surges) <= 8
        for surge in small[1].surges:
            name, code = str(surge["source"]), str(surge["area_code"])
            rows = read_ledger(small[0], name)
            rows = rows[our_categories(rows, name) == surge["category"]]
            config = demo_sources()[name]
            lng, lat = crs.to_wgs84(
                pd.to_numeric(rows["lng"]).to_numpy(dtype=float, na_value=np.nan),
                pd.to_numeric(rows["lat"]).to_numpy(dtype=float, na_value=np.nan),
                frame=config["frame"],
            )
            areas = read_areas(small[0], str(surge["level"])).set_index("code")
            inside = shapely.contains_xy(areas.geometry[code], lng, lat)
            if "area_code" in rows:
                coded = rows["area_code"].str.startswith(code).fillna(value=False)
                inside |= rows["lng"].isna().to_numpy() & coded.to_numpy(dtype=bool)
            day = parse_times(rows, name, "occurred_at")
            week = (day - pd.Timestamp(str(surge["first_week"]))).dt.days // 7
            weeks = int(str(surge["weeks"]))
            during = (inside & week.between(0, weeks - 1)).sum()
            usual = (inside & week.between(-12, -1)).sum() / 12 * weeks
            extra = int(str(surge["extra"]))
            assert during >= 0.6 * extra, surge
            assert during > usual + 4 * np.sqrt(usual + 1), surge


class TestRhythm:
    def test_tables_name_the_same_classes(self) -> None:
        leaves = demo_leaves()
        listed = [leaf for code in LEAF_WEIGHTS for leaf in class_leaves(code)]
        assert sorted(listed) == sorted(leaves)
        assert set(LEAF_SEASONS) <= set(leaves)
        used = {code for classes in STREAMS.values() for code in classes}
        assert used == set(RHYTHMS) == set(LEAF_WEIGHTS) == {leaf[:2] for leaf in leaves}
        assert set(STREAMS) == set(demo_sources())

    def test_every_class_has_a_code_in_its_source(self) -> None:
        for name, config in demo_sources().items():
            words = category_words(config)
            wanted = {leaf for code in STREAMS[name] for leaf in class_leaves(code)}
            if config.get("category_codes"):
                assert wanted == set(words)
            elif words:
                assert wanted <= set(words)

    def test_every_class_of_a_sample_has_a_code(self) -> None:
        folder = city_folder()
        for name, sample in SAMPLES.items():
            words = category_words(read_source(folder, name))
            wanted = {leaf for code in sample.classes for leaf in class_leaves(code)}
            assert not words or wanted <= set(words), name

    def test_holidays_dip_and_peak(self) -> None:
        days = pd.date_range("2024-11-18", periods=728)
        spring = days.get_loc("2026-02-18")
        labour, family = day_weights("D4"), day_weights("D1")
        assert labour[spring] < 0.6 * labour[spring + 28]
        assert family[spring] > family[spring + 28]

    def test_season_and_week(self, small: tuple[Path, Truth]) -> None:
        rows = read_ledger(small[0], "hotline")
        day = parse_times(rows, "hotline", "occurred_at")
        noise = day[our_categories(rows, "hotline").str.startswith("L2")]
        noise = noise[noise.between("2024-12-01", "2026-11-01")]
        summer, winter = (noise.dt.month.isin(m).sum() for m in ((6, 7, 8), (12, 1, 2)))
        assert summer > 1.4 * winter
        rows = read_ledger(small[0], "disputes")
        day = parse_times(rows, "disputes", "occurred_at").dropna()
        by_day = day.dt.day_of_week.value_counts()
        assert (by_day[[5, 6]].mean()) < 0.9 * by_day[[0, 1, 2, 3, 4]].mean()

    def test_more_spread_than_chance(self, small: tuple[Path, Truth]) -> None:
        rows = read_ledger(small[0], "grid_reports")
        rows = rows[rows["area_code"].notna()]
        place = rows["area_code"].str[:12].where(rows["area_code"].str.len() >= 12)
        counts = place.value_counts()
        people = read_areas(small[0], "community").set_index("code")["population"]
        expected = people / people.sum() * len(rows)
        ratio = ((counts.reindex(people.index, fill_value=0) - expected) ** 2 / expected).mean()
        assert ratio > 3


def test_same_seed_same_bytes(tiny: tuple[Path, Truth], tmp_path: Path) -> None:
    again = synthesize(tmp_path, size="tiny", seed=SEED)
    assert again == tiny[1]
    names = sorted(path.relative_to(tmp_path) for path in tmp_path.rglob("*") if path.is_file())
    assert len(names) == 25
    for name in names:
        first, second = (hashlib.sha256((root / name).read_bytes()) for root in (tiny[0], tmp_path))
        assert first.hexdigest() == second.hexdigest(), name


@pytest.mark.parametrize("seed", range(6))
def test_other_seeds(tmp_path: Path, seed: int) -> None:
    told: list[float] = []
    truth = synthesize(
        tmp_path, size="tiny", seed=seed + 100, progress=lambda _, share: told.append(share)
    )
    assert told == sorted(told)
    assert told[0] == 0
    assert told[-1] == 1
    assert sum(truth.expected[file]["accepted"] for file in MAIN) == 5_000
    # The counties that the kept workbook names.
    assert {"990102", "990181"} <= set(read_areas(tmp_path, "county")["code"])
    for level in LEVELS:
        shapes = valid_on(read_areas(tmp_path, level), AFTER).geometry.to_numpy()
        assert shapely.coverage_is_valid(shapes)


class TestParts:
    def test_apportion(self) -> None:
        parts = apportion(
            np.array([5.0, 3.0, 0.0]), 11, least=np.array([1, 1, 1]), most=np.array([4, 9, 9])
        )
        assert parts.tolist() == [4, 6, 1]

    def test_apportion_refuses(self) -> None:
        with pytest.raises(ValueError, match=r"^apportion: 9 is not within 2 and 4$"):
            apportion(np.ones(2), 9, least=np.ones(2, dtype=int), most=np.full(2, 2))

    def test_names_run_out(self) -> None:
        with pytest.raises(ValueError, match=r"^draw_names: 9999 places, only \d+ names$"):
            draw_names(np.random.default_rng(0), suffixes=["村"] * 9999)

    def test_categories_file(self) -> None:
        path = Path(__file__).parents[2] / "data" / "cities" / "demo" / "categories.csv"
        rows: list[dict[str, Any]] = list(csv.DictReader(io.StringIO(path.read_text("utf-8"))))
        tops = {row["code"] for row in rows if not row["parent_code"]}
        assert 16 <= len(tops) <= 18
        assert 70 <= len(rows) - len(tops) <= 90
        assert {row["parent_code"] for row in rows} - {""} == tops
        assert all(row["name_zh"] and row["name_en"] for row in rows)


def test_the_city_names_the_last_day_of_its_files():
    text = (city_folder() / "city.toml").read_text(encoding="utf-8")
    assert tomllib.loads(text)["as_of"] == LAST_DAY

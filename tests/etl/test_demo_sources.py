"""The demonstration city's sources: one of every kind, each read as its maker meant it."""

import io
import json
import re
import shutil
import sqlite3
import zipfile
from collections import Counter
from contextlib import closing
from functools import cache

import numpy as np
import openpyxl
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from data.city import read_city
from data.intake import Intake
from data.source import FORMATS
from data.store import Store
from etl import demo
from etl.sources import headings, read_chunks
from etl.sources.ledger import open_ledger
from etl.synthesize import read_truth
from etl.synthesize.dirt import (
    ID_NUMBER_LIKE,
    MALFORMED,
    PERSON_NAME,
    PERSON_PHONE,
    PHONE_LIKE,
    REFUSED,
    REPEATED,
)
from etl.synthesize.samples import SAMPLES
from etl.synthesize.static import FILE, SOURCE
from tests.etl import old_workbook

ACCOUNT = ("accepted", "duplicate", "quarantined", "refused")
MAIN = ("disputes", "grid_reports", "hazards", "hotline", "police_calls")
PLANTED = (PERSON_NAME, PERSON_PHONE, PHONE_LIKE, ID_NUMBER_LIKE)
# What was planted → what cleaning must say of it.
REASONS = {
    "missing_id": "missing_id",
    "unparseable_date": "bad_time",
    "future_date": "future_time",
    "before_period": "before_boundaries",
    "unknown_category": "unknown_category",
    "severity_out_of_range": "unknown_severity",
    "phone_like_text": "person_data",
    "id_number_like_text": "person_data",
    "coordinates_zero": "zero_coordinates",
    "coordinates_swapped": "swapped_coordinates",
    "coordinates_outside": "outside_city",
    "unknown_area": "unknown_area_code",
    MALFORMED: "malformed_row",
}
WITHOUT_FILES = ("grid_app", "precinct_calls")
REPORTS = "phone"
"""The source that phones report through; the demonstration has no row of it to begin with."""
UNREAD_OF_XLS = tuple(zip(old_workbook.UNREAD, old_workbook.PERSON, strict=True))
SOURCES = sorted([*MAIN, *SAMPLES, SOURCE])


class Demo:
    """A built tiny city."""

    def __init__(self, home) -> None:
        self.home = home
        self.manifest = Store(home).current().manifest.raw
        self.folder = demo.source_folder(home)
        self.truth = read_truth(self.folder / "truth.json")
        self.city = read_city(demo.city_folder(), home=home)
        self.sources = {source.name: source for source in self.city.sources}
        self.accounts = {entry["name"]: entry for entry in self.manifest["sources"]}

    def path(self, name):
        return self.folder / self.truth.files[name][0]

    def dirty(self, name):
        return sum((Counter(self.truth.dirty[file]) for file in self.truth.files[name]), Counter())

    def quarantine(self, name):
        files = sorted(self.home.glob("snapshots/*/quarantine/**/*.parquet"))
        rows = pd.concat([pq.ParquetFile(file).read().to_pandas() for file in files])
        return rows[rows["source"] == name]

    @cache  # noqa: B019 - there is one, and it lives as long as the tests
    def incidents(self):
        files = [self.home / file for file in self.manifest["incidents"]["files"]]
        rows = pa.concat_tables([pq.ParquetFile(file).read() for file in files])
        return rows.to_pandas().set_index("incident_id")


@pytest.fixture(scope="module")
def built(demo_home):
    return Demo(demo_home)


def test_there_is_one_of_every_kind(built):
    sources = built.sources.values()
    assert sorted(built.truth.files) == SOURCES
    assert sorted(built.sources) == sorted([*SOURCES, REPORTS])
    assert {source.format for source in sources} == set(FORMATS)
    for way in ("sql", "push", "watch", "files"):
        assert any(getattr(source, way) for source in sources), way
    assert all(source.title_zh and source.title_en for source in sources)
    batches = Intake(built.home).batches()
    assert {batch.kind for batch in batches} == {"file", "view", "push"}


@pytest.mark.parametrize("name", SOURCES)
def test_the_account_is_the_truth(built, name):
    files, account = built.truth.files[name], built.accounts[name]
    assert account["read"] == sum(built.truth.rows[file] for file in files)
    for part in ACCOUNT:
        assert account[part] == sum(built.truth.expected[file][part] for file in files), part
    assert account["read"] == sum(account[part] for part in ACCOUNT)


@pytest.mark.parametrize("name", SOURCES)
def test_every_planted_fault_is_found_for_its_reason(built, name):
    typed = built.sources[name].format in {"parquet", "gpkg"}
    reasons = REASONS | ({"unparseable_date": "missing_time"} if typed else {})
    wanted = Counter()
    for planted, number in built.dirty(name).items():
        if planted not in {REPEATED, REFUSED}:
            wanted[reasons[planted]] += number
    assert Counter(built.quarantine(name)["reason"]) == wanted
    assert built.dirty(name)[REFUSED] == built.accounts[name]["refused"]


@pytest.mark.parametrize("name", [name for name in SOURCES if name not in WITHOUT_FILES])
def test_no_true_row_is_quarantined(built, name):
    source = built.sources[name]
    numbers = {}
    for path in [built.folder / file for file in built.truth.files[name]]:
        for chunk in read_chunks(source, path):
            rows = chunk.rows.select(["row", "incident_id"]).to_pylist()
            numbers |= {(path.name, row["row"]): row["incident_id"] for row in rows}
    refused = built.quarantine(name)
    refused = refused[~refused["reason"].isin(["missing_id", "malformed_row"])]
    found = [numbers[row] for row in zip(refused["file"], refused["row"], strict=True)]
    assert found
    assert all(number.startswith(("X", "S")) for number in found)


def test_no_code_is_unknown_but_the_planted_ones(built):
    assert [name for name, entry in built.accounts.items() if entry["unmapped"]] == []


def test_the_total_is_the_five_ledgers_and_the_samples(built):
    accepted = {name: built.accounts[name]["accepted"] for name in SOURCES}
    assert sum(accepted[name] for name in MAIN) == 5_000
    samples = sum(accepted.values()) - 5_000
    assert samples == 240 * (len(SAMPLES) + 1) + sum(built.truth.superseded.values())
    rows = built.manifest["rows"]
    assert rows["superseded"] == sum(built.truth.superseded.values()) == 12
    assert rows["incidents"] == rows["accepted"] - 12


def test_counts_by_county_and_class(built):
    current = built.incidents()
    current = current[~_replaced(current)]
    placed = current["county_code"].notna() & (current["located_by"] != "none")
    current = current[placed]
    leaf = current["subcategory"].fillna(current["category"])
    found = Counter(zip(current["county_code"], leaf, strict=True))
    wanted = {
        (county, leaf): number
        for county, leaves in built.truth.counts.items()
        for leaf, number in leaves.items()
    }
    assert dict(found) == wanted


def _replaced(incidents):
    """Versions before the last of their incident."""
    return incidents["version"] < incidents.groupby(level=0)["version"].transform("max")


class TestPersons:
    @pytest.mark.parametrize("name", [*SAMPLES, SOURCE])
    def test_their_columns_are_there_and_not_read(self, built, name):
        source, path = built.sources[name], built.path(name)
        if source.sql:
            with closing(sqlite3.connect(path)) as database:
                found = [row[1] for row in database.execute("PRAGMA table_info('v_警情')")]
        elif source.push:
            found = list(json.loads(path.read_text("utf-8"))["rows"][0])
        else:
            found = headings(source, path)
        columns = SAMPLES[name].words.unread.items() if name in SAMPLES else UNREAD_OF_XLS
        personal = {heading for heading, value in columns if value in PLANTED}
        assert personal <= set(found) - set(source.allowed.values())
        assert personal

    def test_their_values_are_in_the_raw_files(self, built):
        found = (built.folder / "grid_app.json").read_text("utf-8")
        assert all(value in found for value in PLANTED)

    def test_no_value_of_theirs_is_stored(self, built):
        stored = [
            path
            for path in built.home.rglob("*")
            if path.is_file() and not path.is_relative_to(built.home / "source")
        ]
        assert {".parquet", ".db", ".json"} <= {path.suffix for path in stored}
        for path in stored:
            text = stored_text(path)
            assert [value for value in PLANTED if value in text] == [], path.name


def stored_text(path):
    """Everything that a file holds, as text."""
    if path.suffix == ".parquet":
        table = pq.ParquetFile(path).read()
        columns = [
            table.column(at).cast(pa.string())
            for at, field in enumerate(table.schema)
            if not pa.types.is_binary(field.type)
        ]
        return "\n".join(text for column in columns for text in column.to_pylist() if text)
    content = path.read_bytes()
    if content.startswith(b"SQLite format 3"):
        with closing(sqlite3.connect(path)) as database:
            return "\n".join(database.iterdump())
    return content.decode("utf-8", "replace")


class TestOneEventTwice:
    def test_both_reports_are_of_one_place_class_and_time(self, built):
        pairs = built.truth.same_events
        assert len({pair["first"] for pair in pairs}) == 40
        assert len({pair["second"] for pair in pairs}) == 40
        incidents = built.incidents()
        first = incidents.loc[[pair["first"] for pair in pairs]].reset_index()
        second = incidents.loc[[pair["second"] for pair in pairs]].reset_index()
        assert set(first["source"]) == {"grid_reports"}
        assert set(second["source"]) == {"hotline_feed"}
        assert (first["subcategory"] == second["subcategory"]).all()
        assert (first["grid_code"] == second["grid_code"]).all()
        for axis in ("lng", "lat"):
            assert np.abs(first[axis] - second[axis]).max() < 1e-5
        late = (second["occurred_at"] - first["occurred_at"]).dt.total_seconds()
        assert late.between(0, 40 * 60).all()

    def test_all_of_them_are_proposed_and_few_others(self, built):
        files = sorted(built.home.glob("snapshots/*/matches/*.parquet"))
        rows = pd.concat([pq.ParquetFile(file).read().to_pandas() for file in files])
        proposed = set(map(frozenset, zip(rows["first_id"], rows["second_id"], strict=True)))
        planted = {frozenset(pair.values()) for pair in built.truth.same_events}
        assert planted <= proposed
        assert len(proposed) < 60


def test_the_second_file_corrects_rows_of_the_first(built):
    second = built.truth.files["night_patrol"][1]
    assert built.truth.superseded == {second: 12}
    incidents = built.incidents()
    again = incidents[incidents["status"] == "archived"]
    again = again[again.index.str.startswith("night_patrol:")]
    assert len(again) == 12
    assert (again["version"] == 2).all()
    assert set(incidents.loc[again.index, "version"]) == {1, 2}


def test_nothing_is_taken_in_twice(built, tmp_path):
    home = shutil.copytree(built.home, tmp_path / "home")
    before = len(Intake(home).batches())
    assert before
    demo.take_in(home)
    assert len(Intake(home).batches()) == before


class TestMadeAsTheRealOnesAre:
    def test_the_workbook(self, built):
        source = built.sources["street_mediation"]
        sheet = openpyxl.load_workbook(built.path("street_mediation"))["台账"]
        merged = {str(span) for span in sheet.merged_cells.ranges}
        assert {"A1:P1", "A3:A4"} <= merged
        assert sheet["A1"].value == source.title_zh
        column = {cell.value: cell.column for row in sheet["A3:P4"] for cell in row}
        days = {type(sheet.cell(row, column["发生日期"]).value).__name__ for row in range(5, 40)}
        assert {"datetime", "str", "int"} <= days
        codes = {type(sheet.cell(row, column["事件类别"]).value) for row in range(5, 40)}
        assert codes <= {float, int}
        with open_ledger(source, built.path("street_mediation")) as ledger:
            read = sum(len(chunk.rows) for chunk in ledger.chunks())
        assert ledger.set_aside == {"totals": 1, "note": 1}
        assert read == built.truth.rows["street_mediation.xlsx"]

    def test_the_old_workbook_is_what_its_maker_makes(self, built, tmp_path):
        old_workbook.write(tmp_path)
        for name in (FILE, f"{SOURCE}.json"):
            assert (tmp_path / name).read_bytes() == (old_workbook.FOLDER / name).read_bytes()
        assert built.path(SOURCE).read_bytes() == (tmp_path / FILE).read_bytes()

    def test_the_chinese_text(self, built):
        content = built.path("justice_mediation").read_bytes()
        assert content.decode("gb18030").startswith("卷宗号,")
        with pytest.raises(UnicodeDecodeError):
            content.decode("utf-8")

    def test_the_shapefile(self, built):
        with zipfile.ZipFile(built.path("house_checks")) as archive:
            suffixes = sorted(name.rpartition(".")[2] for name in archive.namelist())
            table = archive.read("house_checks.dbf")
        assert suffixes == ["dbf", "prj", "shp", "shx"]
        assert "隐患编号".encode("gbk") in io.BytesIO(table).read(512)

    def test_the_plane_coordinates(self, built):
        x = pd.read_csv(built.path("city_management"), sep="\t", on_bad_lines="skip")["x"]
        assert x.dropna().between(400_000, 700_000).all()

    def test_the_lines(self, built):
        lines = built.path("hotline_feed").read_text("utf-8").splitlines()
        broken = [line for line in lines if not re.search(r"\}$", line)]
        assert len(broken) == built.dirty("hotline_feed")[MALFORMED] == 2

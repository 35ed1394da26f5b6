import sqlite3

import geopandas as gpd
import pandas as pd
import pyarrow as pa
import pyogrio
import pytest
import shapely

from etl.sources import SourceError, headings
from tests.etl.sources.conftest import ATTRIBUTES


@pytest.fixture
def package(tmp_path, call_points):
    path = tmp_path / "calls.gpkg"
    pyogrio.write_dataframe(call_points, path, layer="来电")
    return path


def test_a_layer_gives_its_columns_and_points(package, read, make_source, call_points):
    found = read(make_source("gpkg", columns=ATTRIBUTES), package, rows=2)
    assert found.rows[0] == {
        "incident_id": "007", "occurred_at": "2026-01-05 10:00", "category": "噪声",
        "outcome": "已办结", "lng": 103.81, "lat": 36.05, "row": 1,
    }  # fmt: skip
    assert found.table["lng"].to_pylist() == [103.81, 103.82, None]
    assert (found.numbers, found.sizes) == ([1, 2, 3], [2, 1])
    assert headings(make_source("gpkg"), package) == list(call_points.columns[:-1])


def test_sheet_names_the_layer(package, read, make_source, call_points):
    pyogrio.write_dataframe(call_points.head(1), package, layer="other", append=True)
    source = make_source("gpkg", columns=ATTRIBUTES)
    assert len(read(source, package).rows) == 3
    other = make_source("gpkg", columns=ATTRIBUTES, more='sheet = "other"')
    assert len(read(other, package).rows) == 1
    wrong = make_source("gpkg", columns=ATTRIBUTES, more='sheet = "third"')
    with pytest.raises(SourceError, match="has no layer 'third'; it has 来电, other"):
        read(wrong, package)


def test_a_table_without_geometry_needs_no_frame(tmp_path, read, make_source, calls):
    path = tmp_path / "calls.gpkg"
    pyogrio.write_dataframe(calls, path, layer="calls")
    assert read(make_source("gpkg", frame="EPSG:4547"), path).rows[0]["lng"] == 103.81
    bare = read(make_source("gpkg", columns=ATTRIBUTES), path)
    assert "lng" not in bare.table.column_names


def test_groups_of_one_point_are_points(tmp_path, read, make_source, call_points):
    path = tmp_path / "calls.gpkg"
    shapes = [
        shapely.MultiPoint([[103.5, 36.5]]), shapely.MultiPoint([[1, 2], [3, 4]]),
        shapely.box(103, 36, 104, 37),
    ]  # fmt: skip
    mixed = call_points.set_geometry(gpd.GeoSeries(shapes, crs=4326))
    pyogrio.write_dataframe(mixed, path, geometry_type="Unknown")
    found = read(make_source("gpkg", columns=ATTRIBUTES), path)
    assert found.table["lng"].to_pylist() == [103.5, None, None]


def test_the_clock_is_the_sources_although_the_format_writes_utc(
    tmp_path, read, make_source, calls
):
    path = tmp_path / "calls.gpkg"
    stamped = calls.assign(时间=pd.to_datetime(calls["时间"]))
    pyogrio.write_dataframe(stamped, path)
    kind = read(make_source("gpkg"), path).table.schema.field("occurred_at").type
    assert kind == pa.timestamp("ms")
    source = make_source("gpkg")
    zoned = {"time_format": ("%Y-%m-%dT%H:%M:%S%z",)}
    kept = read(type(source)(**{**vars(source), **zoned}), path)
    assert kept.table.schema.field("occurred_at").type == pa.timestamp("ms", "UTC")


def test_frames_must_fit(tmp_path, read, make_source, call_points):
    path = tmp_path / "calls.gpkg"
    pyogrio.write_dataframe(call_points.to_crs(4547), path)
    assert read(make_source("gpkg", columns=ATTRIBUTES, frame="EPSG:4547"), path).numbers
    for frame in ("EPSG:4326", "GCJ-02"):
        with pytest.raises(SourceError, match=f"EPSG:4547, the source says {frame}"):
            read(make_source("gpkg", columns=ATTRIBUTES, frame=frame), path)


def _cut(path):
    path.write_bytes(path.read_bytes()[:20_000])


def _overwritten(path):
    content = path.read_bytes()
    path.write_bytes(content[:4096] + b"\xff" * (len(content) - 4096))


def _another_database(path):
    path.unlink()
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE calls (a)")
    database.close()


def _bad_text(path):
    database = sqlite3.connect(path)
    for (name,) in database.execute(
        "SELECT name FROM sqlite_master WHERE type = 'trigger'"
    ).fetchall():
        database.execute(f'DROP TRIGGER "{name}"')
    database.execute("UPDATE 来电 SET 类别 = CAST(x'fffe' AS TEXT)")
    database.commit()
    database.close()


def _reference(path):
    # GDAL would follow this description to any file or address.
    path.write_text(
        '<OGRVRTDataSource><OGRVRTLayer name="x"><SrcDataSource>/etc/passwd</SrcDataSource>'
        "</OGRVRTLayer></OGRVRTDataSource>",
        encoding="utf-8",
    )


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (_cut, "."), (_overwritten, "."), (_another_database, "."), (_bad_text, "cannot be read"),
        (_reference, "no GeoPackage"), (lambda path: path.write_bytes(b""), "no GeoPackage"),
        (lambda path: path.unlink(), "cannot be read"),
    ],
)  # fmt: skip
def test_a_hostile_file_is_refused_whole(package, read, make_source, spoil, message):
    spoil(package)
    with pytest.raises(SourceError, match=message):
        read(make_source("gpkg", columns=ATTRIBUTES), package)


def test_missing_columns_are_named(package, read, make_source):
    with pytest.raises(SourceError, match=r"lacks the columns \['经度', '纬度'\]"):
        read(make_source("gpkg"), package)

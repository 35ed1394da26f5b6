import json

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from etl.sources import SourceError, features, headings
from tests.etl.sources.conftest import ATTRIBUTES

CRS84 = {"type": "name", "properties": {"name": "urn:ogc:def:crs:OGC:1.3:CRS84"}}
PROJECTED = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::4547"}}


@pytest.fixture
def records(calls):
    empty = calls.astype(object).where(calls.notna(), None)
    return empty.to_dict("records")


def feature(properties, coordinates=(103.8, 36.0)):
    geometry = None if coordinates is None else {"type": "Point", "coordinates": coordinates}
    return {"type": "Feature", "properties": properties, "geometry": geometry}


@pytest.fixture
def write(tmp_path):
    def write(content, name="calls.geojson"):
        path = tmp_path / name
        text = content if isinstance(content, (str, bytes)) else json.dumps(content)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


@pytest.fixture
def good(records):
    return feature(records[0])


def collection(found, **members):
    return {"type": "FeatureCollection", "features": found} | members


def test_points_give_coordinates_where_the_source_maps_none(
    tmp_path, read, make_source, call_points
):
    path = tmp_path / "calls.geojson"
    call_points.to_file(path, driver="GeoJSON")
    found = read(make_source("geojson", columns=ATTRIBUTES), path)
    assert found.rows[0] == {
        "incident_id": "007", "occurred_at": "2026-01-05 10:00", "category": "噪声",
        "outcome": "已办结", "lng": 103.81, "lat": 36.05, "row": 1,
    }  # fmt: skip
    assert found.table["lng"].to_pylist() == [103.81, 103.82, None]
    assert headings(make_source("geojson"), path) == [*call_points.columns[:-1]]


def test_mapped_coordinates_win_over_the_geometry(write, read, make_source, good):
    path = write(collection([good], crs=PROJECTED))
    assert read(make_source("geojson"), path).rows[0]["lng"] == "103.81"


def test_members_may_stand_in_any_order(write, read, make_source, good):
    text = json.dumps(
        {"bbox": [1, 2], "features": [good] * 3, "name": "x", "type": "FeatureCollection"}
    )
    assert read(make_source("geojson"), write(b"\xef\xbb\xbf" + text.encode())).numbers == [1, 2, 3]


def test_only_points_have_coordinates(write, read, make_source, records):
    shapes = [
        {"type": "Polygon", "coordinates": [[[1, 2], [2, 3], [3, 4], [1, 2]]]},
        {"type": "Point", "coordinates": []},
        {"type": "Point", "coordinates": ["1", "2"]},
        {"type": "Point", "coordinates": [77, 2]},
        {"type": "Point", "coordinates": [1, 2, 3]},
        [],
    ]
    found = [feature(records[0]) | {"geometry": shape} for shape in shapes]
    text = json.dumps(collection(found)).replace("77", "1e999")
    table = read(make_source("geojson", columns=ATTRIBUTES), write(text)).table
    assert table["lng"].to_pylist() == [None, None, None, None, 1.0, None]


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    kinds=st.lists(st.sampled_from(["good", "number", "nested", "none"]), min_size=1, max_size=30),
    block=st.integers(1, 200),
    piece=st.integers(1, 7),
)
def test_numbers_do_not_depend_on_blocks(  # noqa: PLR0917
    write, read, make_source, records, kinds, block, piece
):
    odd = {
        "good": feature(records[0]), "number": 12, "none": None,
        "nested": feature(records[0] | {"类别": ["A"]}),
    }  # fmt: skip
    features_ = [odd[kind] for kind in kinds]
    bad = [at for at, kind in enumerate(kinds, 1) if kind != "good"]
    paths = {
        "geojson": write(collection(features_)),
        "ndjson": write("\n".join(map(json.dumps, features_)), "calls.ndjson"),
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(features, "_BLOCK_BYTES", block)
        patch.setattr(features, "_PIECE_ROWS", piece)
        for kind, path in paths.items():
            found = read(make_source(kind), path, rows=5)
            assert found.malformed == bad
            assert found.numbers == sorted(set(range(1, len(kinds) + 1)) - set(bad))
            assert all(size == 5 for size in found.sizes[:-1])


def test_shifted_frames_may_claim_degrees(write, read, make_source, good):
    path = write(collection([good], crs=CRS84))
    for frame in ("GCJ-02", "BD-09", "EPSG:4326", "EPSG:4490", "CGCS2000"):
        assert read(make_source("geojson", columns=ATTRIBUTES, frame=frame), path).numbers == [1]
    same = write(collection([good], crs=PROJECTED))
    assert read(make_source("geojson", columns=ATTRIBUTES, frame="EPSG:4547"), same).numbers == [1]


@pytest.mark.parametrize("frame", ["EPSG:4326", "GCJ-02", "EPSG:4549"])
def test_another_frame_is_refused(write, read, make_source, good, frame):
    path = write(collection([good], crs=PROJECTED))
    with pytest.raises(SourceError, match="declares the frame EPSG:4547"):
        read(make_source("geojson", columns=ATTRIBUTES, frame=frame), path)


HOSTILE = {
    "nothing": ("", "damaged JSON"),
    "deep": ('{"type": "FeatureCollection", "features": [' + "[" * 100_000, "too deeply"),
    "deep member": ('{"x": ' + '{"a":' * 100_000, "too deeply"),
    "not a number": ('{"features": [{"a": NaN}]}', "holds NaN"),
    "infinity": ('{"features": [{"a": -Infinity}]}', "holds -Infinity"),
    "huge whole number": ('{"features": [' + "9" * 5000 + "]}", "number that cannot be read"),
    "cut": ('{"type": "FeatureCollection", "features": [{"type": "Feat', "damaged JSON"),
    "cut between": ('{"type": "FeatureCollection", "features": [{},', "damaged JSON"),
    "more after the end": ('{"type": "FeatureCollection", "features": []} {}', "damaged JSON"),
    "no collection": ('{"type": "Feature", "properties": {}}', "no GeoJSON FeatureCollection"),
    "an array": ("[1, 2]", "damaged JSON"),
    "features no array": ('{"features": {"a": 1}}', "damaged JSON"),
    "GB18030": ('{"name": "噪声"}'.encode("gb18030"), "no UTF-8"),
    "UTF-16": ("{}".encode("utf-16"), "UTF-16"),
    "a web page": ("<html>", "damaged JSON"),
    "unknown frame": (json.dumps(collection([], crs={"type": "link"})), "frame that is unknown"),
    "no such column": (json.dumps(collection([feature({"a": 1})])), "lacks the columns"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_refused_whole(write, read, make_source, name):
    content, message = HOSTILE[name]
    with pytest.raises(SourceError, match=message):
        read(make_source("geojson", columns=ATTRIBUTES), write(content))


def test_an_endless_feature_does_not_swallow_the_memory(write, read, make_source, monkeypatch):
    monkeypatch.setattr(features, "_BLOCK_BYTES", 1000)
    monkeypatch.setattr(features, "_FEATURE_CHARACTERS", 5000)
    path = write('{"features": [{"a": "' + "x" * 100_000)
    with pytest.raises(SourceError, match="more than 5,000 characters"):
        read(make_source("geojson"), path)


LINES = {
    "cut": '{"编号": "1", "时',
    "deep": "[" * 100_000,
    "no object": '"text"',
    "not a number": '{"编号": NaN}',
    "huge whole number": '{"编号": ' + "9" * 5000 + "}",
    "longer than 64 bits": '{"编号": ' + "9" * 40 + "}",
    "overflow": '{"编号": 1e999}',
    "half a character": '{"编号": "\\ud800"}',
    "nested": '{"编号": {"a": 1}}',
    "two objects": "{} {}",
    "GB18030": '{"编号": "噪声"}'.encode("gb18030"),
    "NUL": b"\0",
}


@pytest.mark.parametrize("name", LINES)
def test_a_bad_line_is_one_unreadable_row(write, read, make_source, records, name):
    line = LINES[name] if isinstance(LINES[name], bytes) else LINES[name].encode()
    good = json.dumps(records[0], ensure_ascii=False).encode()
    path = write(b"\n".join([good, b"", line, good]), "calls.ndjson")
    found = read(make_source("ndjson"), path)
    assert (found.numbers, found.malformed) == ([1, 3], [2])


def test_an_endless_line_is_one_unreadable_row(write, read, make_source, records, monkeypatch):
    monkeypatch.setattr(features, "_LINE_BYTES", 1000)
    good = json.dumps(records[0])
    path = write("\n".join([good, " " * 2500 + good, good, "x" * 2000]), "calls.ndjson")
    found = read(make_source("ndjson"), path)
    assert (found.numbers, found.malformed) == ([1, 3], [2, 4])


def test_lines_may_be_features_or_plain_objects(write, read, make_source, records, good):
    lines = [records[0], good, {"编号": 7, "时间": 1.5, "类别": True}]
    path = write("\ufeff" + "\r\n".join("\x1e" + json.dumps(line) for line in lines), "c.ndjson")
    found = read(make_source("ndjson"), path)
    assert found.rows[0] | {"row": 2} == found.rows[1]
    assert [found.rows[2][name] for name in ("incident_id", "occurred_at", "category", "lng")] == [
        "7", "1.5", "true", None,
    ]  # fmt: skip
    assert np.isin(["编号", "来电人"], headings(make_source("ndjson"), path)).all()


def test_lines_without_a_column_or_in_utf_16_are_refused(write, read, make_source):
    with pytest.raises(SourceError, match="lacks the columns"):
        read(make_source("ndjson"), write('{"编号": "1"}\n', "c.ndjson"))
    with pytest.raises(SourceError, match="UTF-16"):
        read(make_source("ndjson"), write("{}".encode("utf-16"), "c.ndjson"))
    assert read(make_source("ndjson"), write("x\ny\n", "c.ndjson")).malformed == [1, 2]

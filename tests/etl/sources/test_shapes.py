import struct
import zipfile

import pyogrio
import pytest

from etl.sources import SourceError, headings, shapes
from tests.etl.sources.conftest import ATTRIBUTES

# The format allows names of ten bytes, three characters of UTF-8.
COLUMNS = ATTRIBUTES | {"outcome": "结果"}


@pytest.fixture
def call_points(call_points):
    return call_points.rename(columns={"办理结果": "结果"})


@pytest.fixture
def members(tmp_path, call_points):
    """Bytes of a shapefile's parts by ending, its text in an encoding."""

    def members(encoding="GBK", points=call_points, frame=None):
        folder = tmp_path / encoding
        folder.mkdir()
        if frame is not None:
            points = points.to_crs(frame)
        pyogrio.write_dataframe(points, folder / "calls.shp", encoding=encoding)
        return {path.suffix: path.read_bytes() for path in sorted(folder.iterdir())}

    return members


@pytest.fixture
def pack(tmp_path):
    def pack(members, stem="来电", compression=zipfile.ZIP_DEFLATED):
        path = tmp_path / "calls.zip"
        with zipfile.ZipFile(path, "w", compression) as archive:
            for suffix, content in members.items():
                archive.writestr(f"{stem}{suffix}", content)
        return path

    return pack


def without(members, *suffixes):
    return {suffix: content for suffix, content in members.items() if suffix not in suffixes}


@pytest.fixture
def source(make_source):
    return make_source("shapefile", columns=COLUMNS)


@pytest.mark.parametrize("declared", [True, False])
@pytest.mark.parametrize("encoding", ["GBK", "UTF-8", "GB18030"])
def test_text_is_right_with_and_without_a_cpg(members, pack, read, source, encoding, declared):  # noqa: PLR0917
    parts = members(encoding)
    found = read(source, pack(parts if declared else without(parts, ".cpg")), rows=2)
    assert found.rows[0] == {
        "incident_id": "007", "occurred_at": "2026-01-05 10:00", "category": "噪声",
        "outcome": "已办结", "lng": 103.81, "lat": 36.05, "row": 1,
    }  # fmt: skip
    assert found.table["lng"].to_pylist() == [103.81, 103.82, None]
    assert (found.numbers, found.sizes) == ([1, 2, 3], [2, 1])
    assert found.rows[2]["category"] is None


@pytest.mark.parametrize("name", ["936", "ANSI 936", "GB2312", "cp936\r\n", "OEM 936", "54936"])
def test_names_of_the_chinese_code_page(members, pack, read, source, name):
    assert read(source, pack(members() | {".cpg": name.encode()})).rows[0]["category"] == "噪声"


def test_a_name_may_be_given_whole_or_as_the_format_cuts_it(
    members, pack, read, make_source, call_points
):
    long = call_points.rename(columns={"结果": "办理结果说明"})
    with pytest.warns(RuntimeWarning, match="Normalized"):
        parts = members("GBK", long)
    path = pack(without(parts, ".cpg"))
    for name in ("办理结果说明", "办理结果说"):
        source = make_source("shapefile", columns=ATTRIBUTES | {"outcome": name})
        assert read(source, path).rows[0]["outcome"] == "已办结"
    assert headings(source, path) == ["编号", "来电人", "时间", "类别", "办理结果说"]
    with pytest.raises(SourceError, match=r"lacks the columns \['结果'\]"):
        read(make_source("shapefile", columns=COLUMNS), path)


def test_text_that_its_field_cuts_keeps_its_whole_characters(members, pack, read, source):
    parts = members("UTF-8")
    table = bytearray(parts[".dbf"])
    (start,) = struct.unpack("<H", table[8:10])
    offset = start + 1 + 80 * 3
    table[offset : offset + 80] = ("噪" * 27).encode()[:80]
    found = read(source, pack(without(parts, ".cpg") | {".dbf": bytes(table)}))
    assert found.rows[0]["category"] == "噪" * 26


def test_endings_may_be_in_capitals_and_in_a_folder(members, pack, read, source):
    parts = {suffix.upper(): content for suffix, content in members().items()}
    assert read(source, pack(parts, stem="../data/来电")).numbers == [1, 2, 3]


def test_sheet_names_one_of_several(members, pack, read, make_source, tmp_path):
    path = pack(members())
    with zipfile.ZipFile(path, "a") as archive:
        for suffix, content in members("UTF-8").items():
            archive.writestr(f"other{suffix}", content)
    with pytest.raises(SourceError, match="holds 2 shapefiles"):
        read(make_source("shapefile", columns=COLUMNS), path)
    source = make_source("shapefile", columns=COLUMNS, more='sheet = "other"')
    assert read(source, path).numbers == [1, 2, 3]


def test_frames_must_fit(members, pack, read, make_source):
    path = pack(members("GBK", frame=4547))
    assert read(make_source("shapefile", columns=COLUMNS, frame="EPSG:4547"), path).numbers
    for frame in ("EPSG:4326", "BD-09"):
        with pytest.raises(SourceError, match=f"EPSG:4547, the source says {frame}"):
            read(make_source("shapefile", columns=COLUMNS, frame=frame), path)


def test_without_a_prj_the_source_is_believed(members, pack, read, make_source):
    path = pack(without(members(), ".prj"))
    assert read(make_source("shapefile", columns=COLUMNS, frame="EPSG:4547"), path).numbers


DAMAGED = {
    "no table": (lambda parts: without(parts, ".dbf"), "lacks the members .dbf"),
    "no index": (lambda parts: without(parts, ".shx"), "lacks the members .shx"),
    "no shapes": (lambda parts: without(parts, ".shp"), "holds 0 shapefiles"),
    "cut table": (lambda parts: parts | {".dbf": parts[".dbf"][:-60]}, "do not fit together"),
    "no head": (lambda parts: parts | {".dbf": b"\3"}, "do not fit together"),
    "cut shapes": (lambda parts: parts | {".shp": parts[".shp"][:-8]}, "do not fit together"),
    "cut index": (lambda parts: parts | {".shx": parts[".shx"][:-8]}, "do not fit together"),
    "other shapes": (lambda parts: parts | {".shp": b"<xml>" * 100}, "do not fit together"),
    "wrong cpg": (lambda parts: parts | {".cpg": b"UTF-8"}, "garbled text: not all of it is utf-8"),
    "unknown cpg": (lambda parts: parts | {".cpg": b"Klingon"}, "unknown encoding 'klingon'"),
    "cpg with NUL": (lambda parts: parts | {".cpg": b"UTF\0"}, "unknown encoding"),
    "cpg of no text": (lambda parts: parts | {".cpg": b"zlib"}, "unknown encoding 'zlib'"),
    "unknown prj": (lambda parts: parts | {".prj": b"PROJCS[\x80"}, "frame that is unknown"),
    "no fields": (
        lambda parts: parts | {".dbf": parts[".dbf"][:32] + b"\xff" * len(parts[".dbf"])}, "."
    ),
    "no text": (
        lambda parts: without(parts, ".cpg") | {".dbf": parts[".dbf"].replace(b"007", b"0\xff\xff")},
        "garbled text: not all of it is utf-8 or gb18030",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", DAMAGED)
def test_a_damaged_shapefile_is_refused_whole(members, pack, read, source, name):
    spoil, message = DAMAGED[name]
    with pytest.raises(SourceError, match=message):
        read(source, pack(spoil(members())))


@pytest.mark.parametrize("text", ["锟斤拷", "a\ufffd"])
def test_text_garbled_before_is_refused(members, pack, read, source, call_points, text):  # noqa: PLR0917
    path = pack(members("UTF-8", call_points.assign(类别=text)))
    with pytest.raises(SourceError, match="garbled text in the column '类别'"):
        read(source, path)


def test_a_bomb_is_refused_before_it_is_unpacked(members, pack, read, source, monkeypatch):
    parts = members()
    path = pack(parts | {".dbf": parts[".dbf"] + b" " * 20_000_000})
    with pytest.raises(SourceError, match="times its size"):
        read(source, path)
    monkeypatch.setattr(shapes, "MAX_BYTES", 1000)
    with pytest.raises(SourceError, match="allowed are 1,000"):
        read(source, pack(parts, compression=zipfile.ZIP_STORED))


def test_a_lie_about_the_size_is_found(members, pack, read, source):
    path = pack(members() | {".prj": b"GEOGCS" * 50_000})
    content = path.read_bytes()
    # The declared size of the last member, in its own head and in the list at the end.
    path.write_bytes(content.replace(struct.pack("<I", 300_000), struct.pack("<I", 300)))
    with pytest.raises(SourceError, match="damaged or locked archive"):
        read(source, path)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda _: b"", lambda _: b"PK\3\4 no archive",
        lambda content: content[: len(content) // 2],
        lambda content: content[:200] + bytes([content[200] ^ 255]) + content[201:],
    ],
)  # fmt: skip
def test_a_damaged_archive_is_refused(members, pack, read, source, spoil):
    path = pack(members())
    path.write_bytes(spoil(path.read_bytes()))
    with pytest.raises(SourceError, match="archive"):
        read(source, path)


def test_points_that_are_no_numbers_are_no_points(members, pack, read, source):
    parts = members("UTF-8")
    broken = bytearray(parts[".shp"])
    broken[112:128] = struct.pack("<2d", float("nan"), float("inf"))
    found = read(source, pack(parts | {".shp": bytes(broken)}))
    assert found.table["lng"].to_pylist() == [None, 103.82, None]

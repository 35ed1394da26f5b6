"""What the door lets in, by its bytes alone."""

import datetime as dt
import io
import os
import stat
import struct
import zipfile

import pytest

from data import archives, upload_store, uploads
from data.source import SUFFIXES
from data.upload_error import CODES, UploadError
from data.upload_store import Arriving, records, settle, waiting, waiting_elsewhere
from tests.etl.sources.books import make_source
from tests.faults import hostile_made
from tests.faults import ledger_samples as samples

NOW = dt.datetime(2026, 11, 16, 4, 0, tzinfo=dt.UTC)
# What the bytes alone do not show is found by the readers, apart from us.
LET_IN = {
    "xlsx": ("a far cell", "a row beyond all", "a row in small letters", "a row that goes back",
             "a column without end", "a cell of no name", "a text that is not there",
             "a text number below zero", "a style that is not there", "a date of no year",
             "a number that is none", "cells within cells", "deep elements", "wide merged cells",
             "a lie of its size",
             "merged cells turned round", "merged cells below zero", "a sheet that is cut",
             "no sheet", "formulas", "relations in a ring"),
    "xls": ("a table of billions", "a directory in a ring", "sectors of gigabytes", "cut",
            "records without end"),
    "shapefile": ("no table", "no index", "shapes that are cut", "a length that lies",
                  "a record of gigabytes", "a record below zero", "an index that points away",
                  "an index to itself", "another kind of shape", "an unknown kind of shape",
                  "points that are no numbers", "billions of rows", "rows of no width",
                  "a header of no length", "fields without an end", "a code page of no text",
                  "a code page that climbs", "a frame from a file", "two of them"),
    "gpkg": ("cut", "only its header", "pages of one byte", "a journal that is not there",
             "a layer without a table", "geometries that are none", "geometries of gigabytes",
             "a layer without end", "a view that takes all memory", "a column of gigabytes",
             "triggers", "a name that is a command", "a frame from a file"),
    "parquet": ("a footer of zeros", "pages of zeros", "lists for texts", "millions of equal rows",
                "texts of a megabyte", "bytes that are no text", "numbers that are none",
                "a column twice"),
    "geojson": ("not a number", "endless", "a number too large", "a number of digits",
                "half a character", "a zero character", "coordinates of text",
                "coordinates of nothing", "a million coordinates", "features that are none",
                "features of nothing", "members twice", "a frame from a file",
                "a frame of a network", "a mark before it", "cut", "a string without end"),
    "ndjson": ("a line without end", "keys without end", "names of formulas"),
    "csv": ("formulas", "a hundred thousand columns", "a quote without end", "quotes only",
            "returns only", "GBK", "marks in the middle", "directions turned",
            "steering a terminal"),
}  # fmt: skip


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    return samples.good(tmp_path_factory.mktemp("good"))


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return hostile_made.made(tmp_path_factory.mktemp("made"))


@pytest.fixture
def refused(tmp_path):
    """Code with which a content is refused; None = it is let in."""

    def refused(content, ending):
        path = tmp_path / "file"
        path.write_bytes(content)
        try:
            uploads.check_file(path, ending)
        except UploadError as error:
            return error.code
        return None

    return refused


def packed(names, **options):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", **options) as archive:
        for name in names:
            archive.writestr(name, b"x")
    return out.getvalue()


def code_of(content):
    try:
        archives.read_directory(content)
    except UploadError as error:
        return error.code
    return None


@pytest.mark.parametrize("kind", list(samples.ENDINGS))
def test_good_ledgers_are_let_in_and_only_by_their_own_ending(good, refused, kind):
    for ending, other in SUFFIXES.items():
        code = refused(good[kind], ending)
        same = (
            other == kind
            or {kind, other} <= {"csv", "tsv"}
            or (kind, other) == ("ndjson", "geojson")
        )
        if same:
            assert code is None, ending
        elif (kind, other) != ("geojson", "ndjson"):
            assert code is not None, ending


def test_hand_made_files_are_refused_or_left_to_the_readers(made, refused):
    let_in = {
        name
        for name, (kind, content) in made.items()
        if refused(content, samples.ENDINGS[kind]) is None
    }
    assert let_in == {f"{kind}: {name}" for kind, names in LET_IN.items() for name in names}
    assert len(made) >= 130


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("xlsx: a bomb in a sheet", "zip_large"),
        ("xlsx: a lie of a large size", "zip_large"),
        ("xlsx: a billion laughs", "xml"),
        ("xlsx: an outer entity", "xml"),
        ("xlsx: a sheet in UTF-16", "xml"),
        ("xlsx: the sheet twice", "zip_twice"),
        ("xlsx: a name that climbs", "zip_name"),
        ("xlsx: an absolute name", "zip_name"),
        ("xlsx: a drive", "zip_name"),
        ("xlsx: a workbook within", "zip_nested"),
        ("xlsx: macros", "macros"),
        ("xls: macros", "macros"),
        ("xlsx: many members", "zip_members"),
        ("xlsx: an encrypted member", "zip_encrypted"),
        ("xlsx: an unknown packing", "zip_damaged"),
        ("xlsx: a lie of its size", None),
        ("xlsx: members over one another", "zip_damaged"),
        ("xlsx: a picture in front", "content"),
        ("xlsx: text behind", "zip_damaged"),
        ("xlsx: cut", "zip_damaged"),
        ("xlsx: an old workbook", "content"),
        ("shapefile: a bomb", "zip_large"),
        ("shapefile: names that climb", "zip_name"),
        ("shapefile: an archive within", "zip_nested"),
        ("gpkg: no GeoPackage at all", "content"),
        ("parquet: a footer of gigabytes", "content"),
        ("parquet: an encrypted footer", "content"),
        ("geojson: a hundred thousand brackets", "content"),
        ("geojson: brackets in a property", "deep"),
        ("geojson: objects within objects", "deep"),
        ("geojson: UTF-16", "text_utf16"),
        ("geojson: GBK", "text_encoding"),
        ("ndjson: deep lines", "content"),
    ],
)
def test_the_reason_of_a_refusal(made, refused, name, code):
    kind, content = made[name]
    assert refused(content, samples.ENDINGS[kind]) == code


@pytest.mark.parametrize(
    ("content", "ending", "code"),
    [
        (b"", ".csv", "empty"),
        (b"a,b\n1,2\n", ".csv", None),
        ("编号,时间\n1,2\n".encode("gb18030"), ".csv", None),
        (b"\xef\xbb\xbfa,b\n", ".csv", None),
        (b"\xef\xbb\xbf" + "编号".encode("gb18030"), ".csv", "text_encoding"),
        ("编号".encode("utf-16"), ".csv", "text_utf16"),
        ("id".encode("utf-16-le"), ".csv", "text_binary"),
        (b"a,b\n1,\0\n", ".csv", "text_binary"),
        (b"a,b\n1,\xff\n", ".csv", "text_encoding"),
        (b"\n <html><table>", ".csv", "content"),
        (b"%PDF-1.7 a,b", ".csv", "content"),
        (b"{\\rtf1 a,b}", ".csv", "content"),
        (b'{"a": 1}', ".tsv", "content"),
        (b"[1]", ".geojson", "content"),
        (b'{"a": "' + b"[" * 100 + b'"}', ".geojson", None),
        (b'{"a": "\\"' + b"[" * 100 + b'"}', ".geojson", None),
        (b'{"a\\\\": ' + b"[" * 100 + b"}", ".geojson", "deep"),
        (b'{"a": ' + b"[" * 31 + b"]" * 31 + b"}", ".geojson", None),
        (b'{"a": ' + b"[" * 32 + b"]" * 32 + b"}", ".geojson", "deep"),
        (b'{"a": 1}\n' * 100, ".ndjson", None),
        (b'{"a": [\n' * 100, ".ndjson", None),
        (b'{"a": 1}\n{"a": ' + b"[" * 33, ".ndjson", "deep"),
        (b"\x1e" + b'{"a": 1}', ".ndjson", None),
        (b"PAR1" + bytes(4) + b"PAR1", ".parquet", "content"),
    ],
)
def test_texts(refused, content, ending, code):
    assert refused(content, ending) == code


def test_a_depth_is_counted_over_the_edges_of_blocks(refused, monkeypatch):
    deep = b'{"a\\\\\\"[[": "\\"", "b": ' + b"[" * 32 + b"]" * 32 + b"}"
    flat = b'{"a\\\\\\"[[": "\\"", "b": "' + b"[" * 32 + b'\\\\"}'
    for size in range(1, 20):
        monkeypatch.setattr(uploads, "_BLOCK", size)
        assert refused(deep, ".geojson") == "deep"
        assert refused(flat, ".geojson") is None


def test_a_file_of_the_largest_size_and_one_byte_more(refused):
    assert refused(b"x" * uploads.MAX_BYTES, ".csv") is None
    assert refused(b"x" * (uploads.MAX_BYTES + 1), ".csv") == "too_large"


@pytest.mark.parametrize(
    ("prolog", "is_good"),
    [
        (b"<a/>", True),
        (b'\xef\xbb\xbf<?xml version="1.0" encoding="UTF-8"?>\r\n<!-- <!DOCTYPE --><a/>', True),
        (b"<?xml version='1.0' encoding='utf-8'?><?pi <!DOCTYPE ?><a>", True),
        (b"<!DOCTYPE a><a/>", False),
        (b"<!doctype a><a/>", False),
        (b"<?xml version='1.0'?><!-- x --><!DOCTYPE a []><a/>", False),
        (b"<!--" + b"x" * 70_000 + b"--><a/>", False),
        (b"<?xml version='1.0' encoding='utf-16'?><a/>", False),
        (b"<?xml version='1.0' encoding='UTF-7'?>+ADwAIQ-DOCTYPE a+AD4-", False),
        ("<!DOCTYPE a><a/>".encode("utf-16"), False),
        ("<a/>".encode("utf-16-le"), False),
        (b"plain text", False),
        (b"", False),
        (b"<" * 70_000, False),
        (b"<?" * 30_000, False),
        (b"<!--" * 15_000, False),
    ],
)
def test_what_stands_before_the_first_element(good, refused, prolog, is_good):
    content = samples.packed(samples.unpacked(good["xlsx"]) | {"docProps/app.xml": prolog})
    assert refused(content, ".xlsx") == (None if is_good else "xml")


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("a.csv", None), ("a/b.csv", None), ("a/", None), ("台账.shp", None), (".hidden", None),
        ("a..b", None), ("../a", "zip_name"), ("a/../b", "zip_name"), ("a/..", "zip_name"),
        ("./a", "zip_name"), ("/a", "zip_name"), ("//a", "zip_name"), ("a//b", "zip_name"),
        ("a\\b", "zip_name"), ("C:a", "zip_name"), ("c:/a", "zip_name"), ("a\nb", "zip_name"),
        ("a\x7f", "zip_name"), ("x" * 256, "zip_name"), ("a.ZIP", "zip_nested"),
        ("a.xlsm", "zip_nested"), ("a.tar.gz", "zip_nested"), ("\uff41.\uff5aip", "zip_nested"),
    ],
)  # fmt: skip
def test_names_in_archives(name, code):
    assert code_of(packed([name])) == code


def test_names_that_one_file_system_or_another_takes_for_the_same():
    for first, second in (("a", "A"), ("a", "ａ"), ("e\u0301", "é"), ("a", "a/")):
        assert code_of(packed([first, second])) == "zip_twice"
    assert code_of(packed(["a", "b"])) is None


def test_links_in_archives():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        info = zipfile.ZipInfo("a.shp")
        info.create_system, info.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
        archive.writestr(info, "/etc/passwd")
    assert code_of(out.getvalue()) == "zip_name"


def test_archives_written_in_one_go_and_for_large_files():
    class Pipe(io.BytesIO):
        def seekable(self):
            return False

        def tell(self):
            raise OSError

        def seek(self, *_):
            raise OSError

    for out in (Pipe(), io.BytesIO()):
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
            for name in ("a", "b"):
                with archive.open(name, "w", force_zip64=True) as part:
                    part.write(b"text" * 100)
        members = archives.read_directory(out.getvalue())
        assert [(one.name, one.unpacked) for one in members] == [("a", 400), ("b", 400)]
        assert archives.first_bytes(out.getvalue(), members[1], 6) == b"textte"


def large_directory(content):
    """The same archive with the records that large archives have, as some programs always write."""
    end = len(content) - 22
    here, count, size, first = struct.unpack_from("<2H2I", content, end + 8)
    record = struct.pack("<4sQ2H2I4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, here, count, size, first)
    locator = struct.pack("<4sIQI", b"PK\x06\x07", 0, end, 1)
    return content[:end] + record + locator + content[end:]


def test_the_record_of_large_archives():
    content = large_directory(packed(["a", "b"]))
    assert zipfile.ZipFile(io.BytesIO(content)).namelist() == ["a", "b"]
    assert code_of(content) is None
    end = len(content) - 22 - 20 - 56
    for place in (24, 32, 40, 48):  # counts, size and place of the directory
        wrong = bytearray(content)
        wrong[end + place] ^= 1
        assert code_of(bytes(wrong)) == "zip_damaged", place


def test_every_changed_byte_of_a_directory_is_refused_or_changes_nothing():
    content = packed(["a.shp", "b.shx"])
    start = content.index(b"PK\x01\x02")
    before = [(one.name, one.start, one.packed) for one in archives.read_directory(content)]
    for at in range(start, len(content)):
        changed = bytearray(content)
        changed[at] ^= 0x01
        if code_of(bytes(changed)) is None:
            after = archives.read_directory(bytes(changed))
            assert [(one.name, one.start, one.packed) for one in after] == before, at - start


def test_an_archive_with_bytes_between_before_or_behind():
    content = packed(["a", "b"])
    second = content.index(b"PK\x03\x04", 4)
    first = content.index(b"PK\x01\x02")
    assert code_of(b"#!/bin/sh\n" + content) == "zip_damaged"
    assert code_of(content + b"x") == "zip_damaged"
    assert code_of(content[:second] + b"x" * 100 + content[second:]) == "zip_damaged"
    assert code_of(content[:first] + b"x" * 100 + content[first:]) == "zip_damaged"
    with_words = io.BytesIO(content)
    with zipfile.ZipFile(with_words, "a") as archive:
        archive.comment = b"PK\x05\x06"
    assert code_of(with_words.getvalue()) == "zip_damaged"
    assert code_of(b"PK\x05\x06" + bytes(18)) == "zip_damaged"


@pytest.mark.parametrize(
    ("name", "ending"),
    [
        ("a.csv", ".csv"),
        ("A.CSV", ".csv"),
        ("a.b.txt", ".csv"),
        ("../../x.csv", ".csv"),
        ("x" * 9999 + ".csv", ".csv"),
    ],
)
def test_a_file_is_stored_under_one_ending_of_its_kind(name, ending):
    assert uploads.check_name(make_source(format="csv"), name) == ending


@pytest.mark.parametrize(
    "name", ["", "csv", "a", "a.csv.", "a.csv ", "a.xlsx", "a.csv\0", "a.csv/b", "a.ｃｓｖ"]
)
def test_other_endings_are_refused(name):
    with pytest.raises(UploadError, match="name"):
        uploads.check_name(make_source(format="csv"), name)


def test_endings_of_a_source():
    assert uploads.endings(make_source(format="xls")) == (".xlsx", ".xls")
    assert uploads.endings(make_source(format="csv")) == (".csv", ".txt")
    assert uploads.endings(make_source(format="rows")) == ()


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("台账 2026.csv", "台账 2026.csv"),
        ("a\u202etxt.exe", "a txt.exe"),
        ("a\r\nX: y\x1b[2J", "a X: y [2J"),
        ("\ud800\u2028a", "a"),
        ("x" * 500, "x" * 119 + "…"),
    ],
)
def test_a_name_is_shown_in_one_short_line(name, shown):
    assert uploads.shown_name(name) == shown


def store(home, content=b"a,b\n1,2\n", now=NOW, source="calls"):
    with Arriving(home, now) as file:
        file.write(content)
        file.check(".csv")
        return file.keep(source, ".csv", now)


def test_a_kept_file_is_for_its_owner_and_under_a_name_of_ours(tmp_path):
    record = store(tmp_path)
    (path,) = waiting(tmp_path, "calls")
    assert path.name == f"{record.sha256[:16]}.csv"
    assert record.name == f"upload {path.name}"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert path.read_bytes() == b"a,b\n1,2\n"
    assert not any((tmp_path / "uploads" / ".tmp").iterdir())
    assert records(tmp_path, "calls", limit=9) == [record]


def test_nothing_stays_of_a_file_that_is_not_kept(tmp_path):
    with Arriving(tmp_path, NOW) as file:
        file.write(b"half")
        assert stat.S_IMODE(file.path.stat().st_mode) == 0o600
    with pytest.raises(UploadError, match="content"):
        store(tmp_path, b"<html>")
    with Arriving(tmp_path, NOW) as file:
        for _ in range(20):
            file.write(bytes(1024 * 1024))
        with pytest.raises(UploadError, match="too_large"):
            file.write(b"x")
    assert not any((tmp_path / "uploads" / ".tmp").iterdir())
    assert waiting(tmp_path, "calls") == []
    assert records(tmp_path, "calls", limit=9) == []


def test_what_a_killed_process_left_is_swept_after_an_hour(tmp_path):
    left, fresh = (tmp_path / "uploads" / ".tmp" / name for name in ("left", "fresh"))
    left.parent.mkdir(parents=True)
    for path, hours in ((left, 2), (fresh, 0)):
        path.write_bytes(b"x")
        at = (NOW - dt.timedelta(hours=hours)).timestamp()
        os.utime(path, (at, at))
    with Arriving(tmp_path, NOW):
        assert not left.exists()
        assert fresh.exists()


def test_so_many_may_wait(tmp_path, monkeypatch):
    monkeypatch.setattr(upload_store, "MOST_WAITING", 2)
    store(tmp_path, b"a\n")
    store(tmp_path, b"b\n")
    store(tmp_path, b"b\n")
    store(tmp_path, b"c\n", source="works")
    with pytest.raises(UploadError, match="many_waiting"):
        store(tmp_path, b"c\n")
    assert len(waiting(tmp_path, "calls")) == 2


def test_only_names_of_ours_are_taken_in(tmp_path):
    store(tmp_path)
    folder = tmp_path / "uploads" / "calls"
    (folder / "0123456789abcdef.csv").symlink_to("/etc/passwd")
    for name in (
        "evil.csv",
        "0123456789abcdef.csv-wal",
        "0123456789abcdef.exe",
        ".0123456789abcdef.csv",
    ):
        (folder / name).write_bytes(b"x")
    assert [path.name for path in waiting(tmp_path, "calls")] == [
        records(tmp_path, "calls", limit=1)[0].name.removeprefix("upload ")
    ]


def test_a_settled_file_is_gone_with_all_that_a_reader_put_beside_it(tmp_path):
    store(tmp_path, b"a\n")
    store(tmp_path, b"b\n", now=NOW + dt.timedelta(minutes=1))
    first, second = waiting(tmp_path, "calls")
    first.with_name(first.name + "-wal").write_bytes(b"x")
    settle(tmp_path, first, NOW, batch=7)
    settle(tmp_path, second, NOW, told="no columns")
    assert not any((tmp_path / "uploads" / "calls").iterdir())
    told = [
        (one.state, one.batch, one.told, one.size) for one in records(tmp_path, "calls", limit=9)
    ]
    assert told == [("refused", None, "no columns", 2), ("taken", 7, "", 2)]


def test_a_record_without_its_file_is_told_as_lost(tmp_path):
    store(tmp_path)
    waiting(tmp_path, "calls")[0].unlink()
    (record,) = records(tmp_path, "calls", limit=9)
    assert (record.state, record.told) == (
        "refused",
        "its storing was interrupted; upload it again",
    )


def test_a_file_without_its_record_gets_one(tmp_path):
    record = store(tmp_path)
    (path,) = waiting(tmp_path, "calls")
    for old in (tmp_path / "uploads" / ".records" / "calls").iterdir():
        old.write_text("{damaged")
    settle(tmp_path, path, NOW, batch=1)
    (found,) = records(tmp_path, "calls", limit=9)
    assert (found.name, found.state, found.batch) == (record.name, "taken", 1)


def test_old_records_go(tmp_path, monkeypatch):
    monkeypatch.setattr(upload_store, "MOST_RECORDS", 3)
    for number in range(5):
        store(tmp_path, f"{number}\n".encode(), now=NOW + dt.timedelta(minutes=number))
    assert [one.at.minute for one in records(tmp_path, "calls", limit=9)] == [4, 3, 2]


def test_files_of_other_sources(tmp_path):
    store(tmp_path, source="calls")
    store(tmp_path, source="gone")
    assert [path.parent.name for path in waiting_elsewhere(tmp_path, {"calls"})] == ["gone"]
    assert waiting_elsewhere(tmp_path / "nowhere", {"calls"}) == []


def test_an_error_has_a_known_code():
    with pytest.raises(AssertionError):
        UploadError("other")
    assert str(UploadError("deep", most=32)) == "deep: most=32"
    assert len(CODES) == 28

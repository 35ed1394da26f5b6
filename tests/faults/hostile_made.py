"""Hostile ledgers made by hand: each aims at one weakness of a reader of its format."""

import io
import json
import sqlite3
import struct
import warnings
import zipfile

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from tests.faults import ledger_samples as samples

BOMB = b"0" * 30_000_000
LAUGHS = (
    '<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY a "lol">'
    + "".join(
        f'<!ENTITY {b} "{f"&{a};" * 10}">' for a, b in zip("abcdefgh", "bcdefghi", strict=True)
    )
    + "]>"
)
XXE = '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>'
SHEET = "xl/worksheets/sheet1.xml"
RELATIONS = "xl/_rels/workbook.xml.rels"
FORMULAS = ("=cmd|' /C calc'!A0", "+1+1", "-2+3", "@SUM(1)", '=HYPERLINK("http://x","y")', "\t=1")
# A file that must be read apart: it takes a reader's whole time or memory.
APART = ("gpkg: a layer without end", "gpkg: a view that takes all memory")


def made(folder):
    """Name to (format, content); what a name says is what is wrong."""
    good = samples.good(folder)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # duplicate names are meant
        return {
            f"{kind}: {name}": (kind, content)
            for kind, table in (
                ("xlsx", _xlsx(good["xlsx"])),
                ("xls", _xls(good["xls"])),
                ("shapefile", _shapefile(good["shapefile"])),
                ("gpkg", _gpkg(folder, good["gpkg"])),
                ("parquet", _parquet(good["parquet"])),
                ("geojson", _geojson()),
                ("ndjson", _ndjson(good["ndjson"])),
                ("csv", _csv(good["csv"])),
            )
            for name, content in table.items()
        }


def _xlsx(good):
    parts = samples.unpacked(good)
    sheet = parts[SHEET]
    cell = b' t="inlineStr"><is><t>s1</t></is></c>'

    def with_sheet(content):
        return samples.packed(parts | {SHEET: content})

    def with_cell(content):
        return with_sheet(_swapped(sheet, cell, content))

    def merged(area):
        end = f'<mergeCells count="1"><mergeCell ref="{area}"/></mergeCells>'.encode()
        return with_sheet(_swapped(sheet, b"</sheetData>", b"</sheetData>" + end))

    def called(new):
        return with_sheet(_swapped(sheet, b'r="A2"', new))

    nested = parts | {"xl/embeddings/inner.xlsx": good}
    stored = samples.packed(parts, zipfile.ZIP_STORED)
    return {
        "a bomb in a sheet": with_sheet(BOMB),
        "a bomb in the texts": samples.packed(parts | {"xl/sharedStrings.xml": BOMB}),
        "a bomb beside the sheets": samples.packed(parts | {"xl/media/a.png": BOMB}),
        "a billion laughs": with_sheet(LAUGHS.encode() + _swapped(sheet, b"s1", b"&i;")),
        "an outer entity": with_sheet(XXE.encode() + _swapped(sheet, b"s1", b"&e;")),
        "a far cell": called(b'r="XFD1048576"'),
        "a row beyond all": called(b'r="A99999999"'),
        "a row in small letters": called(b'r="a99999999"'),
        "a row that goes back": with_sheet(_swapped(sheet, b'row r="3"', b'row r="1"')),
        "a column without end": called(b'r="AAAAAAAAAA2"'),
        "a cell of no name": called(b'r=""'),
        "a text that is not there": with_cell(b' t="s"><v>99999999</v></c>'),
        "a text number below zero": with_cell(b' t="s"><v>-1</v></c>'),
        "a style that is not there": with_cell(b' s="99999999"><v>1</v></c>'),
        "a date of no year": with_cell(b"><v>1e308</v></c>"),
        "a number that is none": with_cell(b"><v>nan</v></c>"),
        "cells within cells": with_cell(b">" + b"<is>" * 5_000 + b"</c>"),
        "deep elements": with_sheet(
            _swapped(sheet, b"<sheetData>", b"<x>" * 100_000 + b"<sheetData>")
        ),
        "wide merged cells": merged("A1:XFD1048576"),
        "merged cells turned round": merged("C9:A1"),
        "merged cells below zero": merged("A0:B0"),
        "a sheet in UTF-16": with_sheet(sheet.decode().encode("utf-16")),
        "a sheet that is cut": with_sheet(sheet[: len(sheet) // 2]),
        "no sheet": samples.packed({name: part for name, part in parts.items() if name != SHEET}),
        "the sheet twice": samples.packed([*parts.items(), (SHEET, BOMB[:1000])]),
        "a name that climbs": samples.packed(parts | {"../../evil.xml": b"<x/>"}),
        "an absolute name": samples.packed(parts | {"/tmp/evil.xml": b"<x/>"}),
        "a drive": samples.packed(parts | {"C:\\evil.xml": b"<x/>"}),
        "a workbook within": samples.packed(nested),
        "macros": samples.packed(parts | {"xl/vbaProject.bin": b"\xd0\xcf\x11\xe0"}),
        "many members": samples.packed(parts | {f"x/{n}.bin": b"" for n in range(5_000)}),
        "an encrypted member": _flagged(good, 0x0001),
        "an unknown packing": _method(good, 99),
        "a lie of its size": _lie(good, SHEET, 10),
        "a lie of a large size": _lie(good, SHEET, 0xFFFFFFF0),
        "members over one another": _overlapping(stored),
        "cut": good[: len(good) // 2],
        "a picture in front": b"\x89PNG\r\n\x1a\n" + good,
        "text behind": good + b"<script>alert(1)</script>",
        "formulas": samples.xlsx([samples.HEADINGS, *([text] * 8 for text in FORMULAS)]),
        "an old workbook": samples.xls([samples.HEADINGS]),
        "relations in a ring": samples.packed(parts | {RELATIONS: _swapped(
            parts[RELATIONS], b"worksheets/sheet1.xml", b"workbook.xml")}),
    }  # fmt: skip


def _xls(good):
    broken_chain = bytearray(good)
    broken_chain[44:48] = struct.pack("<I", 0xFFFFFFF0)  # sectors of the allocation table
    ring = bytearray(good)
    ring[48:52] = struct.pack("<I", 0)  # the directory begins in the table itself
    small = bytearray(good)
    small[30:32] = struct.pack("<H", 31)  # sectors of 2 GiB
    return {
        "a table of billions": bytes(broken_chain),
        "a directory in a ring": bytes(ring),
        "sectors of gigabytes": bytes(small),
        "cut": good[: len(good) // 2],
        "only its first block": good[:512],
        "a web page": b"<html><table><tr><td>id</td></tr></table></html>",
        "records without end": good.replace(b"\x0a\x00\x00\x00", b"\x09\x08\xff\xff"),
        "macros": good + "_VBA_PROJECT".encode("utf-16-le"),
    }


def _shapefile(good):
    parts = samples.unpacked(good)
    by_end = {name.removeprefix("calls"): part for name, part in parts.items()}

    def changed(end, at, new):
        part = bytearray(by_end[end])
        part[at : at + len(new)] = new
        return samples.packed(parts | {f"calls{end}": bytes(part)})

    def without(end):
        return samples.packed({name: part for name, part in parts.items() if name != f"calls{end}"})

    nan = struct.pack("<2d", float("nan"), float("inf"))
    return {
        "no table": without(".dbf"),
        "no index": without(".shx"),
        "no shapes": without(".shp"),
        "shapes that are cut": samples.packed(parts | {"calls.shp": by_end[".shp"][:150]}),
        "a length that lies": changed(".shp", 24, struct.pack(">I", 0x7FFFFFFF)),
        "a record of gigabytes": changed(".shp", 104, struct.pack(">I", 0x7FFFFFF0)),
        "a record below zero": changed(".shp", 104, struct.pack(">i", -4)),
        "an index that points away": changed(".shx", 100, struct.pack(">I", 0x7FFFFFF0)),
        "an index to itself": changed(".shx", 100, struct.pack(">I", 0)),
        "another kind of shape": changed(".shp", 108, struct.pack("<I", 5)),
        "an unknown kind of shape": changed(".shp", 32, struct.pack("<I", 9999)),
        "points that are no numbers": changed(".shp", 112, nan),
        "billions of rows": changed(".dbf", 4, struct.pack("<I", 0xFFFFFFFF)),
        "rows of no width": changed(".dbf", 10, struct.pack("<H", 0)),
        "a header of no length": changed(".dbf", 8, struct.pack("<H", 0)),
        "fields without an end": changed(".dbf", 32, b"\x00" * 11 + b"\xff" * 21),
        "a code page of no text": samples.packed(parts | {"calls.cpg": b"zip"}),
        "a code page that climbs": samples.packed(parts | {"calls.cpg": b"../../etc/passwd"}),
        "a frame of gigabytes": samples.packed(parts | {"calls.prj": b"GEOGCS[" * 100_000}),
        "a frame from a file": samples.packed(parts | {"calls.prj": b"@/etc/passwd"}),
        "two of them": samples.packed(parts | {f"b{end}": part for end, part in by_end.items()}),
        "a bomb": samples.packed(parts | {"calls.dbf": by_end[".dbf"] + BOMB}),
        "names that climb": samples.packed({f"../../{name}": part for name, part in parts.items()}),
        "an archive within": samples.packed({"calls.zip": good}),
        "an encrypted member": _flagged(good, 0x0001),
        "cut": good[: len(good) // 2],
    }


def _gpkg(folder, good):
    def changed(name, *statements):
        path = folder / f"{name}.gpkg"
        path.write_bytes(good)
        with sqlite3.connect(path) as database:
            # What keeps the index of places up to date calls functions that only GDAL has.
            for (trigger,) in database.execute(
                "SELECT name FROM sqlite_master WHERE type = 'trigger'"
            ).fetchall():
                database.execute(f'DROP TRIGGER "{trigger}"')
            database.executescript(";".join(statements))
        database.close()
        return path.read_bytes()

    endless = "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c)"
    columns = ", ".join(f"'x' AS \"{name}\"" for name in samples.HEADINGS)

    def layer(rest):
        return (
            "DELETE FROM gpkg_geometry_columns",
            "DELETE FROM gpkg_ogr_contents",
            "DROP TABLE calls",
            f"CREATE VIEW calls AS {endless} SELECT n AS fid, {columns} FROM c {rest}",
            "UPDATE gpkg_contents SET data_type = 'attributes'",
        )

    return {
        "cut": good[: len(good) // 2],
        "only its header": good[:100],
        "pages of one byte": good[:16] + b"\x00\x01" + good[18:],
        "a journal that is not there": good[:18] + b"\x02\x02" + good[20:],
        "a layer without a table": changed("a", "DROP TABLE calls"),
        "geometries that are none": changed("b", "UPDATE calls SET geom = x'47500001'"),
        "geometries of gigabytes": changed(
            "c", "UPDATE calls SET geom = x'4750000100000000' || zeroblob(1000)"
        ),
        "a layer without end": changed("d", *layer("")),
        "a view that takes all memory": changed("e", *layer("ORDER BY hex(zeroblob(1000000)) || n")),
        "a column of gigabytes": changed("f", "UPDATE calls SET kind = hex(zeroblob(250000))"),
        "triggers": changed(
            "g", "CREATE TRIGGER t AFTER INSERT ON calls BEGIN DELETE FROM gpkg_contents; END"
        ),
        "a name that is a command": changed(
            "h", "UPDATE gpkg_contents SET table_name = 'x\"; DROP TABLE calls; --'"
        ),
        "a frame from a file": changed("i", "UPDATE gpkg_spatial_ref_sys SET definition = '@/etc/passwd'"),
        "no GeoPackage at all": _database(folder),
    }  # fmt: skip


def _parquet(good):
    frame = pd.DataFrame(samples.rows())
    table = pa.Table.from_pandas(frame, preserve_index=False)

    def written(changed, **options):
        sink = io.BytesIO()
        pq.write_table(changed, sink, **options)
        return sink.getvalue()

    many = pa.table({name: pa.repeat(pa.scalar("x"), 3_000_000) for name in table.column_names})
    return {
        "cut": good[: len(good) // 2],
        "a footer of gigabytes": good[:-8] + struct.pack("<I", 0x7FFFFFFF) + b"PAR1",
        "a footer of no length": good[:-8] + struct.pack("<I", 0) + b"PAR1",
        "a footer of zeros": good[:-300] + bytes(292) + good[-8:],
        "an encrypted footer": b"PARE" + good[4:-4] + b"PARE",
        "pages of zeros": good[:4] + bytes(400) + good[404:],
        "lists for texts": written(
            table.set_column(0, "id", pa.array([["x"]] * len(table), pa.list_(pa.string())))
        ),
        "millions of equal rows": written(many, compression="zstd"),
        "texts of a megabyte": written(
            table.set_column(2, "kind", pa.array(["x" * 1_000_000] * len(table)))
        ),
        "bytes that are no text": written(
            table.set_column(0, "id", pa.array([b"\xff\xfe\x00"] * len(table), pa.binary()))
        ),
        "numbers that are none": written(
            table.set_column(5, "x", pa.array([float("nan"), float("inf")] * 10))
        ),
        "a column twice": written(table.append_column("id", table["id"])),
    }


def _geojson():
    table = samples.rows(3)

    def text(**changes):
        return json.dumps(samples.collection(table, **changes)).encode()

    whole = text()
    return {
        "a hundred thousand brackets": b"[" * 100_000,
        "brackets in a property": whole.replace(b'"A1"', b"[" * 50_000 + b"]" * 50_000, 1),
        "objects within objects": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
        "not a number": whole.replace(b"103.02", b"NaN"),
        "endless": whole.replace(b"103.02", b"-Infinity"),
        "a number too large": whole.replace(b"103.02", b"1e999"),
        "a number of digits": whole.replace(b"103.02", b"1" * 10_000),
        "half a character": whole.replace(b'"s1"', b'"\\ud800"'),
        "a zero character": whole.replace(b'"s1"', b'"\\u0000"'),
        "coordinates of text": whole.replace(b"[103.02, 36.02]", b'["103.02", {"a": 1}]'),
        "coordinates of nothing": whole.replace(b"[103.02, 36.02]", b"[]"),
        "a million coordinates": whole.replace(b"[103.02, 36.02]", b"[" + b"1," * 1_000_000 + b"1]"),
        "features that are none": b'{"type":"FeatureCollection","features":[null,1,"x",[],{}]}',
        "features of nothing": b'{"type":"FeatureCollection","features":null}',
        "members twice": whole[:-1] + b',"features":' + whole.split(b'"features": ')[1],
        "a frame from a file": text(crs={"type": "name", "properties": {"name": "@/etc/passwd"}}),
        "a frame of a network": text(crs={"properties": {"name": "http://localhost/x"}}),
        "GBK": json.dumps(samples.collection(table), ensure_ascii=False)
        .replace("A1", "噪声").encode("gbk"),
        "UTF-16": whole.decode().encode("utf-16"),
        "a mark before it": b"\xef\xbb\xbf" + whole,
        "cut": whole[: len(whole) // 2],
        "a string without end": whole[:-40] + b'"' + b"x" * 3_000_000,
    }  # fmt: skip


def _ndjson(good):
    return {
        "deep lines": b"\n".join([b"[" * 50_000, good, b'{"id":' * 50_000]),
        "a line without end": b'{"id":"' + b"x" * 3_000_000,
        "values that are none": b"\n".join([b"null", b"1", b'"x"', b"[]", b"NaN", good]),
        "keys without end": json.dumps({f"k{n}": n for n in range(50_000)}).encode() + b"\n" + good,
        "names of formulas": good.replace(b'"A1"', b'"=cmd|calc"'),
    }


def _csv(good):
    return {
        "formulas": (",".join(samples.HEADINGS) + "\n").encode()
        + b"\n".join(b",".join([text.encode().replace(b'"', b'""')] * 8) for text in FORMULAS),
        "a hundred thousand columns": b",".join([good[:2]] * 100_000),
        "a quote without end": good + b'\n"' + b"x,\n" * 200_000,
        "quotes only": good + b'"' * 300_000,
        "returns only": good.replace(b"\n", b"\r"),
        "GBK": good.replace(b"A1", "噪声".encode("gbk")),
        "marks in the middle": good.replace(b"A1", b"\xef\xbb\xbfA1"),
        "directions turned": good.replace(b"A1", "\u202eA1".encode()),
        "steering a terminal": good.replace(b"grade", b"\x1b[2Jgrade"),
    }


def _swapped(content, old, new):
    assert old in content
    return content.replace(old, new, 1)


def _database(folder):
    path = folder / "plain.db"
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE IF NOT EXISTS calls (id TEXT)")
    database.close()
    return path.read_bytes()


def _central(content):
    """Places of the directory's entries."""
    at = content.index(b"PK\x01\x02")
    while content[at : at + 4] == b"PK\x01\x02":
        yield at
        at += 46 + sum(struct.unpack_from("<3H", content, at + 28))


def _flagged(content, flag):
    out = bytearray(content)
    at = next(_central(content))
    for place in (at + 8, 6):
        out[place] |= flag
    return bytes(out)


def _method(content, method):
    out = bytearray(content)
    at = next(_central(content))
    for place in (at + 10, 8):
        out[place : place + 2] = struct.pack("<H", method)
    return bytes(out)


def _lie(content, name, size):
    """Another unpacked size of one member, in the directory and in front of it."""
    out = bytearray(content)
    for at in _central(content):
        named = struct.unpack_from("<H", content, at + 28)[0]
        if content[at + 46 : at + 46 + named] == name.encode():
            (local,) = struct.unpack_from("<I", content, at + 42)
            for place in (at + 24, local + 22):
                out[place : place + 4] = struct.pack("<I", size)
    return bytes(out)


def _overlapping(content):
    """Every entry of the directory names the bytes of the first member."""
    out = bytearray(content)
    for at in _central(content):
        out[at + 42 : at + 46] = struct.pack("<I", 0)
    return bytes(out)

"""One good ledger of the toy city in every format, and the source files that read them."""

import io
import json
import zipfile

import geopandas
import openpyxl
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pyogrio
import xlwt
from shapely import Point

from tests.etl import conftest as toy

ENDINGS = {
    "csv": ".csv", "tsv": ".tsv", "parquet": ".parquet", "geojson": ".geojson",
    "ndjson": ".ndjson", "gpkg": ".gpkg", "shapefile": ".zip", "xlsx": ".xlsx", "xls": ".xls",
}  # fmt: skip
GEOMETRIES = ("geojson", "gpkg", "shapefile")
HEADINGS = toy.HEADER.strip().split(",")


def rows(count=20):
    """Rows of text by heading; each has a place in the toy city."""
    return [
        {"id": f"s{n}", "when": f"2026-01-{1 + n % 27:02d} 10:{n % 60:02d}", "kind": "A1",
         "grade": "1", "result": "", "x": f"{103.01 + n % 17 / 100:.2f}",
         "y": f"{36.01 + n % 13 / 100:.2f}", "grid": ""}
        for n in range(1, count + 1)
    ]  # fmt: skip


def source_text(kind, *, files=None, extra=""):
    """Source file of a format; where it has geometries, points come from them."""
    text = toy.SOURCE.replace('"csv"', f'"{kind}"')
    if kind in GEOMETRIES:
        text = text.replace('lng = "x"\nlat = "y"\n', "")
    named = "" if files is None else f"files = {json.dumps(files)}\n"
    return text.replace('files = ["calls.csv"]\n', named + extra)


def good(folder):
    """Bytes of a good ledger by format; GDAL needs a folder to write into."""
    table = rows()
    lines = [HEADINGS, *([row[name] for name in HEADINGS] for row in table)]
    points = geopandas.GeoDataFrame(
        table, geometry=[Point(float(row["x"]), float(row["y"])) for row in table], crs="EPSG:4326"
    )
    pyogrio.write_dataframe(points, folder / "good.gpkg", layer="calls")
    return {
        "csv": "\n".join(",".join(line) for line in lines).encode(),
        "tsv": "\n".join("\t".join(line) for line in lines).encode(),
        "parquet": parquet(pd.DataFrame(table)),
        "geojson": json.dumps(collection(table), ensure_ascii=False).encode(),
        "ndjson": "\n".join(json.dumps(row) for row in table).encode(),
        "gpkg": (folder / "good.gpkg").read_bytes(),
        "shapefile": packed({f"calls{end}": part for end, part in shapes(folder, points).items()}),
        "xlsx": xlsx(lines),
        "xls": xls(lines),
    }


def shapes(folder, points):
    """Parts of a shapefile by ending."""
    place = folder / "shapes"
    place.mkdir(exist_ok=True)
    pyogrio.write_dataframe(points, place / "calls.shp", encoding="UTF-8")
    return {path.suffix: path.read_bytes() for path in sorted(place.iterdir())}


def collection(table, **members):
    features = [
        {"type": "Feature", "properties": row,
         "geometry": {"type": "Point", "coordinates": [float(row["x"]), float(row["y"])]}}
        for row in table
    ]  # fmt: skip
    return {"type": "FeatureCollection", **members, "features": features}


def parquet(frame, **options):
    sink = io.BytesIO()
    pq.write_table(pa.Table.from_pandas(frame, preserve_index=False), sink, **options)
    return sink.getvalue()


def xlsx(lines):
    book, out = openpyxl.Workbook(), io.BytesIO()
    for line in lines:
        book.active.append(line)
    book.save(out)
    return out.getvalue()


def xls(lines):
    book, out = xlwt.Workbook(), io.BytesIO()
    sheet = book.add_sheet("calls")
    for at, line in enumerate(lines):
        for column, value in enumerate(line):
            sheet.write(at, column, value)
    book.save(out)
    return out.getvalue()


def packed(members, compression=zipfile.ZIP_DEFLATED):
    """A zip archive; members may be a list of pairs, so that a name can stand twice."""
    out = io.BytesIO()
    pairs = members.items() if isinstance(members, dict) else members
    with zipfile.ZipFile(out, "w", compression) as archive:
        for name, content in pairs:
            archive.writestr(name, content)
    return out.getvalue()


def unpacked(content):
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {info.filename: archive.read(info) for info in archive.infolist()}

"""Writing ledgers as files of every format that the product reads, the same bytes every time."""

from __future__ import annotations

import io
import json
import sqlite3
import tempfile
import zipfile
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import geopandas as gpd
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pyogrio
import shapely
from pyarrow import csv as pa_csv

from etl.synthesize.ledgers import POINT

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_ZIP_TIME: Final = (2026, 11, 16, 6, 0, 0)
_SHAPE_PARTS: Final = (".shp", ".shx", ".dbf", ".prj")
"""Without .cpg: the reader must find out that the text is GBK."""
_MARK: Final = "\ufeff"


def write_ledger(rows: pd.DataFrame, path: Path, config: dict[str, Any]) -> None:
    """
    Write a source file in the format that its source file declares.

    Parameters
    ----------
    rows
        The ledger; text, and times as times where the format has them.
    config
        The source.
    """
    writers: Mapping[str, Callable[[], None]] = {
        "csv": lambda: write_text(rows, path),
        "tsv": lambda: write_text(rows, path, delimiter="\t", mark=""),
        "parquet": lambda: pq.write_table(_table(rows), path, compression="zstd"),
        "geojson": lambda: _write_geojson(rows, path, config["columns"]),
        "ndjson": lambda: _write_lines(rows, path),
        "gpkg": lambda: _write_package(rows, path, config),
        "shapefile": lambda: _write_shapes(rows, path),
    }
    writers[config["format"]]()


def write_text(
    rows: pd.DataFrame,
    path: Path,
    *,
    delimiter: str = ",",
    encoding: str = "utf-8",
    mark: str = _MARK,
) -> None:
    """
    Write rows as delimited text without quotes.

    Parameters
    ----------
    mark
        Byte order mark, as spreadsheet programs write it.
    """
    table = _table(rows)
    text = io.BytesIO()
    text.write((mark + delimiter.join(table.column_names) + "\n").encode())
    options = pa_csv.WriteOptions(include_header=False, quoting_style="none", delimiter=delimiter)
    pa_csv.write_csv(table, text, options)
    content = text.getbuffer()
    path.write_bytes(content if encoding == "utf-8" else bytes(content).decode().encode(encoding))


def write_view(rows: pd.DataFrame, path: Path, view: str) -> None:
    """
    Write rows as a table of an SQLite database, and a view of all its columns.

    Parameters
    ----------
    path
        Replaced where it exists.
    view
        Name of the view; the table has the same name with `_base`.
    """
    path.unlink(missing_ok=True)
    columns = ", ".join(f'"{name}"' for name in rows)
    marks = ", ".join("?" * rows.shape[1])
    with closing(sqlite3.connect(path)) as database, database:
        database.execute(f'CREATE TABLE "{view}_base" ({columns})')
        database.executemany(f'INSERT INTO "{view}_base" VALUES ({marks})', _plain(rows))
        database.execute(f'CREATE VIEW "{view}" AS SELECT {columns} FROM "{view}_base"')


def write_push(rows: pd.DataFrame, path: Path, source: str) -> None:
    """Write rows as the body of a push of this source."""
    body = {"source": source, "rows": _records(rows)}
    path.write_text(json.dumps(body, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def settled_zip(members: Mapping[str, bytes]) -> bytes:
    """Archive of these members, without the time of its making."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, content in members.items():
            entry = zipfile.ZipInfo(name, _ZIP_TIME)
            archive.writestr(entry, content, zipfile.ZIP_DEFLATED)
    return packed.getvalue()


def _table(rows: pd.DataFrame) -> pa.Table:
    return pa.Table.from_pandas(rows, preserve_index=False).replace_schema_metadata(None)


def _records(rows: pd.DataFrame) -> list[dict[Any, Any]]:
    """Rows as plain objects, empty values as None."""
    records: list[dict[Any, Any]] = rows.astype(object).where(rows.notna(), None).to_dict("records")
    return records


def _plain(rows: pd.DataFrame) -> list[tuple[Any, ...]]:
    return [tuple(row.values()) for row in _records(rows)]


def _write_geojson(rows: pd.DataFrame, path: Path, columns: dict[str, str]) -> None:
    """One point feature per row and line; the coordinates are properties as well."""
    with path.open("w", encoding="utf-8", newline="\n") as sink:
        sink.write('{"type": "FeatureCollection", "features": [\n')
        for number, row in enumerate(_records(rows)):
            lng, lat = row[columns["lng"]], row[columns["lat"]]
            point = None if lng is None else {"type": "Point", "coordinates": [lng, lat]}
            feature = {"type": "Feature", "properties": row, "geometry": point}
            sink.write((",\n" if number else "") + json.dumps(feature, ensure_ascii=False))
        sink.write("\n]}\n")


def _write_lines(rows: pd.DataFrame, path: Path) -> None:
    """One object a line."""
    lines = [json.dumps(row, ensure_ascii=False) + "\n" for row in _records(rows)]
    path.write_text("".join(lines), encoding="utf-8", newline="\n")


def _points(rows: pd.DataFrame, frame: str) -> gpd.GeoDataFrame:
    """Rows with geometries in place of the columns of `POINT`; none where these are empty."""
    lng, lat = (rows[name].to_numpy(dtype=float, na_value=float("nan")) for name in POINT.values())
    shapes = gpd.GeoSeries(shapely.points(lng, lat), index=rows.index)
    shapes[pd.isna(lng)] = None
    fields = rows.drop(columns=list(POINT.values()))
    for name in fields:
        column = fields[name]
        if pd.api.types.is_string_dtype(column):
            fields[name] = column.astype(object).where(column.notna(), None)
        else:
            fields[name] = column.astype("datetime64[ms]")
    return gpd.GeoDataFrame(fields, geometry=shapes, crs=frame)


def _write_package(rows: pd.DataFrame, path: Path, config: dict[str, Any]) -> None:
    path.unlink(missing_ok=True)
    # GDAL writes the time of the last change, unless it is told one.
    year, month, day, hour, minute, second = _ZIP_TIME
    told = f"{year}-{month:02d}-{day:02d}T{hour:02d}:{minute:02d}:{second:02d}.000Z"
    pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": told})
    try:
        points = _points(rows, config["frame"])
        pyogrio.write_dataframe(points, path, layer=config["sheet"], driver="GPKG")
    finally:
        pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": None})


def _write_shapes(rows: pd.DataFrame, path: Path) -> None:
    """Zipped, text in GBK; it declares WGS 84, whatever its frame is."""
    with tempfile.TemporaryDirectory() as folder:
        shapes = Path(folder) / "points.shp"
        points = _points(rows, "EPSG:4326")
        pyogrio.write_dataframe(points, shapes, encoding="GBK", geometry_type="Point")
        members = {
            f"{path.stem}{suffix}": shapes.with_suffix(suffix).read_bytes()
            for suffix in _SHAPE_PARTS
        }
    # The table's header holds the day of its making.
    table = bytearray(members[f"{path.stem}.dbf"])
    table[1:4] = bytes((_ZIP_TIME[0] - 1900, *_ZIP_TIME[1:3]))
    members[f"{path.stem}.dbf"] = bytes(table)
    path.write_bytes(settled_zip(members))

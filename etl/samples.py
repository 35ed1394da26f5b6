"""
Samples: the first rows of a file that no source describes yet.

Every column but those of persons is read once, to propose a source; personal numbers and long
texts are removed as at the intake, and nothing is written anywhere.
"""

from __future__ import annotations

import re
import warnings
import zipfile
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, cast

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyogrio

from data import personal, refusals
from data.source import SOURCE_COLUMNS, SUFFIXES, Source
from etl.clean import as_texts
from etl.sources import SourceError, headings, read_chunks
from etl.sources.delimited import csv_encoding
from etl.sources.heading_match import Match, match_columns, plain

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from data.source import Format

SAMPLE_ROWS: Final = 65_536
WORKBOOKS: Final = ("xlsx", "xls")

_DISTINCT: Final = 2_000
_HEAD_BYTES: Final = 1 << 16
_BOM: Final = b"\xef\xbb\xbf"
_COLLECTION: Final = re.compile(rb'"type"\s*:\s*"FeatureCollection"')
_TIME_WORDS: Final = re.compile("时间|日期|時間|time|date", re.IGNORECASE)
_ROW: Final = "row"


class SampleError(ValueError):
    """No source can be proposed from the file; the message says why and what to do."""


@dataclass(frozen=True)
class Sample:
    """
    The first rows of a file.

    Attributes
    ----------
    encoding
        Of a text file, as Python names it; "" = not a text file.
    headings
        All of the file, in its order.
    persons
        Those that look personal; they are not read.
    match
        What the headings mean, positions in `usable`.
    usable
        Headings of the columns in `rows`: each stands once and looks not personal.
    rows
        Columns by heading, personal values and long texts replaced by marks.
    points
        `lng`, `lat` of geometries, where there are any and no columns hold them.
    declared
        Frame that the file itself names; None = none.
    """

    path: Path
    format: str
    encoding: str
    headings: tuple[str, ...]
    persons: tuple[str, ...]
    match: Match
    usable: tuple[str, ...]
    rows: pa.Table
    points: pa.Table | None
    declared: str | None


def read_sample(path: Path, *, rows: int = SAMPLE_ROWS) -> Sample:
    """
    Read the first rows of a file of any format that is read.

    Raises
    ------
    SampleError
        The file is of no known format, has no rows, or is a register of persons.
    etl.sources.SourceError
        It is damaged.
    """
    form = file_format(path)
    declared = _declared_frame(path, form)
    frame = declared or "GCJ-02"  # the frame that any geographic file may declare
    found = headings(probe(form, {ours: ours for ours in SOURCE_COLUMNS}, frame=frame), path)
    if (reason := refusals.person_register(found)) is not None:
        raise SampleError(refusals.message(reason, 0, path.name).en)
    persons = personal.personal_columns(found)
    times = Counter(map(plain, found))
    usable = [name for name in found if name and name not in persons and times[plain(name)] == 1]
    match = match_headings(usable)
    keys = {at: ours for ours, at in match.columns.items()}
    columns = {keys.get(at, f"column {at}"): name for at, name in enumerate(usable)}
    if form in WORKBOOKS and "occurred_at" not in columns:
        columns = _with_time(columns, path)
    chunk = next(read_chunks(probe(form, columns, frame=frame), path, rows=rows), None)
    if chunk is None or not len(chunk.rows):
        raise SampleError(f"{path.name} holds no data rows; hand in a file with some")
    kept = personal.without_personal(chunk.rows)
    points = [axis for axis in ("lng", "lat") if axis not in columns and axis in kept.column_names]
    return Sample(
        path=path,
        format=form,
        encoding=csv_encoding(path) if form in ("csv", "tsv") else "",
        headings=tuple(found),
        persons=tuple(persons),
        match=match,
        usable=tuple(usable),
        rows=pa.table({name: kept.column(key) for key, name in columns.items()}),
        points=kept.select(points) if points else None,
        declared=declared,
    )


def file_format(path: Path) -> str:
    """
    Format of a file by its content; by its ending where the content does not tell.

    Raises
    ------
    SampleError
        It is empty, or a text that is divided by neither commas nor tabs.
    """
    with path.open("rb") as stream:
        head = stream.read(_HEAD_BYTES)
    if not head:
        raise SampleError(f"{path.name} is empty")
    for start, form in (
        (b"PAR1", "parquet"),
        (b"SQLite format 3\0", "gpkg"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "xls"),
    ):
        if head.startswith(start):
            return form
    if head.startswith(b"PK\x03\x04"):
        return _zip_format(path)
    return _text_format(path, head.removeprefix(_BOM).lstrip())


def probe(
    form: str, columns: Mapping[str, str], *, frame: str = "WGS84", time_zone: str = "Asia/Shanghai"
) -> Source:
    """Return a source that reads these columns (key = heading) and knows nothing else."""
    return Source(
        name="sample",
        title_zh="样本",
        title_en="Sample",
        files=(),
        watch=None,
        sql=None,
        push=False,
        kafka=None,
        format=cast("Format", form),
        sheet="",
        aliases=None,
        time_zone=time_zone,
        time_format=("%Y-%m-%d %H:%M:%S",),
        frame=frame,
        channel="",
        origin="reported",
        rows_without_id="accept",
        numeric_codes=False,
        point_precision="address",
        columns=columns,
        category_book="",
        category_codes={},
        severity_codes={},
        scale_codes={},
        status_codes={},
        outcome_codes={},
        precision_codes={},
        published=(),
    )


def match_headings(names: Sequence[str]) -> Match:
    """Which of our columns the headings mean, by the shipped aliases."""
    source = probe("csv", {ours: ours for ours in SOURCE_COLUMNS})
    return match_columns([(name,) for name in names], source)


def _zip_format(path: Path) -> str:
    try:
        with zipfile.ZipFile(path) as parts:
            names = [name.lower() for name in parts.namelist()]
    except zipfile.BadZipFile as error:
        raise SampleError(f"{path.name} is a damaged archive; pack it again") from error
    return "shapefile" if any(name.endswith(".shp") for name in names) else "xlsx"


def _text_format(path: Path, head: bytes) -> str:
    by_suffix = SUFFIXES.get(path.suffix.lower())
    if head.startswith(b"{"):
        return "geojson" if _COLLECTION.search(head) else "ndjson"
    line = head.splitlines()[0] if head else b""
    counts = {mark: line.count(mark) for mark in (b",", b"\t", b";", b"|")}
    most = max(counts, key=lambda mark: counts[mark])
    if counts[most] and most in (b";", b"|"):
        raise SampleError(
            f"{path.name} divides its columns by {most.decode()!r}; "
            "save it with commas (CSV) or tabs (TSV)"
        )
    if not counts[most] and by_suffix not in ("csv", "tsv"):
        raise SampleError(f"{path.name} is of no known format; formats: csv, tsv, parquet, "
                          "geojson, ndjson, gpkg, zipped shapefile, xlsx, xls")  # fmt: skip
    return "tsv" if most == b"\t" and counts[most] else "csv"


def _declared_frame(path: Path, form: str) -> str | None:
    """Frame of a layer; GeoJSON and tables declare none that could be trusted."""
    if form not in ("gpkg", "shapefile"):
        return None
    try:
        with warnings.catch_warnings():
            # What a layer lacks is said when it is read.
            warnings.simplefilter("ignore")
            layers = pyogrio.list_layers(path)
            declared = pyogrio.read_info(path, layer=layers[0, 0]).get("crs") if len(layers) else ""
    except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError) as error:
        raise SourceError(f"{path.name} cannot be read: {error}") from error
    return str(declared) if str(declared or "").startswith("EPSG:") else None


def _with_time(columns: dict[str, str], path: Path) -> dict[str, str]:
    """A workbook is read by its time column, because totals and notes have none."""
    for key, heading in columns.items():
        if _TIME_WORDS.search(heading):
            return {"occurred_at" if at == key else at: name for at, name in columns.items()}
    listed = ", ".join(columns.values())[:200] or "none"
    raise SampleError(f"{path.name}: no heading names a time; it has {listed}")


def plain_values(column: pa.ChunkedArray) -> pd.Series:
    """Values as pandas types them, counted from 0."""
    return column.to_pandas().reset_index(drop=True)


def text_values(column: pa.ChunkedArray) -> pd.Series:
    """Values as they would stand in a text file."""
    return as_texts(plain_values(column))


def distinct_values(column: pa.ChunkedArray) -> pd.Series:
    """First distinct values, without the empty ones."""
    values = plain_values(pa.chunked_array([pc.unique(column)])).dropna()
    return values.iloc[:_DISTINCT].reset_index(drop=True)


def filled_rows(column: pa.ChunkedArray) -> int:
    """How many rows have a value."""
    return len(column) - int(column.null_count)


def number_values(column: pa.ChunkedArray) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Values as numbers; not-a-number where they are none."""
    values = pd.to_numeric(plain_values(column), errors="coerce")
    return np.asarray(values.to_numpy(dtype=np.float64, na_value=np.nan))

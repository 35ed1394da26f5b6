"""
Raw incident files: CSV, Parquet and GeoJSON read by the source's list of allowed columns.

Nothing is altered and nothing else is read: a column that the source does not name never enters
memory. The encoding of a CSV file is decided on the whole file, because a few rows of GB18030
can pass for UTF-8 and the other way round.
"""

from __future__ import annotations

import codecs
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pyogrio
import shapely

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    from data.city import Source

_CHUNK_BYTES = 1 << 20


class SourceError(ValueError):
    """A raw file cannot be read as its source says; the message names the file."""


@dataclass(frozen=True)
class RawRows:
    """
    Rows of one file as they stand in it.

    Attributes
    ----------
    rows
        One row per readable data row; columns by our names, plus `published_<level>` for each
        published column; `row` is its 1-based number among the data rows of the file.
    malformed
        Numbers of the rows with too many or too few fields; they are not in `rows`.
    """

    file: str
    rows: pd.DataFrame
    malformed: NDArray[np.int64]

    @property
    def read(self) -> int:
        """Data rows in the file."""
        return len(self.rows) + len(self.malformed)


def read_rows(source: Source, path: Path) -> RawRows:
    """
    Read the allowed columns of one file of a source.

    Raises
    ------
    SourceError
        A named column is missing, or the file is not what the source says.
    """
    # Keyed by ours, because a published column may also be the area code.
    theirs = dict(source.columns)
    theirs |= {f"published_{entry.level}": entry.column for entry in source.published}
    wanted = list(dict.fromkeys(theirs.values()))
    try:
        table, malformed = _READERS[source.format](path, wanted)
    except (pa.ArrowException, pyogrio.errors.DataSourceError, OSError) as error:
        raise SourceError(f"source {source.name}: {path.name} cannot be read: {error}") from error
    except KeyError as error:
        raise SourceError(
            f"source {source.name}: {path.name} lacks the columns {error.args[0]}; "
            "correct [source.columns] or the export"
        ) from None
    columns: dict[str, Any] = {ours: table[name] for ours, name in theirs.items()}
    for axis in ("lng", "lat"):
        if axis not in columns and axis in table:
            columns[axis] = table[axis]
    numbers = np.arange(1, len(table) + len(malformed) + 1)
    rows = pd.DataFrame(columns)
    rows["row"] = np.delete(numbers, malformed - 1)
    return RawRows(path.name, rows, malformed)


def csv_encoding(path: Path) -> str:
    """
    Encoding of a whole text file: UTF-8 where every byte fits, else GB18030.

    Raises
    ------
    SourceError
        It is neither.
    """
    for encoding in ("utf-8-sig", "gb18030"):
        if _decodes(path, encoding):
            return encoding
    raise SourceError(f"{path.name} is neither UTF-8 nor GB18030 text; export it again as UTF-8")


def _decodes(path: Path, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    try:
        with path.open("rb") as stream:
            while chunk := stream.read(_CHUNK_BYTES):
                decoder.decode(chunk)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _read_csv(path: Path, wanted: list[str]) -> tuple[pd.DataFrame, NDArray[np.int64]]:
    malformed: list[int] = []

    def skip(row: Any) -> str:
        # The reader counts the header as row 1.
        malformed.append(row.number - 1)
        return "skip"

    encoding = csv_encoding(path)
    try:
        table = pa.csv.read_csv(
            path,
            # Row numbers are known to one thread only.
            read_options=pa.csv.ReadOptions(use_threads=False, encoding=_ARROW_NAMES[encoding]),
            parse_options=pa.csv.ParseOptions(newlines_in_values=True, invalid_row_handler=skip),
            convert_options=pa.csv.ConvertOptions(
                include_columns=wanted,
                column_types={name: pa.string() for name in wanted},
                null_values=[""],
                strings_can_be_null=True,
            ),
        )
    except pa.ArrowKeyError as error:
        raise KeyError(_missing(wanted, _csv_header(path, encoding))) from error
    return table.to_pandas(), np.array(sorted(malformed), dtype=np.int64)


# Arrow reads UTF-8 itself and skips its byte order mark.
_ARROW_NAMES = {"utf-8-sig": "utf8", "gb18030": "gb18030"}


def _csv_header(path: Path, encoding: str) -> list[str]:
    return list(pd.read_csv(path, nrows=0, encoding=encoding).columns)


def _read_parquet(path: Path, wanted: list[str]) -> tuple[pd.DataFrame, NDArray[np.int64]]:
    missing = _missing(wanted, pq.read_schema(path).names)
    if missing:
        raise KeyError(missing)
    table: pd.DataFrame = pq.read_table(path, columns=wanted).to_pandas()
    return table, np.empty(0, dtype=np.int64)


def _read_geojson(path: Path, wanted: list[str]) -> tuple[pd.DataFrame, NDArray[np.int64]]:
    missing = _missing(wanted, pyogrio.read_info(path)["fields"])
    if missing:
        raise KeyError(missing)
    table = pyogrio.read_dataframe(path, columns=wanted)
    points = table.geometry.to_numpy()
    single = shapely.get_type_id(points) == shapely.GeometryType.POINT
    table["lng"] = np.where(single, shapely.get_x(points), np.nan)
    table["lat"] = np.where(single, shapely.get_y(points), np.nan)
    return pd.DataFrame(table.drop(columns="geometry")), np.empty(0, dtype=np.int64)


def _missing(wanted: list[str], present: Any) -> list[str]:
    return [name for name in wanted if name not in set(present)]


_READERS: dict[str, Callable[[Path, list[str]], tuple[pd.DataFrame, NDArray[np.int64]]]] = {
    "csv": _read_csv,
    "parquet": _read_parquet,
    "geojson": _read_geojson,
}

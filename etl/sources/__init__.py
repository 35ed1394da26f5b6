"""
Raw incident files, read by the source's list of allowed columns, a chunk at a time.

Nothing is altered and nothing else is kept: a column that the source does not name never becomes
part of a chunk, and where the format allows never enters memory. Whatever is wrong with a file
ends in a `SourceError`; a single unreadable row is reported by its number.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, Final

from data.intake import CHUNK_ROWS
from etl.sources.chunks import SourceError, file_faults

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from data.intake import RawChunk
    from data.source import Source

__all__ = ["SourceError", "headings", "read_chunks"]

# A reader is imported when the first file of its format comes: each brings a heavy library.
_READERS: Final[Mapping[str, str]] = {
    "csv": "delimited", "tsv": "delimited", "parquet": "columnar", "geojson": "features",
    "ndjson": "features", "gpkg": "layers", "shapefile": "shapes", "xlsx": "ledger",
    "xls": "ledger",
}  # fmt: skip


def read_chunks(source: Source, path: Path, *, rows: int = CHUNK_ROWS) -> Iterator[RawChunk]:
    """
    Read the allowed columns of one file of a source.

    Parameters
    ----------
    rows
        Most rows of a chunk.

    Yields
    ------
    chunk
        Columns by our names and `row`, 1-based over all data rows of the file, unreadable ones
        counted. Where the source maps no `lng` and `lat`, they are those of point geometries.
        A file without data rows gives no chunk.

    Raises
    ------
    SourceError
        A named column is missing, or the file is not what the source says. It may come after
        some chunks; the file is then to be refused whole.
    """
    with file_faults(source, path):
        yield from _reader(source).read_chunks(source, path, rows=rows)


def headings(source: Source, path: Path) -> list[str]:
    """
    Every column heading of a file, also those that may not be read.

    Raises
    ------
    SourceError
        The file is not what the source says.
    """
    with file_faults(source, path):
        found: list[str] = _reader(source).headings(source, path)
        return found


def _reader(source: Source) -> Any:
    if source.format not in _READERS:
        raise SourceError(f"format {source.format} has no files; its rows come from a view or push")
    return importlib.import_module(f"etl.sources.{_READERS[source.format]}")

"""Parquet files: batches of the allowed columns, with the types of the file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from data.intake import RawChunk
from etl.sources.chunks import check_headings, our_columns, regroup, wanted_columns

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from data.source import Source


def read_chunks(source: Source, path: Path, *, rows: int) -> Iterator[RawChunk]:
    """Chunks of the file; see `etl.sources.read_chunks`."""
    return regroup(_pieces(source, path, rows), rows)


def headings(_source: Source, path: Path) -> list[str]:
    """Names of the top columns."""
    return list(pq.read_schema(path).names)


def _pieces(source: Source, path: Path, rows: int) -> Iterator[RawChunk]:
    with pq.ParquetFile(path, page_checksum_verification=True) as file:
        check_headings(source, file.schema_arrow.names)
        read = 0
        for batch in file.iter_batches(batch_size=rows, columns=wanted_columns(source)):
            numbers = np.arange(read + 1, read + len(batch) + 1)
            read += len(batch)
            yield RawChunk(our_columns(source, pa.Table.from_batches([batch]), numbers))

"""Parquet files of rows: page checksums, quick compression, flushed to disk."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pyarrow.parquet as pq

from data.source import TIME_COLUMNS
from data.writer import sync

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    import pyarrow as pa

_DISTINCT: Final = frozenset(
    ("incident_id", "row", "lng", "lat", "identity", "content", "rank", "cell", *TIME_COLUMNS)
)


def write_rows(rows: pa.Table, path: Path) -> None:
    """Write rows as Parquet with page checksums, flushed to disk."""
    pq.write_table(rows, path, **_options(rows.schema))
    sync(path)


def _options(names: pa.Schema) -> dict[str, Any]:
    """How rows are written: what hardly ever repeats has no dictionary."""
    return {
        "compression": "zstd",
        "compression_level": 1,
        "write_page_checksum": True,
        "use_dictionary": [name for name in names.names if name not in _DISTINCT],
    }


def write_tables(tables: Iterable[pa.Table], path: Path) -> int:
    """Write tables as row groups of one file, as `write_rows` does; no file without any row."""
    writer = None
    count = 0
    try:
        for rows in tables:
            if writer is None:
                writer = pq.ParquetWriter(path, rows.schema, **_options(rows.schema))
            writer.write_table(rows)
            count += len(rows)
    finally:
        if writer is not None:
            writer.close()
    if count:
        sync(path)
    return count

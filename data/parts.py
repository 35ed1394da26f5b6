"""One file of a stored table: written, flushed and described for the manifest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from data import schema
from data.store import file_sha256
from data.writer import ARROW_TYPES, sync

if TYPE_CHECKING:
    from pathlib import Path


ROW_GROUP_ROWS: Final = 65_536
"""Small row groups let a query for few periods skip the rest of a file."""


def write_table_part(
    home: Path, folder: str, table: str, part: str, rows: pa.Table, **facts: Any
) -> dict[str, Any]:
    """
    Write one part of a table with page checksums.

    The rows keep the table's key by the way in which they are made; `pingan verify` checks it.

    Parameters
    ----------
    folder
        Snapshot folder, relative to the home.
    part
        Name of the file without its ending.
    facts
        Further keys of the entry.

    Returns
    -------
    entry
        For `files` of the manifest: `table`, `path`, `rows`, `sha256` and the facts.
    """
    path = home / folder / table / f"{part}.parquet"
    path.parent.mkdir(parents=True, exist_ok=True)
    kinds = {column.name: column.kind for column in schema.table(table).columns}
    stored = pa.schema([(name, ARROW_TYPES[kind]) for name, kind in kinds.items()])
    with pq.ParquetWriter(
        path,
        stored,
        compression="zstd",
        compression_level=1,
        write_page_checksum=True,
        store_schema=False,
        # Sorted numbers: differences take half the room and half the time of a dictionary.
        use_dictionary=[name for name, kind in kinds.items() if kind == "text"],
        column_encoding={
            name: "DELTA_BINARY_PACKED" for name, kind in kinds.items() if kind in ("int", "date")
        },
    ) as writer:
        # A row group at a time: texts that are codes of few words become long only here.
        for first in range(0, max(len(rows), 1), ROW_GROUP_ROWS):
            piece = rows.select(stored.names).slice(first, ROW_GROUP_ROWS)
            writer.write_table(piece.cast(stored), row_group_size=ROW_GROUP_ROWS)
    sync(path)
    return {
        "table": table,
        "path": path.relative_to(home).as_posix(),
        "rows": len(rows),
        "sha256": file_sha256(path),
        **facts,
    }

"""Published cells as rows of the table `released_counts`, and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from data.parts import write_table_part
from data.releases import COUNTS

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from etl.protect.edition import Rows
    from etl.protect.tree import LevelAreas

Key = tuple[str, str, Any]
"""Level, code and first day of an area, as releases name it."""


def write_rows(
    folder: Path,
    start: dt.date,
    kind: str,
    ground: Sequence[LevelAreas],
    shown: Mapping[str, Rows],
    *,
    home: Path,
    **facts: Any,
) -> dict[str, Any]:
    """Write the cells that each edition publishes of a period; the manifest entry of the file."""
    parts = [_table(start, edition, ground, rows) for edition, rows in shown.items()]
    name, rows = f"{start.isoformat()}-{kind}", pa.concat_tables(parts)
    return write_table_part(
        home, folder.relative_to(home).as_posix(), COUNTS, name, rows,
        kind=kind, period_start=start.isoformat(), **facts,
    )  # fmt: skip


def _table(start: dt.date, edition: str, ground: Sequence[LevelAreas], rows: Rows) -> pa.Table:
    order = np.lexsort((rows.area, rows.category, rows.depth))
    depth, area = rows.depth[order], rows.area[order]
    # The levels one after the other, each area at the place where its level begins plus its index.
    first = np.cumsum([0, *(len(level.codes) for level in ground)])
    at = first[depth] + area
    codes = np.concatenate([level.codes for level in ground])
    dated = np.concatenate([level.valid_from for level in ground])
    names = np.array([level.level for level in ground], dtype=object)
    return pa.table(
        {
            "edition": pa.array([edition] * len(at), pa.string()),
            "period_start": pa.array([start] * len(at), pa.date32()),
            "level": pa.array(names[depth], pa.string()),
            "code": pa.array(codes[at], pa.string()),
            "valid_from": pa.array(dated[at].astype("datetime64[D]")),
            "category_index": pa.array(rows.category[order], pa.int32()),
            "count": pa.array(rows.count[order], pa.int32()),
        }
    )


def told_by(path: Path, edition: str) -> dict[Key, set[int]]:
    """Category indexes that an edition tells of each area in a file of one period."""
    found: dict[Key, set[int]] = {}
    for row in pq.read_table(path).to_pylist():
        if row["edition"] == edition:
            key = (row["level"], row["code"], row["valid_from"])
            found.setdefault(key, set()).add(row["category_index"])
    return found

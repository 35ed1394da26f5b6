"""
Batches → what a screen may show of them, by the very functions of the pipeline's first pass.

Cleaning costs some 50 ms whatever it is given, so batches of one source that arrived together are
cleaned together. Each row is still judged by its own batch: by when it arrived, and by its number.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from data.arrivals.kinds import KEPT, Account, Arrival, Fed
from data.seals import check_files
from etl.clean import FUTURE_SLACK, clean
from etl.epoch import last_moment
from etl.ingest import NO_CELL, Chunk, ranks_by_arrival, staged_rows
from etl.masked_points import masked_points
from etl.place import place

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from typing import Any

    import pandas as pd
    from numpy.typing import NDArray

    from data.intake import Batch
    from data.source import Source
    from etl.arriving.ground import Grounds

PUSHED: Final = ("push", "topic")
"""Kinds of batches that tell of what has just happened."""

MOST_ROWS: Final = 5_000
"""Rows of a push that are shown as arriving; a larger one is counted and left to the build."""

MOST_OF_A_FILE: Final = 500
"""The same for files and views: what is larger is a ledger, not something that just happened."""

_ROW_BITS: Final = 32
_REMEDY: Final = "restore a backup"


def is_shown(batch: Batch) -> bool:
    """Whether the rows of a batch are few enough to be shown as they arrive."""
    return batch.read <= (MOST_ROWS if batch.kind in PUSHED else MOST_OF_A_FILE)


@dataclass
class _Sorted:
    """Rows of several batches, numbered through, and what becomes of those of each batch."""

    starts: NDArray[np.int64]
    batches: tuple[Batch, ...]
    told: dict[int, list[Arrival]] = field(default_factory=dict)
    quarantined: Counter[int] = field(default_factory=Counter)
    old: Counter[int] = field(default_factory=Counter)

    def origins(self, rows: Any) -> list[tuple[Batch, int]]:
        """Batch and own number of each row."""
        numbers = np.asarray(rows, dtype=np.int64)
        at = np.searchsorted(self.starts, numbers, side="right") - 1
        own = numbers - self.starts[at]
        return [(self.batches[b], n) for b, n in zip(at.tolist(), own.tolist(), strict=True)]


def fed(batches: Sequence[Batch], source: Source, grounds: Grounds, home: Path) -> list[Fed]:
    """
    Clean and place batches of one source.

    Raises
    ------
    DamageError
        A landed file is missing or damaged.
    """
    # Numbers of rows begin at 1, so each batch has one more than it needs.
    starts = np.cumsum([0, *(batch.read + 1 for batch in batches[:-1])])
    into = _Sorted(starts, tuple(batches))
    if (rows := _landed(into, home)) is not None:
        cleaned = clean(
            rows,
            source,
            grounds.city,
            ground=grounds.ground,
            file=batches[0].name,
            last_moment=max(last_moment(grounds.city, batch.ingested_at) for batch in batches),
        )
        for batch, _ in into.origins(cleaned.quarantine["row"]):
            into.quarantined[batch.number] += 1
        _judge(cleaned.incidents, source, grounds, into)
    return [_fed(batch, into) for batch in batches]


def _fed(batch: Batch, into: _Sorted) -> Fed:
    account = Account(
        batch.number,
        batch.source,
        batch.read,
        quarantined=into.quarantined[batch.number] + len(batch.malformed),
        refused=sum(batch.refused.values()),
        old=into.old[batch.number],
    )
    return Fed(account, tuple(into.told.get(batch.number, ())))


def alone(batch: Batch, **rest: int) -> Fed:
    """Account of a batch none of whose rows are looked at: `passed` or `failed` says why."""
    return Fed(Account(batch.number, batch.source, batch.read, **rest))


def may_join(batch: Batch, source: Source, home: Path) -> bool:
    """Whether every row has a number of its own: without, its file and row would stand for it."""
    if not batch.chunks or "incident_id" not in source.columns:
        return False
    found = [pq.read_table(home / chunk["path"], columns=["incident_id"]) for chunk in batch.chunks]
    return not any(one.column(0).null_count for one in found)


def _landed(into: _Sorted, home: Path) -> pa.Table | None:
    """Rows of all batches, numbered through; None without any."""
    tables = []
    for start, batch in zip(into.starts.tolist(), into.batches, strict=True):
        for chunk in batch.chunks:
            check_files(home, {chunk["path"]: chunk["sha256"]}, remedy=_REMEDY)
            rows = pq.read_table(home / chunk["path"])
            own = pa.array(rows.column("row").to_numpy().astype(np.int64) + start)
            tables.append(rows.set_column(rows.schema.get_field_index("row"), "row", own))
    return pa.concat_tables(tables, promote_options="default") if tables else None


def _judge(incidents: pd.DataFrame, source: Source, grounds: Grounds, into: _Sorted) -> None:
    """Sort the good rows by what becomes of them."""
    if not len(incidents):
        return
    first, by_arrival = into.batches[0], ranks_by_arrival(source)
    chunk = Chunk(first.number, source.name, first.name, first.ingested_at, "", "", "")
    staged, _ = staged_rows(incidents, place(incidents, grounds.built), source, chunk)
    staged = staged.sort_by("row")
    columns = {name: staged.column(name).to_pylist() for name in _NEEDED}
    columns["lng"], columns["lat"] = _points(staged, grounds)
    for at, (batch, number) in enumerate(into.origins(staged.column("row"))):
        row = {name: values[at] for name, values in columns.items()}
        last = last_moment(grounds.city, batch.ingested_at)
        if row["occurred_at"] > last + FUTURE_SLACK:
            into.quarantined[batch.number] += 1
        elif row["occurred_at"] < last - KEPT:
            into.old[batch.number] += 1
        else:
            row |= {"batch": batch.number, "row": number, "arrived_at": batch.ingested_at}
            if by_arrival:
                row["rank"] = (batch.number << _ROW_BITS) + number
            arrival = _arrival(row, grounds, by_arrival=by_arrival)
            into.told.setdefault(batch.number, []).append(arrival)


_NEEDED: Final = (
    "identity", "content", "rank", "row", "occurred_at", "category_index", "severity",
    "area_level", "area_index",
)  # fmt: skip


def _arrival(row: dict[str, Any], grounds: Grounds, *, by_arrival: bool) -> Arrival:
    known = {name: row[name] for name in ("identity", "content", "rank", "batch", "row")}
    known |= {"arrived_at": row["arrived_at"], "by_arrival": by_arrival}
    if grounds.sensitive[row["category_index"]]:
        return Arrival(**known, is_shown=False)
    level = code = ""
    if row["area_level"] >= 0:
        level = grounds.built.levels[row["area_level"]]
        areas = grounds.built.areas
        code = str(areas["code"].iloc[grounds.first_row[level] + row["area_index"]])
    return Arrival(
        **known,
        is_shown=True,
        occurred_at=row["occurred_at"],
        category=grounds.city.categories[row["category_index"]].code,
        severity=row["severity"],
        level=level,
        area_code=code,
        lng=row["lng"],
        lat=row["lat"],
    )


def _points(staged: pa.Table, grounds: Grounds) -> tuple[list[float | None], list[float | None]]:
    """Point of each row's cell in its area; None without either."""
    level = staged.column("area_level").to_numpy().astype(np.int64)
    index = staged.column("area_index").to_numpy().astype(np.int64)
    cells = staged.column("cell_10").to_numpy()
    lng = np.full(len(cells), np.nan)
    lat = lng.copy()
    has_point = np.flatnonzero((level >= 0) & (cells != NO_CELL))
    if len(has_point):
        starts = np.array(list(grounds.first_row.values()), dtype=np.int64)
        areas = starts[level[has_point]] + index[has_point]
        lng[has_point], lat[has_point] = masked_points(grounds.built, areas, cells[has_point])
    return _optional(lng), _optional(lat)


def _optional(values: NDArray[np.float64]) -> list[float | None]:
    return [None if np.isnan(value) else float(value) for value in values]

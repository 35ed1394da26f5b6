"""
Second pass: staged rows of one month → a stored part of the `incidents` table.

A month is that of the period's first day, so a period never lies in two months.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from data import schema
from data.parquet import write_tables
from data.parts import ROW_GROUP_ROWS
from data.source import OUTCOMES, PRECISIONS, STATUSES
from data.store import file_sha256
from etl.ingest import NO_CELL, month_text
from etl.ledger import Part
from etl.place import LOCATED_BY, upwards
from geo import cells as h3_cells
from geo.divisions import LEVELS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from etl.epoch import Epoch

INCIDENTS: Final = "incidents"


@dataclass(frozen=True)
class Slice:
    """Rows of one month in one staged chunk, without the duplicates."""

    staged: str
    batch: int
    source: str
    ingested_at: Any
    first: int
    rows: int
    dropped: NDArray[np.int64]
    version_at: NDArray[np.int64]
    version: NDArray[np.int64]


@dataclass(frozen=True)
class MonthPart:
    """A stored part to write."""

    run: int
    generation: int
    month: int
    slices: list[Slice]


def write_part(epoch: Epoch, task: MonthPart) -> Part | None:
    """Write the new versions of one month; None where nothing but duplicates came."""
    name = f"{epoch.id}-{task.generation}-{task.run:06d}"
    path = f"{INCIDENTS}/month={month_text(task.month)}/{name}.parquet"
    file = epoch.home / path
    file.parent.mkdir(parents=True, exist_ok=True)
    rows = write_tables(_row_groups(epoch, task.slices), file)
    if not rows:
        return None
    return Part(task.run, task.month, path, rows, file.stat().st_size, file_sha256(file))


def _row_groups(epoch: Epoch, slices: list[Slice]) -> Iterator[pa.Table]:
    """Rows of the month in tables of some size, so that memory holds one of them."""
    waiting: list[pa.Table] = []
    count = 0
    for one in slices:
        rows = _slice(epoch, one)
        waiting.append(rows)
        count += len(rows)
        if count >= ROW_GROUP_ROWS:
            yield pa.concat_tables(waiting)
            waiting, count = [], 0
    if count:
        yield pa.concat_tables(waiting)


def _slice(epoch: Epoch, one: Slice) -> pa.Table:
    with pa.memory_map(one.staged) as source:
        rows = pa.ipc.open_file(source).read_all().slice(one.first, one.rows).combine_chunks()
        number = rows.column("version").to_numpy().copy()
        number[np.isnan(number)] = 1
        number[one.version_at - one.first] = one.version
        if len(one.dropped):
            kept = np.ones(len(rows), dtype=bool)
            kept[one.dropped - one.first] = False
            rows, number = rows.filter(pa.array(kept)), number[kept]
        return _stored(epoch, rows, number, one)


def _stored(epoch: Epoch, rows: pa.Table, version: NDArray[Any], one: Slice) -> pa.Table:
    """Staged rows as the `incidents` table stores them, without the partition's own column."""
    built, source, count = epoch.boundaries, epoch.source(one.source), len(rows)
    taken = {name: rows.column(name).to_numpy() for name in ("area_level", "area_index")}
    by_level = upwards(taken["area_level"], taken["area_index"], built)
    numbers = rows.column("cell_10").to_numpy()
    upper, lower = _category_codes(epoch, rows.column("category_index").to_numpy())
    columns: dict[str, Any] = {name: rows.column(name) for name in rows.column_names}
    columns |= {
        "version": pa.array(version.astype(np.int32)),
        "source": _same(source.name, count),
        "channel": _same(source.channel, count),
        "origin": _same(source.origin, count),
        "category": upper,
        "subcategory": lower,
        "severity": _number(rows, "severity", schema.UNKNOWN_SEVERITY),
        "scale": pc.add(_number(rows, "scale", -1), pa.scalar(1, pa.int8())),
        "status": _named(rows.column("status").to_numpy(), STATUSES),
        "outcome": _named(rows.column("outcome").to_numpy(), OUTCOMES),
        "precision": _named(rows.column("precision").to_numpy(), PRECISIONS),
        "located_by": _named(rows.column("located_by").to_numpy(), LOCATED_BY),
        "area_level": _named(taken["area_level"], built.levels),
        "ingested_at": _same(one.ingested_at, count, pa.timestamp("us", tz="UTC")),
        "batch": _same(one.batch, count, pa.int32()),
    }
    for level in LEVELS:
        columns[f"{level}_code"] = (
            _named(by_level[level], built.level_areas(level)["code"])
            if level in by_level
            else pa.nulls(count, pa.string())
        )
    for resolution in h3_cells.RESOLUTIONS:
        found = h3_cells.parent_numbers(numbers, resolution=resolution)
        columns[f"cell_{resolution}"] = pa.array(found, mask=numbers == NO_CELL)
    names = [name for name in schema.table("incidents").names if name != "month"]
    return pa.table({name: columns[name] for name in names})


def _category_codes(epoch: Epoch, index: NDArray[Any]) -> tuple[pa.Array, pa.Array]:
    categories = epoch.city.categories
    upper = [category.parent_code or category.code for category in categories]
    lower = [category.code if category.parent_code else None for category in categories]
    position = pa.array(index.astype(np.int32))
    return (
        pa.array(upper, pa.string()).take(position),
        pa.array(lower, pa.string()).take(position),
    )


def _same(value: Any, count: int, kind: pa.DataType | None = None) -> pa.Array:
    return pa.repeat(pa.scalar(value, kind or pa.string()), count)


def _number(rows: pa.Table, name: str, none: int) -> pa.Array:
    values = rows.column(name).to_numpy()
    return pa.array(values, type=pa.int8(), mask=values == none)


def _named(index: NDArray[Any], names: Any) -> pa.Array:
    """Text of each index, null for -1."""
    texts = pa.array(list(names), type=pa.string())
    position = pa.array(index, type=pa.int32(), mask=np.asarray(index) < 0)
    return texts.take(position)


def current_rows(
    home: Path, parts: list[str], superseded: list[str], *, upto: int, columns: tuple[str, ...]
) -> pa.Table:
    """
    Read the versions that were current after a batch.

    Parameters
    ----------
    parts, superseded
        Files of one month's versions, and of `superseded` rows.
    columns
        Columns to read; `batch` and `row` are read in any case.

    Raises
    ------
    OSError
        A file is damaged.
    """
    wanted = list(dict.fromkeys(["batch", "row", *columns]))
    tables = [
        pq.ParquetFile(
            home / path,
            page_checksum_verification=True,
            read_dictionary=["category", "subcategory"],
        ).read(columns=wanted)
        for path in parts
    ]
    rows = pa.concat_tables(tables).unify_dictionaries().combine_chunks()
    number = _row_number(rows)
    gone = np.concatenate(
        [
            _row_number(pq.read_table(home / path, filters=pc.field("superseded_by") <= upto))
            for path in superseded
        ]
        or [np.empty(0, dtype=np.int64)]
    )
    kept = rows.column("batch").to_numpy() <= upto
    if len(gone):
        kept &= ~np.isin(number, gone)
    return rows if kept.all() else rows.filter(pa.array(kept))


def _row_number(rows: pa.Table) -> NDArray[np.int64]:
    batch, row = (rows.column(name).to_numpy().astype(np.int64) for name in ("batch", "row"))
    return np.asarray((batch << 32) + row)


def category_positions(epoch: Epoch, rows: pa.Table) -> NDArray[np.int64]:
    """Category index of stored rows, from their two codes."""
    codes = [category.code for category in epoch.city.categories]
    position = {code: index for index, code in enumerate(codes)}
    found = {}
    for name in ("category", "subcategory"):
        column = pc.dictionary_encode(rows.column(name)).combine_chunks()
        known = np.array([position[code] for code in column.dictionary.to_pylist()] + [-1])
        found[name] = known[np.asarray(pc.fill_null(column.indices, -1))]
    lower = found["subcategory"]
    return np.asarray(np.where(lower < 0, found["category"], lower))

"""
Counting: the current incidents of one month → its rows of every count table.

Counts are always taken anew from the versions that are current, so they do not depend on what was
counted before. Rows are counted once, at the lowest level and in the finest cell; what lies above
is summed from those counts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from data import schema
from data.parts import write_table_part
from etl.ingest import NO_CELL, month_text
from etl.months import category_positions, current_rows
from etl.place import upwards
from etl.register import read_register

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from etl.epoch import Epoch

_COUNTED: Final = (
    "batch", "row", "period_start", "category", "subcategory", "severity", "area_level",
    "area_index", "cell_10",
)  # fmt: skip


@dataclass(frozen=True)
class MonthCounts:
    """
    Counts to take of one month.

    Attributes
    ----------
    parts
        Every stored part of the month.
    superseded
        Every file of `superseded` rows.
    upto
        Last batch that counts.
    register
        File of the cell register (see `etl.register`).
    folder
        Snapshot folder, relative to the home.
    """

    month: int
    parts: list[str]
    superseded: list[str]
    upto: int
    register: str
    folder: str


def count_month(epoch: Epoch, task: MonthCounts) -> list[dict[str, Any]]:
    """
    Count one month and write its part of every count table.

    Returns
    -------
    entries
        A manifest entry per table: `table`, `path`, `rows`, `sha256`; and `month`, `incidents`
        (their sum) and `none` (of those, placed in none).
    """
    rows = month_rows(epoch, task)
    return [
        write_table_part(
            epoch.home,
            task.folder,
            name,
            month_text(task.month),
            _table(counts, index),
            month=month_text(task.month),
            incidents=int(counts["count"].sum()),
            none=int(counts["count"][counts["place"] < 0].sum()),
        )
        for name, index, counts in _all_counts(epoch, task, rows)
    ]


def _all_counts(epoch: Epoch, task: MonthCounts, rows: Counted) -> Any:
    """Name, index column and counts of each table of the month."""
    place = _place_number(rows["level"], rows["index"])
    found = _count(rows, place)
    level, index = _place_parts(found["place"])
    by_level = upwards(level.astype(np.int8), index.astype(np.int32), epoch.boundaries)
    for name, position in by_level.items():
        yield f"area_counts_{name}", "area_index", _sum(found, position.astype(np.int64))
    register = read_register(epoch.home, task.register)
    found = _count(rows, register.positions(rows["cell"]))
    for resolution in reversed(register.resolutions):
        places = register.upwards(found["place"], resolution)
        yield f"cell_counts_{resolution}", "cell_index", _sum(found, places)


Counted = dict[str, "NDArray[Any]"]


def month_rows(epoch: Epoch, task: MonthCounts) -> Counted:
    """Current incidents of a month by position: period, level, index, category, severity, cell."""
    rows = current_rows(epoch.home, task.parts, task.superseded, upto=task.upto, columns=_COUNTED)
    levels = pc.dictionary_encode(rows.column("area_level")).combine_chunks()
    known = [epoch.boundaries.levels.index(name) for name in levels.dictionary.to_pylist()]
    position = np.array([*known, -1], dtype=np.int8)
    severity = pc.fill_null(rows.column("severity"), schema.UNKNOWN_SEVERITY)
    return {
        "period_start": rows.column("period_start").to_numpy().astype("datetime64[D]"),
        "level": position[np.asarray(pc.fill_null(levels.indices, -1))],
        "index": rows.column("area_index").to_numpy(),
        "category": category_positions(epoch, rows),
        "severity": np.asarray(severity),
        "cell": np.asarray(pc.fill_null(rows.column("cell_10"), NO_CELL)),
    }


def _place_number(level: NDArray[Any], index: NDArray[Any]) -> NDArray[np.int64]:
    """Level and index in one number, -1 where there is none."""
    return np.where(level < 0, -1, (level.astype(np.int64) << 32) + index)


def _place_parts(place: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    none = place < 0
    return np.where(none, -1, place >> 32), np.where(none, -1, place & 0xFFFFFFFF)


def _count(rows: Counted, place: NDArray[np.int64]) -> Counted:
    """Rows per period, place, category and severity."""
    ones = np.ones(len(place), dtype=np.int64)
    return _sum({**rows, "count": ones}, place)


def _sum(counts: Counted, place: NDArray[np.int64]) -> Counted:
    """Counts of the same period, place, category and severity added up, in the key's order."""
    period, periods = _ranks(counts["period_start"])
    position, places = _ranks(place)
    names = ("category", "severity")
    sizes = (
        max(len(periods), 1),
        max(len(places), 1),
        *(int(counts[name].max(initial=0)) + 1 for name in names),
    )
    keys = np.ravel_multi_index(
        (period, position, *(counts[name].astype(np.int64) for name in names)), sizes
    )
    order = np.argsort(keys, kind="stable")
    keys = keys[order]
    first = np.flatnonzero(np.append(True, keys[1:] != keys[:-1])) if len(keys) else order
    totals = np.add.reduceat(counts["count"][order], first) if len(keys) else order
    period, position, category, severity = np.unravel_index(keys[first], sizes)
    return {
        "period_start": periods[period],
        "place": places[position],
        "category": category,
        "severity": severity,
        "count": totals,
    }


def _ranks(values: NDArray[Any]) -> tuple[NDArray[np.int64], NDArray[Any]]:
    position, distinct = pd.factorize(values, sort=True)
    return position.astype(np.int64), np.asarray(distinct)


def _table(counts: Counted, index: str) -> pa.Table:
    return pa.table(
        {
            "period_start": pa.array(counts["period_start"].astype("datetime64[D]")),
            index: pa.array(counts["place"], type=pa.int32()),
            "category_index": pa.array(counts["category"], type=pa.int32()),
            "severity": pa.array(counts["severity"], type=pa.int32()),
            "count": pa.array(counts["count"], type=pa.int32()),
        }
    )

"""
Counting: the current incidents of one month → its rows of every count table.

Counts are always taken anew from the versions that are current, so they do not depend on what was
counted before. Rows are counted once, by lowest area and finest cell together; the counts of areas
and of cells, of every level and resolution, are sums of those.
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
from etl import hours
from etl.ingest import NO_CELL, month_text
from etl.months import category_positions, current_rows
from etl.place import upwards
from etl.register import read_register

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from etl.boundaries import Boundaries
    from etl.epoch import Epoch

_COUNTED: Final = (
    "batch", "row", "period_start", "category", "subcategory", "severity", "area_level",
    "area_index", "cell_10", "occurred_at", "source",
)  # fmt: skip
_HALF: Final = 32
"""Bits of a place in a number that holds two."""


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
            _table(counts, places),
            month=month_text(task.month),
            incidents=int(counts["count"].sum()),
            none=int(counts["count"][places[-1][1] < 0].sum()),
        )
        for name, counts, places in _all_counts(epoch, task, rows)
    ]


Places = list[tuple[str, "NDArray[np.int64]"]]
"""Name and values of each column that says where."""


def _all_counts(
    epoch: Epoch, task: MonthCounts, rows: Counted
) -> Iterator[tuple[str, Counted, Places]]:
    """Name, counts and places of each table of the month."""
    register, built = read_register(epoch.home, task.register), epoch.boundaries
    first = _first_rows(built)
    areas = np.where(rows["level"] < 0, schema.NOT_PLACED, first[rows["level"]] + rows["index"])
    found = _count(rows, _joined(areas, register.positions(rows["cell"])))
    areas, cells = _parted(found["place"])
    finest = register.resolutions[-1]
    yield f"area_cell_counts_{finest}", found, [("area_row", areas), ("cell_index", cells)]
    yield _hour_counts(epoch, rows)
    level = np.searchsorted(first, areas, side="right") - 1
    by_level = upwards(level.astype(np.int8), (areas - first[level]).astype(np.int32), built)
    for name, position in by_level.items():
        counts = _sum(found, position.astype(np.int64))
        yield f"area_counts_{name}", counts, [("area_index", counts["place"])]
    for resolution in reversed(register.resolutions):
        counts = _sum(found, register.upwards(cells, resolution))
        yield f"cell_counts_{resolution}", counts, [("cell_index", counts["place"])]


def _hour_counts(epoch: Epoch, rows: Counted) -> tuple[str, Counted, Places]:
    """Counts by hour of the week and upper category, by the lowest area that has hours."""
    built, upper = epoch.boundaries, hours.upper_categories(epoch.city)
    by_level = upwards(rows["level"], rows["index"], built)
    areas = hours.areas_with_hours(by_level, _first_rows(built))
    by_group = {**rows, "category": upper[rows["category"]]}
    counts = _count(by_group, _joined(areas, rows["hour"]))
    areas, hour = _parted(counts["place"])
    return hours.AREA_HOURS, counts, [("hour", hour), ("area_row", areas)]


Counted = dict[str, "NDArray[Any]"]


def month_rows(epoch: Epoch, task: MonthCounts) -> Counted:
    """Current incidents of a month by position: period, place, category, severity, cell, hour."""
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
        "hour": hours.hours_of_week(rows.column("occurred_at"), rows.column("source"), epoch.city),
    }


def _first_rows(built: Boundaries) -> NDArray[np.int64]:
    """Row of `areas` with which each level begins."""
    sizes = [len(shapes) for shapes in built.geometries.values()]
    return np.cumsum([0, *sizes[:-1]], dtype=np.int64)


def _joined(areas: NDArray[np.int64], cells: NDArray[np.int64]) -> NDArray[np.int64]:
    """Two places in one number, in order of the first; -1 of either stays apart."""
    return ((areas + 1) << _HALF) + cells + 1


def _parted(places: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    return (places >> _HALF) - 1, (places & ((1 << _HALF) - 1)) - 1


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


def _table(counts: Counted, places: Places) -> pa.Table:
    return pa.table(
        {
            "period_start": pa.array(counts["period_start"].astype("datetime64[D]")),
            **{name: pa.array(index, type=pa.int32()) for name, index in places},
            "category_index": pa.array(counts["category"], type=pa.int32()),
            "severity": pa.array(counts["severity"], type=pa.int32()),
            "count": pa.array(counts["count"], type=pa.int32()),
        }
    )

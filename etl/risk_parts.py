"""Risk of every area: one file per window end, so that a late row renews only what it touches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from data import schema
from data.parts import write_table_part
from data.periods import Window
from etl.risk import area_risk, no_rows, stored_ends

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from etl.epoch import Epoch

RISK = "area_risk"


@dataclass(frozen=True)
class RiskTask:
    """
    Windows to compute.

    Attributes
    ----------
    ends
        First days of the windows' last periods.
    counts
        Level to the count files that may hold the windows' periods.
    folder
        Snapshot folder, relative to the home.
    """

    ends: tuple[dt.date, ...]
    first: dt.date
    last: dt.date
    counts: dict[str, list[str]]
    folder: str


def plan(
    epoch: Epoch,
    entries: Sequence[dict[str, Any]],
    *,
    first: dt.date,
    last: dt.date,
    kept: Sequence[dict[str, Any]],
    changed: set[str],
    folder: str,
    tasks: int,
) -> tuple[list[dict[str, Any]], list[RiskTask]]:
    """
    Decide which windows stand as they are and which must be computed.

    Parameters
    ----------
    entries
        Manifest entries of the count tables.
    kept
        The earlier snapshot's entries of `area_risk`.
    changed
        Months (`YYYY-MM`) whose counts are new.
    tasks
        Number of tasks to cut the work into.
    """
    city = epoch.city
    ends = stored_ends(first=first, last=last, window=city.window, grain=city.grain)
    standing = {entry["period_end"]: entry for entry in kept}
    reused, wanted = [], []
    for end in ends:
        months = {start.strftime("%Y-%m") for start in Window(end, city.window, city.grain).starts}
        if end.isoformat() in standing and not months & changed:
            reused.append(standing[end.isoformat()])
        else:
            wanted.append(end)
    size = max(1, -(-len(wanted) // max(tasks, 1)))
    groups = [tuple(wanted[at : at + size]) for at in range(0, len(wanted), size)]
    return reused, [
        RiskTask(group, first, last, _count_files(epoch, entries, group), folder)
        for group in groups
    ]


def _count_files(
    epoch: Epoch, entries: Sequence[dict[str, Any]], ends: tuple[dt.date, ...]
) -> dict[str, list[str]]:
    city = epoch.city
    windows = [Window(end, city.window, city.grain) for end in ends]
    months = {start.strftime("%Y-%m") for window in windows for start in window.starts}
    return {
        level: [
            entry["path"]
            for entry in entries
            if entry["table"] == f"area_counts_{level}" and entry["month"] in months
        ]
        for level in epoch.boundaries.levels
    }


def risk_parts(epoch: Epoch, task: RiskTask) -> list[dict[str, Any]]:
    """Compute the windows of a task and write a file for each; their manifest entries."""
    counts = {level: _counts(epoch, paths) for level, paths in task.counts.items()}
    found = area_risk(
        epoch.boundaries.areas,
        counts,
        first=task.first,
        last=task.last,
        window=epoch.city.window,
        grain=epoch.city.grain,
        ends=task.ends,
    )
    entries = []
    for end in task.ends:
        rows = found[found["period_end"] == pd.Timestamp(end)]
        entries.append(
            write_table_part(
                epoch.home, task.folder, RISK, end.isoformat(), _typed(rows),
                period_end=end.isoformat(),
            )
        )  # fmt: skip
    return entries


def no_risk(epoch: Epoch, folder: str) -> dict[str, Any]:
    """Write the table without rows, for a city whose first window is not over yet."""
    table = _typed(no_rows())
    return write_table_part(epoch.home, folder, RISK, "none", table, period_end="")


def _counts(epoch: Epoch, paths: list[str]) -> pd.DataFrame:
    names = ["period_start", "area_index", "count"]
    tables = [pq.read_table(epoch.home / path, columns=names) for path in paths]
    if not tables:
        return pd.DataFrame({name: pd.Series(dtype="int64") for name in names}).astype(
            {"period_start": "datetime64[s]"}
        )
    rows: pd.DataFrame = pa.concat_tables(tables).to_pandas(date_as_object=False)
    return rows


def _typed(rows: pd.DataFrame) -> pa.Table:
    arrays = {}
    kinds = {"int": pa.int32(), "float": pa.float64(), "bool": pa.bool_(), "text": pa.string()}
    for column in schema.table(RISK).columns:
        values = rows[column.name]
        if column.kind == "date":
            arrays[column.name] = pa.array(values.to_numpy().astype("datetime64[D]"))
        else:
            arrays[column.name] = pa.array(values, type=kinds[column.kind], from_pandas=True)
    return pa.table(arrays)

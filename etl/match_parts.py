"""Proposed pairs: one file per month, so that a late row renews only what it may meet."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from data import schema
from data.parts import write_table_part
from etl.ingest import month_text
from etl.matches import GAP_HOURS, MATCHES, crowded, match_month
from etl.months import current_rows
from etl.times import tells_the_day

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from pathlib import Path

    from data.source import Source
    from etl.epoch import Epoch

_READ: Final = (
    "incident_id", "source", "category", "subcategory", "occurred_at", "lng", "lat", "precision",
    "area_level", "area_index",
)  # fmt: skip
_HOURS: Final = ("%H", "%-H", "%I", "%-I", "%c", "%X", "%T")
_NOON: Final = dt.timedelta(hours=12)


@dataclass(frozen=True)
class MonthMatches:
    """
    Pairs to propose of one month.

    Attributes
    ----------
    parts, before
        Every stored part of the month, and of the month before.
    superseded
        Every file of `superseded` rows.
    upto
        Last batch that counts.
    folder
        Snapshot folder, relative to the home.
    """

    month: int
    parts: list[str]
    before: list[str]
    superseded: list[str]
    upto: int
    folder: str


def to_match(touched: Iterable[int], stored: Collection[int]) -> list[int]:
    """Months whose pairs may have changed: those touched, and each one's next."""
    wanted = {later for month in touched for later in (month, month + 1)}
    return sorted(wanted & set(stored))


def match_tasks(
    touched: Iterable[int],
    stored: Mapping[int, list[str]],
    superseded: list[str],
    *,
    upto: int,
    folder: str,
) -> list[MonthMatches]:
    """Build the tasks of the months to match; `stored` names the parts of each month."""
    return [
        MonthMatches(month, stored[month], stored.get(month - 1, []), superseded, upto, folder)
        for month in to_match(touched, stored)
    ]


def match_parts(epoch: Epoch, task: MonthMatches) -> list[dict[str, Any]]:
    """
    Propose the pairs of one month and write its part of the `matches` table.

    A pair is of the month of its later incident; the other may lie in the last hours of the month
    before.

    Returns
    -------
    entries
        One manifest entry: `table`, `path`, `rows`, `sha256`; and `month`, `pairs` and `crowded`
        (incidents of the month that lie too close together to be told apart).
    """
    lowest = epoch.boundaries.levels[-1]
    rows = _rows(epoch, task, task.parts)
    before = _last_hours(epoch, task, rows)
    both = pd.concat([rows, before], ignore_index=True)
    matches = match_month(both, lowest=lowest)
    matches = matches[~matches["second_id"].isin(before["incident_id"])]
    left_out = crowded(both, lowest=lowest)[: len(rows)]
    entry = write_table_part(
        epoch.home,
        task.folder,
        MATCHES,
        month_text(task.month),
        pa.Table.from_pandas(matches, preserve_index=False),
        month=month_text(task.month),
        pairs=len(matches),
        crowded=int(left_out.sum()),
    )
    return [entry]


def no_matches(epoch: Epoch, folder: str) -> dict[str, Any]:
    """Write the table without rows: one source alone has nothing to compare."""
    empty = pa.table({name: pa.nulls(0) for name in schema.table(MATCHES).names})
    return write_table_part(
        epoch.home, folder, MATCHES, "none", empty, month="", pairs=0, crowded=0
    )


def matches_entry(home: Path, entries: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    """
    Say for the manifest how many pairs are proposed.

    Returns
    -------
    matches
        `pairs`, `incidents` (in any pair, each once) and `crowded`.
    """
    entries = list(entries)
    ids = [
        pq.read_table(home / entry["path"], columns=["first_id", "second_id"])
        for entry in entries
        if entry["pairs"]
    ]
    named = [table.column(name) for table in ids for name in table.column_names]
    chunks = [chunk for column in named for chunk in column.chunks]
    return {
        "pairs": sum(entry["pairs"] for entry in entries),
        "incidents": pc.count_distinct(pa.chunked_array(chunks, pa.string())).as_py(),
        "crowded": sum(entry["crowded"] for entry in entries),
    }


def _rows(epoch: Epoch, task: MonthMatches, parts: list[str]) -> pd.DataFrame:
    """Current incidents whose source tells the day; noon stands for a day without an hour."""
    found = current_rows(epoch.home, parts, task.superseded, upto=task.upto, columns=_READ)
    rows: pd.DataFrame = _plain(found).to_pandas()
    told = {source.name for source in epoch.city.sources if tells_the_day(source)}
    by_day = [source.name for source in epoch.city.sources if not _tells_the_hour(source)]
    rows = rows[rows["source"].isin(told)].reset_index(drop=True)
    is_by_day = rows["source"].isin(by_day)
    rows["occurred_at"] = rows["occurred_at"].where(~is_by_day, rows["occurred_at"] + _NOON)
    return rows


def _last_hours(epoch: Epoch, task: MonthMatches, rows: pd.DataFrame) -> pd.DataFrame:
    """Incidents of the month before that may be near the first ones of the month."""
    if not len(rows) or not task.before:
        return rows.iloc[:0]
    before = _rows(epoch, task, task.before)
    start = rows["occurred_at"].min() - pd.Timedelta(hours=GAP_HOURS)
    return before[before["occurred_at"] >= start]


def _tells_the_hour(source: Source) -> bool:
    return any(mark in form for form in source.time_format for mark in _HOURS)


def _plain(found: pa.Table) -> pa.Table:
    """Dictionary columns as text."""
    for position, field in enumerate(found.schema):
        if pa.types.is_dictionary(field.type):
            text = found.column(position).cast(pa.string())
            found = found.set_column(position, field.name, text)
    return found.select(list(_READ))

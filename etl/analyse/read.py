"""Reading: the current incidents of a ledger and the areas of an epoch, as a bed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from data.analysis_settings import read_groups
from data.periods import span
from data.source import ORIGINS, OUTCOMES, STATUSES
from etl.analyse.bed import NEVER, Areas, Bed, Events, concatenate
from etl.ingest import NO_CELL
from etl.months import category_positions, current_rows
from geo import divisions

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from numpy.typing import NDArray

    from etl.covered import Periods
    from etl.epoch import Epoch

_TIMES: Final = (
    "occurred_at", "reported_at", "dispatched_at", "signed_at", "resolved_at", "archived_at",
    "deadline_at",
)  # fmt: skip
_COLUMNS: Final = (
    "source", "origin", "category", "subcategory", "severity", "scale", "status", "outcome",
    "repeat_of", "occurred_on", "area_level", "area_index", "cell_10", "identity", *_TIMES,
)  # fmt: skip


def read_bed(
    epoch: Epoch,
    stored: dict[int, list[str]],
    superseded: list[str],
    periods: Periods,
    *,
    upto: int,
) -> Bed:
    """
    Read what the analysis needs.

    Parameters
    ----------
    stored
        Month to the files of its versions.
    superseded
        Files of `superseded` rows.
    upto
        Last batch that counts.
    """
    city = epoch.city
    groups, group_of = read_groups(city)
    starts = np.array(span(periods.first, periods.last, grain=city.grain), dtype="datetime64[D]")
    months = [month_events(epoch, stored[month], superseded, upto=upto) for month in sorted(stored)]
    return Bed(
        areas=level_areas(epoch.boundaries.areas),
        events=concatenate(months),
        grain=city.grain,
        starts=starts,
        as_of=np.datetime64(periods.as_of, "D"),
        groups=groups,
        group_of=group_of,
        time_zone=city.time_zone,
        sources=tuple(one.name for one in city.sources),
    )


def level_areas(areas: pd.DataFrame) -> tuple[Areas, ...]:
    """Levels of an `areas` table as arrays."""
    found = []
    for level in dict.fromkeys(areas["level"]):
        rows = areas[areas["level"] == level]
        starts, ends = divisions.validity(rows)
        figures = {
            ours: rows[theirs].to_numpy(dtype=np.float64, na_value=np.nan)
            for ours, theirs in (
                ("residents", "population"), ("households", "households"),
                ("area_km2", "area_km2"), ("exposure", "exposure"),
            )
        }  # fmt: skip
        parent = rows["parent_index"].to_numpy().astype(np.int64)
        found.append(Areas(str(level), parent, valid_from=starts, valid_to=ends, **figures))
    return tuple(found)


def month_events(
    epoch: Epoch, parts: Sequence[str], superseded: Sequence[str], *, upto: int
) -> Events:
    """Current incidents of one month."""
    rows = current_rows(epoch.home, list(parts), list(superseded), upto=upto, columns=_COLUMNS)
    times = {name.removesuffix("_at"): _seconds(rows, name) for name in _TIMES}
    day = rows.column("occurred_on").to_numpy().astype("datetime64[D]")
    known = np.maximum(day, _city_days(epoch, np.maximum(times["occurred"], times["reported"])))
    return Events(
        day=day,
        known=known,
        area=_area_rows(epoch, rows),
        cell=_filled(rows, "cell_10", NO_CELL, np.int64),
        category=category_positions(epoch, rows).astype(np.int16),
        severity=_filled(rows, "severity", 0, np.int8),
        scale=_filled(rows, "scale", 0, np.int8),
        origin=_coded(rows, "origin", ORIGINS).astype(np.int8),
        source=_coded(rows, "source", [one.name for one in epoch.city.sources]).astype(np.int16),
        status=_coded(rows, "status", STATUSES).astype(np.int8),
        outcome=_coded(rows, "outcome", OUTCOMES).astype(np.int8),
        repeat=np.asarray(pc.is_valid(rows.column("repeat_of"))),
        identity=rows.column("identity").to_numpy().astype(np.int64),
        **times,
    )


def _seconds(rows: pa.Table, name: str) -> NDArray[np.int64]:
    column = rows.column(name).cast(pa.timestamp("us", tz="UTC")).cast(pa.int64())
    values = np.asarray(pc.fill_null(column, NEVER))
    return np.where(values == NEVER, NEVER, values // 1_000_000)


def _city_days(epoch: Epoch, seconds: NDArray[np.int64]) -> NDArray[Any]:
    """Day in city time of each second."""
    moments = pd.DatetimeIndex(seconds.astype("datetime64[s]"), tz="UTC")
    local = moments.tz_convert(epoch.city.time_zone).tz_localize(None)
    return np.asarray(local.to_numpy().astype("datetime64[D]"))


def _area_rows(epoch: Epoch, rows: pa.Table) -> NDArray[np.int64]:
    built = epoch.boundaries
    sizes = [len(shapes) for shapes in built.geometries.values()]
    first = np.append(np.cumsum([0, *sizes[:-1]]), -1)
    level = _coded(rows, "area_level", built.levels)
    index = rows.column("area_index").to_numpy().astype(np.int64)
    return np.where(level < 0, -1, first[level] + index)


def _filled(rows: pa.Table, name: str, none: int, kind: Any) -> NDArray[Any]:
    return np.asarray(pc.fill_null(rows.column(name), none)).astype(kind)


def _coded(rows: pa.Table, name: str, names: Sequence[str]) -> NDArray[np.int64]:
    """Position of each text in a list, -1 = none."""
    column = pc.dictionary_encode(rows.column(name)).combine_chunks()
    known = [list(names).index(text) for text in column.dictionary.to_pylist()]
    return np.asarray(np.array([*known, -1])[np.asarray(pc.fill_null(column.indices, -1))])

"""The first, plainly defined rate and band of every area, by `data.rates`, for stored windows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from data import rates, schema
from data.periods import Window, shift, span
from geo import divisions

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from data.periods import Grain

STORED_ENDS: Final = 26
"""Window ends that are stored: the last half year of weeks."""


def area_risk(
    areas: pd.DataFrame,
    counts: Mapping[str, pd.DataFrame],
    *,
    first: dt.date,
    last: dt.date,
    window: int,
    grain: Grain,
    ends: Sequence[dt.date] | None = None,
) -> pd.DataFrame:
    """
    Rates and bands over all categories for the windows ending in the last 26 periods.

    Parameters
    ----------
    areas
        The `areas` table.
    counts
        Level to its `area_counts` table.
    first, last
        First days of the first counted and of the last complete period.
    window
        Periods in a window; windows that start before `first` are left out.
    ends
        First days of the windows' last periods, by default those of `stored_ends`.

    Returns
    -------
    risk
        The `area_risk` table. An area that is not valid on a window's last day is left out, so
        what happened in a grid before it was re-cut counts for its parents only.
    """
    if ends is None:
        ends = stored_ends(first=first, last=last, window=window, grain=grain)
    windows = [Window(end, window, grain) for end in ends]
    levels = list(dict.fromkeys(areas["level"]))
    tables = {level: areas[areas["level"] == level].reset_index(drop=True) for level in levels}
    sums = {
        level: _window_sums(counts[level], len(tables[level]), windows, grain) for level in levels
    }
    parts = [
        part
        for position, shown in enumerate(windows)
        for part in _one_window(tables, {name: sums[name][position] for name in levels}, shown)
    ]
    if not parts:
        return no_rows()
    stored = pd.concat(parts, ignore_index=True)
    stored["_level"] = stored["level"].map(levels.index)
    order = ["_level", "period_end", "area_index"]
    return stored.sort_values(order, ignore_index=True).drop(columns="_level")


def stored_ends(*, first: dt.date, last: dt.date, window: int, grain: Grain) -> list[dt.date]:
    """Last periods of the windows that are stored, oldest first."""
    ends = [shift(last, -back, grain=grain) for back in range(STORED_ENDS)][::-1]
    return [end for end in ends if Window(end, window, grain).start >= first]


def _window_sums(
    counts: pd.DataFrame, n_areas: int, windows: list[Window], grain: Grain
) -> NDArray[np.int64]:
    """Incidents per window and area, shape (n windows, n areas)."""
    if not windows:
        return np.zeros((0, n_areas), dtype=np.int64)
    periods = span(windows[0].start, windows[-1].end, grain=grain)
    starts = pd.Index(np.array(periods, dtype="datetime64[s]"))
    row = starts.get_indexer(pd.Index(counts["period_start"].to_numpy().astype("datetime64[s]")))
    column = counts["area_index"].to_numpy()
    kept = (row >= 0) & (column >= 0)
    dense = np.zeros((len(periods) + 1, n_areas), dtype=np.int64)
    np.add.at(dense, (row[kept] + 1, column[kept]), counts["count"].to_numpy()[kept])
    running = dense.cumsum(axis=0)
    length = windows[0].periods
    return np.asarray(running[length:] - running[:-length])


def _one_window(
    tables: Mapping[str, pd.DataFrame], sums: Mapping[str, NDArray[np.int64]], shown: Window
) -> list[pd.DataFrame]:
    """Risk rows of one window, a frame per level."""
    day = np.datetime64(shown.last_day, "D")
    kept: dict[str, NDArray[np.int64]] = {}
    parents: list[NDArray[np.int64]] = []
    # Position of each area among those kept at its level, -1 = left out.
    position_above = np.array([0])
    for level, areas in tables.items():
        starts, ends = divisions.validity(areas)
        above = areas["parent_index"].to_numpy().astype(np.int64)
        has_parent = position_above[above] >= 0 if kept else np.ones(len(areas), dtype=bool)
        rows = np.flatnonzero((starts <= day) & (day < ends) & has_parent)
        parents.append(position_above[above[rows]] if kept else np.full(len(rows), -1))
        kept[level] = rows
        position_above = np.full(len(areas), -1)
        position_above[rows] = np.arange(len(rows))
    found = rates.rates_by_level(
        [sums[level][rows] for level, rows in kept.items()],
        [tables[level]["exposure"].to_numpy()[rows] for level, rows in kept.items()],
        parents,
        periods=shown.periods,
    )
    return [
        _rows(level, shown, rows, result)
        for (level, rows), result in zip(kept.items(), found, strict=True)
    ]


def _rows(
    level: str, shown: Window, rows: NDArray[np.int64], result: rates.AreaRates
) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "level": level,
            "period_end": np.datetime64(shown.end, "s"),
            "area_index": rows.astype(np.int32),
            **result.figures(),
        }
    )


def no_rows() -> pd.DataFrame:
    """Return the `area_risk` table without rows."""
    kinds = {
        "text": "str",
        "date": "datetime64[s]",
        "int": "int64",
        "float": "float64",
        "bool": "bool",
    }
    columns = schema.table("area_risk").columns
    return pd.DataFrame({item.name: pd.Series(dtype=kinds[item.kind]) for item in columns})

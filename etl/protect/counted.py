"""What was counted, as far as releases need it: of one period, and usually."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from data.periods import shift, span

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from data.city import City
    from data.periods import Grain
    from etl.protect.tree import Counts

    Bools = NDArray[np.bool_]
    Ints = NDArray[np.int64]

USUAL_PERIODS: Final = 53
"""Periods up to the released one over which the usual number of a class is taken."""

_COLUMNS: Final = ("area_index", "category_index", "count")


@dataclass(frozen=True)
class Classes:
    """
    The upper categories of a city.

    Attributes
    ----------
    index
        `category_index` of each class.
    of_category
        Position of each category's class, by `category_index`.
    is_sensitive
        Classes that are sensitive as a whole: never told by name.
    categories
        Categories that are sensitive, by `category_index`.
    """

    index: Ints
    of_category: Ints
    is_sensitive: Bools
    categories: Bools


def classes_of(city: City) -> Classes:
    """Upper categories of a city, and which are sensitive: themselves, or all that they hold."""
    sensitive = city.privacy.sensitive_codes()
    tops = [at for at, category in enumerate(city.categories) if category.parent_code is None]
    place = {city.categories[at].code: position for position, at in enumerate(tops)}
    of_category = np.array(
        [place[category.parent_code or category.code] for category in city.categories]
    )
    is_lower = np.array([category.parent_code is not None for category in city.categories])
    marked = np.array([category.code in sensitive for category in city.categories])
    whole = np.array(
        [
            marked[at] or (held.any() and bool(marked[held].all()))
            for position, at in enumerate(tops)
            for held in [is_lower & (of_category == position)]
        ]
    )
    return Classes(np.array(tops), of_category, whole, marked | whole[of_category])


def period_counts(
    home: Path, files: Mapping[str, Sequence[str]], starts: Sequence[dt.date]
) -> dict[dt.date, dict[str, Counts]]:
    """
    Read what was counted in some periods, by period and level.

    Parameters
    ----------
    files
        Level to the count files that may hold the periods.
    starts
        First days of the periods.
    """
    found: dict[dt.date, dict[str, Counts]] = {start: {} for start in starts}
    for level, paths in files.items():
        rows = _read(home, paths)
        for start in starts:
            own = rows["period_start"] == np.datetime64(start)
            found[start][level] = {name: rows[name][own] for name in _COLUMNS}
    return found


def usual_counts(
    home: Path,
    files: Sequence[str],
    classes: Classes,
    *,
    first: dt.date,
    starts: Sequence[dt.date],
    grain: Grain,
) -> NDArray[np.float64]:
    """
    Mean incidents of each class in the whole city, over a year of periods up to each start.

    Parameters
    ----------
    files
        Count files of the city's level.
    first
        First counted period.
    starts
        First days of periods, oldest first.

    Returns
    -------
    usual
        Shape (n starts, n classes).
    """
    days = span(first, starts[-1], grain=grain)
    rows = _read(home, files)
    position = {np.datetime64(day): at for at, day in enumerate(days)}
    row = np.array([position.get(day, -1) for day in rows["period_start"]], dtype=np.int64)
    known = row >= 0
    sums = np.zeros((len(days) + 1, len(classes.index)))
    column = classes.of_category[rows["category_index"][known]]
    np.add.at(sums, (row[known] + 1, column), rows["count"][known])
    running = sums.cumsum(axis=0)
    ends = np.array([days.index(start) + 1 for start in starts])
    begins = np.maximum(ends - USUAL_PERIODS, 0)
    return np.asarray((running[ends] - running[begins]) / (ends - begins)[:, None])


def files_of(
    entries: Sequence[Mapping[str, Any]], level: str, starts: Sequence[dt.date]
) -> list[str]:
    """Count files of a level that may hold some periods."""
    months = {start.strftime("%Y-%m") for start in starts}
    return [
        entry["path"]
        for entry in entries
        if entry["table"] == f"area_counts_{level}" and entry["month"] in months
    ]


def over(last: dt.date, delay: int, grain: Grain) -> dt.date:
    """Newest period that has been over for a number of complete periods."""
    return shift(last, -delay, grain=grain)


def _read(home: Path, paths: Sequence[str]) -> dict[str, NDArray[Any]]:
    names = ["period_start", *_COLUMNS]
    if not paths:
        empty = {name: np.zeros(0, dtype=np.int64) for name in _COLUMNS}
        return {"period_start": np.zeros(0, dtype="datetime64[D]"), **empty}
    rows = pa.concat_tables([pq.read_table(home / path, columns=names) for path in paths])
    found = {name: np.asarray(rows[name]) for name in _COLUMNS}
    return {"period_start": np.asarray(rows["period_start"]).astype("datetime64[D]"), **found}

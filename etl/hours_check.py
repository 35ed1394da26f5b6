"""Verification of the hours of the week: they close with the counts, and follow the clock."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from data import schema
from etl.hours import AREA_HOURS, LEVELS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from data.store import Snapshot

_FILTERS: Final = ("category_index", "severity")
_KEY: Final = ["period_start", "area_index", *_FILTERS]
_CLOCK: Final = ["period_start", "hour"]


class HoursFault(ValueError):  # noqa: N818 - it is an outcome of a check, not a fault of the program
    """Stored hours do not hold what they promise; the message says where."""


def check_hours(snapshot: Snapshot, incidents: Callable[[str], pd.DataFrame]) -> str:
    """
    Check the hours of every level.

    Those of an area, known and not, sum to its count of each period, upper category and severity;
    no hour has more incidents than the city's clock gives it.

    Parameters
    ----------
    incidents
        Answers SQL over the snapshot's current incidents, `rows`.

    Returns
    -------
    detail
        How many levels, and how many incidents have no hour.

    Raises
    ------
    HoursFault
        One of them does not hold, or a table is missing.
    """
    if AREA_HOURS not in snapshot.tables():
        raise HoursFault(
            f"{AREA_HOURS} is missing: an older program built this snapshot; build again"
        )
    found = _sums(snapshot, AREA_HOURS, ("period_start", "area_row", "hour", *_FILTERS))
    upper = _upper_categories(snapshot)
    levels = 0
    for level, index in _indices(snapshot):
        counts = _sums(snapshot, f"area_counts_{level}", ("period_start", "area_index", *_FILTERS))
        counts["category_index"] = upper[counts["category_index"].to_numpy()]
        own = found.assign(area_index=index[found["area_row"].to_numpy()])
        found_there, stated = (rows.groupby(_KEY)["n"].sum() for rows in (own, counts))
        _same(found_there, stated, f"sums of {AREA_HOURS} differ from area_counts_{level}")
        levels += 1
    told = found[found["hour"] != schema.NO_HOUR].groupby(_CLOCK)["n"].sum()
    above = told.subtract(_by_clock(snapshot, incidents), fill_value=0).clip(lower=0)
    _same(above, 0 * above, f"hours of {AREA_HOURS} differ from the clock")
    untold = int(found["n"].sum() - told.sum())
    return f"{levels} levels close; no time told: {untold:,} of {int(found['n'].sum()):,}"


def _indices(snapshot: Snapshot) -> Iterator[tuple[str, NDArray[np.int64]]]:
    """Each level with hours, the lowest first, and the area there of each row of `areas`, or -1."""
    areas = snapshot.areas
    # One entry more: row -1 is in no area.
    level_of_row = np.append(areas["level"].to_numpy(object), "")
    index = np.full(len(level_of_row), schema.NOT_PLACED, dtype=np.int64)
    for entry in reversed(snapshot.manifest.levels):
        level = entry["level"]
        own = areas[areas["level"] == level]
        index[level_of_row == level] = own["area_index"].to_numpy()
        if level in LEVELS:
            yield level, index.copy()
        index = np.append(own["parent_index"].to_numpy(), schema.NOT_PLACED)[index]


def _sums(snapshot: Snapshot, table: str, keys: tuple[str, ...]) -> pd.DataFrame:
    """Incidents by some columns of a table; days as Python dates."""
    day, *others = keys
    return snapshot.query(
        f"SELECT CAST({day} AS DATE) AS {day}, {', '.join(others)}, "
        f"CAST(sum(count) AS BIGINT) AS n FROM {table} GROUP BY ALL"
    )


def _upper_categories(snapshot: Snapshot) -> NDArray[np.int64]:
    """Index of the upper category of each category."""
    table = snapshot.categories.sort_values("category_index")
    index = dict(zip(table["code"], table["category_index"], strict=True))
    upper = table["parent_code"].fillna("").astype(str)
    return np.asarray(upper.where(upper != "", table["code"]).map(index), dtype=np.int64)


def _by_clock(snapshot: Snapshot, incidents: Callable[[str], pd.DataFrame]) -> pd.Series:
    """Incidents per period and hour of the week, by the clock of the city."""
    # Every zone's clock differs from UTC by whole quarters.
    moments = incidents(
        "SELECT CAST(period_start AS DATE) AS period_start, "
        "epoch_us(occurred_at) // 900_000_000 AS quarter, count(*) AS n FROM rows GROUP BY ALL"
    )
    local = pd.to_datetime(moments["quarter"] * 900, unit="s", utc=True)
    local = local.dt.tz_convert(snapshot.manifest.city["time_zone"])
    moments["hour"] = local.dt.day_of_week * 24 + local.dt.hour
    found: pd.Series = moments.groupby(_CLOCK)["n"].sum()
    return found


def _same(found: pd.Series, stated: pd.Series, what: str) -> None:
    joined = pd.concat([found, stated], axis=1, keys=["found", "stated"]).fillna(0)
    wrong = joined[joined["found"] != joined["stated"]].reset_index()
    if len(wrong):
        first = "; ".join(str(row) for row in wrong.head(5).to_dict("records"))
        raise HoursFault(f"{len(wrong):,} {what}: {first}")

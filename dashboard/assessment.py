"""
What the stored analysis says of one area; nothing is computed here that the pipeline did not store.

Every function keeps to the scope. Those of a whole level tell how well a method does there, never
which areas are meant.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeVar

import numpy as np
import pandas as pd

from dashboard import stored_rows
from dashboard.areas import hierarchy
from dashboard.cache import scoped_cache
from dashboard.queries import exact
from dashboard.summary import OTHERS
from data.access import NotVisibleError
from data.shown_settings import settings_from

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from dashboard.areas import Area
    from data.access import Scope
    from data.shown_settings import ShownSettings
    from data.store import Snapshot

Row = TypeVar("Row")


@dataclass(frozen=True)
class Index:
    """Row of `area_index`; see `data.index_tables`."""

    status: str
    risk: float
    safety_index: float
    colour: int
    raw_colour: int
    gated_colour: int
    p: float
    n: int
    override: str
    held: bool
    stability: float
    is_firm: bool
    small_sample: bool
    missing_weight: float
    rank_lower: int
    rank_upper: int
    repeat_red: int
    config: str


@dataclass(frozen=True)
class Signal:
    """Row of `signals`; see `data.signal_tables`."""

    group: str
    colour: int
    by: str
    window_days: int
    observed: float
    expected: float
    lower: float
    upper: float
    reached_on: dt.date
    expires: dt.date


@dataclass(frozen=True)
class Chance:
    """Areas of a level tested for a group's colour, and how many show it by chance alone."""

    group: str
    colour: int
    tested: int
    by_chance: float


@dataclass(frozen=True)
class Record:
    """What became of a level's signals of one colour in the last periods, all groups together."""

    colour: int
    periods: int
    issued: int
    followed: int
    by_chance: float


@dataclass(frozen=True)
class Forecast:
    """Incidents of the next period: mean and 90 % interval."""

    group: str
    period_start: dt.date
    mean: float
    lower: float
    upper: float


@dataclass(frozen=True)
class Verdict:
    """Whether a level's forecast of a group is shown, and why not."""

    group: str
    is_shown: bool
    reason: str
    reason_method: str


@dataclass(frozen=True)
class Clock:
    """Row of `clock_states`, all groups together; NaN = not known."""

    clock: str
    started: int
    running: int
    overdue: int
    unknown: int
    expected_breach_6h: float
    expected_breach_24h: float
    oldest_overdue_days: float


@dataclass(frozen=True)
class Cohort:
    """The newest cohort that had thirty days to be resolved."""

    period_end: dt.date
    received: int
    resolved_30d: float
    unknown: int


@dataclass(frozen=True)
class Trust:
    """Row of `area_trust`; shares are NaN where there was nothing to share."""

    reported: int
    discovered: int
    discovered_share: float
    unplaced_share: float
    complete: float
    silent_sources: str
    is_silent: bool


@dataclass(frozen=True)
class Usual:
    """One period of `expected`: reported incidents, and the range that was to be expected."""

    period_end: dt.date
    observed: int
    lower: float
    upper: float


@scoped_cache
def settings(scope: Scope, snapshot: Snapshot) -> ShownSettings | None:
    """Settings of the analysis; None for a snapshot that was not analysed."""
    exact(scope)
    entry = snapshot.manifest.raw.get("analysis", {}).get("shown")
    return settings_from(entry) if entry else None


@scoped_cache
def index(scope: Scope, snapshot: Snapshot, area: Area, end: dt.date) -> Index | None:
    """
    Risk index of one area in the window that ends with a period; None where it is not stored.

    Raises
    ------
    NotVisibleError
        The area is unknown or outside the scope; so in all functions of an area here.
    """
    found = _of_period(scope, snapshot, area, "area_index", Index, end=end)
    return found[0] if found else None


@scoped_cache
def trace(scope: Scope, snapshot: Snapshot, area: Area, end: dt.date) -> pd.DataFrame:
    """Rows of `index_trace` of one area and period; none where they are not kept."""
    _check(scope, snapshot, area)
    if "index_trace" not in snapshot.tables():
        return pd.DataFrame()
    columns = "indicator, count, baseline, ratio, points, weight, status"
    # Of grids it is twenty times as much as of all the other areas together.
    finest = hierarchy(scope, snapshot).order[-1]
    above = stored_rows.newest(snapshot, "index_trace", columns, f"AND level <> '{finest}'")
    if area.level != finest and above.only("period_end") == end:
        found = above.of(area.level, area.index, by="indicator")
        return pd.DataFrame({name: found[name] for name in columns.split(", ")})
    found = snapshot.arrays(
        f"SELECT {columns} FROM index_trace "
        "WHERE level = ? AND area_index = ? AND period_end = ? ORDER BY indicator",
        [area.level, area.index, end],
    )
    floats = ("count", "baseline", "ratio", "points", "weight")
    return pd.DataFrame(found | {name: np.ma.filled(found[name], np.nan) for name in floats})


def traces(
    scope: Scope, snapshot: Snapshot, level: str, areas: Sequence[int], end: dt.date
) -> dict[int, pd.DataFrame]:
    """Rows of `index_trace` of those areas that the scope covers, by area; read at once."""
    check_level(scope, snapshot, level)
    visible = hierarchy(scope, snapshot).at(level).visible
    own = [one for one in areas if visible[one]]
    if not own or "index_trace" not in snapshot.tables():
        return {}
    found = snapshot.query(
        "SELECT area_index, indicator, count, baseline, ratio, points, weight, status "
        "FROM index_trace WHERE level = ? AND period_end = ? "
        "AND area_index IN (SELECT unnest(?)) ORDER BY area_index, indicator",
        [level, end, own],
    )
    return {
        int(index): rows.drop(columns="area_index").reset_index(drop=True)
        for index, rows in found.groupby("area_index")
    }


@scoped_cache
def ranked(scope: Scope, snapshot: Snapshot, level: str, end: dt.date) -> int:
    """Areas of a level that share the ranks of a period."""
    check_level(scope, snapshot, level)
    if "area_index" not in snapshot.tables():
        return 0
    found = snapshot.arrays(
        "SELECT count(*) AS n FROM area_index WHERE level = ? AND period_end = ? "
        "AND rank_lower > 0",
        [level, end],
    )
    return int(found["n"][0])


@scoped_cache
def signals(scope: Scope, snapshot: Snapshot, area: Area, day: dt.date) -> tuple[Signal, ...]:
    """Signals that an area shows on a day, the highest colour first."""
    _check(scope, snapshot, area)
    if "signals" not in snapshot.tables():
        return ()
    columns = f"level, area_index, day, {stored_rows.columns(Signal)}"
    rows = snapshot.kept.rows(f'SELECT {columns} FROM signals ORDER BY colour DESC, "group"')
    days = rows.of(area.level, area.index)["day"].tolist()
    found = zip(days, stored_rows.read(rows, area, Signal), strict=True)
    return tuple(signal for its_day, signal in found if its_day == day)


@scoped_cache
def chances(scope: Scope, snapshot: Snapshot, level: str, day: dt.date) -> tuple[Chance, ...]:
    """How many areas of a level would show each colour on a day by chance alone."""
    check_level(scope, snapshot, level)
    return stored_rows.rows(
        snapshot, "signal_chance", Chance, "level = ? AND day = ? ORDER BY colour", [level, day]
    )


@scoped_cache
def records(scope: Scope, snapshot: Snapshot, level: str) -> tuple[Record, ...]:
    """What became of a level's signals, colour by colour."""
    check_level(scope, snapshot, level)
    if "signal_records" not in snapshot.tables():
        return ()
    found = snapshot.rows(
        "SELECT colour, count(DISTINCT period_end), sum(issued), sum(followed), sum(by_chance) "
        "FROM signal_records WHERE level = ? GROUP BY colour ORDER BY colour",
        [level],
    )
    return tuple(stored_rows.made(Record, row) for row in found)


@scoped_cache
def forecasts(scope: Scope, snapshot: Snapshot, area: Area) -> tuple[Forecast, ...]:
    """Forecasts of the newest period that is forecast, `all` first."""
    newest = (
        "WHERE period_start = (SELECT max(period_start) FROM forecasts) "
        'ORDER BY "group" <> \'all\', "group"'
    )
    return _of_area(scope, snapshot, area, "forecasts", Forecast, condition=newest)


@scoped_cache
def verdicts(scope: Scope, snapshot: Snapshot, level: str) -> tuple[Verdict, ...]:
    """Which forecasts of a level are shown."""
    check_level(scope, snapshot, level)
    return stored_rows.rows(
        snapshot, "forecast_verdicts", Verdict, 'target = ? ORDER BY "group"', [level]
    )


@scoped_cache
def clocks(scope: Scope, snapshot: Snapshot, area: Area) -> tuple[Clock, ...]:
    """How the clocks of an area stand, all groups together."""
    condition = "WHERE \"group\" = 'all'"
    return _of_area(scope, snapshot, area, "clock_states", Clock, condition=condition)


@scoped_cache
def cohort(scope: Scope, snapshot: Snapshot, area: Area) -> Cohort | None:
    """The newest cohort that is old enough to be judged."""
    condition = (
        "WHERE \"group\" = 'all' AND resolved_30d IS NOT NULL AND received > 0 "
        "QUALIFY period_end = max(period_end) OVER (PARTITION BY level, area_index)"
    )
    found = _of_area(scope, snapshot, area, "resolution_cohorts", Cohort, condition=condition)
    return found[0] if found else None


@scoped_cache
def trust(scope: Scope, snapshot: Snapshot, area: Area, end: dt.date) -> Trust | None:
    """How far the data of an area can be trusted; None where it is not stored."""
    found = _of_period(scope, snapshot, area, "area_trust", Trust, end=end)
    return found[0] if found else None


@scoped_cache
def usual(scope: Scope, snapshot: Snapshot, area: Area) -> tuple[Usual, ...]:
    """Reported incidents of each stored period and the range to be expected, oldest first."""
    condition = "WHERE \"group\" = 'all' AND lower IS NOT NULL"
    found = _of_area(scope, snapshot, area, "expected", Usual, condition=condition)
    return tuple(sorted(found, key=lambda row: row.period_end))


@scoped_cache
def first_incomplete_day(
    scope: Scope, snapshot: Snapshot, groups: Literal["all", "any"]
) -> dt.date | None:
    """
    First day of which part is still to be reported; None = all days are complete.

    Parameters
    ----------
    groups
        `all` incidents together, or `any` group: the slowest, for a selection of some categories.
    """
    exact(scope)
    if "completeness" not in snapshot.tables():
        return None
    where = "" if groups == "any" else "AND \"group\" = 'all'"
    found = snapshot.rows(f"SELECT min(day) FROM completeness WHERE NOT is_complete {where}")
    day: dt.date | None = found[0][0]
    return day


@scoped_cache
def stands_alone(scope: Scope, snapshot: Snapshot, level: str, day: dt.date) -> bool:
    """Whether what compares areas of a level would tell of the few others that are foreign."""
    check_level(scope, snapshot, level)
    areas = hierarchy(scope, snapshot).at(level)
    foreign = int(np.count_nonzero(areas.valid_on(day) & ~areas.visible))
    return 0 < foreign < OTHERS


def _check(scope: Scope, snapshot: Snapshot, area: Area) -> None:
    exact(scope)
    hierarchy(scope, snapshot).check(area)


def check_level(scope: Scope, snapshot: Snapshot, level: str) -> None:
    """
    Let through a level of which the scope covers some area.

    Raises
    ------
    NotVisibleError
        Any other.
    """
    exact(scope)
    tree = hierarchy(scope, snapshot)
    if level not in tree.order or not tree.at(level).visible.any():
        raise NotVisibleError("no such level")


def _of_area(
    scope: Scope,
    snapshot: Snapshot,
    area: Area,
    table: str,
    kind: type[Row],
    *,
    condition: str,
) -> tuple[Row, ...]:
    """Rows of an area among those of a table that meet a condition."""
    _check(scope, snapshot, area)
    if table not in snapshot.tables():
        return ()
    sql = f"SELECT level, area_index, {stored_rows.columns(kind)} FROM {table} {condition}"
    return stored_rows.read(snapshot.kept.rows(sql), area, kind)


def _of_period(
    scope: Scope, snapshot: Snapshot, area: Area, table: str, kind: type[Row], *, end: dt.date
) -> tuple[Row, ...]:
    """Rows of an area and a period: nearly always the newest, of which every area is at hand."""
    _check(scope, snapshot, area)
    if table not in snapshot.tables():
        return ()
    newest = stored_rows.newest(snapshot, table, stored_rows.columns(kind))
    if newest.only("period_end") == end:
        return stored_rows.read(newest, area, kind)
    where = "level = ? AND area_index = ? AND period_end = ?"
    return stored_rows.rows(snapshot, table, kind, where, [area.level, area.index, end])

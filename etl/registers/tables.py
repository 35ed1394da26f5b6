"""Tables of facilities, posts and patrol counts, from the current rows of the registers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from data.resources.state import OVERDUE, due_state
from data.schema import NOT_PLACED
from etl.place import index_of_codes, place, upwards
from geo import cells as h3_cells
from geo import divisions

if TYPE_CHECKING:
    import datetime as dt

    from numpy.typing import NDArray

    from etl.boundaries import Boundaries

RESOLUTION: Final = 9
_COUNTED: Final = ("overdue", "due", "ok", "unknown")


def facilities(rows: pd.DataFrame, built: Boundaries, as_of: dt.date) -> pd.DataFrame:
    """
    Build the table `facilities`.

    Parameters
    ----------
    rows
        Current facilities.
    as_of
        Day for which is told what is due.
    """
    table = _places(rows, built, as_of)
    cycle = rows["cycle_days"].astype("float64")
    last = pd.to_datetime(rows["last_inspected"])
    due = last + pd.to_timedelta(cycle, unit="D")
    state, overdue = due_state(due, as_of)
    ids = rows["register"].astype(str) + ":" + rows["id"].astype(str)
    return pd.DataFrame(
        {"facility_id": ids, "register": rows["register"], "kind": rows["kind"]}
        | table
        | {
            "cycle_days": cycle.astype("Int64"),
            "last_inspected": last.dt.date,
            "due_on": due.dt.date,
            "state": state,
            "overdue_days": pd.array(overdue, dtype="Int64"),
        }
    )


def posts(rows: pd.DataFrame, built: Boundaries, as_of: dt.date) -> pd.DataFrame:
    """Build the table `resources`."""
    ids = rows["register"].astype(str) + ":" + rows["id"].astype(str)
    head = {"resource_id": ids, "register": rows["register"], "kind": rows["kind"]}
    return pd.DataFrame(head | _places(rows, built, as_of))


def facilities_due(stored: pd.DataFrame, areas: pd.DataFrame, as_of: dt.date) -> pd.DataFrame:
    """
    Count facilities by level, area and kind; every level has each facility once.

    Parameters
    ----------
    stored
        The table `facilities`.
    areas
        The table `areas`.
    """
    parts = []
    for level, index in _by_level(stored["area_row"].to_numpy(dtype=np.int64), areas).items():
        states = {name: stored["state"].eq(name).astype("int64") for name in _COUNTED}
        rows = pd.DataFrame(
            {"level": level, "area_index": index, "kind": stored["kind"], "total": 1}
            | states
            | {"oldest_overdue_days": stored["overdue_days"].where(stored["state"] == OVERDUE)}
        )
        numbers = dict.fromkeys(("total", *_COUNTED), "sum") | {"oldest_overdue_days": "max"}
        parts.append(rows.groupby(["level", "area_index", "kind"], as_index=False).agg(numbers))
    table = pd.concat(parts, ignore_index=True).rename(columns={"due": "due_7d"})
    return table.assign(as_of=as_of)


def patrol_coverage(rows: pd.DataFrame, built: Boundaries) -> pd.DataFrame:
    """
    Add up visits by week, level and area, with how many of the lowest areas are told.

    Parameters
    ----------
    rows
        Current counts: `area_code`, `week_start`, `visits`.
    """
    lowest = built.levels[-1]
    index = index_of_codes(rows["area_code"], rows["week_start"], built, lowest)
    own = rows.assign(area_index=index).groupby(["week_start", "area_index"], as_index=False)
    told = own["visits"].sum()
    at = upwards(
        np.full(len(told), len(built.levels) - 1, dtype=np.int8),
        told["area_index"].to_numpy(dtype=np.int32),
        built,
    )
    parts = [
        _week_of_level(told, level, above, _valid(built, told["week_start"], level))
        for level, above in at.items()
    ]
    table = pd.concat(parts, ignore_index=True)
    numbers = dict.fromkeys(("visits", "told", "areas", "area_index"), "int64")
    return table.astype(numbers).assign(week_start=table["week_start"].dt.date)


def _week_of_level(
    told: pd.DataFrame, level: str, above: NDArray[np.int32], valid: pd.DataFrame
) -> pd.DataFrame:
    rows = told.assign(area_index=above.astype("int64"), told=1)
    sums = rows.groupby(["week_start", "area_index"], as_index=False)[["visits", "told"]].sum()
    joined = sums.merge(valid, on=["week_start", "area_index"], how="left")
    # An area told after its last day still is one of those that are told.
    areas = joined["areas"].fillna(0).clip(lower=joined["told"])
    return joined.assign(level=level, areas=areas)


def _valid(built: Boundaries, weeks: pd.Series, level: str) -> pd.DataFrame:
    """Lowest areas valid on the first day of each week, by the area of a level that they are in."""
    depth = len(built.levels) - 1
    areas = built.level_areas(built.levels[-1])
    starts, ends = divisions.validity(areas)
    everything = np.arange(len(areas), dtype=np.int32)
    own = upwards(np.full(len(areas), depth, dtype=np.int8), everything, built)[level]
    parts = []
    for week in weeks.drop_duplicates():
        day = np.datetime64(week, "D")
        index, counts = np.unique(own[(starts <= day) & (day < ends)], return_counts=True)
        parts.append(pd.DataFrame({"week_start": week, "area_index": index, "areas": counts}))
    return pd.concat(parts, ignore_index=True).astype({"area_index": "int64"})


def _places(rows: pd.DataFrame, built: Boundaries, as_of: dt.date) -> dict[str, Any]:
    """Lowest area, cell and point of each row, by the areas valid on a day."""
    given = pd.DataFrame(
        {
            "lng": rows["lng"].astype("float64"),
            "lat": rows["lat"].astype("float64"),
            "occurred_on": np.datetime64(as_of, "s"),
            "area_code": rows["area_code"],
        }
    )
    placed = place(given, built)
    sizes = [len(built.geometries[level]) for level in built.levels]
    first = np.cumsum([0, *sizes])[placed.level]
    area_row = np.where(placed.level < 0, NOT_PLACED, first + placed.index)
    lng, lat = given["lng"].to_numpy(), given["lat"].to_numpy()
    has_point = np.isfinite(lng)
    cells = pd.array(np.zeros(len(given), dtype=np.int64), dtype="Int64")
    cells[has_point] = h3_cells.cell_numbers(lng[has_point], lat[has_point], resolution=RESOLUTION)
    cells[~has_point] = pd.NA
    return {"area_row": area_row.astype(np.int64), "cell": cells, "lng": lng, "lat": lat}


def _by_level(area_row: NDArray[np.int64], areas: pd.DataFrame) -> dict[str, NDArray[np.int64]]:
    """Index of each row's area at every level, -1 = placed in none there."""
    levels = list(dict.fromkeys(areas["level"]))
    level_of_row = np.append(areas["level"].to_numpy(dtype=object), "")
    index_of_row = np.append(areas["area_index"].to_numpy(dtype=np.int64), NOT_PLACED)
    found = {}
    current = np.full(len(area_row), NOT_PLACED, dtype=np.int64)
    for level in reversed(levels):
        here = level_of_row[area_row] == level
        current = np.where(here, index_of_row[area_row], current)
        found[level] = current
        parents = areas.loc[areas["level"] == level, "parent_index"].to_numpy(dtype=np.int64)
        current = np.append(parents, NOT_PLACED)[current]
    return {level: found[level] for level in levels}

"""Stored hot spots under an area: flags of the three layers, their past, clusters, repeats."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from dashboard import assessment, cells
from dashboard.areas import Area, hierarchy
from dashboard.cache import scoped_cache
from dashboard.queries import exact
from geo import cells as hexagons

if TYPE_CHECKING:
    import datetime as dt

    from numpy.typing import NDArray

    from data.access import Scope
    from data.store import Snapshot

FLAGS: Final = ("much", "clusters", "more")
"""The three layers; nothing here adds them up."""

KEPT: Final = 26
"""Periods of a history."""

_FLAGGED: Final = "(much OR clusters OR more OR coalesce(pattern_group, 'none') <> 'none')"


@scoped_cache
def stored_levels(scope: Scope, snapshot: Snapshot) -> tuple[str, ...]:
    """Levels that hot spots are stored for and the scope covers something of, from the top."""
    exact(scope)
    if "area_hotspots" not in snapshot.tables():
        return ()
    found = set(snapshot.query("SELECT DISTINCT level FROM area_hotspots")["level"])
    tree = hierarchy(scope, snapshot)
    return tuple(name for name in tree.order if name in found and tree.at(name).visible.any())


def shown_level(scope: Scope, snapshot: Snapshot, level: str) -> str:
    """Level to list: the wanted one where it is stored, else the highest below; empty = none."""
    known = stored_levels(scope, snapshot)
    order = hierarchy(scope, snapshot).order
    lower = [name for name in known if order.index(name) >= order.index(level)]
    return next(iter(lower or known), "")


@scoped_cache
def spots(scope: Scope, snapshot: Snapshot, focus: Area, level: str, end: dt.date) -> pd.DataFrame:
    """
    Areas of a level under the focus with a flag or a class in the period, most incidents first.

    What compares areas is unknown where the few others of the level could be worked out from it.
    Besides the stored columns: `history`, incidents of the last periods joined by commas.

    Raises
    ------
    NotVisibleError
        The focus is unknown or outside the scope; so in all functions here.
    """
    inside = _inside(scope, snapshot, focus, level)
    found = snapshot.query(
        "SELECT area_index, count, recent, much_p, much, gi_p, clusters, expected, exceed_p, more, "
        "pattern, coalesce(pattern_group, 'none') AS pattern_group FROM area_hotspots "
        f"WHERE level = ? AND period_end = ? AND {_FLAGGED} ORDER BY count DESC, area_index",
        [level, end],
    )
    found = found[inside[found["area_index"].to_numpy(np.int64)]].reset_index(drop=True)
    if assessment.stands_alone(scope, snapshot, level, end):
        found[["much_p", "gi_p"]] = np.nan
    return found.assign(history=_histories(snapshot, level, end, found["area_index"].tolist()))


@scoped_cache
def counted(
    scope: Scope, snapshot: Snapshot, focus: Area, level: str, end: dt.date
) -> tuple[int, int]:
    """Areas of the level under the focus at the end of a period, and those with an incident."""
    inside = _inside(scope, snapshot, focus, level) & hierarchy(scope, snapshot).at(level).valid_on(
        end
    )
    found = snapshot.arrays(
        "SELECT area_index FROM area_hotspots WHERE level = ? AND period_end = ? AND count > 0",
        [level, end],
    )
    return int(inside.sum()), int(inside[found["area_index"].astype(np.int64)].sum())


@scoped_cache
def clusters(scope: Scope, snapshot: Snapshot, focus: Area, end: dt.date) -> pd.DataFrame:
    """
    Space-time clusters of a period of which every member lies under the focus and in the scope.

    `area_index` is the first member, an area of the lowest level; `cut` clusters that reach
    beyond are not told.
    """
    order = hierarchy(scope, snapshot).order
    inside = _inside(scope, snapshot, focus, order[-1])
    if "scan_clusters" not in snapshot.tables():
        return pd.DataFrame()
    found = snapshot.query(
        "SELECT rank, lng, lat, radius_km, n_areas, periods, observed, expected, p, members "
        "FROM scan_clusters WHERE period_end = ? ORDER BY rank",
        [end],
    )
    members = [[int(one) for one in str(text).split()] for text in found["members"]]
    own = [bool(inside[each].all()) for each in members]
    found = found.assign(area_index=[each[0] if each else -1 for each in members])
    return found[np.array(own, dtype=bool)].drop(columns="members").reset_index(drop=True)


@scoped_cache
def frequent_places(scope: Scope, snapshot: Snapshot, focus: Area, end: dt.date) -> pd.DataFrame:
    """
    Places under the focus with many incidents of one category within 30 days, most first.

    A cell is told only to who may see every cell; `level` and `area_index` name the area in which
    most of its incidents lie, `lng` and `lat` its centre (degrees, NaN for an area).
    """
    exact(scope)
    hierarchy(scope, snapshot).check(focus)
    if "frequent_places" not in snapshot.tables():
        return pd.DataFrame()
    found = snapshot.query(
        "SELECT place, level, area_index, cell, category_index, count FROM frequent_places "
        "WHERE period_end = ? ORDER BY count DESC, category_index, area_index, cell",
        [end],
    )
    is_cell = (found["place"] == "cell").to_numpy()
    found = found.assign(lng=np.nan, lat=np.nan)
    if is_cell.any() and cells.covers_city(scope):
        found = _with_areas(snapshot, found, is_cell)
    own = [
        _is_inside(scope, snapshot, focus, level, index)
        for level, index in zip(found["level"], found["area_index"], strict=True)
    ]
    return found[np.array(own, dtype=bool)].drop(columns="cell").reset_index(drop=True)


@scoped_cache
def frequent_types(
    scope: Scope, snapshot: Snapshot, focus: Area, level: str, end: dt.date
) -> pd.DataFrame:
    """The commonest category of each area of a level under the focus within 30 days."""
    inside = _inside(scope, snapshot, focus, level)
    if "frequent_types" not in snapshot.tables():
        return pd.DataFrame()
    found = snapshot.query(
        "SELECT area_index, category_index, count, share FROM frequent_types "
        "WHERE level = ? AND period_end = ? ORDER BY count DESC, area_index",
        [level, end],
    )
    return found[inside[found["area_index"].to_numpy(np.int64)]].reset_index(drop=True)


@scoped_cache
def near_repeats(scope: Scope, snapshot: Snapshot, end: dt.date) -> pd.DataFrame:
    """Pairs of incidents near in space and time against chance; of the whole city alone."""
    columns = '"group", metres, days, pairs, ratio, p'
    return _of_city(
        scope, snapshot, "near_repeats", columns, order='"group", metres, days', end=end
    )


@scoped_cache
def agreement(scope: Scope, snapshot: Snapshot, end: dt.date) -> pd.DataFrame:
    """How far hot spots of adjacent resolutions differ; of the whole city alone."""
    columns = "coarse, fine, coarse_area_share, fine_area_share, coarse_incident_share, "
    columns += "fine_incident_share, coarse_only, fine_only"
    return _of_city(scope, snapshot, "hotspot_agreement", columns, order="coarse", end=end)


def _of_city(
    scope: Scope, snapshot: Snapshot, table: str, columns: str, *, order: str, end: dt.date
) -> pd.DataFrame:
    exact(scope)
    if not scope.sees_all or table not in snapshot.tables():
        return pd.DataFrame()
    return snapshot.query(
        f"SELECT {columns} FROM {table} WHERE period_end = ? ORDER BY {order}", [end]
    )


def _inside(scope: Scope, snapshot: Snapshot, focus: Area, level: str) -> NDArray[np.bool_]:
    exact(scope)
    tree = hierarchy(scope, snapshot)
    tree.check(focus)
    return tree.inside(level, focus)


def _is_inside(scope: Scope, snapshot: Snapshot, focus: Area, level: Any, index: int) -> bool:
    tree = hierarchy(scope, snapshot)
    if level not in tree.order or index < 0:
        return False
    if tree.order.index(level) < tree.order.index(focus.level):
        return False
    return bool(tree.inside(str(level), focus)[index])


def _with_areas(
    snapshot: Snapshot, places: pd.DataFrame, is_cell: NDArray[np.bool_]
) -> pd.DataFrame:
    """Cells with their centres and with the area in which most of their incidents lie."""
    numbers = places.loc[is_cell, "cell"].to_numpy(np.int64)
    lng, lat = hexagons.cell_centres(hexagons.cell_texts(numbers))
    places.loc[is_cell, ["lng", "lat"]] = np.column_stack([lng, lat])
    finest = max(int(entry["resolution"]) for entry in snapshot.manifest.cells)
    texts = hexagons.cell_texts(hexagons.parent_numbers(numbers, resolution=finest))
    if f"area_cell_counts_{finest}" not in snapshot.tables():
        return places
    found = snapshot.query(
        f"SELECT cell, arg_max(area_row, n) AS area_row FROM (SELECT cell, area_row, sum(count) AS "
        f"n FROM area_cell_counts_{finest} JOIN cells_{finest} USING (cell_index) "
        "WHERE cell IN (SELECT unnest(?)) GROUP BY cell, area_row) GROUP BY cell",
        [texts.tolist()],
    ).set_index("cell")["area_row"]
    rows = [int(found.get(text, -1)) for text in texts]
    known = snapshot.areas.iloc[rows]
    places = places.astype({"level": object, "area_index": np.int64})
    places.loc[is_cell, "level"] = known["level"].to_numpy(object)
    places.loc[is_cell, "area_index"] = np.where(
        np.array(rows) < 0, -1, known["area_index"].to_numpy(np.int64)
    )
    return places


def _histories(snapshot: Snapshot, level: str, end: dt.date, areas: list[int]) -> list[str]:
    """Reported incidents of each area in the stored periods up to one; none stored = 0."""
    stored = snapshot.query(
        "SELECT DISTINCT period_end FROM area_hotspots WHERE level = ? AND period_end <= ? "
        "ORDER BY period_end",
        [level, end],
    )["period_end"].tolist()[-KEPT:]
    position = {day: at for at, day in enumerate(stored)}
    found = snapshot.query(
        "SELECT area_index, period_end, recent FROM area_hotspots WHERE level = ? AND "
        "period_end <= ? AND area_index IN (SELECT unnest(?))",
        [level, end, areas],
    )
    counts = {area: [0] * len(stored) for area in areas}
    for area, day, recent in zip(
        found["area_index"].tolist(), found["period_end"].tolist(), found["recent"].tolist(),
        strict=True,
    ):  # fmt: skip
        if day in position:
            counts[area][position[day]] = int(recent)
    return [",".join(map(str, counts[area])) for area in areas]

"""The stored rows behind the marks: hot spots of areas and of cells, and signals of a day."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from dashboard import assessment, cells
from dashboard.areas import hierarchy
from dashboard.cache import scoped_cache
from dashboard.queries import exact
from data.periods import Window
from geo import cells as hexagons

if TYPE_CHECKING:
    import datetime as dt

    from numpy.typing import NDArray

    from dashboard.areas import Area
    from data.access import Scope
    from data.store import Snapshot

HOT: Final = ("much", "clusters", "more")
SIGNALS: Final = "signals"
MOST: Final = 1_500
"""Marks that are sent, the strongest first."""

LEAST_COLOUR: Final = 2
"""Signals below this (blue) are not marked."""

_P: Final = {"much": "1 - much_p", "clusters": "gi_p", "more": "exceed_p"}
"""What the marks of a layer are ordered by, the smallest first."""


@dataclass(frozen=True)
class Hot:
    """
    Hot spots of one layer inside the focus, the strongest first; arrays of shape (n,).

    Attributes
    ----------
    index
        Of the area in its level, or of the cell in the scope's numbers.
    p
        Of the layer's own test.
    group
        `new`, `running`, `rising`, `lasting`, `receding`, or `none`.
    stable
        Of cells: whether an adjacent resolution agrees.
    is_kept
        Whether the period is stored.
    is_withheld
        The few foreign areas of the level could be told from it.
    """

    level: str | None
    index: NDArray[np.int64]
    count: NDArray[np.int64]
    recent: NDArray[np.int64]
    expected: NDArray[np.float64]
    p: NDArray[np.float64]
    group: NDArray[Any]
    stable: NDArray[np.bool_] | None
    total: int
    is_kept: bool
    is_withheld: bool = False


@dataclass(frozen=True)
class Signal:
    """The highest signal of an area, and how many others it has."""

    index: int
    colour: int
    group: str
    window_days: int
    observed: float
    expected: float
    lower: float
    upper: float
    others: int


@dataclass(frozen=True)
class Signals:
    """
    Signals of one level on a day, the highest colour first.

    Attributes
    ----------
    day
        Newest stored day up to the one asked for; None where none is stored.
    """

    level: str
    rows: tuple[Signal, ...]
    total: int
    day: dt.date | None

    @property
    def index(self) -> NDArray[np.int64]:
        """Areas, shape (n,)."""
        return np.array([row.index for row in self.rows], dtype=np.int64)

    @property
    def colour(self) -> tuple[int, ...]:
        """Colour of each area."""
        return tuple(row.colour for row in self.rows)


def check(scope: Scope, snapshot: Snapshot) -> None:
    """
    Let through a scope that covers some area.

    Raises
    ------
    NotVisibleError
        Any other.
    """
    exact(scope)
    hierarchy(scope, snapshot).top()


@scoped_cache
def hot_areas(scope: Scope, snapshot: Snapshot, overlay: str, focus: Area, end: dt.date) -> Hot:
    """
    Areas of a layer at the lowest level that the period has rows of.

    Raises
    ------
    NotVisibleError
        The focus is unknown or outside the scope; so in all functions here.
    """
    exact(scope)
    tree = hierarchy(scope, snapshot)
    tree.check(focus)
    stored = {
        level
        for (level,) in snapshot.rows(
            "SELECT DISTINCT level FROM area_hotspots WHERE period_end = ?", [end]
        )
    }
    if not stored:
        return _none()
    level = max(stored, key=tree.order.index)
    last_day = Window(end, 1, snapshot.manifest.grain).last_day
    if assessment.stands_alone(scope, snapshot, level, last_day):
        return _none(is_kept=True, is_withheld=True)
    found = _flagged(snapshot, "area_hotspots", overlay, "level = ?", [end, level])
    at = found["at"].astype(np.int64)
    inside = tree.inside(level, focus) & np.isfinite(tree.at(level).lng)
    return _hot(found, at, inside[at], level)


@scoped_cache
def hot_cells(  # noqa: PLR0917 - what the cache tells apart
    scope: Scope, snapshot: Snapshot, overlay: str, focus: Area, end: dt.date, resolution: int
) -> Hot:
    """Cells of a layer in which the focus ever had an incident; for a scope of the whole city."""
    exact(scope)
    tree = hierarchy(scope, snapshot)
    tree.check(focus)
    if not cells.covers_city(scope) or "cell_hotspots" not in snapshot.tables():
        return _none()
    if not snapshot.rows(
        "SELECT 1 FROM cell_hotspots WHERE period_end = ? AND resolution = ? LIMIT 1",
        [end, resolution],
    ):
        return _none()
    found = _flagged(snapshot, "cell_hotspots", overlay, "resolution = ?", [end, resolution])
    numbers = cells.register(scope, snapshot, resolution).numbers
    order = np.argsort(numbers)
    place = np.searchsorted(numbers, found["at"], sorter=order)
    at = np.append(order, -1)[place]
    inside = (at >= 0) & (np.append(numbers, -1)[at] == found["at"])
    if focus != tree.top():
        inside &= np.isin(found["at"], cells_of_area(scope, snapshot, focus, resolution))
    return _hot(found, at, inside, None)


def kept_resolution(scope: Scope, snapshot: Snapshot, end: dt.date, resolution: int) -> int:
    """Resolution nearest to the wanted one of which a period has hot spots; itself where none."""
    exact(scope)
    if "cell_hotspots" not in snapshot.tables():
        return resolution
    kept = snapshot.rows(
        "SELECT DISTINCT resolution FROM cell_hotspots WHERE period_end = ?", [end]
    )
    return min(
        (int(row[0]) for row in kept), key=lambda one: abs(one - resolution), default=resolution
    )


@scoped_cache
def cells_of_area(
    scope: Scope, snapshot: Snapshot, focus: Area, resolution: int
) -> NDArray[np.int64]:
    """H3 indexes of the cells in which an area ever had an incident; none in an older build."""
    exact(scope)
    tree = hierarchy(scope, snapshot)
    tree.check(focus)
    finest = max(int(entry["resolution"]) for entry in snapshot.manifest.cells)
    table = f"area_cell_counts_{finest}"
    if table not in snapshot.tables():
        return np.empty(0, dtype=np.int64)
    found = snapshot.arrays(
        f"SELECT ('0x' || cell)::BIGINT AS cell FROM cells_{finest} WHERE cell_index IN "
        f"(SELECT cell_index FROM {table} WHERE area_row IN (SELECT unnest(?)))",
        [tree.rows_inside(focus).tolist()],
    )
    numbers = np.asarray(found["cell"], dtype=np.int64)
    return np.unique(hexagons.parent_numbers(numbers, resolution=resolution))


@scoped_cache
def area_signals(
    scope: Scope, snapshot: Snapshot, focus: Area, level: str, day: dt.date
) -> Signals:
    """Signals of a level inside the focus, or of the next level below that has any."""
    exact(scope)
    tree = hierarchy(scope, snapshot)
    tree.check(focus)
    days = "signal_chance" if "signal_chance" in snapshot.tables() else "signals"
    newest = snapshot.rows(f"SELECT max(day) FROM {days} WHERE day <= ?", [day])[0][0]
    if newest is None:
        return Signals(level, (), 0, None)
    found = snapshot.rows(
        'SELECT level, area_index, colour, "group", window_days, observed, expected, lower, upper '
        'FROM signals WHERE day = ? AND colour >= ? ORDER BY colour DESC, p, area_index, "group"',
        [newest, LEAST_COLOUR],
    )
    for each in (level, *tree.below(level)):
        inside = tree.inside(each, focus) & np.isfinite(tree.at(each).lng)
        own = [row[1:] for row in found if row[0] == each and inside[row[1]]]
        if own:
            rows = _highest(own)
            return Signals(each, rows[:MOST], len(rows), newest)
    return Signals(level, (), 0, newest)


def _highest(found: list[tuple[Any, ...]]) -> tuple[Signal, ...]:
    """The first row of each area, with how many others there are."""
    first: dict[int, tuple[Any, ...]] = {}
    others: dict[int, int] = {}
    for row in found:
        others[row[0]] = others.get(row[0], -1) + 1
        first.setdefault(row[0], row)
    return tuple(Signal(*(*row, others[index])) for index, row in first.items())


def _flagged(
    snapshot: Snapshot, table: str, overlay: str, where: str, values: list[Any]
) -> dict[str, Any]:
    """Rows of a period that a layer flags, the strongest first."""
    key, stable = ("cell", ", stable") if table == "cell_hotspots" else ("area_index", "")
    return snapshot.arrays(
        f"SELECT {key} AS at, count, recent, expected, {_P[overlay]} AS p, "
        f"coalesce(pattern_group, 'none') AS \"group\"{stable} FROM {table} "
        f"WHERE period_end = ? AND {where} AND {overlay} ORDER BY p, count DESC, {key}",
        values,
    )


def _hot(
    found: dict[str, Any],
    at: NDArray[np.int64],
    inside: NDArray[np.bool_],
    level: str | None,
) -> Hot:
    chosen = np.flatnonzero(inside)[:MOST]
    return Hot(
        level=level,
        index=at[chosen],
        count=found["count"][chosen].astype(np.int64),
        recent=found["recent"][chosen].astype(np.int64),
        expected=np.ma.filled(found["expected"].astype(np.float64), np.nan)[chosen],
        p=np.ma.filled(found["p"].astype(np.float64), np.nan)[chosen],
        group=found["group"][chosen],
        stable=found["stable"][chosen].astype(bool) if "stable" in found else None,
        total=int(np.count_nonzero(inside)),
        is_kept=True,
    )


def _none(*, is_kept: bool = False, is_withheld: bool = False) -> Hot:
    whole, share = np.empty(0, dtype=np.int64), np.empty(0)
    return Hot(
        level="",
        index=whole,
        count=whole,
        recent=whole,
        expected=share,
        p=share,
        group=np.empty(0, dtype=object),
        stable=None,
        total=0,
        is_kept=is_kept,
        is_withheld=is_withheld,
    )

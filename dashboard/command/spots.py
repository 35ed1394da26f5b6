"""Hot spots under the focus with their class and their course, from the stored tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from dashboard.areas import Area, hierarchy
from dashboard.command import places
from dashboard.desk import hotspot_list
from dashboard.phone.story import place_name

if TYPE_CHECKING:
    from dashboard.text import Words
    from data.access import Scope
    from data.store import Snapshot

SHOWN: Final = 12
WIDTH, HEIGHT = 96, 24
ORDER: Final = ("new", "rising", "running", "lasting", "receding", "none")
"""Classes, what is new to the reader first."""


class Spot(NamedTuple):
    """
    One hot spot.

    Attributes
    ----------
    group
        Class, of `ORDER`.
    trend
        Incidents of the last windows, the newest last.
    path, dot
        Line of the trend on a sheet of `WIDTH` x `HEIGHT`, and the height of its end.
    search
        Query of the map for its area.
    """

    name: str
    group: str
    text: str
    recent: int
    trend: tuple[int, ...]
    path: str
    dot: float
    search: str


def spots(scope: Scope, snapshot: Snapshot, focus: Area, words: Words) -> tuple[list[Spot], int]:
    """
    Hot spots of the level below the focus, and how many there are in all.

    Raises
    ------
    NotVisibleError
        The focus is unknown or outside the scope.
    """
    tree = hierarchy(scope, snapshot)
    below = tree.below(focus.level)
    level = hotspot_list.shown_level(scope, snapshot, below[0] if below else focus.level)
    if not level:
        return [], 0
    end = snapshot.manifest.last_period
    found = hotspot_list.spots(scope, snapshot, focus, level, end)
    if found.empty and level != tree.order[-1]:
        level = hotspot_list.shown_level(scope, snapshot, tree.order[-1])
        found = hotspot_list.spots(scope, snapshot, focus, level, end)
    rows = sorted(
        found.to_dict("records"),
        key=lambda row: (ORDER.index(row["pattern_group"]), -row["recent"], row["area_index"]),
    )
    return [_spot(scope, snapshot, focus, level, row, words) for row in rows[:SHOWN]], len(rows)


def _spot(  # noqa: PLR0917 - one row of a table
    scope: Scope, snapshot: Snapshot, focus: Area, level: str, row: dict[str, object], words: Words
) -> Spot:
    area = Area(level, int(str(row["area_index"])))
    trend = tuple(int(one) for one in str(row["history"]).split(",") if one)
    group = str(row["pattern_group"])
    heights = _heights(trend)
    return Spot(
        name=place_name(scope, snapshot, area, focus, words),
        group=group,
        text=words(f"hot_class_{group}"),
        recent=int(str(row["recent"])),
        trend=trend,
        path=_path(heights),
        dot=heights[-1] if heights else 0.0,
        search=places.search(scope, snapshot, area),
    )


def _heights(trend: tuple[int, ...]) -> list[float]:
    """Heights from the top of the sheet; zero lies at its foot."""
    most = max(trend, default=0) or 1
    return [round(HEIGHT - 3 - (HEIGHT - 6) * one / most, 1) for one in trend]


def _path(heights: list[float]) -> str:
    if len(heights) < 2:
        return ""
    step = (WIDTH - 6) / (len(heights) - 1)
    points = [f"{3 + at * step:.1f} {y}" for at, y in enumerate(heights)]
    return "M" + "L".join(points)

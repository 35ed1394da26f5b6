"""Outlines of a situation map: the areas under a focus, in colours, and what lies round it."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
import shapely
from pyogrio.errors import DataSourceError

from dashboard.areas import Area, hierarchy
from dashboard.desk import index_list
from dashboard.images.shapes import level_shapes
from dashboard.phone.own import last_day
from data.manifest import SnapshotError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dashboard.areas import LevelAreas
    from dashboard.situation.sheet import Sheet
    from data.access import Scope
    from data.store import Snapshot
    from geo.tile_shapes import Bounds

log = logging.getLogger("dashboard")

MOST_AREAS: Final = 400
"""Areas that are drawn one by one; more would be a texture."""

MOST_NEIGHBOURS: Final = 80


class Piece(NamedTuple):
    """One coloured outline: the `d` of a path, and the colour 0 grey, 1 lowest to 4 red."""

    path: str
    colour: int


@dataclass(frozen=True)
class Shaped:
    """
    An area that somebody drew.

    Attributes
    ----------
    pieces
        Itself, or the areas of the next level in it.
    """

    index: int
    shape: Any
    path: str
    pieces: tuple[Piece, ...]


def outline(scope: Scope, snapshot: Snapshot, focus: Area) -> Any:
    """Shape of the focus, Web Mercator; None where nobody drew it."""
    bounds = hierarchy(scope, snapshot).at(focus.level).bounds[focus.index]
    if not np.isfinite(bounds).all():
        return None
    west, south, east, north = (float(one) for one in bounds)
    return outlines(snapshot, focus.level, (west, south, east, north))[focus.index]


def finer(scope: Scope, snapshot: Snapshot, focus: Area, level: str) -> str:
    """Level under the named one whose areas can be told apart; "" where there is none."""
    tree = hierarchy(scope, snapshot)
    for below in tree.below(level):
        here = tree.inside(below, focus) & tree.at(below).valid_on(last_day(snapshot))
        if here.any():
            return below if np.count_nonzero(here) <= MOST_AREAS else ""
    return ""


def shaped(
    scope: Scope, snapshot: Snapshot, focus: Area, levels: tuple[str, str], sheet: Sheet
) -> list[Shaped]:
    """
    Areas of a level under the focus.

    Parameters
    ----------
    levels
        The level of the areas, and the one that is coloured in them; "" = themselves.
    """
    level, fine = levels
    rows, shapes = _present(scope, snapshot, focus, level, sheet)
    paths = {index: sheet.path(shapes[index]) for index in rows}
    if not fine:
        tints = colours(scope, snapshot, focus, level)
        pieces = {one: [Piece(paths[one], tints.get(one, (0, None))[0])] for one in rows}
    else:
        pieces = _pieces(scope, snapshot, focus, levels, sheet)
    return [
        Shaped(one, shapes[one], paths[one], tuple(pieces.get(one, ())))
        for one in rows
        if paths[one]
    ]


def colours(
    scope: Scope, snapshot: Snapshot, focus: Area, level: str
) -> dict[int, tuple[int, float | None]]:
    """Colour and index of the newest period by area, None = grey; nothing where none is stored."""
    rows = index_list.rows(scope, snapshot, focus, level, snapshot.manifest.last_period)
    if rows.empty:
        return {}
    values = [None if np.isnan(one) else float(one) for one in rows["safety_index"].tolist()]
    tints = zip(rows["colour"].astype(int).tolist(), values, strict=True)
    return dict(zip(rows["area_index"].tolist(), tints, strict=True))


def around(
    scope: Scope, snapshot: Snapshot, focus: Area, own: Any, sheet: Sheet
) -> tuple[str, ...]:
    """Outlines beside the focus; nothing is told of them."""
    areas = hierarchy(scope, snapshot).at(focus.level)
    if len(areas) == 1:
        return ()
    shapes = outlines(snapshot, focus.level, sheet.degrees())
    rows = np.flatnonzero(areas.valid_on(last_day(snapshot)) & ~shapely.is_missing(shapes))
    rows = rows[rows != focus.index]
    box = sheet.box()
    near = rows[shapely.intersects(shapes[rows], box)][:MOST_NEIGHBOURS]
    cut = shapely.difference(shapely.intersection(shapes[near], box), own)
    return tuple(filter(None, (sheet.path(one) for one in cut)))


def _pieces(
    scope: Scope, snapshot: Snapshot, focus: Area, levels: tuple[str, str], sheet: Sheet
) -> dict[int, list[Piece]]:
    """Coloured outlines by the area of the upper level that they lie in."""
    level, fine = levels
    rows, shapes = _present(scope, snapshot, focus, fine, sheet)
    tints = colours(scope, snapshot, focus, fine)
    above = hierarchy(scope, snapshot).ancestors(fine, at=level)
    found: dict[int, list[Piece]] = {}
    for index in rows:
        path = sheet.path(shapes[index])
        if path:
            piece = Piece(path, tints.get(index, (0, None))[0])
            found.setdefault(int(above[index]), []).append(piece)
    return found


def _present(
    scope: Scope, snapshot: Snapshot, focus: Area, level: str, sheet: Sheet
) -> tuple[list[int], NDArray[Any]]:
    """Areas of a level that lie in the focus, hold now and are drawn; and all shapes of it."""
    areas: LevelAreas = hierarchy(scope, snapshot).at(level)
    shapes = outlines(snapshot, level, sheet.degrees())
    here = hierarchy(scope, snapshot).inside(level, focus) & areas.valid_on(last_day(snapshot))
    return np.flatnonzero(here & ~shapely.is_missing(shapes)).tolist(), shapes


def outlines(snapshot: Snapshot, level: str, bounds: Bounds) -> NDArray[Any]:
    """Shapes of a level by `area_index`; None where there is none, or where none can be read."""
    try:
        return level_shapes(snapshot, level, bounds)
    except SnapshotError:
        pass
    except DataSourceError:
        log.exception("the boundaries of level %s cannot be read; maps are drawn without", level)
    return np.full(int((snapshot.areas["level"] == level).sum()), None, dtype=object)

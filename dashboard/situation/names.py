"""Where the names of a map stand: none over another, and the worst areas first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
import shapely

from dashboard.images.placing import Box, Wish, place
from dashboard.situation.sheet import UNIT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dashboard.situation.sheet import Sheet

WIDE: Final = 0x2E80
"""From here on, characters are as wide as they are high."""

FREE: Final = 12
"""Up to so many names may be wider than their areas."""

LINES: Final = 2.3
"""Height of a name with its figures under it, in heights of text."""

FIGURES: Final = 4.6
"""Width of the figures: the index and how many warnings are open."""

GAP: Final = 3 * UNIT


class Place(NamedTuple):
    """
    Middle of a name with its figures, units of the drawing.

    Attributes
    ----------
    is_short
        Only the figures found room.
    """

    x: int
    y: int
    is_short: bool


def middles(shapes: Sequence[Any], sheet: Sheet) -> list[tuple[float, float, float]]:
    """Middle and half width of the widest part of each area, in units."""
    found = []
    for shape in shapes:
        parts = shapely.get_parts(shape)
        largest = max(parts, key=lambda one: one.area)
        circle = shapely.maximum_inscribed_circle(largest, tolerance=4 * sheet.metres)
        (x, y), *_ = sheet.units(shapely.get_coordinates(circle)[:1]).tolist()
        found.append((x, y, float(circle.length) / sheet.metres))
    return found


def places(
    names: Sequence[str],
    middle: Sequence[tuple[float, float, float]],
    order: Sequence[int],
    sheet: Sheet,
    text: float,
) -> list[Place | None]:
    """
    Find a place for each name with its figures, for the figures alone where there is none.

    Parameters
    ----------
    order
        Positions, the most important first.
    text
        Height of the text, units.

    Returns
    -------
    found
        By position; None = not even the figures have room.
    """
    frame = Box(0.0, 0.0, float(sheet.width), float(sheet.height))
    found: list[Place | None] = [None] * len(names)
    is_free = len(names) <= FREE

    def has_room(at: int, width: float) -> bool:
        return is_free or width <= 2.2 * middle[at][2]

    full = [at for at in order if has_room(at, _width(names[at]) * text)]
    wishes = [
        Wish(*middle[at][:2], max(_width(names[at]), FIGURES) * text, LINES * text) for at in full
    ]
    taken = []
    for position, box in place(wishes, frame=frame, gap=GAP):
        if is_free or _is_near(box, middle[full[position]]):
            found[full[position]] = _at(box, is_short=False)
            taken.append(box)
    rest = [at for at in order if found[at] is None and has_room(at, 2 * text)]
    short = [Wish(*middle[at][:2], FIGURES * text, 1.2 * text) for at in rest]
    for position, box in place(short, frame=frame, taken=taken, gap=GAP):
        if _is_near(box, middle[rest[position]]):
            found[rest[position]] = _at(box, is_short=True)
    return found


def _is_near(box: Box, middle: tuple[float, float, float]) -> bool:
    """Whether it stands in the widest part of its area: elsewhere it would name another."""
    x, y = box.middle
    return float(np.hypot(x - middle[0], y - middle[1])) <= middle[2]


def _at(box: Box, *, is_short: bool) -> Place:
    x, y = np.round(box.middle).astype(int).tolist()
    return Place(x, y, is_short)


def _width(text: str) -> float:
    """In heights of text."""
    return sum(1.0 if ord(char) >= WIDE else 0.6 for char in text)

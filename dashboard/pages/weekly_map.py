"""The two maps of a report as paths of inline SVG, from the outlines that were frozen with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import shapely

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray
    from shapely import Polygon

    from dashboard.reports.outlines import Outlines, Ring

UNIT: Final = 4
"""Units of the drawing per pixel: whole numbers are short, and a quarter of a pixel is enough."""

WIDTH: Final = 480 * UNIT
HEIGHTS: Final = (300 * UNIT, 420 * UNIT)
MARGIN: Final = 8 * UNIT
TEXT: Final = 16 * UNIT
"""Height of a name."""

APART: Final = TEXT // 2
"""Least gap between two names beside each other."""

WIDE: Final = 0x2E80
"""From here on, characters are as wide as they are high."""


@dataclass(frozen=True)
class Shape:
    """One area: its code and its outline as the `d` of a path."""

    code: str
    path: str


@dataclass(frozen=True)
class Label:
    """A name and the middle of its text."""

    text: str
    x: int
    y: int


@dataclass(frozen=True)
class Drawing:
    """What both maps have in common; the colours differ."""

    width: int
    height: int
    text: int
    shapes: tuple[Shape, ...]
    labels: tuple[Label, ...]


def drawing(
    outlines: Outlines, level: str, colours: dict[str, int], names: dict[str, str]
) -> Drawing | None:
    """
    Draw the areas of two maps; None where nobody drew their boundaries.

    A name stands where it hits no other, those of red and orange areas first.

    Parameters
    ----------
    colours
        Colour now, by the code of each area.
    names
        Of the areas that are named on the maps.
    """
    shapes = outlines.levels.get(level, {})
    found = {code: _arrays(shapes[code]) for code in colours if shapes.get(code)}
    if not found:
        return None
    every = np.concatenate([ring for rings in found.values() for ring in rings])
    low, span = every.min(axis=0), np.maximum(np.ptp(every, axis=0), 1)
    room = np.array([WIDTH, HEIGHTS[1]]) - 2 * MARGIN
    scale = float((room / span).min())
    height = int(np.clip(span[1] * scale + 2 * MARGIN, *HEIGHTS))
    shift = (np.array([WIDTH, height]) - span * scale) / 2
    fitted = {
        code: [np.round((ring - low) * scale + shift).astype(int) for ring in rings]
        for code, rings in found.items()
    }
    return Drawing(
        width=WIDTH,
        height=height,
        text=TEXT,
        shapes=tuple(Shape(code, "".join(map(_path, rings))) for code, rings in fitted.items()),
        labels=_labels(colours, names, fitted, height),
    )


def _arrays(rings: list[Ring]) -> list[NDArray[np.float64]]:
    return [np.array(ring, dtype=float).reshape(-1, 2) for ring in rings]


def _path(ring: NDArray[np.int_]) -> str:
    """A closed ring, each point by the way from the one before; points that fall together go."""
    steps = np.diff(ring, axis=0)
    steps = steps[(steps != 0).any(axis=1)]
    if len(steps) < 3:
        return ""
    way = "".join(f"l{x} {y}" for x, y in steps[:-1].tolist())
    return f"M{ring[0, 0]} {ring[0, 1]}{way}z"


def _labels(
    colours: dict[str, int],
    names: dict[str, str],
    fitted: dict[str, list[NDArray[np.int_]]],
    height: int,
) -> tuple[Label, ...]:
    """Names whose middle lies in their area and that hit no other; others are left out."""
    largest = {code: _largest(fitted[code]) for code in names if code in fitted}
    order = sorted(largest, key=lambda code: (-colours.get(code, 0), -largest[code].area, code))
    taken: list[Polygon] = []
    labels = []
    for code in order:
        width = _width(names[code])
        for x, y in _places(largest[code], width):
            box = shapely.box(x - width / 2, y - TEXT / 2, x + width / 2, y + TEXT / 2)
            left, top, right, bottom = box.bounds
            if left < 0 or top < 0 or right > WIDTH or bottom > height:
                continue
            if not shapely.intersects(box, taken).any():
                taken.append(shapely.box(left - APART, top, right + APART, bottom))
                labels.append(Label(names[code], round(x), round(y)))
                break
    return tuple(labels)


def _largest(rings: list[NDArray[np.int_]]) -> Polygon:
    """The largest ring of an area, without its holes; empty where there is none."""
    polygons = [shapely.Polygon(ring).buffer(0) for ring in rings if len(ring) > 3]
    parts = [part for one in polygons for part in shapely.get_parts(one)]
    return max(parts, key=lambda one: one.area, default=shapely.Polygon())


def _places(area: Polygon, width: float) -> Iterator[tuple[float, float]]:
    """Where the middle of a name may be: in the widest part, then above, below and beside it."""
    if area.is_empty:
        return
    x, y = shapely.maximum_inscribed_circle(area, tolerance=UNIT).coords[0]
    shapely.prepare(area)
    for across in (0.0, -width / 4, width / 4):
        for down in (0.0, -TEXT, TEXT, -2 * TEXT, 2 * TEXT):
            if area.contains(shapely.Point(x + across, y + down)):
                yield x + across, y + down


def _width(text: str) -> float:
    return TEXT * sum(1.0 if ord(char) >= WIDE else 0.6 for char in text)

"""What an image shows, as values: no scope, no snapshot and no drawing library in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geo.tile_shapes import Bounds

Shapes = Any
"""Array of polygons in Web Mercator metres."""


@dataclass(frozen=True)
class Fill:
    """
    Polygons in the colours of their bands.

    Attributes
    ----------
    bands
        Of each polygon: 0 no data, k = entry k-1 of `colours`.
    hatched
        Which of them are hatched: no data, or a small sample.
    """

    shapes: Shapes
    bands: NDArray[Any]
    colours: tuple[str, ...]
    no_data: str | None
    """Colour of band 0; None where it is not drawn."""
    hatched: NDArray[Any]
    opacity: float = 1.0
    outlined: bool = True


@dataclass(frozen=True)
class Line:
    """Boundaries of one level."""

    shapes: Shapes
    colour: str
    width_pt: float


@dataclass(frozen=True)
class Label:
    """A name at a point (Web Mercator metres)."""

    text: str
    x: float
    y: float
    room_m: float
    """Width of what is named."""


@dataclass(frozen=True)
class Mark:
    """An icon at a point; see `map_icons.js`."""

    icon: str
    x: float
    y: float
    size: float = 1.0
    """Times the usual one."""


@dataclass(frozen=True)
class Side:
    """One map: from the bottom up land, what is outside, fills, lines, marks, names."""

    title: str
    bounds: Bounds
    """Web Mercator metres."""
    land: Shapes
    outside: Shapes
    fills: tuple[Fill, ...] = ()
    lines: tuple[Line, ...] = ()
    marks: tuple[Mark, ...] = ()
    labels: tuple[Label, ...] = ()
    """The most important first."""
    has_scale: bool = True


@dataclass(frozen=True)
class Row:
    """
    One row of a legend.

    Attributes
    ----------
    kind
        `fill`, `hatched` (a fill under hatching), or the name of an icon.
    """

    kind: str
    colour: str
    text: str


@dataclass(frozen=True)
class Legend:
    """Printed bands of a layer, and what is to be known about them."""

    title: str
    rows: tuple[Row, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Picture:
    """A whole image."""

    title: str
    subtitle: str
    sides: tuple[Side, ...]
    legends: tuple[Legend, ...]
    foot: tuple[str, ...]
    """Notice of the city, snapshot, by whom and when: a line each."""
    safe: bool = False

"""Where Web Mercator lies on a drawing, and outlines in whole units of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
import shapely

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geo.tile_shapes import Bounds

UNIT: Final = 2
"""Units of a drawing per pixel: whole numbers are short, and half a pixel is enough."""

RADIUS_M: Final = 6_378_137.0


class Frame(NamedTuple):
    """
    For what room a map is drawn; it scales to any, the names are placed for these.

    Attributes
    ----------
    width, height, text
        Pixels: of the map, and of its names there.
    compact
        Pixels of the names' text on that drawing where the map stands on a phone, about 360 wide;
        0 = it never does.
    """

    width: int
    height: int
    text: int
    compact: int = 0


PAGE: Final = Frame(960, 720, 15, compact=33)
WALL: Final = Frame(1000, 800, 24)


class Sheet(NamedTuple):
    """
    One drawing.

    Attributes
    ----------
    west, north
        Of the upper left corner, Web Mercator metres.
    metres
        Of one unit.
    width, height
        Units.
    """

    west: float
    north: float
    metres: float
    width: int
    height: int

    @classmethod
    def round(cls, bounds: Bounds, frame: Frame, *, margin: float) -> Sheet:
        """Fit bounds (Web Mercator) into a frame, with a margin in parts of their size."""
        left, low, right, high = bounds
        width, height = UNIT * frame.width, UNIT * frame.height
        wide, tall = ((1 + 2 * margin) * max(side, 100.0) for side in (right - left, high - low))
        metres = max(wide / width, tall / height)
        x, y = (left + right) / 2, (low + high) / 2
        return cls(x - width * metres / 2, y + height * metres / 2, metres, width, height)

    def box(self) -> Any:
        """The whole drawing, Web Mercator."""
        east, south = self.west + self.width * self.metres, self.north - self.height * self.metres
        return shapely.box(self.west, south, east, self.north)

    def degrees(self) -> Bounds:
        """Bounds of the drawing in degrees."""
        left, low, right, high = self.box().bounds
        lng = np.degrees(np.array([left, right]) / RADIUS_M)
        lat = np.degrees(2 * np.arctan(np.exp(np.array([low, high]) / RADIUS_M)) - np.pi / 2)
        return float(lng[0]), float(lat[0]), float(lng[1]), float(lat[1])

    def units(self, points: NDArray[np.float64]) -> NDArray[np.int64]:
        """Points (Web Mercator, shape (n, 2)) in whole units from the upper left corner."""
        from_corner = np.column_stack([points[:, 0] - self.west, self.north - points[:, 1]])
        return np.round(from_corner / self.metres).astype(np.int64)

    def path(self, shape: Any) -> str:
        """Outline of polygons as the `d` of a path, each point by the way from the one before."""
        parts = shapely.get_parts(shapely.simplify(shape, self.metres))
        return "".join(
            self._ring(shapely.get_coordinates(ring))
            for part in parts
            if part.geom_type == "Polygon"
            for ring in shapely.get_rings(part)
        )

    def _ring(self, points: NDArray[np.float64]) -> str:
        whole = self.units(points)
        steps = np.diff(whole, axis=0)
        steps = steps[(steps != 0).any(axis=1)]
        if len(steps) < 3:
            return ""
        way = "".join(f"l{x} {y}" for x, y in steps[:-1].tolist())
        return f"M{whole[0, 0]} {whole[0, 1]}{way}z"

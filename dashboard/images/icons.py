"""Icons of marks, in the shapes of `map_icons.js`."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from matplotlib.patches import PathPatch
from matplotlib.path import Path
from matplotlib.transforms import Affine2D, ScaledTranslation

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from dashboard.images.sheet import Sheet

SIZE_PT: Final = 11.0
"""Side of the square that an icon stands in."""

_GRID: Final = 20
"""Units of that square, counted from the upper left as in the script."""

_BADGE: Final = ((10, 18), (2, 4), (18, 4))
_STROKE: Final = ((9.1, 5.6), (10.9, 5.6), (10.9, 10.2), (9.1, 10.2))
_DOT: Final = ((9.1, 11.4), (10.9, 11.4), (10.9, 13.2), (9.1, 13.2))

_CROSS: Final = (
    (8, 2.5), (12, 2.5), (12, 8), (17.5, 8), (17.5, 12), (12, 12), (12, 17.5), (8, 17.5), (8, 12),
    (2.5, 12), (2.5, 8), (8, 8),
)  # fmt: skip
_TURN: Final = math.sqrt(0.5)

POLYGONS: Final[dict[str, tuple[tuple[float, float], ...]]] = {
    "clusters": ((10, 2.2), (17, 10), (10, 17.8), (3, 10)),
    "more": ((10, 2.8), (17, 15.8), (3, 15.8)),
    "signal-2": _BADGE,
    "signal-3": _BADGE,
    "signal-4": _BADGE,
    "point-1": ((4.5, 4.5), (15.5, 4.5), (15.5, 15.5), (4.5, 15.5)),
    "point-2": _CROSS,
    "point-3": ((10, 2.5), (17.5, 8.2), (14.6, 17), (5.4, 17), (2.5, 8.2)),
    "point-4": tuple((10 + (x - y) * _TURN, 10 + (x + y - 20) * _TURN) for x, y in _CROSS),
    "point-5": ((2.5, 7), (17.5, 7), (17.5, 13), (2.5, 13)),
    "point-6": ((7, 2.5), (13, 2.5), (13, 17.5), (7, 17.5)),
    "post": ((10, 2), (18, 9), (18, 18), (2, 18), (2, 9)),
    "unit": ((3, 3), (17, 3), (17, 11), (10, 18), (3, 11)),
    "unit-live": ((3, 3), (17, 3), (17, 11), (10, 18), (3, 11)),
    "crowd": ((10, 2), (17, 6), (17, 14), (10, 18), (3, 14), (3, 6)),
}
CIRCLES: Final = {"much": 6, "point-many": 6.5}
"""Radius of the round ones."""

_HOLE: Final = {"point-many": ((10, 10), 2.6), "unit-live": ((10, 9), 3.0)}
PLATES: Final[dict[str, tuple[tuple[float, float], ...] | None]] = {
    "ok": None,
    "due": ((2, 2), (18, 2), (18, 18), (2, 18)),
    "overdue": ((10, 0), (20, 10), (10, 20), (0, 10)),
    "unknown": None,
}
"""Plates of facilities by state; None is round."""

_PLATE_RADIUS: Final = 8.5
_GLYPH: Final = 0.55
"""Size of the glyph on a plate."""

COLOURS: Final = {
    "much": "var(--mark-much)",
    "clusters": "var(--mark-clusters)",
    "more": "var(--mark-more)",
    "signal-2": "var(--yellow)",
    "signal-3": "var(--orange)",
    "signal-4": "var(--red)",
    **{f"point-{kind}": f"var(--point-{kind})" for kind in (*range(1, 7), "many")},
    "post": "var(--post)",
    "unit": "var(--unit)",
    "unit-live": "var(--unit)",
    "crowd": "var(--crowd)",
}


def draw_icon(
    sheet: Sheet, axes: Axes, icon: str, x: float, y: float, *, times: float = 1.0
) -> None:
    """Draw an icon with its middle at a point of the axes, `times` its usual size."""
    at: Any = axes.transData  # of our axes it is affine
    place = ScaledTranslation(x, y, at)
    scale = times * SIZE_PT / 72 / _GRID
    size = Affine2D().translate(-_GRID / 2, -_GRID / 2).scale(scale, -scale)
    where = size + sheet.figure.dpi_scale_trans + place
    layers = _plate(sheet, icon) if icon.startswith("facility-") else _body(sheet, icon)
    rim = sheet.colour("var(--mark-edge)")
    for part, shade, width in layers:
        axes.add_artist(
            PathPatch(
                part, transform=where, facecolor=shade, edgecolor=rim, linewidth=width,
                joinstyle="round", zorder=4,
            )
        )  # fmt: skip
    if icon.startswith("signal"):
        ink = sheet.colour("var(--map-ink)")
        for stroke in (_STROKE, _DOT):
            axes.add_artist(
                PathPatch(_closed(stroke), transform=where, facecolor=ink, linewidth=0, zorder=4)
            )


def _body(sheet: Sheet, icon: str) -> list[tuple[Path, Any, float]]:
    """Parts of an icon, bottom to top: path, colour, width of its rim."""
    radius = CIRCLES.get(icon)
    body = Path.circle((10, 10), radius) if radius else _closed(POLYGONS[icon])
    fill, rim = sheet.colour(COLOURS[icon]), sheet.colour("var(--mark-edge)")
    layers = [(body, rim, 1.6), (body, fill, 0.0)]
    if icon in _HOLE:
        middle, hole = _HOLE[icon]
        layers.append((Path.circle(middle, hole), rim, 0.0))
    return layers


def _plate(sheet: Sheet, icon: str) -> list[tuple[Path, Any, float]]:
    """Parts of `facility-KIND-STATE`; kind 0 has no glyph."""
    _, kind, state = icon.split("-")
    points = PLATES[state]
    body = _closed(points) if points else Path.circle((10, 10), _PLATE_RADIUS)
    tint, rim = sheet.colour(f"var(--facility-{state})"), sheet.colour("var(--mark-edge)")
    layers = [(body, rim, 1.6), (body, tint, 0.0)]
    if state == "unknown":
        layers.append((Path.circle((10, 10), _PLATE_RADIUS - 1.6), rim, 0.0))
    if kind != "0":
        small = [
            (10 + (x - 10) * _GLYPH, 10 + (y - 10) * _GLYPH) for x, y in POLYGONS[f"point-{kind}"]
        ]
        layers.append((_closed(tuple(small)), tint if state == "unknown" else rim, 0.0))
    return layers


def _closed(points: tuple[tuple[float, float], ...]) -> Path:
    return Path(np.array([*points, points[0]]), closed=True)

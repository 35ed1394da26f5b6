"""Icons of marks, in the shapes of `map_icons.js`."""

from __future__ import annotations

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

POLYGONS: Final = {
    "clusters": ((10, 2.2), (17, 10), (10, 17.8), (3, 10)),
    "more": ((10, 2.8), (17, 15.8), (3, 15.8)),
    "signal-2": _BADGE,
    "signal-3": _BADGE,
    "signal-4": _BADGE,
}
COLOURS: Final = {
    "much": "var(--mark-much)",
    "clusters": "var(--mark-clusters)",
    "more": "var(--mark-more)",
    "signal-2": "var(--yellow)",
    "signal-3": "var(--orange)",
    "signal-4": "var(--red)",
}


def draw_icon(sheet: Sheet, axes: Axes, icon: str, x: float, y: float) -> None:
    """Draw an icon with its middle at a point of the axes."""
    at: Any = axes.transData  # of our axes it is affine
    place = ScaledTranslation(x, y, at)
    scale = SIZE_PT / 72 / _GRID
    size = Affine2D().translate(-_GRID / 2, -_GRID / 2).scale(scale, -scale)
    where = size + sheet.figure.dpi_scale_trans + place
    body = Path.circle((10, 10), 6) if icon == "much" else _closed(POLYGONS[icon])
    fill, rim = sheet.colour(COLOURS[icon]), sheet.colour("var(--mark-edge)")
    for shade, width in ((rim, 1.6), (fill, 0.0)):
        axes.add_artist(
            PathPatch(
                body, transform=where, facecolor=shade, edgecolor=rim, linewidth=width,
                joinstyle="round", zorder=4,
            )
        )  # fmt: skip
    if icon.startswith("signal"):
        ink = sheet.colour("var(--map-ink)")
        for part in (_STROKE, _DOT):
            axes.add_artist(
                PathPatch(_closed(part), transform=where, facecolor=ink, linewidth=0, zorder=4)
            )


def _closed(points: tuple[tuple[float, float], ...]) -> Path:
    return Path(np.array([*points, points[0]]), closed=True)

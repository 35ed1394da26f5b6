"""One map onto the sheet: shapes, hatching, boundaries, icons, names, scale."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import shapely
from matplotlib import patheffects
from matplotlib.patches import PathPatch
from matplotlib.path import Path
from matplotlib.transforms import ScaledTranslation

from dashboard.images.icons import SIZE_PT, draw_icon
from dashboard.images.placing import Box, Wish, place
from dashboard.images.sheet import font

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from dashboard.images.picture import Fill, Line, Shapes, Side
    from dashboard.images.sheet import Frame, Sheet

HATCH: Final = "/////"
OUTLINE_PT: Final = 0.45
OUTLINE_LEAST_PT: Final = 4.5
"""Mean width of an area under which it gets no outline: it would be all outline."""

LABEL_PT: Final = ((12, 9.0), (150, 7.0), (math.inf, 6.0))
"""Size of names by how many there are."""

FREE_LABELS: Final = 12
"""Up to so many names may be wider than what they name."""

FULL_IN: Final = 5.0
"""Width of a map under which its names are smaller."""

MOST_LABELS: Final = 400
SCALE_LEAST_IN: Final = 1.6
"""Width of a map under which it has no scale."""

EARTH_M: Final = 6_378_137.0


def paint(sheet: Sheet, frame: Frame, side: Side) -> list[Box]:
    """
    Draw a map into a rectangle.

    Returns
    -------
    boxes
        Of the names that were drawn, in pixels: none is over another.
    """
    axes = sheet.axes(frame)
    _look_at(axes, frame, side)
    _shapes(axes, side.land, sheet.colour("var(--map-land)"))
    _shapes(axes, side.outside, sheet.colour("var(--map-outside)"))
    for fill in side.fills:
        _fill(sheet, axes, frame, fill)
    for line in side.lines:
        _line(sheet, axes, line)
    if side.has_scale and frame.width >= SCALE_LEAST_IN:
        _scale(sheet, axes, frame)
    placed = _labels(sheet, axes, frame, side)
    for mark in side.marks:
        draw_icon(sheet, axes, mark.icon, mark.x, mark.y, times=mark.size)
    _border(sheet, axes)
    return placed


def compound(shapes: Shapes) -> Path | None:
    """All polygons as one path: drawn at once, and without seams between equal colours."""
    parts = shapely.get_parts(np.asarray(shapes, dtype=object))
    parts = parts[shapely.get_type_id(parts) == 3]
    parts = shapely.get_parts(parts[~shapely.is_empty(parts)])
    if not len(parts):
        return None
    rings = shapely.get_rings(shapely.orient_polygons(parts))
    points, ring = shapely.get_coordinates(rings, return_index=True)
    codes = np.full(len(points), Path.LINETO, dtype=Path.code_type)
    codes[np.flatnonzero(np.diff(ring, prepend=-1))] = Path.MOVETO
    codes[np.flatnonzero(np.diff(ring, append=-1))] = Path.CLOSEPOLY
    return Path(points, codes)


def _look_at(axes: Axes, frame: Frame, side: Side) -> None:
    """Fit the bounds into the rectangle, as wide as high."""
    west, south, east, north = side.bounds
    scale = max((east - west) / frame.width, (north - south) / frame.height)
    x, y = (west + east) / 2, (south + north) / 2
    axes.set_xlim(x - scale * frame.width / 2, x + scale * frame.width / 2)
    axes.set_ylim(y - scale * frame.height / 2, y + scale * frame.height / 2)


def _shapes(axes: Axes, shapes: Shapes, colour: Any, **more: Any) -> None:
    path = compound(shapes)
    if path is not None:
        # As an artist, not a patch: a patch would have its every point measured for limits.
        axes.add_artist(PathPatch(path, facecolor=colour, **{"linewidth": 0, **more}))


def _fill(sheet: Sheet, axes: Axes, frame: Frame, fill: Fill) -> None:
    colours = enumerate((fill.no_data, *fill.colours))
    for band, name in colours:
        if name is not None:
            red, green, blue, alpha = sheet.colour(name)
            shade = (red, green, blue, alpha * fill.opacity)
            _shapes(axes, fill.shapes[fill.bands == band], shade)
    hatched = fill.shapes[fill.hatched]
    _shapes(axes, hatched, "none", hatch=HATCH, edgecolor=sheet.colour("var(--map-hatch)"))
    if fill.outlined and _mean_width_pt(axes, frame, fill) >= OUTLINE_LEAST_PT:
        outline = sheet.colour("var(--map-outline)")
        _shapes(axes, fill.shapes, "none", edgecolor=outline, linewidth=OUTLINE_PT)


def _mean_width_pt(axes: Axes, frame: Frame, fill: Fill) -> float:
    if not len(fill.shapes):
        return 0.0
    west, east = axes.get_xlim()
    mean_m = math.sqrt(float(shapely.area(fill.shapes).mean()))
    return float(72 * frame.width * mean_m / (east - west))


def _line(sheet: Sheet, axes: Axes, line: Line) -> None:
    edge = sheet.colour(line.colour)
    _shapes(axes, line.shapes, "none", edgecolor=edge, linewidth=line.width_pt, joinstyle="round")


def _labels(sheet: Sheet, axes: Axes, frame: Frame, side: Side) -> list[Box]:
    """Names that find a place; a dark text in a light rim reads on every colour."""
    labels = side.labels[:MOST_LABELS]
    if not labels:
        return []
    size = next(points for most, points in LABEL_PT if len(side.labels) <= most)
    size *= min(1.0, max(0.75, frame.width / FULL_IN))
    dpi = sheet.figure.dpi
    points = axes.transData.transform([(label.x, label.y) for label in labels])
    per_metre = abs(np.diff(axes.transData.transform([(0, 0), (1, 0)])[:, 0])[0])
    wishes, texts = [], []
    for label, (x, y) in zip(labels, points.tolist(), strict=True):
        width, height = (part * dpi for part in sheet.measure(label.text, size=size))
        if len(side.labels) <= FREE_LABELS or width <= 1.1 * label.room_m * per_metre:
            wishes.append(Wish(x, y, width, height))
            texts.append(label.text)
    box = axes.get_window_extent()
    icon = SIZE_PT * dpi / 72
    icons = axes.transData.transform([(mark.x, mark.y) for mark in side.marks] or [(0, 0)])
    taken = [Box.round(x, y, icon, icon) for x, y in icons.tolist()] if side.marks else []
    placed = place(
        wishes, frame=Box(box.x0, box.y0, box.x1, box.y1), taken=taken, gap=1.5 * dpi / 72
    )
    for position, where in placed:
        _name(sheet, axes, texts[position], where, size)
    return [where for _, where in placed]


def _name(sheet: Sheet, axes: Axes, text: str, box: Box, size: float) -> None:
    """Rim and text are two: a rim alone would turn the text into shapes in SVG and PDF."""
    rim = patheffects.Stroke(linewidth=1.8, foreground=sheet.colour("var(--map-halo)"))
    x, y = axes.transData.inverted().transform(box.middle)
    ink = sheet.colour("var(--map-ink)")
    for effects in ([rim], []):
        axes.text(
            x, y, text, fontproperties=font(size), color=ink, ha="center", va="center",
            path_effects=effects, zorder=5,
        )  # fmt: skip


def _scale(sheet: Sheet, axes: Axes, frame: Frame) -> None:
    """A bar of a round length in the lower left corner."""
    (west, east), (south, north) = axes.get_xlim(), axes.get_ylim()
    latitude = 2 * math.atan(math.exp((south + north) / 2 / EARTH_M)) - math.pi / 2
    metres_per_inch = (east - west) / frame.width * math.cos(latitude)
    longest = 0.2 * frame.width * metres_per_inch
    step = 10 ** math.floor(math.log10(longest))
    length = max(n * step for n in (1, 2, 5) if n * step <= longest)
    printed = f"{length / 1000:g} km" if length >= 1000 else f"{length:g} m"
    span = length / metres_per_inch
    shift = ScaledTranslation(0.1, 0.1, axes.figure.dpi_scale_trans)
    corner = axes.transAxes + shift
    wide, high = span / frame.width, 0.04 / frame.height
    ink = sheet.colour("var(--ink-2)")
    bar = [(0, high), (0, 0), (wide, 0), (wide, high)]
    axes.add_artist(
        PathPatch(Path(bar), transform=corner, fill=False, edgecolor=ink, linewidth=0.8)
    )
    axes.text(
        wide / 2, 1.4 * high, printed, transform=corner, fontproperties=font(6), color=ink,
        ha="center", va="bottom",
    )  # fmt: skip


def _border(sheet: Sheet, axes: Axes) -> None:
    edge = sheet.colour("var(--border)")
    square = Path([(0, 0), (1, 0), (1, 1), (0, 1), (0, 0)], closed=True)
    axes.add_artist(
        PathPatch(
            square, transform=axes.transAxes, fill=False, edgecolor=edge, linewidth=0.6,
            clip_on=False,
        )
    )  # fmt: skip

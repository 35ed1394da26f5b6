"""The two maps of a report, drawn from its frozen outlines as a picture of the page's width."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import shapely

from dashboard.images.page import swatch
from dashboard.images.painting import paint
from dashboard.images.picture import Fill, Label, Line, Row, Side
from dashboard.images.sheet import Frame, Sheet
from dashboard.text import Words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from dashboard.reports.document import Document, Maps
    from dashboard.reports.outlines import Outlines, Ring
    from geo.tile_shapes import Bounds

WIDTH: Final = 156 / 25.4
"""Of the type area of an official document, inches."""

DPI: Final = 220
GAP: Final = 0.16
TITLE: Final = 0.22
LEGEND: Final = 0.28
LINE: Final = 0.14
SWATCH: Final = (0.22, 0.13)
SHAPES: Final = (0.62, 1.3)
"""Least and greatest height of a map, in its widths."""

MARGIN: Final = 0.03
"""Round the areas, in widths of the map."""

FINENESS: Final = 4000
"""Steps of a map's wider side that paper shows."""

EDGE_PT: Final = 0.9


def draw(document: Document, maps: Maps, outlines: Outlines, *, kind: str) -> bytes | None:
    """
    Draw the maps side by side over their legend and the notice of the city.

    Call it in one's turn (`dashboard.images.turns`).

    Parameters
    ----------
    kind
        One of `dashboard.images.formats.KINDS`.

    Returns
    -------
    content
        The file's bytes, the same for the same maps; None where nobody drew any of the areas.

    Raises
    ------
    FontError
        No font with Chinese is installed.
    """
    shapes = _shapes(maps, outlines)
    if not shapes:
        return None
    words = Words(document.lang)
    bounds = _bounds(list(shapes.values()))
    width = (WIDTH - GAP) / 2
    shape = (bounds[3] - bounds[1]) / (bounds[2] - bounds[0])
    height = width * min(max(shape, SHAPES[0]), SHAPES[1])
    lines = [document.foot[0], *filter(None, [undrawn(maps, outlines, words)])]
    sheet = Sheet(
        width=WIDTH, height=TITLE + height + LEGEND + LINE * len(lines), dpi=DPI, safe=False
    )
    for at, colours in enumerate((maps.now, maps.before)):
        left = at * (width + GAP)
        text = sheet.fitted(maps.titles[at], size=8.5, width=width, bold=True)
        sheet.text(left, 0.02, text, size=8.5, ink="var(--ink)", bold=True)
        frame = Frame(left + 0.01, TITLE, width - 0.02, height)
        paint(sheet, frame, _side(document, maps, shapes, colours, bounds))
    _legend(sheet, TITLE + height + 0.1, document, maps)
    for at, line in enumerate(lines):
        text = sheet.fitted(line, size=6.5, width=WIDTH)
        top = TITLE + height + LEGEND + LINE * at
        sheet.text(0.01, top, text, size=6.5, ink="var(--ink-3)")
    return sheet.content(kind)


def legend(maps: Maps, words: Words) -> tuple[str, ...]:
    """Each colour with how many areas have it now."""
    return tuple(words("rep_doc_legend", colour=name, n=n) for _, name, n in maps.legend)


def told(maps: Maps, words: Words) -> str:
    """What the picture shows, for who cannot see it."""
    said = words("assess_list").join(legend(maps, words))
    return words("rep_doc_picture", now=maps.titles[0], before=maps.titles[1], legend=said)


def undrawn(maps: Maps, outlines: Outlines, words: Words) -> str:
    """How many areas have no outline, and so stand in the counts but not on the map."""
    missing = len(maps.now.keys() - outlines.levels.get(maps.level, {}).keys())
    return words("rep_doc_undrawn", n=missing) if missing else ""


def _shapes(maps: Maps, outlines: Outlines) -> dict[str, Any]:
    """Polygons by code, y upwards; the largest first, so that none hides one inside it."""
    drawn = outlines.levels.get(maps.level, {})
    found = {code: _polygon(drawn[code]) for code in maps.now if code in drawn}
    found = {code: shape for code, shape in found.items() if not shape.is_empty}
    if not found:
        return {}
    west, south, east, north = shapely.total_bounds(list(found.values())).tolist()
    seen = max(east - west, north - south) / FINENESS
    codes = sorted(found, key=lambda code: -found[code].area)
    return {code: shapely.simplify(found[code], seen) for code in codes}


def _polygon(rings: Sequence[Ring]) -> Any:
    """An area of its rings by the even-odd rule."""
    whole = shapely.Polygon()
    for ring in rings:
        points = np.asarray(ring, dtype=float).reshape(-1, 2) * (1, -1)
        if len(points) > 3:
            valid = shapely.make_valid(shapely.Polygon(points), method="structure")
            whole = shapely.symmetric_difference(whole, valid)
    return whole


def _bounds(shapes: list[Any]) -> Bounds:
    west, south, east, north = shapely.total_bounds(np.asarray(shapes, dtype=object)).tolist()
    margin = MARGIN * max(east - west, north - south)
    return west - margin, south - margin, east + margin, north + margin


def _side(
    document: Document,
    maps: Maps,
    shapes: dict[str, Any],
    colours: dict[str, int],
    bounds: Bounds,
) -> Side:
    drawn = np.asarray(list(shapes.values()), dtype=object)
    bands: NDArray[Any] = np.array([colours.get(code, 0) for code in shapes])
    none = np.array([], dtype=object)
    fill = Fill(
        shapes=drawn,
        bands=bands,
        colours=document.tints[1:],
        no_data=document.tints[0],
        hatched=bands == 0,
    )
    # Units have no place on the globe, so that no scale in kilometres can be drawn.
    return Side(
        title="",
        bounds=bounds,
        land=none,
        outside=none,
        fills=(fill,),
        lines=(Line(drawn, "var(--map-ink)", 0.35), *_edge(drawn)),
        labels=_labels(maps, shapes),
        has_scale=False,
    )


def _edge(drawn: NDArray[Any]) -> tuple[Line, ...]:
    """The outer boundary of all areas; gaps of a few units between neighbours are closed."""
    closed = shapely.buffer(shapely.union_all(shapely.buffer(drawn, 8)), -8)
    return (Line(np.asarray([closed], dtype=object), "var(--map-ink)", EDGE_PT),)


def _labels(maps: Maps, shapes: dict[str, Any]) -> tuple[Label, ...]:
    """Names, the highest colour of either week first, then the largest area: alike on both maps."""

    def rank(code: str) -> tuple[int, float]:
        return -max(maps.now.get(code, 0), maps.before.get(code, 0)), -shapes[code].area

    found = []
    for code in sorted((code for code in shapes if code in maps.names), key=rank):
        point = shapes[code].point_on_surface()
        west, _, east, _ = shapes[code].bounds
        found.append(Label(maps.names[code], point.x, point.y, east - west))
    return tuple(found)


def _legend(sheet: Sheet, top: float, document: Document, maps: Maps) -> None:
    """One row of swatches from the left."""
    words = Words(document.lang)
    left = 0.01
    for (colour, _, _), text in zip(maps.legend, legend(maps, words), strict=True):
        tint = document.tints[colour] if colour < len(document.tints) else document.tints[0]
        row = Row("fill" if colour else "hatched", tint, text)
        swatch(sheet, Frame(left, top, *SWATCH), row)
        left += SWATCH[0] + 0.06
        sheet.text(left, top + SWATCH[1] / 2, text, size=8, ink="var(--ink)", middle=True)
        left += sheet.measure(text, size=8)[0] + 0.22

"""A picture as a page: title above, maps, legends at the right, notice and mark below."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final, NamedTuple

from matplotlib.patches import Rectangle

from dashboard.images.icons import COLOURS, draw_icon
from dashboard.images.painting import HATCH, paint
from dashboard.images.sheet import Frame, Sheet

if TYPE_CHECKING:
    from dashboard.images.formats import Size
    from dashboard.images.picture import Legend, Picture, Row
    from dashboard.images.placing import Box


EDGE: Final = 0.3
HEAD: Final = 0.5
FOOT_LINE: Final = 0.125
TITLE_LINE: Final = 0.2
GAP: Final = 0.14
LEGEND: Final = (1.75, 2.5)
"""Least and greatest width of the legends, inches."""

ROW: Final = 0.2
ROW_LINE: Final = 0.135
NOTE: Final = 0.115
SWATCH: Final = (0.2, 0.13)


class Drawn(NamedTuple):
    """A page that is drawn, and the boxes of its names by map, in pixels."""

    sheet: Sheet
    labels: list[list[Box]]


class Plan(NamedTuple):
    """Where maps and legends stand."""

    maps: list[Frame]
    legends: Frame
    columns: list[tuple[Legend, ...]]
    """Legends under each other, from the left."""
    across: bool
    """Legends below the maps, side by side."""


def compose(picture: Picture, *, size: Size, dpi: int) -> Drawn:
    """Draw a picture."""
    sheet = Sheet(width=size.width, height=size.height, dpi=dpi, safe=picture.safe)
    area = _framed(sheet, picture)
    plan = _planned(sheet, area, picture)
    labels = []
    for frame, side in zip(plan.maps, picture.sides, strict=True):
        if side.title:
            text = sheet.fitted(side.title, size=8, width=frame.width, bold=True)
            sheet.text(frame.left, frame.top, text, size=8, ink="var(--ink)", bold=True)
        labels.append(paint(sheet, _below_title(frame, picture), side))
    if plan.across:
        _legends_across(sheet, plan.legends, picture.legends)
    else:
        width = (plan.legends.width + GAP) / len(plan.columns)
        for at, legends in enumerate(plan.columns):
            left = plan.legends.left + at * width
            _legends_down(sheet, plan.legends._replace(left=left, width=width - GAP), legends)
    return Drawn(sheet, labels)


def _framed(sheet: Sheet, picture: Picture) -> Frame:
    """Write title and foot; what is left between them."""
    inner = sheet.width - 2 * EDGE
    title = sheet.fitted(picture.title, size=15, width=inner, bold=True)
    sheet.text(EDGE, EDGE - 0.06, title, size=15, ink="var(--ink)", bold=True)
    subtitle = sheet.fitted(picture.subtitle, size=8.5, width=inner)
    sheet.text(EDGE, EDGE + 0.24, subtitle, size=8.5, ink="var(--ink-2)")
    below = sheet.height - EDGE + 0.06 - FOOT_LINE * len(picture.foot)
    for row, line in enumerate(picture.foot):
        text = sheet.fitted(line, size=6.5, width=inner)
        sheet.text(EDGE, below + FOOT_LINE * row, text, size=6.5, ink="var(--ink-3)")
    top = EDGE + HEAD
    return Frame(EDGE, top, inner, below - 0.08 - top)


def _planned(sheet: Sheet, area: Frame, picture: Picture) -> Plan:
    """Legends at the right or below, whichever leaves the maps larger."""
    column = min(max(0.22 * area.width, LEGEND[0]), LEGEND[1])
    width = _across_width(area, picture.legends)
    height = max(_rows_height(sheet, legend, width) for legend in picture.legends)
    columns = _columns(sheet, picture.legends, width=column, height=area.height)
    taken = len(columns) * (column + GAP) - GAP
    beside = area._replace(width=area.width - taken - GAP)
    above = area._replace(height=area.height - height - GAP)
    count = len(picture.sides)
    plans = [
        Plan(
            _grid(beside, count),
            Frame(area.left + area.width - taken, area.top, taken, area.height),
            columns,
            across=False,
        ),
        Plan(
            _grid(above, count),
            Frame(area.left, area.top + area.height - height, area.width, height),
            [picture.legends],
            across=True,
        ),
    ]
    if count > 2 or len(picture.legends) > 2:
        return plans[0]
    west, south, east, north = picture.sides[0].bounds

    def scale(plan: Plan) -> float:
        frame = _below_title(plan.maps[0], picture)
        return min(frame.width / (east - west), frame.height / (north - south))

    return max(plans, key=scale)


def _below_title(frame: Frame, picture: Picture) -> Frame:
    """What a map has under its title, where the maps of the picture have any."""
    line = TITLE_LINE if any(side.title for side in picture.sides) else 0.0
    return Frame(frame.left, frame.top + line, frame.width, frame.height - line)


def _grid(area: Frame, count: int) -> list[Frame]:
    """Equal rectangles, as near to squares as rows and columns make them."""
    columns = min(
        range(1, count + 1),
        key=lambda n: abs(math.log(area.width / n / (area.height / math.ceil(count / n)))),
    )
    rows = math.ceil(count / columns)
    width = (area.width - GAP * (columns - 1)) / columns
    height = (area.height - GAP * (rows - 1)) / rows
    return [
        Frame(
            area.left + (width + GAP) * (at % columns),
            area.top + (height + GAP) * (at // columns),
            width,
            height,
        )
        for at in range(count)
    ]


def _columns(
    sheet: Sheet, legends: tuple[Legend, ...], *, width: float, height: float
) -> list[tuple[Legend, ...]]:
    """Legends in as many columns as they need with their first notes."""
    columns: list[list[Legend]] = [[]]
    room = height
    for legend in legends:
        first = [
            line for note in legend.notes[:1] for line in sheet.wrapped(note, size=6, width=width)
        ]
        needed = _rows_height(sheet, legend, width) + NOTE * len(first) + 0.17
        if needed > room and columns[-1]:
            columns.append([])
            room = height
        columns[-1].append(legend)
        room -= needed
    return [tuple(column) for column in columns]


def _legends_down(sheet: Sheet, frame: Frame, legends: tuple[Legend, ...]) -> None:
    """Every row and first note, one legend under the other; further notes as there is room."""
    heads = sum(_rows_height(sheet, legend, frame.width) + 0.14 for legend in legends)
    kept = _fitting(sheet, legends, width=frame.width, room=frame.height - heads)
    top = frame.top
    for legend, notes in zip(legends, kept, strict=True):
        top = _head_and_rows(sheet, frame._replace(top=top), legend)
        top = _notes(sheet, frame._replace(top=top), notes) + 0.14


def _legends_across(sheet: Sheet, frame: Frame, legends: tuple[Legend, ...]) -> None:
    """Legends side by side, their notes at the right of all."""
    width = _across_width(frame, legends)
    left = frame.left
    for legend in legends:
        _head_and_rows(sheet, frame._replace(left=left, width=width), legend)
        left += width + GAP
    rest = frame._replace(left=left, width=frame.left + frame.width - left)
    kept = _fitting(sheet, legends, width=rest.width, room=rest.height)
    _notes(sheet, rest, tuple(dict.fromkeys(note for notes in kept for note in notes)))


def _across_width(frame: Frame, legends: tuple[Legend, ...]) -> float:
    return min(LEGEND[1], frame.width / (len(legends) + 1))


def _fitting(
    sheet: Sheet, legends: tuple[Legend, ...], *, width: float, room: float
) -> list[tuple[str, ...]]:
    """Notes of each legend: the first in any case, then as many as there is room for."""
    kept: list[list[str]] = [[] for _ in legends]
    for turn in range(max(len(legend.notes) for legend in legends)):
        for legend, mine in zip(legends, kept, strict=True):
            if turn < len(legend.notes):
                note = legend.notes[turn]
                needed = NOTE * len(sheet.wrapped(note, size=6, width=width)) + 0.03
                if turn == 0 or needed <= room:
                    mine.append(note)
                    room -= needed
    return [tuple(mine) for mine in kept]


def _rows_height(sheet: Sheet, legend: Legend, width: float) -> float:
    """Height of title and rows."""
    lines = (len(_row_lines(sheet, row, width)) for row in legend.rows)
    return 0.2 + sum(ROW + ROW_LINE * (count - 1) for count in lines)


def _row_lines(sheet: Sheet, row: Row, width: float) -> list[str]:
    return sheet.wrapped(row.text, size=7.5, width=width - SWATCH[0] - 0.07)


def _head_and_rows(sheet: Sheet, frame: Frame, legend: Legend) -> float:
    """Title and rows of a legend; where they end."""
    title = sheet.fitted(legend.title, size=8, width=frame.width, bold=True)
    sheet.text(frame.left, frame.top, title, size=8, ink="var(--ink)", bold=True)
    top = frame.top + 0.2
    for row in legend.rows:
        top = _row(sheet, frame._replace(top=top), row)
    return top


def _notes(sheet: Sheet, frame: Frame, notes: tuple[str, ...]) -> float:
    """Notes one under the other; where they end."""
    top = frame.top
    for note in notes:
        lines = sheet.wrapped(note, size=6, width=frame.width)
        for at, line in enumerate(lines):
            sheet.text(frame.left, top + 0.03 + NOTE * at, line, size=6, ink="var(--ink-3)")
        top += NOTE * len(lines) + 0.03
    return top


def _row(sheet: Sheet, frame: Frame, row: Row) -> float:
    """Swatch and text of a row; where it ends."""
    width, height = SWATCH
    swatch(sheet, Frame(frame.left, frame.top, width, height), row)
    left = frame.left + width + 0.07
    lines = _row_lines(sheet, row, frame.width)
    for at, line in enumerate(lines):
        middle = frame.top + height / 2 + ROW_LINE * at
        sheet.text(left, middle, line, size=7.5, ink="var(--ink-2)", middle=True)
    return frame.top + ROW + ROW_LINE * (len(lines) - 1)


def swatch(sheet: Sheet, frame: Frame, row: Row) -> None:
    """Draw what a row of a legend explains: an icon, a fill, or a fill under hatching."""
    axes = sheet.axes(frame)
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1)
    if row.kind in COLOURS:
        draw_icon(sheet, axes, row.kind, 0.5, 0.5)
        return
    edge = sheet.colour("var(--border-strong)")
    fill = sheet.colour(row.colour)
    axes.add_artist(Rectangle((0, 0), 1, 1, facecolor=fill, edgecolor=edge, linewidth=0.4))
    if row.kind == "hatched":
        hatch = sheet.colour("var(--map-hatch)")
        axes.add_artist(
            Rectangle((0, 0), 1, 1, fill=False, hatch=HATCH, edgecolor=hatch, linewidth=0)
        )

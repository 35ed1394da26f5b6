"""The trend as bars of inline SVG, with the range that was to be expected."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from dashboard.trend import Trend

WIDTH: Final = 340
HEIGHT: Final = 112
GAP: Final = 2


@dataclass(frozen=True)
class Bar:
    """One period; units of the drawing, y downwards."""

    x: float
    y: float
    width: float
    height: float
    is_incomplete: bool


@dataclass(frozen=True)
class Chart:
    """
    Bars with the expected range behind them.

    Attributes
    ----------
    top
        Incidents at the upper edge.
    band
        The range as the `d` of a path; "" where it is not known.
    """

    bars: tuple[Bar, ...]
    band: str
    top: int


def chart(shown: Trend) -> Chart:
    """Draw a trend; a period that is not known has no bar."""
    counts = [count or 0 for count in shown.counts]
    highest = max([*counts, *(one for one in shown.upper if one is not None), 1])
    top = _round(highest)
    step = WIDTH / len(counts)
    bars = tuple(
        Bar(
            x=round(at * step + GAP / 2, 1),
            y=round(HEIGHT * (1 - count / top), 1),
            width=round(step - GAP, 1),
            height=round(HEIGHT * count / top, 1),
            is_incomplete=at >= len(counts) - shown.incomplete,
        )
        for at, count in enumerate(counts)
        if shown.counts[at] is not None
    )
    return Chart(bars, _band(shown, step, top), top)


def _band(shown: Trend, step: float, top: int) -> str:
    """The expected range, period by period, as steps."""
    boxes = []
    for at, (lower, upper) in enumerate(zip(shown.lower, shown.upper, strict=True)):
        if lower is None or upper is None:
            continue
        high, low = HEIGHT * (1 - upper / top), HEIGHT * (1 - lower / top)
        left = at * step
        boxes.append(f"M{left:.1f} {high:.1f}h{step:.1f}V{low:.1f}h{-step:.1f}z")
    return "".join(boxes)


def _round(value: float) -> int:
    """The next of 1, 2, 5, 10, 20, … that holds a value."""
    scale = 1
    while True:
        for one in (1, 2, 5):
            if value <= one * scale:
                return one * scale
        scale *= 10

"""Charts of the pages, as `dashboard.figures` makes them: plain objects, made of small tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from dashboard.figures import Figure, along_time, line

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping, Sequence

    from dashboard.text import Words
    from data.periods import Grain

GREY: Final = "#9aa5b3"

METHOD_STYLES: Final[Mapping[str, str]] = {
    "ours": "main",
    "last_period": "dot",
    "kde4": "dash",
    "history": "dashdot",
}
"""Line of each method: told apart without their colours."""

SHARES_PX: Final = 170


def colour_bars(
    ends: Sequence[dt.date],
    counts: Any,
    *,
    names: Sequence[str],
    tints: Sequence[str],
    grain: Grain,
    words: Words,
) -> Figure:
    """
    How many areas showed each colour in each period, stacked.

    Parameters
    ----------
    counts
        Areas by period and colour, grey first, shape (n periods, 5).
    names, tints
        Of grey and the four colours.
    """
    bars = [
        {
            "name": names[colour],
            "style": "bar",
            "tint": tints[colour],
            "values": [int(row[colour]) for row in counts],
        }
        for colour in (1, 2, 3, 4, 0)
    ]
    return along_time(ends, bars, grain=grain, words=words)


def score_lines(
    ends: Sequence[dt.date],
    values: Mapping[str, Sequence[float | None]],
    *,
    names: Mapping[str, str],
    title: str,
    grain: Grain,
    words: Words,
) -> Figure:
    """
    One figure of the scorecard per period and method.

    Parameters
    ----------
    values
        By method, one per period; None = not known.
    title
        What the axis measures.
    """
    lines = [
        line(names[method], style, values[method])
        for method, style in METHOD_STYLES.items()
        if method in values
    ]
    return along_time(ends, lines, grain=grain, words=words, form="score") | {"title": title}


def share_line(days: Sequence[dt.date], shares: Sequence[float], words: Words) -> Figure:
    """Share of each day's incidents that is known so far."""
    bars = [line(words("data_known"), "bar", shares)]
    drawn = along_time(days, bars, grain="week", words=words, form="share")
    return drawn | {"height": SHARES_PX, "most": 1, "hover": words("chart_day")}

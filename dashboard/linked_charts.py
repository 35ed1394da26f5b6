"""Charts that lead on: a click or a drag on one sets what every panel and the map show."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from dash import dcc

from dashboard import figures, ids
from dashboard.elements import html
from data.periods import label

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from dashboard.figures import Figure
    from dashboard.text import Words
    from dashboard.trend import Bars, Trend
    from dashboard.view import View


def trend(line: Trend, view: View, words: Words) -> Figure:
    """The trend of an area."""
    window = view.selection.window
    drawn = figures.trend_chart(
        line.starts,
        counts=line.counts,
        last_year=line.last_year,
        lower=line.lower,
        upper=line.upper,
        window=window.periods,
        after=line.after,
        grain=window.grain,
        words=words,
        reported=line.reported,
        incomplete=line.incomplete,
    )
    return setting_window(drawn, line.starts, view)


def setting_window(drawn: Figure, starts: Sequence[dt.date], view: View) -> Figure:
    """A click on a period ends the window with it; what is dragged over is the window."""
    grain = view.selection.window.grain
    named = [label(day, grain=grain) for day in starts]
    return figures.setting(drawn, ids.END, values=named, marks=ids.RANGE)


def window_row(view: View, words: Words) -> html.P:
    """How to choose a window on the chart, and the way back from one that was chosen."""
    plain = replace(view.state.over(), end="")
    row: list[Any] = [html.Span(words("window_drag"), className="drag-hint")]
    if plain != view.state:
        told = ["× ", words("window_reset")]
        row.append(dcc.Link(told, href=plain.to_href(), className="window-reset"))
    return html.P(row, className="panel-note chart-window")


def categories(bars: Bars, view: View, words: Words) -> Figure:
    """The categories; a click on a bar filters by it, and a second one lets go."""
    drawn = figures.category_bars(
        bars.names, counts=bars.counts, previous=bars.previous, words=words
    )
    chosen = view.state.category
    codes = ["" if code == chosen else code for code in bars.codes]
    values = [code if of else None for code, of in zip(codes, bars.codes, strict=True)]
    return figures.setting(drawn, ids.CATEGORY, values=values)

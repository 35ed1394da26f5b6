"""
Charts as pure functions of small tables; no chart knows where its numbers come from.

A chart is the plain object that plotly.js draws: making it through plotly's classes costs ten times
as much a request. The tests pass each through those classes, which check every name in it.
"""

from __future__ import annotations

import datetime as dt
import html
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dashboard.text import Words
    from data.periods import Grain

# Mid tones that keep a contrast of 3:1 or more on the light and on the dark ground.
LINE: Final = "#3a7bd5"
PALE: Final = "#8a97a8"
INK: Final = "#7b8798"
BAND_FILL: Final = "rgba(122,140,165,0.22)"
WINDOW_FILL: Final = "rgba(58,123,213,0.12)"
Figure = dict[str, Any]

FEW: Final = 5
"""Counts up to this get a tick each."""

WEEK_MS: Final = 7 * 24 * 60 * 60 * 1000

FONT: Final = '"Microsoft YaHei","PingFang SC","Noto Sans CJK SC",sans-serif'


def graph_config(lang: str) -> Any:
    """Settings of every graph: nothing is sent anywhere, no logo, no buttons."""
    return {
        "showSendToCloud": False,
        "plotlyServerURL": "",
        "displaylogo": False,
        "displayModeBar": False,
        "responsive": True,
        "locale": "zh-CN" if lang == "zh" else "en-US",
    }


def trend_chart(
    starts: Sequence[dt.date],
    *,
    counts: Sequence[int | None],
    last_year: Sequence[int | None],
    lower: Sequence[float | None],
    upper: Sequence[float | None],
    window: int,
    grain: Grain,
    words: Words,
    reported: Sequence[int | None] = (),
    incomplete: int = 0,
    after: int = 0,
) -> Figure:
    """
    Incidents per period with last year's line and the range that was to be expected.

    Parameters
    ----------
    starts
        First day of each period, oldest first.
    counts, last_year, lower, upper
        One value per period; None = not known.
    window
        Periods of the window, which are shaded.
    reported
        The part of the counts that the range speaks of; empty = all of them.
    incomplete
        Periods at the end of which part is still to be reported: dotted, never read as a fall.
    after
        Periods at the end that lie after the window.
    """
    days = [start.isoformat() for start in starts]
    hover = words(f"trend_hover_{grain}")
    told = len(days) - incomplete
    return {
        "data": [
            _line(days, upper, name="", color="rgba(0,0,0,0)", width=0, hover=False),
            _line(
                days,
                lower,
                name=words("trend_expected"),
                color="rgba(0,0,0,0)",
                width=0,
                hover=False,
            )
            | {"fill": "tonexty", "fillcolor": BAND_FILL, "showlegend": True},
            _line(days, last_year, name=words("trend_last_year"), color=PALE, width=1.2),
            *([_reported(days, reported, words)] if reported else []),
            *([_running(days, counts, told, words)] if incomplete else []),
            _line(days[:told], counts[:told], name=words("trend_count"), color=LINE, width=2.4),
        ],
        "layout": base_layout()
        | {
            "xaxis": base_axis()
            | {
                "type": "date",
                "tickformat": words(f"trend_tick_{grain}"),
                "hoverformat": hover,
                "nticks": 7,
                "showgrid": False,
            },
            "yaxis": base_axis() | _count_ticks([*counts, *last_year, *upper]),
            "hovermode": "x unified",
            "shapes": [_shade(starts[: len(starts) - after], window, grain)] if days else [],
            "height": 230,
        },
    }


def category_bars(
    names: Sequence[str], *, counts: Sequence[int], previous: Sequence[int | None], words: Words
) -> Figure:
    """
    Incidents per category, the largest on top, with the previous window as a tick.

    Parameters
    ----------
    names, counts, previous
        One entry per bar, largest first; None = the previous window is not covered.
    """
    # Plotly reads tags in its texts, links among them: a stored name must stay text.
    shown = [html.escape(name, quote=False) for name in names]
    rows = [f"{name}  {count:,d}" for name, count in zip(shown, counts, strict=True)]
    return {
        "data": [
            {
                "type": "bar",
                "orientation": "h",
                "x": list(counts),
                "y": rows,
                "name": words("categories_count"),
                "marker": {"color": LINE, "opacity": 0.8},
                "hovertemplate": "%{y}<extra></extra>",
            },
            {
                "type": "scatter",
                "mode": "markers",
                "x": list(previous),
                "y": rows,
                "name": words("categories_previous"),
                "marker": {"symbol": "line-ns", "size": 14, "line": {"width": 2, "color": PALE}},
                "hovertemplate": "%{y}: %{x:,d}<extra>" + words("categories_previous") + "</extra>",
            },
        ],
        "layout": base_layout()
        | {
            "xaxis": base_axis() | _count_ticks([*counts, *previous]),
            "yaxis": base_axis()
            | {"autorange": "reversed", "type": "category", "automargin": True, "showgrid": False},
            "bargap": 0.35,
            "height": 80 + 30 * max(len(names), 1),
        },
    }


def setting(
    figure: Figure, control: str, *, at: str, values: dict[str, str], marks: str = ""
) -> Figure:
    """
    Have a click on a chart set a control; see assets/chart_links.js.

    Parameters
    ----------
    control
        Id of the control.
    at
        Coordinate of a point that tells which value: `x` or `y`.
    values
        Value to set by that coordinate; other points set nothing.
    marks
        Id of the store that takes the values of the first and the last point of a drag.
    """
    sets = {"control": control, "at": at, "values": values} | ({"marks": marks} if marks else {})
    return figure | {"layout": figure["layout"] | {"meta": {"sets": sets}}}


def _line(
    days: Sequence[str],
    values: Sequence[float | None],
    *,
    name: str,
    color: str,
    width: float,
    hover: bool = True,
) -> dict[str, Any]:
    trace: dict[str, Any] = {
        "type": "scatter",
        "mode": "lines",
        **_along(days),
        "y": list(values),
        "name": name,
        "line": {"color": color, "width": width, "shape": "linear"},
        "showlegend": hover,
    }
    return trace | ({"hovertemplate": "%{y:,d}"} if hover else {"hoverinfo": "skip"})


def _along(days: Sequence[str]) -> dict[str, Any]:
    """Days of the points; weeks, which are even, are told by the first: a third of the bytes."""
    parsed = [dt.date.fromisoformat(day) for day in days[:3]]
    steps = {(later - day).days for day, later in pairwise(parsed)}
    if steps != {7}:
        return {"x": list(days)}
    return {"x0": days[0], "dx": WEEK_MS}


def _reported(days: Sequence[str], reported: Sequence[int | None], words: Words) -> dict[str, Any]:
    line = _line(days, reported, name=words("trend_reported"), color=LINE, width=1.2)
    return line | {"line": line["line"] | {"dash": "dash"}}


def _running(
    days: Sequence[str], counts: Sequence[int | None], told: int, words: Words
) -> dict[str, Any]:
    """The periods that still grow, with the last one that does not, so that the line holds on."""
    first = max(told - 1, 0)
    line = _line(
        days[first:], counts[first:], name=words("trend_incomplete"), color=LINE, width=1.6
    )
    hollow = {"symbol": "circle-open", "size": [0] * (told - first) + [7] * (len(days) - told)}
    return line | {
        "mode": "lines+markers",
        "line": line["line"] | {"dash": "dot"},
        "marker": hollow | {"color": LINE, "line": {"width": 1.6}},
        "opacity": 0.75,
    }


def base_layout() -> dict[str, Any]:
    """Layout that every chart begins with."""
    return {
        # An empty template keeps 7 kB of unused defaults out of every answer.
        "template": {},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"family": FONT, "size": 12, "color": INK},
        "margin": {"l": 40, "r": 12, "t": 30, "b": 30},
        "legend": {
            "orientation": "h",
            "x": 0,
            "y": 1.02,
            "yanchor": "bottom",
            "bgcolor": "rgba(0,0,0,0)",
        },
        "hoverlabel": {"align": "left"},
        "dragmode": False,
        "uirevision": "fixed",
    }


def base_axis() -> dict[str, Any]:
    """An axis as every chart has it."""
    return {
        "gridcolor": "rgba(122,140,165,0.25)",
        "zeroline": False,
        "linecolor": PALE,
        "fixedrange": True,
        "title": None,
    }


def _count_ticks(values: Sequence[float | None]) -> dict[str, Any]:
    """An axis of counts from zero; few incidents get whole steps, never 1, 1, 2, 2."""
    most = max((value for value in values if value is not None), default=0)
    steps: dict[str, Any] = {"dtick": 1} if most <= FEW else {"nticks": 5}
    return {"rangemode": "tozero", "tickformat": ",d"} | steps


def _shade(starts: Sequence[dt.date], window: int, grain: Grain) -> dict[str, Any]:
    """The window, half a period beyond its first and its last point: one period has a width too."""
    half = dt.timedelta(days=3.5 if grain == "week" else 15)
    edges = (starts[max(len(starts) - window, 0)], starts[-1])
    first, last = (dt.datetime.combine(day, dt.time()) for day in edges)
    return {
        "type": "rect",
        "xref": "x",
        "yref": "paper",
        "layer": "below",
        "x0": (first - half).isoformat(),
        "x1": (last + half).isoformat(),
        "y0": 0,
        "y1": 1,
        "fillcolor": WINDOW_FILL,
        "line": {"width": 0},
    }

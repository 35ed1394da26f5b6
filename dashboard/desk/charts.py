"""Charts of the pages, as `dashboard.figures` makes them: plain objects, made of small tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from dashboard.figures import INK, LINE, PALE, Figure, base_axis, base_layout

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping, Sequence

    from dashboard.text import Words
    from data.periods import Grain

GREY: Final = "#9aa5b3"

METHOD_LINES: Final[Mapping[str, tuple[str, float, str]]] = {
    "ours": (LINE, 2.6, "solid"),
    "last_period": (PALE, 1.3, "dot"),
    "kde4": ("#b3793a", 1.4, "dash"),
    "history": (INK, 1.4, "dashdot"),
}
"""Colour, width and dash of each method: told apart without their colours."""


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
    days = [end.isoformat() for end in ends]
    bars = [
        {
            "type": "bar",
            "x": days,
            "y": [int(row[colour]) for row in counts],
            "name": names[colour],
            "marker": {"color": tints[colour], "line": {"width": 0}},
            "hovertemplate": f"{names[colour]} %{{y:,d}}<extra></extra>",
        }
        for colour in (1, 2, 3, 4, 0)
    ]
    return {
        "data": bars,
        "layout": base_layout()
        | {
            "barmode": "stack",
            "bargap": 0.2,
            "xaxis": _days(grain, words),
            "yaxis": base_axis() | {"rangemode": "tozero", "tickformat": ",d", "nticks": 5},
            "hovermode": "x unified",
            "height": 230,
        },
    }


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
    days = [end.isoformat() for end in ends]
    lines = []
    for method, (colour, width, dash) in METHOD_LINES.items():
        if method not in values:
            continue
        lines.append(
            {
                "type": "scatter",
                "mode": "lines",
                "x": days,
                "y": list(values[method]),
                "name": names[method],
                "line": {"color": colour, "width": width, "dash": dash},
                "hovertemplate": "%{y:.3g}",
            }
        )
    axis = base_axis() | {
        "rangemode": "tozero",
        "nticks": 5,
        "title": {"text": title, "font": {"size": 11}},
    }
    return {
        "data": lines,
        "layout": base_layout()
        | {
            "margin": base_layout()["margin"] | {"l": 56},
            "xaxis": _days(grain, words),
            "yaxis": axis,
            "hovermode": "x unified",
            "height": 230,
        },
    }


def share_line(days: Sequence[dt.date], shares: Sequence[float], words: Words) -> Figure:
    """Share of each day's incidents that is known so far."""
    return {
        "data": [
            {
                "type": "bar",
                "x": [day.isoformat() for day in days],
                "y": list(shares),
                "marker": {"color": LINE, "opacity": 0.75},
                "name": words("data_known"),
                "hovertemplate": "%{x}: %{y:.1%}<extra></extra>",
            }
        ],
        "layout": base_layout()
        | {
            "margin": base_layout()["margin"] | {"t": 8},
            "xaxis": base_axis()
            | {"type": "date", "tickformat": words("trend_tick_week"), "showgrid": False},
            "yaxis": base_axis() | {"range": [0, 1.02], "tickformat": ".0%", "nticks": 5},
            "bargap": 0.25,
            "height": 170,
        },
    }


def _days(grain: Grain, words: Words) -> dict[str, Any]:
    return base_axis() | {
        "type": "date",
        "tickformat": words(f"trend_tick_{grain}"),
        "hoverformat": words(f"trend_hover_{grain}"),
        "nticks": 8,
        "showgrid": False,
    }

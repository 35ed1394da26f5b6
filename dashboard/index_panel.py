"""The risk index of one area in words, and the glass box: every figure that it is made of."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from dashboard import numerals
from dashboard.elements import html
from data.index_trace import GREY, OK, REASONS, recompute, why

if TYPE_CHECKING:
    import pandas as pd

    from dashboard.assessment import Index
    from dashboard.text import Words
    from data.index_settings import IndexSettings, Indicator
    from data.index_trace import IndexFigures

Component = Any

SENTENCES: Final = 3
"""What raises the risk most, in so many sentences."""


def colour_name(colour: int, settings: IndexSettings, words: Words) -> str:
    """Name of a colour in the city's palette."""
    if colour == GREY:
        return words("assess_grey")
    shown = settings.palette
    return words.pick(shown.names_zh[colour - 1], shown.names_en[colour - 1])


def colour_chip(colour: int, name: str, settings: IndexSettings, *, big: bool = False) -> html.Span:
    """A colour as a word on its tint."""
    style = {} if colour == GREY else {"--tint": settings.palette.tints[colour - 1]}
    return html.Span(name, className="tint-chip big" if big else "tint-chip", style=style)


def verdict(
    row: Index,
    settings: IndexSettings,
    *,
    level_name: str,
    ranked: int,
    periods: str,
    is_silent: bool,
    words: Words,
) -> list[Component]:
    """
    Colour, index, risk and range of ranks.

    Parameters
    ----------
    ranked
        Areas that share the ranks.
    periods
        The window in words.
    is_silent
        A source of the area has gone silent: grey, whatever was stored before.
    """
    colour = GREY if is_silent else row.colour
    chip = colour_chip(colour, colour_name(colour, settings, words), settings, big=True)
    if colour == GREY:
        status = "source_silent" if is_silent else row.status
        return [html.Div([chip, html.Span(reason(status, words))], className="verdict")]
    figures = [
        (words("assess_index"), f"{row.safety_index:.1f}", ""),
        (words("assess_risk"), f"{row.risk:.1f}", ""),
    ]
    if row.rank_lower and ranked > 1:
        ranks = f"{row.rank_lower:,d}–{row.rank_upper:,d}"
        figures.append(
            (words("assess_rank"), ranks, words("assess_of", n=f"{ranked:,d}", level=level_name))
        )
    pairs = [figure(*one) for one in figures]
    return [
        html.Div([chip, html.Dl(pairs), *_tags(row, settings, words)], className="verdict"),
        html.P(words("assess_window", periods=periods), className="panel-note"),
    ]


def figure(label: str, value: str, detail: str = "") -> html.Div:
    """One figure under its name, with what belongs to it in small print."""
    small = [html.Small(detail)] if detail else []
    return html.Div([html.Dt(label), html.Dd([value, *small])], className="assess-figure")


def _tags(row: Index, settings: IndexSettings, words: Words) -> list[Component]:
    tags = []
    if not row.is_firm:
        wanted = colour_name(row.gated_colour, settings, words)
        hint = words("assess_border_hint", share=f"{row.stability:.0%}", colour=wanted)
        tags.append((words("assess_border", share=f"{row.stability:.0%}", colour=wanted), hint))
    if row.small_sample:
        tags.append((words("assess_small", n=row.n), words("assess_small_hint")))
    return [html.Span(text, className="assess-tag", title=hint) for text, hint in tags]


def explanation(row: Index, settings: IndexSettings, words: Words) -> list[Component]:
    """The rules that decided the colour, and who acts on it."""
    if row.colour == GREY:
        return []
    said = [" ".join(_rules(row, settings, words))]
    duty = next((one for one in settings.duties if one.number == row.colour), None)
    if duty is not None:
        said.append(words("assess_duty", who=words.pick(duty.name_zh, duty.name_en)))
    return [html.P(text, className="assess-said") for text in said if text]


def _rules(row: Index, settings: IndexSettings, words: Words) -> list[str]:
    found = []
    decided = next((one for one in settings.overrides if one.name == row.override), None)
    if decided is not None:
        name = words.pick(decided.name_zh, decided.name_en)
        found.append(words("assess_override", rule=name))
    elif row.raw_colour > row.gated_colour:
        found.append(
            words(
                "assess_gated",
                raw=colour_name(row.raw_colour, settings, words),
                gated=colour_name(row.gated_colour, settings, words),
                p=numerals.probability(row.p, words),
            )
        )
    if row.held:
        found.append(words("assess_held", n=settings.colours.down_after))
    letters = [one for one in settings.letters if row.repeat_red >= one.number]
    if letters:
        last = max(letters, key=lambda one: one.number)
        name = words.pick(last.name_zh, last.name_en)
        found.append(words("assess_letter", n=row.repeat_red, letter=name))
    return found


def reasons(
    row: Index, trace: pd.DataFrame, settings: IndexSettings, words: Words
) -> list[Component]:
    """What raises the risk most."""
    if trace.empty or row.colour == GREY:
        return []
    said = why(trace, settings, chinese=words.lang == "zh", most=SENTENCES)
    if not said:
        return [html.P(words("assess_why_none"), className="panel-note")]
    return [
        html.P(words("assess_why"), className="assess-label"),
        html.Ol([html.Li(text) for text in said], className="assess-why"),
    ]


def glass_box(
    row: Index,
    trace: pd.DataFrame,
    settings: IndexSettings,
    words: Words,
    *,
    is_open: bool = False,
) -> list[Component]:
    """Every indicator behind a fold, the sum computed again and compared with the stored risk."""
    if trace.empty:
        return [html.P(words("assess_no_trace"), className="panel-note")]
    found = recompute(trace, settings)
    rows = trace.sort_values("indicator").reset_index(drop=True)
    is_same = agrees(row, rows, found)
    check = words("assess_box_same") if is_same else words("assess_box_differs")
    summary = words("assess_box", n=len(rows), check=check)
    heads = ("name", "count", "baseline", "ratio", "points", "weight", "product")
    table = html.Table(
        [
            html.Thead(html.Tr([html.Th(words(f"assess_box_{head}"), scope="col")
                                for head in heads])),
            html.Tbody(_lines(rows, found, settings, words)),
            html.Tfoot(_sums(row, found, is_same=is_same, words=words)),
        ],
        className="glass-box",
    )  # fmt: skip
    version = html.P(words("assess_box_version", config=row.config), className="panel-note")
    box = html.Div(table, className="table-box")
    return [html.Details([html.Summary(summary), box, version], className="glass", open=is_open)]


def agrees(row: Index, rows: pd.DataFrame, found: IndexFigures) -> bool:
    """Whether what is computed again is what is stored, to the last digit."""
    return (
        (found.risk == row.risk or (math.isnan(found.risk) and math.isnan(row.risk)))
        and np.array_equal(found.points, rows["points"].to_numpy(np.float64), equal_nan=True)
        and np.array_equal(found.weight, rows["weight"].to_numpy(np.float64))
    )


def _lines(
    rows: pd.DataFrame, found: IndexFigures, settings: IndexSettings, words: Words
) -> list[html.Tr]:
    lines = []
    stored = rows.to_dict("records")
    for position, dimension in enumerate(settings.dimensions):
        points = float(found.dimension_points[position])
        head = words(
            "assess_box_dimension",
            name=words.pick(dimension.name_zh, dimension.name_en),
            weight=f"{dimension.weight:.0%}",
            points=words("no_value")
            if math.isnan(points)
            else words("assess_points", n=numerals.rate(points, words)),
        )
        lines.append(html.Tr(html.Th(head, colSpan=7, scope="rowgroup")))
        lines += [
            _line(stored[i], one, float(found.points[i]), float(found.weight[i]), words)
            for i, one in enumerate(settings.indicators)
            if one.dimension == position
        ]
    return lines


def _line(
    row: dict[Any, Any], indicator: Indicator, points: float, weight: float, words: Words
) -> html.Tr:
    name = f"{indicator.id} {words.pick(indicator.name_zh, indicator.name_en)}"
    is_known = row["status"] == OK
    missing = [] if is_known else [html.Small(reason(row["status"], words), className="interval")]
    figures = [
        _figure(row["count"], words),
        _figure(row["baseline"], words),
        _figure(row["ratio"], words),
        _figure(points, words),
        f"{weight:.1%}" if weight else "–",
        f"{points * weight:.3f}" if weight else "–",
    ]
    return html.Tr(
        [html.Td([name, *missing]), *(html.Td(one, className="number") for one in figures)],
        className="" if is_known else "missing",
    )


def _sums(row: Index, found: IndexFigures, *, is_same: bool, words: Words) -> list[html.Tr]:
    """The sum to the last digit; what deaths add stands by itself."""
    products = float(np.nansum(found.points * found.weight))
    extra = found.risk - products
    lines = []
    if extra > 1e-6:
        lines.append((words("assess_box_deaths"), f"{extra:.3f}"))
    text = words("no_value") if math.isnan(found.risk) else repr(found.risk)
    lines.append((words("assess_box_sum"), text))
    if not is_same:
        stored = words("no_value") if math.isnan(row.risk) else repr(row.risk)
        lines.append((words("assess_box_stored"), stored))
    return [
        html.Tr([html.Td(label, colSpan=3), html.Td(value, colSpan=4, className="number")])
        for label, value in lines
    ]


def _figure(value: float, words: Words) -> str:
    if math.isnan(value):
        return "–"
    return f"{value:,.0f}" if value.is_integer() else numerals.rate(value, words)


def reason(status: str, words: Words) -> str:
    """Why an area is grey or an indicator is missing, in words."""
    chinese, english = REASONS.get(status, (status, status))
    return words.pick(chinese, english)

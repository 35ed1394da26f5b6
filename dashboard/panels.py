"""The panels beside the map: small tables in, components out. Stored text is always a text node."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from dash import dcc

from dashboard import figures, numerals
from dashboard.elements import html
from dashboard.markup import attributes
from data import rates
from data.periods import PERIODS_PER_YEAR

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from dashboard.areas import Area
    from dashboard.figures import Figure
    from dashboard.summary import Changes, Ranking, RateRow
    from dashboard.text import Words
    from dashboard.trend import Trend
    from data.periods import Grain, Window

Component = Any

BAND_CLASSES: Final = ("none", "blue", "yellow", "orange", "red")


def panel(
    title: str, *content: Component, about: str, words: Words, note: str = ""
) -> html.Section:
    """
    Frame of every panel: a heading, the way to its method, a note, the content.

    Parameters
    ----------
    about
        Part of the methods page that explains the figures (`dashboard.pages.methods`).
    """
    notes = [html.P(note, className="panel-note")] if note else []
    head = html.H2([html.Span(title), method_link(about, words)], className="panel-title")
    return html.Section([head, *notes, *content], className="panel")


def method_link(about: str, words: Words) -> html.A:
    """A mark that leads to a part of the methods page, in a window of its own."""
    look = "?lang=en" if words.lang == "en" else ""
    label = words("methods_link")
    return html.A(
        "ⓘ",
        href=f"/methods{look}#{about}",
        target="_blank",
        title=label,
        className="method-link",
    )


def empty(words: Words, text: str) -> html.Div:
    """Say why there is nothing to show."""
    return html.Div([html.Strong(words("empty_title")), html.P(text)], className="empty")


def error(words: Words, number: str) -> html.Div:
    """Say that something failed, with the number under which the log holds the detail."""
    return html.Div(
        [html.Strong(words("error_title")), html.P(words("error_text", id=number))],
        className="error",
        role="alert",
    )


def notes(words: Words, names: tuple[str, ...]) -> list[Component]:
    """Say which parts of the address were not honoured, and what else the reader must know."""
    known = {
        "withheld",
        "area",
        "level",
        "layer",
        "measure",
        "overlays",
        "compare",
        "periods",
        "span",
        "start",
        "end",
        "category",
        "severity",
        "window_short",
        "map_error",
    }
    return [
        html.P(
            words(f"note_{name}") if name in known else words("note_other", name=name),
            className="panel-note",
            role="status",
        )
        for name in names
    ]


def band_chip(band: int, words: Words) -> html.Span:
    """A band as a word on its colour."""
    return html.Span(words(f"band_{band}"), className=f"band-chip band-{band} {BAND_CLASSES[band]}")


def kpis(
    row: RateRow,
    moved: Changes,
    *,
    window: Window,
    unplaced: str,
    level_name: str,
    unit: str,
    period: str,
    words: Words,
) -> list[Component]:
    """
    The headline figures of one area.

    Parameters
    ----------
    unplaced
        Printed share of the incidents that lie in no area of the shown level; empty = there is
        no level below, and the exposure is shown in its place.
    """
    ratio = "" if row.band == rates.NO_DATA else words("ratio_value", ratio=row.ratio)
    before = days_of(window.earlier(window.periods), words)
    year = days_of(window.earlier(PERIODS_PER_YEAR[window.grain]), words)
    tiles = [
        kpi(words("kpi_count"), numerals.count(moved.count, words), days=days_of(window, words)),
        _moved("kpi_previous", moved.count, moved.previous, before, words, to="change"),
        _moved("kpi_last_year", moved.count, moved.last_year, year, words, to="last_year"),
        kpi(
            words("kpi_rate", unit=unit, period=period),
            numerals.rate(row.rate, words),
            detail=_shrunk(row, words),
        ),
        kpi(words("kpi_band"), band_chip(row.band, words), detail=ratio),
    ]
    last = (
        kpi(words("kpi_not_placed", level=level_name), unplaced)
        if unplaced
        else kpi(words("kpi_exposure", unit=unit), numerals.rate(row.exposure, words))
    )
    return [*tiles, last]


def charts(
    *,
    name: str,
    trend: Figure | None,
    categories: Figure | None,
    tree: list[Component],
    note: str,
    window: Component,
    words: Words,
) -> list[Component]:
    """
    Trend and category panels; None = nothing was recorded.

    Parameters
    ----------
    window
        How to choose a window on the trend.
    """
    missing = empty(words, words("empty_selection"))
    over_time, by_category = (words(f"{part}_title", name=name) for part in ("trend", "categories"))
    return [
        panel(
            over_time,
            graph(trend, words, over_time) if trend is not None else missing,
            window,
            about="expected",
            words=words,
            note=note,
        ),
        panel(
            by_category,
            graph(categories, words, by_category) if categories is not None else missing,
            *tree,
            about="counts",
            words=words,
            note=words("categories_note"),
        ),
    ]


def trend_note(line: Trend | None, grain: Grain, words: Words) -> str:
    """What the lines of a trend chart are."""
    if line is None:
        return ""
    parts = [words(f"trend_note_{grain}", n=len(line.starts))]
    parts.append(words("trend_note_stored" if line.is_stored else f"trend_note_range_{grain}"))
    if line.is_carried:
        parts.append(words("trend_note_carried"))
    if line.incomplete:
        parts.append(words("trend_note_incomplete"))
    return words("trend_note_join").join(parts)


def ranking(
    table: Ranking,
    *,
    name: str,
    level_name: str,
    area_name: Callable[[Area], str],
    href: Callable[[Area], str],
    words: Words,
    ranks: Mapping[int, tuple[int, int]] | None = None,
) -> html.Section:
    """
    Areas under the focus, most conspicuous first, and the sums that close the table.

    Parameters
    ----------
    ranks
        Range of ranks of the risk index by area; None = the level was not analysed.
    """
    title = words("ranking_title", level=level_name, name=name)
    if table.total == 0 and not table.rows:
        return panel(title, empty(words, words("empty_selection")), about="rates", words=words)
    most = max((row.count for row in table.rows), default=0)
    heads = ["area", "count", "rate", "band", *(["rank"] if ranks is not None else [])]
    body = [
        _ranked(row, most, area_name(row.area), href(row.area), words, ranks=ranks)
        for row in table.rows
    ]
    return panel(
        title,
        html.Div(
            html.Table(
                [
                    html.Thead(
                        html.Tr([html.Th(words(f"ranking_{head}"), scope="col") for head in heads])
                    ),
                    html.Tbody(body),
                    html.Tfoot(_sums(table, level_name=level_name, width=len(heads), words=words)),
                ],
                className="ranking",
            ),
            className="table-box",
        ),
        about="rates",
        words=words,
        note=words("ranking_note" if ranks is None else "ranking_note_ranks"),
    )


def arithmetic(
    row: RateRow, *, name: str, unit: str, period: str, periods: int, words: Words
) -> html.Section:
    """Every number that leads to one area's colour, with the formula."""
    title = words("arithmetic_title", name=name)
    items: list[tuple[str, Component]] = [
        (
            words("arithmetic_count", periods=periods, period=period),
            numerals.count(row.count, words),
        ),
        (words("arithmetic_exposure", unit=unit), numerals.rate(row.exposure, words)),
        (words("arithmetic_rate", periods=periods), numerals.rate(row.rate, words)),
        (words("arithmetic_prior"), numerals.rate(row.prior_rate, words)),
        (words("arithmetic_strength"), numerals.rate(row.strength, words)),
        (words("arithmetic_shrunk", periods=periods), numerals.rate(row.shrunk_rate, words)),
        (
            words("arithmetic_interval"),
            numerals.interval(row.lower, row.upper) or words("no_value"),
        ),
        (words("arithmetic_ratio"), numerals.rate(row.ratio, words)),
        (words("arithmetic_p"), numerals.probability(row.p_above, words)),
        (words("arithmetic_band"), band_chip(row.band, words)),
    ]
    terms = [part for term, value in items for part in (html.Dt(term), html.Dd(value))]
    (e2, e3, e4), (g2, g3, g4) = rates.BAND_EDGES, rates.BAND_GATES
    formula = words("arithmetic_formula", e2=e2, e3=e3, e4=e4, g2=g2, g3=g3, g4=g4)
    return panel(
        title,
        html.Dl(terms, className="arithmetic"),
        html.P(formula + _gated(row, words), className="panel-note"),
        about="rates",
        words=words,
    )


def _shrunk(row: RateRow, words: Words) -> str:
    """The shrunk rate and its interval, which belong together; empty where there is no rate."""
    interval = numerals.interval(row.lower, row.upper)
    if not interval:
        return ""
    whole = interval.replace("–", "\u2060–\u2060")  # never broken between its ends
    return words("kpi_shrunk", rate=numerals.rate(row.shrunk_rate, words), interval=whole)


def _gated(row: RateRow, words: Words) -> str:
    if row.is_alone:
        return " " + words("arithmetic_alone")
    if row.band == rates.NO_DATA:
        return " " + words("arithmetic_unknown")
    wanted = 1 + sum(row.ratio >= edge for edge in rates.BAND_EDGES)
    if wanted == row.band:
        return ""
    return " " + words("arithmetic_gated", wanted=words(f"band_{wanted}"))


def kpi(
    label: str, value: Component, *, detail: str = "", delta: str = "", days: str = ""
) -> html.Div:
    """One headline figure with its detail, and the days that it tells of."""
    parts = [html.Div(label, className="kpi-label"), html.Div(value, className="kpi-value")]
    if detail:
        parts.append(html.Div(detail, className=f"kpi-delta {delta}".strip()))
    if days:
        parts.append(html.Div(days, className="kpi-days"))
    return html.Div(parts, className="kpi")


def days_of(window: Window, words: Words) -> str:
    """First and last day of a window, in short."""
    return words("kpi_days", first=window.start, last=window.last_day)


def _moved(
    label: str, now: int | None, base: int | None, days: str, words: Words, *, to: str
) -> html.Div:
    """The count that is compared with, and the change from it in words."""
    direction, change = numerals.change(now, base, words, to=to)
    return kpi(words(label), numerals.count(base, words), detail=change, delta=direction, days=days)


def graph(figure: Figure, words: Words, title: str = "") -> html.Div:
    """
    A chart in a box of its final height; `assets/charts.js` draws it.

    Parameters
    ----------
    title
        Heading of its panel, for who cannot see the chart.
    """
    height = f"{figure['height']}px"
    return html.Div(
        className="chart",
        # The box must not depend on when the chart arrives; rows may wrap.
        style={"minHeight": height} if figure["kind"] == "rows" else {"height": height},
        **attributes(
            role="figure",
            aria_label=figures.summary(figure, title, words),
            data_chart=json.dumps(figure, ensure_ascii=False, separators=(",", ":")),
        ),
    )


def _ranked(
    row: RateRow,
    most: int,
    name: str,
    href: str,
    words: Words,
    *,
    ranks: Mapping[int, tuple[int, int]] | None,
) -> html.Tr:
    up, moved = numerals.change(row.count, row.previous, words, to="change")
    share = {"--share": f"{100 * row.count / most if most else 0:.1f}%"}
    interval = numerals.interval(row.lower, row.upper)
    cells = [
        html.Td(dcc.Link(name, href=href)),
        html.Td(
            [f"{row.count:,d}", html.Small(moved, className=f"kpi-delta {up}")],
            className="bar number",
            style=share,
        ),
        html.Td(
            [numerals.rate(row.rate, words), html.Small(interval, className="interval")],
            className="number",
        ),
        html.Td(_banded(row, words)),
    ]
    if ranks is not None:
        lowest, highest = ranks.get(row.area.index, (0, 0))
        told = f"{lowest:,d}–{highest:,d}" if lowest else "–"
        cells.append(html.Td(told, className="number"))
    return html.Tr(cells, className="small-sample" if row.small_sample else "")


def _banded(row: RateRow, words: Words) -> list[Component]:
    """A band with the ratio that it stands for."""
    told = row.band != rates.NO_DATA
    ratio = f"{words('ranking_ratio')} {numerals.rate(row.ratio, words)}" if told else ""
    return [band_chip(row.band, words), html.Small(ratio, className="interval")]


def _sums(table: Ranking, *, level_name: str, width: int, words: Words) -> list[html.Tr]:
    lines = [
        (words("ranking_others", n=table.other_areas), table.others, table.other_areas > 0),
        (words("ranking_retired", n=table.retired_areas), table.retired, table.retired > 0),
        (words("ranking_not_placed", level=level_name), table.not_placed, True),
        (words("ranking_total"), table.total, True),
        (words("ranking_nowhere"), table.placed_nowhere, table.placed_nowhere > 0),
    ]
    return [
        html.Tr(
            [
                html.Td(label),
                html.Td(f"{count:,d}", className="number"),
                html.Td(colSpan=width - 2),
            ]
        )
        for label, count, shown in lines
        if shown
    ]

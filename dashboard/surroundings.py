"""What stands round map and panels: breadcrumb, legend, search results, hover card, footer."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

from dashboard import numerals
from dashboard.elements import Link, html
from dashboard.map.view import AREA_COLOURS, NO_DATA_COLOUR, cell_colours, cell_ranges
from dashboard.markup import attributes
from dashboard.text import catalogue
from data import rates

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dashboard.areas import Area
    from dashboard.map.banded import Measured
    from dashboard.summary import RateRow
    from dashboard.text import Words
    from data.manifest import Manifest
    from data.store import Snapshot

_SUMS: Final = (
    "read", "accepted", "quarantined", "duplicate", "refused", "incidents", "superseded",
    "no_point",
)  # fmt: skip

Component = Any
Step = tuple[str, str]
"""A name and the address that it leads to."""


def breadcrumb(steps: Sequence[Step]) -> list[Component]:
    """The way down from the city to the area in view; the last step is where one is."""
    *above, (here, _) = steps
    links = [Link(name, href=href) for name, href in above]
    return [*links, html.Span(here, className="current", **attributes(aria_current="page"))]


def area_legend(words: Words, *, protected: bool = False) -> list[Component]:
    """Printed half-open bands of the area layer, with the gates that they must pass."""
    edges = rates.BAND_EDGES
    ranges = [
        f"R < {edges[0]:g}",
        *(f"{low:g} ≤ R < {high:g}" for low, high in pairwise(edges)),
        f"R ≥ {edges[-1]:g}",
    ]
    gates = " / ".join(f"{gate:g}" for gate in rates.BAND_GATES)
    rows = [
        _swatch(colour, f"{words(f'band_{band}')}  {printed}")
        for band, (colour, printed) in enumerate(zip(AREA_COLOURS, ranges, strict=True), start=1)
    ]
    return [
        html.Div(words("legend_areas"), className="legend-title"),
        *rows,
        _swatch(NO_DATA_COLOUR, words("withheld" if protected else "band_0"), kind="hatched"),
        _swatch("transparent", words("legend_small"), kind="hatched"),
        html.Details(
            [
                html.Summary(words("legend_more")),
                html.P(words("legend_gate", gates=gates, small=rates.SMALL_SAMPLE)),
                html.P(words("legend_absent")),
            ]
        ),
    ]


def measure_legend(found: Measured, words: Words) -> list[Component]:
    """Printed half-open bands of what the areas' colours show, and how they came about."""
    rows = [_swatch(colour, text) for colour, text in zip(found.colours, found.texts, strict=True)]
    small = [_swatch("transparent", words("legend_small"), kind="hatched")] if found.small else []
    return [
        html.Div(found.title, className="legend-title"),
        *rows,
        _swatch(NO_DATA_COLOUR, found.no_data, kind="hatched"),
        *small,
        html.Details(
            [
                html.Summary(words("legend_more")),
                *(html.P(note) for note in (*found.notes, words("legend_absent"))),
            ]
        ),
    ]


def cell_legend(
    manifest: Manifest, resolution: int, *, drawn: int, no_point: int, whole: bool, words: Words
) -> list[Component]:
    """
    Printed half-open density bands of the cell layer, and the sum that closes it.

    Parameters
    ----------
    drawn, no_point
        Incidents of the window in cells, and those without a point, which no cell can show.
    whole
        Of the whole city; else of own areas, which cells may reach beyond.
    """
    edges = manifest.city["cell_bands"]
    period = words(f"period_{manifest.grain}")
    rows = [
        _swatch(colour, printed)
        for colour, printed in zip(cell_colours(edges), cell_ranges(edges), strict=True)
    ]
    return [
        html.Div(words("legend_cells", period=period), className="legend-title"),
        *rows,
        html.Div(words("legend_cells_below", edge=edges[0]), className="legend-note"),
        html.Div(words("legend_resolution", resolution=resolution), className="legend-note"),
        html.Div(
            words("legend_cells_sum", drawn=f"{drawn:,d}", no_point=f"{no_point:,d}"),
            className="legend-note",
        ),
        *([] if whole else [html.Div(words("legend_cells_own"), className="legend-note")]),
    ]


def search_results(
    found: Sequence[tuple[str, str, str]], text: str, words: Words
) -> list[Component]:
    """
    Areas that match a search, as links.

    Parameters
    ----------
    found
        Name, what it lies in, and address of each.
    """
    if not found:
        return [html.P(words("search_none", text=text), className="search-none", role="status")]
    return [
        Link([html.Div(name), html.Small(place, className="panel-note")], href=href)
        for name, place, href in found
    ]


def rate_terms(
    row: RateRow, *, unit: str, period: str, words: Words
) -> list[tuple[str, Component]]:
    """A rate with its interval, what it leans on, its ratio to the city's and its probability."""
    interval = numerals.interval(row.lower, row.upper)
    return [
        (words("kpi_rate", unit=unit, period=period), numerals.rate(row.rate, words)),
        (words("arithmetic_interval"), interval or words("no_value")),
        (words("arithmetic_prior"), numerals.rate(row.prior_rate, words)),
        (words("arithmetic_ratio"), numerals.rate(row.ratio, words)),
        (words("arithmetic_p"), numerals.probability(row.p_above, words)),
    ]


def exposure_unit(snapshot: Snapshot, words: Words) -> str:
    """What rates are told for: 10,000 residents, 1,000 households or km²."""
    city = snapshot.manifest.city
    return words.pick(city["exposure_unit_zh"], city["exposure_unit_en"])


def hover_terms(items: Sequence[tuple[str, Component]], area: Area) -> html.Div:
    """Terms and values about one area, marked with which."""
    terms = [part for term, value in items for part in (html.Dt(term), html.Dd(value))]
    return html.Div(
        html.Dl(terms, className="arithmetic"),
        **attributes(data_key=f"{area.level}:{area.index}"),
    )


def footer(manifest: Manifest, words: Words, *, whole: bool) -> list[Component]:
    """
    Date, snapshot and notices, on every page.

    Parameters
    ----------
    whole
        With the row account, which speaks of the whole city.
    """
    city = manifest.city
    sums = {name: f"{manifest.rows[name]:,d}" for name in _SUMS}
    titles = [words.pick(entry["title_zh"], entry["title_en"]) for entry in manifest.raw["sources"]]
    joined = ", ".join(titles)
    account = [
        html.Span(words("footer_rows", **sums)),
        html.Span(words("footer_incidents", **sums)),
        html.Details(
            [
                html.Summary(words("footer_reasons")),
                html.Ul([html.Li(line) for line in account_lines(manifest, words)]),
            ],
            className="account",
        ),
    ]
    return [
        html.Span(words.pick(city["notice_zh"], city["notice_en"]), className="notice"),
        *(account if whole else []),
        html.Span(words("footer_as_of", as_of=manifest.raw["periods"]["as_of"])),
        html.Span(words("footer_sources", sources=joined), className="sources"),
        html.Span(words("footer_snapshot", snapshot=manifest.id), className="snapshot"),
    ]


def account_lines(manifest: Manifest, words: Words) -> list[str]:
    """Say why rows were turned away, whose point is of no use, and what is not placed where."""
    rows = manifest.rows
    levels = {entry["level"]: entry for entry in manifest.levels}
    turned_away = [
        words("footer_quarantined", reason=_reason(code, words), rows=f"{count:,d}")
        for code, count in rows["quarantine_reasons"].items()
    ]
    refused = [
        words("footer_refused", reason=_reason(code, words), rows=f"{count:,d}")
        for code, count in rows["refused_reasons"].items()
    ]
    dropped = [
        words("footer_points_dropped", reason=_reason(code, words), rows=f"{count:,d}")
        for code, count in rows["points_dropped"].items()
    ]
    not_placed = [
        words(
            "footer_not_placed",
            level=words.pick(levels[level]["name_zh"], levels[level]["name_en"]),
            rows=f"{count:,d}",
        )
        for level, count in rows["not_placed"].items()
    ]
    return [*turned_away, *refused, *dropped, *not_placed]


def _reason(code: str, words: Words) -> str:
    """Reason in words; one that the catalogue does not know stays a code."""
    return words(f"reason_{code}") if f"reason_{code}" in catalogue() else code


def header(manifest: Manifest, words: Words, *, protected: bool = False) -> list[Component]:
    """City, and the marks of demonstration data and of protected figures."""
    city = manifest.city
    badge = html.Span(words.pick(city["notice_zh"], city["notice_en"]), className="demo-badge")
    return [
        html.Span(words.pick(city["name_zh"], city["name_en"]), className="city-name"),
        *([badge] if city["demo"] else []),
        *([html.Span(words("protected_badge"), className="demo-badge")] if protected else []),
    ]


def map_note(days: str, notice: str) -> list[html.Span]:
    """Which days the map shows, hidden while it plays others, and whose base map it is."""
    whose = [html.Span(f" · {notice}", className="map-notice")] if notice else []
    return [html.Span(days, className="map-days"), *whose]


def _swatch(colour: str, text: str, *, kind: str = "") -> html.Div:
    mark = html.Span(className=f"legend-swatch {kind}".strip(), style={"backgroundColor": colour})
    return html.Div([mark, html.Span(text)], className="legend-row")

"""Small tables that need no sorting, and terms with their values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dashboard.elements import html

if TYPE_CHECKING:
    from collections.abc import Sequence

Component = Any


def table(
    heads: Sequence[str],
    rows: Sequence[Sequence[Component]],
    *,
    numbers: int = 0,
    foot: Sequence[Sequence[Component]] = (),
) -> html.Div:
    """
    Draw a plain table.

    Parameters
    ----------
    numbers
        How many of the last columns hold numbers.
    foot
        Rows that close it, sums for instance.
    """
    first = len(heads) - numbers
    head = html.Tr(
        [
            html.Th(text, scope="col", className="number" if at >= first else "")
            for at, text in enumerate(heads)
        ]
    )

    def lines(body: Sequence[Sequence[Component]]) -> list[html.Tr]:
        return [
            html.Tr(
                [
                    html.Td(cell, className="number" if at >= first else "")
                    for at, cell in enumerate(row)
                ]
            )
            for row in body
        ]

    parts = [html.Thead(head), html.Tbody(lines(rows))]
    if foot:
        parts.append(html.Tfoot(lines(foot)))
    return html.Div(html.Table(parts, className="desk-table"), className="table-box")


def fold(summary: str, *content: Component) -> html.Details:
    """What is behind a fold."""
    return html.Details([html.Summary(summary), *content], className="glass")

"""
The one way to a table that can be sorted, filtered and given out: dash-ag-grid, set up once.

Numbers travel as numbers and are printed in the browser by the functions of `assets/desk_grid.js`;
no text of ours is ever run as code, so the content policy needs no exception.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import itertools
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

import dash_ag_grid
from dash import dcc

from dashboard.desk import library
from dashboard.elements import html
from dashboard.markup import attributes
from dashboard.pages.reasons import SHORTEST
from dashboard.text import catalogue
from data.access import decide

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dashboard.text import Words
    from data.access import Scope
    from data.store import Snapshot

library.keep_lazy()

Kind = Literal[
    "text", "link", "count", "number", "change", "range", "share", "p", "chip", "flag", "spark"
]

ROW: Final = 36
"""Height of a row and of the heading, pixels."""

MOST_ROWS: Final = 14
"""Rows shown without scrolling inside the table."""

LISTED: Final = 300
"""Rows that are sent; more would make the answer too large to be quick."""

_WHOLE: Final = ("chip", "flag", "spark")
"""Kinds that cannot be cut short."""

NARROWEST: Final = 0.8
"""Share of its width that a column keeps in a narrow window; then the table scrolls sideways."""

_NUMERIC: Final = ("count", "number", "change", "range", "share", "p")
_PRINTED: Final[Mapping[str, str]] = {
    "count": "deskCount(params)",
    "number": "deskNumber(params)",
    "change": "deskChange(params)",
    "range": "deskRange(params)",
    "share": "deskShare(params)",
    "p": "deskProbability(params)",
    "chip": "deskLabel(params)",
    "flag": "deskFlag(params)",
}
"""Function of `assets/desk_grid.js` that prints a kind, on screen and in a file."""

_DRAWN: Final[Mapping[str, str]] = {
    "link": "DeskLink",
    "chip": "DeskChip",
    "flag": "DeskMark",
    "spark": "DeskSpark",
}
"""Component of the same file that draws a kind which is more than its text."""

_WIDTHS: Final[Mapping[str, int]] = {
    "link": 170,
    "text": 130,
    "chip": 110,
    "flag": 116,
    "spark": 130,
    "range": 140,
}


@dataclass(frozen=True)
class Column:
    """
    One column.

    Attributes
    ----------
    field
        Key of its value in a row.
    hint
        What the heading explains when one rests on it.
    more
        What its drawing needs: `href` (key of the address in a row), `labels` and `tints` by
        value, `hints` (key of a cell's explanation), `p` (key of the probability of a mark), `to`
        (key of the upper end of a range).
    group
        Heading over it and the columns next to it that name the same.
    is_fixed
        Stays at the left when the table scrolls sideways.
    may_go
        Is left out where every row says the same.
    """

    field: str
    title: str
    kind: Kind = "text"
    hint: str = ""
    width: int = 0
    sort: Literal["", "asc", "desc"] = ""
    group: str = ""
    is_fixed: bool = False
    may_go: bool = False
    more: Mapping[str, Any] = dataclasses.field(default_factory=dict)


def table(
    name: str,
    columns: Sequence[Column],
    rows: Sequence[Mapping[str, Any]],
    *,
    scope: Scope,
    snapshot: Snapshot,
    words: Words,
    label: str,
    total: int = 0,
    leads: bool = False,
    marked: str = "",
) -> html.Div:
    """
    Draw a table with its search box and its export.

    Parameters
    ----------
    name
        Unique on the page; names the file too.
    rows
        Values by the columns' fields; None and NaN = not known. `id` names the row. At most
        `LISTED`: the caller chooses which.
    total
        Rows that there are, where not all are listed.
    label
        What the table holds, for those who do not see it.
    leads
        A click anywhere in a row follows its first link.
    marked
        Id of the row that the page is about.
    """
    columns = [column for column in columns if not _says_nothing(column, rows)]
    most = min(max(len(rows), 2), MOST_ROWS)
    heads = 2 if any(column.group for column in columns) else 1
    told = {"none": words("no_value"), "yes": words("grid_yes"), "lang": words.lang}
    # The class typed by the library takes `dict`, not mappings.
    options: dict[str, Any] = {
        "rowHeight": ROW,
        "headerHeight": ROW,
        "localeText": locale(words),
        "animateRows": False,
        "tooltipShowDelay": 200,
        "enableCellTextSelection": True,
        "ensureDomOrder": True,
        "suppressColumnVirtualisation": True,
        # What the printing functions need, and the row to mark.
        "context": told | {"marked": marked},
    }
    return html.Div(
        [
            _tools(name, scope, snapshot, words, rows=len(rows), total=total),
            dash_ag_grid.AgGrid(
                id=f"grid-{name}",
                rowData=[_plain(row) for row in rows],
                columnDefs=_definitions(columns),
                defaultColDef={
                    "sortable": True,
                    "resizable": True,
                    "filter": True,
                    "suppressMovable": True,
                    "minWidth": 70,
                    "wrapHeaderText": True,
                },
                dashGridOptions=options,
                getRowId="params.data.id",
                columnSize="responsiveSizeToFit",
                className="desk-grid",
                style={"height": f"{ROW * (most + heads) + 4}px"},
            ),
        ],
        className="grid-box row-leads" if leads else "grid-box",
        role="group",
        **attributes(aria_label=label),
    )


def locale(words: Words) -> dict[str, str]:
    """The grid's own words, by its names for them."""
    prefix = "grid_own_"
    names = [key.removeprefix(prefix) for key in catalogue() if key.startswith(prefix)]
    # The one with a place of its own is filled in by the grid.
    return {_camel(name): words(f"grid_own_{name}", variable="${variable}") for name in names}


def _tools(
    name: str, scope: Scope, snapshot: Snapshot, words: Words, *, rows: int, total: int
) -> html.Div:
    """Search box, number of rows, export; the latter for those who may give figures out."""
    count = words("grid_rows", n=f"{rows:,d}")
    if total > rows:
        count = words("grid_rows_of", n=f"{rows:,d}", m=f"{total:,d}")
    may_export = decide(scope, "export").is_allowed
    stamp = words("grid_stamp", snapshot=snapshot.id, user=scope.user)
    export = html.Button(
        words("grid_export"),
        className="button grid-export",
        **attributes(
            data_grid=f"grid-{name}",
            data_stamp=stamp,
            data_file=f"pingan-{name}",
            data_ask=words("grid_export_reason", n=SHORTEST),
            data_refused=words("grid_export_refused"),
        ),
    )
    return html.Div(
        [
            dcc.Input(
                type="search",
                className="grid-search",
                placeholder=words("grid_find"),
                id=f"find-{name}",
                maxLength=60,
                autoComplete="off",
                n_submit=0,
            ),
            html.Span(count, className="grid-rows"),
            *([export] if may_export else []),
        ],
        className="grid-tools",
    )


def _says_nothing(column: Column, rows: Sequence[Mapping[str, Any]]) -> bool:
    """Whether a column of text that may go says the same in every one of several rows."""
    return column.may_go and len(rows) > 1 and len({row.get(column.field) for row in rows}) == 1


def _definitions(columns: Sequence[Column]) -> list[dict[str, Any]]:
    """Every column, those of one group under its heading."""
    made: list[dict[str, Any]] = []
    for group, members in itertools.groupby(columns, key=lambda column: column.group):
        found = [_definition(column) for column in members]
        made += [{"headerName": group, "children": found}] if group else found
    return made


def _definition(column: Column) -> dict[str, Any]:
    kind, width = column.kind, column.width or _WIDTHS.get(column.kind, 104)
    made: dict[str, Any] = {
        "field": column.field,
        "headerName": column.title,
        "headerTooltip": column.hint or column.title,
        "minWidth": width if kind in _WHOLE else int(width * NARROWEST),
        "initialWidth": width,
        "cellRendererParams": dict(column.more),
        "filter": "agNumberColumnFilter" if kind in _NUMERIC else "agTextColumnFilter",
        "cellDataType": "number" if kind in _NUMERIC else False,
    }
    if kind in _NUMERIC:
        made["type"] = "rightAligned"
    if kind in _PRINTED:
        made["valueFormatter"] = {"function": _PRINTED[kind]}
    if kind in ("chip", "flag"):
        made["filterValueGetter"] = {"function": _PRINTED[kind]}
    if kind in _DRAWN:
        made["cellRenderer"] = _DRAWN[kind]
    if kind == "spark":
        made |= {"sortable": False, "filter": False}
    if "hints" in column.more:
        made["tooltipField"] = column.more["hints"]
    if column.sort:
        made["initialSort"] = column.sort
    if column.is_fixed:
        made["pinned"] = "left"
    return made


def _plain(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row for JSON: what is not a finite number is unknown, days are text."""
    return {key: _value(value) for key, value in row.items()}


def _value(value: Any) -> Any:
    if hasattr(value, "item"):
        value = value.item()
    if isinstance(value, float):
        return round(value, 6) if math.isfinite(value) else None
    return value.isoformat() if isinstance(value, dt.date) else value


def _camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(part.capitalize() for part in others)

"""
Tables of a view as a file that somebody takes away: what, of where, when, by whom and why.

Only what the account may export is in it: the scope is narrowed to the grants that give exports.
"""

from __future__ import annotations

import csv
import io
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell

from dashboard import controls, queries
from dashboard.areas import Area, hierarchy
from dashboard.safe_cells import safe_cell
from dashboard.text import Words
from dashboard.view import settle

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable

    from dashboard.view import View
    from data.access import Scope
    from data.store import Snapshot

FORMATS: Final = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
"""Format to the type of the answer."""

Cell = str | int | float | None


@dataclass(frozen=True)
class Sheet:
    """One table: its name, its headings, its rows."""

    name: str
    heads: list[str]
    rows: list[list[Cell]]

    @property
    def lines(self) -> list[list[Cell]]:
        """Headings, then rows."""
        return [list(self.heads), *self.rows]


@dataclass(frozen=True)
class Export:
    """A view as tables, the one about it first."""

    sheets: tuple[Sheet, ...]
    what: str
    """Level, focus and window, in words."""


def tables(scope: Scope, snapshot: Snapshot, address: str, *, mark: str, reason: str) -> Export:
    """
    Every area of the shown level inside the focus, with its figures, and the focus's trend.

    Parameters
    ----------
    scope
        Narrowed to what may be exported.
    mark
        Watermark: who and when.

    Raises
    ------
    NotVisibleError
        The scope covers no area.
    """
    queries.exact(scope)
    view = settle(scope, snapshot, address)
    words = Words(view.state.lang)
    window = view.selection.window
    name = _name(scope, snapshot, view.focus, words)
    level = controls.level_name(snapshot, view.level, words)
    what = f"{level} · {name} · {words('week_range', first=window.start, last=window.last_day)}"
    about = [
        [words("export_mark"), mark],
        [words("export_reason"), reason],
        [words("export_what"), what],
        [words("category"), view.state.category or words("category_all")],
        [words("severity"), words(f"severity_{view.state.severity}")],
        [words("export_snapshot"), snapshot.id],
        [words("export_notice"), _notice(snapshot, words)],
    ]
    sheets = (
        Sheet(words("export_about"), ["", ""], [list(row) for row in about]),
        _areas(scope, snapshot, view, words),
        _trend(scope, snapshot, view, words),
    )
    return Export(sheets, what)


def written(export: Export, kind: str) -> bytes:
    """The file's bytes in one of `FORMATS`."""
    return _csv(export) if kind == "csv" else _workbook(export)


def _areas(scope: Scope, snapshot: Snapshot, view: View, words: Words) -> Sheet:
    tree, window = hierarchy(scope, snapshot), view.selection.window
    areas = tree.at(view.level)
    rates = queries.level_rates(scope, snapshot, view.level, view.selection)
    inside = tree.inside(view.level, view.focus) & areas.valid_on(window.last_day)
    rows: list[list[Cell]] = []
    names = areas.names(words.lang)
    for index in np.flatnonzero(inside).tolist():
        band = int(rates.band[index])
        rows.append(
            [
                str(areas.codes[index]),
                str(names[index]),
                int(rates.count[index]),
                _number(rates.exposure[index]),
                _number(rates.rate[index]),
                _number(rates.ratio[index], digits=1 if not scope.sees_all else 3),
                words(f"band_{band}"),
                words("map_small_sample") if rates.small_sample[index] and band else "",
            ]
        )
    total = int(
        queries.window_counts(scope, snapshot, view.focus.level, view.selection)[view.focus.index]
    )
    listed = sum(row[2] for row in rows if isinstance(row[2], int))
    level = controls.level_name(snapshot, view.level, words)
    rows.append(["", words("ranking_not_placed", level=level), total - listed, *[None] * 5])
    rows.append(["", words("ranking_total"), total, *[None] * 5])
    heads = ("code", "area", "count", "exposure", "rate", "ratio", "band", "note")
    return Sheet(words("export_areas"), [words(f"export_head_{head}") for head in heads], rows)


def _trend(scope: Scope, snapshot: Snapshot, view: View, words: Words) -> Sheet:
    series = queries.area_series(scope, snapshot, view.subject, view.selection)
    rows: list[list[Cell]] = [
        [start.isoformat(), int(count)]
        for start, count in zip(series.starts, series.counts.tolist(), strict=True)
    ]
    name = _name(scope, snapshot, view.subject, words)
    heads = [words("export_head_start"), f"{words('export_head_count')} · {name}"]
    return Sheet(words("export_trend"), heads, rows)


def _csv(export: Export) -> bytes:
    """One table below the other; a byte order mark, which spreadsheet programs ask for."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\r\n")
    for sheet in export.sheets:
        writer.writerow([safe_cell(sheet.name)])
        writer.writerows(_safe(row) for row in sheet.lines)
        writer.writerow([])
    return stream.getvalue().encode("utf-8-sig")


def _workbook(export: Export) -> bytes:
    book = Workbook(write_only=True)
    for sheet in export.sheets:
        page = book.create_sheet(sheet.name[:31])
        for row in sheet.lines:
            page.append([_typed(page, value) for value in _safe(row)])
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def _typed(page: Any, value: Cell) -> Any:
    """Text stays text, whatever it begins with."""
    cell = WriteOnlyCell(page, value=value)
    if isinstance(value, str):
        cell.data_type = "s"
    return cell


def _safe(row: Iterable[Cell]) -> list[Cell]:
    return [safe_cell(value) if isinstance(value, str) else value for value in row]


def _number(value: float, *, digits: int = 6) -> float | None:
    return None if math.isnan(value) else round(float(value), digits)


def _name(scope: Scope, snapshot: Snapshot, area: Area, words: Words) -> str:
    return str(hierarchy(scope, snapshot).at(area.level).names(words.lang)[area.index])


def _notice(snapshot: Snapshot, words: Words) -> str:
    city = snapshot.manifest.city
    return words.pick(city["notice_zh"], city["notice_en"])


def file_name(snapshot: Snapshot, now: dt.datetime, kind: str) -> str:
    """Name of the file: plain ASCII, told apart by snapshot and time."""
    return f"pingan-{snapshot.id[:15]}-{now:%Y%m%dT%H%M%S}.{kind}"

"""
The header of a ledger: which of the first rows it is, and how its levels are read.

Above the header stand merged titles, the reporting unit, a date. The header itself has one to
three rows; a merged group heading counts for every column below it. The block of rows that names
most of the source's columns is the header; where the source names none of them, the first row as
full as a header is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from etl.sources.cell_text import code_text
from etl.sources.heading_match import Levels, Match, column_names, match_columns

if TYPE_CHECKING:
    from collections.abc import Sequence

    from data.source import Source
    from etl.sources.workbook import Merge

HEAD_ROWS: Final = 40
"""Rows in which a header is looked for."""
DEEPEST: Final = 3

_FULL: Final = 0.6
"""Share of the fullest row's headings from which a row may be the header."""

Grid = list[list[str]]


@dataclass(frozen=True)
class Header:
    """
    A header found.

    Attributes
    ----------
    first, last
        Its rows on the sheet, counted from 0.
    names
        One name a column, "" = column without a heading.
    match
        Which of them are the source's columns.
    """

    first: int
    last: int
    names: tuple[str, ...]
    match: Match


def find_header(
    rows: Sequence[Sequence[Any]], merges: Sequence[Merge], source: Source
) -> Header | None:
    """
    Find the header among the first rows of a sheet; None = the sheet has no table.

    Parameters
    ----------
    rows
        The first `HEAD_ROWS` rows or fewer, each as wide as the sheet.
    merges
        Merged ranges of the sheet.
    """
    grid = _filled(rows, merges)
    best: tuple[int, int, int] | None = None
    for depth in range(1, DEEPEST + 1):
        for first in range(len(grid) - depth + 1):
            levels = _levels(grid, first, first + depth - 1)
            found = len(match_columns(levels, source).columns)
            if found and (best is None or found > best[0]):
                best = (found, first, first + depth - 1)
    if best is None or best[0] == 1 < len(source.allowed):
        row = _fullest(grid)
        if row is None:
            return None
        best = (0, row, row)
    first, last = _extended(grid, merges, best[1], best[2])
    levels = _levels(grid, first, last)
    match = match_columns(levels, source)
    if best[0] and _is_subheading(grid, last + 1, match):
        last += 1
        levels = _levels(grid, first, last)
        match = match_columns(levels, source)
    return Header(first, last, tuple(column_names(levels)), match)


def _filled(rows: Sequence[Sequence[Any]], merges: Sequence[Merge]) -> Grid:
    """Texts of the rows, every merged range filled with its first cell."""
    grid = [[code_text(value) or "" for value in row] for row in rows]
    for top, left, bottom, right in merges:
        if top >= len(grid) or left >= len(grid[top]):
            continue
        for row in grid[top : bottom + 1]:
            row[left : right + 1] = [grid[top][left]] * len(row[left : right + 1])
    return grid


def _levels(grid: Grid, first: int, last: int) -> list[Levels]:
    block = [list(row) for row in grid[first : last + 1]]
    for upper in block[:-1]:
        # A group heading that was not merged stands over its first column only.
        for column in range(1, len(upper)):
            if not upper[column] and block[-1][column]:
                upper[column] = upper[column - 1]
    return [tuple(dict.fromkeys(filter(None, column))) for column in zip(*block, strict=True)]


def _fullest(grid: Grid) -> int | None:
    counts = [len({text for text in row if text}) for row in grid]
    most = max(counts, default=0)
    if most == 0:
        return None
    return next(row for row, count in enumerate(counts) if count >= _FULL * most)


def _extended(grid: Grid, merges: Sequence[Merge], first: int, last: int) -> tuple[int, int]:
    """Rows of the header with those that merged cells tie to it."""
    while last + 1 < len(grid) and any(
        first <= top <= last < bottom for top, _, bottom, _ in merges
    ):
        last += 1
    while first > 0 and last - first + 1 < DEEPEST and _is_tied(grid, merges, first):
        first -= 1
    return first, last


def _is_tied(grid: Grid, merges: Sequence[Merge], row: int) -> bool:
    """Whether the row above is a part of the header: a merged cell reaches from it into this."""
    above = row - 1
    return any(top <= above < row <= bottom for top, _, bottom, _ in merges) and (
        len({text for text in grid[above] if text}) > 1
    )


def _is_subheading(grid: Grid, row: int, match: Match) -> bool:
    """Whether a row divides headings above it, and holds nothing in a column of the source."""
    if row >= len(grid) or any(grid[row][column] for column in match.columns.values()):
        return False
    above, here = grid[row - 1], grid[row]
    divided = (
        column
        for column in range(1, len(here))
        if here[column] and (not above[column] or above[column] == above[column - 1])
    )
    return next(divided, None) is not None and not any(
        text.replace(".", "", 1).isdigit() for text in here
    )

"""
A report as a row of blocks, without any layout: page, Word, PDF and workbook are made from it.

Each figure is formatted once, here and not in the renderers; a table's cell holds the number
beside its text, for the workbook.
"""

from __future__ import annotations

from dataclasses import dataclass, field

Number = int | float


@dataclass(frozen=True)
class Cell:
    """
    One cell of a table.

    Attributes
    ----------
    value
        The number that the text tells, as it is stored; None for words, and for what is not known.
    colour
        0 grey, 1 to 4, of the index; None where the cell is in no colour.
    """

    text: str
    value: Number | None = None
    colour: int | None = None


@dataclass(frozen=True)
class Column:
    """A column: its heading, whether it holds numbers, and its share of the width."""

    title: str
    is_number: bool = False
    width: float = 1.0


@dataclass(frozen=True)
class Heading:
    """A heading of the first level (1) or the second."""

    text: str
    level: int = 1


@dataclass(frozen=True)
class Paragraph:
    """
    A paragraph.

    Attributes
    ----------
    lead
        What it begins with, printed bold.
    is_note
        Small print.
    """

    text: str
    lead: str = ""
    is_note: bool = False


@dataclass(frozen=True)
class Figure:
    """A number that is read first: its name, its value, what it is compared with."""

    name: str
    text: str
    detail: str = ""
    colour: int | None = None


@dataclass(frozen=True)
class Figures:
    """Numbers side by side."""

    items: tuple[Figure, ...]


@dataclass(frozen=True)
class Table:
    """
    A table; `name` is that of its sheet in the workbook.

    Attributes
    ----------
    note
        What its figures are and what they are compared with.
    is_appendix
        Left out of page, Word and PDF, which name the areas that matter; the workbook has it.
    """

    name: str
    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    note: str = ""
    is_appendix: bool = False


@dataclass(frozen=True)
class Maps:
    """
    Two maps side by side: the colours of a level now and a week before.

    Attributes
    ----------
    level
        Level whose areas are coloured.
    now, before
        Colour by code.
    titles
        Of the two maps.
    legend
        Colour (0 to 4), its name, and how many areas have it now.
    names
        Code to name, of the areas that are named on the map.
    """

    level: str
    now: dict[str, int]
    before: dict[str, int]
    titles: tuple[str, str]
    legend: tuple[tuple[int, str, int], ...]
    names: dict[str, str]
    note: str = ""


Block = Heading | Paragraph | Figures | Table | Maps


@dataclass(frozen=True)
class Document:
    """
    A report.

    Attributes
    ----------
    masthead
        Name of the report; its number; publisher; date.
    headline
        The week in one sentence.
    tints
        Colours of the index from grey to red, as `#rrggbb`.
    foot
        Notice of the city, snapshot, version: on every page of every document.
    """

    lang: str
    title: str
    subtitle: str
    number: str
    publisher: str
    dated: str
    headline: str
    blocks: tuple[Block, ...]
    tints: tuple[str, ...]
    foot: tuple[str, ...]
    copies: str = ""
    correction: str = ""
    properties: dict[str, str] = field(default_factory=dict)

    def tables(self) -> list[Table]:
        """Every table, those of the appendix included."""
        return [block for block in self.blocks if isinstance(block, Table)]

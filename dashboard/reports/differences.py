"""What a correction changed: figures, paragraphs and cells that read otherwise than before."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from dashboard.reports.document import Figures, Heading, Paragraph

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dashboard.reports.document import Document, Table


class Difference(NamedTuple):
    """
    One figure of two versions.

    Attributes
    ----------
    where
        Name of the table; empty for a figure that is read first, and for a paragraph.
    name
        Row of the table, name of the figure, or the paragraph's own beginning or heading.
    column
        Column of the table; empty for a figure.
    old, new
        Texts; empty where a version lacks it.
    """

    where: str
    name: str
    column: str
    old: str
    new: str


class _Key(NamedTuple):
    where: str
    row: str
    column: str
    is_text: bool = False
    """A sentence, which may bear the name of a figure."""


def differences(old: Document, new: Document) -> list[Difference]:
    """
    Compare two versions of an edition in one language, in the order of the new one.

    What a table of the page tells is not told a second time for those of the workbook.
    """
    was, now = dict(_texts(old)), dict(_texts(new))
    pages = {table.name for one in (old, new) for table in one.tables() if not table.is_appendix}
    told: set[tuple[str, str, str, str]] = set()
    found = []
    for key in dict.fromkeys((*now, *was)):
        label, after = now.get(key, (was.get(key, ("", ""))[0], ""))
        before = was.get(key, ("", ""))[1]
        same = (label, key.column, before, after)
        if key.where in pages:
            told.add(same)
        if before == after or (key.where not in pages and same in told):
            continue
        found.append(Difference(key.where, label, key.column, before, after))
    return found


def _texts(document: Document) -> Iterator[tuple[_Key, tuple[str, str]]]:
    """Label and text of all that is read: in order of the page, then of its and other tables."""
    yield _Key("", "", "", is_text=True), (document.title, document.headline)
    heading, seen = document.title, dict[str, int]()
    for block in document.blocks:
        if isinstance(block, Heading):
            heading = block.text
        elif isinstance(block, Figures):
            for item in block.items:
                text = f"{item.text} · {item.detail}" if item.detail else item.text
                yield _Key("", item.name, ""), (item.name, text)
        elif isinstance(block, Paragraph):
            label = block.lead or heading
            place = f"{heading} · {block.lead}"
            seen[place] = seen.get(place, 0) + 1
            yield _Key("", f"{place} {seen[place]}", "", is_text=True), (label, block.text)
    for table in sorted(document.tables(), key=lambda one: one.is_appendix):
        yield from _cells(table)


def _cells(table: Table) -> Iterator[tuple[_Key, tuple[str, str]]]:
    """Cells under their table, row and column; a second row of one name is told as that."""
    seen: dict[str, int] = {}
    for row in table.rows:
        first = row[0].text
        seen[first] = seen.get(first, 0) + 1
        # A row of the workbook begins with the code, which nobody knows by heart.
        labelled = 1 if len(row) > 1 and _is_code(first) else 0
        label = row[labelled].text
        after = labelled + 1
        for column, cell in zip(table.columns[after:], row[after:], strict=True):
            key = _Key(table.name, f"{first} {seen[first]}", column.title)
            yield key, (label, cell.text)


def _is_code(text: str) -> bool:
    return text.isascii() and any(char.isdigit() for char in text)

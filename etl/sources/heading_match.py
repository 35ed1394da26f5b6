"""
Headings of ledgers: when two of them mean the same column.

Headings are compared without spaces, line breaks, asterisks and what stands in brackets (units,
「必填」), so that `*发生日期(YYYYMMDD)` is `发生日期`. Where the exact heading is there as well, it
wins. Beyond that, aliases decide: those of the source, then those shipped in
`data/reference/ledger_aliases.csv`.
"""

from __future__ import annotations

import csv
import functools
import re
import unicodedata
from dataclasses import dataclass, field
from importlib.resources import files
from typing import TYPE_CHECKING, Final

from etl.sources.chunks import SourceError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from data.source import Source

JOINT: Final = "·"
"""Between the levels of a heading: `事发位置·经度`."""
SHIPPED: Final = ("reference", "ledger_aliases.csv")

_BRACKETS: Final = re.compile(
    r"\([^()]*\)|\[[^\[\]]*\]|【[^【】]*】|〔[^〔〕]*〕|<[^<>]*>|\{[^{}]*\}"
)
_DROPPED: Final = re.compile(r"[\s*★☆※●:;,.。、\"'_\-]+")
_UNIT: Final = re.compile(r"[/|](?:°|度|元|人|户|米|公里|小时|天|m|km|㎡|平方米)$")

Levels = tuple[str, ...]
"""Heading of one column, highest level first; () = no heading."""


@dataclass
class Match:
    """
    Which column means which of ours.

    Attributes
    ----------
    columns
        Ours to the position in the list of headings.
    ambiguous
        Ours to the headings that could all be meant.
    missing
        Theirs that no heading means.
    """

    columns: dict[str, int] = field(default_factory=dict)
    ambiguous: dict[str, list[str]] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)

    @property
    def fits(self) -> bool:
        """Whether every column of ours has exactly one."""
        return not self.ambiguous and not self.missing


@functools.lru_cache(maxsize=4096)
def plain(heading: str) -> str:
    """Heading without spaces and line breaks, full-width letters made narrow."""
    return "".join(unicodedata.normalize("NFKC", heading).split())


@functools.lru_cache(maxsize=4096)
def heading_key(heading: str) -> str:
    """What two headings of the same meaning have in common."""
    text = plain(heading).lower()
    bare = text
    while (shorter := _BRACKETS.sub("", bare)) != bare:
        bare = shorter
    bare = _DROPPED.sub("", _UNIT.sub("", bare))
    # A heading that is nothing but brackets is its own name.
    return bare or text


def column_names(levels: Sequence[Levels]) -> list[str]:
    """One name a column: the lowest level where no other column has it, else all joined."""
    lowest = [plain(column[-1]) if column else "" for column in levels]
    return [
        "" if not column else name if lowest.count(name) == 1 else JOINT.join(map(plain, column))
        for column, name in zip(levels, lowest, strict=True)
    ]


def match_columns(levels: Sequence[Levels], source: Source) -> Match:
    """Find the columns of a source among headings; an exact heading wins over a like one."""
    match = Match()
    names = column_names(levels)
    joined = [JOINT.join(map(plain, column)) for column in levels]
    own, shipped = _aliases(source)
    allowed = source.allowed
    claimed: set[int] = set()
    open_ours = dict(allowed)
    for read, wanted in (
        (plain, {ours: {theirs} for ours, theirs in allowed.items()}),
        (heading_key, {ours: {theirs} for ours, theirs in allowed.items()}),
        (heading_key, own),
        (heading_key, shipped),
    ):
        keys = [{read(name), read(path)} - {""} for name, path in zip(names, joined, strict=True)]
        found: dict[str, int] = {}
        for ours in list(open_ours):
            meant = {read(theirs) for theirs in wanted.get(ours, ())}
            hits = [at for at, key in enumerate(keys) if key & meant and at not in claimed]
            if len(hits) > 1:
                match.ambiguous[ours] = [joined[at] for at in hits]
            elif hits:
                found[ours] = hits[0]
            if hits:
                del open_ours[ours]
        claimed |= set(found.values())
        match.columns |= found
    match.missing = list(dict.fromkeys(open_ours.values()))
    return match


def _aliases(source: Source) -> tuple[Mapping[str, set[str]], Mapping[str, set[str]]]:
    own = {} if source.aliases is None else _read_aliases(source.aliases)
    return own, _shipped_aliases()


@functools.cache
def _shipped_aliases() -> Mapping[str, set[str]]:
    text = files("data").joinpath(*SHIPPED).read_text(encoding="utf-8-sig")
    return _parse_aliases(text, SHIPPED[-1])


def _read_aliases(path: Path) -> Mapping[str, set[str]]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        text = path.read_text(encoding="gb18030")
    return _parse_aliases(text, path.name)


def _parse_aliases(text: str, name: str) -> Mapping[str, set[str]]:
    reader = csv.DictReader(text.splitlines())
    if not {"ours", "theirs"} <= set(reader.fieldnames or ()):
        raise SourceError(f"cannot be matched: aliases {name} need the header ours,theirs")
    aliases: dict[str, set[str]] = {}
    for row in reader:
        aliases.setdefault(row["ours"].strip(), set()).add(row["theirs"])
    return aliases

"""
Code books: the codes that ledgers use, and what they mean in the product's own taxonomy.

The books ship as CSV under `data/reference`, listed in its `index.toml`. A source names the book of
its categories (`category_book`), so that a city need not write the mapping out.
"""

from __future__ import annotations

import csv
import tomllib
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from data.city import Category
    from data.source import Source

CATEGORY: Final = "category"
"""`kind` of the books whose codes say what an incident is about."""

_FOLDER: Final = "reference"
_INDEX: Final = "index.toml"
_TAXONOMY: Final = "taxonomy.csv"
_BRACKETS: Final = (str.maketrans("()", "（）"), str.maketrans("（）", "()"))


class CodeBookError(ValueError):
    """There is no such code book; the message names those that there are."""


@dataclass(frozen=True)
class Code:
    """
    One code of a book.

    Attributes
    ----------
    taxonomy
        Code of the product's taxonomy that it maps to; None = it maps to none.
    refused
        Why rows of this code are turned away (`petition`, `belief` …); None = they are not.
    """

    code: str
    parent_code: str | None
    name_zh: str
    name_en: str
    taxonomy: str | None
    refused: str | None


@dataclass(frozen=True)
class TaxonomyCode:
    """
    One category of the product's taxonomy; `parent_code` is None at the top.

    `sensitive` says why its figures are shown late, from the county level up only (`homicide`,
    `sexual_offence`, `minors`, `domestic_violence`); None = it is not.
    """

    code: str
    parent_code: str | None
    name_zh: str
    name_en: str
    sensitive: str | None


@dataclass(frozen=True)
class CodeBook:
    """
    One book.

    Attributes
    ----------
    kind
        What its codes say: `category`, `severity`, `scale`, `outcome`, `resolution` …
    version
        Year of the standard, or our own count where `own_codes`.
    evidence
        V = read in the standard, S = read on a page about it, M = to be checked.
    own_codes
        The origin gives names without codes; the codes are ours.
    codes
        In the order of the book, a parent before its children.
    """

    name: str
    file: str
    kind: str
    title_zh: str
    title_en: str
    version: str
    evidence: str
    own_codes: bool
    codes: tuple[Code, ...]

    @cached_property
    def by_code(self) -> dict[str, Code]:
        """Every code of the book."""
        return {code.code: code for code in self.codes}

    @cached_property
    def by_name(self) -> dict[str, Code]:
        """Codes by their Chinese names, those that the book uses once."""
        once: dict[str, Code] = {}
        seen: set[str] = set()
        for code in self.codes:
            if code.name_zh in seen:
                once.pop(code.name_zh, None)
            else:
                once[code.name_zh] = code
            seen.add(code.name_zh)
        return once

    @property
    def mapping(self) -> dict[str, str]:
        """Taxonomy codes by the book's codes, those that map to one."""
        return {code.code: code.taxonomy for code in self.codes if code.taxonomy is not None}

    @property
    def refused(self) -> dict[str, str]:
        """Reasons by the book's refused codes."""
        return {code.code: code.refused for code in self.codes if code.refused is not None}


def book_names() -> list[str]:
    """Names of the shipped books, in the order of the index."""
    return list(_index())


def books() -> list[CodeBook]:
    """Every shipped book, in the order of the index."""
    return [read_book(name) for name in _index()]


@cache
def read_book(name: str) -> CodeBook:
    """
    Read a shipped code book.

    Raises
    ------
    CodeBookError
        There is no book of this name.
    """
    if name not in _index():
        known = ", ".join(_index())
        raise CodeBookError(f"there is no code book {name!r}; write one of {known}")
    entry = _index()[name]
    codes = tuple(
        Code(
            code=row["code"],
            parent_code=row["parent_code"] or None,
            name_zh=row["name_zh"],
            name_en=row["name_en"],
            taxonomy=row["taxonomy"] or None,
            refused=row["refused"] or None,
        )
        for row in _rows(entry["file"])
    )
    return CodeBook(**entry, codes=codes)


@cache
def taxonomy() -> tuple[TaxonomyCode, ...]:
    """Read the product's two-level taxonomy, upper categories first."""
    return tuple(
        TaxonomyCode(
            code=row["code"],
            parent_code=row["parent_code"] or None,
            name_zh=row["name_zh"],
            name_en=row["name_en"],
            sensitive=row["sensitive"] or None,
        )
        for row in _rows(_TAXONOMY)
    )


def category_meaning(source: Source, categories: Iterable[Category]) -> dict[str, str]:
    """
    What the category values of a source mean: theirs → code of the city's categories.

    The source's own `category_codes` come first, then its code book, then codes of the city used
    as they are. A code of the book that maps to a lower category which the city does not keep
    means the upper one. Refused and unmapped codes of the book mean nothing.

    Parameters
    ----------
    categories
        The city's categories.

    Raises
    ------
    CodeBookError
        The source names a book that there is not.
    """
    kept = {category.code for category in categories}
    if not source.category_book:
        return {code: code for code in kept} | dict(source.category_codes)
    book = read_book(source.category_book)
    upper = {code.code: code.parent_code for code in taxonomy()}
    meaning: dict[str, str] = {}
    for theirs, code in {**_by_spelling(book), **book.by_code}.items():
        ours = code.taxonomy
        if ours is not None and ours not in kept:
            ours = upper[ours]
        if code.refused is None and ours in kept and ours is not None:
            meaning[theirs] = ours
    if source.numeric_codes:
        meaning = _without_zeros(meaning) | meaning
    said = {*book.by_code, *_by_spelling(book)}
    return {code: code for code in kept - said} | meaning | dict(source.category_codes)


def _by_spelling(book: CodeBook) -> dict[str, Code]:
    """Codes by their names, with brackets of either width."""
    return {
        name.translate(width): code for width in _BRACKETS for name, code in book.by_name.items()
    }


def _without_zeros(meaning: Mapping[str, str]) -> dict[str, str]:
    """Mapping of the codes as a spreadsheet writes them, which takes them for numbers."""
    return {code.lstrip("0"): ours for code, ours in meaning.items() if code.lstrip("0")}


@cache
def _index() -> dict[str, dict[str, Any]]:
    text = files("data").joinpath(_FOLDER, _INDEX).read_text("utf-8")
    return {entry["name"]: entry for entry in tomllib.loads(text)["book"]}


def _rows(file: str) -> list[dict[str, str]]:
    text = files("data").joinpath(_FOLDER, file).read_text("utf-8")
    return list(csv.DictReader(text.splitlines()))

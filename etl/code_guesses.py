"""
Codes of a ledger that explain themselves: words and numbers that offices use for the same thing.

A guess is a proposal. What is not plain is left open and listed, never forced into a code.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from data import codebooks, personal
from data.source import OUTCOMES, PRECISIONS, SCALES, SEVERITIES, STATUSES
from etl.clean import written
from etl.samples import probe

if TYPE_CHECKING:
    from collections.abc import Mapping

    from data.city import City

LISTED: Final = 40
MOST_CODES: Final = 60
"""More distinct values than this are no code but free text."""
FITS: Final = 0.5
"""Share of rows from which a code book counts as the one in use."""

ALLOWED: Final[Mapping[str, tuple[Any, ...]]] = {
    "severity": SEVERITIES, "scale": SCALES, "status": STATUSES, "outcome": OUTCOMES,
    "precision": PRECISIONS,
}  # fmt: skip

_MARKS: Final = (personal.REMOVED, personal.TOO_LONG)
_ENDINGS: Final = ("级", "隐患", "事件", "案件", "风险", "情况")
_WORDS: Final[Mapping[str, Mapping[str, Any]]] = {
    "severity": {
        "一般": 1, "普通": 1, "低": 1, "较大": 2, "紧急": 2, "中": 2, "重大": 3, "特急": 3, "高": 3,
        "特别重大": 4, "特大": 4, "low": 1, "medium": 2, "high": 3, "critical": 4,
    },
    "scale": {"个体性": 1, "个体": 1, "一般群体性": 2, "重大群体性": 3},
    "status": {
        "待处理": "open", "待受理": "open", "待派单": "open", "未处理": "open", "待签收": "open",
        "处理中": "in_hand", "办理中": "in_hand", "处置中": "in_hand", "已受理": "in_hand",
        "已派单": "in_hand", "已签收": "in_hand", "整改中": "in_hand", "化解中": "in_hand",
        "已办结": "resolved", "办结": "resolved", "已完成": "resolved", "已处理": "resolved",
        "按期办结": "resolved", "超期办结": "resolved", "已结案": "resolved", "结案": "resolved",
        "已处警": "resolved", "已归档": "archived", "归档": "archived", "已销号": "archived",
        "作废": "void", "撤销": "void", "已撤单": "void", "open": "open", "closed": "resolved",
        "in progress": "in_hand", "resolved": "resolved", "archived": "archived",
    },
    "outcome": {
        "化解成功": "resolved", "已化解": "resolved", "逾期化解": "resolved", "成功": "resolved",
        "调解成功": "resolved", "已解决": "resolved", "是": "resolved", "按期办结": "resolved",
        "超期办结": "resolved", "按期结案": "resolved", "超期结案": "resolved",
        "按期整改": "resolved", "逾期整改": "resolved", "已整改": "resolved",
        "部分解决": "partly", "部分化解": "partly", "未化解": "unresolved", "未解决": "unresolved",
        "未整改": "unresolved", "调解不成功": "unresolved", "否": "unresolved",
        "转办": "transferred", "已移交": "transferred", "移交": "transferred", "作废": "void",
        "化解中": "", "办理中": "", "处置中": "", "整改中": "", "处理中": "",
        "yes": "resolved", "no": "unresolved", "resolved": "resolved",
    },
    "precision": {
        "门牌": "address", "门址": "address", "精确": "address", "路段": "street", "道路": "street",
        "地名": "place", "兴趣点": "place", "区域": "area", "中心点": "area",
    },
}  # fmt: skip


@dataclass(frozen=True)
class CodeTable:
    """
    What the values of one column mean.

    Attributes
    ----------
    known
        Theirs to ours; empty where `needs_table` is false or nothing is plain.
    open
        Values without a meaning and how many rows have them, the commonest first.
    needs_table
        False where the values are our codes, or those of the book.
    counts
        Every listed value and its rows.
    """

    known: dict[str, Any] = field(default_factory=dict)
    open: dict[str, int] = field(default_factory=dict)
    needs_table: bool = True
    counts: dict[str, int] = field(default_factory=dict)


def value_counts(column: pa.ChunkedArray) -> Counter[str]:
    """How often each value stands in a column, written as in a text file; without marks."""
    counts: Counter[str] = Counter()
    for entry in pc.value_counts(column.combine_chunks()).to_pylist():
        value = entry["values"]
        text = "" if value is None else written(value)
        if text and text not in _MARKS:
            counts[text] += entry["counts"]
    return counts


def guess_codes(column: str, counts: Counter[str]) -> CodeTable:
    """
    Guess what the values of a coded column mean.

    Parameters
    ----------
    column
        One of `ALLOWED`.
    """
    ours = {str(code): code for code in ALLOWED[column]}
    if column == "severity" and (turned := _turned(counts)):
        ours = turned
    listed = dict(counts.most_common(LISTED))
    rare = max(1, sum(counts.values()) // 200)
    strange = {value: n for value, n in listed.items() if value not in ours}
    if sum(strange.values()) <= rare and all(code == str(own) for code, own in ours.items()):
        return CodeTable(open=strange, needs_table=False, counts=listed)
    words = {**_WORDS[column], **ours}
    known = {}
    for value in listed:
        meaning = words.get(value, words.get(_stem(value)))
        if meaning is not None:
            known[value] = meaning
    left = {value: n for value, n in listed.items() if value not in known}
    return CodeTable(known=known, open=left, counts=listed)


def guess_categories(
    counts: Counter[str], city: City | None, *, numeric_codes: bool = False
) -> tuple[str, CodeTable]:
    """
    Guess which code book the categories are of.

    Returns
    -------
    book, codes
        Name of a shipped book, "" = none; `codes` has what the book and the city's own codes do
        not tell, values that are a category's name among the known.
    """
    total = sum(counts.values())
    meanings = {
        name: _book_values(name, city, numeric_codes=numeric_codes)
        for name in codebooks.book_names()
        if codebooks.read_book(name).kind == codebooks.CATEGORY
    }
    own = {category.code for category in city.categories} if city else set()
    shares = {"": sum(counts[value] for value in counts if value in own)}
    shares |= {
        name: sum(counts[value] for value in counts if value in values)
        for name, values in meanings.items()
    }
    book = max(shares, key=lambda name: shares[name])
    if not total or shares[book] < FITS * total:
        book = ""
    known = own if not book else meanings[book] | own
    names: dict[str, str] = {}
    for category in city.categories if city else ():
        names |= {category.name_zh: category.code, category.name_en: category.code}
    left = {value: n for value, n in counts.most_common() if value not in known}
    told = {value: names[value] for value in left if value in names}
    rest = {value: n for value, n in left.items() if value not in told}
    return book, CodeTable(
        told, dict(list(rest.items())[:LISTED]), needs_table=bool(left), counts=dict(counts)
    )


def _book_values(name: str, city: City | None, *, numeric_codes: bool) -> set[str]:
    """Values that a book explains or refuses."""
    book = codebooks.read_book(name)
    refused = set(book.refused)
    if city is None:
        return {*book.by_code, *book.by_name}
    source = replace(probe("csv", {}), category_book=name, numeric_codes=numeric_codes)
    meaning = codebooks.category_meaning(source, city.categories)
    own = {category.code for category in city.categories}
    return {value for value in meaning if value not in own} | refused


def _turned(counts: Counter[str]) -> dict[str, int]:
    """
    Severities where 1 is the gravest, as most Chinese grades have it; empty where 4 is.

    Grave events are rare, so the commonest number is the end of the scale that is not grave.
    """
    numbers = {text: n for text, n in counts.items() if text in map(str, SEVERITIES)}
    if not numbers or max(numbers, key=lambda text: numbers[text]) != max(numbers):
        return {}
    most = int(max(numbers))
    return {text: most + 1 - int(text) for text in sorted(numbers)} if most > 1 else {}


def _stem(value: str) -> str:
    text = value.strip().lower()
    for ending in _ENDINGS:
        if text.endswith(ending) and len(text) > len(ending):
            return text.removesuffix(ending)
    return text

"""
Code rules of a level: form, parent, class digits, code lists.

GB/T 2260 counts six digits down to the county, 乡级 codes nine, 统计用 codes twelve; a grid's code
is that of its community and two to six characters. A city may set its own form per level.
"""

from __future__ import annotations

import csv
import re
from typing import TYPE_CHECKING, Final

from etl.areas.report import Finding, listed

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

    import pandas as pd

    from etl.areas.read import AreaFile

PATTERNS: Final[Mapping[str, str]] = {
    "city": r"\d{6}",
    "county": r"\d{6}",
    "township": r"\d{9}",
    "community": r"\d{12}",
    "grid": r"\d{12}[0-9A-Za-z]{2,6}",
}
"""Form of the codes of each level in a city whose own code has six digits."""

_EXPONENT: Final = re.compile(r"\d(\.\d+)?[eE]\+?\d+|\d+\.\d+|\d+\.0*")
_MOST_ZEROS: Final = 2

# Digits 7-9 of a township and 10-12 of a community: first number, last number, what it is, and
# endings of names that say otherwise.
_CLASSES: Final[Mapping[str, tuple[tuple[int, int, str, tuple[str, ...]], ...]]] = {
    "township": (
        (1, 99, "街道", ("镇", "乡")),
        (100, 199, "镇", ("街道", "乡")),
        (200, 399, "乡", ("街道", "镇")),
        (400, 599, "政企合一", ()),
    ),
    "community": (
        (1, 199, "居委会", ("村委会", "村民委员会")),
        (200, 399, "村委会", ("居委会", "居民委员会")),
    ),
}


class CodeListError(ValueError):
    """A code list cannot be read."""


def check_codes(
    file: AreaFile, *, level: str, pattern: str | None, parents: Collection[str] | None
) -> list[Finding]:
    """
    Check the codes of one level.

    Parameters
    ----------
    file
        The level's file.
    level
        One of `geo.divisions.LEVELS`.
    pattern
        Regular expression that a whole code must match; None = any text.
    parents
        Codes of the level above; None where it is not known.
    """
    rows = file.rows
    codes = [code for code in rows["code"] if code is not None]
    missing = [f"feature {row + 1}" for row, code in enumerate(rows["code"]) if code is None]
    repeated = rows["code"][rows["code"].notna() & rows["code"].duplicated()]
    findings = [
        *listed("no_code", missing),
        *listed("duplicate_code", list(dict.fromkeys(repeated))),
        *listed("numeric_column", list(file.numeric)),
        *_form(codes, pattern, parents or ()),
    ]
    if parents is not None:
        findings += _parents(rows, parents)
        findings += _prefixes(rows) if pattern is not None else []
    # Class digits mean something only where the codes have the official form.
    return findings + (_classes(rows, level) if pattern == PATTERNS.get(level) else [])


def read_code_list(path: Path) -> dict[str, str]:
    """
    Code to name of a list (CSV with the columns `code` and `name`, UTF-8 or GB18030).

    Raises
    ------
    CodeListError
        It is no such list.
    """
    content = path.read_bytes()
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            lines = content.decode(encoding).splitlines()
        except UnicodeDecodeError:
            continue
        reader = csv.DictReader(lines)
        if not {"code", "name"} <= set(reader.fieldnames or ()):
            raise CodeListError(f"{path.name}: the columns `code` and `name` are missing")
        return {row["code"].strip(): row["name"].strip() for row in reader}
    raise CodeListError(f"{path.name}: is neither UTF-8 nor GB18030")


def check_against_list(
    rows: pd.DataFrame, official: Mapping[str, str], *, city_code: str | None
) -> list[Finding]:
    """
    Hold the codes against an official list: what has no polygon, and what is not listed.

    A list may reach beyond the city: only codes that begin as `city_code` does are expected.
    """
    own = set(rows["code"].dropna())
    begin = _prefix(city_code or "")
    absent = [
        f"{code} {name}"
        for code, name in official.items()
        if code.startswith(begin) and code not in own
    ]
    unlisted = sorted(own - set(official))
    return [*listed("no_polygon", absent), *listed("unlisted_code", unlisted)]


def _form(codes: list[str], pattern: str | None, parents: Collection[str]) -> list[Finding]:
    lost = [code for code in codes if _EXPONENT.fullmatch(code)]
    if pattern is None:
        return listed("code_number", lost)
    rule = re.compile(pattern)
    wrong = [code for code in codes if not rule.fullmatch(code) and not _EXPONENT.fullmatch(code)]
    # Official codes never begin with 0; zeros can only be lost where codes do.
    led = any(code.startswith("0") for code in (*codes, *parents))
    short = [
        code
        for code in wrong
        if led and any(rule.fullmatch("0" * zeros + code) for zeros in range(1, _MOST_ZEROS + 1))
    ]
    other = [code for code in wrong if code not in set(short)]
    return [
        *listed("code_number", lost),
        *listed("code_zeros", short),
        *listed("code_format", other),
    ]


def _parents(rows: pd.DataFrame, parents: Collection[str]) -> list[Finding]:
    named = rows["parent_code"]
    orphans = rows[named.notna() & ~named.isin(list(parents))]
    without = rows["code"][named.isna()].fillna("?").tolist()
    unknown = [
        f"{code} → {parent}"
        for code, parent in zip(orphans["code"], orphans["parent_code"], strict=True)
    ]
    childless = sorted(set(parents) - set(named.dropna()))
    return [
        *listed("no_parent", without),
        *listed("unknown_parent", unknown),
        *listed("childless_parent", childless),
    ]


def _prefixes(rows: pd.DataFrame) -> list[Finding]:
    pairs = rows[["code", "parent_code"]].dropna().itertuples(index=False)
    strangers = [
        f"{code} → {parent}" for code, parent in pairs if not code.startswith(_prefix(parent))
    ]
    return listed("code_prefix", strangers)


def _prefix(parent: str) -> str:
    """What the codes below begin with: the parent's, without the 00 that fill six digits."""
    if len(parent) != len("620100"):
        return parent
    pairs = [parent[0:2], parent[2:4], parent[4:6]]
    while len(pairs) > 1 and pairs[-1] == "00":
        pairs.pop()
    return "".join(pairs)


def _classes(rows: pd.DataFrame, level: str) -> list[Finding]:
    odd = []
    for code, name in zip(rows["code"], rows["name"], strict=True):
        if code is None or level not in _CLASSES or not code[-3:].isdigit():
            continue
        number = int(code[-3:])
        found = [entry for entry in _CLASSES[level] if entry[0] <= number <= entry[1]]
        told = name or ""
        if not found:
            odd.append(f"{code} {told}: {code[-3:]}")
        elif told.endswith(found[0][3]):
            odd.append(f"{code} {told}: {found[0][2]}")
    return listed("code_class", odd)

"""
Proposals: a source file for a sample that nobody has described yet.

Columns are told by their headings, and checked or found by what stands in them. Whatever is not
plain is given the choice that turns rows away or leaves them unplaced instead of placing them
wrongly, and is said in a remark: a proposal is read by a person before it is used.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import pyarrow as pa

from data.codebooks import taxonomy
from data.source import SEVERITIES, TIME_COLUMNS
from etl import code_guesses
from etl.boundaries import plain_numbers
from etl.code_guesses import ALLOWED, MOST_CODES, CodeTable, value_counts
from etl.proposal_places import AXES, choose_frame, find_coordinates
from etl.samples import WORKBOOKS, SampleError, distinct_values, filled_rows, text_values
from etl.time_formats import TYPED, guess_formats, read_share

if TYPE_CHECKING:
    import pandas as pd

    from data.city import City
    from etl.boundaries import Boundaries
    from etl.frames import Trial
    from etl.samples import Sample

_TIME_SHARE: Final = 0.8
_CODE_SHARE: Final = 0.6
_UNIQUE_SHARE: Final = 0.98
_LONGEST_ID: Final = 64
_GRADES: Final = frozenset(map(str, SEVERITIES))
_NAME: Final = re.compile(r"[^0-9a-z]+")


@dataclass
class Proposal:
    """
    A source as far as the sample tells it.

    Attributes
    ----------
    columns
        Ours to the heading.
    notes
        Ours to why that heading, where it was not plain.
    time_format, time_zone
        As in a source file; one format or several.
    frame
        The safest one; `trials` say what each frame gives, empty = not tried.
    category_book
        "" = none.
    codes
        Coded column to its table.
    remarks
        What whoever edits the file must know, first things first.
    """

    name: str
    sample: Sample
    columns: dict[str, str] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)
    time_format: list[str] = field(default_factory=lambda: [TYPED])
    time_zone: str = "Asia/Shanghai"
    frame: str = "WGS84"
    trials: list[Trial] = field(default_factory=list)
    numeric_codes: bool = False
    category_book: str = ""
    codes: dict[str, CodeTable] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)

    @property
    def unread(self) -> list[str]:
        """Headings that are left out and are not of persons."""
        taken = {*self.columns.values(), *self.sample.persons}
        return [name for name in self.sample.headings if name not in taken]

    @property
    def open_columns(self) -> list[str]:
        """Columns that no column of ours has taken."""
        return [name for name in self.sample.usable if name not in self.columns.values()]


def propose(sample: Sample, *, name: str, city: City | None, built: Boundaries | None) -> Proposal:
    """
    Propose a source.

    Parameters
    ----------
    city, built
        The city and its boundaries; without them neither categories nor areas are recognised and
        no frame is tried.

    Raises
    ------
    etl.samples.SampleError
        No column tells the time of an event, or none what it is about.
    """
    found = Proposal(name=name, sample=sample)
    if city is not None:
        found.time_zone = city.time_zone
    _columns_by_heading(found)
    find_coordinates(found, built)
    _times(found)
    _area_codes(found, built)
    _category(found, city)
    _identity(found)
    for column in ALLOWED:
        _codes(found, column)
    if city is not None and built is not None:
        choose_frame(found, city, built)
    elif sample.declared:
        found.frame = sample.declared
    return found


def source_name(stem: str) -> str:
    """Name of a source after a file's: lower-case letters, digits and underscores."""
    return _NAME.sub("_", stem.lower()).strip("_") or "new_source"


def _columns_by_heading(found: Proposal) -> None:
    sample = found.sample
    found.columns = {ours: sample.usable[at] for ours, at in sample.match.columns.items()}
    for ours, headings in sample.match.ambiguous.items():
        rows = {name: filled_rows(sample.rows.column(name)) for name in headings}
        best = max(rows, key=lambda name: rows[name])
        if best in found.columns.values():
            continue
        found.columns[ours] = best
        others = ", ".join(name for name in headings if name != best)
        found.notes[ours] = f"also possible: {others}"
    if ("lng" in found.columns) != ("lat" in found.columns):
        for axis in AXES:
            if (heading := found.columns.pop(axis, None)) is not None:
                found.remarks.append(f"{heading} looks like one coordinate, its pair is missing")


def _times(found: Proposal) -> None:
    rows, columns = found.sample.rows, found.columns
    if found.sample.format in WORKBOOKS:
        found.notes.setdefault("occurred_at", "times of a workbook are read as Excel types them")
    texts = {
        ours: distinct_values(rows.column(columns[ours]))
        for ours in TIME_COLUMNS
        if ours in columns
    }
    formats, alike = guess_formats(texts.values(), zone=found.time_zone)
    if "occurred_at" not in columns:
        formats += _time_by_content(found)
    found.remarks += alike
    for ours, values in texts.items():
        share = read_share(values, formats, zone=found.time_zone)
        if share < _TIME_SHARE and ours != "occurred_at":
            found.remarks.append(f"{columns.pop(ours)} ({ours}) holds few times and is left out")
    if any(form.endswith("Z") for form in formats):
        found.time_zone = "UTC"
        found.remarks.append("the times end in Z, which means UTC; no other format may mix in")
    found.time_format = list(dict.fromkeys(formats)) or [TYPED]


def _time_by_content(found: Proposal) -> list[str]:
    """Find the time of the event by the values of the open columns; the formats it needs."""
    for name in found.open_columns:
        values = distinct_values(found.sample.rows.column(name))
        own, _ = guess_formats([values], zone=found.time_zone)
        is_typed = values.dtype.kind == "M"
        if is_typed or (own and read_share(values, own, zone=found.time_zone) >= _TIME_SHARE):
            found.columns["occurred_at"] = name
            found.notes["occurred_at"] = "by its values, not its heading"
            return own
    raise SampleError(
        f"{found.sample.path.name}: no column tells when an event happened; "
        "add one, or write the source by hand (docs/sources.md)"
    )


def _area_codes(found: Proposal, built: Boundaries | None) -> None:
    if built is None:
        return
    named = [found.columns["area_code"]] if "area_code" in found.columns else found.open_columns
    for name in named:
        codes = text_values(found.sample.rows.column(name)).dropna()
        if not len(codes):
            continue
        shares = {plain: _code_share(codes, built, plain=plain) for plain in (False, True)}
        found.numeric_codes = shares[True] > shares[False]
        share = max(shares.values())
        if share >= _CODE_SHARE and "area_code" not in found.columns:
            found.columns["area_code"] = name
            found.notes["area_code"] = f"by its values: {share:.1%} are codes of the city"
            return
        if name == found.columns.get("area_code"):
            found.notes["area_code"] = f"{share:.1%} of its values are codes of the city"


def _code_share(codes: pd.Series, built: Boundaries, *, plain: bool) -> float:
    known = {code.lstrip("0") or "0" for code in built.codes} if plain else built.codes
    return float((plain_numbers(codes) if plain else codes).isin(known).mean())


def _category(found: Proposal, city: City | None) -> None:
    rows = found.sample.rows
    named = found.columns.get("category")
    tried = [named] if named else found.open_columns
    best: tuple[float, str, str, CodeTable] | None = None
    for name in tried:
        counts = value_counts(rows.column(name))
        total = sum(counts.values())
        if not total or (not named and len(counts) > 4 * MOST_CODES):
            continue
        book, table = code_guesses.guess_categories(counts, city, numeric_codes=found.numeric_codes)
        share = 1 - sum(table.open.values()) / total
        if best is None or share > best[0]:
            best = share, name, book, table
    if best is None or (not named and best[0] < _CODE_SHARE):
        raise SampleError(
            f"{found.sample.path.name}: no column tells what an event is about; name its heading "
            "事件类别 or category, or write the source by hand (docs/sources.md)"
        )
    share, name, found.category_book, found.codes["category"] = best
    found.columns["category"] = name
    if found.category_book and city is not None and (other := _other_names(city)):
        found.remarks.append(
            f"category_book says what the shipped taxonomy means; categories.csv calls {other[:5]} "
            "otherwise: without the line, write [category_codes]"
        )
    if not named:
        found.notes["category"] = f"by its values: {share:.1%} are known codes"


def _other_names(city: City) -> list[str]:
    """Codes that the city and the shipped taxonomy share under different names."""
    shipped = {code.code: code.name_zh for code in taxonomy()}
    return [
        category.code
        for category in city.categories
        if shipped.get(category.code, category.name_zh) != category.name_zh
    ]


def _identity(found: Proposal) -> None:
    rows = found.sample.rows
    if "incident_id" in found.columns:
        return
    for name in found.open_columns:
        texts = text_values(rows.column(name)).dropna()
        fits = (
            len(texts) >= _UNIQUE_SHARE * len(rows)
            and texts.nunique() >= _UNIQUE_SHARE * len(texts)
            and bool(texts.str.len().max() <= _LONGEST_ID)
            and not pa.types.is_floating(rows.column(name).type)
            and not pa.types.is_temporal(rows.column(name).type)
        )
        if fits:
            found.columns["incident_id"] = name
            found.notes["incident_id"] = "by its values: each stands once"
            return
    found.remarks.append(
        "no column numbers the rows: each row is its own incident, a corrected file adds new ones"
    )


def _codes(found: Proposal, column: str) -> None:
    if column not in found.columns:
        return
    heading = found.columns[column]
    counts = value_counts(found.sample.rows.column(heading))
    if len(counts) > MOST_CODES:
        del found.columns[column]
        found.remarks.append(
            f"{heading} ({column}) has {len(counts)} different values: no codes but free text, "
            "left out"
        )
        return
    table = found.codes[column] = code_guesses.guess_codes(column, counts)
    if column == "severity" and any(value in _GRADES for value in counts):
        turned = any(theirs in _GRADES for theirs in table.known)
        found.remarks.append(
            f"{heading} (severity) is in numbers, {'1' if turned else '4'} is taken for the "
            "gravest; confirm it"
        )

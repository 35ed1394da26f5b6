"""The text of a proposed source: TOML that reads back, with a comment beside every open choice."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from data.source import SOURCE_COLUMNS
from etl.code_guesses import ALLOWED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from etl.code_guesses import CodeTable
    from etl.frames import Trial
    from etl.proposal import Proposal

_CODED: Final = ("category", *ALLOWED)
_LONGEST: Final = 120
_TRIALS: Final = 4


def proposal_text(found: Proposal, *, file: str) -> str:
    """
    Text of a source file; every line that is not decided is a comment.

    Parameters
    ----------
    file
        The sample as `files` names it.
    """
    return (
        "\n".join([*_head(found, file), *_reading(found), *_columns(found), *_tables(found)]) + "\n"
    )


def _head(found: Proposal, file: str) -> Iterator[str]:
    sample = found.sample
    rows = f"{len(sample.rows):,}"
    yield f"# Proposed from {_plain(sample.path.name)}, its first {rows} rows. Read every comment,"
    yield f"# then run: pingan source check {found.name} --city FOLDER"
    for remark in found.remarks:
        yield f"# ! {_plain(remark)}"
    yield f"title_zh = {_text(found.name)}  # the name on screen"
    yield f"title_en = {_text(found.name)}"
    yield "# relative to `data_root` of city.toml, or absolute"
    yield f"files = [{_text(file)}]"
    yield f'format = "{sample.format}"' + (
        f"  # {'UTF-8' if 'utf' in sample.encoding else 'GB18030'} text" if sample.encoding else ""
    )


def _reading(found: Proposal) -> Iterator[str]:
    formats = found.time_format
    listed = _text(formats[0]) if len(formats) == 1 else f"[{', '.join(map(_text, formats))}]"
    yield f"time_zone = {_text(found.time_zone)}"
    yield f"time_format = {listed}"
    yield "# Confirm the frame with the owner of the data: the map does not show a wrong one."
    if found.trials:
        tried = sorted(found.trials, key=lambda trial: -trial.inside)
        yield from map(_trial, tried[:_TRIALS])
    else:
        yield "# Not tried: there were no points, or no --city to try them in."
    yield f"frame = {_text(found.frame)}  # WGS84, CGCS2000, GCJ-02, BD-09 or EPSG:…"
    yield f"channel = {_text(found.name)}  # one word for the way in: hotline, police, grid …"
    yield 'origin = "reported"  # reported (somebody called) or discovered (found on patrol)'
    if "incident_id" in found.columns:
        yield 'rows_without_id = "refuse"  # or accept'
    if found.numeric_codes:
        yield "numeric_codes = true  # leading zeros of area codes are missing"
    if found.category_book:
        yield f"category_book = {_text(found.category_book)}"


def _trial(trial: Trial) -> str:
    told = f"#   {trial.frame:<9} {trial.inside:8.2%} of {trial.points:,} points in the city"
    if trial.own_code is not None:
        told += f", {trial.own_code:.2%} in the area of their code"
    return f"{told}, median shift {trial.shift_m:,.0f} m"


def _columns(found: Proposal) -> Iterator[str]:
    yield ""
    yield "[columns]  # ours = theirs; no other column is read"
    for ours in SOURCE_COLUMNS:
        if ours in found.columns:
            note = found.notes.get(ours)
            said = f"  # {_plain(note)}" if note else ""
            yield f"{ours} = {_text(found.columns[ours])}{said}"
    for heading in found.unread:
        yield f"# not mapped, not read: {_plain(heading)}"
    for heading in found.sample.persons:
        yield f"# looks personal, not read: {_plain(heading)}"


def _tables(found: Proposal) -> Iterator[str]:
    for column in _CODED:
        table = found.codes.get(column)
        if table is not None and (table.needs_table or table.open):
            yield ""
            yield from _table(column, table)


def _table(column: str, table: CodeTable) -> Iterator[str]:
    if column == "category":
        choice = "a code of categories.csv"
    else:
        empty = ' or ""' if column in ("status", "outcome", "precision") else ""
        choice = "one of " + ", ".join(map(_value, ALLOWED[column])) + empty
    if table.needs_table:
        yield f"[{column}_codes]  # theirs = ours; choose {choice}"
    else:
        yield f"# {column} codes that are not {choice}; such rows are turned away or left empty"
    for theirs, ours in table.known.items():
        yield f"{_text(theirs)} = {_value(ours)}  # {table.counts.get(theirs, 0):,} rows"
    for theirs, rows in table.open.items():
        yield f"# {_text(theirs)} =   # {rows:,} rows"


def _value(value: Any) -> str:
    return str(value) if isinstance(value, int) else _text(value)


def _text(text: str) -> str:
    """Text as a TOML string: that of JSON, but for the one character that JSON leaves bare."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _plain(text: str) -> str:
    """Text that may stand in a comment."""
    flat = "".join(mark if mark.isprintable() else " " for mark in text)
    return flat if len(flat) <= _LONGEST else flat[:_LONGEST] + "…"

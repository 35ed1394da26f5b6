"""Rows that come as objects (pushed, of a view, of a JSON file) → a raw chunk."""

from __future__ import annotations

import datetime as dt
import math
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa

from data.intake import RawChunk
from data.source import TIME_COLUMNS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from data.source import Source

_EMPTY: Final = type(None)
_LARGEST_WHOLE: Final = 2**53
_MOST_BITS: Final = 64


def rows_chunk(source: Source, rows: Sequence[Any], *, before: int = 0) -> RawChunk:
    """
    Turn objects into a chunk; nothing but the allowed columns is looked at.

    Parameters
    ----------
    rows
        Objects by the names of their columns; an absent name is an empty value.
    before
        Rows of the batch or file that came before these.

    Returns
    -------
    chunk
        Columns of text, as the values would stand in a text file (a whole number has no point),
        so that a value does not depend on its neighbours and personal numbers are found in it.
        Times stay times where all of a column are.
        Malformed: no object, a nested value, broken Unicode, a number that is not finite or
        longer than 64 bits.
    """
    bad = {position for position, row in enumerate(rows) if not isinstance(row, dict)}
    columns: dict[str, list[Any]] = {}
    for ours, theirs in source.allowed.items():
        values = [row.get(theirs) if isinstance(row, dict) else None for row in rows]
        columns[ours] = values if _stays_typed(ours, values) else _texts(values, bad)
    good = [position for position in range(len(rows)) if position not in bad]
    arrays = {ours: _array([values[at] for at in good]) for ours, values in columns.items()}
    offset = before + 1
    return RawChunk(
        pa.table(arrays | {"row": np.array(good, dtype=np.int64) + offset}),
        np.array(sorted(bad), dtype=np.int64) + offset,
    )


def _stays_typed(ours: str, values: list[Any]) -> bool:
    """Whether all values of a column of times are times, all with a zone or all without."""
    if ours not in TIME_COLUMNS or set(map(type, values)) - {_EMPTY} != {dt.datetime}:
        return False
    return len({value.tzinfo is None for value in values if value is not None}) == 1


def _texts(values: list[Any], bad: set[int]) -> list[str | None]:
    """Values as text; the positions of those that cannot be join `bad`."""
    if set(map(type, values)) <= {str, _EMPTY} and _is_unicode(values):
        return values
    texts: list[str | None] = []
    for position, value in enumerate(values):
        try:
            texts.append(None if value is None else _written(value))
        except ValueError:
            texts.append(None)
            bad.add(position)
    return texts


def _is_unicode(texts: list[str | None]) -> bool:
    try:
        "".join(text for text in texts if text is not None).encode()
    except UnicodeEncodeError:
        return False
    return True


def _written(value: Any) -> str:
    """
    Text of one value.

    Raises
    ------
    ValueError
        It is nested, not finite, too long or no Unicode.
    """
    match value:
        case str():
            value.encode()
            text = value
        case bool():
            text = str(value).lower()
        case int() if value.bit_length() <= _MOST_BITS:
            text = str(value)
        case float() if math.isfinite(value):
            whole = value.is_integer() and abs(value) <= _LARGEST_WHOLE
            text = str(int(value) if whole else value)
        case Decimal() if value.is_finite() and abs(value.adjusted()) <= _MOST_BITS:
            text = format(value, "f")
        case dt.datetime():
            text = value.isoformat(sep=" ")
        case dt.date():
            text = value.isoformat()
        case _:
            raise ValueError(type(value).__name__)
    return text


def _array(values: list[Any]) -> pa.Array:
    """Array of the values' own type; text where all are empty."""
    empty = all(value is None for value in values)
    return pa.array(values, pa.string() if empty else None)

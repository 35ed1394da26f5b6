"""Rows of a register's files: allowed columns only, and nothing that looks like a person."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, Final

import pandas as pd
import pyarrow as pa

from data import personal, refusals
from etl import sources
from etl.connectors.apart import WORKBOOK
from etl.sources.confined import LimitError, confined

if TYPE_CHECKING:
    from pathlib import Path

    from data.resources.registers import Register
    from data.source import Source

MALFORMED: Final = "malformed"
_WORKBOOKS: Final = ("xlsx",)


def read_file(register: Register, path: Path) -> pd.DataFrame:
    """
    Read one file of a register.

    Returns
    -------
    rows
        Its columns as text or typed values, `row` (1 = first data row) and `malformed`; what looks
        personal or is long text is replaced by a mark.

    Raises
    ------
    SourceError
        The file cannot be read, lacks a column, or is a register of persons.
    """
    source = register.source
    if source.format not in _WORKBOOKS:
        return _read(source, path)
    # A damaged workbook can take its reader's process with it.
    try:
        found: pd.DataFrame = confined(
            _read, source, path, memory=WORKBOOK.memory, seconds=WORKBOOK.seconds
        )
    except LimitError as error:
        raise sources.SourceError(f"register {source.name}: {path.name} {error}") from error
    return found


def _read(source: Source, path: Path) -> pd.DataFrame:
    headings = sources.headings(source, path)
    if refusals.person_register(headings) is not None:
        raise sources.SourceError(
            f"register {source.name}: {path.name} is a register of persons; none is taken in"
        )
    parts = [_columns(source)]
    for chunk in sources.read_chunks(source, path):
        parts.append(_frame(personal.without_personal(chunk.rows)).assign(**{MALFORMED: False}))
        lost = pd.DataFrame({"row": chunk.malformed, MALFORMED: True})
        parts.append(lost)
    rows = pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True)
    rows = rows.reindex(columns=[*parts[0].columns])
    return rows.sort_values("row", kind="stable", ignore_index=True)


def _columns(source: Source) -> pd.DataFrame:
    names = dataclasses.asdict(source)["columns"]
    points = () if "lng" in names or source.format != "geojson" else ("lng", "lat")
    return pd.DataFrame(columns=[*names, *points, "row", MALFORMED], dtype=object)


def _frame(rows: pa.Table) -> pd.DataFrame:
    return rows.to_pandas(types_mapper=_text_types)


def _text_types(kind: pa.DataType) -> Any:
    is_text = pa.types.is_string(kind) or pa.types.is_large_string(kind)
    return pd.ArrowDtype(pa.string()) if is_text else None

"""Rows of the analysis as objects; the callers keep to the scope."""

from __future__ import annotations

import math
from dataclasses import fields
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dashboard.areas import Area
    from data.area_rows import AreaRows
    from data.store import Snapshot

Row = TypeVar("Row")


def newest(snapshot: Snapshot, table: str, names: str, more: str = "") -> AreaRows:
    """The newest period of a table, with the period."""
    newest = f"(SELECT max(period_end) FROM {table})"
    return snapshot.kept.rows(
        f"SELECT level, area_index, period_end, {names} FROM {table} "
        f"WHERE period_end = {newest} {more}"
    )


def read(found: AreaRows, area: Area, kind: type[Row]) -> tuple[Row, ...]:
    """Rows of one area, as objects of a kind."""
    stored = found.of(area.level, area.index)
    names = [field.name for field in fields(kind)]  # type: ignore[arg-type]
    values = (stored[name].tolist() for name in names)
    return tuple(made(kind, row) for row in zip(*values, strict=True))


def rows(
    snapshot: Snapshot, table: str, kind: type[Row], where: str, values: Sequence[object]
) -> tuple[Row, ...]:
    """Rows of a table as objects of a kind; none in a snapshot without the table."""
    if table not in snapshot.tables():
        return ()
    found = snapshot.rows(f"SELECT {columns(kind)} FROM {table} WHERE {where}", values)
    return tuple(made(kind, row) for row in found)


def columns(kind: type[Row]) -> str:
    """Columns of a kind, as SQL names them."""
    return ", ".join(f'"{field.name}"' for field in fields(kind))  # type: ignore[arg-type]


def made(kind: type[Row], row: tuple[Any, ...]) -> Row:
    """What is empty is not known: NaN."""
    return kind(*(math.nan if value is None else value for value in row))

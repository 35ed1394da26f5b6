"""What a stored table is described by: columns with kinds and units, rows and keys."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["text", "int", "long", "float", "date", "time", "bool"]


@dataclass(frozen=True)
class Column:
    """One stored column: its kind, its unit, and whether it may be empty."""

    name: str
    kind: Kind
    unit: str = ""
    nullable: bool = False


@dataclass(frozen=True)
class Table:
    """One stored table: what a row is, its columns, and the columns that identify a row."""

    rows: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]

    @property
    def names(self) -> list[str]:
        """Column names in stored order."""
        return [column.name for column in self.columns]

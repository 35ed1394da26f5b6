"""What an earlier snapshot holds of the analysis: its rows, for methods that lean on the past."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow.parquet as pq

from data.analysis_tables import ANALYSIS_TABLES

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import numpy as np


class Stored:
    """Rows of the earlier snapshot's files, by table; empty where there is none."""

    def __init__(self, home: Path, entries: Sequence[dict[str, Any]]) -> None:
        self._home = home
        self._entries = entries

    def rows(self, table: str, *, month: str = "") -> pd.DataFrame:
        """
        Rows of a table, of every file or of those of one part.

        Returns
        -------
        rows
            Days as `datetime64[s]`.
        """
        files = [
            entry["path"]
            for entry in self._entries
            if entry["table"] == table and month in ("", entry["month"])
        ]
        names = ANALYSIS_TABLES[table].names
        if not files:
            return pd.DataFrame({name: pd.Series(dtype=object) for name in names})
        parts = [pq.read_table(self._home / path).to_pandas(date_as_object=False) for path in files]
        rows: pd.DataFrame = pd.concat(parts, ignore_index=True)
        return rows

    def of_day(self, table: str, column: str, day: np.datetime64) -> pd.DataFrame:
        """Rows of a table whose day is this one."""
        rows = self.rows(table)
        return rows[rows[column] == pd.Timestamp(day)].reset_index(drop=True)

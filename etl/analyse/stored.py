"""What an earlier snapshot holds of the analysis: its rows, for methods that lean on the past."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
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

    def rows(
        self,
        table: str,
        *,
        month: str = "",
        columns: Sequence[str] | None = None,
        since: np.datetime64 | None = None,
        only: pc.Expression | None = None,
    ) -> pd.DataFrame:
        """
        Rows of a table, of every file or of those of one part.

        Parameters
        ----------
        columns
            By default all of the table.
        since
            Files of earlier months than that of this day are left out.
        only
            Condition of the rows.

        Returns
        -------
        rows
            Days as `datetime64[s]`; texts as categories where only some columns are asked for.
        """
        least = "" if since is None else f"{since.astype(object):%Y-%m}"
        files = [
            entry["path"]
            for entry in self._entries
            if entry["table"] == table and month in ("", entry["month"]) and entry["month"] >= least
        ]
        names = ANALYSIS_TABLES[table].names if columns is None else list(columns)
        if not files:
            return pd.DataFrame({name: pd.Series(dtype=object) for name in names})
        parts = pa.concat_tables(
            pq.read_table(self._home / path, columns=names, filters=only) for path in files
        )
        rows: pd.DataFrame = parts.to_pandas(
            date_as_object=False, strings_to_categorical=columns is not None
        )
        return rows

    def of_day(self, table: str, column: str, day: np.datetime64) -> pd.DataFrame:
        """Rows of a table whose day is this one, of its month and later parts."""
        return self.rows(table, since=day, only=pc.field(column) == pa.scalar(day.astype(object)))

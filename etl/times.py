"""Times of a source: text or typed columns in its own zone → UTC."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa

if TYPE_CHECKING:
    from data.source import Source

_ENGINES: Final[dict[int, duckdb.DuckDBPyConnection]] = {}


def parse_times(values: pd.Series, source: Source) -> pd.Series:
    """
    Read times in the source's formats and zone.

    Parameters
    ----------
    values
        Text in one of `time_format`, or timestamps (naive ones in the source's zone).

    Returns
    -------
    times
        UTC, `datetime64[us, UTC]`; null where the value is empty or unreadable. An hour that
        the zone's clock shows twice is taken as its first pass; one that it skips moves on.
    """
    if isinstance(values.dtype, pd.DatetimeTZDtype):
        return values.dt.tz_convert("UTC").astype("datetime64[us, UTC]")
    if pd.api.types.is_datetime64_any_dtype(values):
        local = values
    else:
        texts = pa.array(values.astype("str"), type=pa.string(), from_pandas=True)
        aware = [form for form in source.time_format if "%z" in form]
        naive = [form for form in source.time_format if "%z" not in form]
        if aware:
            moments = pd.Series(_strptime(texts, aware), index=values.index)
            found = moments.dt.tz_localize("UTC")
            if not naive:
                return found
            local = pd.Series(_strptime(texts, naive), index=values.index)
            return found.where(found.notna(), _in_utc(local, source))
        local = pd.Series(_strptime(texts, naive), index=values.index)
    return _in_utc(local, source)


def _in_utc(local: pd.Series, source: Source) -> pd.Series:
    zoned = local.astype("datetime64[us]").dt.tz_localize(
        source.time_zone, ambiguous=np.ones(len(local), dtype=bool), nonexistent="shift_forward"
    )
    return zoned.dt.tz_convert("UTC")


def _strptime(texts: pa.Array, formats: list[str]) -> np.ndarray[tuple[int], np.dtype[np.void]]:
    """Naive times by the first format that fits; ten times as fast as `pandas.to_datetime`."""
    listed = ", ".join("'" + form.replace("'", "''") + "'" for form in formats)
    rows = pa.table({"text": texts})
    engine = _engine()
    engine.register("rows", rows)
    try:
        found = engine.execute(
            f"SELECT CAST(try_strptime(trim(text), [{listed}]) AS TIMESTAMP) AS moment FROM rows"
        ).fetchnumpy()["moment"]
    finally:
        engine.unregister("rows")
    return np.asarray(np.ma.filled(found, np.datetime64("NaT")), dtype="datetime64[us]")


def _engine() -> duckdb.DuckDBPyConnection:
    """One engine a process; a forked one must neither use nor close its parent's."""
    process = os.getpid()
    if process not in _ENGINES:
        engine = duckdb.connect(":memory:")
        engine.execute("SET threads = 1")
        engine.execute("SET TimeZone = 'UTC'")
        engine.execute("SET enable_progress_bar = false")
        _ENGINES[process] = engine
    return _ENGINES[process]


def tells_the_day(source: Source) -> bool:
    """Whether the source's times name a day, not only a month."""
    marks = ("%d", "%j", "%x", "%c", "%D", "%F")
    return any(mark in form for form in source.time_format for mark in marks)

"""Times of a source: text or typed columns in its own zone → UTC."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from data.city import Source


def parse_times(values: pd.Series, source: Source) -> pd.Series:
    """
    Read times in the source's format and zone.

    Parameters
    ----------
    values
        Text in `time_format`, or timestamps (naive ones in the source's zone).

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
    elif "%z" in source.time_format:
        aware = pd.to_datetime(values, format=source.time_format, errors="coerce", utc=True)
        return aware.astype("datetime64[us, UTC]")
    else:
        local = pd.to_datetime(
            values.astype("str").str.strip(), format=source.time_format, errors="coerce"
        )
    zoned = local.astype("datetime64[us]").dt.tz_localize(
        source.time_zone, ambiguous=np.ones(len(local), dtype=bool), nonexistent="shift_forward"
    )
    return zoned.dt.tz_convert("UTC")


def tells_the_day(source: Source) -> bool:
    """Whether the source's times name a day, not only a month."""
    return any(mark in source.time_format for mark in ("%d", "%j", "%x", "%c", "%D", "%F"))

"""When an inspection is due: one rule for the pipeline, its verification and the screens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    import datetime as dt

    from numpy.typing import NDArray

OK, DUE, OVERDUE, UNKNOWN = "ok", "due", "overdue", "unknown"
STATES: Final = (OVERDUE, DUE, OK, UNKNOWN)
"""The most urgent first."""

SOON_DAYS: Final = 7
"""Up to so many days before its last day an inspection is `due`."""


def due_state(due_on: pd.Series, as_of: dt.date) -> tuple[NDArray[np.object_], NDArray[np.object_]]:
    """
    State of each facility on a day.

    Parameters
    ----------
    due_on
        Last day in time: the last inspection and a whole cycle; null = not known.
    as_of
        The day. On `due_on` itself nothing is overdue; on the day after it is by one day.

    Returns
    -------
    state, overdue_days
        Words of `STATES`; whole days, 0 while in time, None where nothing is known.
    """
    left = (pd.to_datetime(due_on) - pd.Timestamp(as_of)).dt.days
    is_known = left.notna().to_numpy(dtype=bool)
    days = left.fillna(0).to_numpy(dtype=np.int64)
    conditions = [~is_known, days < 0, days <= SOON_DAYS]
    state: Any = np.select(conditions, [UNKNOWN, OVERDUE, DUE], OK)
    overdue: Any = np.where(is_known, np.maximum(-days, 0), None)
    return state.astype(object), overdue.astype(object)

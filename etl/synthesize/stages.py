"""
When an incident was passed on, signed for and filed: some offices are slow, some forget.

Drawn from a stream of chance of its own, so that ledgers without these columns stay as they are.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Final

import numpy as np

from etl.synthesize.incidents import EXPORTED_AT, NEVER, Incidents

if TYPE_CHECKING:
    from etl.synthesize.plan import Floats, Ints

COLUMNS: Final = ("dispatched_at", "signed_at", "archived_at")
_HOURS: Final = {
    # Median hours to dispatch, sign and archive, and their spread (log).
    "disputes": ((7.0, 0.8), (15.0, 0.8), (52.0, 0.8)),
    "hazards": ((5.0, 0.8), (9.0, 0.9), (60.0, 0.7)),
    "hotline": ((2.0, 0.9), (6.0, 0.9), (40.0, 0.8)),
}
_SHARES: Final = (0.3, 0.6)
"""Share of the time to its resolution by which an incident is dispatched, and signed for."""
_OFFICE_SPREAD: Final = 0.35
"""Standard deviation of a township's lasting log effect on how long it takes."""
_FORGOTTEN: Final = 0.006


def draw_stages(found: Incidents, townships: np.ndarray) -> dict[str, Ints]:
    """
    Seconds of each of `COLUMNS`, in the clock of `Incidents`.

    Parameters
    ----------
    found
        Incidents of one source.
    townships
        Code of the township of each, shape (n,).

    Returns
    -------
    times
        Never before the step before, never after the export; `NEVER` = not yet, or forgotten.
    """
    count = len(found.leaf)
    rng = np.random.default_rng(
        [zlib.crc32(found.source.encode()), count, int(found.reported.sum())]
    )
    codes, office = np.unique(townships.astype(str), return_inverse=True)
    slow = np.exp(rng.normal(0, _OFFICE_SPREAD, len(codes)))[office]
    waits = [
        3_600 * median * slow * rng.lognormal(0, spread, count)
        for median, spread in _HOURS[found.source]
    ]
    left = np.where(
        found.resolved == NEVER, np.inf, (found.resolved - found.reported).astype(float)
    )
    dispatch = np.minimum(waits[0], _SHARES[0] * left)
    sign = dispatch + np.minimum(waits[1], _SHARES[1] * left - dispatch)
    forgotten = (rng.random((2, count)) < _FORGOTTEN) & (found.resolved == NEVER)
    unfiled = (rng.random(count) < _FORGOTTEN) | (found.resolved == NEVER)
    return {
        "dispatched_at": _by_export(found.reported, dispatch, forgotten[0]),
        "signed_at": _by_export(found.reported, sign, forgotten.any(axis=0)),
        "archived_at": _by_export(found.resolved, waits[2], unfiled),
    }


def _by_export(since: Ints, wait: Floats, never: np.ndarray) -> Ints:
    moment = since + wait.astype(np.int64)
    return np.where(never | (moment > EXPORTED_AT), NEVER, moment)

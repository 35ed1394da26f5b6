"""
Planning: which months of the analysis stand as they are, and whether it is due at all.

The results of a period are stored with those of the other periods of its month, a file per table. A
period depends on nothing that happened after it, so new rows of a month renew that month and the
later ones; what was analysed of earlier months stands.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

from data.analysis_tables import ANALYSIS_TABLES

if TYPE_CHECKING:
    from collections.abc import Sequence

Mode = Literal["always", "due", "never"]
"""`due`: when a period has ended since, or the last analysis is older than `EVERY`."""

EVERY: Final = dt.timedelta(minutes=15)
"""Time between two analyses while incidents arrive all day."""

SETTLED: Final = dt.timedelta(days=28 + 31)
"""A period is told as known 28 days after its end; and the longest period is a month."""

NEWEST: Final = "newest"
"""Part of a table that describes the newest period only, and is made anew each time."""


@dataclass(frozen=True)
class Plan:
    """
    What to analyse.

    Attributes
    ----------
    kept
        Manifest entries of the earlier snapshot that stand.
    ends
        First days of the periods to analyse, oldest first; None = nothing at all, as the
        analysis of the earlier snapshot stands as a whole.
    is_same
        Whether the earlier snapshot was analysed by the same settings.
    """

    kept: list[dict[str, Any]]
    ends: list[dt.date] | None
    is_same: bool


def plan(
    ends: Sequence[dt.date],
    *,
    parent: dict[str, Any] | None,
    kept: Sequence[dict[str, Any]],
    changed: set[str],
    settings: str,
    inputs: str,
    mode: Mode,
    now: dt.datetime,
) -> Plan:
    """
    Decide what to analyse.

    Parameters
    ----------
    ends
        Periods that the snapshot is to describe, oldest first.
    parent
        Manifest of the earlier snapshot.
    kept
        Its files that may stand.
    changed
        Months (`YYYY-MM`) with new rows.
    settings
        Version of the settings (`data.analysis_settings.settings_version`).
    inputs
        Version of these and of the marked actions (`inputs_version`).
    """
    before = (parent or {}).get("analysis")
    standing = [entry for entry in kept if entry["table"] in ANALYSIS_TABLES]
    same = before is not None and bool(standing) and before["settings"] == settings
    if mode == "never":
        return Plan(standing if same else [], None, same)
    asked_anew = before is not None and before.get("inputs") != inputs
    if same and mode == "due" and before and not asked_anew and not _is_due(before, ends, now):
        return Plan(standing, None, same)
    if not same:
        return Plan([], list(ends), same)
    first = min(changed, default="9999-99")
    months = {_month(end) for end in ends}
    whole = {entry["month"] for entry in standing if entry["month"] != NEWEST}
    # What was still unsettled then is told anew, with what has become known since.
    unsettled = _month(dt.date.fromisoformat(before["as_of"]) - SETTLED) if before else ""
    stand = {month for month in months & whole if month < min(first, unsettled)}
    return Plan(
        [entry for entry in standing if entry["month"] in stand],
        [end for end in ends if _month(end) not in stand],
        same,
    )


def _is_due(before: dict[str, Any], ends: Sequence[dt.date], now: dt.datetime) -> bool:
    if before["last"] != (ends[-1].isoformat() if ends else ""):
        return True
    return now - dt.datetime.fromisoformat(before["made_at"]) >= EVERY


def _month(end: dt.date) -> str:
    return f"{end:%Y-%m}"

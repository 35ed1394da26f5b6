"""What is fed to the screens, and the account of it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Final

KEPT: Final = dt.timedelta(hours=48)
"""How long an arrived incident is kept, and how old one may be when it arrives."""


@dataclass(frozen=True)
class Arrival:
    """
    One incident as a batch tells it.

    Attributes
    ----------
    seq, replaced_by
        Number of the stored row, and of the one that stands in its place; 0 = none (yet).
    identity, content
        Hashes of the source's number of the incident, and of all that it says.
    rank
        Order among versions: the source's own, else that of arrival.
    is_shown
        False for sensitive classes: everything below is empty then.
    is_new
        False where the row stands in the place of one that was shown before.
    category
        Code of the city's taxonomy.
    severity
        0 = not known.
    level, area_code
        Lowest area that holds it; "" = none.
    lng, lat
        Degrees, WGS 84: the point of its cell in its area, never its own; None = no point.
    """

    identity: int
    content: int
    rank: int
    batch: int
    row: int
    arrived_at: dt.datetime
    is_shown: bool
    by_arrival: bool = True
    is_new: bool = True
    occurred_at: dt.datetime | None = None
    category: str = ""
    severity: int = 0
    level: str = ""
    area_code: str = ""
    lng: float | None = None
    lat: float | None = None
    seq: int = 0
    replaced_by: int = 0


@dataclass(frozen=True)
class Account:
    """
    What became of the rows of one batch.

    Attributes
    ----------
    shown
        New incidents, each a row of its own.
    corrected
        Newer versions of incidents that had arrived before.
    withheld
        Incidents of sensitive classes.
    duplicate
        Rows that say nothing new.
    old
        Of what happened more than `KEPT` before.
    quarantined, refused
        As in the account of the pipeline.
    passed
        Rows of a batch that was too large to be shown as arriving.
    failed
        Rows of a batch that could not be read; the pipeline tells why.
    """

    batch: int
    source: str
    read: int
    shown: int = 0
    corrected: int = 0
    withheld: int = 0
    duplicate: int = 0
    old: int = 0
    quarantined: int = 0
    refused: int = 0
    passed: int = 0
    failed: int = 0

    @property
    def told(self) -> int:
        """Sum of all parts: equal to `read`."""
        return (
            self.shown + self.corrected + self.withheld + self.duplicate + self.old
            + self.quarantined + self.refused + self.passed + self.failed
        )  # fmt: skip


@dataclass(frozen=True)
class Fed:
    """One batch as it is handed over; `account` without what only the store can tell."""

    account: Account
    arrivals: tuple[Arrival, ...] = ()

"""What will be late: warnings whose clock runs out soon, and incidents by the stored deadlines."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from dashboard import assessment, queries
from dashboard.command import places
from dashboard.phone.due import due
from dashboard.phone.story import place_name

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from dashboard.areas import Area
    from dashboard.text import Words
    from data.access import Scope
    from data.store import Snapshot
    from data.warnings.store import Warnings

SHOWN: Final = 6
MOST: Final = 500


@dataclass(frozen=True)
class Matter:
    """
    One incident that is likely to be late.

    Attributes
    ----------
    chance
        Of being late within a day, per cent.
    search
        Query of the map for its area.
    """

    category: str
    place: str
    clock: str
    due: str
    chance: str
    search: str


@dataclass(frozen=True)
class Expected:
    """Incidents that one clock is expected to lose within 6 and 24 hours; None = not known."""

    name: str
    soon: str
    later: str


def warned(kept: Warnings, scope: Scope, now: dt.datetime) -> tuple[int, int]:
    """
    Warnings whose clock runs out within 6 and 24 hours, at most 500 of each.

    Raises
    ------
    DeniedError
        The scope may not read warnings.
    """
    found = kept.coming_breaches(scope, now, dt.timedelta(hours=24), limit=MOST)
    limit = now + dt.timedelta(hours=6)
    return sum(one.due_at is not None and one.due_at <= limit for one in found), len(found)


def expected(scope: Scope, snapshot: Snapshot, focus: Area, words: Words) -> list[Expected]:
    """
    Clocks of the focus that are expected to lose incidents; none where no table tells.

    Raises
    ------
    NotVisibleError
        The focus is unknown or outside the scope; so below.
    """
    settings = assessment.settings(scope, snapshot)
    if settings is None:
        return []
    rows = [
        (one, known(one.expected_breach_6h), known(one.expected_breach_24h))
        for one in assessment.clocks(scope, snapshot, focus)
    ]
    names = settings.clocks
    return [
        Expected(
            words.pick(*names.get(one.clock, (one.clock, one.clock))),
            words("no_value") if soon is None else f"{soon:.1f}",
            words("no_value") if later is None else f"{later:.1f}",
        )
        for one, soon, later in rows
        if (later or 0) >= 0.05
    ]


def known(value: float) -> float | None:
    """Return a stored figure; None where nothing is known."""
    return None if value != value else float(value)  # noqa: PLR0124 - NaN alone


def matters(
    scope: Scope, snapshot: Snapshot, focus: Area, words: Words, zone: ZoneInfo
) -> list[Matter]:
    """Return the incidents under the focus that are most likely to be late within a day."""
    found = due(scope, snapshot, focus)
    if found is None:
        return []
    likely = [one for one in found.coming if one.p_24h is not None and one.p_24h >= 0.005]
    likely.sort(key=lambda one: (-(one.p_24h or 0.0), one.due_at))
    labels = queries.category_labels(scope, snapshot)
    settings = assessment.settings(scope, snapshot)
    clocks = settings.clocks if settings else {}
    return [
        Matter(
            words.pick(labels[one.category].name_zh, labels[one.category].name_en),
            place_name(scope, snapshot, one.area, focus, words),
            words.pick(*clocks.get(one.clocks[0], (one.clocks[0],) * 2)),
            f"{one.due_at.astimezone(zone):%m-%d %H:%M}",
            f"{one.p_24h:.0%}",
            places.search(scope, snapshot, one.area),
        )
        for one in likely[:SHOWN]
    ]

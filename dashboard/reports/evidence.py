"""What else an edition tells of its area: hot spots, deadlines, last week's record, trust."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Final

import numpy as np

from dashboard import assessment
from dashboard.areas import Area, hierarchy
from dashboard.desk import forecast_list, hotspot_list
from dashboard.reports.facts import (
    Clock,
    Cohort,
    Days,
    Foretold,
    Range,
    Record,
    Spot,
    Trust,
    known,
)
from dashboard.reports.standings import place
from data import periods
from data.periods import Window

if TYPE_CHECKING:
    from data.access import Scope
    from data.store import Snapshot

PATTERNS: Final = ("new", "running", "rising", "lasting", "receding")

SPOTS: Final = 6
"""Hot spots of each pattern that are named, those with most incidents."""


def days(start: dt.date, snapshot: Snapshot) -> Days:
    """Label and days of a period."""
    window = Window(start, 1, snapshot.manifest.grain)
    label = periods.label(start, grain=window.grain)
    return Days(label=label, first=window.start, last=window.last_day)


def spots(
    scope: Scope, snapshot: Snapshot, area: Area, end: dt.date
) -> tuple[tuple[Spot, ...], dict[str, int]]:
    """The hot spots of each pattern with most incidents, and how many there are of each."""
    tree = hierarchy(scope, snapshot)
    stored = hotspot_list.stored_levels(scope, snapshot)
    lower = [name for name in stored if name in (area.level, *tree.below(area.level))]
    if not lower:
        return (), {}
    found = hotspot_list.spots(scope, snapshot, area, lower[0], end)
    named: list[Spot] = []
    counts: dict[str, int] = {}
    for pattern in PATTERNS:
        rows = found[found["pattern_group"] == pattern]
        counts[pattern] = len(rows)
        for row in rows.head(SPOTS).to_dict("records"):
            spot = Area(lower[0], int(row["area_index"]))
            above = tree.parent(spot)
            within = place(scope, snapshot, above) if above else None
            named.append(
                Spot(
                    place=place(scope, snapshot, spot),
                    pattern=pattern,
                    count=int(row["count"]),
                    history=tuple(int(one) for one in str(row["history"]).split(",") if one),
                    within_zh=within.name_zh if within else "",
                    within_en=within.name_en if within else "",
                )
            )
    return tuple(named), counts


def clocks(scope: Scope, snapshot: Snapshot, area: Area, end: dt.date) -> tuple[Clock, ...]:
    """Deadlines as they stand; none for a week that is not the newest, which no table holds."""
    settings = assessment.settings(scope, snapshot)
    if settings is None or end != snapshot.manifest.last_period:
        return ()
    return tuple(
        Clock(
            name=one.clock,
            name_zh=settings.clocks.get(one.clock, (one.clock, one.clock))[0],
            name_en=settings.clocks.get(one.clock, (one.clock, one.clock))[1],
            started=int(one.started),
            running=int(one.running),
            overdue=int(one.overdue),
            unknown=int(one.unknown),
            soon=known(one.expected_breach_24h),
            oldest_days=known(one.oldest_overdue_days),
        )
        for one in assessment.clocks(scope, snapshot, area)
    )


def cohort(scope: Scope, snapshot: Snapshot, area: Area) -> Cohort | None:
    """The newest cohort that had thirty days."""
    found = assessment.cohort(scope, snapshot, area)
    if found is None:
        return None
    return Cohort(
        week=days(found.period_end, snapshot),
        received=int(found.received),
        resolved=int(found.resolved_30d),
        unknown=int(found.unknown),
    )


def records(
    scope: Scope, snapshot: Snapshot, levels: tuple[str, ...], end: dt.date
) -> tuple[Record, ...]:
    """What followed in this week the signals of the week before, level by level."""
    if "signal_records" not in snapshot.tables():
        return ()
    made = []
    for level in levels:
        assessment.check_level(scope, snapshot, level)
        if assessment.stands_alone(scope, snapshot, level, end):
            continue
        rows = snapshot.rows(
            "SELECT colour, sum(issued), sum(followed), sum(by_chance) FROM signal_records "
            "WHERE level = ? AND period_end = ? GROUP BY colour ORDER BY colour DESC",
            [level, end],
        )
        made += [
            Record(
                level=level,
                colour=int(colour),
                issued=int(issued),
                followed=int(followed),
                by_chance=float(by_chance),
            )
            for colour, issued, followed, by_chance in rows
            if issued
        ]
    return tuple(made)


def foretold(
    scope: Scope, snapshot: Snapshot, area: Area, start: dt.date, *, below: str
) -> Foretold | None:
    """
    Forecast of a week for the area and, where the week is over, what came.

    Parameters
    ----------
    below
        Level whose areas are counted inside their intervals; empty = none.
    """
    hierarchy(scope, snapshot).check(area)
    if "forecasts" not in snapshot.tables() or not _is_shown(scope, snapshot, area.level):
        return None
    rows = snapshot.rows(
        "SELECT mean, lower, upper FROM forecasts WHERE level = ? AND area_index = ? "
        "AND period_start = ? AND \"group\" = 'all'",
        [area.level, area.index, start],
    )
    if not rows:
        return None
    mean, lower, upper = (float(one) for one in rows[0])
    observed = forecast_list.last_counts(scope, snapshot, area, area.level, start)
    inside, of = _inside(scope, snapshot, area, below, start) if below else (0, 0)
    return Foretold(
        week=days(start, snapshot),
        mean=mean,
        range=Range(lower=lower, upper=upper),
        came=observed.get(area.index),
        inside=inside,
        of=of,
    )


def _is_shown(scope: Scope, snapshot: Snapshot, level: str) -> bool:
    """Whether the level's forecasts of all incidents do no worse than plain counts of the past."""
    said = [one for one in assessment.verdicts(scope, snapshot, level) if one.group == "all"]
    return bool(said) and said[0].is_shown


def _inside(
    scope: Scope, snapshot: Snapshot, area: Area, level: str, start: dt.date
) -> tuple[int, int]:
    """Areas of a level whose count lay in the interval, and those that were forecast."""
    within = hierarchy(scope, snapshot).inside(level, area)
    observed = forecast_list.last_counts(scope, snapshot, area, level, start)
    if not observed:
        return 0, 0
    found = snapshot.arrays(
        "SELECT area_index, lower, upper FROM forecasts WHERE level = ? AND period_start = ? "
        "AND \"group\" = 'all'",
        [level, start],
    )
    index = found["area_index"].astype(np.int64)
    own = within[index]
    counts = np.array([observed.get(int(one), 0) for one in index[own]])
    held = (counts >= found["lower"][own]) & (counts <= found["upper"][own])
    return int(held.sum()), int(own.sum())


def trust(scope: Scope, snapshot: Snapshot, area: Area, end: dt.date) -> Trust:
    """Rows of the whole city for who sees it, and what of the area's incidents is known."""
    raw = snapshot.manifest.raw
    as_of = dt.date.fromisoformat(raw["periods"]["as_of"])
    rows = snapshot.manifest.rows if scope.sees_all else {}
    found = assessment.trust(scope, snapshot, area, end)
    titles = {one["name"]: one for one in raw.get("sources", []) if "name" in one}
    silent = found.silent_sources.split() if found and found.is_silent else []
    return Trust(
        as_of=as_of,
        read=rows.get("read"),
        accepted=rows.get("accepted"),
        quarantined=rows.get("quarantined"),
        duplicate=rows.get("duplicate"),
        unplaced=known(found.unplaced_share) if found else None,
        complete=known(found.complete) if found else None,
        silent_zh=tuple(str(titles.get(one, {}).get("title_zh", one)) for one in silent),
        silent_en=tuple(str(titles.get(one, {}).get("title_en", one)) for one in silent),
    )

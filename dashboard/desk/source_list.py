"""What is known of the data themselves: sources, rows, gaps; as far as the scope may know it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from dashboard.areas import hierarchy
from dashboard.cache import scoped_cache
from dashboard.queries import exact

if TYPE_CHECKING:
    import datetime as dt

    from dashboard.areas import Area
    from data.access import Scope
    from data.store import Snapshot

SUMS: Final = ("read", "accepted", "quarantined", "duplicate", "refused")
"""Rows in, and what became of them: the first is the sum of the others."""

DAYS: Final = 42
"""Days of completeness shown."""


@dataclass(frozen=True)
class Source:
    """One source; counts of rows only for the whole city."""

    name: str
    title_zh: str
    title_en: str
    origin: str
    last_day: str
    silent_areas: int
    """Areas of the finest silent level, of the scope's own, that it fell silent in."""
    rows: dict[str, int] | None


@dataclass(frozen=True)
class Placing:
    """How much of an area's incidents no child of it shows, at one level of the way down."""

    level: str
    areas: int
    not_placed: float
    """Share of the incidents, NaN = not known."""


@scoped_cache
def sources(scope: Scope, snapshot: Snapshot) -> tuple[Source, ...]:
    """
    Every source with its newest day, as the footer of the map names them to everybody.

    Raises
    ------
    NotVisibleError
        The scope covers no area; so in all functions here.
    """
    exact(scope)
    silent = _silent(scope, snapshot)
    return tuple(
        Source(
            name=entry["name"],
            title_zh=entry["title_zh"],
            title_en=entry["title_en"],
            origin=entry["origin"],
            last_day=str(entry["last_day"] or ""),
            silent_areas=silent.get(entry["name"], 0),
            rows={name: int(entry[name]) for name in SUMS} if scope.sees_all else None,
        )
        for entry in snapshot.manifest.raw["sources"]
    )


@scoped_cache
def files(scope: Scope, snapshot: Snapshot) -> pd.DataFrame:
    """Account of each file that was read; of the whole city alone."""
    exact(scope)
    if not scope.sees_all or "accounts" not in snapshot.tables():
        return pd.DataFrame()
    return snapshot.query(f"SELECT source, file, {', '.join(SUMS)} FROM accounts ORDER BY ALL")


@scoped_cache
def unplaced(scope: Scope, snapshot: Snapshot, focus: Area, end: dt.date) -> tuple[Placing, ...]:
    """For each level under the focus that has one below: the share that no area below shows."""
    exact(scope)
    tree = hierarchy(scope, snapshot)
    tree.check(focus)
    if "area_trust" not in snapshot.tables():
        return ()
    found = []
    for level in tree.order[tree.order.index(focus.level) : -1]:
        table = snapshot.arrays(
            "SELECT area_index, reported + discovered AS n, unplaced_share FROM area_trust "
            "WHERE level = ? AND period_end = ?",
            [level, end],
        )
        own = tree.inside(level, focus)[table["area_index"].astype(np.int64)]
        share = np.ma.filled(table["unplaced_share"], np.nan).astype(float)[own]
        n = np.asarray(table["n"], dtype=float)[own]
        known = np.isfinite(share)
        total = float(n[known].sum())
        value = float((n[known] * share[known]).sum() / total) if total else np.nan
        found.append(Placing(level, int(own.sum()), value))
    return tuple(found)


@scoped_cache
def completeness(scope: Scope, snapshot: Snapshot) -> pd.DataFrame:
    """
    Share of each of the last days' incidents that is known so far, all groups together.

    It is an estimate from how late reports come, the same everywhere; it tells of no area.
    """
    exact(scope)
    if "completeness" not in snapshot.tables():
        return pd.DataFrame()
    found = snapshot.query(
        "SELECT day, share, is_complete FROM completeness WHERE \"group\" = 'all' "
        "ORDER BY day DESC LIMIT ?",
        [DAYS],
    )
    return found.iloc[::-1].reset_index(drop=True)


@scoped_cache
def lag(scope: Scope, snapshot: Snapshot) -> pd.DataFrame:
    """First day of each group of which part is still to be reported."""
    exact(scope)
    if "completeness" not in snapshot.tables():
        return pd.DataFrame()
    return snapshot.query(
        'SELECT "group", min(day) FILTER (NOT is_complete) AS first_day, '
        'arg_max(share, day) AS newest FROM completeness GROUP BY "group" '
        'ORDER BY "group" <> \'all\', "group"'
    )


def _silent(scope: Scope, snapshot: Snapshot) -> dict[str, int]:
    """Areas of the scope in which each source fell silent, at the level with the most of them."""
    if "area_trust" not in snapshot.tables():
        return {}
    tree = hierarchy(scope, snapshot)
    rows: list[Any] = snapshot.query(
        "SELECT level, area_index, silent_sources FROM area_trust WHERE is_silent AND "
        "period_end = (SELECT max(period_end) FROM area_trust)"
    ).to_dict("records")
    counts: dict[tuple[str, str], int] = {}
    for row in rows:
        if tree.at(row["level"]).visible[int(row["area_index"])]:
            for name in str(row["silent_sources"]).split():
                key = (name, row["level"])
                counts[key] = counts.get(key, 0) + 1
    most: dict[str, int] = {}
    for (name, _), count in counts.items():
        most[name] = max(most.get(name, 0), count)
    return most

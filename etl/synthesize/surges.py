"""Surges planted on purpose: more of one class in one area for some weeks."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np

from etl.synthesize.incidents import EXPORTED_AT, SECONDS, Incidents, record
from etl.synthesize.places import Places, draw_addresses
from etl.synthesize.plan import FIRST_DAY, WEEKS, Ints, Plan
from etl.synthesize.rhythm import RHYTHMS, hour_weights

if TYPE_CHECKING:
    from etl.synthesize.partition import Divisions


@dataclass(frozen=True)
class Surge:
    """One planted surge; `extra` incidents on top of the usual ones."""

    area_code: str
    level: str
    category: str
    source: str
    first_week: str
    weeks: int
    extra: int

    def as_dict(self) -> dict[str, object]:
        """Fields by name."""
        return asdict(self)


# Level, leaf, source, first week counted back from the last, weeks, extra in the small city.
_WANTED = (
    ("grid", "P101", "police_calls", 40, 3, 36),
    ("community", "H102", "hazards", 22, 4, 60),
    ("township", "L101", "hotline", 15, 2, 170),
    ("community", "D403", "disputes", 30, 6, 45),
    ("grid", "M101", "grid_reports", 12, 4, 48),
    ("township", "P102", "police_calls", 6, 4, 140),
    ("county", "L202", "hotline", 26, 3, 420),
    ("community", "P201", "police_calls", 1, 2, 56),
)


def plan_surges(
    plan: Plan,
    divisions: Divisions,
    codes: dict[str, list[str]],
    places: Places,
    rng: np.random.Generator,
) -> list[tuple[Surge, Ints]]:
    """
    Choose where the surges happen.

    Parameters
    ----------
    plan, divisions, places, rng
        The wanted numbers, the nested labels, the addresses, the source of chance.
    codes
        Area codes by number, of each level.

    Returns
    -------
    surges
        Each with the grids (before the re-cut) of its area.
    """
    grid = divisions.labels["grid"]
    changed = np.unique(grid[divisions.recut != grid])
    number = int(grid.max()) + 1
    above = {"grid": np.arange(number)}
    above["community"] = divisions.parents["grid"][:number]
    above["township"] = divisions.parents["community"][above["community"]]
    above["county"] = divisions.parents["township"][above["township"]]
    chosen: list[tuple[Surge, Ints]] = []
    taken: set[int] = set()
    for level, leaf, source, back, weeks, extra in _WANTED:
        weights = np.bincount(above[level], weights=places.pull[leaf[:2]])
        if level == "grid":
            weights[changed] = 0.0
        crowded = np.argsort(-weights, kind="stable")[: max(3, len(weights) // 3)]
        free = [
            area
            for area in crowded.tolist()
            if taken.isdisjoint(above["community"][above[level] == area].tolist())
        ]
        area = int(rng.choice(free or crowded))
        grids = np.flatnonzero(above[level] == area)
        if level in ("grid", "community"):
            taken.update(above["community"][grids].tolist())
        week = FIRST_DAY + timedelta(weeks=WEEKS - 1 - back)
        surge = Surge(codes[level][area], level, leaf, source, week.isoformat(), weeks,
                      max(8, round(extra * plan.surge_factor)))  # fmt: skip
        chosen.append((surge, grids))
    return chosen


def draw_surge(
    surge: Surge, grids: Ints, places: Places, leaves: list[str], rng: np.random.Generator
) -> Incidents:
    """
    Draw the extra incidents, most of them early in the surge (lognormal in time).

    Parameters
    ----------
    surge, grids
        The surge and the grids of its area.
    places, leaves, rng
        Addresses, all leaf codes, the source of chance.

    Returns
    -------
    incidents
        Exactly `surge.extra` rows, all reported before the export.
    """
    code, span = surge.category[:2], 7 * surge.weeks
    first = (np.datetime64(surge.first_week) - np.datetime64(FIRST_DAY)).astype(int)
    pull = places.pull[code][grids] ** 0.5
    late = np.minimum((rng.lognormal(0, 0.5, surge.extra) * span * 0.35).astype(int), span - 1)
    hour = rng.choice(24, size=surge.extra, p=hour_weights(RHYTHMS[code].hours))
    occurred = (first + late) * SECONDS + hour * 3600 + rng.integers(0, 3600, surge.extra)
    where = grids[rng.choice(len(grids), size=surge.extra, p=pull / pull.sum())]
    address = draw_addresses(places, where, rng)
    leaf = np.full(surge.extra, leaves.index(surge.category))
    found = record(surge.source, leaves, leaf=leaf, occurred=occurred, address=address, rng=rng)
    return replace(found, reported=np.minimum(found.reported, EXPORTED_AT))

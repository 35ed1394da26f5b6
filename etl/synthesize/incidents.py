"""Two years of incidents: when, where, of which class, and how they were handled."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from etl.synthesize.places import Places, draw_addresses
from etl.synthesize.plan import DAYS, WEEKS, Floats, Ints, Plan
from etl.synthesize.rhythm import (
    LEAF_WEIGHTS,
    RHYTHMS,
    STREAMS,
    day_weights,
    hour_weights,
    leaf_season,
)

SECONDS = 86_400
EXPORTED_AT = DAYS * SECONDS + 6 * 3600  # the Monday after the last week, 06:00 city time
NEVER = -1  # no deadline, or not resolved before the export
UNREPORTED_SHARE = 0.02  # drawn in excess, because the latest incidents are not yet reported

# Median and spread (log) of the time from incident to record, in hours.
_LAGS = {
    "disputes": (22.0, 1.3),
    "police_calls": (0.07, 0.8),
    "hazards": (3.0, 1.2),
    "hotline": (0.2, 1.1),
    "grid_reports": (2.5, 1.3),
}
_SEVERITIES = {
    # Chance of unknown (0) and of 1 to 4; 4 is the gravest.
    "disputes": (0.02, 0.71, 0.21, 0.06, 0.0),
    "police_calls": (0.01, 0.79, 0.155, 0.037, 0.008),
    "hazards": (0.0, 0.62, 0.27, 0.09, 0.02),
    "hotline": (0.05, 0.81, 0.115, 0.025, 0.0),
    "grid_reports": (0.08, 0.79, 0.115, 0.013, 0.002),
}
_DEADLINE_DAYS = {
    # By severity 0 to 4; a source without an entry sets no deadline.
    "disputes": (30, 30, 20, 15, 15),
    "hazards": (15, 15, 7, 3, 1),
    "hotline": (7, 7, 3, 1, 1),
    "grid_reports": (3, 3, 2, 1, 1),
}


_COLUMNS = ("leaf", "occurred", "reported", "deadline", "resolved", "severity", "address")


@dataclass(frozen=True)
class Incidents:
    """
    One row per incident of one source, in parallel arrays.

    Times are seconds of city time since the first day 00:00; `NEVER` where there is none.
    `leaf` indexes `leaves`; `address` indexes the places; `severity` 0 is unknown.
    """

    source: str
    leaves: list[str]
    leaf: Ints
    occurred: Ints
    reported: Ints
    deadline: Ints
    resolved: Ints
    severity: Ints
    address: Ints

    def take(self, rows: Ints) -> Incidents:
        """The listed rows, in that order."""
        columns: dict[str, Any] = {name: getattr(self, name)[rows] for name in _COLUMNS}
        return replace(self, **columns)


@dataclass(frozen=True)
class Draft:
    """Class by class: when and where, before leaf, record and handling are known."""

    day: Ints
    grid: Ints


def class_leaves(code: str) -> list[str]:
    """Leaf codes of a top class that have a weight in `LEAF_WEIGHTS`, in their order."""
    weights = LEAF_WEIGHTS[code].split()
    numbers = [f"{number:02d}" for number in range(1, len(weights) + 1)]
    if code in ("D1", "D2", "P2", "P4"):
        numbers[-1] = "99"
    return [code + number for number in numbers]


def _draft(
    code: str, count: int, places: Places, community: Ints, rng: np.random.Generator
) -> Draft:
    """
    Draw day and grid of each incident of a class.

    Community × week cells get a gamma factor (over-dispersion) and every week one of its own;
    within a cell, days and grids are drawn by their weights.
    """
    rhythm, pull = RHYTHMS[code], places.pull[code]
    days = day_weights(code) * np.repeat(np.exp(rng.normal(0, 0.035, WEEKS)), 7)
    where = np.bincount(community, weights=pull)
    cells = where[:, None] * days.reshape(WEEKS, 7).sum(axis=1)[None, :]
    cells *= rng.gamma(rhythm.clump, 1 / rhythm.clump, cells.shape)
    number = rng.multinomial(count, cells.ravel() / cells.sum())
    cell = np.repeat(np.arange(cells.size), number)
    place, week = np.divmod(cell, WEEKS)
    total = np.append(0.0, np.cumsum(days))
    drawn = total[7 * week] + rng.random(count) * (total[7 * week + 7] - total[7 * week])
    day = np.clip(np.searchsorted(total, drawn, side="right") - 1, 7 * week, 7 * week + 6)
    return Draft(day, _within(place, pull, community, rng))


def _within(place: Ints, pull: Floats, community: Ints, rng: np.random.Generator) -> Ints:
    """A grid of each listed community by its pull; grids are numbered by community."""
    total = np.append(0.0, np.cumsum(pull))
    first = np.searchsorted(community, np.arange(community.max() + 2))
    low, high = total[first[place]], total[first[place + 1]]
    drawn = low + rng.random(len(place)) * (high - low)
    grid = np.searchsorted(total, drawn, side="right") - 1
    return np.asarray(np.clip(grid, first[place], first[place + 1] - 1))


def _leaf(code: str, day: Ints, leaves: list[str], rng: np.random.Generator) -> Ints:
    """Leaf of each incident by weight and season, as a position in `leaves`."""
    own = class_leaves(code)
    weights = np.array([float(weight) for weight in LEAF_WEIGHTS[code].split()])
    by_day = np.column_stack([leaf_season(leaf) for leaf in own]) * weights
    bounds = np.cumsum(by_day, axis=1)
    bounds /= bounds[:, -1:]
    drawn = rng.random(len(day))
    picked = np.zeros(len(day), dtype=np.int64)
    for column in range(len(own) - 1):
        picked += drawn > bounds[day, column]
    return np.asarray(np.array([leaves.index(leaf) for leaf in own])[picked])


def record(
    source: str,
    leaves: list[str],
    *,
    leaf: Ints,
    occurred: Ints,
    address: Ints,
    rng: np.random.Generator,
) -> Incidents:
    """
    Add what the source writes down: report, severity, deadline, end.

    Parameters
    ----------
    source
        Name of the source.
    leaves, leaf, occurred, address
        As in `Incidents`.
    rng
        Source of chance.

    Returns
    -------
    incidents
        Rows in the same order; some may be reported after the export.
    """
    count = len(leaf)
    median, spread = _LAGS[source]
    lag = median * 3600 * rng.lognormal(0, spread, count)
    reported = occurred + np.minimum(lag, 45 * SECONDS).astype(np.int64)
    severity = np.searchsorted(np.cumsum(_SEVERITIES[source])[:-1], rng.random(count), side="right")
    deadline = np.full(count, NEVER, dtype=np.int64)
    resolved = np.full(count, NEVER, dtype=np.int64)
    if source in _DEADLINE_DAYS:
        allowed = np.array(_DEADLINE_DAYS[source])[severity] * SECONDS
        deadline = reported + allowed
        ended = reported + (allowed * 0.42 * rng.lognormal(0, 0.62, count)).astype(np.int64)
        stuck = rng.random(count) < 0.012
        resolved = np.where(stuck | (ended > EXPORTED_AT), NEVER, ended)
    return Incidents(source, leaves, leaf, occurred, reported, deadline, resolved, severity,
                     address)  # fmt: skip


def draw_source(
    source: str,
    counts: dict[str, int],
    *,
    places: Places,
    community: Ints,
    leaves: list[str],
    rng: np.random.Generator,
) -> Incidents:
    """
    Draw the incidents of one source that are reported before the export.

    Parameters
    ----------
    source
        Name of the source.
    counts
        Wanted number of incidents by class.
    places, community
        Addresses, and the community of each grid (not decreasing).
    leaves
        All leaf codes.
    rng
        Source of chance.

    Returns
    -------
    incidents
        Exactly the wanted number, in random order.
    """
    parts = []
    for code, wanted in counts.items():
        excess = round(wanted * (1 + UNREPORTED_SHARE)) + 60
        draft = _draft(code, excess, places, community, rng)
        hour = rng.choice(24, size=excess, p=hour_weights(RHYTHMS[code].hours))
        occurred = draft.day * SECONDS + hour * 3600 + rng.integers(0, 3600, excess)
        address = draw_addresses(places, draft.grid, rng)
        leaf = _leaf(code, draft.day, leaves, rng)
        found = record(source, leaves, leaf=leaf, occurred=occurred, address=address, rng=rng)
        kept = rng.permutation(np.flatnonzero(found.reported <= EXPORTED_AT))
        if len(kept) < wanted:
            raise ValueError(f"{source} {code}: {len(kept)} of {wanted} reported; draw more")
        parts.append(found.take(kept[:wanted]))
    return join(parts)


def join(parts: list[Incidents]) -> Incidents:
    """Rows of all parts, which come from one source, one after another."""
    columns: dict[str, Any] = {
        name: np.concatenate([getattr(part, name) for part in parts]) for name in _COLUMNS
    }
    return replace(parts[0], **columns)


def stream_counts(plan: Plan, planted: dict[str, int]) -> dict[str, dict[str, int]]:
    """
    Incidents of each source and class, without the planted surges.

    Parameters
    ----------
    plan
        The wanted numbers.
    planted
        Surge incidents of each source; they count towards the total.

    Returns
    -------
    counts
        By source and class; with the surges they sum up to `plan.incidents`.
    """
    streams = [(s, c, w) for s, classes in STREAMS.items() for c, w in classes.items()]
    total = sum(weight for _, _, weight in streams)
    free = plan.incidents - sum(planted.values())
    counts: dict[str, dict[str, int]] = {}
    for source, code, weight in streams:
        counts.setdefault(source, {})[code] = int(free * weight / total)
    short = free - sum(sum(classes.values()) for classes in counts.values())
    counts["police_calls"]["P3"] += short
    return counts

"""Surges planted into a world: a grid and its neighbours hold more than before for four weeks."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from etl.analyse.bed import concatenate
from tests.etl.analyse.worlds import DAY_S, FIRST_WEEK, scatter

LENGTH_DAYS = 28


@dataclass(frozen=True)
class Surge:
    """`first` is the day of its first event; `patch` the grids that hold it, `near` their ring."""

    centre: int
    patch: np.ndarray
    near: np.ndarray
    first: np.datetime64
    last: np.datetime64


def plant(made, rng, *, number, per_week, weeks, base=(0.0, np.inf)):
    """
    A world with surges added.

    Parameters
    ----------
    number, per_week
        Surges, and events that each adds in a week.
    weeks
        First and last week (positions) in which a surge may begin, on any day.
    base
        Range of events per week that a patch usually holds.
    """
    adjacency = made.adjacency.tocsr()
    usual = (made.rates + adjacency @ made.rates).mean(axis=1)
    fit = np.flatnonzero((usual >= base[0]) & (usual <= base[1]))
    grids = len(made.rates)
    taken, surges, extra = np.zeros(grids, dtype=bool), [], []
    for centre in rng.permutation(fit):
        patch = np.append(
            adjacency.indices[adjacency.indptr[centre] : adjacency.indptr[centre + 1]], centre
        )
        near = np.union1d(adjacency[patch].nonzero()[1], patch)
        if taken[near].any():
            continue
        taken[adjacency[near].nonzero()[1]] = True
        start = FIRST_WEEK + 7 * int(rng.integers(weeks[0], weeks[1])) + int(rng.integers(7))
        added = _events(made, rng, patch, start, per_week)
        if len(added) == 0:
            continue
        extra.append(added)
        surges.append(Surge(int(centre), patch, near, added.day.min(), start + LENGTH_DAYS - 1))
        if len(surges) == number:
            break
    first = sum(len(one) for one in made.bed.areas[:-1])
    more = concatenate(extra)
    events = concatenate([made.bed.events, replace(more, area=more.area + first)])
    return replace(made, bed=replace(made.bed, events=events)), surges


def _events(made, rng, patch, start, per_week):
    """Events at random over the days of a surge and the grids of its patch, as late as others."""
    counts = np.zeros((len(made.rates), 1), dtype=np.int64)
    np.add.at(counts[:, 0], rng.choice(patch, rng.poisson(per_week * LENGTH_DAYS / 7)), 1)
    drawn = scatter(counts, made.centres, rng)
    day = start + rng.integers(0, LENGTH_DAYS, len(drawn))
    shift = (day - drawn.day).astype(np.int64)
    return replace(
        drawn, day=day, known=drawn.known + shift,
        occurred=drawn.occurred + shift * DAY_S, reported=drawn.reported + shift * DAY_S,
    )  # fmt: skip

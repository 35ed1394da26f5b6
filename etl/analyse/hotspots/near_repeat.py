"""
Near repeats: do incidents close in space also lie close in time?

Knox 1964 (Appl. Statist. 13, 25): pairs of incidents are counted by band of distance and of time;
what chance alone gives is found by dealing the same days out to the places at random. Places are
centres of H3 cells of resolution 10 (about 130 m apart), so the first band holds the same cell.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from scipy import spatial

if TYPE_CHECKING:
    from collections.abc import Sequence

    from etl.analyse.bed import Days, Floats, Ints

LEAST_EVENTS: Final = 20
"""Fewer events have no table."""
_TRIAL: Final = 2000
"""Events among which close pairs are counted to tell how many there would be."""


@dataclass(frozen=True)
class Knox:
    """
    Table of pairs, each array of shape (distance bands, time bands).

    Attributes
    ----------
    pairs
        Pairs found.
    expected
        Mean over the replicas.
    p
        (1 + replicas with at least as many) / (1 + replicas).
    sampled
        Share of the events that was looked at.
    """

    pairs: Ints
    expected: Floats
    p: Floats
    sampled: float


def knox(
    places: Floats,
    days: Days,
    *,
    metres: Sequence[int],
    bands: Sequence[int],
    replicas: int,
    most_pairs: int,
    seed: int,
) -> Knox | None:
    """
    Knox table of some events.

    Parameters
    ----------
    places
        Metres east and north, shape (n, 2).
    days
        Day of each, shape (n,).
    metres, bands
        Upper ends of the bands of distance (m) and time (days), rising; the first band of either
        begins at 0, every other where the one before it ends.
    replicas
        Random deals of the days.
    most_pairs
        Where more pairs than this would be close, a random part of the events is taken: it thins
        every band alike, and so leaves the ratios as they are.

    Returns
    -------
    table
        None where there are fewer than `LEAST_EVENTS` events.
    """
    if len(places) < LEAST_EVENTS:
        return None
    rng = np.random.default_rng(seed)
    kept = _sample(places, metres[-1], most_pairs, rng)
    if len(kept) < LEAST_EVENTS:
        return None
    left, right, band = _pairs(places[kept], metres)
    when = (days[kept] - days[kept].min()).astype(np.int64)
    band_of_gap = np.searchsorted(bands, np.arange(int(when.max()) + 1))
    shape = (len(metres), len(bands) + 1)
    row = band * shape[1]

    def count(deal: Ints) -> Ints:
        gap = np.abs(deal[left] - deal[right])
        found = np.bincount(row + band_of_gap[gap], minlength=shape[0] * shape[1])
        return np.asarray(found.reshape(shape)[:, :-1])

    pairs = count(when)
    dealt = np.stack([count(rng.permutation(when)) for _ in range(replicas)])
    as_many = (dealt >= pairs).sum(axis=0)
    return Knox(
        pairs=pairs,
        expected=dealt.mean(axis=0),
        p=(1 + as_many) / (1 + replicas),
        sampled=len(kept) / len(places),
    )


def _sample(places: Floats, reach: int, most_pairs: int, rng: np.random.Generator) -> Ints:
    """Positions of all events, or of a random part with about `most_pairs` close pairs."""
    order = rng.permutation(len(places))
    tree = spatial.KDTree(places[order[:_TRIAL]])
    trial = min(len(places), _TRIAL)
    close = (int(tree.count_neighbors(tree, reach)) - trial) / 2
    size = int(trial * np.sqrt(most_pairs / close)) if close > 0 else len(places)
    return np.sort(order[:size])


def _pairs(places: Floats, metres: Sequence[int]) -> tuple[Ints, Ints, Ints]:
    """Both ends of each close pair, and its band of distance."""
    found = spatial.KDTree(places).query_pairs(metres[-1], output_type="ndarray")
    gaps = np.hypot(*(places[found[:, 0]] - places[found[:, 1]]).T)
    return found[:, 0], found[:, 1], np.searchsorted(metres, gaps)

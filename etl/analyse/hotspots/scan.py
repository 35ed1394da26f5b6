"""
The most unusual cluster of a period: space-time scan with an honest p-value.

Kulldorff 1997 (Commun. Statist. Theory 26, 1481) and 2001 (J. R. Statist. Soc. A 164, 61), expected
counts after Neill 2005: zones are the k nearest areas over the last one to four periods, ratio
LLR = c ln(c / e) - (c - e) for c > e. Expected counts are shares of the city's own total of each
period, so that season, holidays and late reports, which touch the whole city, are no cluster. The
replicas of the null are drawn from the fitted negative binomial, not from a Poisson, whose null is
too narrow; a Gumbel distribution is fitted to their largest ratios (Abrams et al. 2010, Int. J.
Health Geogr. 9, 61).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from scipy import sparse, spatial, special

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from etl.analyse.bed import Floats, Ints

_CHUNK: Final = 1024
"""Centres at a time, a multiple of every stride: their sums stay in the processor's cache."""
_EULER: Final = float(np.euler_gamma)


@dataclass(frozen=True)
class Cluster:
    """
    One zone.

    Attributes
    ----------
    members
        Positions of its areas, the centre first.
    periods
        How many of the last periods it spans.
    observed, expected
        Counts of the zone.
    ratio
        Log-likelihood ratio.
    p
        Chance that the largest ratio of a whole null map is as large.
    """

    members: Ints
    periods: int
    observed: float
    expected: float
    ratio: float
    p: float


def scan(
    counts: Floats,
    shares: Floats,
    sizes: Floats,
    centres: Floats,
    *,
    neighbours: Sequence[int],
    replicas: int,
    told: int,
    seed: int,
) -> list[Cluster]:
    """
    Find the most unusual clusters of the last periods.

    Parameters
    ----------
    counts
        Events per area and period, the newest period last, shape (n, periods).
    shares
        Expected share of each area in the city's total, from before these periods; shape (n,).
    sizes
        Size of each area's negative binomial (inf = Poisson), shape (n,).
    centres
        Kilometres east and north, shape (n, 2).
    neighbours
        Numbers of nearest areas that make a zone, rising.
    replicas
        Maps drawn from the null.
    told
        Most clusters to tell; they share no area.
    seed
        Of the replicas: the same seed gives the same p.

    Returns
    -------
    clusters
        The largest ratio first; empty where nothing happened or there are too few areas.
    """
    usable = [k for k in neighbours if k <= len(shares)]
    if not usable or counts.sum() == 0 or not shares.sum() > 0:
        return []
    near = _nearest(centres, usable[-1])
    part = shares / shares.sum()
    ratios = np.zeros((len(part), len(usable), counts.shape[1]), dtype=np.float32)
    for which, place, found in _ratios(_backwards(counts)[..., None], part, near, usable):
        ratios[which, place] = found[..., 0]
    null = _null_maxima(counts, part, sizes, near, usable, replicas=replicas, seed=seed)
    return list(_tell(ratios, counts, part, near, usable, null=null, told=told))


def _nearest(centres: Floats, k: int) -> Ints:
    found = spatial.KDTree(centres).query(centres, k=k)[1]
    return np.asarray(found, dtype=np.int64).reshape(len(centres), k)


def _backwards(counts: NDArray[np.floating]) -> NDArray[np.float32]:
    """Sums over the last 1, 2, … periods: shape as `counts`, the newest period alone first."""
    return np.ascontiguousarray(np.cumsum(counts[:, ::-1], axis=1), dtype=np.float32)


def _ratios(
    sums: NDArray[np.float32], part: Floats, near: Ints, zones: Sequence[int]
) -> Iterator[tuple[slice, int, NDArray[np.float32]]]:
    """
    Log-likelihood ratios of all zones, a chunk of centres at a time.

    Parameters
    ----------
    sums
        Shape (n, periods, maps).

    Yields
    ------
    centres, zone, ratio
        Which centres, position of the zone in `zones`, shape (centres, periods, maps).
    """
    n, periods, maps = sums.shape
    totals = sums.sum(axis=0, dtype=np.float64).astype(np.float32)
    flat = sums.reshape(n, periods * maps)
    inside = part[near].cumsum(axis=1)[:, np.array(zones) - 1].astype(np.float32)
    for first in range(0, n, _CHUNK):
        rows = near[first : first + _CHUNK]
        count = np.zeros((len(rows), periods, maps), dtype=np.float32)
        stride, taken = 1, 0
        for place, k in enumerate(zones):
            thinner = _stride(k) // stride
            stride *= thinner
            rows, count = rows[::thinner], count[::thinner]
            count = count + _sum_rows(flat, rows[:, taken:k]).reshape(count.shape)
            centres = slice(first, first + _CHUNK, stride)
            yield centres, place, _ratio(count, inside[centres, place, None, None] * totals)
            taken = k


def _stride(k: int) -> int:
    """Every how many-th area is the centre of a zone of k: large neighbours are nearly the same."""
    return 1 if k < 7 else 2 if k < 15 else 4


def _sum_rows(flat: NDArray[np.float32], rows: Ints) -> NDArray[np.float32]:
    """Sum of the rows that each line of `rows` names, shape (lines, columns)."""
    lines, width = rows.shape
    picks = sparse.csr_array(
        (np.ones(rows.size, dtype=np.float32), rows.ravel(), np.arange(lines + 1) * width),
        shape=(lines, len(flat)),
    )
    return np.asarray(picks @ flat)


def _ratio(count: NDArray[np.float32], expected: NDArray[np.float32]) -> NDArray[np.float32]:
    """Ratio of each zone: c ln(c / e) - (c - e) where c > e, else 0."""
    found: NDArray[np.float32] = np.divide(count, np.maximum(expected, np.float32(1e-6)))
    np.maximum(found, 1, out=found)
    np.log(found, out=found)
    found *= count
    found -= np.maximum(count - expected, 0)
    return found


def _null_maxima(
    counts: Floats,
    part: Floats,
    sizes: Floats,
    near: Ints,
    zones: Sequence[int],
    *,
    replicas: int,
    seed: int,
) -> Floats:
    """Largest ratio of each replica, shape (replicas,)."""
    rng = np.random.default_rng(seed)
    n, periods = counts.shape
    poisson = ~np.isfinite(sizes)
    spread = np.where(poisson, 1.0, sizes).astype(np.float32)[:, None]
    sums = np.empty((n, periods, replicas), dtype=np.float32)
    for back in range(periods):
        mean = rng.standard_gamma(spread, (n, replicas), dtype=np.float32) / spread
        mean[poisson] = 1.0
        mean *= (part * counts[:, periods - 1 - back].sum()).astype(np.float32)[:, None]
        sums[:, back] = rng.poisson(mean)
        if back:
            sums[:, back] += sums[:, back - 1]
    largest = np.zeros(replicas)
    for _, _, found in _ratios(sums, part, near, zones):
        np.maximum(largest, found.max(axis=(0, 1)), out=largest)
    return largest


def gumbel_tail(value: float, null: Floats) -> float:
    """P(maximum >= value) by a Gumbel distribution with the moments of null maxima."""
    scale = float(null.std(ddof=1)) * np.sqrt(6) / np.pi
    if not scale > 0:
        return 1.0 if value <= null.max() else 1.0 / (len(null) + 1)
    centre = float(null.mean()) - _EULER * scale
    return float(-special.expm1(-np.exp(-(value - centre) / scale)))


def _tell(
    ratios: NDArray[np.float32],
    counts: Floats,
    part: Floats,
    near: Ints,
    zones: Sequence[int],
    *,
    null: Floats,
    told: int,
) -> Iterator[Cluster]:
    """Take the largest zones that share no area with a larger one."""
    taken = np.zeros(len(part), dtype=bool)
    left = ratios.copy()
    for _ in range(told):
        centre, zone, back = map(int, np.unravel_index(int(left.argmax()), left.shape))
        if not left[centre, zone, back] > 0:
            return
        members = near[centre, : zones[zone]]
        ended = counts[:, counts.shape[1] - back - 1 :]
        ratio = float(left[centre, zone, back])
        yield Cluster(
            members=members,
            periods=back + 1,
            observed=float(ended[members].sum()),
            expected=float(part[members].sum() * ended.sum()),
            ratio=ratio,
            p=gumbel_tail(ratio, null),
        )
        taken[members] = True
        overlaps = np.cumsum(taken[near], axis=1)[:, np.array(zones) - 1] > 0
        left[overlaps] = 0

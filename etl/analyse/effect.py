"""
Did it work: the change after an action against the change of matched peers.

Difference in differences of log counts (Angrist and Pischke 2009, chapter 5), with the interval by
permutation in space: areas where nothing was done show which changes chance brings (Abadie, Diamond
and Hainmueller 2010, JASA 105, 493). Actions are taken where numbers were just high, and such
numbers fall by themselves (regression to the mean): the periods just before an action are left out,
and peers are chosen by still earlier ones than those compared.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from data.effect_settings import EffectSettings
    from etl.analyse.bed import Flags, Floats, Ints

TAIL: Final = 0.05
"""Share of placebos beyond each end of the interval: 90 % lies between."""
LEAST_PLACEBOS: Final = 19
"""With fewer, not one of them would lie beyond."""
FELL, ROSE, CANNOT_TELL = "fell", "rose", "cannot_tell"
_STEPS: Final = 25
_HALF: Final = 0.5
"""Added to counts, so that a zero has a logarithm (Haldane 1956)."""


@dataclass(frozen=True)
class Windows:
    """Positions of the periods that are compared, in their order in time."""

    matching: slice
    before: slice
    after: slice

    @property
    def lengths(self) -> tuple[int, int]:
        """Periods before and after."""
        return self.before.stop - self.before.start, self.after.stop - self.after.start


@dataclass(frozen=True)
class Effect:
    """
    Change of one area against its peers.

    `ratio` is after / before, divided by that of the peers, with a 90 % interval; NaN and a
    `reason` where nothing can be told.
    """

    before: float = np.nan
    after: float = np.nan
    peers: int = 0
    peer_before: float = np.nan
    peer_after: float = np.nan
    ratio: float = np.nan
    lower: float = np.nan
    upper: float = np.nan
    placebos: int = 0
    verdict: str = CANNOT_TELL
    reason: str | None = None


def windows(first: int, after: int, known: int, settings: EffectSettings) -> Windows | str:
    """
    Windows of an action.

    Parameters
    ----------
    first, after
        Positions of the period of the action, and of the first that lies wholly after its day.
    known
        Number of periods that are known.

    Returns
    -------
    windows
        Or the reason why there are none: `too_early`, `too_little_history`.
    """
    stop = first - settings.excluded
    start = stop - settings.before
    if start - settings.matching < 0:
        return "too_little_history"
    last = min(after + settings.after, known)
    if last - after < settings.least_after:
        return "too_early"
    return Windows(slice(start - settings.matching, start), slice(start, stop), slice(after, last))


def measure(
    counts: Floats, area: int, candidates: Flags, spans: Windows, settings: EffectSettings
) -> Effect:
    """
    Effect of an action in one area.

    Parameters
    ----------
    counts
        Incidents per area and period, shape (n areas, n periods).
    area
        Where the action was taken.
    candidates
        Areas that may be peers and placebos, shape (n areas,).
    """
    before, after = (counts[:, span].sum(axis=1) for span in (spans.before, spans.after))
    found = Effect(before=float(before[area]), after=float(after[area]))
    if before[area] < settings.least_before:
        return replace(found, reason="too_few_incidents")
    near = nearest(counts[:, spans.matching], area, candidates, most=settings.placebos)
    if len(near) < LEAST_PLACEBOS:
        return replace(found, placebos=len(near), reason="too_few_areas")
    peers = near[: settings.peers]
    size = dispersion(counts[np.append(area, peers), spans.matching.start : spans.before.stop])
    tried = np.append(area, near)
    # A placebo that is a peer itself is not compared with itself.
    is_peer = np.isin(tried, peers)
    pairs = [
        np.stack([sums[tried], sums[peers].sum() - np.where(is_peer, sums[tried], 0)])
        for sums in (before, after)
    ]
    own, theirs = _log(pairs[1]) - _log(pairs[0])
    change = own - theirs
    noise = sum(1 / (n * size) for n in spans.lengths)
    error = _error(pairs[0], pairs[1], np.zeros(len(tried)), noise)
    chance = np.sort(change[1:] / error[1:])
    rank = int((len(chance) + 1) * TAIL) - 1
    lower, upper = _bounds(
        pairs[0][:, :1], pairs[1][:, :1], change[0], chance[[-1 - rank, rank]], noise
    )
    verdict = FELL if upper < 0 else ROSE if lower > 0 else CANNOT_TELL
    return replace(
        found,
        peers=len(peers),
        peer_before=float(pairs[0][1, 0]),
        peer_after=float(pairs[1][1, 0]),
        ratio=float(np.exp(change[0])),
        lower=float(np.exp(lower)),
        upper=float(np.exp(upper)),
        placebos=len(near),
        verdict=verdict,
        reason="no_clear_change" if verdict == CANNOT_TELL else None,
    )


def nearest(matching: Floats, area: int, candidates: Flags, *, most: int) -> Ints:
    """
    Candidates in order of likeness: level and trend of the log counts, each in its spread.

    Parameters
    ----------
    matching
        Counts in the matching window, shape (n areas, n periods).
    """
    half = matching.shape[1] // 2
    first, second = matching[:, :half].sum(axis=1), matching[:, half:].sum(axis=1)
    features = np.stack([_log(first + second), _log(second) - _log(first)], axis=1)
    chosen = np.flatnonzero(candidates)
    if not len(chosen):
        return chosen
    spread = features[chosen].std(axis=0)
    gap = (features[chosen] - features[area]) / np.where(spread > 0, spread, 1.0)
    order = np.argsort((gap**2).sum(axis=1), kind="stable")
    return chosen[order[:most]]


def dispersion(counts: Floats) -> float:
    """Size of the negative binomial of counts by area and period, by moments; inf = Poisson."""
    mean = counts.mean(axis=1)
    excess = float((counts.var(axis=1, ddof=1) - mean).sum()) if counts.shape[1] > 1 else 0.0
    return float((mean**2).sum()) / excess if excess > 0 else np.inf


def _log(counts: Floats) -> Floats:
    return np.asarray(np.log(counts + _HALF))


def _bounds(
    before: Floats, after: Floats, change: float, chance: Floats, noise: float
) -> tuple[float, float]:
    """Log changes at which this one would lie at the ends of what chance does."""
    found = np.full(2, change)
    # The error depends on the change that is supposed, so the ends are found by steps.
    for _ in range(_STEPS):
        found = change - chance * _error(before, after, found, noise)
    return float(found[0]), float(found[1])


def _error(before: Floats, after: Floats, change: Floats, noise: float) -> Floats:
    """
    Standard error of the log change if the true one were `change`, up to a common factor.

    Var(sum of n periods) / mean² = 1 / mean + 1 / (n size) of the negative binomial, the second
    term being `noise`; the means share out an area's incidents as its peers' are.

    Parameters
    ----------
    before, after
        Incidents of areas and of their peers, shape (2, n).
    """
    later = (after[1] + _HALF) * np.exp(change)
    share = later / (before[1] + _HALF + later)
    total = before[0] + after[0]
    poisson = 1 / (total * (1 - share) + _HALF) + 1 / (total * share + _HALF)
    return np.asarray(np.sqrt(poisson + noise))

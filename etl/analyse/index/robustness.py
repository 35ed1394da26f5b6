"""
How much of a colour and a rank is the choice of weights and of the way to score (JRC ten steps).

Weights are drawn around ours (Dirichlet), ways to turn ratios into points in turn; the draws are
the same for all areas, periods and cities.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from data.index_trace import colour_of, compose
from etl.analyse.index.measure import combined

if TYPE_CHECKING:
    from data.index_settings import IndexSettings
    from etl.analyse.bed import Flags, Floats, Ints


def weight_draws(settings: IndexSettings) -> Floats:
    """Weights of the dimensions, shape (n draws, n dimensions)."""
    rng = np.random.default_rng(settings.robustness.seed)
    ours = np.array([one.weight for one in settings.dimensions])
    return rng.dirichlet(settings.robustness.concentration * ours, settings.robustness.draws)


def stability(ratios: Floats, known: Flags, *, colour: Ints, settings: IndexSettings) -> Floats:
    """
    Share of draws in which an area reaches its colour.

    Parameters
    ----------
    ratios
        To own past, peers and last year, shape (3, n areas, 28).
    known
        Indicators that are not missing, shape (n areas, 28).
    colour
        After the gate, shape (n areas,).
    """
    draws = weight_draws(settings)
    variants = settings.robustness.variants
    reached = np.zeros(len(colour))
    ways = {one.exponents for one in variants}
    ratio_of = {one: np.where(known, combined(ratios, one), np.nan) for one in ways}
    for number, variant in enumerate(variants):
        own = draws[number :: len(variants)]
        ratio = ratio_of[variant.exponents]
        dimension = compose(ratio, settings, curve=variant.curve).dimension_points
        risk = weighted(dimension, own)
        found = colour_of(risk, settings)
        red = (np.nan_to_num(dimension) > settings.colours.edges[-1]).any(axis=1)
        least = np.where(red, settings.colours.dimension_red, 1)[:, None]
        # The cap of the gate is no lower than the colour: it decides nothing here.
        reached += (np.maximum(found, least) >= colour[:, None]).sum(axis=1)
    return reached / len(draws)


def weighted(dimension: Floats, weights: Floats) -> Floats:
    """Risk under several weights, missing dimensions dropped; shape (n areas, n weights)."""
    known = np.isfinite(dimension)
    points = np.where(known, dimension, 0.0)
    total = _products(points, weights)
    whole = weights.sum(axis=1)[None, :]
    if not known.all():
        whole = _products(known.astype(np.float64), weights)
    return np.asarray(total / np.where(whole > 0, whole, np.nan))


def _products(points: Floats, weights: Floats) -> Floats:
    """One dimension after the other: a matrix product adds in an order of its own."""
    found = np.zeros((len(points), len(weights)))
    for d in range(points.shape[1]):
        found += points[:, d, None] * weights[:, d]
    return found


def rank_range(dimension: Floats, usable: Flags, settings: IndexSettings) -> tuple[Ints, Ints]:
    """
    Best and worst rank by risk when every weight moves, 1 = highest risk, 0 = no data.

    Parameters
    ----------
    dimension
        Points of the dimensions, shape (n areas, n dimensions).
    usable
        Areas that have a risk, shape (n areas,).
    """
    rule = settings.robustness
    rng = np.random.default_rng(rule.seed)
    ours = np.array([one.weight for one in settings.dimensions])
    shift = rng.uniform(1 - rule.rank_shift, 1 + rule.rank_shift, (rule.rank_draws, len(ours)))
    chosen = np.flatnonzero(usable)
    risks = weighted(dimension[chosen], np.vstack([ours, ours * shift]))
    lower = np.full(len(chosen), len(chosen), dtype=np.int64)
    upper = np.ones(len(chosen), dtype=np.int64)
    for risk in np.ascontiguousarray(risks.T):
        rank = ranks(risk)
        lower, upper = np.minimum(lower, rank), np.maximum(upper, rank)
    found = np.zeros((2, len(usable)), dtype=np.int64)
    found[:, chosen] = lower, upper
    return found[0], found[1]


def ranks(risk: Floats) -> Ints:
    """Rank of each risk, 1 = the highest; equal ones share the best of their ranks."""
    order = np.argsort(-risk)
    ordered = risk[order]
    place = np.arange(1, len(risk) + 1)
    place[1:] = np.where(ordered[1:] == ordered[:-1], 0, place[1:])
    found = np.empty(len(risk), dtype=np.int64)
    found[order] = np.maximum.accumulate(place)
    return found

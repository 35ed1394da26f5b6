"""Quasi-Poisson regression with a ridge, by iteratively reweighted least squares, batched."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from etl.analyse.bed import Floats

_STEPS: Final = 50
_TOLERANCE: Final = 1e-9
_STEADY: Final = 1e-9
"""Keeps a singular system solvable; far below any information."""

OUTLYING: Final = 2.58
_MIDDLE: Final = 1.4826
"""Median of absolute deviations to standard deviation, of normal residuals."""

_LARGEST: Final = 30.0
"""Bound of the linear predictor: exp of it is no count of this world."""


@dataclass(frozen=True)
class Fit:
    """
    Fitted log-linear models of several series on one design.

    Attributes
    ----------
    coefficients
        Shape (n series, n columns).
    mean
        Fitted counts, shape (n series, n periods).
    dispersion
        Pearson's, of a robust fit that of the middle of the residuals; at least 1; (n series,).
    weights
        What each count weighed, 0-1, shape (n series, n periods).
    """

    coefficients: Floats
    mean: Floats
    dispersion: Floats
    weights: Floats


def quasi_poisson(
    counts: Floats,
    design: Floats,
    *,
    offset: Floats | None = None,
    prior_sd: Floats | None = None,
    robust: bool = False,
) -> Fit:
    """
    Fit log E(count) = offset + design · b to each series.

    McCullagh and Nelder 1989, ch. 9. With a prior the penalty is dispersion × (b / sd)², the
    dispersion being that of a first fit at 1. A robust fit gives a count whose standardised
    residual r exceeds 2.58 the weight 2.58 / |r| (after Noufaily and others 2013, Statistics in
    Medicine 32, 1206), in two rounds.

    Parameters
    ----------
    counts
        Shape (n series, n periods).
    design
        Shape (n periods, n columns).
    offset
        Logarithm of each period's exposure, shape (n periods,); by default 0.
    prior_sd
        Standard deviation of a normal prior about 0 for each column, inf = none; shape
        (n columns,).
    """
    shift = np.zeros(len(design)) if offset is None else offset
    sd = np.full(design.shape[1], np.inf) if prior_sd is None else prior_sd
    weights = np.ones_like(counts)
    scale = np.ones(len(counts))
    rounds = 3 if robust else 2 if np.isfinite(sd).any() else 1
    for _ in range(rounds):
        coefficients, mean = _irls(counts, design, shift, weights, scale[:, None] * sd**-2.0)
        residuals = (counts - mean) / np.sqrt(mean)
        if robust:
            scale = np.maximum((_MIDDLE * np.median(np.abs(residuals), axis=1)) ** 2, 1.0)
            far = np.abs(residuals) / np.sqrt(scale)[:, None]
            weights = OUTLYING / np.maximum(far, OUTLYING)
        else:
            free = max(len(design) - design.shape[1], 1)
            scale = np.maximum(np.sum(residuals**2, axis=1) / free, 1.0)
    return Fit(coefficients, mean, scale, weights)


def _irls(
    counts: Floats, design: Floats, offset: Floats, weights: Floats, precision: Floats
) -> tuple[Floats, Floats]:
    columns = design.shape[1]
    penalty = precision[:, :, None] * np.eye(columns) + _STEADY * np.eye(columns)
    mean = np.maximum(counts, 0.0) + 0.5
    predictor = np.log(mean)
    coefficients = np.zeros((len(counts), columns))
    for _ in range(_STEPS):
        working = predictor - offset + (counts - mean) / mean
        weighted = (weights * mean)[:, :, None] * design
        left = np.einsum("ntp,tq->npq", weighted, design) + penalty
        right = np.einsum("ntp,nt->np", weighted, working)
        before, coefficients = coefficients, np.linalg.solve(left, right[:, :, None])[:, :, 0]
        predictor = np.clip(offset + coefficients @ design.T, -_LARGEST, _LARGEST)
        mean = np.exp(predictor)
        if np.all(np.abs(before - coefficients) <= _TOLERANCE * (1 + np.abs(coefficients))):
            break
    return coefficients, mean

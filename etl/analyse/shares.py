"""
Shares: how the events of a city spread over nested areas, each shrunk to its parent's mean share.

Gamma-Poisson, level by level from the top (Clayton and Kaldor 1987, Biometrics 43, 671). What was
placed in an area but in none of its children keeps its own share, so that every split adds up.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from etl.analyse.bed import Floats, Ints

STRENGTH_RANGE: Final = (0.05, 50.0)


@dataclass(frozen=True)
class Tree:
    """
    What the shares are taken from, per level from the top down, arrays of shape (n areas,).

    Attributes
    ----------
    sums
        Events of the window.
    parents
        Position in the level above; ignored for the top.
    exposure
        Share of the window in which the area was valid, 0-1; NaN = not valid now.
    children
        Number of children of each area of the level above, where more exist than are listed (H3
        cells without an event); None = those listed and valid.
    """

    sums: tuple[Floats, ...]
    parents: tuple[Ints, ...]
    exposure: tuple[Floats, ...]
    children: int | None = None


@dataclass(frozen=True)
class Shares:
    """
    Expected sums over the window, per level from the top down, arrays of shape (n areas,).

    Attributes
    ----------
    mean
        Adds up to the window's events over the top level; 0 for areas not valid now.
    unplaced
        Part of `mean` in none of the children: 0 at the lowest level.
    relative_variance
        Of the posterior: what the share itself is uncertain by, 1 / shape.
    child
        Mean of a child that is not listed.
    strength
        Shape of each level's prior.
    """

    mean: tuple[Floats, ...]
    unplaced: tuple[Floats, ...]
    relative_variance: tuple[Floats, ...]
    child: tuple[Floats, ...]
    strength: tuple[float, ...]


def shares(tree: Tree) -> Shares:
    """Shrink every level to the one above."""
    above = np.array([float(np.sum(tree.sums[0]))])
    splits = []
    for depth in range(len(tree.sums)):
        placed = above if depth == 0 else above * _placed_share(tree, depth - 1)
        splits.append(_split(tree, depth, placed))
        above = splits[-1].mean
    unplaced, child = [], []
    for depth, one in enumerate(splits[:-1]):
        below = splits[depth + 1]
        inside = np.bincount(tree.parents[depth + 1], weights=below.mean, minlength=len(one.mean))
        # What is left, so that rounding never makes the parts differ from the whole.
        unplaced.append(one.mean - inside)
        child.append(below.unseen)
    none = np.zeros(len(above))
    return Shares(
        tuple(one.mean for one in splits),
        (*unplaced, none),
        tuple(1 / one.shape for one in splits),
        (*child, none),
        tuple(one.strength for one in splits),
    )


def _placed_share(tree: Tree, depth: int) -> Floats:
    """Share of each area's events that lie in a child; the level's own where it had none."""
    own, parent = tree.sums[depth], tree.parents[depth + 1]
    below = np.bincount(parent, weights=tree.sums[depth + 1], minlength=len(own))
    total = float(np.sum(own))
    typical = float(np.sum(below)) / total if total > 0 else 1.0
    # As strong as two events of the level's own share.
    share = (below + 2 * typical) / (own + 2)
    living = np.bincount(parent, weights=np.isfinite(tree.exposure[depth + 1]), minlength=len(own))
    return np.where(living > 0, np.clip(share, 0.0, 1.0), 0.0)


@dataclass(frozen=True)
class _Split:
    """Shrunk areas of one level: mean, shape of the posterior, and a child that is not listed."""

    mean: Floats
    shape: Floats
    unseen: Floats
    strength: float


def _split(tree: Tree, depth: int, placed: Floats) -> _Split:
    """Split what is placed in each parent among its valid areas."""
    sums, exposure = tree.sums[depth], tree.exposure[depth]
    parent = tree.parents[depth] if depth else np.zeros(len(sums), dtype=np.int64)
    valid = np.isfinite(exposure)
    siblings = np.bincount(parent, weights=valid, minlength=len(placed))
    number = np.maximum(siblings, tree.children if tree.children and depth else 1.0)
    mean = placed / number
    prior = np.where(valid, mean[parent], 0.0)
    at_risk = np.where(valid, exposure, 0.0)
    strength = _strength(sums, at_risk * prior)
    shape = strength + sums
    # (strength + sums) / (strength / prior + at_risk), which is 0 where the prior is.
    posterior = prior * shape / (strength + at_risk * prior)
    unseen = mean * strength / (strength + mean)
    listed = np.bincount(parent, weights=posterior, minlength=len(placed))
    total = listed + (number - siblings) * unseen
    scale = np.where(total > 0, placed / np.where(total > 0, total, 1.0), 0.0)
    return _Split(posterior * scale[parent], shape, unseen * scale, strength)


def _strength(sums: Floats, mean: Floats) -> float:
    """Shape of the prior by moments, within `STRENGTH_RANGE`; the largest where all are alike."""
    excess = float(np.sum((sums - mean) ** 2 - mean, where=mean > 0))
    low, high = STRENGTH_RANGE
    if excess <= 0:
        return high
    return float(np.clip(np.sum(mean**2) / excess, low, high))

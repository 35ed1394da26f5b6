"""
Does the answer depend on the size of the cells? (modifiable areal unit problem)

Openshaw 1984. Hot spots are computed at each resolution by itself; a cell is called stable only if
the place is hot at two adjacent resolutions, and the share that disagrees is told.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from geo.cells import parent_numbers

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from etl.analyse.bed import Flags, Floats, Ints


@dataclass(frozen=True)
class HotCells:
    """Cells of one resolution in ascending order, which are hot, and their counts; shape (n,)."""

    cells: Ints
    hot: Flags
    counts: Floats
    study: Flags


@dataclass(frozen=True)
class Agreement:
    """
    How two adjacent resolutions agree; a share of nothing is NaN.

    Attributes
    ----------
    coarse, fine
        The resolutions.
    area_share, incident_share
        Share of the map's cells, and of its incidents, that are hot at each: coarse, fine.
    disagreeing
        Of incidents in cells hot at the coarse resolution, the share in cells not hot at the fine
        one; and the other way round.
    """

    coarse: int
    fine: int
    area_share: tuple[float, float]
    incident_share: tuple[float, float]
    disagreeing: tuple[float, float]


def stable(maps: Mapping[int, HotCells]) -> dict[int, Flags]:
    """Which cells of each resolution are hot, and so is their parent or one of their children."""
    found = {resolution: np.zeros(len(one.cells), dtype=bool) for resolution, one in maps.items()}
    for coarse, fine in _adjacent(sorted(maps)):
        above = _positions(maps[coarse].cells, maps[fine].cells, coarse)
        both = maps[fine].hot & (above >= 0) & maps[coarse].hot[above]
        found[fine] |= both
        found[coarse][above[both]] = True
    return found


def agreements(maps: Mapping[int, HotCells]) -> list[Agreement]:
    """Agreement of each pair of adjacent resolutions, the coarsest first."""
    return [_agreement(maps, *pair) for pair in _adjacent(sorted(maps))]


def _agreement(maps: Mapping[int, HotCells], coarse: int, fine: int) -> Agreement:
    above, below = maps[coarse], maps[fine]
    parent = _positions(above.cells, below.cells, coarse)
    parent_hot = (parent >= 0) & above.hot[parent]
    return Agreement(
        coarse=coarse,
        fine=fine,
        area_share=(
            _share(above.study.astype(float), above.hot),
            _share(below.study.astype(float), below.hot),
        ),
        incident_share=(_share(above.counts, above.hot), _share(below.counts, below.hot)),
        disagreeing=(
            _share(below.counts * parent_hot, ~below.hot),
            _share(below.counts * below.hot, ~parent_hot),
        ),
    )


def _adjacent(resolutions: Sequence[int]) -> list[tuple[int, int]]:
    pairs = pairwise(resolutions)
    return [(coarse, fine) for coarse, fine in pairs if fine == coarse + 1]


def _positions(cells: Ints, children: Ints, resolution: int) -> Ints:
    """Position of each child's parent among cells in ascending order, -1 = not among them."""
    parents = parent_numbers(children, resolution=resolution)
    found = np.minimum(np.searchsorted(cells, parents), max(len(cells) - 1, 0))
    if not len(cells):
        return np.full(len(children), -1)
    return np.where(cells[found] == parents, found, -1)


def _share(weights: Floats, chosen: Flags) -> float:
    total = float(weights.sum())
    return float(weights[chosen].sum()) / total if total > 0 else float("nan")

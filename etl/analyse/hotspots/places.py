"""
Frequent places and types: what happens again and again in one place (高频地点, 高频类型).

A plain count, no test: at least so many reported events of one class in one small cell, or one area
of the lowest level, within the last days.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from etl.analyse.bed import Floats, Ints


def frequent(places: Ints, classes: NDArray[np.integer], *, least: int) -> tuple[Ints, Ints, Ints]:
    """
    Places with many events of one class.

    Parameters
    ----------
    places, classes
        Number of each event's place, and its class from 0 up; shape (n events,).
    least
        Fewest events of one class.

    Returns
    -------
    place, category, count
        One row per place and class, both ascending.
    """
    distinct, place = np.unique(places, return_inverse=True)
    width = int(classes.max(initial=0)) + 1
    keys, count = np.unique(place * width + classes, return_counts=True)
    often = count >= least
    return distinct[keys[often] // width], keys[often] % width, count[often]


def top_types(areas: Ints, classes: NDArray[np.integer]) -> tuple[Ints, Ints, Ints, Floats]:
    """
    Most frequent class of each area.

    Parameters
    ----------
    areas, classes
        Area and class of each event, shape (n events,).

    Returns
    -------
    area, category, count, share
        One row per area with an event: its most frequent class (of equal ones the first), how
        many events it has, and their share of the area's events.
    """
    area, category, count = frequent(areas, classes, least=1)
    order = np.lexsort((category, -count, area))
    found, first, back = np.unique(area[order], return_index=True, return_inverse=True)
    total = np.bincount(back, weights=count[order], minlength=len(found))
    best = order[first]
    return found, category[best], count[best], count[best] / total

"""
One band and one count per area or cell: all that a change of period, category or layer sends.

Both travel as text of base-32 digits, mostly one digit a number. For 22,000 areas that is half of
what base64 of bytes takes on the wire, and less than a JSON array of numbers.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from dashboard import cells, queries
from dashboard.areas import hierarchy
from data.rates import SMALL_SAMPLE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dashboard.view import View
    from data.access import Scope
    from data.store import Snapshot

OUTSIDE: Final = 254
"""Stands for the band of an area outside the focus or the scope."""

ABSENT: Final = 255
"""Stands for the band of an area that does not exist on the window's last day."""

_DIGITS: Final = np.frombuffer(
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", dtype=np.uint8
)
_DIGIT_BITS: Final = 5


def area_values(scope: Scope, snapshot: Snapshot, view: View) -> dict[str, Any]:
    """
    Band and count of every area of the shown level, by `area_index`.

    Returns
    -------
    values
        `layer`, `level`, `n`, `bands` (n numbers as `written`: band 0-4, 254 outside, 255
        absent), `counts` (n numbers as `written`; 0 outside the focus), `small` (a band of 1 or
        more on fewer incidents than this is a small sample), `version` (changes with the content).
    """
    tree = hierarchy(scope, snapshot)
    rates = queries.level_rates(scope, snapshot, view.level, view.selection)
    inside = tree.inside(view.level, view.focus)
    bands = rates.band.astype(np.uint8)
    bands[~inside] = OUTSIDE
    bands[~tree.at(view.level).valid_on(view.selection.window.last_day)] = ABSENT
    counts = np.where(inside, rates.count, 0)
    about = {"layer": "areas", "level": view.level, "small": SMALL_SAMPLE}
    return about | packed(bands, counts)


def cell_values(scope: Scope, snapshot: Snapshot, view: View, resolution: int) -> dict[str, Any]:
    """
    Density band and count of every cell of one resolution, by its number; see `area_values`.

    Band k says that the incidents per km² and period reach the k-th of the city's `cell_bands`;
    0 that they reach none. A scope short of the whole city gets its own cells, numbered for it.
    """
    found = cells.cell_counts(scope, snapshot, resolution, view.selection)
    edges = snapshot.manifest.city["cell_bands"]
    bands = np.searchsorted(edges, found.density, side="right").astype(np.uint8)
    about = {"layer": "cells", "resolution": resolution, "small": 0}
    return about | packed(bands, found.counts)


def packed(bands: NDArray[np.uint8], counts: NDArray[np.int64]) -> dict[str, Any]:
    """Bands and counts as they travel, with a version that changes with them."""
    content = {"n": len(bands), "bands": written(bands), "counts": written(counts)}
    version = hashlib.sha256(repr(content).encode()).hexdigest()[:16]
    return content | {"version": version}


def written(numbers: NDArray[np.integer[Any]]) -> str:
    """
    Write numbers from 0 up as base-32 digits, the highest first, without separators.

    A digit is a character of the base64 alphabet; 32 is added to every digit of a number but the
    last, so that 3 is `D` and 35 is `hD`.
    """
    values = numbers.astype(np.int64)
    length = np.ones(len(values), dtype=np.int64)
    rest = values >> _DIGIT_BITS
    while rest.any():
        length += rest > 0
        rest >>= _DIGIT_BITS
    ends = np.cumsum(length)
    after = np.repeat(ends, length) - np.arange(int(length.sum())) - 1
    digits = (np.repeat(values, length) >> (_DIGIT_BITS * after)) & 31
    return _DIGITS[digits + 32 * (after > 0)].tobytes().decode("ascii")

"""
One band and one count per area or cell: all that a change of period, category or layer sends.

Both travel as text of base-32 digits, mostly one digit a number. For 22,000 areas that is half of
what base64 of bytes takes on the wire, and less than a JSON array of numbers. Bands that travel
without counts go two to a digit where there are few enough of them.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from dashboard import cells
from dashboard.areas import hierarchy

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dashboard.map.banded import Measured
    from dashboard.view import View
    from data.access import Scope
    from data.store import Snapshot

OUTSIDE: Final = 254
"""Stands for the band of an area outside the focus or the scope."""

ABSENT: Final = 255
"""Stands for the band of an area that does not exist on the window's last day."""

MOST_COUNTED: Final = 5_000
"""Levels with more areas send no counts: they would be most of an answer, and of all of them one
is read, that of the area under the pointer, which `dashboard.pointed` tells."""

MOST_CELLS_COUNTED: Final = 50_000
"""The same for cells; two thirds of a large answer were counts."""

_SMALL: Final = 16
"""Added to a band on a small sample where no counts travel; every band is less."""

_DIGITS: Final = np.frombuffer(
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", dtype=np.uint8
)
_DIGIT_BITS: Final = 5
_PAIRED: Final = 8
"""Bands below this go two to a digit: 62,196 of them take 18.4 kB on the wire instead of 21.4."""
_PLACES: Final = np.zeros(256, dtype=np.int64)
_PLACES[_DIGITS] = np.arange(len(_DIGITS))


def area_values(
    scope: Scope, snapshot: Snapshot, view: View, found: Measured, *, is_counted: bool = True
) -> dict[str, Any]:
    """
    Band and count of every area of the shown level, by `area_index`.

    Parameters
    ----------
    is_counted
        Without counts, 16 is added to the band of a small sample.

    Returns
    -------
    values
        `layer`, `level`, `n`, `bands` (n numbers as `written`: band 0 no data, 1 to k an entry of
        the measure's colours, 254 outside, 255 absent), `counts` (n numbers as `written`; 0 outside
        the focus; none where they are not sent; `pairs` then stands for `bands` where every band is
        below 8: n numbers as `paired`), `small` (a band of 1 or more on fewer incidents
        than this is a small sample),
        `version` (changes with the content).
    """
    tree = hierarchy(scope, snapshot)
    inside = tree.inside(view.level, view.focus)
    bands = found.bands.copy()
    bands[~inside] = OUTSIDE
    bands[~tree.at(view.level).valid_on(view.selection.window.last_day)] = ABSENT
    about = {"layer": "areas", "level": view.level, "small": found.small}
    if is_counted:
        return about | packed(bands, np.where(inside, found.counts, 0))
    bands[(bands > 0) & (bands < _SMALL) & (found.counts < found.small)] += _SMALL
    return about | packed(bands)


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
    return about | packed(bands, found.counts if len(bands) <= MOST_CELLS_COUNTED else None)


def packed(bands: NDArray[np.uint8], counts: NDArray[np.int64] | None = None) -> dict[str, Any]:
    """Bands and counts as they travel, with a version that changes with them."""
    content: dict[str, Any] = {"n": len(bands)}
    if counts is not None:
        content |= {"bands": written(bands), "counts": written(counts)}
    elif len(bands) and bands.max() < _PAIRED:
        content["pairs"] = paired(bands)
    else:
        content["bands"] = written(bands)
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


def paired(bands: NDArray[np.uint8]) -> str:
    """
    Write numbers below 8, two to a digit of the base64 alphabet: 8 times the first, and the second.

    The second of the last digit is 0 where there is an odd number of them.
    """
    both = np.append(bands, 0)[: len(bands) + len(bands) % 2].reshape(-1, 2)
    text: str = _DIGITS[both[:, 0] * _PAIRED + both[:, 1]].tobytes().decode("ascii")
    return text


def read(text: str) -> NDArray[np.int64]:
    """Read numbers back from what `written` made of them."""
    digit = _PLACES[np.frombuffer(text.encode("ascii"), dtype=np.uint8)]
    ends = digit < 32
    number = np.concatenate([[0], np.cumsum(ends)[:-1]]) if len(digit) else digit
    last = np.flatnonzero(ends)
    power = last[number] - np.arange(len(digit))
    found = np.zeros(len(last), dtype=np.int64)
    np.add.at(found, number, (digit & 31) << (_DIGIT_BITS * power))
    return found

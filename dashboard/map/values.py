"""One byte and one count per area or cell: all that a change of period, category or layer sends."""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from dashboard import queries
from dashboard.areas import hierarchy

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dashboard.view import View
    from data.access import Scope
    from data.store import Snapshot

OUTSIDE: Final = 254
"""Byte of an area outside the focus or the scope."""

ABSENT: Final = 255
"""Byte of an area that does not exist on the window's last day."""

SMALL_SAMPLE_BIT: Final = 128


def area_values(scope: Scope, snapshot: Snapshot, view: View) -> dict[str, Any]:
    """
    Band and count of every area of the shown level, by `area_index`.

    Returns
    -------
    values
        `layer`, `level`, `n`, `bands` (base64 of n bytes: band 0-4, 128 added for a small sample,
        254 outside, 255 absent), `counts` (base64 of n little-endian uint32; 0 outside the focus),
        `version` (changes with the content).
    """
    tree = hierarchy(scope, snapshot)
    rates = queries.level_rates(scope, snapshot, view.level, view.selection)
    inside = tree.inside(view.level, view.focus)
    bands = rates.band.astype(np.uint8)
    bands |= np.where(rates.small_sample & (bands > 0), SMALL_SAMPLE_BIT, 0).astype(np.uint8)
    bands[~inside] = OUTSIDE
    bands[~tree.at(view.level).valid_on(view.selection.window.last_day)] = ABSENT
    counts = np.where(inside, rates.count, 0)
    return {"layer": "areas", "level": view.level} | _packed(bands, counts)


def cell_values(scope: Scope, snapshot: Snapshot, view: View, resolution: int) -> dict[str, Any]:
    """
    Density band and count of every cell of one resolution, by `cell_index`; see `area_values`.

    Band k says that the incidents per km² and period reach the k-th of the city's `cell_bands`;
    0 that they reach none. A scope short of the whole city gets no cell at all.
    """
    found = queries.cell_counts(scope, snapshot, resolution, view.selection)
    if found is None:
        bands, counts = np.zeros(0, dtype=np.uint8), np.zeros(0, dtype=np.int64)
    else:
        edges = snapshot.manifest.city["cell_bands"]
        bands = np.searchsorted(edges, found.density, side="right").astype(np.uint8)
        counts = found.counts
    return {"layer": "cells", "resolution": resolution} | _packed(bands, counts)


def _packed(bands: NDArray[np.uint8], counts: NDArray[np.int64]) -> dict[str, Any]:
    counted = counts.astype("<u4").tobytes()
    return {
        "n": len(bands),
        "bands": base64.b64encode(bands.tobytes()).decode("ascii"),
        "counts": base64.b64encode(counted).decode("ascii"),
        "version": hashlib.sha256(bands.tobytes() + counted).hexdigest()[:16],
    }

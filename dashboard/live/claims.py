"""
Where a sender says that something is, held against where it is.

Units and crowds name their area themselves, and whoever sees that area sees them. A point that
lies beyond the box round the named area is believed by nobody: it counts as placed in no area.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from weakref import WeakKeyDictionary

import numpy as np

from geo import cells as h3_cells

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from data.resources.live import Crowd, Unit
    from data.store import Snapshot

SLACK_DEG: Final = 0.006
"""About 600 m: positions are rounded, and a cell of resolution 8 reaches over an edge."""

Box = tuple[float, float, float, float]
_boxes: WeakKeyDictionary[Snapshot, Mapping[str, Box]] = WeakKeyDictionary()


def boxes(snapshot: Snapshot) -> Mapping[str, Box]:
    """West, south, east, north round everything that a code has named, in degrees."""
    found = _boxes.get(snapshot)
    if found is None:
        sides = {"west": "min", "south": "min", "east": "max", "north": "max"}
        drawn = snapshot.areas.groupby("code").agg(sides)
        found = _boxes[snapshot] = {
            str(code): (west, south, east, north)
            for code, west, south, east, north in drawn.itertuples(name=None)
        }
    return found


def believed_units(snapshot: Snapshot, units: Sequence[Unit]) -> list[tuple[Unit, str]]:
    """Each unit with the area that it is believed to be in; "" = none."""
    known = boxes(snapshot)
    return [(one, _believed(known, one.area_code, one.lng, one.lat)) for one in units]


def believed_crowds(snapshot: Snapshot, crowds: Sequence[Crowd]) -> list[tuple[Crowd, str]]:
    """Each crowd with the area that the middle of its cell is believed to be in; "" = none."""
    if not crowds:
        return []
    known = boxes(snapshot)
    middles = h3_cells.cell_centres(np.array([one.cell for one in crowds], dtype=np.int64))
    return [
        (one, _believed(known, one.area_code, float(lng), float(lat)))
        for one, lng, lat in zip(crowds, *middles, strict=True)
    ]


def _believed(known: Mapping[str, Box], code: str, lng: float, lat: float) -> str:
    if code not in known:
        return ""
    west, south, east, north = known[code]
    # An area without a box (NaN) is beyond nothing.
    is_beyond = (
        lng < west - SLACK_DEG
        or lng > east + SLACK_DEG
        or lat < south - SLACK_DEG
        or lat > north + SLACK_DEG
    )
    return "" if is_beyond else code

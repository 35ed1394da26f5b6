"""Vector tiles that a scope may see: areas from their archives, cells drawn from the register."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from dashboard.cache import scoped_cache
from dashboard.map.view import cell_sources
from data.manifest import SnapshotError
from geo import tiles
from geo.cell_tiles import cell_tile

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from data.access import Scope
    from data.store import Snapshot

_CELLS: Final = "cells_"


def tile(
    scope: Scope, snapshot: Snapshot, version: str, name: str, address: tuple[int, int, int]
) -> bytes | None:
    """
    One gzipped tile; None where it is empty.

    Shapes without names may be seen by every scope; cells show where incidents were, so only by
    a scope that covers the whole city.

    Raises
    ------
    SnapshotError
        There are no such tiles for this scope, or not of this version.
    """
    entry = cell_sources(scope, snapshot).get(name.removeprefix(_CELLS))
    if entry and name.startswith(_CELLS) and version == snapshot.manifest.cell_version:
        if not entry["minzoom"] <= address[0] <= entry["maxzoom"]:
            return None
        return _drawn(scope, snapshot, int(name.removeprefix(_CELLS)), address)
    levels = {entry["level"] for entry in snapshot.manifest.levels}
    if name not in levels or not scope.area_codes:
        raise SnapshotError(f"snapshot {snapshot.id} has no tiles {name} of version {version}")
    return tiles.read_tile(snapshot.tile_file(name, version), *address)


@scoped_cache
def _drawn(
    scope: Scope, snapshot: Snapshot, resolution: int, address: tuple[int, int, int]
) -> bytes | None:
    z, x, y = address
    return cell_tile(*_register(scope, snapshot, resolution), z=z, x=x, y=y)


@scoped_cache
def _register(
    scope: Scope,  # noqa: ARG001 - every query takes it
    snapshot: Snapshot,
    resolution: int,
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
    """Cells as numbers, and their centres, by `cell_index`."""
    found = snapshot.arrays(
        f"SELECT ('0x' || cell)::BIGINT AS cell, lng, lat FROM cells_{resolution} "
        "ORDER BY cell_index"
    )
    return (
        np.asarray(found["cell"], dtype=np.int64),
        np.asarray(found["lng"], dtype=np.float64),
        np.asarray(found["lat"], dtype=np.float64),
    )

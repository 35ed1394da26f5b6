"""Vector tiles that a scope may see: areas from their archives, cells drawn from the register."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from dashboard import cells
from dashboard.areas import hierarchy
from dashboard.cache import scoped_cache
from dashboard.map.view import cell_sources
from data.manifest import SnapshotError
from geo import tiles
from geo.cell_tiles import cell_tile

if TYPE_CHECKING:
    from data.access import Scope
    from data.store import Snapshot

_CELLS: Final = "cells_"


def tile(
    scope: Scope, snapshot: Snapshot, version: str, name: str, address: tuple[int, int, int]
) -> bytes | None:
    """
    One gzipped tile; None where it is empty.

    Shapes without names may be seen by every scope, at the levels that it knows. Cells show where
    incidents were: each scope has tiles of its own cells, under a version of their own.

    Raises
    ------
    SnapshotError
        There are no such tiles for this scope, or not of this version.
    """
    entry = cell_sources(scope, snapshot).get(name.removeprefix(_CELLS))
    if entry and name.startswith(_CELLS) and version == cells.version(scope, snapshot):
        if not entry["minzoom"] <= address[0] <= entry["maxzoom"]:
            return None
        return _drawn(scope, snapshot, int(name.removeprefix(_CELLS)), address)
    may_see = scope.sees_areas or scope.is_protected
    if not may_see or name not in hierarchy(scope, snapshot).order:
        raise SnapshotError(f"snapshot {snapshot.id} has no tiles {name} of version {version}")
    return tiles.read_tile(snapshot.tile_file(name, version), *address)


@scoped_cache
def _drawn(
    scope: Scope, snapshot: Snapshot, resolution: int, address: tuple[int, int, int]
) -> bytes | None:
    z, x, y = address
    found = cells.register(scope, snapshot, resolution)
    return cell_tile(found.numbers, found.lng, found.lat, z=z, x=x, y=y)

"""Tiles of the H3 cells that hold incidents, cut once per register."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from etl.boundaries import holds_tiles
from geo import cells, tiles

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray


def cell_version(registers: Mapping[int, NDArray[np.object_]]) -> str:
    """Sixteen hexadecimal digits of the registers of all resolutions."""
    digest = hashlib.sha256(str(tiles.EXTENT).encode())
    for resolution, register in registers.items():
        digest.update(f"{resolution}:{' '.join(register)}".encode())
    return digest.hexdigest()[:16]


def cut_cell_tiles(
    register: NDArray[np.object_], home: Path, *, version: str, resolution: int
) -> tuple[Path, int, int]:
    """
    Cut the tiles of one resolution unless they are there.

    Parameters
    ----------
    register
        Cells in the order of `cell_index`, at least one.

    Returns
    -------
    path, min_zoom, max_zoom
        The archive under `home` and its zooms.
    """
    outlines = cells.cell_polygons(register)
    min_zoom, max_zoom = tiles.fit_zooms(outlines)
    path = home / "tiles" / version / f"cells_{resolution}.mbtiles"
    if not holds_tiles(path, min_zoom, max_zoom):
        tiles.cut_tiles(outlines, path=path, layer="cells", min_zoom=min_zoom, max_zoom=max_zoom)
    return path, min_zoom, max_zoom

"""
Geographies on disk: measured once for each version of the boundaries.

A file that is missing, cut short or of another program is measured anew; nothing depends on it.
"""

from __future__ import annotations

import io
import os
import zipfile
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from scipy import sparse

from etl.analyse.hotspots.geography import Geography, geography

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

VERSION: Final = 1
"""Raised when the same polygons give another geography."""


def geography_of(
    folder: Path,
    version: str,
    *,
    levels: Sequence[str],
    geometries: Mapping[str, NDArray[np.object_]],
    resolutions: Sequence[int],
) -> Geography:
    """
    Geography of boundaries, from the store where it was measured before.

    Parameters
    ----------
    folder
        Made if missing.
    version
        Of the boundaries.
    """
    named = "-".join([version, str(VERSION), *map(str, resolutions)])
    path = folder / f"{named}.npz"
    try:
        return _unpacked(path.read_bytes(), levels=levels, resolutions=resolutions)
    except (OSError, KeyError, ValueError, EOFError, zipfile.BadZipFile):
        pass
    found = geography(levels, geometries, resolutions=resolutions)
    folder.mkdir(parents=True, exist_ok=True)
    waiting = path.with_suffix(f".{os.getpid()}")
    waiting.write_bytes(_packed(found))
    waiting.replace(path)
    return found


def _packed(found: Geography) -> bytes:
    arrays: dict[str, Any] = {"surface_cells": found.surface_cells}
    matrices = {f"ring:{level}": matrix for level, matrix in found.rings.items()}
    matrices |= {f"cell_ring:{one}": matrix for one, matrix in found.cell_rings.items()}
    if found.surface is not None:
        matrices["surface"] = found.surface
    for name, matrix in matrices.items():
        arrays |= {
            f"{name}:data": matrix.data,
            f"{name}:indices": matrix.indices,
            f"{name}:indptr": matrix.indptr,
            f"{name}:shape": np.array(matrix.shape),
        }
    arrays |= {f"covered:{one}": numbers for one, numbers in found.covered.items()}
    for name in ("centres", "lng_lat"):
        if getattr(found, name) is not None:
            arrays[name] = getattr(found, name)
    sink = io.BytesIO()
    np.savez(sink, **arrays)
    return sink.getvalue()


def _unpacked(content: bytes, *, levels: Sequence[str], resolutions: Sequence[int]) -> Geography:
    with np.load(io.BytesIO(content), allow_pickle=False) as stored:
        arrays = {name: stored[name] for name in stored.files}

    def matrix(name: str) -> sparse.csr_array:
        parts = tuple(arrays[f"{name}:{part}"] for part in ("data", "indices", "indptr"))
        return sparse.csr_array(parts, shape=tuple(arrays[f"{name}:shape"].tolist()))

    return Geography(
        rings={one: matrix(f"ring:{one}") for one in levels if f"ring:{one}:data" in arrays},
        covered={one: arrays[f"covered:{one}"] for one in resolutions},
        cell_rings={one: matrix(f"cell_ring:{one}") for one in resolutions},
        centres=arrays.get("centres"),
        lng_lat=arrays.get("lng_lat"),
        surface=matrix("surface") if "surface:data" in arrays else None,
        surface_cells=arrays["surface_cells"],
    )

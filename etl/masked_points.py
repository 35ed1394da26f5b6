"""
Where the map draws what happened: one point for each area and cell, never that of an incident.

The point is the middle of the cell. Where that lies in another area, it is a point of what the cell
and the area share, so that no point crosses a boundary. It follows from the boundaries and the cell
alone: whatever happened in the cell is drawn there, and nothing tells where in the cell it was.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import shapely

from geo import cells as h3_cells

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from data.writer import SnapshotWriter
    from etl.boundaries import Boundaries
    from etl.epoch import Epoch
    from etl.register import Register

POINTS: Final = "points"
_COUNTS: Final = "area_cell_counts_"
_HALF: Final = 32
"""Bits of the cell in a number that holds an area and a cell."""

_DECIMALS: Final = 7
"""Of a degree: a centimetre."""

Degrees = np.ndarray[tuple[int], np.dtype[np.float64]]


def write_points(
    epoch: Epoch,
    writer: SnapshotWriter,
    register: Register,
    counts: Sequence[dict[str, Any]],
    kept: dict[str, Any] | None,
) -> None:
    """
    Write the table `points`, or name the kept one again where it holds the same.

    Parameters
    ----------
    counts
        Manifest entries of the count tables.
    kept
        Entry of the table under the same epoch, whose points still stand.
    """
    found = _pairs(epoch.home, [each for each in counts if each["table"].startswith(_COUNTS)])
    known, lng, lat = _stored(epoch.home, kept)
    if kept is not None and np.array_equal(found, known):
        writer.keep(kept)
        return
    place = np.searchsorted(known, found)
    is_known = np.append(known, -1)[place] == found
    lng, lat = np.append(lng, np.nan)[place], np.append(lat, np.nan)[place]
    fresh = np.flatnonzero(~is_known)
    area, cell = _parted(found)
    lng[fresh], lat[fresh] = masked_points(
        epoch.boundaries, area[fresh], register.finest[cell[fresh]]
    )
    writer.add_table(
        POINTS,
        pa.table(
            {
                "area_row": area,
                "cell_index": cell,
                "lng": pa.array(lng, from_pandas=True),
                "lat": pa.array(lat, from_pandas=True),
            }
        ),
    )


def masked_points(
    built: Boundaries, areas: NDArray[np.int64], cells: NDArray[np.int64]
) -> tuple[Degrees, Degrees]:
    """
    Find the point of each area and cell.

    Parameters
    ----------
    areas
        Rows of `areas`.
    cells
        H3 indexes.

    Returns
    -------
    lng, lat
        Degrees, WGS 84; not-a-number where the two share nothing, or nobody drew the area.
    """
    shapes = np.concatenate(list(built.geometries.values()))
    distinct, place = np.unique(cells, return_inverse=True)
    lng, lat = (centre[place] for centre in h3_cells.cell_centres(distinct))
    beside = np.flatnonzero(~_holds(shapes, areas, lng, lat))
    shared = shapely.intersection(shapes[areas[beside]], h3_cells.cell_polygons(cells[beside]))
    # What only touches has no area, and no point that is inside; None is not-a-number.
    inner = shapely.point_on_surface(np.where(shapely.area(shared) > 0, shared, None))
    lng[beside], lat[beside] = shapely.get_x(inner), shapely.get_y(inner)
    return lng.round(_DECIMALS), lat.round(_DECIMALS)


def _holds(
    shapes: NDArray[Any], areas: NDArray[np.int64], lng: Degrees, lat: Degrees
) -> NDArray[np.bool_]:
    """Whether each area holds its point."""
    used = shapes[np.unique(areas)]
    shapely.prepare(used)
    found = np.asarray(shapely.contains_xy(shapes[areas], lng, lat), dtype=bool)
    shapely.destroy_prepared(used)
    return found


def _pairs(home: Path, entries: Sequence[dict[str, Any]]) -> NDArray[np.int64]:
    """Every area and cell with an incident of both, each pair in one number, rising."""
    found = [np.empty(0, dtype=np.int64)]
    for entry in entries:
        rows = pq.read_table(home / entry["path"], columns=["area_row", "cell_index"])
        area, cell = (rows.column(name).to_numpy().astype(np.int64) for name in rows.column_names)
        found.append(pd.unique(_joined(area, cell)[(area >= 0) & (cell >= 0)]))
    return np.unique(np.concatenate(found))


def _stored(home: Path, entry: dict[str, Any] | None) -> tuple[NDArray[np.int64], Degrees, Degrees]:
    """Pairs of an earlier table, and their points."""
    if entry is None:
        return np.empty(0, dtype=np.int64), np.empty(0), np.empty(0)
    rows = pq.read_table(home / entry["path"], page_checksum_verification=True)
    area, cell = (rows.column(name).to_numpy().astype(np.int64) for name in rows.column_names[:2])
    lng, lat = (rows.column(name).to_numpy() for name in ("lng", "lat"))
    return _joined(area, cell), lng, lat


def _joined(area: NDArray[np.int64], cell: NDArray[np.int64]) -> NDArray[np.int64]:
    return (area << _HALF) + cell


def _parted(pairs: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    return pairs >> _HALF, pairs & ((1 << _HALF) - 1)

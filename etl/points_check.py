"""Verification of the points: one for each area and cell, inside of both."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import shapely

from etl import boundary_store
from etl.masked_points import POINTS
from geo import cells as h3_cells

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from data.store import Snapshot

_NEAR: Final = 1e-6
"""Degrees: a decimetre, for what is stored rounded."""


class PointsFault(ValueError):  # noqa: N818 - it is an outcome of a check, not a fault of the program
    """Stored points do not hold what they promise; the message says which."""


def check_points(snapshot: Snapshot) -> str:
    """
    Check that whatever areas have in cells has a point, that the point is of both, and the sum.

    Returns
    -------
    detail
        How many points, and how many incidents have one, have none, and lie in no cell or area.

    Raises
    ------
    PointsFault
        Something of it does not hold, or the table is missing.
    """
    if not snapshot.manifest.cells:
        return "no cells"
    if POINTS not in snapshot.tables():
        raise PointsFault(f"{POINTS} is missing: an older program built this snapshot; build again")
    finest = max(int(entry["resolution"]) for entry in snapshot.manifest.cells)
    counted = snapshot.query(
        "SELECT area_row, cell_index, CAST(sum(count) AS BIGINT) AS n "
        f"FROM area_cell_counts_{finest} GROUP BY ALL"
    )
    is_placed = (counted["area_row"] >= 0) & (counted["cell_index"] >= 0)
    stored = snapshot.read(POINTS)
    joined = counted[is_placed].merge(
        stored, on=["area_row", "cell_index"], how="outer", indicator="found", validate="1:1"
    )
    _none(joined[joined["found"] != "both"], f"of {POINTS} and area_cell_counts_{finest} differ")
    drawn = joined[joined["lng"].notna() & joined["lat"].notna()]
    cells = _cell_shapes(snapshot, finest)[drawn["cell_index"].to_numpy()]
    _none(drawn[~_near(cells, drawn)], f"of {POINTS} lie outside of their cell")
    compared = _check_areas(snapshot, drawn)
    shown, all_of_it = int(drawn["n"].sum()), int(counted["n"].sum())
    without = int(counted["n"][is_placed].sum()) - shown
    nowhere = all_of_it - shown - without
    return (
        f"{len(drawn):,} points{compared}; {shown:,} incidents at a point + {without:,} whose area "
        f"and cell share none + {nowhere:,} without a point or an area = {all_of_it:,}"
    )


def _check_areas(snapshot: Snapshot, drawn: pd.DataFrame) -> str:
    """Compare the points with the polygons; a home that was sent a snapshot holds none."""
    version = snapshot.manifest.boundary_version
    if not (snapshot.home / boundary_store.FOLDER / version).is_dir():
        return " (not compared with the boundaries, which are not stored here)"
    try:
        built = boundary_store.load(snapshot.home, version)
    except boundary_store.BoundaryStoreError as error:
        raise PointsFault(str(error)) from None
    shapes = np.concatenate(list(built.geometries.values()))
    areas = shapes[drawn["area_row"].to_numpy()]
    _none(drawn[~_near(areas, drawn)], f"of {POINTS} lie outside of their area")
    return ""


def _cell_shapes(snapshot: Snapshot, resolution: int) -> NDArray[Any]:
    register = snapshot.read(f"cells_{resolution}").sort_values("cell_index")
    return h3_cells.cell_polygons(register["cell"].to_numpy(dtype=object))


def _near(shapes: NDArray[Any], rows: pd.DataFrame) -> NDArray[np.bool_]:
    points = shapely.points(rows["lng"].to_numpy(), rows["lat"].to_numpy())
    return np.asarray(shapely.dwithin(shapes, points, _NEAR), dtype=bool)


def _none(wrong: pd.DataFrame, what: str) -> None:
    if len(wrong):
        first = "; ".join(
            f"area {row.area_row}, cell {row.cell_index}" for row in wrong.head(5).itertuples()
        )
        raise PointsFault(f"{len(wrong):,} {what}: {first}")

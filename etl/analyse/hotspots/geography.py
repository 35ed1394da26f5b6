"""What the maps take from the boundaries alone: made once per set of boundaries, fit to be kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import shapely
from scipy import sparse

from etl.analyse.hotspots.neighbours import area_rings, cell_rings
from geo import cells, covering
from geo.boundaries import metres_per_degree

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from etl.analyse.bed import Floats, Ints


@dataclass(frozen=True, eq=False)
class Geography:
    """
    Rings, cells and surfaces of a city's polygons; nothing in it depends on an incident.

    Attributes
    ----------
    rings
        Level to its ring matrix: the two lowest levels below the city, or the city's own.
    covered
        Resolution to the cells that share a point with the city, ascending; empty = the city has
        no polygon.
    cell_rings
        Ring matrices of `covered`.
    centres
        Kilometres east and north of the lowest level's areas, shape (n, 2); NaN = no polygon.
    lng_lat
        The same in degrees, WGS 84.
    surface
        Lowest areas x `surface_cells`: how many of the cells' children have their centre in both,
        a measure of the common surface; None = the lowest level has no polygon.
    surface_cells
        Cells of the finest resolution, ascending.
    """

    rings: dict[str, sparse.csr_array]
    covered: dict[int, Ints]
    cell_rings: dict[int, sparse.csr_array]
    centres: Floats | None
    lng_lat: Floats | None
    surface: sparse.csr_array | None
    surface_cells: Ints


def geography(
    levels: Sequence[str],
    geometries: Mapping[str, NDArray[np.object_]],
    *,
    resolutions: Sequence[int],
) -> Geography:
    """
    Measure the polygons of a city.

    Parameters
    ----------
    levels
        From the top down.
    geometries
        Level to its polygons in degrees, WGS 84, in the order of `area_index`; a level without
        polygons may be missing.
    resolutions
        H3 resolutions of the cells, rising.
    """
    outline, shapes = geometries.get(levels[0]), geometries.get(levels[-1])
    covered = {
        one: np.zeros(0, dtype=np.int64)
        if outline is None
        else covering.covering(outline, resolution=one)
        for one in resolutions
    }
    centres = lng_lat = surface = None
    surface_cells = covered[resolutions[-1]]
    if shapes is not None:
        points = shapely.centroid(shapes)
        lng_lat = np.column_stack([shapely.get_x(points), shapely.get_y(points)])
        centres = lng_lat * metres_per_degree(shapes) / 1000
        finest = covered[resolutions[-1]]
        if outline is None:
            finest = covering.covering(shapes, resolution=resolutions[-1])
        surface, surface_cells = _surface(shapes, finest, resolution=resolutions[-1])
    return Geography(
        rings={
            level: area_rings(geometries[level])
            for level in lowest_levels(levels)
            if level in geometries
        },
        covered=covered,
        cell_rings={resolution: cell_rings(numbers) for resolution, numbers in covered.items()},
        centres=centres,
        lng_lat=lng_lat,
        surface=surface,
        surface_cells=surface_cells,
    )


def lowest_levels(levels: Sequence[str]) -> tuple[str, ...]:
    """Levels that have hot spots: the two lowest below the city, or the city's own."""
    return tuple((levels[1:] or levels)[-2:])


def _surface(
    shapes: NDArray[np.object_], finest: Ints, *, resolution: int
) -> tuple[sparse.csr_array, Ints]:
    points = covering.child_numbers(finest)
    lng, lat = cells.cell_centres(points)
    area, point = shapely.STRtree(shapely.points(lng, lat)).query(shapes, predicate="intersects")
    # An area so narrow that no centre lies in it goes by a point of its own.
    missed = np.setdiff1d(np.flatnonzero(shapely.area(shapes) > 0), area)
    middle = shapely.point_on_surface(shapes[missed])
    own = cells.cell_numbers(shapely.get_x(middle), shapely.get_y(middle), resolution=resolution)
    above = cells.parent_numbers(points, resolution=resolution)[point]
    numbers, cell = np.unique(np.concatenate([above, own]), return_inverse=True)
    areas = np.concatenate([area, missed])
    counted = sparse.csr_array(
        (np.ones(len(areas)), (areas, cell)), shape=(len(shapes), len(numbers))
    )
    counted.sum_duplicates()
    return counted, numbers

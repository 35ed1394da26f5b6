"""Cells that cover polygons, and cells with their neighbours."""

import numpy as np
import shapely

from geo.cells import cell_numbers, cell_polygons, neighbours, with_neighbours
from geo.covering import child_numbers, covering

BOX = shapely.box(103.8, 36.0, 103.86, 36.05)


def test_every_cell_that_shares_a_point_and_no_other():
    found = covering([BOX], resolution=8)
    near = with_neighbours(with_neighbours(found))
    touching = shapely.intersects(cell_polygons(near), BOX)
    assert found.tolist() == near[touching].tolist()


def test_holes_parts_and_nothing():
    ring = BOX.difference(shapely.box(103.815, 36.01, 103.845, 36.04))
    assert set(covering([ring], resolution=9)) < set(covering([BOX], resolution=9))
    far = shapely.box(104.2, 36.0, 104.21, 36.01)
    both = covering([shapely.MultiPolygon([BOX, far])], resolution=8)
    assert both.tolist() == covering([BOX, far], resolution=8).tolist()
    assert covering([None, shapely.Polygon()], resolution=8).tolist() == []


def test_a_point_of_a_polygon_lies_in_its_cells():
    rng = np.random.default_rng(1)
    lng, lat = rng.uniform(103.8, 103.86, 500), rng.uniform(36.0, 36.05, 500)
    assert np.isin(cell_numbers(lng, lat, resolution=9), covering([BOX], resolution=9)).all()


def test_neighbours_are_added_once():
    start = cell_numbers([103.8], [36.0], resolution=8)
    disk = with_neighbours(start)
    assert len(disk) == 7
    assert neighbours(disk)[[int(np.searchsorted(disk, start[0]))]].sum() == 6
    assert with_neighbours(np.zeros(0, dtype=np.int64)).tolist() == []


def test_children_are_those_of_the_library():
    import h3.api.basic_int as h3

    hexagons = covering([BOX], resolution=8)
    pentagon = np.array(sorted(h3.get_pentagons(8))[:1], dtype=np.int64)
    for parents in (hexagons, pentagon):
        told = sorted(child for one in parents.tolist() for child in h3.cell_to_children(one, 9))
        assert child_numbers(parents).tolist() == told
    assert child_numbers(np.zeros(0, dtype=np.int64)).tolist() == []

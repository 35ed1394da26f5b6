"""Polygons come back out of the tiles in one piece, where they were."""

import numpy as np
import pytest
import shapely

from geo.tile_shapes import fit_zoom, mercator, mercator_bounds, read_shapes
from geo.tiles import EXTENT, cut_tiles


@pytest.fixture(scope="module")
def squares():
    """A board of 8 × 8 squares across the corner of four tiles at every zoom from 1 up."""
    steps = np.arange(8) * 0.25 - 1.0
    west, south = (part.ravel() for part in np.meshgrid(steps, steps))
    return shapely.box(west, south, west + 0.25, south + 0.25)


@pytest.fixture(scope="module")
def archive(squares, tmp_path_factory):
    path = tmp_path_factory.mktemp("tiles") / "grid.mbtiles"
    cut_tiles(squares, path=path, layer="areas", min_zoom=6, max_zoom=9)
    return path


def projected(polygons):
    return shapely.transform(polygons, lambda points: np.column_stack(mercator(*points.T)))


@pytest.mark.parametrize("zoom", [6, 9])
def test_every_polygon_comes_back_in_one_piece(archive, squares, zoom):
    index, found = read_shapes(archive, zoom=zoom)
    assert index.tolist() == list(range(64))
    assert [shape.geom_type for shape in shapely.get_parts(found)] == ["Polygon"] * 64
    unit = 2 * float(mercator(180.0, 0.0)[0]) / 2**zoom / EXTENT
    apart = shapely.hausdorff_distance(found, projected(squares))
    assert apart.max() < 2 * unit


def test_bounds_leave_far_polygons_out(archive, squares):
    index, found = read_shapes(archive, zoom=9, bounds=(0.5, 0.5, 0.7, 0.7))
    assert 0 < len(index) < 64
    near = int(np.flatnonzero(shapely.contains_xy(squares, 0.6, 0.6))[0])
    assert near in index
    area = shapely.area(found[index == near])
    assert area == pytest.approx(shapely.area(projected(squares[near : near + 1])), rel=0.01)


def test_a_zoom_fits_the_wider_side():
    zoom = fit_zoom((120.0, 30.0, 121.0, 30.1), units=3000)
    west, _, east, _ = mercator_bounds((120.0, 30.0, 121.0, 30.1))
    world = 2 * float(mercator(180.0, 0.0)[0])
    assert (east - west) / world * 2**zoom * EXTENT >= 3000
    assert (east - west) / world * 2 ** (zoom - 1) * EXTENT < 3000

import gzip

import numpy as np
import pyogrio
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geo import cells, tiles
from geo.cell_tiles import cell_tile

CITY = (104.0, 36.0)


def register(resolution, *, at=CITY, n=1500, spread=0.1):
    points = np.random.default_rng(resolution).normal(at, spread, (n, 2)).T
    found = np.unique(cells.assign_cells(*points, resolution=resolution).astype(str))
    # A register is in order of arrival.
    return np.random.default_rng(1).permutation(found)


def drawn(register_cells, address):
    lng, lat = cells.cell_centres(register_cells)
    z, x, y = address
    return cell_tile(register_cells, lng, lat, z=z, x=x, y=y)


def address_of(lng, lat, zoom):
    down = 0.5 - np.arctanh(np.sin(np.radians(lat))) / (2 * np.pi)
    return zoom, int((lng / 360 + 0.5) * 2**zoom), int(down * 2**zoom)


def around(address):
    z, x, y = address
    return [(z, x + right, y + down) for right in (-1, 0, 1) for down in (-1, 0, 1)]


def polygons(content, folder):
    """Polygons of a tile by `i`, as GDAL reads them, in the tile's units with its buffer."""
    path = folder / "tile.mvt"
    path.write_bytes(gzip.decompress(content))
    found = pyogrio.read_dataframe(path, layer="cells", CLIP="NO")
    return dict(zip(found["i"], found.geometry, strict=True))


@pytest.mark.parametrize(("resolution", "zoom"), [(6, 7), (7, 13), (8, 10), (9, 7), (10, 13)])
def test_tiles_equal_those_that_gdal_cuts(tmp_path, resolution, zoom):
    names = register(resolution)
    path = tmp_path / "cells.mbtiles"
    outlines = cells.cell_polygons(names)
    tiles.cut_tiles(outlines, path=path, layer="cells", min_zoom=zoom, max_zoom=zoom)
    compared = 0
    for address in around(address_of(*CITY, zoom)):
        peer, ours = tiles.read_tile(path, *address), drawn(names, address)
        assert (peer is None) == (ours is None), address
        if ours is None or peer is None:
            continue
        expected, found = polygons(peer, tmp_path), polygons(ours, tmp_path)
        assert sorted(found) == sorted(expected)
        for index, polygon in found.items():
            # GDAL cuts at the buffer before it rounds, and may round a half the other way.
            assert shapely.hausdorff_distance(polygon, expected[index]) <= 1.5
            assert polygon.is_valid
        compared += len(found)
    assert compared


def test_neighbours_share_their_corners(tmp_path):
    names = register(9, n=20_000, spread=0.01)
    found = polygons(drawn(names, address_of(*CITY, 12)), tmp_path)
    inner = shapely.box(0, 0, tiles.EXTENT, tiles.EXTENT)
    whole = np.array([one for one in found.values() if shapely.contains(inner, one)])
    assert len(whole) > 100
    assert shapely.length(shapely.coverage_invalid_edges(whole)).sum() == 0


def test_text_and_numbers_give_the_same_bytes():
    names = register(8)
    numbers = np.array([int(name, 16) for name in names])
    lng, lat = cells.cell_centres(names)
    z, x, y = address_of(*CITY, 11)
    tile = cell_tile(names, lng, lat, z=z, x=x, y=y)
    assert tile == cell_tile(numbers, lng, lat, z=z, x=x, y=y) == drawn(names, (z, x, y))
    assert gzip.decompress(tile) == gzip.decompress(drawn(names, (z, x, y)))


def test_a_longer_register_keeps_the_numbers(tmp_path):
    names, address = register(8), address_of(*CITY, 11)
    before = polygons(drawn(names[:-200], address), tmp_path)
    after = polygons(drawn(names, address), tmp_path)
    assert {i: after[i] for i in before} == before


def test_a_cell_larger_than_the_tile_is_cut_at_the_buffer(tmp_path):
    names = register(6, n=300, spread=0.001)
    (polygon,) = polygons(
        drawn(names[:1], address_of(*cells_centre(names[0]), 14)), tmp_path
    ).values()
    assert polygon.bounds == (-64, -64, tiles.EXTENT + 64, tiles.EXTENT + 64)


def cells_centre(name):
    lng, lat = cells.cell_centres([name])
    return lng[0], lat[0]


@pytest.mark.parametrize(
    "address", [(3, 0, 0), (-1, 0, 0), (1, 2, 0), (1, 0, -1), (40, 0, 0), address_of(110, 36, 10)]
)
def test_where_no_cell_reaches_there_is_no_tile(address):
    assert drawn(register(8), address) is None


def test_cells_below_a_unit_leave_no_degenerate_polygon(tmp_path):
    # At zoom 0 a unit is 8 km: only a cell on a corner of the units' mesh has any area left.
    found = polygons(drawn(register(10), (0, 0, 0)), tmp_path)
    assert len(found) < 20
    assert all(polygon.is_valid and polygon.area > 0 for polygon in found.values())


def test_an_empty_register_draws_nothing():
    assert cell_tile(np.empty(0, dtype=np.int64), [], [], z=0, x=0, y=0) is None


@settings(max_examples=40, deadline=None)
@given(
    lng=st.floats(75, 130), lat=st.floats(18, 53), resolution=st.sampled_from(cells.RESOLUTIONS),
    zoom=st.integers(7, 14),
)  # fmt: skip
def test_every_tile_can_be_read_and_covers_its_cells(tmp_path_factory, lng, lat, resolution, zoom):
    names = register(resolution, at=(lng, lat), n=60, spread=0.02)
    folder = tmp_path_factory.mktemp("tile")
    address = address_of(*cells_centre(names[0]), zoom)
    content = drawn(names, address)
    if content is None:
        assert resolution == 10
        assert zoom < 8
        return
    found = polygons(content, folder)
    assert 0 in found or zoom < 8
    assert shapely.is_valid(list(found.values())).all()
    bounds = shapely.total_bounds(list(found.values()))
    assert bounds.min() >= -64
    assert bounds.max() <= tiles.EXTENT + 64

import gzip
import itertools
import sqlite3
from contextlib import closing

import numpy as np
import pyogrio
import pytest
import shapely

from geo import boundaries, cells, tiles

ZOOMS = (8, 12)


@pytest.fixture(scope="session")
def tile_file(coverage, tmp_path_factory):
    path = tmp_path_factory.mktemp("tiles") / "grid.mbtiles"
    cut(coverage, path)
    return path


def cut(polygons, path, zooms=ZOOMS):
    tiles.cut_tiles(polygons, path=path, layer="areas", min_zoom=zooms[0], max_zoom=zooms[1])


def addresses(path, zoom):
    query = "SELECT tile_column, tile_row FROM tiles WHERE zoom_level = ?"
    with closing(sqlite3.connect(path)) as connection:
        rows = connection.execute(query, (zoom,)).fetchall()
    return [(zoom, column, (1 << zoom) - 1 - row) for column, row in rows]


def decoded(path, address, folder):
    """The polygons of one tile in its own units, whole with their buffer."""
    target = folder / "tile.mvt"
    target.write_bytes(gzip.decompress(tiles.read_tile(path, *address)))
    return pyogrio.read_dataframe(target, layer="areas", CLIP="NO")


def drawn_areas(path, zoom, folder):
    """Area inside the tiles, in square units, by `i`."""
    square = shapely.box(0, 0, tiles.EXTENT, tiles.EXTENT)
    drawn = {}
    for address in addresses(path, zoom):
        for row in decoded(path, address, folder).itertuples():
            part = shapely.area(shapely.intersection(shapely.make_valid(row.geometry), square))
            drawn[row.i] = drawn.get(row.i, 0.0) + part
    return drawn


@pytest.mark.parametrize("zoom", range(ZOOMS[0], ZOOMS[1] + 1))
def test_every_polygon_is_in_every_zoom_at_its_size(tile_file, coverage, tmp_path, zoom):
    drawn = drawn_areas(tile_file, zoom, tmp_path)

    assert sorted(drawn) == list(range(len(coverage)))
    units_per_degree = tiles.EXTENT * 2**zoom / 360
    # Web Mercator stretches both axes by 1 / cos(latitude) at the middle of the coverage.
    expected = shapely.area(coverage) * units_per_degree**2 / np.cos(np.radians(36.0))
    found = np.array([drawn[i] for i in range(len(coverage))])
    perimeter = shapely.length(coverage) * units_per_degree
    # Rounding moves a border by at most half a unit on each side; the scale varies by 0.3 %.
    assert (np.abs(found - expected) <= perimeter + 0.005 * expected).all()


@pytest.mark.parametrize("zoom", [10, 12])
def test_neighbours_share_their_vertices(tile_file, tmp_path, zoom):
    for address in addresses(tile_file, zoom):
        polygons = decoded(tile_file, address, tmp_path).geometry.to_numpy()
        corners = shapely.get_coordinates(polygons)
        assert (corners == np.round(corners)).all()
        assert shapely.is_valid(polygons).all()
        # Cutting at the buffer rounds the crossing points of borders, so look inside it.
        inner = shapely.box(8, 8, tiles.EXTENT - 8, tiles.EXTENT - 8)
        wrong = shapely.coverage_invalid_edges(polygons)
        assert shapely.length(shapely.intersection(wrong, inner)).sum() == 0


def test_tiles_hold_one_layer_with_one_integer(tile_file, tmp_path):
    target = tmp_path / "tile.mvt"
    for address in addresses(tile_file, ZOOMS[1]):
        target.write_bytes(gzip.decompress(tiles.read_tile(tile_file, *address)))
        assert pyogrio.list_layers(target)[:, 0].tolist() == ["areas"]
        info = pyogrio.read_info(target, layer="areas")
        # `mvt_id` is GDAL's name for the feature number of the format, which is not set.
        assert info["fields"].tolist() == ["mvt_id", "i"]
        assert info["dtypes"].tolist()[1] == "int32"


def test_the_same_input_gives_the_same_bytes(tile_file, coverage, tmp_path):
    again = tmp_path / "another name.mbtiles"
    cut(coverage, again)

    assert again.read_bytes() == tile_file.read_bytes()
    assert [path.name for path in tmp_path.iterdir()] == ["another name.mbtiles"]


def test_positions_survive_missing_and_empty_polygons(coverage, tmp_path):
    path = tmp_path / "areas.mbtiles"
    cut([None, coverage[0], shapely.Polygon(), coverage[1]], path, zooms=(9, 9))

    assert sorted(drawn_areas(path, 9, tmp_path)) == [1, 3]


def test_cells_far_below_a_pixel_are_kept(tmp_path):
    # r9 at zoom 7: one unit is 62 m, one pixel of a 512-pixel tile 495 m, a cell 348 m wide.
    rng = np.random.default_rng(4)
    points = rng.normal([104, 36], 0.05, (3_000, 2)).T
    names = sorted(set(cells.assign_cells(*points, resolution=9)))
    path = tmp_path / "cells.mbtiles"

    cut(cells.cell_polygons(names), path, zooms=(7, 7))

    assert sorted(drawn_areas(path, 7, tmp_path)) == list(range(len(names)))


def test_real_borders_keep_every_area(real_areas, tmp_path):
    polygons = real_areas("merseyside/oa").geometry.to_numpy()
    min_zoom, max_zoom = tiles.fit_zooms(polygons)
    path = tmp_path / "oa.mbtiles"

    cut(polygons, path, zooms=(min_zoom, max_zoom))

    for zoom in (min_zoom, max_zoom):
        assert sorted(drawn_areas(path, zoom, tmp_path)) == list(range(len(polygons)))
    assert path.stat().st_size < 2_500_000


def test_the_whole_city_fits_the_lowest_zoom(coverage, real_areas):
    for polygons in (coverage, real_areas("lanzhou/lanzhou_city").geometry.to_numpy()):
        min_zoom, max_zoom = tiles.fit_zooms(polygons)
        west, south, east, north = boundaries.bounds([shapely.union_all(polygons)])[0]
        tiles_wide = (east - west) / 360 * 2**min_zoom
        tiles_high = (north - south) / np.cos(np.radians((south + north) / 2)) / 360 * 2**min_zoom
        assert 0.125 < max(tiles_wide, tiles_high) <= 0.25
        assert min_zoom < max_zoom <= 14


def test_finer_detail_needs_higher_zooms(coverage):
    zooms = [tiles.fit_zooms(coverage, detail_m=detail)[1] for detail in (8.0, 4.0, 2.0, 1.0)]

    assert [b - a for a, b in itertools.pairwise(zooms)] == [1, 1, 1]


def test_rows_are_counted_from_the_north(tmp_path):
    path = tmp_path / "areas.mbtiles"
    # North-east quarter of the world: at zoom 1 the tile x 1, y 0.
    cut([shapely.box(100, 30, 110, 40)], path, zooms=(1, 1))

    assert tiles.read_tile(path, 1, 1, 0) is not None
    assert tiles.read_tile(path, 1, 1, 1) is None


@pytest.mark.parametrize(
    "address", [(3, 0, 0), (1, -1, 0), (1, 2, 0), (1, 0, 2), (99, 0, 0), (-1, 0, 0)]
)
def test_addresses_outside_the_file_are_empty(tile_file, address):
    assert tiles.read_tile(tile_file, *address) is None


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"tiles: grid.mbtiles does not exist"):
        tiles.read_tile(tmp_path / "grid.mbtiles", 1, 0, 0)


def test_reading_leaves_no_trace(tile_file):
    before = tile_file.read_bytes()
    tiles.read_tile(tile_file, 8, 201, 100)

    assert [path.name for path in tile_file.parent.iterdir()] == [tile_file.name]
    assert tile_file.read_bytes() == before


@pytest.mark.parametrize("polygons", [[], [None], [shapely.Polygon()]])
def test_nothing_cannot_be_cut(polygons, tmp_path):
    with pytest.raises(ValueError, match="tiles: every geometry is empty; there is nothing to cut"):
        cut(polygons, tmp_path / "areas.mbtiles")
    with pytest.raises(ValueError, match="tiles: every geometry is empty; there is nothing to cut"):
        tiles.fit_zooms(polygons)


def test_zooms_must_rise(coverage, tmp_path):
    with pytest.raises(ValueError, match="zooms 9 to 8 must rise within 0 to 22"):
        cut(coverage, tmp_path / "areas.mbtiles", zooms=(9, 8))

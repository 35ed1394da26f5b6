import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from geo import crs

METRES_PER_DEGREE = 111_195.0

# A margin inside the box of the offset, so that shifted points stay inside it too.
china_points = st.tuples(st.floats(73.0, 137.0), st.floats(1.5, 55.0))
land_points = st.tuples(st.floats(73.0, 135.0), st.floats(18.0, 54.0))


@pytest.mark.parametrize(
    ("wgs84", "gcj02"),
    [
        # Published pairs of the eviltransform test table (lng, lat).
        ((121.5272106, 31.1774276), (121.531541859215, 31.17530398364597)),
        ((113.912316, 22.543847), (113.9171764808363, 22.540796131694766)),
        ((116.377817, 39.911954), (116.38404722455657, 39.91334545536069)),
    ],
)
def test_gcj02_agrees_with_published_pairs(wgs84, gcj02):
    assert crs.wgs84_to_gcj02(*wgs84) == pytest.approx(gcj02, abs=1e-9)
    assert crs.to_wgs84(*gcj02, frame="GCJ-02") == pytest.approx(wgs84, abs=1e-9)


@given(china_points)
def test_gcj02_there_and_back_is_within_a_micrometre(point):
    lng, lat = crs.gcj02_to_wgs84(*crs.wgs84_to_gcj02(*point))

    assert abs(lng - point[0]) * METRES_PER_DEGREE < 1e-6
    assert abs(lat - point[1]) * METRES_PER_DEGREE < 1e-6


@given(china_points)
def test_bd09_there_and_back_is_within_a_micrometre(point):
    lng, lat = crs.bd09_to_gcj02(*crs.gcj02_to_bd09(*point))

    assert abs(lng - point[0]) * METRES_PER_DEGREE < 1e-6
    assert abs(lat - point[1]) * METRES_PER_DEGREE < 1e-6


@given(land_points)
def test_offsets_have_the_known_size(point):
    def metres(a, b):
        east = (a[0] - b[0]) * np.cos(np.radians(a[1]))
        return np.hypot(east, a[1] - b[1]) * METRES_PER_DEGREE

    gcj = crs.wgs84_to_gcj02(*point)
    # 266-606 m at six cities, 17.5-717 m on a grid of 0.005 degrees; it vanishes far out at sea.
    assert 15 < metres(point, gcj) < 750
    assert 500 < metres(gcj, crs.gcj02_to_bd09(*gcj)) < 1_200


@pytest.mark.parametrize("frame", ["GCJ-02", "BD-09"])
def test_points_outside_china_are_not_shifted(frame):
    # Liverpool, Chicago, Sydney
    lng, lat = [-2.98, -87.63, 151.2], [53.41, 41.88, -33.87]

    shifted = crs.to_wgs84(lng, lat, frame=frame)

    assert shifted[0].tolist() == lng
    assert shifted[1].tolist() == lat


@pytest.mark.parametrize("frame", ["WGS84", "CGCS2000", "EPSG:4326", "EPSG:4490"])
def test_cgcs2000_is_wgs84(frame):
    lng = np.array([103.8, np.nan])
    lat = np.array([36.0, 36.1])

    same_lng, same_lat = crs.to_wgs84(lng, lat, frame=frame)

    np.testing.assert_array_equal(same_lng, lng)
    np.testing.assert_array_equal(same_lat, lat)
    assert same_lng is not lng


def test_projected_frames_are_read_east_first():
    # The origin of a 3-degree zone: 500 km east of the false origin, on the meridian 105 E.
    lng, lat = crs.to_wgs84([500_000.0], [0.0], frame="EPSG:4544")

    assert lng == pytest.approx([105.0], abs=1e-9)
    assert lat == pytest.approx([0.0], abs=1e-9)


def test_chicago_feet_agree_with_the_published_degrees():
    # A row of the City's file: X, Y in feet (EPSG:3435) and its Longitude, Latitude.
    lng, lat = crs.to_wgs84([1_176_000.0], [1_900_000.0], frame="EPSG:3435")

    assert lng == pytest.approx([-87.629197], abs=1e-5)
    assert lat == pytest.approx([41.880964], abs=1e-5)


def test_missing_and_impossible_points_become_missing():
    lng, lat = crs.to_wgs84([np.nan, 1e30], [1.0, 1e30], frame="EPSG:3435")

    assert np.isnan(lng).all()
    assert np.isnan(lat).all()


def test_a_result_depends_on_its_own_row_only():
    rng = np.random.default_rng(3)
    lng, lat = rng.uniform(80, 130, 501), rng.uniform(20, 50, 501)
    order = rng.permutation(501)

    whole = crs.to_wgs84(lng, lat, frame="BD-09")
    shuffled = crs.to_wgs84(lng[order], lat[order], frame="BD-09")

    assert (shuffled[0] == whole[0][order]).all()
    assert (shuffled[1] == whole[1][order]).all()


def test_geometries_keep_shared_borders(coverage):
    shifted = crs.geometries_to_wgs84(coverage, frame="GCJ-02")

    assert shapely.coverage_is_valid(coverage)
    assert shapely.coverage_is_valid(shifted)
    assert not shapely.equals_exact(shifted, coverage, 1e-4).any()


def test_missing_geometries_stay_missing():
    square = shapely.box(104, 36, 104.1, 36.1)

    shifted = crs.geometries_to_wgs84([square, None], frame="GCJ-02")

    assert shifted[1] is None
    lng, lat = crs.to_wgs84(104.1, 36.0, frame="GCJ-02")
    assert shapely.get_coordinates(shifted[0])[0].tolist() == [lng, lat]


def test_geometries_of_another_frame_are_refused():
    with pytest.raises(crs.CrsError, match=r"geometries: 5 of 5 vertices cannot be EPSG:3435"):
        crs.geometries_to_wgs84([shapely.box(1e30, 1e30, 2e30, 2e30)], frame="EPSG:3435")


def test_lanzhou_counties_move_by_the_gcj02_offset(real_areas):
    counties = real_areas("lanzhou/lanzhou_counties").geometry.to_numpy()

    shifted = crs.geometries_to_wgs84(counties, frame="GCJ-02")

    move = shapely.get_coordinates(shapely.centroid(shifted)) - shapely.get_coordinates(
        shapely.centroid(counties)
    )
    # The data's README: +0.0024 degrees of longitude, -0.0003 of latitude at Lanzhou.
    assert move.mean(axis=0) == pytest.approx([-0.0024, 0.0003], abs=0.0006)
    assert shapely.coverage_is_valid(shifted)


@pytest.mark.parametrize("frame", ["gcj02", "", "EPSG:", "EPSG:4326; DROP", "+proj=longlat"])
def test_unknown_frames_are_refused(frame):
    with pytest.raises(crs.CrsError, match="write one of WGS84, CGCS2000, GCJ-02, BD-09 or EPSG:n"):
        crs.check_frame(frame)


def test_unknown_codes_are_refused():
    with pytest.raises(crs.CrsError, match="frame 'EPSG:999999' cannot be converted to WGS 84"):
        crs.to_wgs84([0.0], [0.0], frame="EPSG:999999")


@pytest.mark.parametrize("frame", [*crs.NAMED_FRAMES, "EPSG:4547"])
def test_known_frames_pass(frame):
    crs.check_frame(frame)


def test_all_offsets_agree_with_the_published_example():
    # The example of wandergis/coordtransform (test/app.js), repeated by its ports.
    assert crs.gcj02_to_bd09(116.404, 39.915) == pytest.approx(
        (116.41036949371029, 39.92133699351021), abs=1e-12
    )
    assert crs.wgs84_to_gcj02(116.404, 39.915) == pytest.approx(
        (116.41024449916938, 39.91640428150164), abs=1e-12
    )
    # Its inverses are one step of ours: good to 0.1 m and 0.1 m.
    assert crs.bd09_to_gcj02(116.404, 39.915) == pytest.approx(
        (116.39762729119315, 39.90865673957631), abs=1e-6
    )
    assert crs.gcj02_to_wgs84(116.404, 39.915) == pytest.approx(
        (116.39775550083061, 39.91359571849836), abs=1e-6
    )


def test_baidu_s_station_agrees_with_its_map():
    # Beijing railway station as two map makers publish it, to five decimals (about a metre).
    assert crs.bd09_to_gcj02(116.43351, 39.90851) == pytest.approx((116.42703, 39.90245), abs=2e-5)


@given(china_points)
def test_bd09_is_undone_down_to_wgs84(point):
    bd = crs.gcj02_to_bd09(*crs.wgs84_to_gcj02(*point))
    lng, lat = crs.to_wgs84(*bd, frame="BD-09")

    assert abs(lng - point[0]) * METRES_PER_DEGREE < 1e-6
    assert abs(lat - point[1]) * METRES_PER_DEGREE < 1e-6


@given(st.lists(china_points, min_size=1, max_size=20), st.sampled_from(["GCJ-02", "BD-09"]))
def test_columns_and_single_points_agree(points, frame):
    lng, lat = np.array(points).T
    column = np.column_stack(crs.to_wgs84(lng, lat, frame=frame))
    single = [crs.to_wgs84(*point, frame=frame) for point in points]

    assert np.allclose(column, single, rtol=0, atol=1e-12)


# ETRS89, Beijing 1954, Xian 1980, NAD83: registered latitude first.
@pytest.mark.parametrize("frame", ["EPSG:4258", "EPSG:4214", "EPSG:4610", "EPSG:4269"])
def test_degrees_of_any_register_are_read_longitude_first(frame):
    lng, lat = crs.to_wgs84([103.8], [36.0], frame=frame)

    assert lng == pytest.approx([103.8], abs=0.003)
    assert lat == pytest.approx([36.0], abs=0.003)


@pytest.mark.parametrize("zone", [4543, 4544, 4545, 4546, 4547])
@given(st.floats(-1.5, 1.5), st.floats(20.0, 50.0))
def test_cgcs2000_zones_agree_with_proj_and_come_back(zone, offset, lat):
    # 3-degree zones: EPSG:4543 lies on 102 E.
    import pyproj

    lng = 102.0 + 3 * (zone - 4543) + offset
    metres = pyproj.Transformer.from_crs("EPSG:4490", f"EPSG:{zone}", always_xy=True)
    back = crs.to_wgs84(*metres.transform(lng, lat), frame=f"EPSG:{zone}")

    assert back == pytest.approx((lng, lat), abs=1e-9)

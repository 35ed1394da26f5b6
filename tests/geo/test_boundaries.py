import numpy as np
import pytest
import shapely

from geo import boundaries

SQUARE = shapely.box(104.0, 36.0, 104.1, 36.1)
BOW_TIE = shapely.Polygon([(0, 0), (1, 1), (1, 0), (0, 1)])


def test_repair_keeps_valid_polygons_bit_for_bit(coverage):
    repaired = boundaries.repair(coverage)

    assert (shapely.to_wkb(repaired) == shapely.to_wkb(coverage)).all()


def test_repair_returns_valid_polygons_only():
    spike = shapely.Polygon([(0, 0), (1, 0), (1, 1), (1, 2), (1, 1), (0, 1)])
    mixed = shapely.GeometryCollection([SQUARE, shapely.LineString([(0, 0), (1, 1)])])
    line = shapely.LineString([(0, 0), (1, 1)])

    repaired = boundaries.repair([BOW_TIE, spike, mixed, line, None])

    assert shapely.is_valid(repaired).all()
    assert set(shapely.get_type_id(repaired)) <= {3, 6}
    assert shapely.area(repaired) == pytest.approx([0.5, 1.0, 0.01, 0.0, 0.0])


def test_repair_drops_heights():
    assert not shapely.has_z(boundaries.repair([shapely.force_3d(SQUARE, 5.0)])).any()


def test_merseyside_output_areas_are_repaired(real_areas):
    polygons = real_areas("merseyside/oa").geometry.to_numpy()

    assert len(polygons) == 4_683
    assert shapely.is_valid(polygons).all()
    assert (boundaries.area_km2(polygons) > 0).all()


def test_a_square_degree_at_the_equator_has_the_known_area():
    # WGS 84: 111.3195 km by 110.5743 km.
    area_km2 = boundaries.area_km2([shapely.box(0, -0.5, 1, 0.5), shapely.Polygon()])

    assert area_km2[0] == pytest.approx(111.3195 * 110.5743, rel=1e-4)
    assert area_km2[1] == 0


def test_lanzhou_has_its_published_area(real_areas):
    counties = real_areas("lanzhou/lanzhou_counties").geometry.to_numpy()
    city = real_areas("lanzhou/lanzhou_city").geometry.to_numpy()

    assert boundaries.area_km2(city) == pytest.approx([13_145], abs=1)
    report = boundaries.check_coverage(counties, parents=city, parent_index=[0] * len(counties))
    assert report.is_clean()
    assert report.unmatched.size == 0


def test_a_coverage_is_clean_within_its_parents(coverage):
    parents = [shapely.union_all(coverage[:100]), shapely.union_all(coverage[100:])]
    parent_index = np.repeat([0, 1], [100, len(coverage) - 100])

    report = boundaries.check_coverage(coverage, parents=parents, parent_index=parent_index)

    assert report.is_clean()
    assert report.gap_km2.shape == (2,)
    assert report.outside_km2.shape == (len(coverage),)


def test_gaps_overlaps_and_spill_are_measured():
    left = shapely.box(104.0, 36.0, 104.06, 36.1)
    right = shapely.box(104.05, 36.0, 104.11, 36.1)
    stray = shapely.box(105.0, 36.0, 105.1, 36.1)

    report = boundaries.check_coverage(
        [left, right, stray], parents=[SQUARE, stray], parent_index=[0, 0, -1]
    )

    stripe_km2 = boundaries.area_km2([shapely.box(104.0, 36.0, 104.01, 36.1)])[0]
    assert report.overlap_km2 == pytest.approx(stripe_km2)
    assert report.unmatched.tolist() == [0, 1]
    assert report.outside_km2 == pytest.approx([0, stripe_km2, 10 * stripe_km2], abs=1e-6)
    assert report.gap_km2 == pytest.approx([0, 10 * stripe_km2], abs=1e-6)
    assert not report.is_clean()


def test_parents_and_their_index_belong_together():
    with pytest.raises(ValueError, match="pass `parents` and `parent_index` together"):
        boundaries.check_coverage([SQUARE], parents=[SQUARE])


def test_simplifying_keeps_a_coverage_and_its_vertices(real_areas):
    beats = real_areas("chicago/beats").geometry.to_numpy()

    simple = boundaries.simplify(beats, tolerance_m=100)

    assert shapely.coverage_is_valid(simple)
    before, after = (set(map(tuple, shapely.get_coordinates(g))) for g in (beats, simple))
    assert after < before
    assert len(after) < len(before) / 2
    assert boundaries.check_coverage(simple).is_clean()


def test_simplifying_removes_triangles_smaller_than_the_tolerance():
    # The notch is a triangle about 90 m wide and 55 m deep: about 2,500 m², or 50 m squared.
    notch = shapely.Polygon(
        [(104, 36), (104.05, 36), (104.0505, 36.0005), (104.051, 36), (104.1, 36), (104.05, 36.1)]
    )

    assert shapely.get_num_coordinates(boundaries.simplify([notch], tolerance_m=40)[0]) == 7
    assert shapely.get_num_coordinates(boundaries.simplify([notch], tolerance_m=60)[0]) == 4


def test_zero_tolerance_changes_nothing(coverage):
    assert (boundaries.simplify(coverage, tolerance_m=0) == coverage).all()
    assert boundaries.simplify([], tolerance_m=10).size == 0


def test_overlapping_polygons_are_not_simplified():
    shifted = shapely.box(104.05, 36.0, 104.15, 36.1)

    with pytest.raises(boundaries.CoverageError) as error:
        boundaries.simplify([SQUARE, shifted], tolerance_m=10)

    assert str(error.value) == (
        "boundaries: 2 of 2 polygons do not match their neighbours (rows 0, 1); "
        "clean the borders or draw the polygons unsimplified"
    )


def test_dissolving_joins_pieces_in_order_of_appearance():
    east = shapely.box(104.1, 36.0, 104.2, 36.1)
    apart = shapely.box(105.0, 36.0, 105.1, 36.1)

    codes, polygons = boundaries.dissolve_by_code([SQUARE, apart, east], ["b", "a", "b"])

    assert codes.tolist() == ["b", "a"]
    assert shapely.equals(polygons[0], shapely.box(104.0, 36.0, 104.2, 36.1))
    assert shapely.equals_identical(polygons[1], apart)


def test_chicago_beats_of_several_pieces_become_one(real_areas):
    beats = real_areas("chicago/beats")

    codes, polygons = boundaries.dissolve_by_code(beats.geometry, beats["beat_num"])

    assert len(beats) == 277
    assert len(codes) == len(polygons) == 275
    total_km2 = boundaries.area_km2(beats.geometry).sum()
    assert boundaries.area_km2(polygons).sum() == pytest.approx(total_km2)


def test_nothing_dissolves_to_nothing():
    codes, polygons = boundaries.dissolve_by_code([], [])

    assert codes.size == 0
    assert polygons.size == 0


def test_label_points_lie_inside(real_areas):
    polygons = real_areas("merseyside/oa").geometry.to_numpy()

    lng, lat = boundaries.label_points(polygons)

    assert shapely.contains_xy(polygons, lng, lat).all()


def test_a_label_sits_in_the_largest_part():
    small, large = shapely.box(0, 0, 1, 1), shapely.box(5, 5, 9, 9)
    empty = shapely.Polygon()

    lng, lat = boundaries.label_points([shapely.MultiPolygon([small, large]), empty])

    assert (lng[0], lat[0]) == pytest.approx((7, 7), abs=0.05)
    assert np.isnan([lng[1], lat[1]]).all()


def test_bounds_run_west_south_east_north():
    assert boundaries.bounds([SQUARE]).tolist() == [[104.0, 36.0, 104.1, 36.1]]


def test_neighbours_touch_and_corners_count():
    squares = [shapely.box(104 + x, 36 + y, 105 + x, 37 + y) for y in range(2) for x in range(2)]
    apart = shapely.box(110, 36, 111, 37)

    adjacency = boundaries.neighbours([*squares, apart])

    assert adjacency.toarray().tolist() == [
        [0, 1, 1, 1, 0],
        [1, 0, 1, 1, 0],
        [1, 1, 0, 1, 0],
        [1, 1, 1, 0, 0],
        [0, 0, 0, 0, 0],
    ]


def test_nearby_polygons_are_neighbours_within_the_distance():
    # 0.001 degrees of longitude at 36.05 N are 89.9 m.
    gap = shapely.box(104.101, 36.0, 104.2, 36.1)

    assert boundaries.neighbours([SQUARE, gap], distance_m=85).nnz == 0
    assert boundaries.neighbours([SQUARE, gap], distance_m=95).nnz == 2

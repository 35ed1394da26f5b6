import datetime as dt

import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from geo.locate import locate, locate_dated, nearest

# Squares of side 2 on a lattice, so that whole coordinates fall inside, on edges and on corners.
LATTICE = np.array([shapely.box(x, y, x + 2, y + 2) for y in (0, 2, 4) for x in (0, 2, 4)])
lattice_points = st.lists(
    st.tuples(st.integers(-1, 7) | st.floats(-1, 7), st.integers(-1, 7) | st.floats(-1, 7)),
    min_size=1,
    max_size=30,
)


def columns(pairs):
    return tuple(np.array(pairs, dtype=float).reshape(-1, 2).T)


def by_brute_force(lng, lat, polygons, rank):
    """Every point against every polygon; of those that hold it, the lowest rank."""
    located = []
    for point in shapely.points(lng, lat):
        holders = np.flatnonzero(shapely.intersects(polygons, point))
        located.append(int(min(holders, key=lambda holder: rank[holder])) if holders.size else -1)
    return located


@given(lattice_points, st.permutations(range(9)))
def test_located_as_by_brute_force_on_edges_and_corners_too(pairs, order):
    lng, lat = columns(pairs)
    polygons = LATTICE[list(order)]

    assert locate(lng, lat, boundaries=polygons).tolist() == (
        by_brute_force(lng, lat, polygons, range(9))
    )


@given(lattice_points, st.permutations(range(9)))
def test_codes_make_the_answer_independent_of_polygon_order(pairs, order):
    lng, lat = columns(pairs)
    codes = np.array([f"grid-{number}" for number in range(9)])
    order = np.array(order)

    plain = locate(lng, lat, boundaries=LATTICE, codes=codes)
    shuffled = locate(lng, lat, boundaries=LATTICE[order], codes=codes[order])

    found = plain >= 0
    assert ((shuffled >= 0) == found).all()
    assert codes[plain[found]].tolist() == codes[order][shuffled[found]].tolist()


@given(lattice_points, st.randoms(use_true_random=False))
def test_row_order_does_not_matter(pairs, random):
    order = list(range(len(pairs)))
    random.shuffle(order)
    lng, lat = columns(pairs)

    located = locate(lng, lat, boundaries=LATTICE)

    assert locate(lng[order], lat[order], boundaries=LATTICE).tolist() == located[order].tolist()


def test_vertices_and_middles_of_an_irregular_coverage(coverage):
    corners = shapely.get_coordinates(coverage)
    middles = (corners[:-1] + corners[1:]) / 2
    rng = np.random.default_rng(5)
    scattered = rng.uniform([103.6, 35.8], [104.0, 36.2], (500, 2))
    lng, lat = np.vstack([corners[::5], middles[::5], scattered]).T

    located = locate(lng, lat, boundaries=coverage)

    assert located.tolist() == by_brute_force(lng, lat, coverage, range(len(coverage)))
    assert set(np.unique(located[: len(corners[::5])])) <= set(range(len(coverage)))


def test_holes_multipolygons_and_overlaps_follow_the_predicate():
    ring = shapely.box(0, 0, 10, 10).difference(shapely.box(4, 4, 6, 6))
    islands = shapely.MultiPolygon([shapely.box(20, 0, 21, 1), shapely.box(30, 0, 31, 1)])
    over = shapely.box(-5, -5, 50, 50)

    located = locate([5, 4, 30.5, 25], [5, 5, 0.5, 0.5], boundaries=[ring, islands, over])

    assert located.tolist() == [2, 0, 1, 2]


def test_rows_without_a_point_and_empty_polygons():
    polygons = [None, shapely.Polygon(), shapely.box(0, 0, 1, 1)]

    located = locate([0.5, np.nan, 0.5, 9.0], [0.5, 0.5, np.nan, 9.0], boundaries=polygons)

    assert located.tolist() == [2, -1, -1, -1]


@pytest.mark.parametrize("polygons", [[], [None], [shapely.Polygon()]])
def test_without_polygons_nothing_is_located(polygons):
    assert locate([0.5], [0.5], boundaries=polygons).tolist() == [-1]
    assert nearest([0.5], [0.5], boundaries=polygons, max_distance_m=10).tolist() == [-1]


def test_without_rows_nothing_is_located():
    assert locate([], [], boundaries=LATTICE).tolist() == []


def test_codes_must_match_the_polygons():
    with pytest.raises(ValueError, match="`codes` has 1 values for 9 `boundaries`"):
        locate([0.5], [0.5], boundaries=LATTICE, codes=["a"])


def test_merseyside_rows_agree_with_their_published_codes(real_areas, real_rows):
    lsoa = real_areas("merseyside/lsoa")
    rows = real_rows("merseyside/street_2018", ["Longitude", "Latitude", "LSOA code"])
    codes = lsoa["LSOA11CD"].to_numpy()

    located = locate(rows["Longitude"], rows["Latitude"], boundaries=lsoa.geometry, codes=codes)

    published = rows["LSOA code"].to_numpy()
    known = np.isin(published, codes)
    same = np.append(codes, None)[located][known] == published[known]
    # The data's README: 167,677 rows have an LSOA of the region, 95.790 % in the same polygon.
    assert known.sum() == 167_677
    assert same.mean() == pytest.approx(0.95790, abs=5e-5)


def test_chicago_points_on_beat_borders_go_to_the_lowest_code(real_areas):
    beats = real_areas("chicago/beats")
    polygons, codes = beats.geometry.to_numpy(), beats["beat_num"].to_numpy()
    lng, lat = shapely.get_coordinates(polygons)[::200].T
    rank = np.argsort(np.argsort(codes, kind="stable"), kind="stable")

    located = locate(lng, lat, boundaries=polygons, codes=codes)

    assert located.tolist() == by_brute_force(lng, lat, polygons, rank)


RECUT = dt.date(2025, 7, 1)
OLD, WEST, EAST = shapely.box(0, 0, 2, 1), shapely.box(0, 0, 1, 1), shapely.box(1, 0, 2, 1)


def test_each_row_is_located_in_the_polygons_of_its_own_date():
    located = locate_dated(
        [0.5, 0.5, 1.5, 1.5, 1.0, 5.0],
        [0.5] * 6,
        [dt.date(2025, 6, 30), RECUT, dt.date(2025, 6, 30), dt.date(2026, 1, 1), RECUT, RECUT],
        boundaries=[OLD, WEST, EAST],
        codes=["old", "west", "east"],
        valid_from=[None, RECUT, RECUT],
        valid_to=[RECUT, None, None],
    )

    # On the new shared border "east" is the lower code.
    assert located.tolist() == [0, 1, 0, 2, 2, -1]


def test_rows_without_a_date_are_not_located():
    located = locate_dated(
        [0.5, 0.5],
        [0.5, 0.5],
        pd.Series(pd.to_datetime(["2025-01-01", None])),
        boundaries=[OLD],
        valid_from=[None],
        valid_to=[None],
    )

    assert located.tolist() == [0, -1]


days = st.integers(0, 20)


@given(
    lattice_points,
    st.lists(days, min_size=30, max_size=30),
    st.lists(st.tuples(st.none() | days, st.none() | days), min_size=9, max_size=9),
)
def test_dated_as_row_by_row(pairs, dates, spans):
    epoch = np.datetime64("2025-01-01")
    start = np.array([epoch + s if s is not None else np.datetime64("NaT") for s, _ in spans])
    end = np.array([epoch + e if e is not None else np.datetime64("NaT") for _, e in spans])
    on = epoch + np.array(dates[: len(pairs)])
    lng, lat = columns(pairs)

    located = locate_dated(lng, lat, on, boundaries=LATTICE, valid_from=start, valid_to=end)

    for row, day in enumerate(on):
        valid = (np.isnat(start) | (start <= day)) & (np.isnat(end) | (day < end))
        polygons = np.where(valid, LATTICE, None)
        assert located[row] == by_brute_force(lng[[row]], lat[[row]], polygons, range(9))[0]


def test_nearest_reaches_to_its_distance_and_no_further():
    # 0.001 degrees: 90.0 m along the parallel of 36 N, 111.2 m along the meridian.
    polygons = [shapely.box(104.0, 35.9, 104.1, 36.1), shapely.box(104.2, 35.9, 104.3, 36.1)]
    lng, lat = [104.101, 104.05, 104.199, np.nan, 104.05], [36.0, 36.101, 36.0, 36.0, 36.0]

    def within(metres):
        return nearest(lng, lat, boundaries=polygons, max_distance_m=metres).tolist()

    assert within(80) == [-1, -1, -1, -1, 0]
    assert within(95) == [0, -1, 1, -1, 0]
    assert within(115) == [0, 0, 1, -1, 0]


def test_of_equally_near_polygons_the_lowest_code_is_taken():
    polygons = [shapely.box(0, 0, 1, 1), shapely.box(2, 0, 3, 1)]

    for codes, expected in ((["a", "b"], 0), (["b", "a"], 1)):
        found = nearest([1.5], [0.5], boundaries=polygons, codes=codes, max_distance_m=60_000)
        assert found.tolist() == [expected]


def test_nearest_agrees_with_locate_inside(coverage):
    rng = np.random.default_rng(9)
    lng, lat = rng.uniform(103.6, 104.0, 300), rng.uniform(35.8, 36.2, 300)

    located = locate(lng, lat, boundaries=coverage)
    found = nearest(lng, lat, boundaries=coverage, max_distance_m=1.0)

    assert found[located >= 0].tolist() == located[located >= 0].tolist()

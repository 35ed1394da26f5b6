import numpy as np
import pytest
import shapely

from geo import boundaries, tiling

WEST, SOUTH = 103.0, 36.0


def strip(west, east, south=0.0, north=0.1):
    return shapely.box(WEST + west, SOUTH + south, WEST + east, SOUTH + north)


def km2(polygon):
    return boundaries.area_km2([polygon])[0]


def test_a_tiling_has_no_faulty_places(coverage):
    parents = np.array([shapely.coverage_union_all(coverage)])
    index = np.zeros(len(coverage), dtype=np.int64)
    assert len(tiling.overlaps(coverage)) == 0
    assert len(tiling.spills(coverage, parents, index)) == 0
    assert len(tiling.gaps(coverage, parents, index)) == 0
    assert len(tiling.holes(coverage)) == 0


def test_overlaps_name_both_polygons_and_the_largest_comes_first():
    shapes = [strip(0, 0.11), strip(0.1, 0.22), strip(0.2, 0.3), strip(0.24, 0.25)]
    found = tiling.overlaps(shapes)
    assert list(zip(found.first.tolist(), found.second.tolist(), strict=True)) == [
        (1, 2), (0, 1), (2, 3),
    ]  # fmt: skip
    assert found.area_km2 == pytest.approx(
        [km2(strip(0.2, 0.22)), km2(strip(0.1, 0.11)), km2(strip(0.24, 0.25))]
    )
    assert not found.slivers.any()


def test_a_place_claimed_by_three_is_three_places():
    found = tiling.overlaps([strip(0, 0.1)] * 3)
    assert found.first.tolist() == [0, 0, 1]
    assert found.second.tolist() == [1, 2, 2]


def test_gaps_and_spills_are_told_apart():
    parents = [strip(0, 0.1), strip(0.1, 0.2), strip(0.2, 0.3)]
    # The first child reaches into the second parent, whose own child begins further east.
    children = [strip(0, 0.12), strip(0.13, 0.2)]
    spills = tiling.spills(children, parents, [0, 1])
    assert (spills.first.tolist(), spills.second.tolist()) == ([0], [0])
    assert spills.area_km2 == pytest.approx([km2(strip(0.1, 0.12))])
    gaps = tiling.gaps(children, parents, [0, 1])
    assert (gaps.first.tolist(), gaps.second.tolist()) == ([1], [-1])
    assert shapely.equals_exact(
        shapely.normalize(gaps.polygons[0]), shapely.normalize(strip(0.12, 0.13)), 1e-9
    )


def test_polygons_without_a_parent_are_left_out():
    parents = [strip(0, 0.1)]
    assert len(tiling.spills([strip(0.5, 0.6)], parents, [-1])) == 0
    assert len(tiling.gaps([strip(0.5, 0.6)], parents, [-1])) == 0


def test_thin_places_are_slivers():
    metre = 1 / 90_000
    thin = tiling.overlaps([strip(0, 0.1 + metre / 2), strip(0.1, 0.2)])
    wide = tiling.overlaps([strip(0, 0.1 + 2 * metre), strip(0.1, 0.2)])
    assert thin.slivers.tolist() == [True]
    assert thin.width_m == pytest.approx([0.5], rel=0.01)
    assert wide.slivers.tolist() == [False]


def test_holes_are_found_where_there_is_no_level_above():
    ring = [
        strip(0, 0.3, 0, 0.1),
        strip(0, 0.1, 0.1, 0.2),
        strip(0.2, 0.3, 0.1, 0.2),
        strip(0, 0.3, 0.2, 0.3),
    ]
    found = tiling.holes(ring)
    assert found.first.tolist() == [-1]
    assert found.area_km2 == pytest.approx([km2(strip(0.1, 0.2, 0.1, 0.2))])


def test_places_add_up_to_the_coverage_report(coverage):
    rng = np.random.default_rng(5)
    moved = coverage.copy()
    for row in rng.choice(len(coverage), 20, replace=False):
        moved[row] = shapely.transform(coverage[row], lambda v: v + 0.002)
    parents = np.array([shapely.coverage_union_all(coverage)])
    index = np.zeros(len(coverage), dtype=np.int64)
    report = boundaries.check_coverage(moved, parents=parents, parent_index=index)
    assert tiling.overlaps(moved).area_km2.sum() == pytest.approx(report.overlap_km2, rel=0.05)
    assert tiling.gaps(moved, parents, index).area_km2.sum() == pytest.approx(report.gap_km2.sum())
    spilled = tiling.spills(moved, parents, index).area_km2.sum()
    assert spilled == pytest.approx(report.outside_km2.sum())

"""Cutting polygons of any shape: exact tiling, wanted numbers, connected areas, same seed same areas."""

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from etl.synthesize.subdivide import subdivide

SQUARE_KM2 = 111.195**2
# A ring with a hole, a bay, and an islet; and a square that fills the hole.
HOLED = shapely.Polygon(
    [(103.0, 36.0), (103.4, 36.0), (103.4, 36.4), (103.25, 36.15), (103.2, 36.4), (103.0, 36.4)],
    [[(103.05, 36.05), (103.15, 36.05), (103.15, 36.15), (103.05, 36.15)]],
)
FILLING = shapely.box(103.05, 36.05, 103.15, 36.15)
ISLET = shapely.box(103.5, 36.1, 103.52, 36.12)
SHAPES = np.array([shapely.MultiPolygon([HOLED, ISLET]), FILLING], dtype=object)


def even(lng, lat):
    return np.ones(len(lng))


def crowded_west(lng, lat):
    return np.exp(-12 * (lng - 103.0))


def cut(shapes, wanted, *, seed=1, density=even, **options):
    rng = np.random.default_rng(seed)
    return subdivide(shapes, np.array(wanted), density=density, rng=rng, **options)


def misfit_km2(found, shapes):
    """Gaps, spill and overlaps, on the plane of degrees in which straight borders are straight."""
    gaps = [
        shapely.area(shapely.difference(shape, shapely.union_all(found.shapes[found.parent == p])))
        for p, shape in enumerate(shapes)
    ]
    spill = shapely.area(shapely.difference(found.shapes, shapes[found.parent]))
    overlap = shapely.area(found.shapes).sum() - shapely.area(shapely.union_all(found.shapes))
    return np.array([sum(gaps), spill.sum(), abs(overlap)]) * SQUARE_KM2


def test_areas_tile_parents_with_holes_and_islets():
    found = cut(SHAPES, [7, 3])
    assert found.parent.tolist() == [0] * 7 + [1] * 3
    assert shapely.is_valid(found.shapes).all()
    assert misfit_km2(found, SHAPES).max() < 1e-6


def test_neighbours_share_every_corner_across_parents():
    assert shapely.coverage_is_valid(cut(SHAPES, [7, 3]).shapes)


def test_an_islet_belongs_to_the_nearest_area():
    found = cut(SHAPES, [4, 1])
    owners = [shape for shape in found.shapes if shapely.intersects(shape, ISLET)]
    assert len(owners) == 1
    assert shapely.covers(shapely.buffer(owners[0], 1e-9), ISLET)
    assert [shape.geom_type for shape in found.shapes].count("MultiPolygon") == 1


def test_pieces_make_up_their_area():
    found = cut(SHAPES, [5, 2])
    for area, shape in enumerate(found.shapes):
        joined = shapely.union_all(found.pieces[found.owner == area])
        assert shapely.area(shapely.symmetric_difference(joined, shape)) * SQUARE_KM2 < 1e-6


def test_areas_are_small_where_the_ground_is_crowded():
    square = np.array([shapely.box(103.0, 36.0, 103.4, 36.3)], dtype=object)
    found = cut(square, [30], density=crowded_west)
    middle = shapely.get_x(shapely.centroid(found.shapes))
    size = shapely.area(found.shapes)
    west, east = size[middle < 103.1], size[middle > 103.3]
    assert np.median(east) > 4 * np.median(west)


def test_the_same_seed_gives_the_same_areas():
    one, same, other = (cut(SHAPES, [6, 2], seed=seed).shapes for seed in (3, 3, 4))
    assert (shapely.to_wkb(one) == shapely.to_wkb(same)).all()
    assert (shapely.to_wkb(one) != shapely.to_wkb(other)).any()


def test_one_area_is_its_parent():
    found = cut(SHAPES, [1, 1])
    assert len(found.shapes) == 2
    assert misfit_km2(found, SHAPES).max() < 1e-6


@pytest.mark.parametrize(
    ("shapes", "wanted"),
    [(SHAPES, [0, 3]), (np.array([shapely.Polygon(), FILLING], dtype=object), [1, 1])],
)
def test_parents_without_ground_or_areas_are_refused(shapes, wanted):
    with pytest.raises(ValueError, match="each parent needs ground and one area or more"):
        cut(shapes, wanted)


@given(
    st.lists(st.floats(0.15, 1.0), min_size=5, max_size=14),
    st.integers(1, 12),
    st.integers(0, 2**32 - 1),
)
@settings(max_examples=25, deadline=None)
def test_any_star_shaped_parent_is_tiled(radii, wanted, seed):
    turn = np.linspace(0, 2 * np.pi, len(radii), endpoint=False)
    spokes = np.array(radii)[:, None] * 0.2
    ring = np.array([103.5, 36.5]) + np.column_stack([np.cos(turn), np.sin(turn)]) * spokes
    shapes = np.array([shapely.Polygon(ring)], dtype=object)
    found = cut(shapes, [wanted], seed=seed)
    assert len(found.shapes) == wanted
    assert all(shape.geom_type == "Polygon" for shape in found.shapes)
    assert misfit_km2(found, shapes).max() < 1e-6

import h3
import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from geo import cells

points = st.lists(st.tuples(st.floats(-180, 180), st.floats(-90, 90)), min_size=1, max_size=20)


def columns(pairs):
    return tuple(np.array(pairs, dtype=float).reshape(-1, 2).T)


@given(points, st.integers(0, 15))
def test_cells_agree_with_h3_point_by_point(pairs, resolution):
    lng, lat = columns(pairs)

    assigned = cells.assign_cells(lng, lat, resolution=resolution)

    assert assigned.tolist() == [h3.latlng_to_cell(y, x, resolution) for x, y in pairs]


@given(points)
def test_each_cell_holds_the_cells_below_it(pairs):
    assigned = cells.assign_all(*columns(pairs))

    assert tuple(assigned) == cells.RESOLUTIONS
    for coarse, fine in zip(cells.RESOLUTIONS, cells.RESOLUTIONS[1:], strict=False):
        expected = [h3.cell_to_parent(cell, coarse) for cell in assigned[fine]]
        assert assigned[coarse].tolist() == expected
        assert cells.parents(assigned[fine], resolution=coarse).tolist() == expected


@given(points)
def test_the_finest_cell_is_the_cell_of_the_point(pairs):
    lng, lat = columns(pairs)

    finest = cells.assign_all(lng, lat)[cells.RESOLUTIONS[-1]]

    assert finest.tolist() == cells.assign_cells(lng, lat, resolution=10).tolist()


@given(points, st.integers(0, 15))
def test_numbers_are_the_same_cells(pairs, resolution):
    lng, lat = columns([*pairs, (np.nan, 0.0)])

    numbers = cells.cell_numbers(lng, lat, resolution=resolution)

    assert numbers.dtype == np.int64
    assert (numbers[:-1] > 0).all()
    assert numbers[-1] == 0
    assigned = cells.assign_cells(lng, lat, resolution=resolution)
    assert cells.cell_texts(numbers).tolist() == assigned.tolist()
    assert [h3.str_to_int(cell) for cell in assigned[:-1]] == numbers[:-1].tolist()


@given(points, st.integers(0, 15), st.integers(0, 15))
def test_parents_of_numbers_agree_with_h3(pairs, one, other):
    coarse, fine = sorted([one, other])
    numbers = cells.cell_numbers(*columns([*pairs, (np.nan, 0.0)]), resolution=fine)

    above = cells.parent_numbers(numbers, resolution=coarse)

    assert above.dtype == np.int64
    assert above[-1] == 0
    texts = cells.cell_texts(numbers)[:-1]
    assert cells.cell_texts(above)[:-1].tolist() == [h3.cell_to_parent(c, coarse) for c in texts]


def test_numbers_go_where_text_goes():
    numbers = cells.cell_numbers([104.0, 104.01], [36.0, 36.0], resolution=9)
    texts = cells.cell_texts(numbers)

    assert (cells.cell_polygons(numbers) == cells.cell_polygons(texts)).all()
    assert cells.cell_centres(numbers)[0].tolist() == cells.cell_centres(texts)[0].tolist()
    assert cells.cell_areas_km2(numbers).tolist() == cells.cell_areas_km2(texts).tolist()
    assert (cells.neighbours(numbers) != cells.neighbours(texts)).nnz == 0
    assert cells.parents([numbers[0], 0], resolution=6).tolist() == ["8624d2377ffffff", None]


def test_numbers_that_are_no_cells_are_named():
    with pytest.raises(ValueError, match=r"1 of 2 numbers are no H3 cell \(rows 1\)"):
        cells.parent_numbers([0, 617], resolution=6)
    with pytest.raises(ValueError, match=r"1 cells are coarser than resolution 10 \(8924d2"):
        cells.parent_numbers([0x8924D237643FFFF], resolution=10)
    with pytest.raises(ValueError, match=r"cells: 1 rows have no cell \(rows 1\)"):
        cells.cell_polygons([0x8924D237643FFFF, 0])


def test_counts_are_conserved_from_cell_to_parent():
    rng = np.random.default_rng(1)
    assigned = cells.assign_all(rng.normal(104, 0.05, 5_000), rng.normal(36, 0.05, 5_000))

    for coarse, fine in zip(cells.RESOLUTIONS, cells.RESOLUTIONS[1:], strict=False):
        names, counts = np.unique(assigned[fine].astype(str), return_counts=True)
        upper = cells.parents(names, resolution=coarse).astype(str)
        summed = {cell: counts[upper == cell].sum() for cell in np.unique(upper)}
        names, counts = np.unique(assigned[coarse].astype(str), return_counts=True)
        assert summed == dict(zip(names, counts, strict=True))


def test_row_order_does_not_matter():
    rng = np.random.default_rng(2)
    lng, lat = rng.normal(104, 0.05, 500).round(2), rng.normal(36, 0.05, 500).round(2)
    order = rng.permutation(500)

    assigned = cells.assign_cells(lng, lat, resolution=9)

    assert cells.assign_cells(lng[order], lat[order], resolution=9).tolist() == (
        assigned[order].tolist()
    )


def test_rows_without_a_point_have_no_cell():
    lng, lat = [104.0, np.nan, 104.0], [36.0, 36.0, np.nan]

    assert cells.assign_cells(lng, lat, resolution=9).tolist() == ["8924d237643ffff", None, None]
    for assigned in cells.assign_all(lng, lat).values():
        assert assigned[1] is None
        assert assigned[2] is None


def test_no_rows_give_no_cells():
    assert cells.assign_cells([], [], resolution=9).tolist() == []
    assert all(column.size == 0 for column in cells.assign_all([], []).values())
    assert cells.cell_polygons([]).size == 0
    assert cells.cell_areas_km2([]).size == 0
    assert cells.cell_centres([])[0].size == 0
    assert cells.neighbours([]).shape == (0, 0)
    assert cells.parent_numbers([], resolution=6).dtype == np.int64
    assert cells.cell_texts([]).tolist() == []


def test_points_outside_the_world_are_refused():
    with pytest.raises(ValueError, match=r"1 of 1 rows lie outside"):
        cells.assign_cells([36.0], [104.0], resolution=9)


@pytest.mark.parametrize("resolution", [-1, 16])
def test_impossible_resolutions_are_refused(resolution):
    with pytest.raises(ValueError, match=f"resolution must be 0 to 15, not {resolution}"):
        cells.assign_cells([104.0], [36.0], resolution=resolution)


def test_outlines_are_a_coverage_that_holds_its_centres():
    disk = h3.grid_disk("8924d237643ffff", 6)

    polygons = cells.cell_polygons(disk)
    lng, lat = cells.cell_centres(disk)

    assert shapely.coverage_is_valid(polygons)
    assert shapely.get_parts(shapely.coverage_union_all(polygons)).size == 1
    assert shapely.contains_xy(polygons, lng, lat).all()
    assert cells.assign_cells(lng, lat, resolution=9).tolist() == disk


def test_pentagons_have_outlines_too():
    pentagon = h3.get_pentagons(9)[0]

    polygons = cells.cell_polygons([pentagon, *h3.grid_ring(pentagon, 1)])

    assert shapely.is_valid(polygons).all()


def test_areas_are_those_of_the_resolution():
    # h3geo.org, table of cell statistics: mean hexagon areas of 0.1053 and 0.0150 km².
    areas_km2 = cells.cell_areas_km2(cells.assign_cells([104.0], [36.0], resolution=9))

    assert areas_km2 == pytest.approx([0.1053], rel=0.2)


def test_neighbours_are_the_ring_within_the_given_cells():
    disk = sorted(h3.grid_disk("8924d237643ffff", 2))
    centre = disk.index("8924d237643ffff")

    adjacency = cells.neighbours(disk)

    assert {disk[i] for i in adjacency[[centre]].indices} == set(h3.grid_ring(disk[centre], 1))
    assert (adjacency != adjacency.T).nnz == 0
    assert adjacency.diagonal().sum() == 0
    # A disk of radius 2 has 19 cells and 42 shared edges.
    assert adjacency.sum() == 84


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (["nonsense"], r"cells: 1 values are no H3 cell \('nonsense'\)"),
        ([617], r"cells: 1 values are no H3 cell \(617\)"),
        (["8f"], r"cells: 1 values are no H3 cell \('8f'\)"),
        (["8924d237643ffff", None], r"cells: 1 rows have no cell \(rows 1\)"),
    ],
)
def test_values_that_are_no_cells_are_named(wrong, message):
    with pytest.raises(ValueError, match=message):
        cells.cell_polygons(wrong)


def test_repeated_cells_have_no_neighbours():
    with pytest.raises(ValueError, match="cells: 1 cells repeat"):
        cells.neighbours(["8924d237643ffff", "8924d237643ffff"])


def test_parents_are_never_finer():
    with pytest.raises(
        ValueError, match=r"1 cells are coarser than resolution 10 \(8924d237643ffff"
    ):
        cells.parents(["8924d237643ffff"], resolution=10)

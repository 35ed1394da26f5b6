"""Where the map draws what happened: in the area and in the cell, and not where the incident was."""

import shutil

import numpy as np
import pytest
import shapely

from data.store import Store
from etl.boundary_store import load
from etl.masked_points import masked_points
from etl.verify import verify
from geo import cells as hexagons
from tests.etl.test_area_cells import BEYOND, EAST, LINES, NORTH_EAST, WEST, cell, line


def stored(home):
    """Point of each area and cell by code and H3 text."""
    snapshot = Store(home).current()
    areas, register = snapshot.areas, snapshot.read("cells_10")["cell"].to_numpy()
    return {
        (areas["code"][row.area_row], register[row.cell_index]): (row.lng, row.lat)
        for row in snapshot.read("points").itertuples()
    }


def entry(manifest):
    (found,) = (each for each in manifest["files"] if each["table"] == "points")
    return found


def test_a_point_is_of_its_area_and_of_its_cell(toy):
    toy.publish(LINES)
    found = stored(toy.home)
    assert set(found) == {
        ("W1", cell(WEST)), ("E1", cell(EAST)), ("W1", cell(BEYOND)), ("E2", cell(NORTH_EAST)),
        ("E3", cell(NORTH_EAST)),
    }  # fmt: skip
    # The cell reaches across the border at 103.1; its middle lies on one side of it.
    west, east = found["W1", cell(WEST)], found["E1", cell(EAST)]
    assert west[0] < 103.1 < east[0]
    (middle,) = zip(*hexagons.cell_centres([cell(WEST)]), strict=True)
    assert [point == pytest.approx(middle, abs=1e-7) for point in (west, east)].count(True) == 1
    assert cell(west) == cell(east) == cell(WEST)
    assert not {west, east} & {WEST, EAST}
    # Grids that were re-cut: the same cell, the same point.
    assert found["E2", cell(NORTH_EAST)] == found["E3", cell(NORTH_EAST)]
    # Placed by code, with a point far from the area: no point of the cell is in it.
    assert np.isnan(found["W1", cell(BEYOND)]).all()


def test_the_account_closes(toy):
    toy.publish(LINES)
    report = verify(toy.home)
    (said,) = (check["detail"] for check in report["checks"] if check["name"] == "points")
    assert report["ok"]
    assert said == (
        "4 points; 5 incidents at a point + 1 whose area and cell share none + "
        "2 without a point or an area = 8"
    )


def test_nothing_of_an_incident_is_in_its_point(toy):
    """Wherever in the cell it was, and however many there are: the same point."""
    toy.publish([line(1, "01-05", WEST)])
    before = stored(toy.home)
    moved = (WEST[0] - 0.00005, WEST[1] + 0.00005)
    assert cell(moved) == cell(WEST)
    toy.publish([line(1, "01-05", moved), line(2, "01-06", moved)])
    assert stored(toy.home) == before


def test_points_that_stand_are_named_again(toy):
    first = toy.publish(LINES).manifest
    same = toy.publish([line(9, "02-04", WEST)]).manifest
    assert entry(same) == entry(first)
    more = toy.publish([line(10, "02-05", (103.05, 36.05))]).manifest
    assert entry(more)["rows"] == entry(first)["rows"] + 1
    anew = toy.publish(force=True).manifest
    assert entry(anew)["sha256"] == entry(more)["sha256"]
    gone = toy.publish([line(10, "02-05", WEST)]).manifest
    assert entry(gone)["sha256"] == entry(first)["sha256"]


def test_random_cells_and_areas(toy):
    """Every pair that shares some ground has a point of both, every other one has none."""
    manifest = toy.publish(LINES).manifest
    built = load(toy.home, manifest["boundary_version"])
    shapes = np.concatenate(list(built.geometries.values()))
    rng = np.random.default_rng(7)
    cells = hexagons.cell_numbers(
        rng.uniform(102.99, 103.21, 400), rng.uniform(35.99, 36.21, 400), resolution=10
    )
    areas = rng.integers(0, len(shapes), size=len(cells))
    lng, lat = masked_points(built, areas, cells)
    shared = shapely.area(shapely.intersection(shapes[areas], hexagons.cell_polygons(cells)))
    assert (np.isfinite(lng) == (shared > 0)).all()
    drawn = np.flatnonzero(shared > 0)
    assert shapely.contains_xy(shapes[areas[drawn]], lng[drawn], lat[drawn]).all()
    found = hexagons.cell_numbers(lng[drawn], lat[drawn], resolution=10)
    assert (found == cells[drawn]).all()


def test_a_home_without_boundaries_says_that_it_did_not_compare(toy):
    toy.publish(LINES)
    shutil.rmtree(toy.home / "boundaries")
    report = verify(toy.home)
    (check,) = (check for check in report["checks"] if check["name"] == "points")
    assert check["ok"]
    assert "not compared with the boundaries" in check["detail"]

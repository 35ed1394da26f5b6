"""What areas have in each cell: counted once, whoever else has something in the same cell."""

import pytest

from data.store import Store
from etl.verify import verify
from geo import cells as hexagons

# A point on each side of a border that one cell reaches across, and a point beyond the city.
WEST, EAST, BEYOND = (103.0999, 36.0501), (103.1001, 36.0501), (102.995, 36.05)
NORTH_EAST = (103.15, 36.15)


def line(number, day, point=None, grid=""):
    x, y = point or ("", "")
    return f"{number},2026-{day} 10:00,A1,2,,{x},{y},{grid}"


LINES = [
    line(1, "01-05", WEST),
    line(2, "01-05", WEST),
    line(3, "01-05", EAST),
    line(4, "01-06", grid="E1"),  # by code, without a point
    line(5, "01-07", BEYOND, "W1"),  # by code, with a point in no area
    line(6, "01-08", BEYOND),  # in no area at all
    line(7, "01-28", NORTH_EAST),
    line(8, "02-03", NORTH_EAST),  # the grid was re-cut in between
]


def stored(home):
    """Incidents by month, lowest area and cell."""
    snapshot = Store(home).current()
    rows = snapshot.read("area_cell_counts_10")
    areas, register = snapshot.areas, snapshot.read("cells_10")["cell"].to_numpy()
    assert rows.equals(rows.sort_values([name for name in rows if name != "count"]))
    found = {}
    for row in rows.itertuples():
        code = areas["code"][row.area_row] if row.area_row >= 0 else None
        cell = register[row.cell_index] if row.cell_index >= 0 else None
        key = f"{row.period_start:%Y-%m}", code, cell
        found[key] = found.get(key, 0) + row.count
    return found


def cell(point):
    (found,) = hexagons.assign_cells(*point, resolution=10)
    return found


def expected():
    assert cell(WEST) == cell(EAST)
    return {
        ("2026-01", "W1", cell(WEST)): 2,
        ("2026-01", "E1", cell(EAST)): 1,
        ("2026-01", "E1", None): 1,
        ("2026-01", "W1", cell(BEYOND)): 1,
        ("2026-01", None, cell(BEYOND)): 1,
        ("2026-01", "E2", cell(NORTH_EAST)): 1,
        ("2026-02", "E3", cell(NORTH_EAST)): 1,
    }


def test_every_incident_is_in_its_area_and_its_cell(toy):
    manifest = toy.publish(LINES).manifest
    assert stored(toy.home) == expected()
    entries = [entry for entry in manifest["files"] if entry["table"] == "area_cell_counts_10"]
    assert sum(entry["incidents"] for entry in entries) == manifest["rows"]["incidents"]
    assert sum(entry["none"] for entry in entries) == manifest["rows"]["no_point"]
    assert verify(toy.home)["ok"]


@pytest.mark.parametrize("late", [line(9, "02-04", WEST), line(8, "02-04", EAST)], ids=["new", "corrected"])  # fmt: skip
def test_only_the_month_that_a_late_row_touches_is_counted_again(toy, late):
    def files(manifest):
        entries = [entry for entry in manifest["files"] if entry["table"] == "area_cell_counts_10"]
        return {entry["month"]: (entry["path"], entry["sha256"]) for entry in entries}

    before = files(toy.publish(LINES).manifest)
    after = files(toy.publish([late]).manifest)
    assert after["2026-01"] == before["2026-01"]
    assert after["2026-02"] != before["2026-02"]
    anew = files(toy.publish(force=True).manifest)
    assert {month: sha for month, (_, sha) in anew.items()} == {
        month: sha for month, (_, sha) in after.items()
    }
    assert verify(toy.home)["ok"]

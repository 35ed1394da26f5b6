import numpy as np
import pandas as pd
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from etl.boundaries import read_boundaries
from etl.place import CODE, NONE, POINT, place, upwards


def incidents(rows):
    table = pd.DataFrame(rows, columns=["occurred_on", "lng", "lat", "area_code"])
    return table.astype({"lng": float, "lat": float, "area_code": "str"}).assign(
        occurred_on=pd.to_datetime(table["occurred_on"]).astype("datetime64[s]"),
        period_start=pd.to_datetime(table["occurred_on"]).astype("datetime64[s]"),
        category_index=np.int16(0),
        severity=np.int8(1),
    )


def codes(placed, built, level):
    names = np.array([*built.level_areas(level)["code"], "-"], dtype=object)
    return names[upwards(placed.level, placed.index, built)[level]].tolist()


def test_points_find_the_grid_of_their_day_and_its_parents(toy):
    built = read_boundaries(toy.city())
    placed = place(
        incidents(
            [
                ("2026-01-31", 103.15, 36.15, None),
                ("2026-02-01", 103.15, 36.15, None),
                ("2026-02-01", 102.98, 36.05, None),
                ("2026-02-01", None, None, None),
            ]
        ),
        built,
    )
    assert codes(placed, built, "grid") == ["E2", "E3", "-", "-"]
    assert codes(placed, built, "county") == ["E", "E", "-", "-"]
    assert codes(placed, built, "city") == ["T", "T", "-", "-"]
    assert placed.located_by.tolist() == [POINT, POINT, NONE, NONE]


def test_codes_of_any_level_place_what_no_polygon_holds(toy):
    built = read_boundaries(toy.city())
    placed = place(
        incidents(
            [
                ("2026-01-31", None, None, "W1"),
                ("2026-01-31", None, None, "W"),
                ("2026-01-31", 102.98, 36.05, "W2"),
                ("2026-01-31", 103.15, 36.15, "W2"),
                ("2026-02-20", None, None, "E2"),
            ]
        ),
        built,
    )
    # The point decides over the code; a code that has ended still says where it happened.
    assert codes(placed, built, "grid") == ["W1", "-", "W2", "E2", "E2"]
    assert codes(placed, built, "county") == ["W", "W", "W", "E", "E"]
    assert placed.located_by.tolist() == [CODE, CODE, CODE, POINT, CODE]


def test_a_gap_of_the_lowest_level_is_filled_by_the_next(toy):
    toy.change(
        "areas.toml",
        'level = "county"\nname_zh = "区县"\nname_en = "County"\ndissolve = "grid"',
        'level = "county"\nname_zh = "区县"\nname_en = "County"\nfile = "county.geojson"\n[level.columns]\ncode = "parent"',
    )
    text = (toy.folder / "grid.geojson").read_text(encoding="utf-8")
    (toy.folder / "county.geojson").write_text(text, encoding="utf-8")
    toy.write_grids([grid for grid in toy.grids if grid[0] != "W2"])
    built = read_boundaries(toy.city())
    placed = place(incidents([("2026-01-31", 103.05, 36.15, None)]), built)
    assert codes(placed, built, "grid") == ["-"]
    assert codes(placed, built, "county") == ["W"]


ROWS = st.tuples(
    st.sampled_from(["2026-01-05", "2026-01-31", "2026-02-01", "2026-02-20"]),
    st.none() | st.floats(102.96, 103.24),
    st.floats(35.96, 36.24),
    st.sampled_from([None, "W1", "E", "T", "E2"]),
).map(lambda row: (row[0], row[1], None if row[1] is None else row[2], row[3]))


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(ROWS, min_size=1, max_size=60))
def test_a_place_at_a_level_is_a_place_at_every_level_above(toy, rows):
    built = read_boundaries(toy.city())
    placed = place(incidents(rows), built)
    areas = upwards(placed.level, placed.index, built)
    for lower, upper in (("grid", "county"), ("county", "city")):
        held = areas[lower] >= 0
        assert np.array_equal(areas[upper][held], built.parents(lower)[areas[lower][held]])
    assert ((placed.located_by == NONE) == (areas["city"] < 0)).all()
    assert ((placed.level < 0) == (placed.index < 0)).all()

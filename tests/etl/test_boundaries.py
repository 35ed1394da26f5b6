import datetime as dt

import numpy as np
import pytest
import shapely

from data import schema
from etl.boundaries import BoundaryError, cut_level_tiles, read_boundaries
from geo.divisions import DivisionError


def test_levels_are_numbered_by_code_and_dissolved_upwards(toy):
    built = read_boundaries(toy.city())
    schema.check_table("areas", built.areas)
    assert built.levels == ["city", "county", "grid"]
    city = built.level_areas("city")
    assert city[["code", "name", "name_en"]].to_numpy().tolist() == [["T", "测试市", "Test City"]]
    assert built.level_areas("county")["code"].tolist() == ["E", "W"]
    assert built.level_areas("grid")["code"].tolist() == ["E1", "E2", "E3", "W1", "W2"]
    assert built.parents("grid").tolist() == [0, 0, 0, 1, 1]
    assert built.parents("county").tolist() == [0, 0]
    assert shapely.area(built.geometries["county"]) == pytest.approx([0.02, 0.02])
    assert built.first_day == dt.date(2025, 1, 1)


def test_the_order_of_features_does_not_matter(toy):
    one = read_boundaries(toy.city())
    toy.write_grids(toy.grids[::-1])
    other = read_boundaries(toy.city())
    assert one.areas.equals(other.areas)
    assert one.level_areas("grid")["code"].tolist() == other.level_areas("grid")["code"].tolist()


def test_pieces_of_one_code_become_one_area(toy):
    toy.write_grids([*toy.grids, ("W1", "W", 102.9, 36.0, "2025-01-01", None)])
    built = read_boundaries(toy.city())
    grids = built.level_areas("grid")
    assert len(grids) == 5
    assert shapely.area(built.geometries["grid"][3]) == pytest.approx(0.02)
    assert grids["population"].iloc[3] == 1000


def test_exposure_is_in_its_unit_and_unknown_stays_unknown(toy):
    grids = read_boundaries(toy.city()).level_areas("grid")
    assert grids["exposure"].tolist() == [0.1] * 5
    toy.change("city.toml", '"population"', '"households"')
    assert read_boundaries(toy.city()).areas["exposure"].isna().all()
    toy.change("city.toml", '"households"', '"area_km2"')
    areas = read_boundaries(toy.city()).areas
    assert np.array_equal(areas["exposure"], areas["area_km2"])


def test_the_version_follows_geometry_and_ledger(toy):
    versions = {read_boundaries(toy.city()).version}
    versions.add(read_boundaries(toy.city()).version)
    assert len(versions) == 1
    toy.write_grids(toy.grids[:3])
    assert read_boundaries(toy.city()).version not in versions


def test_numeric_codes_lose_leading_zeros_and_columns_join(toy):
    toy.change("areas.toml", 'parent_code = "parent"', 'parent_code = ["parent", "code"]')
    toy.change("areas.toml", 'file = "grid.geojson"', 'file = "grid.geojson"\nnumeric_codes = true')
    toy.write_grids([("007", "01", 103.0, 36.0, "2025-01-01", None)])
    built = read_boundaries(toy.city())
    assert built.level_areas("grid")["code"].tolist() == ["7"]
    assert built.level_areas("county")["code"].tolist() == ["1-7"]


def test_unknown_parents_are_named(toy):
    toy.change(
        "areas.toml",
        'level = "county"\nname_zh = "区县"\nname_en = "County"\ndissolve = "grid"',
        'level = "county"\nname_zh = "区县"\nname_en = "County"\nfile = "county.geojson"\n[level.columns]\ncode = "code"',
    )
    text = (toy.folder / "grid.geojson").read_text(encoding="utf-8")
    (toy.folder / "county.geojson").write_text(text, encoding="utf-8")
    with pytest.raises(DivisionError, match="unknown parent"):
        read_boundaries(toy.city())


def test_areas_outside_their_parent_are_refused(toy):
    toy.change(
        "areas.toml",
        'level = "county"\nname_zh = "区县"\nname_en = "County"\ndissolve = "grid"',
        'level = "county"\nname_zh = "区县"\nname_en = "County"\nfile = "county.geojson"\n[level.columns]\ncode = "parent"',
    )
    text = (toy.folder / "grid.geojson").read_text(encoding="utf-8")
    (toy.folder / "county.geojson").write_text(
        text.replace('"W"', '"Q"').replace('"E"', '"W"').replace('"Q"', '"E"'), encoding="utf-8"
    )
    with pytest.raises(BoundaryError, match="lie outside their county"):
        read_boundaries(toy.city())


def test_missing_columns_are_named(toy):
    toy.change("areas.toml", '"people"', '"folk"')
    with pytest.raises(BoundaryError, match=r"lacks the columns \['folk'\]"):
        read_boundaries(toy.city())


def test_limits_reach_five_kilometres(toy):
    limits = read_boundaries(toy.city()).limits
    inside = shapely.contains_xy(limits, [103.0, 102.96, 102.93], [36.05] * 3)
    assert inside.tolist() == [True, True, False]


def test_tiles_are_cut_once_per_version(toy):
    built = read_boundaries(toy.city())
    path, low, high = cut_level_tiles(built, toy.home, level="grid")
    before = path.stat().st_mtime_ns
    assert cut_level_tiles(built, toy.home, level="grid") == (path, low, high)
    assert path.stat().st_mtime_ns == before
    path.write_bytes(b"damaged")
    cut_level_tiles(built, toy.home, level="grid")
    assert path.stat().st_size > 1000

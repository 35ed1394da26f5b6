"""The demonstration city, built: the cells of every township beside its rows and its polygon."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import shapely

from dashboard import cells
from dashboard.areas import hierarchy
from dashboard.queries import Selection, window_counts
from data.access import Grant, Scope
from data.periods import Window
from data.store import Store
from etl import boundary_store
from geo import cells as hexagons

CITY = Scope("leader", frozenset({Grant("leader")}))
LEVELS = ("county", "township", "community")


@pytest.fixture(scope="module")
def snapshot(demo_home):
    return Store(demo_home).current()


@pytest.fixture(scope="module")
def rows(snapshot):
    """Current incidents."""
    stored = snapshot.manifest.raw["incidents"]
    versions = pd.concat([_read(snapshot, file) for file in stored["files"]], ignore_index=True)
    gone = [_read(snapshot, file)[["batch", "row"]] for file in stored["superseded"]]
    if not gone:
        return versions
    marked = versions.merge(pd.concat(gone), on=["batch", "row"], how="left", indicator=True)
    return marked[marked["_merge"] == "left_only"]


def _read(snapshot, file):
    numbers = {pa.int64(): pd.Int64Dtype()}
    return pq.ParquetFile(snapshot.home / file).read().to_pandas(types_mapper=numbers.get)


def scope_of(level, code):
    return Scope("x", frozenset({Grant("township", level, code)}))


def windows(snapshot):
    manifest = snapshot.manifest
    return [
        Selection(Window(manifest.last_period, count, manifest.grain), None, 0)
        for count in (int(manifest.city["window"]), 52)
    ]


@pytest.mark.parametrize("level", LEVELS)
def test_the_cells_of_every_area_hold_its_rows(snapshot, rows, level):
    codes, checked = hierarchy(CITY, snapshot).at(level).codes, 0
    for selection in windows(snapshot):
        counts = window_counts(CITY, snapshot, level, selection)[:-1]
        window = selection.window
        chosen = rows[rows["period_start"].between(window.start, window.end)]
        for code in dict.fromkeys(codes):
            scope = scope_of(level, code)
            if not cells.has_cells(scope, snapshot):
                continue
            own = chosen[chosen[f"{level}_code"] == code]
            for resolution in hexagons.RESOLUTIONS:
                found = cells.cell_counts(scope, snapshot, resolution, selection)
                assert found.counts.sum() + found.no_point == counts[codes == code].sum()
                numbers = cells.register(scope, snapshot, resolution).numbers
                shown = pd.Series(found.counts, index=numbers)
                wanted = own[f"cell_{resolution}"].dropna().astype("int64").value_counts()
                assert shown[shown > 0].to_dict() == wanted.to_dict()
                checked += len(wanted)
    assert checked > 1000


@pytest.mark.parametrize("level", LEVELS)
def test_no_cell_lies_outside_its_area(snapshot, rows, level):
    """Oracle by polygons: what an area shows meets it, unless a row came there by its code."""
    built = boundary_store.load(snapshot.home, snapshot.manifest.boundary_version)
    areas, shapes = built.level_areas(level), built.geometries[level]
    by_code = rows[rows["located_by"] == "code"]
    shown, inside = 0, 0
    for code in areas["code"].unique():
        scope = scope_of(level, code)
        if not cells.has_cells(scope, snapshot):
            continue
        polygon = shapely.union_all(shapes[(areas["code"] == code).to_numpy()])
        for resolution in (8, 10):
            numbers = cells.register(scope, snapshot, resolution).numbers
            column = by_code.loc[by_code[f"{level}_code"] == code, f"cell_{resolution}"].dropna()
            numbers = numbers[~np.isin(numbers, column.astype("int64"))]
            outlines = hexagons.cell_polygons(numbers)
            # A parent cell need not contain its child to the last metre.
            reach = shapely.buffer(outlines, 0.0 if resolution == 10 else 0.002)
            assert shapely.intersects(polygon, reach).all(), code
            shown += len(outlines)
            inside += int(shapely.contains(polygon, outlines).sum())
    assert 0 < inside < shown

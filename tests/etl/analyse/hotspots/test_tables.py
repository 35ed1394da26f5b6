"""The stored tables of a small city: figures, study area, and nothing from the future."""

from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd
import pytest
import shapely

from data.schema import check_table
from etl.analyse.bed import DISCOVERED, concatenate
from etl.analyse.hotspots.clustering import clustering_of
from etl.analyse.hotspots.gi_star import gi_star
from etl.analyse.hotspots.place_tables import newest_tables
from etl.analyse.hotspots.prepared import prepare
from etl.analyse.hotspots.tables import hotspot_tables
from etl.analyse.hotspots.view import patterns
from geo.cells import parent_numbers
from geo.covering import covering
from tests.etl.analyse.worlds import scatter, tiny_bed

GRIDS, WEEKS = 400, 60


@cache
def small():
    """400 grids with one lasting hot spot, and the polygons of city and grids."""
    world = tiny_bed(7, grids=GRIDS, weeks=WEEKS, mean=0.6)
    rng = np.random.default_rng(1)
    near = np.hypot(*(world.centres - 2).T) < 0.5
    extra = scatter(rng.poisson(4.0, (GRIDS, WEEKS)) * near[:, None], world.centres, rng)
    first = sum(len(one) for one in world.bed.areas[:-1])
    extra = replace(extra, area=extra.area + first)
    bed = with_events(world.bed, concatenate([world.bed.events, extra]))
    outline = np.array([shapely.box(*shapely.total_bounds(world.polygons))], dtype=object)
    return bed, {"city": outline, "grid": world.polygons}


def with_events(bed, events):
    """A bed of its own: nothing that was computed of the other one is kept."""
    return replace(bed, events=events)


def tables_of(bed, geometries, at=WEEKS - 1, known_on=None):
    known_on = bed.as_of if known_on is None else known_on
    prepared = prepare(bed, geometries)
    found = hotspot_tables(bed, prepared, at, known_on)
    return prepared, {**found, **newest_tables(bed, prepared, at, known_on)}


def test_every_table_keeps_its_schema():
    _, tables = tables_of(*small())
    assert set(tables) == {
        "area_hotspots", "cell_hotspots", "hotspot_agreement", "scan_clusters", "frequent_places",
        "frequent_types", "near_repeats",
    }  # fmt: skip
    for name, rows in tables.items():
        check_table(name, rows)
        assert len(rows), name


def test_counts_and_flags_are_those_of_the_events():
    bed, geometries = small()
    prepared, tables = tables_of(bed, geometries)
    grids = tables["area_hotspots"].query("level == 'grid'").set_index("area_index")
    counts = bed.history("grid", "all", bed.as_of)
    window = counts[:, -4:].sum(axis=1)
    assert (grids["count"] == window[grids.index]).all()
    assert (grids["recent"] == counts[grids.index, -1]).all()
    assert set(np.flatnonzero(window)) <= set(grids.index)
    found = gi_star(window, prepared.areas["grid"].ring)
    assert set(np.flatnonzero(found.hot)) == set(grids.index[grids["clusters"]])
    assert found.hot.any()
    np.testing.assert_allclose(grids["gi_z"], found.z[grids.index])


def test_the_layers_are_kept_apart():
    _, tables = tables_of(*small())
    grids = tables["area_hotspots"].query("level == 'grid'")
    lasting = grids[grids["pattern_group"] == "lasting"]
    assert len(lasting) > 3
    # Where it is always so, nothing is more than expected.
    assert not lasting["more"].any()
    assert lasting["clusters"].all()


def test_a_surge_is_more_than_expected_and_a_lasting_hot_spot_is_not():
    bed, geometries = small()
    rng = np.random.default_rng(2)
    counts = np.zeros((GRIDS, WEEKS), dtype=int)
    counts[300, -1] = 40
    first = sum(len(one) for one in bed.areas[:-1])
    centres = np.tile(np.array([[4.2, 0.8]]), (GRIDS, 1))
    surge = scatter(counts, centres, rng, late=False)
    bed = with_events(bed, concatenate([bed.events, replace(surge, area=surge.area + first)]))
    _, tables = tables_of(bed, geometries)
    grids = tables["area_hotspots"].query("level == 'grid'").set_index("area_index")
    assert grids.loc[300, "more"]
    scan = tables["scan_clusters"].iloc[0]
    assert "300" in scan["members"].split()
    assert scan["p"] < 0.01
    assert scan["periods"] == 1


def test_zeros_of_the_whole_city_are_in_the_map_of_cells():
    bed, geometries = small()
    prepared = prepare(bed, geometries)
    covered = covering(geometries["city"], resolution=9)
    assert set(covered.tolist()) <= set(prepared.cells[9].numbers.tolist())
    assert prepared.cells[9].study(bed.ends[0])[np.isin(prepared.cells[9].numbers, covered)].all()


def test_without_polygons_the_map_is_cells_with_an_incident_and_their_neighbours():
    bed, _ = small()
    prepared, tables = tables_of(bed, {})
    assert len(prepared.cells[9]) > len(bed.cells(9)[0])
    assert not prepared.cells[9].study(bed.starts[0] - 1).any()
    assert tables["area_hotspots"]["gi_z"].notna().any()
    assert not len(tables["scan_clusters"])
    assert np.isnan(clustering_of(bed, prepared, tables, WEEKS - 1).hot_share[0]).all()


def frames_equal(one, other):
    assert set(one) == set(other)
    for name in one:
        pd.testing.assert_frame_equal(one[name], other[name])


@pytest.mark.parametrize("polygons", [True, False])
def test_what_comes_later_changes_nothing(polygons):
    bed, geometries = small()
    geometries = geometries if polygons else {}
    at = WEEKS - 8
    known_on = bed.ends[at] + 28
    rng = np.random.default_rng(5)
    moved = rng.permutation(len(bed.events))
    later = bed.events.known > known_on
    cell = np.where(later, bed.events.cell[moved], bed.events.cell)
    changed = with_events(bed, replace(bed.events, cell=cell))
    cut = with_events(bed, bed.events.take(~later))
    _, whole = tables_of(bed, geometries, at, known_on)
    frames_equal(whole, tables_of(changed, geometries, at, known_on)[1])
    frames_equal(whole, tables_of(cut, geometries, at, known_on)[1])


def test_one_build_or_week_by_week_is_the_same():
    bed, geometries = small()
    prepared = prepare(bed, geometries)
    for at in range(WEEKS - 6, WEEKS):
        known_on = min(bed.as_of, bed.ends[at] + 28)
        together = hotspot_tables(bed, prepared, at, known_on)
        alone = hotspot_tables(bed, prepare(bed, geometries), at, known_on)
        frames_equal(together, alone)


def test_patrol_finds_make_no_hot_spot():
    bed, geometries = small()
    found = with_events(
        bed, replace(bed.events, origin=np.full(len(bed.events), DISCOVERED, np.int8))
    )
    _, tables = tables_of(found, geometries)
    assert not len(tables["area_hotspots"])
    assert not len(tables["cell_hotspots"])
    assert not len(tables["frequent_places"])


def test_no_event_at_all():
    bed, geometries = small()
    empty = with_events(bed, bed.events.take(np.zeros(len(bed.events), dtype=bool)))
    for shapes in (geometries, {}):
        prepared, tables = tables_of(empty, shapes)
        for name, rows in tables.items():
            check_table(name, rows)
        assert not len(tables["scan_clusters"])
        clustering_of(empty, prepared, tables, WEEKS - 1)


def test_too_short_a_history_is_no_data():
    bed, geometries = small()
    _, tables = tables_of(bed, geometries, at=4)
    rows = tables["area_hotspots"]
    assert rows["pattern"].isna().all()
    assert rows["expected"].isna().all()
    assert not rows["more"].any()
    assert rows["gi_z"].notna().any()
    assert len(tables_of(bed, geometries, at=0)[1]["area_hotspots"])


def test_areas_that_are_no_longer_valid_are_left_out():
    bed, geometries = small()
    grids = bed.areas[-1]
    until = grids.valid_to.copy()
    until[:50] = bed.ends[-1] - 100
    cut = replace(bed, areas=(*bed.areas[:-1], replace(grids, valid_to=until)))
    _, tables = tables_of(cut, geometries)
    rows = tables["area_hotspots"].query("level == 'grid'")
    assert rows["area_index"].min() >= 50


def test_unknown_exposure_is_no_data():
    bed, geometries = small()
    none = tuple(replace(one, exposure=np.full(len(one), np.nan)) for one in bed.areas)
    _, tables = tables_of(replace(bed, areas=none), geometries)
    assert tables["area_hotspots"]["much_p"].isna().all()
    assert not tables["area_hotspots"]["much"].any()
    assert tables["cell_hotspots"]["much"].any()


def test_a_city_of_one_area():
    bed, geometries = small()
    bed = replace(bed, areas=bed.areas[:1])
    bed = with_events(bed, replace(bed.events, area=np.zeros(len(bed.events), dtype=np.int64)))
    prepared, tables = tables_of(bed, {"city": geometries["city"]})
    assert tables["area_hotspots"]["gi_z"].isna().all()
    share = clustering_of(bed, prepared, tables, WEEKS - 1).hot_share
    assert 0 < share[0][0] < 0.5


def test_months():
    bed, geometries = small()
    starts = np.arange("2024-12", "2025-12", dtype="datetime64[M]").astype("datetime64[D]")
    months = replace(bed, grain="month", starts=starts, as_of=np.datetime64("2025-12-31"))
    _, tables = tables_of(months, geometries, at=11)
    rows = tables["area_hotspots"]
    assert (rows["count"] == rows["recent"]).all()
    assert rows["pattern"].notna().all()
    assert not len(tables["near_repeats"])
    for name, frame in tables.items():
        check_table(name, frame)


def test_hot_share_adds_up_and_emerging_cells_are_counted_once():
    bed, geometries = small()
    prepared, tables = tables_of(bed, geometries)
    found = clustering_of(bed, prepared, tables, WEEKS - 1)
    cells = tables["cell_hotspots"].query("resolution == 9")
    points = covering(geometries["city"], resolution=10)
    hot = np.isin(parent_numbers(points, resolution=9), cells["cell"][cells["clusters"]])
    assert found.hot_share[0][0] == pytest.approx(hot.mean(), abs=0.02)
    surface = prepared.geography.surface.sum(axis=1)
    grids = np.nansum(found.hot_share[-1] * surface) / surface.sum()
    assert found.hot_share[0][0] == pytest.approx(grids)
    emerging = cells["pattern"].isin(("new", "intensifying")).sum()
    assert found.emerging[0][0] == emerging


def test_patterns_see_a_hot_spot_rise_and_end():
    bed, geometries = small()
    prepared = prepare(bed, geometries)
    code, group = patterns(prepared, prepared.areas["grid"], at=WEEKS - 1, known_on=bed.as_of)
    hot = np.flatnonzero(np.isin(code, ("persistent", "intensifying", "diminishing")))
    gone = np.isin(bed.index("grid"), hot) & (bed.period >= WEEKS - 4)
    ended = with_events(bed, bed.events.take(~gone))
    prepared = prepare(ended, geometries)
    code, group = patterns(prepared, prepared.areas["grid"], at=WEEKS - 1, known_on=bed.as_of)
    # What was not hot one step more than this is no longer nearly always hot.
    assert set(code[hot]) <= {"historical", "none"}
    assert (group[hot] == "receding").mean() > 0.5

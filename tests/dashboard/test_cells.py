"""Hex cells of a scope: exact sums, nobody else's cells, and nothing that depends on others."""

import gzip

import numpy as np
import pandas as pd
import pyogrio
import pytest
import shapely
from dash._utils import to_json

from dashboard import answers, cells, pointed
from dashboard.areas import hierarchy
from dashboard.inputs import MapEvent
from dashboard.map import values as map_values
from dashboard.map.tiles import tile
from dashboard.map.values import cell_values
from dashboard.map.view import cell_sources
from dashboard.queries import Selection, window_counts
from dashboard.view import settle
from data.access import Grant, Scope, covered
from data.manifest import Manifest, SnapshotError
from data.periods import Window
from data.store import Snapshot, Store
from geo import cells as hexagons
from tests.dashboard import squares
from tests.dashboard.squares import CITY, COUNTY, EMPTY, LAST, RESOLUTIONS, read_numbers, read_pairs

EVERYTHING = Selection(Window(LAST, 60, "week"), None, 0)
SELECTIONS = [EVERYTHING, Selection(Window(LAST, 4, "week"), (1, 2), 2)]
HEAT = "?layer=cells&periods=52&lang=en"


def scope_of(*granted, role="township"):
    return Scope("x", frozenset(Grant(role, level, code) for level, code in granted))


TOWNSHIP = scope_of(("township", "9902003"))
PUBLIC = Scope("link-1", frozenset({Grant("public")}))
SCOPES = {
    "county": COUNTY,
    "township": TOWNSHIP,
    "community": scope_of(("community", "9903021")),
    "grid": scope_of(("grid", "9904082")),
    "ended grid": scope_of(("grid", "9904001")),
    "new grid": scope_of(("grid", "9904999")),
    "two, one in the other, and a far one": scope_of(
        ("township", "9902003"), ("community", "9903009"), ("grid", "9904250")
    ),
    "city by its code": scope_of(("city", "990100")),
}
WITHOUT = {
    "nobody": EMPTY,
    "link": Scope("link", frozenset({Grant("public")})),
    "administrator": Scope("admin", frozenset({Grant("system_admin")})),
    "auditor of an area": scope_of(("township", "9902003"), role="audit_admin"),
    "unknown area": scope_of(("township", "nowhere")),
}
each_scope = pytest.mark.parametrize("scope", SCOPES.values(), ids=SCOPES)
each_resolution = pytest.mark.parametrize("resolution", RESOLUTIONS)


@pytest.fixture(scope="module")
def incidents(snapshot):
    return squares.make_incidents(snapshot.areas)


def is_own(scope, areas, incidents):
    granted = frozenset((grant.level, grant.code) for grant in scope.grants)
    return np.append(covered(granted, areas), False)[incidents["area_row"]]


def chosen(rows, selection):
    window = selection.window
    found = rows["period_start"].between(window.start, window.end)
    found &= rows["severity"] >= selection.min_severity
    if selection.categories is not None:
        found &= rows["category_index"].isin(selection.categories)
    return rows[found]


@each_resolution
@pytest.mark.parametrize("selection", SELECTIONS, ids=["all", "filtered"])
@pytest.mark.parametrize(("level", "n"), [("county", 4), ("township", 16), ("community", 64), ("grid", 257)])  # fmt: skip
def test_shown_and_not_shown_are_the_areas_own_count(snapshot, level, n, selection, resolution):
    codes = hierarchy(CITY, snapshot).at(level).codes
    expected = window_counts(CITY, snapshot, level, selection)
    for number in range(0, n, max(1, n // 16)):
        scope = scope_of((level, codes[number]))
        found = cells.cell_counts(scope, snapshot, resolution, selection)
        assert found.counts.sum() + found.no_point == expected[number], codes[number]


@each_resolution
@pytest.mark.parametrize("selection", SELECTIONS, ids=["all", "filtered"])
@each_scope
def test_a_cell_counts_the_own_incidents_and_no_other(
    snapshot, incidents, scope, selection, resolution
):
    own = chosen(incidents[is_own(scope, snapshot.areas, incidents)], selection)
    at = own.loc[own[f"cell_{resolution}"] >= 0, f"cell_{resolution}"]
    names = squares.make_register(resolution)["cell"].to_numpy()[at.to_numpy()]
    found = cells.cell_counts(scope, snapshot, resolution, selection)
    register = cells.register(scope, snapshot, resolution)
    shown = pd.Series(found.counts, index=hexagons.cell_texts(register.numbers))
    assert shown[shown > 0].to_dict() == pd.Series(names).value_counts().to_dict()
    assert found.no_point == len(own) - len(at)
    np.testing.assert_allclose(
        found.density, found.counts / register.area_km2 / selection.window.periods
    )


@each_resolution
@each_scope
def test_cells_without_an_own_incident_do_not_exist(snapshot, incidents, scope, resolution):
    own = incidents[is_own(scope, snapshot.areas, incidents)][f"cell_{resolution}"]
    names = squares.make_register(resolution)["cell"].to_numpy()[own[own >= 0].unique()]
    register = cells.register(scope, snapshot, resolution)
    assert hexagons.cell_texts(register.numbers).tolist() == sorted(names)
    lng, lat = hexagons.cell_centres(register.numbers)
    np.testing.assert_array_equal(register.lng, lng)
    np.testing.assert_array_equal(register.lat, lat)
    assert cells.count_of(scope, snapshot, resolution) == len(names)


def test_cells_on_a_border_count_each_side_for_itself(snapshot, incidents):
    neighbours = [scope_of(("county", code)) for code in ("9901001", "9901002")]
    first, second = (set(cells.register(scope, snapshot, 8).numbers) for scope in neighbours)
    whole = cells.register(CITY, snapshot, 8).numbers.tolist()
    together = cells.cell_counts(CITY, snapshot, 8, EVERYTHING).counts
    assert first & second
    for cell in first & second:
        sides = [
            cells.cell_counts(scope, snapshot, 8, EVERYTHING).counts[
                cells.register(scope, snapshot, 8).numbers.tolist().index(cell)
            ]
            for scope in neighbours
        ]
        assert all(sides)
        assert sum(sides) == together[whole.index(cell)]


@each_resolution
def test_values_and_addresses_speak_of_the_same_cells(snapshot, resolution):
    view = settle(TOWNSHIP, snapshot, HEAT)
    assert view.state.layer == "cells"
    values = cell_values(TOWNSHIP, snapshot, view, resolution)
    found = cells.cell_counts(TOWNSHIP, snapshot, resolution, view.selection)
    assert values["n"] == cell_sources(TOWNSHIP, snapshot)[str(resolution)]["count"]
    assert values["n"] < cell_sources(CITY, snapshot)[str(resolution)]["count"]
    assert read_numbers(values["counts"]).tolist() == found.counts.tolist()


@each_resolution
def test_where_no_counts_travel_the_pointer_asks_for_its_own(snapshot, resolution, monkeypatch):
    view = settle(TOWNSHIP, snapshot, HEAT)
    counted = cell_values(TOWNSHIP, snapshot, view, resolution)
    monkeypatch.setattr(map_values, "MOST_CELLS_COUNTED", 0)
    found = cells.cell_counts(TOWNSHIP, snapshot, resolution, view.selection)
    bare = cell_values(TOWNSHIP, snapshot, view, resolution)
    assert "counts" not in bare
    assert read_pairs(bare["pairs"], bare["n"]).tolist() == read_numbers(counted["bands"]).tolist()
    index = int(found.counts.argmax())

    def asked(scope, at, of=resolution):
        event = MapEvent("hover", "cells", "", at, of)
        return to_json(pointed.explain(scope, snapshot, search=HEAT, event=event))

    told = asked(TOWNSHIP, index)
    assert f'"{resolution}:{index}"' in told
    assert f'"{int(found.counts[index]):,d}"' in told
    for nothing in (
        asked(TOWNSHIP, len(found.counts)),
        asked(TOWNSHIP, index, 3),
        asked(PUBLIC, index),
    ):
        assert nothing == '{"detail":[]}'


# --- tiles --------------------------------------------------------------------------------------


def addresses(register, zoom=10):
    """Tiles on and around the centres of cells."""
    down = 0.5 - np.arctanh(np.sin(np.radians(register.lat))) / (2 * np.pi)
    at = np.column_stack([register.lng / 360 + 0.5, down]) * 2**zoom
    steps = [(x, y) for x in (-1, 0, 1) for y in (-1, 0, 1)]
    return {(zoom, int(x) + dx, int(y) + dy) for x, y in at for dx, dy in steps}


def drawn(content, address, folder):
    """Number of each polygon of a tile, and the H3 cell that the middle of it lies in."""
    path = folder / "tile.mvt"
    path.write_bytes(gzip.decompress(content))
    rows = pyogrio.read_dataframe(path, layer="cells", CLIP="NO")
    z, x, y = address
    middle = shapely.get_coordinates(shapely.centroid(rows.geometry.to_numpy())) / 4096
    # GDAL counts a tile's units upwards.
    lng = ((middle[:, 0] + x) / 2**z - 0.5) * 360
    lat = np.degrees(np.arctan(np.sinh(np.pi * (1 - 2 * (1 - middle[:, 1] + y) / 2**z))))
    return rows["i"].to_numpy(), lng, lat


@pytest.mark.parametrize("name", ["county", "township", "grid"])
@pytest.mark.parametrize("resolution", [7, 8])
def test_tiles_hold_the_own_cells_under_their_numbers(snapshot, tmp_path, name, resolution):
    scope = SCOPES[name]
    version, numbers = (
        cells.version(scope, snapshot),
        cells.register(scope, snapshot, resolution).numbers,
    )
    seen = set()
    for address in addresses(cells.register(CITY, snapshot, resolution)):
        content = tile(scope, snapshot, version, f"cells_{resolution}", address)
        if content is None:
            continue
        index, lng, lat = drawn(content, address, tmp_path)
        found = hexagons.cell_numbers(lng, lat, resolution=resolution)
        assert found.tolist() == numbers[index].tolist()
        seen |= set(index.tolist())
    assert seen == set(range(len(numbers)))


def test_a_version_opens_the_tiles_of_its_scope_and_no_others(snapshot, store):
    county, township = cells.version(COUNTY, snapshot), cells.version(TOWNSHIP, snapshot)
    assert len({county, township, snapshot.manifest.cell_version}) == 3
    assert store.of_version(cells.of_snapshot(township)) is snapshot
    assert store.of_version(cells.of_snapshot("c1")) is snapshot
    for scope, version in [(TOWNSHIP, county), (TOWNSHIP, "c1"), (CITY, township), (EMPTY, township),
                           (TOWNSHIP, snapshot.id), (TOWNSHIP, f"{snapshot.id}~")]:  # fmt: skip
        with pytest.raises(SnapshotError):
            tile(scope, snapshot, version, "cells_8", (0, 0, 0))
    with pytest.raises(SnapshotError):
        tile(TOWNSHIP, snapshot, township, "cells_9", (0, 0, 0))
    assert tile(TOWNSHIP, snapshot, township, "cells_8", (11, 0, 0)) is None


# --- what does not depend on others ---------------------------------------------------------------


@pytest.mark.parametrize("name", ["county", "township", "grid", "two, one in the other, and a far one"])  # fmt: skip
def test_nothing_changes_when_all_others_do(snapshot, tmp_path, monkeypatch, name):
    scope, made, register = SCOPES[name], squares.make_incidents, squares.make_register

    def others_changed(areas):
        """Half of the foreign incidents gone, others told twice, and all cells numbered anew."""
        rows = made(areas)
        own = is_own(scope, areas, rows)
        rows = pd.concat([rows[own], rows[~own][::2], rows[~own][:900]], ignore_index=True)
        for resolution in RESOLUTIONS:
            at = rows[f"cell_{resolution}"]
            rows[f"cell_{resolution}"] = at.where(at < 0, len(register(resolution)) - 1 - at)
        return rows

    def turned(resolution):
        rows = register(resolution)[::-1]
        return rows.assign(cell_index=np.arange(len(rows), dtype="int32"))

    monkeypatch.setattr(squares, "make_incidents", others_changed)
    monkeypatch.setattr(squares, "make_register", turned)
    squares.publish(tmp_path)
    other = Store(tmp_path).current()

    def everything(scope, snapshot):
        answer = [
            answers.draw_map(scope, snapshot, search=HEAT, fragment="", resolution=resolution)
            for resolution in RESOLUTIONS
        ]
        version = cells.version(scope, snapshot)
        found = [
            tile(scope, snapshot, version, f"cells_{resolution}", address)
            for resolution in RESOLUTIONS
            for address in sorted(addresses(cells.register(CITY, snapshot, resolution)))
        ]
        return repr(answer), [content for content in found if content]

    assert everything(scope, other) == everything(scope, snapshot)
    assert everything(CITY, other) != everything(CITY, snapshot)


# --- who has none ---------------------------------------------------------------------------------


@pytest.mark.parametrize("scope", WITHOUT.values(), ids=WITHOUT)
def test_a_scope_without_areas_has_no_cells(snapshot, scope):
    assert not cells.has_cells(scope, snapshot)
    assert cell_sources(scope, snapshot) == {}
    found = cells.cell_counts(scope, snapshot, 8, EVERYTHING)
    assert (len(found.counts), found.no_point) == (0, 0)
    with pytest.raises(SnapshotError):
        tile(scope, snapshot, cells.version(scope, snapshot), "cells_8", (0, 0, 0))


def test_an_older_snapshot_keeps_the_layer_for_the_whole_city(snapshot):
    raw = snapshot.manifest.raw
    files = [entry for entry in raw["files"] if entry["table"] != "area_cell_counts_8"]
    older = Snapshot(snapshot.home, Manifest(raw | {"snapshot": "older", "files": files}))
    view = settle(COUNTY, older, HEAT)
    assert (view.state.layer, view.notes) == ("areas", ("layer",))
    assert cell_sources(COUNTY, older) == {}
    assert settle(CITY, older, HEAT).state.layer == "cells"


@pytest.mark.parametrize("scope", [TOWNSHIP, COUNTY], ids=["township", "county"])
def test_the_legend_closes_the_sum_and_says_what_a_border_cell_counts(snapshot, scope):
    answer = answers.draw_map(scope, snapshot, search=HEAT, fragment="", resolution=8)
    view = settle(scope, snapshot, HEAT)
    found = cells.cell_counts(scope, snapshot, 8, view.selection)
    legend = to_json(answer["legend"])
    assert f"{found.counts.sum():,d} in cells; {found.no_point:,d} more without a point" in legend
    assert "Your areas only" in legend
    whole = answers.draw_map(CITY, snapshot, search=HEAT, fragment="", resolution=8)
    assert "Your areas only" not in to_json(whole["legend"])

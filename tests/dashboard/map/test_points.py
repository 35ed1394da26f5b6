"""Points of incidents: every one accounted for, none beyond the scope, density where too many."""

import json
from types import SimpleNamespace

import numpy as np
import pytest

from dashboard.areas import hierarchy
from dashboard.map import layers, marks, point_rows, points
from dashboard.map.drawn import draw_map
from dashboard.map.marks import Key, Marks
from dashboard.text import Words, catalogue
from dashboard.view import settle
from data import access
from data.access import Grant, NotVisibleError, Scope
from data.permissions import DENIED, Matrix, matrix
from tests.dashboard.squares import CITY, COUNTY, EMPTY
from tests.redteam.test_caches import kept_by

PUBLIC = Scope("link-1", frozenset({Grant("public")}))
ZH = Words("zh")
SENSITIVE = 5
SEARCHES = (
    "", "?area=9901002", "?area=9902006", "?area=9903022", "?periods=52", "?category=10",
    "?category=20&severity=3", "?category=2002", "?area=9902006&periods=13&severity=2",
    "?end=2026-W40",
)  # fmt: skip


@pytest.fixture(autouse=True)
def nothing_kept():
    yield
    for function in (point_rows.places, point_rows.kinds):
        kept_by(function).clear()


def drawn(scope, snapshot, search):
    return draw_map(scope, snapshot, search=search, fragment="", resolution=None)


def found(scope, snapshot, search=""):
    view = settle(scope, snapshot, search)
    return points.found(scope, snapshot, view, "points", ZH)


def legend(scope, snapshot, search=""):
    view = settle(scope, snapshot, search)
    parts = points.mark_legend(scope, snapshot, view, "points", ZH)
    return json.dumps(parts, default=lambda one: one.to_plotly_json(), ensure_ascii=False)


def counted(snapshot, view):
    """Stored rows of a view by another way: the counts of areas and cells, filtered by hand."""
    rows = snapshot.read("area_cell_counts_8")
    selection, tree = view.selection, hierarchy(CITY, snapshot)
    levels = snapshot.areas["level"].to_numpy()
    first = {level: int((levels == level).argmax()) for level in tree.order}
    inside = set()
    for level in (view.focus.level, *tree.below(view.focus.level)):
        above = tree.ancestors(level, at=view.focus.level)
        inside |= {first[level] + at for at in np.flatnonzero(above == view.focus.index).tolist()}
    days = rows["period_start"].astype(str)
    kept = rows["area_row"].isin(inside)
    kept &= (days >= str(selection.window.start)) & (days <= str(selection.window.end))
    kept &= rows["severity"] >= selection.min_severity
    if selection.categories is not None:
        kept &= rows["category_index"].isin(selection.categories)
    stored = snapshot.read("points")
    return rows[kept].merge(stored, on=["area_row", "cell_index"], how="left")


@pytest.mark.parametrize("search", SEARCHES)
def test_every_incident_is_at_a_point_or_told_why_not(snapshot, search):
    view = settle(CITY, snapshot, search)
    rows = counted(snapshot, view)
    told = point_rows.places(CITY, snapshot, view.focus, view.selection)
    assert told.total == rows["count"].sum()
    is_sensitive = rows["category_index"] == SENSITIVE
    assert told.sensitive == rows[is_sensitive]["count"].sum()
    rest = rows[~is_sensitive]
    assert told.no_point == rest[rest["cell_index"] < 0]["count"].sum()
    has_cell = rest[rest["cell_index"] >= 0]
    assert told.apart == has_cell[has_cell["lng"].isna()]["count"].sum()
    assert told.beyond == 0
    shown = has_cell.dropna(subset="lng")
    by_place = shown.groupby(["area_row", "cell_index"])["count"].sum()
    assert sorted(told.counts.sum(axis=1)) == sorted(by_place)
    assert told.drawn == by_place.sum()
    spots = found(CITY, snapshot, search)
    assert spots.total == len(spots.index) == len(by_place)
    assert (np.diff(told.counts.sum(axis=1)) <= 0).all()


@pytest.mark.parametrize("search", ["", "?area=9902006", "?area=9903022&periods=13"])
def test_symbols_say_what_and_how_many(snapshot, search):
    view = settle(CITY, snapshot, search)
    rows = counted(snapshot, view)
    rows = rows[(rows["category_index"] != SENSITIVE) & rows["lng"].notna()]
    kind = np.where(rows["category_index"] < 3, "纠纷", "治安")
    by_place = rows.assign(kind=kind).groupby(["lng", "lat", "kind"])["count"].sum().unstack()
    spots = found(CITY, snapshot, search)
    assert len(spots.index)
    for at in range(len(spots.index)):
        own = by_place.loc[(spots.lng[at], spots.lat[at])].dropna().astype(int)
        one = "point-1" if own.index[0] == "纠纷" else "point-2"
        assert spots.icons[at] == (one if len(own) == 1 else "point-many")
        assert {f"{name} {n:,d} 件" for name, n in own.items()} == set(spots.labels[at].split("；"))
    sent = spots.to_json()
    assert sent["level"] is None
    assert len(sent["size"]) == sent["n"]
    json.dumps(sent)


def test_a_symbol_is_larger_where_there_is_more(snapshot):
    spots, view = found(CITY, snapshot, "?area=9903022"), settle(CITY, snapshot, "?area=9903022")
    told = point_rows.places(CITY, snapshot, view.focus, view.selection)
    sizes = {1: 0.7, 2: 0.9, 4: 0.9, 5: 1.15, 9: 1.15, 10: 1.45}
    for n, size in zip(told.counts.sum(axis=1), spots.sizes, strict=True):
        if int(n) in sizes:
            assert size == sizes[int(n)]
    assert "≥ 10" in legend(CITY, snapshot, "?area=9903022")


def test_a_sensitive_category_has_no_point(snapshot):
    spots = found(CITY, snapshot, "?category=2002&periods=52")
    assert spots.total == 0
    view = settle(CITY, snapshot, "?category=2002&periods=52")
    told = point_rows.places(CITY, snapshot, view.focus, view.selection)
    assert told.sensitive == told.total > 0
    assert f"敏感类别 {told.sensitive:,d}" in legend(CITY, snapshot, "?category=2002&periods=52")


def test_the_legend_closes(snapshot):
    view = settle(CITY, snapshot, "")
    told = point_rows.places(CITY, snapshot, view.focus, view.selection)
    said = legend(CITY, snapshot)
    parts = [f"点上 {told.drawn:,d}", f"敏感类别 {told.sensitive:,d}", f"无坐标 {told.no_point:,d}",
             f"坐标与所属区域不符 {told.apart:,d}"]  # fmt: skip
    assert f"{' + '.join(parts)} = 共 {told.total:,d} 件" in said
    rows = points._kinds(CITY, snapshot, told, ZH)
    assert sum(n for _, _, n in rows) == told.drawn
    for _, name, n in rows:
        assert name in said
        assert f"{n:,d}" in said
    key = points.key(CITY, snapshot, view, "points", ZH)
    assert [icon for icon, _ in key.rows] == [icon for icon, _, _ in rows]
    assert key.notes[0] in said


def test_a_scope_sees_points_of_its_own_areas_alone(snapshot):
    tree, stored = hierarchy(COUNTY, snapshot), snapshot.read("points")
    own = set(tree.rows_inside(tree.top()).tolist())
    places = {(row.lng, row.lat) for row in stored.itertuples() if row.area_row in own}
    spots = found(COUNTY, snapshot, "?periods=52")
    assert len(spots.index) > 0
    assert set(zip(spots.lng.tolist(), spots.lat.tolist(), strict=True)) <= places
    view = settle(CITY, snapshot, "?area=9901002&periods=52")
    whole = point_rows.places(CITY, snapshot, view.focus, view.selection)
    assert spots.total == len(whole.lng)


@pytest.mark.parametrize("search", ["?overlays=points", "?area=9901001&overlays=points"])
def test_the_public_is_offered_none(snapshot, search):
    assert points.overlays_on_offer(PUBLIC, snapshot) == ()
    view = settle(PUBLIC, snapshot, search)
    assert view.state.overlays == ""
    assert "overlays" in view.notes
    answer = drawn(PUBLIC, snapshot, search)
    assert answer["view"]["overlays"] == []
    assert "overlays" not in answer["values"]
    with pytest.raises(LookupError):
        points.found(PUBLIC, snapshot, view, "points", ZH)
    with pytest.raises(NotVisibleError):
        point_rows.places(PUBLIC, snapshot, view.focus, view.selection)


def test_a_foreign_focus_is_refused(snapshot):
    foreign = settle(CITY, snapshot, "?area=9901001")
    for scope in (COUNTY, EMPTY):
        with pytest.raises(NotVisibleError):
            point_rows.places(scope, snapshot, foreign.focus, foreign.selection)


def without_points(role):
    rights = dict(matrix().rights) | {("points", role): DENIED}
    return lambda: Matrix(matrix().actions, matrix().roles, rights)


def test_who_may_see_areas_but_no_points_has_none(snapshot, monkeypatch):
    allowed = matrix()
    assert allowed.right("points", "leader").reach == "own"
    monkeypatch.setattr(access, "matrix", without_points("leader"))
    scope = Scope("new-leader", frozenset({Grant("leader")}))
    assert points.overlays_on_offer(scope, snapshot) == ()
    assert settle(scope, snapshot, "?overlays=points").state.overlays == ""
    # Two posts: the city by one without points, a county by one with them.
    both = Scope("two", frozenset({Grant("leader"), Grant("command", "county", "9901002")}))
    assert both.cache_key != scope.cache_key
    view = settle(both, snapshot, "")
    told = point_rows.places(both, snapshot, view.focus, view.selection)
    county = settle(COUNTY, snapshot, "")
    monkeypatch.undo()
    own = point_rows.places(COUNTY, snapshot, county.focus, county.selection)
    assert told.drawn == own.drawn
    assert told.beyond == told.total - own.total > 0


def test_too_many_places_are_shown_as_density(snapshot, monkeypatch):
    monkeypatch.setattr(points, "MOST", 10)
    answer = drawn(CITY, snapshot, "?overlays=points")
    heat = drawn(CITY, snapshot, "?overlays=cells")
    (layer,), (cells,) = answer["view"]["overlays"], heat["view"]["overlays"]
    assert layer == cells | {"id": "points"}
    assert answer["values"]["overlays"]["points"] == heat["values"]["overlays"]["cells"]
    said = json.dumps(
        answer["legend"], default=lambda one: one.to_plotly_json(), ensure_ascii=False
    )
    assert "超过 10 处，改显密度" in said
    # Where the density is drawn already, it is drawn once.
    twice = drawn(CITY, snapshot, "?overlays=points,cells.50")["view"]["overlays"]
    assert [(each["id"], each["type"]) for each in twice] == [
        ("points", "marks"),
        ("cells", "fill"),
    ]
    main = drawn(CITY, snapshot, "?layer=cells&overlays=points")
    assert main["values"]["overlays"]["points"]["n"] == 0


def test_many_places_have_smaller_symbols(snapshot, monkeypatch):
    usual = found(CITY, snapshot).sizes
    monkeypatch.setattr(points, "DENSE", (2, 0.5))
    assert found(CITY, snapshot).sizes == pytest.approx([size / 2 for size in usual])


def test_an_older_snapshot_does_not_offer_points(snapshot, monkeypatch):
    kept = [name for name in snapshot.tables() if name != "points"]
    monkeypatch.setattr(snapshot, "tables", lambda: kept)
    assert points.overlays_on_offer(CITY, snapshot) == ()
    assert "points" not in layers.known(CITY, snapshot, "areas")
    monkeypatch.undo()
    assert "points" in layers.known(CITY, snapshot, "areas")
    monkeypatch.delitem(snapshot.manifest.raw["city"], "sensitive")
    assert points.overlays_on_offer(CITY, snapshot) == ()


def test_more_families_than_symbols_share_the_last(snapshot, monkeypatch):
    monkeypatch.setattr(point_rows, "MOST_KINDS", 1)
    scope = Scope("other", frozenset({Grant("leader")}))
    kept_by(point_rows.kinds).clear()
    known = point_rows.kinds(scope, snapshot)
    assert known.has_rest
    assert set(known.of_category.tolist()) == {0}
    assert set(found(scope, snapshot).icons) == {"point-1"}
    assert "其他类别" in legend(scope, snapshot)


def shelters():
    """A source as a table of shelters would bring it; nothing else names it."""

    def places(*_, **__):
        return Marks(
            index=np.arange(1), lng=np.array([120.4]), lat=np.array([30.4]), icons=("other",),
            labels=("甲",), level=None, total=1, day=None,
        )  # fmt: skip

    return SimpleNamespace(
        overlays_on_offer=lambda scope, _: ("shelters",) if scope.sees_areas else (),
        found=places,
        mark_legend=lambda *_, **__: ["一处"],
        key=lambda *_, **__: Key("", (), ()),
    )


def test_a_further_source_is_a_layer_by_one_entry(snapshot, monkeypatch):
    assert "shelters" not in layers.known(CITY, snapshot, "areas")
    monkeypatch.setattr(layers, "SOURCES", (marks, points, shelters()))
    monkeypatch.setitem(catalogue(), "overlay_shelters", ("避难所", "Shelters"))
    assert "shelters" in layers.known(CITY, snapshot, "areas")
    answer = drawn(CITY, snapshot, "?overlays=shelters")
    assert answer["view"]["overlays"] == [{"id": "shelters", "opacity": 1.0, "type": "marks"}]
    assert answer["values"]["overlays"]["shelters"]["n"] == 1
    assert "shelters" not in layers.known(PUBLIC, snapshot, "areas")


@pytest.mark.parametrize("name", ["much", "clusters", "more"])
def test_hot_spots_are_of_cells_where_cells_are_drawn(snapshot, name):
    def level(search, scope=CITY):
        return drawn(scope, snapshot, search)["values"]["overlays"][name]["level"]

    assert level(f"?overlays={name}") == "grid"
    assert level(f"?overlays=cells.50,{name}") is None
    assert level(f"?layer=cells&overlays={name}") is None
    assert level(f"?layer=cells&overlays={name}", COUNTY) == "grid"
    view = settle(CITY, snapshot, f"?layer=cells&overlays={name}")
    for wanted, kept in ((6, 7), (7, 7), (8, 8), (10, 8)):
        spots = marks.found(CITY, snapshot, view, name, ZH, resolution=wanted)
        assert spots.resolution == kept
        told = marks.mark_legend(CITY, snapshot, view, name, ZH, resolution=wanted)
        said = json.dumps(told, default=lambda one: one.to_plotly_json(), ensure_ascii=False)
        assert f"六边形 r{kept}" in said

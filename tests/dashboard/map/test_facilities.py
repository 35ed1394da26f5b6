"""Layers of places: what is drawn, told by shape, scoped, and hidden where there is no table."""

import datetime as dt
import json
from collections import Counter

import flask
import numpy as np
import pytest

from dashboard.areas import hierarchy
from dashboard.images import icons
from dashboard.map import facilities, facility_rows, layers, live, posts
from dashboard.map.drawn import draw_map
from dashboard.text import Words
from dashboard.view import settle
from data.access import Grant, NotVisibleError, Scope
from data.resources.live import LiveStore, Unit
from data.resources.state import STATES
from data.state.database import open_state
from data.state.migrate import upgrade
from tests.dashboard.squares import CITY, COUNTY, EMPTY
from tests.redteam.test_caches import kept_by

ZH = Words("zh")
PUBLIC = Scope("link-1", frozenset({Grant("public")}))
ALL = "facilities,resources"


@pytest.fixture(autouse=True)
def nothing_kept():
    yield
    for function in (facility_rows.facilities, facility_rows.posts):
        kept_by(function).clear()


def found(source, scope, snapshot, search=""):
    view = settle(scope, snapshot, search)
    return source.found(scope, snapshot, view, source.NAME, ZH)


def said(source, scope, snapshot, search=""):
    view = settle(scope, snapshot, search)
    parts = source.mark_legend(scope, snapshot, view, source.NAME, ZH)
    return json.dumps(parts, default=lambda one: one.to_plotly_json(), ensure_ascii=False)


def rows_inside(scope, snapshot, table, search=""):
    view = settle(scope, snapshot, search)
    rows = snapshot.read(table)
    return rows[rows["area_row"].isin(hierarchy(scope, snapshot).rows_inside(view.focus))]


@pytest.mark.parametrize("search", ["", "?area=9901002", "?area=9902006"])
@pytest.mark.parametrize("scope", [CITY, COUNTY], ids=["city", "county"])
def test_every_facility_of_the_focus_is_drawn_or_counted(snapshot, scope, search):
    rows = rows_inside(scope, snapshot, "facilities", search)
    spots = found(facilities, scope, snapshot, search)
    assert len(rows) > 0
    assert spots.total == rows["lng"].notna().sum() == len(spots.index)
    counted = Counter(icon.rsplit("-", 1)[1] for icon in spots.icons)
    assert counted == Counter(rows[rows["lng"].notna()]["state"])
    late = int((rows["state"] == "overdue").sum())
    assert f"逾期 {late} / 共 {len(rows)}" in said(facilities, scope, snapshot, search)


def test_the_most_urgent_lies_on_top_and_the_rest_is_told(snapshot, monkeypatch):
    spots = found(facilities, CITY, snapshot)
    urgency = [STATES.index(icon.rsplit("-", 1)[1]) for icon in spots.icons]
    assert urgency == sorted(urgency, reverse=True)
    monkeypatch.setattr(facilities, "MOST", 10)
    few = found(facilities, CITY, snapshot)
    assert {icon.rsplit("-", 1)[1] for icon in few.icons} == {"overdue"}
    assert f"另有 {spots.total - 10} 处未画" in said(facilities, CITY, snapshot)


def test_kind_and_state_are_told_by_shape(snapshot):
    shapes = [icons.PLATES["due"], icons.PLATES["overdue"], None]
    assert len({str(shape) for shape in shapes}) == 3
    spots = found(facilities, CITY, snapshot)
    assert len({icon.split("-")[1] for icon in spots.icons}) == 6
    late = [label for label in spots.labels if "逾期" in label]
    assert late
    assert all("天" in label and "应检日" in label for label in late)


def test_a_county_sees_its_own_alone(snapshot):
    own = set(rows_inside(COUNTY, snapshot, "facilities")["lng"].dropna())
    assert set(found(facilities, COUNTY, snapshot).lng) == own
    assert len(own) < len(found(facilities, CITY, snapshot).lng)
    mine = rows_inside(COUNTY, snapshot, "resources")
    assert len(found(posts, COUNTY, snapshot).index) == len(mine) < 30
    view = settle(CITY, snapshot, "?area=9901001")
    for source in (facilities, posts):
        with pytest.raises(NotVisibleError):
            source.found(COUNTY, snapshot, view, source.NAME, ZH)


@pytest.mark.parametrize("scope", [PUBLIC, EMPTY], ids=["public", "nothing"])
def test_who_sees_no_area_exactly_has_no_such_layer(snapshot, scope):
    assert not {"facilities", "resources"} & set(layers.known(scope, snapshot, "areas"))
    view = settle(CITY, snapshot, "")
    with pytest.raises(LookupError, match="not on offer"):
        facilities.found(scope, snapshot, view, "facilities", ZH)


def test_the_map_draws_them_with_the_image(snapshot):
    answer = draw_map(CITY, snapshot, search=f"?overlays={ALL}", fragment="", resolution=None)
    assert [one["type"] for one in answer["view"]["overlays"]] == ["marks", "marks"]
    sent = answer["values"]["overlays"]
    assert sent["facilities"]["n"] == len(sent["facilities"]["size"])
    view = settle(CITY, snapshot, f"?overlays={ALL}")
    for source in (facilities, posts):
        key = source.key(CITY, snapshot, view, source.NAME, ZH)
        for icon, _ in key.rows:
            assert icon in icons.COLOURS or icon.split("-")[2] in icons.PLATES


@pytest.fixture
def served(tmp_path):
    server = flask.Flask("live")
    database = open_state("", tmp_path)
    upgrade(database)
    live.install(server, database)
    with server.app_context():
        yield LiveStore(database)
    database.close()


def units(*codes, now, places):
    until = now + dt.timedelta(minutes=30)
    return [
        Unit("radio", f"U{at}", "patrol_unit", code, *places.get(code, (120.1, 30.1)), now, until)
        for at, code in enumerate(codes)
    ]


def test_a_unit_is_seen_where_its_area_is(snapshot, served):
    assert "units" not in layers.known(CITY, snapshot, "areas")
    now = dt.datetime.now(dt.UTC)
    areas = snapshot.areas
    places = dict(zip(areas["code"], areas[["lng", "lat"]].itertuples(index=False), strict=True))
    codes = ("9901002", "9901001", "9902006", "elsewhere")
    served.put_units(units(*codes, now=now, places=places), now=now)
    assert "units" in layers.known(CITY, snapshot, "areas")

    def drawn(scope, search=""):
        view = settle(scope, snapshot, search)
        return len(live.found(scope, snapshot, view, "units", ZH).index)

    assert drawn(CITY) == 4
    assert drawn(CITY, "?area=9901001") == 1
    own = set(
        snapshot.areas["code"].to_numpy()[
            hierarchy(COUNTY, snapshot).rows_inside(settle(COUNTY, snapshot, "").focus)
        ]
    )
    assert drawn(COUNTY) == len(own & {"9901002", "9901001", "9902006"})
    # A code that does not fit the point shows it to nobody but the whole city.
    served.put_units(units("9901002", now=now, places={"9901002": places["9901001"]}), now=now)
    assert (drawn(CITY), drawn(COUNTY)) == (4, len(own & {"9901001", "9902006"}))
    view = settle(CITY, snapshot, "")
    with pytest.raises(LookupError):
        live.found(PUBLIC, snapshot, view, "units", ZH)


def test_without_a_server_nothing_is_live(snapshot):
    assert live.overlays_on_offer(CITY, snapshot) == ()


def test_patrols_are_told_of_what_is_told(snapshot):
    from dashboard.map.measures_resources import patrol

    view = settle(CITY, snapshot, "?level=grid")
    shown = patrol(CITY, snapshot, view, ZH)
    coverage = snapshot.read("patrol_coverage")
    told = set(coverage.loc[coverage["level"] == "grid", "area_index"])
    assert set(np.flatnonzero(shown.bands)) == told
    assert not shown.bands[::5][:50].any()
    weeks = coverage[
        (coverage["level"] == "grid") & (coverage["week_start"].astype(str) >= "2026-10-19")
    ]
    sums = weeks.groupby("area_index")["visits"].sum()
    assert shown.counts[sums.index].tolist() == sums.tolist()

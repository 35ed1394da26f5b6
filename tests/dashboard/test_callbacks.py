"""Every callback without a browser: what it answers, and what it refuses."""

import copy
import html
import json
import re

import pytest

from dashboard import ids, layout
from dashboard.app import create_app
from data.access import visible_areas
from data.settings import Settings
from data.store import Store
from tests.dashboard.squares import (
    CITY,
    COUNTY,
    EMPTY,
    SCRIPT,
    FixedProvider,
    body_of,
    call,
    client,
    dumped,
    post,
)

SYNC, DRAW, PANELS = "url.search", "map-view.data", "panels-markup.data"
ADDRESS = "panels-address.data"
HOVER, FIND = "map-hover-detail.children", "area-search-results.children"
EVERY = (SYNC, DRAW, PANELS, HOVER, FIND)
MAP = {"map-view", "map-values", "shown", "legend-markup"}
LARGEST = 12_000
"""Bytes of an answer as it travels, compressed."""


def markup(app, search):
    """Markup of the panels by the id of their box."""
    return call(app, PANELS, {ADDRESS: search}, [ADDRESS])["panels-markup"]["data"]


def click(level, index, **more):
    return {"kind": "click", "layer": "areas", "level": level, "resolution": None, "index": index,
            "lng": 120.1, "lat": 30.1, "counter": 1} | more  # fmt: skip


def moved(app, search, event=None, trigger="map-event.data", **inputs):
    answer = call(app, SYNC, {"url.search": search, "map-event.data": event} | inputs, [trigger])
    return answer.get("url", {}).get("search", search)


def test_drill_from_the_city_to_a_grid_and_up_again(app):
    search = moved(app, "", click("county", 1))
    assert search == "?area=9901002"
    search = moved(app, search, click("township", 5))
    search = moved(app, search, click("community", 20))
    assert search == "?area=9903021"
    search = moved(app, search, click("grid", 81))
    assert search == "?area=9903021&selected=9904082"
    assert moved(app, search, click("grid", 81)) == "?area=9903021"
    search = moved(app, search, {"kind": "up", "counter": 2})
    assert search == "?area=9903021"
    for expected in ("?area=9902006", "?area=9901002", "", ""):
        search = moved(app, search, {"kind": "up", "counter": 3})
        assert search == expected


@pytest.mark.parametrize(
    "event",
    [click("grid", 3), click("county", 4), click("county", 2**30), click("county", 0, layer="cells"),
     {"kind": "error", "message": "x"}, {"kind": "leave"}],
)  # fmt: skip
def test_a_click_on_what_is_not_shown_moves_nothing(app, event):
    assert moved(app, "", event) == ""


def test_controls_write_the_address(app):
    assert moved(app, "", trigger="periods.value", **{"periods.value": 13}) == "?periods=13"
    assert moved(app, "?periods=13", trigger="periods.value", **{"periods.value": 4}) == ""
    assert moved(app, "", trigger="layer.value", **{"layer.value": "cells"}) == "?layer=cells"
    assert (
        moved(app, "", trigger="category.value", **{"category.value": "1001"}) == "?category=1001"
    )
    assert moved(app, "", trigger="earlier.n_clicks", **{"earlier.n_clicks": 1}) == "?end=2026-W45"
    assert moved(app, "?end=2026-W45", trigger="later.n_clicks", **{"later.n_clicks": 1}) == ""
    assert moved(app, "", trigger="later.n_clicks", **{"later.n_clicks": 1}) == ""
    assert moved(app, "", trigger="level.value", **{"level.value": "grid"}) == "?level=grid"
    assert moved(app, "", click("county", 1)) == "?area=9901002"


def test_only_a_new_focus_lets_the_camera_go(app):
    camera = {"kind": "camera", "lng": 120.3, "lat": 30.2, "zoom": 11.5, "counter": 9}
    state = {"map-camera.data": camera}
    kept = call(app, SYNC, {"periods.value": 13} | state, ["periods.value"])
    assert "hash" not in kept["url"]
    assert "map-camera" not in kept
    drilled = call(app, SYNC, {"map-event.data": click("county", 1)} | state, ["map-event.data"])
    assert drilled["url"] == {"search": "?area=9901002", "hash": ""}
    assert drilled["map-camera"] == {"data": None}


def test_the_map_takes_its_camera_from_the_fragment(app):
    values = {"url.search": "?periods=13", "url.hash": "#camera=120.3,30.2,11.5"}
    answer = call(app, DRAW, values, ["address.data"])
    assert answer["map-view"]["data"]["camera"] == [120.3, 30.2, 11.5]


def test_a_moved_view_sends_only_the_controls_that_change(app):
    answer = call(app, SYNC, {"map-event.data": click("county", 1)}, ["map-event.data"])
    assert set(answer) == {"url", "level"} | MAP
    english = call(app, SYNC, {"language.value": "en"}, ["language.value"])
    assert {"category", "end", "level-label"} <= set(english)


def test_a_link_leaves_the_choices_that_the_page_has(app, snapshot):
    link = {"url.search": "?periods=13"}
    first = call(app, SYNC, link, ["address.data"])
    held = {"shown.data": first["shown"]["data"]}
    again = call(app, SYNC, {"url.search": "?periods=13&category=10"} | held, ["address.data"])
    assert first["shown"]["data"] == f"{snapshot.id}?periods=13"
    assert "options" in first["category"]
    assert again["category"] == {"value": "10"}
    assert not any("options" in each or "children" in each for each in again.values())
    english = call(app, SYNC, {"url.search": "?lang=en"} | held, ["address.data"])
    assert "options" in english["category"]
    other = {"shown.data": "20200101T000000Z-00000000?periods=13"}
    assert call(app, SYNC, link | other, ["address.data"])["category"] == first["category"]


def test_a_link_sets_every_control(app):
    search = (
        "?area=9901002&level=grid&periods=13&end=2026-W40&category=10&severity=3&lang=en&theme=dark"
    )
    answer = call(app, SYNC, {"url.search": search}, ["address.data"])
    assert "url" not in answer
    values = {name: answer[name]["value"] for name in (
        "layer", "level", "periods", "end", "category", "severity", "language", "theme")}  # fmt: skip
    assert values == {"layer": "areas", "level": "grid", "periods": 13, "end": "2026-W40", "category": "10",
                      "severity": "3", "language": "en", "theme": "dark"}  # fmt: skip
    for name, value in values.items():
        assert value in [choice["value"] for choice in answer[name]["options"]]


def test_the_map_gets_bytes_not_geometry(app):
    answer = call(app, DRAW, {"url.search": "?level=grid"}, ["address.data"])
    view, values = answer["map-view"]["data"], answer["map-values"]["data"]
    assert view["names"] == "/names/b1/grid.json?lang=zh"
    assert view["focus"]["bounds"] == [120.0, 30.0, 120.8, 30.8]
    assert values["n"] == 257
    assert SCRIPT not in dumped(answer)


def test_values_travel_again_only_when_they_may_have_changed(app, snapshot):
    search, pick = "?area=9903021", {"map-event.data": click("grid", 81)}
    trigger = ["map-event.data"]
    held = {"url.search": search, "shown.data": snapshot.id} | pick
    picked = call(app, SYNC, held, trigger)
    assert "map-values" not in picked
    assert picked["map-view"]["data"]["selected"] == 81
    for shown in ("", "another-snapshot"):
        assert "map-values" in call(app, SYNC, held | {"shown.data": shown}, trigger)
    longer = held | {"periods.value": 13}
    assert "map-values" in call(app, SYNC, longer, ["periods.value"])
    assert "map-values" in call(app, SYNC, held, ["address.data"])


def test_the_view_names_the_values_and_the_address_that_it_belongs_to(app):
    answer = call(app, DRAW, {"url.search": "?periods=13&theme=dark"}, ["address.data"])
    assert answer["map-view"]["data"]["values"] == answer["map-values"]["data"]["version"]
    assert answer["map-view"]["data"]["search"] == "?periods=13&theme=dark"


def test_cells_follow_the_zoom(app):
    search = "?layer=cells"
    answer = call(
        app, DRAW, {"url.search": search, "map-resolution.data": 8}, ["map-resolution.data"]
    )
    assert (answer["map-values"]["data"]["resolution"], answer["map-values"]["data"]["n"]) == (
        8,
        65,
    )
    opening = call(app, DRAW, {"url.search": search}, ["address.data"])
    assert opening["map-view"]["data"]["resolution"] in (6, 7, 8)
    odd = call(app, DRAW, {"url.search": search, "map-resolution.data": 99}, [])
    assert odd["map-view"]["data"]["resolution"] in (6, 7, 8)


def test_the_heat_layer_says_what_no_cell_can_show(app, snapshot):
    answer = call(app, DRAW, {"url.search": "?layer=cells&periods=52&lang=en"}, [])
    counts = snapshot.read("cell_counts_8")
    newest = sorted(counts["period_start"].unique())[-52:]
    chosen = counts[counts["period_start"].isin(newest)]
    nowhere = chosen.loc[chosen["cell_index"] == -1, "count"].sum()
    drawn = chosen["count"].sum() - nowhere
    assert nowhere > 0
    wanted = f"{drawn:,d} in cells; {nowhere:,d} more without a point"
    assert wanted in dumped(answer["legend-markup"]["data"])


def test_hover_tells_the_figures_of_one_area(app):
    event = click("county", 2) | {"kind": "hover"}
    answer = call(app, HOVER, {"map-hover.data": event, "url.search": ""}, ["map-hover.data"])
    assert '"data-key": "county:2"' in dumped(answer)
    assert (
        call(app, HOVER, {"map-hover.data": {"kind": "leave"}}, [])["map-hover-detail"]["children"]
        == []
    )


def test_search_answers_with_links(app):
    answer = call(
        app, FIND, {"area-search.value": "9904", "url.search": "?lang=en"}, ["area-search.value"]
    )
    results = answer["area-search-results"]["children"]
    assert len(results) == 12
    assert results[0]["props"]["href"].startswith("/?area=9903001&selected=99040")
    none = call(app, FIND, {"area-search.value": "<b>"}, ["area-search.value"])
    assert "<b>" in dumped(none)
    assert call(app, FIND, {"area-search.value": " "}, [])["area-search-results"]["children"] == []


@pytest.mark.parametrize("search", ["?area=nowhere", "?area=9901001"])
def test_an_unknown_and_a_foreign_area_get_the_same_answers(county_app, search):
    for output, held, changed in (
        (DRAW, "url.search", "address.data"),
        (PANELS, ADDRESS, ADDRESS),
    ):
        answer = dumped(call(county_app, output, {held: search}, [changed]))
        plain = dumped(call(county_app, output, {held: "?area=nowhere"}, [changed]))
        assert answer == plain
    event = click("county", 0) | {"kind": "hover"}
    answer = call(county_app, HOVER, {"map-hover.data": event}, ["map-hover.data"])
    assert answer["map-hover-detail"]["children"] == []


def test_a_county_scope_never_reads_a_foreign_name_or_code(county_app, snapshot):
    areas = snapshot.areas
    foreign = set(areas["code"][~visible_areas(COUNTY, areas)])
    assert len(foreign) > 250
    searches = [
        "",
        "?area=9901001",
        "?area=990100",
        "?layer=cells",
        "?level=grid",
        "?selected=9904001",
    ]
    for search in searches:
        for output in EVERY:
            inputs = {
                "url.search": search,
                ADDRESS: search,
                "area-search.value": "county",
                "map-hover.data": None,
            }
            text = dumped(call(county_app, output, inputs, []))
            assert not foreign & set(re.findall(r"\d+", text))
            assert "county区0" not in text
            assert "/c1/cells_" not in text  # tiles of its own cells alone


@pytest.mark.parametrize("output", EVERY)
@pytest.mark.parametrize(
    "search", ["", "?area=9901002&level=grid&periods=52&lang=en", "?layer=cells&theme=dark"]
)
def test_answers_stay_small(app, output, search):
    inputs = {"url.search": search, ADDRESS: search, "area-search.value": "99"}
    told = post(app, body_of(app, output, inputs, []), **{"Accept-Encoding": "br"})
    assert len(told.data) < LARGEST


@pytest.mark.parametrize("output", EVERY)
def test_forged_calls_are_refused(app, output):
    good = body_of(app, output, {"url.search": ""}, [])
    assert post(app, good).status_code in (200, 204)
    forgeries = []

    def forged(change):
        body = copy.deepcopy(good)
        change(body)
        forgeries.append(body)

    forged(lambda body: body.update(output="no-such.children"))
    forged(lambda body: body.update(output=["address.data"]))
    forged(lambda body: body.update(outputs={"id": "app", "property": "children"}))
    forged(lambda body: body["inputs"][0].update(id="footer"))
    forged(lambda body: body["inputs"][0].update(id={"type": "row", "index": 1}))
    forged(lambda body: body["inputs"][0].update(property="pathname"))
    forged(lambda body: body["inputs"].append(body["inputs"][0]))
    forged(lambda body: body["inputs"].clear())
    forged(
        lambda body: body["inputs"].reverse() if len(body["inputs"]) > 1 else body["inputs"].clear()
    )
    forged(lambda body: body.update(state=[{"id": "app", "property": "children", "value": 1}]))
    forged(lambda body: body.update(changedPropIds=["footer.children"]))
    forged(lambda body: body.update(changedPropIds="url.search"))
    forged(lambda body: body["inputs"][0].update(value={"a": 1}))
    forged(lambda body: body["inputs"][0].update(value=[1]))
    forged(lambda body: body["inputs"][0].update(value=True))
    forged(lambda body: body["inputs"][0].update(value="x" * 5000))
    for body in [*forgeries, [], None, "text"]:
        assert post(app, body).status_code == 400, body


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("map-event.data", {"kind": "click", "layer": "areas", "level": "county", "index": -1}),
        ("map-event.data", {"kind": "click", "layer": "areas", "level": "county", "index": 1.5}),
        ("map-event.data", {"kind": "click", "layer": "areas", "level": "county", "index": True}),
        ("map-event.data", {"kind": "click", "layer": "areas", "level": "village", "index": 1}),
        ("map-event.data", {"kind": "drop"}),
        ("map-event.data", {str(i): i for i in range(40)}),
        ("map-camera.data", {"lng": 999, "lat": 0, "zoom": 1}),
        ("map-camera.data", {"lng": "1", "lat": 0, "zoom": 1}),
        ("periods.value", "4"),
        ("layer.value", "heat"),
        ("severity.value", 3),
        ("language.value", "fr"),
        ("earlier.n_clicks", 2**40),
    ],
)
def test_values_of_a_wrong_form_are_refused(app, name, value):
    body = body_of(app, SYNC, {"url.search": "", name: value}, [])
    assert post(app, body).status_code == 400


def test_a_body_that_is_no_json_or_too_large_is_refused(app):
    send = client(app).post
    assert (
        send("/_dash-update-component", data="{", content_type="application/json").status_code
        == 400
    )
    assert send("/_dash-update-component", data="a=1").status_code == 400
    nested = "[" * 100_000
    assert (
        send("/_dash-update-component", data=nested, content_type="application/json").status_code
        == 400
    )
    large = json.dumps({"output": "x" * 300_000})
    assert send(
        "/_dash-update-component", data=large, content_type="application/json"
    ).status_code in (400, 413)


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_a_post_from_another_site_is_refused(app, headers):
    assert post(app, body_of(app, PANELS, {ADDRESS: ""}, []), **headers).status_code == 403


def test_an_area_named_like_a_script_is_text(app):
    panels = markup(app, "?area=9901002")
    assert html.escape(SCRIPT) in panels[ids.BREADCRUMB]
    text = dumped(panels)
    assert SCRIPT not in text
    for risky in ("dangerously_allow_html", "Markdown", "srcDoc", "javascript:"):
        assert risky not in text


def test_two_applications_share_nothing(settings, store):
    first, second = create_app(settings, store), create_app(settings, store)
    assert set(first.callback_map) == set(second.callback_map)
    for app in (first, second):
        assert markup(app, "")[ids.KPIS]


def test_the_layout_holds_every_id_and_no_data(app, snapshot):
    page = layout.skeleton()
    held = {item.id for item in page._traverse() if getattr(item, "id", None)} | {page.id}
    constants = {value for name, value in vars(ids).items() if name.isupper()}
    assert constants <= held
    specs = client(app).get("/_dash-dependencies").get_json()
    used = {item["id"] for spec in specs for item in spec["inputs"] + spec["state"]}
    used |= {
        name.rsplit(".", 1)[0] for spec in specs for name in spec["output"].strip(".").split("...")
    }
    assert used <= held
    served = client(app).get("/_dash-layout").get_data(as_text=True)
    assert "990100" not in served
    assert snapshot.id not in served


def test_an_account_without_a_map_is_led_to_itself_and_gets_no_callback(settings, store):
    app = create_app(settings, store, provider=FixedProvider(EMPTY))
    answer = client(app).get("/")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/account")
    assert "empty" in client(app).get("/_dash-layout").get_data(as_text=True)
    for output in (PANELS, "map-view.data", "comparison-markup.data"):
        assert post(app, body_of(app, output, {ADDRESS: ""}, [])).status_code == 403


def test_without_a_snapshot_the_page_says_what_to_do(tmp_path):
    app = create_app(Settings(home=tmp_path), Store(tmp_path))
    assert "pingan demo" in client(app).get("/_dash-layout").get_json().__repr__()
    body = body_of(app, PANELS, {ADDRESS: ""}, [])
    answer = post(app, body)
    assert answer.status_code == 200
    assert str(tmp_path) not in answer.get_data(as_text=True)


def test_a_failed_callback_shows_a_number_and_no_detail(settings, store, monkeypatch, caplog):
    app = create_app(settings, store, provider=FixedProvider(CITY))

    def fail():
        raise RuntimeError("secret detail")

    monkeypatch.setattr(store, "current", fail)
    answer = post(app, body_of(app, PANELS, {ADDRESS: ""}, [])).get_data(as_text=True)
    assert "secret detail" not in answer
    assert "secret detail" in caplog.text
    number = caplog.records[-1].args[0]
    assert number in answer


def test_a_scope_of_one_county_is_not_told_of_the_others(county_app):
    assert COUNTY.sight.areas == {("county", "9901002")}
    assert "<a " not in markup(county_app, "")[ids.BREADCRUMB]

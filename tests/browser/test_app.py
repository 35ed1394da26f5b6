"""The product as its user meets it: the demo city served by gunicorn, used in a real Chromium."""

import datetime as dt
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pandas as pd
import pytest
from playwright.sync_api import Browser, expect

from data.store import Snapshot
from tests.browser import served_app
from tests.browser.opened import PAINT_MS, App
from tests.browser.probes import FOCUSED, RENDERERS

pytestmark = pytest.mark.browser
# A busy machine may take its time; what never comes still fails.
expect.set_options(timeout=PAINT_MS)
both = pytest.mark.parametrize("renderer", RENDERERS)
"""On every engine of the map; what has nothing to do with it runs on one."""


def counted(
    snapshot: Snapshot,
    level: str,
    index: int,
    *,
    weeks: int = 4,
    categories: set[int] | None = None,
) -> str:
    """The count that the page must show, straight from the stored table."""
    counts = snapshot.read(f"area_counts_{level}")
    last = snapshot.manifest.last_period
    first = last - dt.timedelta(weeks=weeks - 1)
    day = pd.to_datetime(counts["period_start"]).dt.date
    chosen = counts[(day >= first) & (day <= last) & (counts["area_index"] == index)]
    if categories is not None:
        chosen = chosen[chosen["category_index"].isin(categories)]
    return f"{chosen['count'].sum():,}"


def city_count(snapshot: Snapshot) -> str:
    """The city's own figure: placed in it or not placed at all."""
    counts = snapshot.read("area_counts_city")
    first = snapshot.manifest.last_period - dt.timedelta(weeks=3)
    day = pd.to_datetime(counts["period_start"]).dt.date
    chosen = counts[(day >= first) & (day <= snapshot.manifest.last_period)]
    placed = chosen[chosen["area_index"] == 0]["count"].sum()
    return f"{placed:,}"


@both
def test_the_first_page_shows_the_stored_city(app: App, snapshot: Snapshot) -> None:
    app.open()
    app.painted("areas:county")
    expect(app.count()).to_have_text(re.compile(re.escape(city_count(snapshot))))
    expect(app.page.locator(".demo-badge")).to_contain_text("演示数据")
    footer = app.page.locator(".footer")
    for part in ("read", "accepted", "quarantined", "duplicate"):
        expect(footer).to_contain_text(f"{snapshot.manifest.rows[part]:,}")
    expect(footer).to_contain_text(snapshot.id)
    expect(app.page.locator(".chart .chart-plot, .chart .rows")).to_have_count(2)


@both
def test_clicks_lead_down_to_a_grid_and_back_up(app: App, snapshot: Snapshot) -> None:
    app.open()
    levels = ["county", "township", "community", "grid"]
    areas = snapshot.areas
    parent, path = 0, []
    for level in levels:
        app.painted(f"areas:{level}")
        valid = areas[(areas["level"] == level) & areas["valid_to"].isna()]
        index = int(valid[valid["parent_index"] == parent]["area_index"].iloc[0])
        app.click_area(level, index)
        name = app.area(level, index)["name"]
        path.append(name)
        expect(app.crumbs()).to_contain_text(name)
        expect(app.count()).to_have_text(re.compile(re.escape(counted(snapshot, level, index))))
        parent = index
    for name in path:
        expect(app.crumbs()).to_contain_text(name)
    app.page.locator(FOCUSED).focus()
    for name in reversed(path):
        expect(app.crumbs()).to_contain_text(name)
        app.page.keyboard.press("Escape")
        expect(app.crumbs()).not_to_contain_text(name)
    app.painted("areas:county")
    expect(app.count()).to_have_text(re.compile(re.escape(city_count(snapshot))))


@both
def test_the_breadcrumb_and_the_ranking_lead_too(app: App, snapshot: Snapshot) -> None:
    app.open()
    app.painted("areas:county")
    county = app.area("county", 0)["name"]
    app.page.locator("table.ranking").get_by_text(county, exact=True).click()
    expect(app.crumbs()).to_contain_text(county)
    app.painted("areas:township")
    app.crumbs().get_by_text(app.area("city", 0)["name"], exact=False).first.click()
    expect(app.crumbs()).not_to_contain_text(county)
    app.painted("areas:county")


def test_a_category_filters_every_panel(app: App, snapshot: Snapshot) -> None:
    categories = snapshot.categories
    top = categories[categories["parent_code"].isna() | (categories["parent_code"] == "")].iloc[0]
    family = {int(top["category_index"])} | {
        int(row["category_index"])
        for _, row in categories[categories["parent_code"] == top["code"]].iterrows()
    }
    app.open(f"?category={top['code']}")
    wanted = counted(snapshot, "city", 0, categories=family)
    expect(app.count()).to_have_text(re.compile(rf"^{re.escape(wanted)}\b"))
    assert wanted != city_count(snapshot)


@both
def test_the_window_moves_and_the_address_follows(app: App, snapshot: Snapshot) -> None:
    app.open()
    app.page.locator("#periods input[value='13']").click()
    expect(app.count()).to_have_text(re.compile(re.escape(counted(snapshot, "city", 0, weeks=13))))
    assert app.query()["periods"] == ["13"]
    app.page.locator("#earlier").click()
    expect(app.page).to_have_url(re.compile(r"end=\d{4}-W\d{2}"))


@both
def test_the_hex_layer_is_drawn_and_left_again(app: App) -> None:
    app.open()
    app.painted("areas:county")
    app.page.locator("#layer label").nth(1).click()
    app.page.wait_for_selector("#map[data-shown^='cells:']", state="attached")
    expect(app.page).to_have_url(re.compile("layer=cells"))
    app.page.locator("#layer label").nth(0).click()
    app.painted("areas:county")


@both
def test_a_link_a_reload_and_the_back_button_restore_the_view(app: App, snapshot: Snapshot) -> None:
    township = app.area("township", 2)
    search = f"?area={township['code']}&periods=13&lang=en&theme=dark"
    app.open(search)
    app.painted("areas:community")
    expect(app.crumbs()).to_contain_text(township["name_en"])
    wanted = counted(snapshot, "township", 2, weeks=13)
    expect(app.count()).to_have_text(re.compile(rf"^{re.escape(wanted)}\b"))
    assert app.page.get_attribute("html", "data-theme") == "dark"
    assert app.page.get_attribute("html", "lang") == "en"
    app.page.reload()
    app.painted("areas:community")
    expect(app.count()).to_have_text(re.compile(rf"^{re.escape(wanted)}\b"))
    app.page.locator("#periods input[value='52']").click()
    expect(app.page).to_have_url(re.compile("periods=52"))
    app.page.go_back()
    expect(app.count()).to_have_text(re.compile(rf"^{re.escape(wanted)}\b"))
    app.page.go_forward()
    longer = counted(snapshot, "township", 2, weeks=52)
    expect(app.count()).to_have_text(re.compile(rf"^{re.escape(longer)}\b"))


@both
def test_a_pan_stays_in_the_address_and_a_filter_keeps_it(app: App, snapshot: Snapshot) -> None:
    app.open()
    app.painted("areas:county")
    app.settled_camera()
    depth = app.page.evaluate("() => window.history.length")
    app.page.mouse.move(500, 420)
    app.page.mouse.down()
    app.page.mouse.move(570, 450, steps=5)
    app.page.mouse.up()
    expect(app.page).to_have_url(re.compile(r"#camera=[\d.,-]+$"))
    camera = urlsplit(app.page.url).fragment
    assert app.page.evaluate("() => window.history.length") == depth
    app.page.locator("#periods input[value='13']").click()
    expect(app.count()).to_have_text(re.compile(re.escape(counted(snapshot, "city", 0, weeks=13))))
    assert app.query()["periods"] == ["13"]
    assert urlsplit(app.page.url).fragment == camera
    app.page.reload()
    app.painted("areas:county")
    lng, lat, zoom = map(float, camera.removeprefix("camera=").split(","))
    at = app.page.evaluate("() => probe.look()")
    assert [at["lng"], at["lat"]] == pytest.approx([lng, lat], abs=1e-3)
    assert at["zoom"] == pytest.approx(zoom, abs=3e-3)
    app.page.mouse.move(500, 420)
    app.page.mouse.wheel(0, -200)
    expect(app.page).not_to_have_url(re.compile(re.escape(camera)))


def test_the_search_box_jumps_to_an_area(app: App) -> None:
    app.open()
    community = app.area("community", 3)
    app.page.locator("#area-search").fill(community["code"])
    app.page.locator("#area-search-results").get_by_text(community["name"]).first.click()
    expect(app.crumbs()).to_contain_text(community["name"])
    app.painted("areas:grid")


def test_an_address_that_does_not_exist_falls_back_with_a_note(
    app: App, snapshot: Snapshot
) -> None:
    app.open("?area=000000&periods=7&layer=moon")
    app.painted("areas:county")
    expect(app.count()).to_have_text(re.compile(re.escape(city_count(snapshot))))
    expect(app.page.locator("#notice")).not_to_be_empty()


def test_the_arithmetic_of_a_colour_is_shown(app: App, snapshot: Snapshot) -> None:
    county = app.area("county", 1)
    app.open(f"?area={county['code']}")
    risk = snapshot.read("area_risk")
    row = risk[(risk["level"] == "county") & (risk["area_index"] == 1)].sort_values("period_end")
    arithmetic = app.page.locator(".arithmetic")
    expect(arithmetic).to_contain_text(f"{row['count'].iloc[-1]:,}")


@pytest.fixture(scope="module")
def shared(home: Path) -> Iterator[str]:
    """The same city, asked by the demo accounts."""
    with served_app.serve(home, PINGAN_AUTH="demo") as url:
        yield url


ON_SCREEN = """(places) => places.findIndex(([lng, lat]) => {
  const [x, y] = probe.project(lng, lat);
  const box = engine.map.getContainer().getBoundingClientRect();
  const hit = x > 0 && y > 0 && document.elementFromPoint(box.x + x, box.y + y);
  return Boolean(hit && hit.closest('.map-canvas') && !hit.closest('button'));
})"""
"""Position of the first place that the map shows and nothing covers."""


@both
def test_a_scoped_user_cannot_open_the_areas_of_others(
    browser: Browser, shared: str, snapshot: Snapshot, renderer: str
) -> None:
    context = browser.new_context(viewport={"width": 1366, "height": 768}, reduced_motion="reduce")
    context.add_cookies([{"name": "pingan_demo", "value": "township", "url": shared}])
    app = App(context.new_page(), shared, snapshot, renderer)
    app.open()
    app.settled_camera()
    level = str(app.page.get_attribute("#map", "data-shown")).removeprefix("areas:")
    bands = app.page.evaluate("() => Array.from(engine.values.bands)")
    areas = snapshot.areas
    places = areas[areas["level"] == level].set_index("area_index")[["lng", "lat"]]
    own = [index for index, band in enumerate(bands) if band < 254]
    foreign = [index for index, band in enumerate(bands) if band >= 254 and index in places.index]
    seen, mine = (
        app.page.evaluate(ON_SCREEN, places.loc[among].to_numpy().tolist())
        for among in (foreign, own)
    )
    assert min(seen, mine) >= 0
    app.page.wait_for_load_state("networkidle")
    app.click_area(level, foreign[seen])
    app.page.wait_for_load_state("networkidle")
    app.click_area(level, own[mine])
    expect(app.crumbs()).to_contain_text(app.area(level, own[mine])["name"])
    assert app.area(level, foreign[seen])["name"] not in app.crumbs().inner_text()
    assert app.page.evaluate("() => history.length") <= 3
    context.close()
    assert app.complaints == []
    assert app.outside == []


@pytest.mark.parametrize(("width", "height"), [(1920, 1080), (1366, 768), (390, 844)])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_nothing_overflows_sideways(app: App, width: int, height: int, theme: str) -> None:
    app.page.set_viewport_size({"width": width, "height": height})
    app.open(f"?theme={theme}")
    expect(app.page.locator("table.ranking")).to_be_visible()
    inner = app.page.evaluate("() => [document.documentElement.scrollWidth, window.innerWidth]")
    assert inner[0] <= inner[1]


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_on_a_phone_the_breadcrumb_shows_where_one_is(app: App, lang: str) -> None:
    app.page.set_viewport_size({"width": 390, "height": 844})
    community = app.area("community", 0)
    app.open(f"?area={community.code}&lang={lang}")
    expect(app.crumbs().locator("a")).to_have_count(3)
    bar, here = app.crumbs().bounding_box(), app.crumbs().locator(".current").bounding_box()
    assert bar is not None
    assert here is not None
    assert here["x"] + here["width"] <= bar["x"] + bar["width"]

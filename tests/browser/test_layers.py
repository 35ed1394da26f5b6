"""Layers, comparison, the player and clicks on charts, on both engines of the map."""

import re

import pytest
from playwright.sync_api import Route, expect

from tests.browser.opened import PAINT_MS, App, point_until
from tests.browser.probes import RENDERERS

pytestmark = pytest.mark.browser
expect.set_options(timeout=PAINT_MS)
both = pytest.mark.parametrize("renderer", RENDERERS)


def painted_anew(app: App, act) -> None:
    """Do something, and wait until other values are on the map."""
    before = app.page.get_attribute("#map", "data-painted")
    act()
    app.page.wait_for_function(
        "before => document.getElementById('map').dataset.painted !== before", arg=before
    )


def open_list(app: App, title: str) -> None:
    app.page.locator(".layer-list > summary", has_text=title).click()


@both
def test_another_measure_recolours_and_says_what_it_is(app: App) -> None:
    app.open()
    painted_anew(app, lambda: app.page.click(".measures >> text=风险指数"))
    assert app.query()["measure"] == ["index"]
    expect(app.page.locator(".legend .legend-title").first).to_contain_text("平安风险指数")
    expect(app.page.locator(".measures .current")).to_have_text("风险指数")
    painted_anew(app, app.page.go_back)
    assert "measure" not in app.query()


@both
def test_layers_are_laid_over_faded_and_taken_off(app: App) -> None:
    app.open()
    open_list(app, "图层")
    painted_anew(app, lambda: app.page.click(".layer-switch:has-text('蜂窝热力')"))
    assert app.query()["overlays"] == ["cells.50"]
    app.page.click(".layers li:has-text('蜂窝热力') .choice:has-text('25')")
    app.page.wait_for_url(re.compile(r"cells\.25"))
    app.page.click(".layer-switch:has-text('区县界线')")
    app.page.wait_for_url(re.compile(r"cells\.25(,|%2C)lines_county"))
    app.page.click(".layers li:has-text('蜂窝热力') .layer-up")
    app.page.wait_for_url(re.compile(r"lines_county(,|%2C)cells\.25"))
    expect(app.page.locator(".layer-switch.is-on")).to_have_count(2)
    app.page.click(".layer-switch:has-text('蜂窝热力')")
    app.page.wait_for_url(re.compile(r"overlays=lines_county"))
    expect(app.page.locator(".layer-switch.is-on")).to_have_count(1)


@both
def test_facilities_tell_what_is_overdue_of_how_many(app: App) -> None:
    app.open()
    open_list(app, "图层")
    painted_anew(app, lambda: app.page.click(".layer-switch:has-text('巡检设施')"))
    assert app.query()["overlays"] == ["facilities"]
    own = app.page.locator(".legend-overlay", has_text="巡检设施")
    expect(own).to_contain_text(re.compile(r"逾期 \d+ / 共 \d+"))
    expect(own.locator(".mark-plate-overdue")).to_be_visible()
    painted_anew(app, lambda: app.page.click(".measures >> text=巡查覆盖"))
    expect(app.page.locator(".legend .legend-title").first).to_contain_text("每网格每周到访")
    expect(app.page.locator(".layer-switch.is-on")).to_have_count(1)


@both
def test_a_choice_made_before_the_answer_to_another_undoes_nothing(app: App) -> None:
    app.open("?overlays=cells.50")
    app.painted("areas:county")
    open_list(app, "图层")
    held: list[Route] = []

    def hold(answer: Route) -> None:
        held.append(answer)

    app.page.route("**/_dash-update-component*", hold)
    app.page.click(".layers li:has-text('蜂窝热力') .choice:has-text('25')")
    app.page.wait_for_url(re.compile(r"cells\.25"))
    app.page.click(".layer-switch:has-text('区县界线')")
    app.page.unroute("**/_dash-update-component*")
    for answer in held:
        answer.continue_()
    app.page.wait_for_url(re.compile(r"cells\.25(,|%2C)lines_county"))


@both
def test_a_choice_keeps_the_focus_and_what_is_unfolded(app: App) -> None:
    app.open("?overlays=cells.50")
    app.painted("areas:county")
    open_list(app, "图层")
    choice = app.page.locator(".layers li:has-text('蜂窝热力') .choice:has-text('25')")
    choice.focus()
    app.page.keyboard.press("Enter")
    expect(choice).to_have_class(re.compile("current"))
    expect(choice).to_be_focused()
    expect(choice).to_be_visible()


@both
def test_a_layer_does_not_stop_the_drill(app: App) -> None:
    app.open("?overlays=cells.50")
    app.painted("areas:county")
    app.click_area("county", 0)
    app.painted("areas:township")
    assert app.query()["overlays"] == ["cells.50"]


@both
def test_points_are_counted_in_the_legend_and_named_under_the_pointer(app: App) -> None:
    township = app.area("township", 0)
    app.open(f"?area={township.code}&periods=52")
    app.painted("areas:community")
    open_list(app, "图层")
    painted_anew(app, lambda: app.page.click(".layer-switch:has-text('事件点')"))
    assert app.query()["overlays"] == ["points"]
    own = app.page.locator(".legend-overlay", has_text="事件点")
    expect(own).to_contain_text(f"= 共 {app.count().text_content()} 件")
    expect(own.locator("[class*='mark-point-']").first).to_be_visible()
    app.settled_camera()
    # The symbol that stands farthest from every other one.
    x, y, label = app.page.evaluate(
        "() => { const { n, lng, lat, label } = engine.values.overlays.points;"
        " const at = Array.from({ length: n }, (_, i) => probe.project(lng[i], lat[i]));"
        " const room = at.map(([x, y], i) => Math.min(...at.map(([u, v], j) =>"
        " (i === j ? Infinity : Math.hypot(x - u, y - v)))));"
        " const i = room.indexOf(Math.max(...room));"
        " const box = engine.map.getContainer().getBoundingClientRect();"
        " return [box.x + at[i][0], box.y + at[i][1], label[i]]; }"
    )
    point_until(app.page, x, y, app.page.locator(".map-hover-note"), label)


@both
def test_heat_over_the_areas_follows_the_zoom(app: App) -> None:
    app.open("?overlays=cells.50")
    app.painted("areas:county")
    note = app.page.locator(".legend", has_text="六边形级别")
    before = re.search(r"六边形级别 r(\d+)", note.text_content()).group(1)
    app.settled_camera()
    for _ in range(2):
        app.page.click(".map-zoom button >> nth=0")
        app.settled_camera()
    expect(note).not_to_contain_text(f"六边形级别 r{before}")


@both
def test_two_maps_are_cut_along_a_line_that_the_keys_move(app: App) -> None:
    app.open()
    open_list(app, "对比")
    app.page.click(".compare >> text=前一时段")
    line = app.page.locator(".map-divider")
    app.page.wait_for_selector("#map[data-twin-painted]", state="attached")
    before = int(line.get_attribute("aria-valuenow"))
    line.focus()
    app.page.keyboard.press("ArrowLeft")
    assert int(line.get_attribute("aria-valuenow")) == before - 5
    sides = app.page.locator(".map-side").all_text_contents()
    assert len(set(sides)) == 2
    app.page.click(".compare >> text=不对比")
    expect(line).to_have_count(0)


@both
def test_a_film_plays_without_geometry_and_holds_a_period(app: App) -> None:
    app.open("?level=township")
    app.painted("areas:township")
    app.page.wait_for_function("() => probe.idle()")
    app.page.wait_for_load_state("networkidle")
    asked: list[str] = []
    app.page.on("request", lambda request: asked.append(request.url))
    app.page.click(".play-open")
    app.page.click(".play-speed")
    app.page.wait_for_selector("#map[data-painted^='frame ']", state="attached")
    app.page.click(".play-play")
    app.page.click(".play-back")
    expect(app.page.locator(".map-note")).to_be_hidden()  # its days are not those of the film
    assert [url for url in asked if "/tiles/" in url] == []
    assert len([url for url in asked if "/frames" in url]) == 1
    title = app.page.locator(".play-title").text_content()
    app.page.click(".play-hold")
    app.page.wait_for_url(re.compile("end="))
    expect(app.page.locator(".map-note")).to_be_visible()
    expect(app.page.locator(".map-note")).to_have_text(title)


def test_a_click_on_a_bar_filters_the_map(app: App) -> None:
    app.open()
    bar = app.page.locator("#charts button.row").first
    painted_anew(app, bar.click)
    assert "category" in app.query()


def test_colours_for_a_weak_colour_sense_are_one_click_away(app: App) -> None:
    app.open()
    open_list(app, "图层")
    swatch = app.page.locator(".legend-main .legend-swatch").nth(3)
    colour = "element => getComputedStyle(element).backgroundColor"
    usual = swatch.evaluate(colour)
    app.page.click(".palette .layer-switch")
    expect(app.page.locator("html")).to_have_attribute("data-palette", "safe")
    assert swatch.evaluate(colour) != usual
    assert app.query()["palette"] == ["safe"]

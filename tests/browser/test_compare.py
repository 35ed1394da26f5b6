"""Two maps of one place, cut along a line or beside each other, on both engines of the map."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.opened import PAINT_MS, App, point_until
from tests.browser.probes import FOCUSED, RENDERERS

pytestmark = pytest.mark.browser
expect.set_options(timeout=PAINT_MS)
both = pytest.mark.parametrize("renderer", RENDERERS)

KEEP_BOTH = """
window.addEventListener('DOMContentLoaded', () => {
  window.engines = [];
  Object.values(PinganMap.engines).forEach((factory) => {
    const create = factory.create;
    factory.create = (box, report) => {
      const made = create(box, report);
      window.engines.push(made);
      return made;
    };
  });
});
"""
BOXES = """() => ['.map-canvas', '.map-twin'].map((name) => {
  const box = document.querySelector(name).getBoundingClientRect();
  return [box.x, box.y, box.width, box.height].map(Math.round);
})"""
LOOKS = "() => engines.map((one) => one.look())"
TOGETHER = """() => {
  const [a, b] = engines.map((one) => one.look());
  return Math.abs(a.lng - b.lng) < 5e-4 && Math.abs(a.lat - b.lat) < 5e-4 &&
    Math.abs(a.zoom - b.zoom) < 1e-3;
}"""


def open_both(app: App, search: str) -> None:
    app.page.add_init_script(KEEP_BOTH)
    app.open(search)
    app.page.wait_for_selector("#map[data-twin-painted]", state="attached")


def middle(app: App, name: str, *, aside: int = 0) -> tuple[float, float]:
    box = app.page.locator(name).bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2 + aside, box["y"] + box["height"] / 2


def drag(app: App, name: str) -> None:
    x, y = middle(app, name)
    app.page.mouse.move(x, y)
    app.page.mouse.down()
    app.page.mouse.move(x + 40, y + 25, steps=4)
    app.page.mouse.up()


@both
def test_the_line_gives_way_to_two_maps_beside_each_other(app: App) -> None:
    open_both(app, "?compare=before")
    app.page.click(".layer-list > summary:has-text('对比')")
    app.page.click(".split >> text=两图并排")
    app.page.wait_for_url(re.compile("split=side"))
    expect(app.page.locator(".map-divider")).to_be_hidden()
    app.page.wait_for_function("() => document.querySelector('.map-box.is-beside')")
    left, right = app.page.evaluate(BOXES)
    assert left[2:] == right[2:]
    assert left[0] + left[2] <= right[0]
    legend = app.page.locator("#legend").bounding_box()
    assert legend is not None
    assert left[1] + left[3] <= legend["y"] + 1
    titles = app.page.locator(".map-side").all_text_contents()
    assert len(set(titles)) == 2
    app.page.go_back()
    expect(app.page.locator(".map-divider")).to_be_visible()
    assert "split" not in app.query()


@both
def test_either_map_leads_the_other(app: App) -> None:
    open_both(app, "?compare=before&split=side")
    app.page.wait_for_function(TOGETHER)
    for name in (".map-canvas", ".map-twin"):
        before = app.page.evaluate(LOOKS)[0]
        drag(app, name)
        app.page.wait_for_function("(lng) => engines[0].look().lng !== lng", arg=before["lng"])
        app.page.wait_for_function(TOGETHER)
    expect(app.page).to_have_url(re.compile(r"#camera="))
    app.page.click(".map-twin .map-zoom-reset")
    expect(app.page).not_to_have_url(re.compile(r"#camera="))
    app.page.wait_for_function(TOGETHER)


@both
def test_pointing_at_one_map_tells_both(app: App) -> None:
    open_both(app, "?compare=before&split=side")
    area = app.area("county", 1)
    for name, at in ((".map-canvas", 0), (".map-twin", 1)):
        point = app.page.evaluate(
            "([at, lng, lat]) => engines[at].project([lng, lat])", [at, area.lng, area.lat]
        )
        box = app.page.locator(name).bounding_box()
        assert box is not None
        x, y = box["x"] + point["x"], box["y"] + point["y"]
        card = app.page.locator("#map-hover-card")
        point_until(app.page, x, y, card.locator(".map-hover-name"), area["name"])
        expect(card.locator(".map-hover-side")).to_have_count(2)
        expect(card.locator(".map-hover-count")).to_have_count(2)
        app.page.mouse.move(1200, 20)


@both
def test_a_picked_area_is_marked_and_the_drill_goes_on_in_both(app: App) -> None:
    open_both(app, "?compare=before&split=side")
    county = app.area("county", 0)
    point = app.page.evaluate("(p) => engines[1].project(p)", [county.lng, county.lat])
    box = app.page.locator(".map-twin").bounding_box()
    assert box is not None
    app.page.mouse.click(box["x"] + point["x"], box["y"] + point["y"])
    app.painted("areas:township")
    expect(app.crumbs()).to_contain_text(county["name"])
    assert {"compare", "split", "area"} <= set(app.query())
    app.page.wait_for_function(TOGETHER)


@both
def test_two_maps_follow_the_window_and_stand_below_each_other_on_a_phone(app: App) -> None:
    open_both(app, "?compare=before&split=side")
    app.page.set_viewport_size({"width": 1000, "height": 700})
    app.page.wait_for_function(TOGETHER)
    narrow = app.page.evaluate(BOXES)
    assert narrow[0][2] == narrow[1][2]
    app.page.set_viewport_size({"width": 390, "height": 844})
    app.page.wait_for_function(
        "() => document.querySelector('.map-twin').getBoundingClientRect().x < 20"
    )
    above, below = app.page.evaluate(BOXES)
    assert above[1] + above[3] <= below[1]
    assert abs(above[2] - below[2]) <= 1
    app.page.wait_for_function(TOGETHER)
    # The charts follow the window a moment later.
    app.page.wait_for_function("() => document.documentElement.scrollWidth <= window.innerWidth")


@pytest.mark.parametrize("renderer", ["canvas"])
def test_a_second_map_of_the_same_boundaries_asks_for_no_geometry(app: App) -> None:
    app.open("?level=township")
    app.painted("areas:township")
    app.page.wait_for_function("() => probe.idle()")
    app.page.wait_for_load_state("networkidle")
    asked: list[str] = []
    app.page.on("request", lambda request: asked.append(request.url))
    app.page.click(".layer-list > summary:has-text('对比')")
    app.page.click(".compare >> text=前一时段")
    app.page.wait_for_selector("#map[data-twin-painted]", state="attached")
    assert [url for url in asked if "/tiles/" in url] == []


@both
def test_a_film_moves_the_first_map_and_its_title_alone(app: App) -> None:
    open_both(app, "?compare=before&split=side")
    titles = app.page.locator(".map-side").all_text_contents()
    twin = app.page.get_attribute("#map", "data-twin-painted")
    app.page.click(".play-open")
    app.page.wait_for_selector("#map[data-painted^='frame ']", state="attached")
    app.page.click(".play-play")
    app.page.click(".play-back")
    first, second = app.page.locator(".map-side").all_text_contents()
    assert first == app.page.locator(".play-title").text_content()
    assert second == titles[1]
    assert app.page.get_attribute("#map", "data-twin-painted") == twin
    app.page.click(".play-close")
    expect(app.page.locator(".map-side").first).to_have_text(titles[0])


def test_a_film_shows_the_incidents_of_every_window(app: App) -> None:
    app.open("?measure=count")
    app.page.click(".play-open")
    app.page.wait_for_selector("#map[data-painted^='frame ']", state="attached")
    app.page.click(".play-play")
    bars = app.page.locator(".play-bars i")
    count = bars.count()
    assert count == 26
    heights = bars.evaluate_all("all => all.map(bar => bar.getBoundingClientRect().height)")
    counts = [
        int(re.sub(r"\D", "", title.rpartition("·")[2]))
        for title in bars.evaluate_all("all => all.map(bar => bar.title)")
    ]
    assert heights == pytest.approx([26 * each / max(counts) for each in counts], abs=0.6)
    bars.nth(3).click()
    expect(bars.nth(3)).to_have_class("is-shown")
    expect(app.page.locator(".play-bars .is-shown")).to_have_count(1)
    expect(app.page.locator(".play-count")).to_have_text(f"{counts[3]:,} 件")
    app.page.locator(".play-track input").press("End")
    expect(app.page.locator(".play-count")).to_have_text(
        app.count().inner_text().split()[0] + " 件"
    )


def test_the_switch_is_reached_by_keyboard(app: App) -> None:
    open_both(app, "?compare=before")
    app.page.locator(".layer-list > summary:has-text('对比')").focus()
    app.page.keyboard.press("Enter")
    app.page.keyboard.press("Tab")
    app.page.keyboard.press("Enter")
    app.page.wait_for_url(re.compile("split=side"))
    expect(app.page.locator(FOCUSED)).to_have_count(1)

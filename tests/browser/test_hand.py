"""The map stays where the reader's hand has moved it, though an answer asked before comes after."""

import pytest
from playwright.sync_api import Route, expect

from tests.browser.opened import PAINT_MS, App, point_until
from tests.browser.probes import RENDERERS
from tests.browser.test_asked_ahead import answered

pytestmark = pytest.mark.browser
expect.set_options(timeout=PAINT_MS)
both = pytest.mark.parametrize("renderer", RENDERERS)

MOVE = """() => {
  const now = probe.look();
  engine.centre([now.lng + 0.02, now.lat + 0.01]);
}"""
"""As the hand would."""

ADDRESS_FOLLOWS = """() => {
  const at = location.hash.split('camera=')[1], now = probe.look();
  return at && [now.lng, now.lat, now.zoom].every((n, i) =>
    Math.abs(n - Number(at.split(',')[i])) < 0.006);
}"""


def moved(app: App) -> None:
    """The first page, with Dash at rest and the map moved by hand."""
    app.open()
    answered(app)
    app.page.evaluate(MOVE)
    app.page.wait_for_function(ADDRESS_FOLLOWS)


def hold(app: App, address: str, said: str = "") -> list[Route]:
    """Keep calls from the server until they are let go: those that say so."""
    held: list[Route] = []

    def keep(route: Route) -> None:
        if said in (route.request.post_data or ""):
            held.append(route)
        else:
            route.fallback()

    app.page.route(address, keep)
    return held


def until_held(app: App, held: list[Route]) -> None:
    for _ in range(PAINT_MS // 50):
        if held:
            return
        app.page.wait_for_timeout(50)


@both
def test_a_move_before_dash_has_the_page_is_in_the_address(app: App) -> None:
    app.page.add_init_script(
        f"document.addEventListener('pingan:painted', {MOVE}, {{ once: true }});"
    )
    app.open()
    answered(app)
    app.page.wait_for_function(ADDRESS_FOLLOWS)


SIZES = """() => {
  const map = document.getElementById('map');
  window.sizes = [];
  new ResizeObserver(() => sizes.push(map.clientWidth + ' x ' + map.clientHeight)).observe(map);
}"""


@pytest.mark.parametrize("size", [(1366, 768), (1920, 1080), (390, 844)])
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_map_keeps_its_size_once_it_is_painted(
    app: App, size: tuple[int, int], lang: str
) -> None:
    """A map that is resized under the hand drops what the hand was doing."""
    app.page.set_viewport_size({"width": size[0], "height": size[1]})
    app.page.add_init_script(
        f"document.addEventListener('pingan:painted', {SIZES}, {{ once: true }});"
    )
    app.open("?lang=en" if lang == "en" else "")
    answered(app)
    expect(app.page.locator(".footer")).not_to_be_empty()
    expect(app.page.locator(".account-menu")).to_be_visible()
    app.page.evaluate("() => new Promise(done => requestAnimationFrame(done))")
    sizes = app.page.evaluate("sizes")
    assert len(sizes) == 1, sizes


@both
def test_a_drag_survives_a_box_that_changes_its_size(app: App) -> None:
    app.open()
    answered(app)
    app.settled_camera()
    mouse, before = app.page.mouse, app.page.evaluate("() => probe.look()")
    mouse.move(500, 420)
    mouse.down()
    mouse.move(515, 430, steps=2)
    app.page.evaluate(
        "() => new Promise(done => { document.querySelector('.footer').style.height = '60px';"
        " new ResizeObserver(() => setTimeout(done, 50)).observe(document.getElementById('map')); })"
    )
    mouse.move(540, 450, steps=4)
    mouse.up()
    app.page.wait_for_function(ADDRESS_FOLLOWS)
    now = app.page.evaluate("() => probe.look()")
    assert now["lng"] < before["lng"]
    assert now["zoom"] == pytest.approx(before["zoom"], abs=0.01)
    app.page.wait_for_function(
        "() => { const [map, drawn] = ['#map', '#map canvas'].map(one =>"
        " document.querySelector(one)); return !('resize' in engine.map) ||"
        " Math.abs(drawn.clientHeight - map.clientHeight) < 2; }"
    )


@both
def test_a_move_while_an_answer_is_under_way_stays(app: App) -> None:
    moved(app)
    held = hold(app, "**/_dash-update-component*", "...map-view.data...")
    app.page.locator("#earlier").click()
    until_held(app, held)
    app.page.evaluate(MOVE)
    there = app.page.evaluate("() => probe.look()")
    held.pop().continue_()
    answered(app)
    assert app.page.evaluate("() => probe.look()") == pytest.approx(there, abs=1e-3)
    app.page.wait_for_function(ADDRESS_FOLLOWS)


@both
def test_an_answer_that_is_dropped_does_not_move_the_map(app: App) -> None:
    moved(app)
    app.page.locator("#earlier").click()  # its view holds this camera
    answered(app)
    app.page.evaluate(MOVE)
    app.page.wait_for_function(ADDRESS_FOLLOWS)
    there = app.page.evaluate("() => probe.look()")
    app.page.evaluate(
        "() => { PinganMap.takeAhead(dash_component_api.getLayout('map-view').props.data);"
        " PinganMap.dropAhead(); }"
    )
    assert app.page.evaluate("() => probe.look()") == pytest.approx(there, abs=1e-3)


def test_a_card_opened_before_the_names_are_here_gets_its_name(app: App) -> None:
    held = hold(app, "**/names/**")
    app.open()
    answered(app)
    area = app.area("county", 1)
    x, y = app.page.evaluate("(p) => probe.project(...p)", [area.lng, area.lat])
    box = app.page.locator("#map .map-canvas").bounding_box()
    assert box is not None
    name = app.page.locator("#map-hover-card .map-hover-name")
    point_until(app.page, box["x"] + x, box["y"] + y, name, "…")
    until_held(app, held)
    app.page.unroute("**/names/**")
    for route in held:
        route.continue_()
    expect(name).to_have_text(area["name"])

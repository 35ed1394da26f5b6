"""Both map engines in a real Chromium, without Dash: painting, events, themes, no outside request."""

import copy
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pytest
from playwright.sync_api import Browser, ConsoleMessage, Error, Page, Request

from dashboard.map.values import paired
from tests.browser import map_harness as harness
from tests.browser.probes import FOCUSED, KEEP_ENGINE, RENDERERS

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not harness.DATA.is_dir(), reason="no Merseyside polygons here"),
]


class Watched:
    """A page with what went wrong on it and what it asked from other hosts."""

    def __init__(self, page: Page, address: str) -> None:
        self.page = page
        self.complaints: list[str] = []
        self.outside: list[str] = []
        self.requested: list[str] = []
        page.on("console", self._hear)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", self._see)
        page.goto(address)

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.complaints.append(message.text)

    def _see(self, request: Request) -> None:
        self.requested.append(request.url)
        host = urlsplit(request.url).hostname
        if host not in {None, "127.0.0.1"}:
            self.outside.append(request.url)

    def apply(self, view: dict[str, Any], values: dict[str, Any]) -> None:
        self.apply_view(view)
        self.apply_values(values)
        self.wait_painted(values["version"])

    def apply_view(self, view: dict[str, Any]) -> None:
        self.page.evaluate("view => { dash_clientside.pingan.applyView(view); }", view)

    def apply_values(self, values: dict[str, Any]) -> None:
        self.page.evaluate("values => { dash_clientside.pingan.applyValues(values); }", values)

    def wait_painted(self, version: str) -> None:
        self.page.wait_for_selector(f"#map[data-painted='{version}']", state="attached")

    def sent(self, store: str, kind: str) -> list[dict[str, Any]]:
        every = self.page.evaluate("window.sent")
        return [event for event in every if event["store"] == store and event["kind"] == kind]

    def wait_sent(self, store: str, kind: str, *, at_least: int = 1) -> list[dict[str, Any]]:
        self.page.wait_for_function(
            "([store, kind, n]) => window.sent.filter("
            "event => event.store === store && event.kind === kind).length >= n",
            arg=[store, kind, at_least],
        )
        return self.sent(store, kind)

    def asked(self, part: str) -> bool:
        """Whether an address with this part was asked for."""
        return any(part in address for address in self.requested)

    def changed(self) -> int:
        """How many areas the last values changed."""
        return self.page.evaluate(
            "performance.getEntriesByName('pingan:applied').pop().detail.changed"
        )

    def point_in(self, level: str, index: int) -> tuple[float, float]:
        """Where on the screen the label point of an area lies, the camera being on the focus."""
        names = harness.names_of(level)
        return self.project(names["lng"][index], names["lat"][index])

    def project(self, lng: float, lat: float) -> tuple[float, float]:
        found = self.page.evaluate("([lng, lat]) => probe.project(lng, lat)", [lng, lat])
        return found[0], found[1]

    def colour_at(self, x: float, y: float) -> tuple[int, int, int]:
        """The drawn colour of one pixel of the map, straight from its frame."""
        self.page.wait_for_function("() => probe.idle()")
        red, green, blue = self.page.evaluate("([x, y]) => probe.colour(x, y)", [x, y])
        return red, green, blue


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    tiles = tmp_path_factory.mktemp("tiles")
    harness.cut_all(tiles)
    with harness.serve(tiles) as url:
        yield url


@pytest.fixture(params=RENDERERS)
def renderer(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def watched(browser: Browser, address: str, renderer: str) -> Iterator[Watched]:
    page = browser.new_page(viewport={"width": 700, "height": 600}, reduced_motion="reduce")
    page.add_init_script(KEEP_ENGINE)
    found = Watched(page, f"{address}?renderer={renderer}")
    yield found
    assert found.complaints == []
    assert found.outside == []
    page.close()


def county_values(version: str = "v1", bands: list[int] | None = None) -> dict[str, Any]:
    chosen = np.array(bands or [1, 2, 3, 4, 1])
    return harness.make_values("areas:county", chosen, version)


def set_palette(view: dict[str, Any]) -> dict[str, Any]:
    """The same view in pure colours, to be read back from the frame."""
    view["palette"] = {
        "areas": ["#0000ff", "#ffff00", "#ff8000", "#ff0000"],
        "cells": ["#00ff00"],
        "no_data": "#808080",
    }
    return view


def test_every_band_is_painted_in_its_colour(watched: Watched) -> None:
    watched.apply(
        set_palette(harness.make_view(names=None)), county_values(bands=[1, 2, 3, 4, 255])
    )
    drawn = [watched.colour_at(*watched.point_in("county", index)) for index in range(5)]
    assert drawn[:4] == [(0, 0, 255), (255, 255, 0), (255, 128, 0), (255, 0, 0)]
    land = watched.page.evaluate(
        "getComputedStyle(document.documentElement).getPropertyValue('--map-land').trim()"
    )
    assert "#{:02x}{:02x}{:02x}".format(*drawn[4]) == land  # an absent area shows the ground


def test_only_changed_areas_are_recoloured(watched: Watched) -> None:
    view = harness.make_view("community")
    bands = harness.level_bands("community")
    watched.apply(view, harness.make_values("areas:community", bands, "a"))
    assert watched.changed() == len(bands)
    changed = bands.copy()
    changed[[3, 30, 300]] = [2 if band != 2 else 3 for band in bands[[3, 30, 300]]]
    watched.apply(view, harness.make_values("areas:community", changed, "b"))
    assert watched.changed() == 3


def test_values_may_come_before_their_view(watched: Watched) -> None:
    watched.apply_values(county_values())
    watched.apply_view(harness.make_view())
    watched.wait_painted("v1")


def test_values_of_another_level_wait(watched: Watched) -> None:
    watched.apply(harness.make_view(), county_values())
    bands = harness.level_bands("township")
    watched.apply_values(harness.make_values("areas:township", bands, "t1"))
    assert watched.page.get_attribute("#map", "data-shown") == "areas:county"
    watched.apply_view(harness.make_view("township", ("county", 1)))
    watched.wait_painted("t1")
    assert watched.page.get_attribute("#map", "data-shown") == "areas:township"


def test_returning_to_a_level_forgets_its_old_colours(watched: Watched) -> None:
    county = set_palette(harness.make_view(names=None))
    watched.apply(county, county_values("one", [1, 1, 1, 1, 1]))
    bands = harness.level_bands("township")
    watched.apply(
        set_palette(harness.make_view("township", names=None)),
        harness.make_values("areas:township", bands, "two"),
    )
    watched.apply(county, county_values("three", [4, 4, 4, 4, 255]))
    assert watched.colour_at(*watched.point_in("county", 2)) == (255, 0, 0)
    assert watched.colour_at(*watched.point_in("county", 4)) not in {(0, 0, 255), (255, 0, 0)}


def test_a_new_boundary_drops_the_old_geometry(watched: Watched) -> None:
    watched.apply(harness.make_view(), county_values("old"))
    view = harness.make_view(boundary="b2")
    for row in view["levels"]:
        row["tiles"] = row["tiles"].replace("b1", "b2")
    watched.apply_view(view)
    watched.apply(view, county_values("new") | {"boundary": "b2"})
    assert watched.asked("/tiles/b2/county/")
    assert watched.changed() == 5


def test_new_cell_addresses_drop_the_old_cells_and_no_areas(watched: Watched) -> None:
    n = len(harness.cells())
    key = f"cells:{harness.RESOLUTION}"
    view = set_palette(harness.make_view(layer="cells", names=None))
    watched.apply(view, harness.make_values(key, np.ones(n, "u1"), "old"))
    later = copy.deepcopy(view)
    for tiles in later["cells"].values():
        tiles["tiles"] = tiles["tiles"].replace("b1", "b2")
    watched.apply_view(later)
    watched.apply(later, harness.make_values(key, np.ones(n, "u1"), "new"))
    assert watched.asked("/tiles/b2/cells_8/")
    assert not watched.asked("/tiles/b2/city/")
    middle = harness.cells()[n // 2].centroid
    watched.page.mouse.click(*watched.project(middle.x, middle.y))
    assert watched.wait_sent("map-event", "click")[0]["index"] == n // 2


def test_every_click_reports_its_area(watched: Watched) -> None:
    watched.apply(harness.make_view(), county_values())
    x, y = watched.point_in("county", 3)
    watched.page.mouse.click(x, y)
    watched.page.mouse.click(x, y)
    first, second = watched.wait_sent("map-event", "click", at_least=2)
    assert (first["layer"], first["level"], first["index"]) == ("areas", "county", 3)
    assert second["index"] == 3
    assert second["counter"] > first["counter"]


def test_an_absent_area_takes_no_click(watched: Watched) -> None:
    watched.apply(harness.make_view(), county_values(bands=[1, 2, 3, 255, 4]))
    watched.page.mouse.click(*watched.point_in("county", 3))
    watched.page.mouse.click(*watched.point_in("county", 1))
    assert [event["index"] for event in watched.wait_sent("map-event", "click")] == [1]


def test_a_drag_is_a_camera_move_and_no_click(watched: Watched) -> None:
    watched.apply(harness.make_view(), county_values())
    x, y = watched.point_in("county", 1)
    watched.page.mouse.move(x, y)
    watched.page.mouse.down()
    watched.page.mouse.move(x + 60, y + 40, steps=6)
    watched.page.mouse.up()
    camera = watched.wait_sent("map-camera", "camera")[-1]
    assert len(camera["bounds"]) == 4
    assert camera["lng"] == round(camera["lng"], 5)
    assert watched.sent("map-event", "click") == []


def test_an_applied_camera_is_not_reported(watched: Watched) -> None:
    watched.apply(harness.make_view(), county_values("v1"))
    watched.apply(harness.make_view(camera=[-2.9, 53.45, 11.5]), county_values("v2"))
    # The canvas engine keeps to zooms at which a tile is a whole number of pixels wide.
    assert watched.page.evaluate("probe.look().zoom") == pytest.approx(11.5, abs=3e-3)
    assert watched.sent("map-camera", "camera") == []


def test_hover_fills_the_card_and_reports_once_an_area(watched: Watched) -> None:
    watched.apply(harness.make_view(), county_values(bands=[1, 2, 131, 4, 0]))
    watched.page.wait_for_function("() => PinganMap.namesAt('/names/b1/county.json') !== null")
    x, y = watched.point_in("county", 2)
    watched.page.mouse.move(x, y)
    watched.page.mouse.move(x + 1, y + 1)
    event = watched.wait_sent("map-hover", "hover")[-1]
    assert (event["level"], event["index"]) == ("county", 2)
    card = watched.page.locator("#map-hover-card")
    assert card.locator(".map-hover-name").inner_text() == "测试区3"
    assert card.locator(".map-hover-band").inner_text() == "橙色 较高"
    assert card.locator(".map-hover-count").inner_text() == "件数 2"
    assert card.locator(".map-hover-small").count() == 1
    watched.page.mouse.move(*watched.point_in("county", 4))
    watched.wait_sent("map-hover", "hover", at_least=2)
    assert card.locator(".map-hover-band").inner_text() == "暂无数据"
    assert card.locator(".map-hover-small").count() == 0
    watched.page.mouse.move(2, 2)
    watched.wait_sent("map-hover", "leave")
    assert not card.is_visible()


def test_a_late_answer_about_another_area_stays_hidden(watched: Watched) -> None:
    watched.apply(harness.make_view(), county_values())
    watched.page.mouse.move(*watched.point_in("county", 2))
    watched.wait_sent("map-hover", "hover")
    fill = "key => { document.getElementById('map-hover-detail').innerHTML = `<p data-key='${key}'>x</p>`; }"
    watched.page.evaluate(fill, "county:1")
    assert not watched.page.locator("#map-hover-detail").is_visible()
    watched.page.evaluate(fill, "county:2")
    watched.page.wait_for_selector("#map-hover-detail", state="visible")


def test_escape_goes_up_and_enter_opens_the_selected_area(watched: Watched) -> None:
    watched.apply(harness.make_view(selected=4), county_values())
    watched.page.focus(FOCUSED)
    watched.page.keyboard.press("Escape")
    watched.page.keyboard.press("Enter")
    assert watched.wait_sent("map-event", "up")
    assert watched.wait_sent("map-event", "click")[-1]["index"] == 4


def test_names_inside_the_focus_are_drawn_from_local_fonts(watched: Watched) -> None:
    bands = harness.level_bands("township")
    view = harness.make_view("township", ("county", 1))
    watched.apply(view, harness.make_values("areas:township", bands, "v1"))
    watched.page.wait_for_function("() => probe.names().length > 5")
    shown = watched.page.evaluate("probe.names()")
    names = harness.names_of("township")
    inside = {
        name for name, parent in zip(names["names"], names["parent"], strict=True) if parent == 1
    }
    assert set(shown) <= inside


def test_cells_are_drawn_and_empty_cells_are_not_hit(watched: Watched) -> None:
    n = len(harness.cells())
    bands = np.zeros(n, "u1")
    bands[n // 2] = 1
    view = set_palette(harness.make_view(layer="cells", names=None))
    watched.apply(view, harness.make_values(f"cells:{harness.RESOLUTION}", bands, "c1"))
    drawn, empty = (harness.cells()[index].centroid for index in (n // 2, n // 3))
    x, y = watched.project(drawn.x, drawn.y)
    assert watched.colour_at(x, y) == (0, 255, 0)
    watched.page.mouse.click(*watched.project(empty.x, empty.y))
    watched.page.mouse.click(x, y)
    click = watched.wait_sent("map-event", "click")[0]
    assert (click["layer"], click["resolution"], click["index"]) == ("cells", 8, n // 2)


def test_theme_repaints_without_new_values(watched: Watched) -> None:
    view = harness.make_view(names=None)
    watched.apply(view, county_values())
    x, y = watched.point_in("county", 0)
    light = watched.colour_at(x, y)
    watched.page.evaluate("() => { dash_clientside.pingan.theme('dark', 'en'); }")
    assert watched.page.get_attribute("html", "data-theme") == "dark"
    assert watched.page.get_attribute("html", "lang") == "en"
    assert watched.colour_at(x, y) != light


@pytest.mark.parametrize("renderer", ["gl"])
def test_another_palette_cuts_no_tile_anew(watched: Watched) -> None:
    view = harness.make_view(names=None)
    watched.apply(view, county_values("v1", [1, 130, 0, 4, 4]))  # plain, small sample, no data
    watched.page.wait_for_function("() => probe.idle()")
    watched.page.evaluate(
        "() => { window.cut = []; engine.map.on('data', (event) => {"
        " if (event.tile && event.sourceId === 'areas:county') cut.push(event.tile.state); }); }"
    )
    other = set_palette(harness.make_view(names=None))
    watched.apply(other, county_values("v2", [1, 2, 3, 4, 4]))
    assert watched.colour_at(*watched.point_in("county", 1)) == (255, 255, 0)
    assert watched.page.evaluate("window.cut") == []


def test_a_new_palette_alone_recolours(watched: Watched) -> None:
    watched.apply(harness.make_view(names=None), county_values("v1", [4, 4, 4, 4, 4]))
    watched.apply_view(set_palette(harness.make_view(names=None)))
    watched.page.wait_for_function("() => probe.idle()")
    assert watched.colour_at(*watched.point_in("county", 0)) == (255, 0, 0)


def test_the_same_language_does_not_restyle_the_page(watched: Watched) -> None:
    watched.apply(harness.make_view(), county_values("v1"))
    watched.page.evaluate(
        "() => { window.told = []; new MutationObserver((rows) => told.push(...rows)).observe("
        "document.documentElement, { attributeFilter: ['lang'] }); }"
    )
    watched.apply(harness.make_view(), county_values("v2", [1, 1, 1, 1, 1]))
    assert watched.page.evaluate("told.length") == 0
    watched.page.evaluate("() => { dash_clientside.pingan.theme('light', 'en'); }")
    assert watched.page.evaluate("() => Promise.resolve().then(() => told.length)") == 1


def test_a_new_map_element_gets_a_new_map(watched: Watched) -> None:
    watched.apply(harness.make_view(), county_values("v1"))
    watched.page.evaluate(
        "() => { const old = document.getElementById('map'); const made = document.createElement('div');"
        " made.id = 'map'; old.replaceWith(made); }"
    )
    watched.apply(harness.make_view(), county_values("v2"))
    assert watched.page.locator(".map-canvas").count() == 1
    assert watched.page.locator(FOCUSED).count() == 1


@pytest.mark.parametrize("search", ["", "?renderer=gl"])
def test_without_webgl2_the_canvas_takes_over(
    address: str, plain_browser: Browser, search: str
) -> None:
    page = plain_browser.new_page()
    assert page.evaluate("() => document.createElement('canvas').getContext('webgl2')") is None
    watched = Watched(page, address + search)
    watched.apply(harness.make_view(), county_values())
    assert watched.page.get_attribute("#map", "data-renderer") == "canvas"
    assert not watched.asked("maplibre-gl-worker")
    assert watched.outside == []
    page.close()


def test_software_gl_gives_way_to_the_canvas(address: str, gl_browser: Browser) -> None:
    page = gl_browser.new_page()
    watched = Watched(page, address)
    watched.apply(harness.make_view(), county_values())
    assert page.get_attribute("#map", "data-renderer") == "canvas"
    page.close()


@pytest.mark.parametrize(
    ("lang", "title"), [("zh", "无法显示地图"), ("en", "The map cannot be drawn")]
)
def test_without_webgl2_the_box_says_so(
    address: str, plain_browser: Browser, lang: str, title: str
) -> None:
    page = plain_browser.new_page()
    page.add_init_script("delete window.Path2D;")
    watched = Watched(page, address)
    watched.apply_view(harness.make_view(lang=lang))
    watched.apply_values(county_values())
    assert watched.page.locator(".map-unsupported strong").inner_text() == title
    assert watched.outside == []
    page.close()


# --- motion, and what lies over the colours ------------------------------------------------------


def heat(view: dict[str, Any], values: dict[str, Any], *, opacity: float) -> None:
    """Put a cell of full strength over every area."""
    view["overlays"] = [
        {
            "id": "cells",
            "type": "fill",
            "key": "cells:8",
            "opacity": opacity,
            "palette": ["#00ff00"],
        },
        {"id": "lines_city", "type": "lines", "level": "city", "opacity": 0.5},
        {"id": "signals", "type": "marks", "opacity": 1},
    ]
    names = harness.names_of("county")
    values["overlays"] = {
        "cells": harness.make_values("cells:8", np.ones(len(harness.cells()), "u1"), "heat"),
        "signals": {"n": 1, "lng": names["lng"][1:2], "lat": names["lat"][1:2], "index": [1],
                    "icon": ["signal-4"], "level": "county", "label": ["红色信号"]},
    }  # fmt: skip


@pytest.mark.parametrize(("opacity", "drawn"), [(1, (0, 255, 0)), (0.5, (128, 128, 0))])
def test_a_second_fill_lies_over_the_first(
    watched: Watched, opacity: float, drawn: tuple[int, int, int]
) -> None:
    view, values = set_palette(harness.make_view(names=None)), county_values(bands=[4] * 5)
    heat(view, values, opacity=opacity)
    watched.apply(view, values)
    middle = harness.cells()[len(harness.cells()) // 2].centroid
    for _ in range(100):  # both fills come one after the other, and a fill may fade in
        found = watched.colour_at(*watched.project(middle.x, middle.y))
        if found == pytest.approx(drawn, abs=2):
            break
        watched.page.wait_for_timeout(50)
    assert found == pytest.approx(drawn, abs=2)


def test_an_icon_tells_its_meaning_on_the_card(watched: Watched) -> None:
    view, values = harness.make_view(), county_values()
    heat(view, values, opacity=0.5)
    watched.apply(view, values)
    x, y = watched.point_in("county", 1)
    note = watched.page.locator("#map-hover-card .map-hover-note")
    watched.page.mouse.move(x, y)
    for step in range(200):  # icons come after the colours
        watched.page.mouse.move(x + step % 2, y)
        if note.count():
            break
        watched.page.wait_for_timeout(50)
    assert note.inner_text() == "红色信号"


def test_a_twin_is_followed_without_a_report(watched: Watched) -> None:
    watched.apply(harness.make_view(), county_values())
    watched.page.evaluate("() => engine.follow([-2.95, 53.44, 12.25])")
    assert watched.page.evaluate("probe.look()") == pytest.approx(
        {"lng": -2.95, "lat": 53.44, "zoom": 12.25}, abs=1e-6
    )
    watched.page.wait_for_function("() => probe.idle() && !probe.moving()")
    assert watched.sent("map-camera", "camera") == []


@pytest.mark.parametrize(("key", "zoom"), [("Shift+ArrowRight", 0), ("+", 1), ("-", -1)])
def test_keys_move_the_map_and_say_so(watched: Watched, key: str, zoom: int) -> None:
    watched.apply(harness.make_view(), county_values())
    before = watched.page.evaluate("probe.look()")
    watched.page.focus(FOCUSED)
    watched.page.keyboard.press(key)
    camera = watched.wait_sent("map-camera", "camera")[-1]
    assert camera["zoom"] == pytest.approx(before["zoom"] + zoom, abs=0.02)
    assert (camera["lng"] > before["lng"] + 1e-3) == ("Arrow" in key)


def test_the_wheel_zooms_round_the_pointer(watched: Watched) -> None:
    watched.apply(harness.make_view(), county_values())
    names = harness.names_of("county")
    place = names["lng"][0], names["lat"][0]
    x, y = watched.project(*place)
    zoom = watched.page.evaluate("probe.look().zoom")
    watched.page.mouse.move(x, y)
    watched.page.mouse.wheel(0, -300)
    camera = watched.wait_sent("map-camera", "camera")[-1]
    assert camera["zoom"] > zoom + 0.2
    assert watched.project(*place) == pytest.approx((x, y), abs=2)


@pytest.mark.parametrize("renderer", ["canvas"])
def test_the_canvas_pans_without_drawing(watched: Watched) -> None:
    bands = harness.level_bands("township")
    watched.apply(harness.make_view("township"), harness.make_values("areas:township", bands, "v1"))
    watched.page.wait_for_function("() => probe.idle() && probe.names().length")
    watched.page.evaluate(
        "() => { window.drawn = 0; for (const [kind, verb] of [[engine.sheets, 'draw'],"
        " [engine.signs, 'paint']]) { const plain = kind[verb].bind(kind);"
        " kind[verb] = (...told) => { window.drawn += 1; return plain(...told); }; } }"
    )
    watched.page.mouse.move(350, 300)
    watched.page.mouse.down()
    for step in range(12):
        watched.page.mouse.move(350 + 4 * step, 300 + 2 * step)
    assert watched.page.evaluate("window.drawn") == 0
    watched.page.mouse.up()
    watched.wait_sent("map-camera", "camera")


@pytest.mark.parametrize("renderer", ["canvas"])
def test_the_canvas_draws_a_city_smaller_than_its_smallest_tiles(watched: Watched) -> None:
    view = set_palette(harness.make_view(names=None, camera=[-2.9, 53.45, harness.ZOOMS[0] - 1.7]))
    watched.apply(view, county_values(bands=[4] * 5))
    assert watched.colour_at(*watched.point_in("county", 1)) == (255, 0, 0)


@pytest.mark.parametrize("renderer", ["canvas"])
def test_the_canvas_recolours_from_what_it_has(watched: Watched) -> None:
    bands = harness.level_bands("grid")
    watched.apply(harness.make_view("grid"), harness.make_values("areas:grid", bands, "v1"))
    watched.page.wait_for_function("() => probe.idle()")
    asked = len(watched.requested)
    watched.page.evaluate(
        "() => { window.filled = 0; const plain = PinganMap.raster.rasterise;"
        " PinganMap.raster.rasterise = (...told) => { window.filled += 1; return plain(...told); }; }"
    )
    other = np.roll(bands, 1)
    watched.apply(harness.make_view("grid"), harness.make_values("areas:grid", other, "v2"))
    assert watched.page.evaluate("window.filled") == 0
    assert len(watched.requested) == asked


@pytest.mark.parametrize("renderer", ["canvas"])
def test_an_area_is_found_while_a_new_zoom_is_not_drawn_yet(watched: Watched) -> None:
    watched.apply(harness.make_view(), county_values())
    watched.page.wait_for_function("() => probe.idle()")
    spot = watched.point_in("county", 2)
    found = watched.page.evaluate(
        "([x, y]) => { const box = document.getElementById('map').getBoundingClientRect();"
        " const at = { x: x - box.x, y: y - box.y }; const before = engine.pick(at);"
        " const place = engine.map.containerPointToLatLng([at.x, at.y]);"
        " engine.map._resetView(engine.map.getCenter(), engine.map.getZoom() + 0.6);"
        " const drawn = engine.sheets.current().filter((sheet) => sheet.version).length;"
        " const there = engine.map.latLngToContainerPoint(place);"
        " return [before, drawn, engine.pick(there)]; }",
        list(spot),
    )
    assert found == [2, 0, 2]


@pytest.mark.parametrize("renderer", ["canvas"])
def test_kept_tiles_are_bounded(watched: Watched) -> None:
    watched.apply(harness.make_view(), county_values())
    watched.page.wait_for_function("() => probe.idle()")
    kept = watched.page.evaluate(
        "() => { const store = engine.sheets.store; for (let at = 0; at < 40; at += 1)"
        " store.keep('tile' + at, Object.assign({}, PinganMap.geometry.EMPTY, { bytes: 1e6 }));"
        " return [store.bytes, store.kept.size]; }"
    )
    assert kept[0] <= 4.5e6
    assert kept[1] <= 4


@pytest.mark.parametrize("renderer", ["canvas"])
@pytest.mark.parametrize("count", [0, 1, 5, 6])
def test_bands_that_travel_in_pairs_are_read(watched: Watched, count: int) -> None:
    bands = np.arange(7, 7 - count, -1, dtype="u1")
    values = {"layer": "cells", "resolution": 8, "n": count, "pairs": paired(bands), "small": 0}
    read = watched.page.evaluate("sent => Array.from(PinganMap.decodeValues(sent).bands)", values)
    assert read == bands.tolist()
    with pytest.raises(Error, match="RangeError"):
        watched.page.evaluate("sent => PinganMap.decodeValues(sent)", values | {"n": count + 2})


@pytest.mark.parametrize("renderer", RENDERERS)
def test_marks_of_the_clock_do_not_pile_up(watched: Watched) -> None:
    for version in ("v1", "v2", "v3"):
        watched.apply(harness.make_view(), county_values(version))
    marks = watched.page.evaluate("performance.getEntriesByName('pingan:applied').length")
    assert marks == 1

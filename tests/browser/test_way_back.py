"""Leaving an area restores what the reader had above it, by every way that leads up."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.opened import PAINT_MS, App
from tests.browser.probes import FOCUSED, RENDERERS

pytestmark = pytest.mark.browser
expect.set_options(timeout=PAINT_MS)
both = pytest.mark.parametrize("renderer", RENDERERS)


def pan(app: App) -> dict[str, float]:
    """Move the map by hand; gives where it looks then."""
    app.settled_camera()
    app.page.mouse.move(500, 420)
    app.page.mouse.down()
    app.page.mouse.move(530, 440, steps=4)
    app.page.mouse.up()
    # The address follows a while after; a step back leads to what it holds.
    app.page.wait_for_function(
        "() => { const at = location.hash.split('camera=')[1], now = probe.look();"
        " return at && [now.lng, now.lat, now.zoom].every((n, i) =>"
        " Math.abs(n - Number(at.split(',')[i])) < 0.006) && !probe.moving(); }"
    )
    return look(app)


def look(app: App) -> dict[str, float]:
    app.settled_camera()
    found: dict[str, float] = app.page.evaluate("() => probe.look()")
    return found


def leave(app: App, way: str) -> None:
    if way == "back":
        app.page.go_back()
    elif way == "crumb":
        app.crumbs().locator("a").first.click()
    else:
        app.page.locator(FOCUSED).focus()
        app.page.keyboard.press(way)


@both
@pytest.mark.parametrize("way", ["back", "crumb", "Escape", "Backspace"])
def test_the_camera_above_comes_back(app: App, way: str) -> None:
    app.open()
    app.painted("areas:county")
    above = pan(app)
    app.click_area("county", 1)
    app.painted("areas:township")
    expect(app.crumbs()).to_contain_text(app.area("county", 1)["name"])
    assert look(app)["zoom"] > above["zoom"] + 0.1
    leave(app, way)
    app.painted("areas:county")
    expect(app.crumbs()).not_to_contain_text(app.area("county", 1)["name"])
    now = look(app)
    assert [now["lng"], now["lat"]] == pytest.approx([above["lng"], above["lat"]], abs=1e-3)
    assert now["zoom"] == pytest.approx(above["zoom"], abs=0.01)


def test_a_camera_that_was_not_moved_gives_the_whole_area(app: App) -> None:
    app.open()
    app.painted("areas:county")
    whole = look(app)
    app.click_area("county", 1)
    app.painted("areas:township")
    pan(app)
    app.page.locator(FOCUSED).focus()
    app.page.keyboard.press("Escape")
    app.painted("areas:county")
    assert look(app) == pytest.approx(whole, abs=1e-3)
    expect(app.page).not_to_have_url(re.compile("#camera="))


def test_the_level_that_was_shown_comes_back(app: App) -> None:
    app.open("?level=township")
    app.painted("areas:township")
    township = app.area("township", 0)
    app.click_area("township", 0)
    app.painted("areas:community")
    app.page.locator(FOCUSED).focus()
    app.page.keyboard.press("Escape")  # to the county, where the reader has not been
    app.painted("areas:township")
    expect(app.crumbs()).not_to_contain_text(township["name"])
    app.page.locator(FOCUSED).focus()
    app.page.keyboard.press("Escape")
    expect(app.page).to_have_url(re.compile("level=township"))
    assert "area" not in app.query()


@both
def test_a_link_of_the_panel_keeps_the_camera_of_now(app: App) -> None:
    app.open()
    app.painted("areas:county")
    moved = pan(app)
    app.page.click(".measures >> text=风险指数")
    app.page.wait_for_url(re.compile("measure=index"))
    expect(app.page.locator(".measures .current")).to_have_text("风险指数")
    assert look(app) == pytest.approx(moved, abs=1e-2)
    expect(app.page).to_have_url(re.compile("#camera="))


def leads_on(app: App, key: str, said: str) -> bool:
    """Whether an arrow leads to another area: not every area has one on every side."""
    app.page.keyboard.press(key)
    try:
        expect(app.page.locator(".map-live")).not_to_have_text(said, timeout=2_000)
    except AssertionError:
        return False
    return True


@both
def test_arrows_lead_over_the_areas_enter_opens_and_escape_returns(app: App) -> None:
    app.open()
    app.painted("areas:county")
    app.page.locator(FOCUSED).focus()
    told = app.page.locator(".map-live")
    app.page.keyboard.press("ArrowRight")
    expect(told).not_to_be_empty()
    first = told.text_content() or ""
    assert re.search(r"件数 [\d,]+", first)
    expect(app.page.locator("#map-hover-card")).to_have_class(re.compile("is-open"))
    assert any(
        leads_on(app, key, first) for key in ("ArrowRight", "ArrowLeft", "ArrowUp", "ArrowDown")
    )
    name = (told.text_content() or "").split("，")[0]
    app.page.keyboard.press("Enter")
    app.painted("areas:township")
    expect(app.crumbs()).to_contain_text(name)
    app.page.keyboard.press("Escape")
    app.painted("areas:county")
    expect(told).to_have_text(re.compile("^" + re.escape(name)))

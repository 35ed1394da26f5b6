"""The panels beside the map in a real Chromium: what is built in the browser, and what fits."""

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser


def test_the_hours_are_a_table_with_headers(app):
    app.open("?periods=52")
    table = app.page.locator("table.hours")
    expect(table.locator("tbody tr")).to_have_count(7)
    cell = table.locator("tbody tr").nth(4).locator("td").nth(18)
    count = cell.text_content()
    assert count in (cell.get_attribute("title") or "")
    assert "18" in (cell.get_attribute("title") or "")
    assert table.locator("thead th").count() == 9
    assert table.locator("tbody th[scope=row]").count() == 7


def test_a_category_of_the_tree_filters_and_lets_go(app):
    app.open("?periods=52")
    whole = app.count().text_content()
    app.page.locator(".tree > details > summary").click()
    app.page.locator(".tree details details > summary").first.click()
    app.page.locator(".tree details details[open] button").first.click()
    expect(app.count()).not_to_have_text(whole or "")
    pressed = app.page.locator(".tree button[aria-pressed=true]")
    expect(pressed).to_have_count(1)
    assert app.query()["category"]
    pressed.click()
    expect(app.count()).to_have_text(whole or "")


@pytest.mark.parametrize("size", [(1366, 768), (390, 844)])
def test_the_ranking_shows_its_last_column(app, size):
    app.page.set_viewport_size({"width": size[0], "height": size[1]})
    app.open("?level=township")
    box = app.page.locator(".table-box", has=app.page.locator("table.ranking")).first
    expect(box).to_be_visible()
    assert box.evaluate("box => box.scrollWidth <= box.clientWidth")


def test_a_link_of_a_panel_moves_the_view_and_keeps_what_stands(app):
    app.open()
    link = app.page.locator("#ranking a[data-link]").first
    expect(link).to_be_visible()
    before = app.count().text_content()
    app.page.evaluate("() => { window.kept = document.querySelector('#kpis .kpi'); }")
    asked = []
    app.page.on("request", lambda one: asked.append(one) if "update-component" in one.url else None)
    link.click()
    expect(app.count()).not_to_have_text(before or "")
    assert app.query()["area"]
    assert app.page.evaluate("() => window.kept.isConnected")
    # Who sees the whole city has nothing to compare: map and panels, a call each.
    assert len({one.post_data for one in asked}) == 2
    app.page.go_back()
    expect(app.count()).to_have_text(before or "")


def test_a_link_for_another_window_is_left_to_the_browser(app):
    app.open()
    link = app.page.locator("#ranking a[data-link]").first
    with app.page.context.expect_page() as opened:
        link.click(modifiers=["ControlOrMeta"])
    assert "area=" in opened.value.url
    opened.value.close()
    assert "area" not in app.query()


def test_what_is_unfolded_and_focused_stays(app):
    app.open()
    fold = app.page.locator("#footer details, #charts details").first
    fold.locator("summary").first.click()
    expect(fold).to_have_attribute("open", "")
    focused = app.page.locator("#ranking a[data-link]").nth(1)
    focused.focus()
    before = app.count().text_content()
    app.page.evaluate("() => window.dash_clientside.set_props('periods', { value: 52 })")
    expect(app.count()).not_to_have_text(before or "")
    expect(fold).to_have_attribute("open", "")
    expect(focused).to_be_focused()


def test_newer_data_is_told_and_shown_when_the_reader_wants_it(app):
    told = ["one"]
    app.page.route(
        "**/live?only=snapshot",
        lambda route: route.fulfill(json={"snapshot": told[0]}),
    )
    app.open("?periods=13")
    chip = app.page.locator("#newer-data")
    expect(chip).to_be_hidden()
    # Who comes back to a page that was in the background is told at once.
    back = "() => document.dispatchEvent(new Event('visibilitychange'))"
    with app.page.expect_response("**/live?only=snapshot"):
        app.page.evaluate(back)
    expect(chip).to_be_hidden()
    told[0] = "two"
    app.page.evaluate(back)
    expect(chip).to_be_visible()
    with app.page.expect_navigation():
        chip.click()
    assert "periods=13" in app.page.url
    app.painted()
    expect(chip).to_be_hidden()

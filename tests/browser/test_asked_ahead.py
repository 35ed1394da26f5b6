"""A link or a click asks for its map at once, by one call, and a wrong guess shows nothing."""

import pytest
from playwright.sync_api import expect

from tests.browser.opened import PAINT_MS, App
from tests.browser.probes import RENDERERS

pytestmark = pytest.mark.browser
expect.set_options(timeout=PAINT_MS)
both = pytest.mark.parametrize("renderer", RENDERERS)

RECORD = """() => {
  window.turns = [];
  const call = (options) => options && String(options.body).includes('...map-view.data...');
  const note = (name) => turns.push(name);
  const plain = window.fetch;
  window.fetch = (address, options) => {
    if (call(options)) note('Dash asks');
    return plain(address, options);
  };
  window.addEventListener('_dashprivate_pushstate', () => note('the address changes'), true);
}"""
COUNT = ".measures a[href*='measure=count']"


def calls(app: App) -> list[str]:
    """Filled with the body of every call for a map that reaches the server."""
    found: list[str] = []
    app.page.on("request", lambda request: found.append(request.post_data or "")
                if "map-view.data" in (request.post_data or "") else None)  # fmt: skip
    return found


def answered(app: App) -> None:
    """Wait until Dash has taken what the map shows."""
    app.page.wait_for_function(
        "() => !PinganMap.isAhead() && !PinganMap.firstCall.isOpen() && dash_component_api"
        ".getLayout('map-view').props.data.search === window.location.search"
    )


@both
def test_a_link_makes_one_call_and_makes_it_first(app: App) -> None:
    app.open()
    answered(app)
    asked = calls(app)
    app.page.evaluate(RECORD)
    app.page.locator(COUNT).click()
    expect(app.page.locator("#legend")).to_contain_text("件数")
    answered(app)
    assert app.page.evaluate("turns") == ["the address changes", "Dash asks"]
    assert len(asked) == 1
    assert "measure=count" in asked[0]
    assert app.complaints == []


@both
def test_a_click_on_the_map_makes_one_call(app: App) -> None:
    app.open()
    answered(app)
    asked = calls(app)
    app.click_area("county", 1)
    app.painted("areas:township")
    answered(app)
    assert len(asked) == 1
    app.page.go_back()
    app.painted("areas:county")
    answered(app)
    assert len(asked) == 2
    assert app.complaints == []


@both
def test_a_wrong_guess_is_given_up(app: App) -> None:
    app.open()
    answered(app)
    app.page.evaluate(
        "() => { PinganMap.askEvent({ counter: 999, kind: 'click', layer: 'areas',"
        " level: 'county', index: 1 });"
        " dash_clientside.set_props('periods', { value: 13 }); }"
    )
    app.page.wait_for_url("**periods=13*")
    answered(app)
    assert "area" not in app.query()
    assert app.page.get_attribute("#map", "data-shown") == "areas:county"
    assert app.complaints == []

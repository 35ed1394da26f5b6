"""Special periods, inspection points, tracking and a wall's entry in a real browser."""

import datetime as dt
import re

import pytest

from data.screens import ScreenStore
from data.state.database import open_state
from tests.browser.test_letters import check_look

pytestmark = pytest.mark.browser


@pytest.fixture
def open_as(browser, address):
    """Open pages of the demonstration as one of its accounts."""
    made = []

    def open_page(account, theme="light"):
        context = browser.new_context(color_scheme=theme, locale="zh-CN")
        context.add_cookies([{"name": "pingan_demo", "value": account, "url": address}])
        made.append(context)
        page = context.new_page()
        page.set_default_timeout(30_000)
        return page

    yield open_page
    for context in made:
        context.close()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_period_is_made_furnished_and_ticked(open_as, address, theme):
    page = open_as("command", theme)
    page.goto(f"{address}/special?lang=en")
    page.fill("#new-name", f"Review {theme}")
    page.click("#new button")
    page.wait_for_url("**told=made**")
    check_look(page, "new")
    page.fill("#text", "North gate of the stadium")
    page.click("#place button:has-text('Add a place')")
    page.wait_for_selector("h3:has-text('North gate')")
    page.select_option("select[name='kind']", "patrol")
    page.fill("input[name='due']", "23:59")
    page.click("button:has-text('Add the check')")
    page.wait_for_selector("button:has-text('Remove') >> nth=1")
    check_look(page, "edited")
    page.click("a:has-text('Done editing')")
    page.wait_for_url(re.compile(r"/special\?(?!.*edit=1)"))
    page.click(".special-tick button")
    page.wait_for_selector(".chip.good:has-text('done')")
    assert "1 of 1 checks done" in page.inner_text(".special-head")
    check_look(page, "ticked")


def test_points_and_tracking_fit_every_screen(open_as, address):
    page = open_as("leader")
    page.goto(f"{address}/facilities?lang=en&state=overdue")
    page.wait_for_selector("main h1")
    check_look(page, "facilities")
    page.goto(f"{address}/track?lang=en")
    page.fill("#code", "no-such-code")
    page.click("button:has-text('Look it up')")
    page.wait_for_selector(".said.bad")
    check_look(page, "unknown")


def test_a_wall_is_entered_by_its_address_and_ends_with_its_token(open_as, address, home):
    database = open_state("", home)
    screens = ScreenStore(database)
    now = dt.datetime.now(dt.UTC)
    _, secret = screens.create("hall", ("city", "*"), ["127.0.0.1"], now=now)
    page = open_as("command")
    page.goto(f"{address}/screen/enter/{secret}")
    page.wait_for_url(re.compile(r"/screen(\?.*)?$"))
    (cookie,) = [one for one in page.context.cookies() if "pingan_screen" in one["name"]]
    assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Strict")
    assert page.goto(f"{address}/areas").status == 403
    check_look(page, "refused")
    screens.revoke("hall")
    assert page.goto(f"{address}/areas").status == 200  # the demonstration's account again
    database.close()

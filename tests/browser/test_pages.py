"""The server-drawn pages in a real browser: sizes, looks, touch, keyboard, hostile text."""

import threading

import pytest
from werkzeug.serving import make_server

from data.accounts import links
from data.state.database import open_state
from data.state.migrate import upgrade
from tests.dashboard.pages.conftest import HOSTILE, NOW, PASSWORD, SCRIPT, Site

pytestmark = pytest.mark.browser

SIZES = [(1920, 1080), (1366, 768), (390, 844)]
PATHS = {
    "": ["/signin", "/nothing"],
    "anquan": ["/users", "/users/of/hostile?find=g-1", "/settings?change=totp", "/account"],
    "shenji": ["/audit", "/users"],
    "hostile": ["/account", "/views?area=9901001", "/audit"],
}
SMALL = """() => [...document.querySelectorAll("main a[class], main button, main input, main select, main summary, header a, header summary, footer a")]
    .filter(one => one.type !== "hidden" && one.checkVisibility() && !one.matches(".skip"))
    .map(one => [one.outerHTML.slice(0, 90), Math.round(one.getBoundingClientRect().height)])
    .filter(([, height]) => height < 44)"""
WIDER = "() => document.documentElement.scrollWidth - innerWidth"


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """One installation on a port of its own; every text that is stored in it is an attack."""
    folder = tmp_path_factory.mktemp("place")
    database = open_state("", folder)
    upgrade(database)
    database.close()
    site = Site(folder)
    setup = links.setup_link(site.database, now=NOW)
    server = make_server("127.0.0.1", 0, site.server, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield site, f"http://127.0.0.1:{server.server_port}", setup
    server.shutdown()
    thread.join()
    site.database.close()


def fill(site):
    if site.accounts.all():
        return
    site.admin("security_admin", "anquan")
    site.admin("audit_admin", "shenji")
    site.person("hostile", ("command", "county", "9901002"), unit=HOSTILE)
    site.audit.write(
        at=NOW, user=SCRIPT, roles="leader", address="10.0.0.1", session="", action="view",
        target=HOSTILE * 5, result="ok", detail=SCRIPT * 8,
    )  # fmt: skip


def visit(browser, look):
    context = browser.new_context(color_scheme=look, reduced_motion="reduce")
    page = context.new_page()
    said = []
    page.on("dialog", lambda dialog: (said.append(dialog.message), dialog.dismiss()))
    page.on("console", lambda line: said.append(line.text) if line.type == "error" else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    return context, page, said


def sign_in(page, address, login):
    page.goto(f"{address}/signin")
    page.wait_for_function("() => document.activeElement.id === 'login'")
    page.keyboard.type(login)
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: "/signin" not in url)


def test_the_set_up_page_fits_before_anybody_is_there(browser, place):
    _, address, secret = place
    context, page, said = visit(browser, "light")
    for width, height in SIZES:
        page.set_viewport_size({"width": width, "height": height})
        page.goto(f"{address}/setup/{secret}")
        assert page.evaluate(WIDER) <= 0
        assert page.evaluate(SMALL) == []
    assert said == []
    context.close()


@pytest.mark.parametrize("look", ["light", "dark"])
@pytest.mark.parametrize("login", PATHS)
def test_pages_fit_can_be_touched_and_run_nothing(browser, place, login, look):
    site, address, _ = place
    fill(site)
    context, page, said = visit(browser, look)
    if login:
        sign_in(page, address, login)
    for path in PATHS[login]:
        for lang in ("zh", "en"):
            page.goto(f"{address}{path}{'&' if '?' in path else '?'}lang={lang}")
            for width, height in SIZES:
                page.set_viewport_size({"width": width, "height": height})
                assert page.evaluate(WIDER) <= 0, (path, width, lang)
                assert page.evaluate(SMALL) == [], (path, width, lang)
    background = page.evaluate("() => getComputedStyle(document.body).backgroundColor")
    assert background == {"light": "rgb(241, 244, 248)", "dark": "rgb(13, 20, 29)"}[look]
    assert [line for line in said if "404" not in line] == []
    context.close()


def test_the_focus_is_seen_and_the_skip_link_comes_first(browser, place):
    site, address, _ = place
    fill(site)
    context, page, _ = visit(browser, "light")
    sign_in(page, address, "anquan")
    page.goto(f"{address}/users")
    page.keyboard.press("Tab")
    assert page.evaluate("() => document.activeElement.className") == "skip"
    for _ in range(12):
        page.keyboard.press("Tab")
        width = page.evaluate("() => getComputedStyle(document.activeElement).outlineWidth")
        assert float(width.removesuffix("px")) >= 2
    context.close()


def test_the_account_menu_opens_and_signs_out_without_a_script(browser, place):
    site, address, _ = place
    fill(site)
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    sign_in(page, address, "shenji")
    page.locator("details.me summary").click()
    page.locator("details.me button").click()
    page.wait_for_url(lambda url: "/signin" in url)
    page.goto(f"{address}/audit")
    assert "401" in page.content()
    context.close()

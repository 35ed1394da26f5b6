"""The weekly report in a real browser: nothing from outside, readable by anybody, whole on paper."""

import io
import threading

import pypdf
import pytest
from werkzeug.serving import make_server

from data.state.database import open_state
from data.state.migrate import upgrade
from tests.browser.test_accessible import AXE, RULES
from tests.browser.test_pages import SIZES, SMALL, WIDER, sign_in, visit
from tests.dashboard.pages import issued
from tests.dashboard.pages.conftest import Site

pytestmark = pytest.mark.browser

AREAS = ["990100", "9901001", "9901002", "990100101"]
SNAPSHOT = "20261116T000000Z-0badcafe"


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A site with an issue and a correction of it."""
    folder = tmp_path_factory.mktemp("weekly")
    database = open_state("", folder)
    upgrade(database)
    database.close()
    site = Site(folder)
    issued.issue(folder, issued.BEFORE)
    issued.issue(folder)
    issued.issue(folder, reason="补录 3 件", count=1237)
    site.person("leader", ("leader", "city", "*"))
    server = make_server("127.0.0.1", 0, site.server, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    site.database.close()


@pytest.fixture(scope="module", params=["light", "dark"])
def signed(request, plain_browser, place):
    context, page, said = visit(plain_browser, request.param)
    outside = []
    page.on("request", lambda asked: outside.append(asked.url))
    sign_in(page, place, "leader")
    yield page, place
    context.close()
    # The small site's start page has no icon.
    assert [line for line in said if "404" not in line] == []
    assert [url for url in outside if not url.startswith((place, "data:"))] == []


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_every_edition_fits_and_can_be_touched(signed, lang):
    page, address = signed
    for area in AREAS:
        page.goto(f"{address}/weekly?area={area}&lang={lang}")
        for width, height in SIZES:
            page.set_viewport_size({"width": width, "height": height})
            assert page.evaluate(WIDER) <= 0, (area, width)
            small = [one for one in page.evaluate(SMALL) if 'class="to' not in one[0]]
            assert small == [], (area, width)
    # Links in a heading are lower than a finger; what they take clicks on is not.
    reach = "one => parseFloat(getComputedStyle(one, '::after').height)"
    heights = page.locator(".to").evaluate_all(f"all => all.map({reach})")
    assert min(heights) >= 44


def test_the_first_screen_holds_the_maps(signed):
    page, address = signed
    page.set_viewport_size({"width": 1366, "height": 768})
    page.goto(f"{address}/weekly?week=2026-W45")
    for one in page.locator("svg.map").all():
        box = one.bounding_box()
        assert box["y"] + box["height"] <= 768


@pytest.mark.skipif(not AXE.is_file(), reason="axe-core is missing: run make test")
@pytest.mark.parametrize("path", ["/weekly", "/weekly?area=990100101&lang=en", "/weekly/file"])
def test_axe_finds_nothing(signed, path):
    page, address = signed
    page.set_viewport_size({"width": 1366, "height": 768})
    page.goto(address + path)
    page.evaluate(AXE.read_text(encoding="utf-8"))
    for is_open in ("false", "true"):
        page.evaluate(
            f"document.querySelectorAll('.pick details').forEach(d => d.open = {is_open})"
        )
        found = page.evaluate(
            "rules => axe.run(document, { runOnly: rules }).then(r => r.violations.flatMap("
            "v => v.nodes.map(n => [v.id, n.target.join(' '), n.failureSummary])))",
            RULES,
        )
        assert found == []


def test_a_click_on_an_area_opens_its_edition(signed):
    page, address = signed
    page.set_viewport_size({"width": 1366, "height": 768})
    page.goto(f"{address}/weekly")
    page.locator("svg.map a").first.click()
    page.wait_for_url(lambda url: "area=county.9901001" in url)
    assert page.locator("h1").inner_text() == "东区平安风险周报"


@pytest.mark.parametrize("area", AREAS)
def test_paper_has_everything_but_the_controls(signed, area):
    page, address = signed
    # English: printed Chinese is found by its look, some of it under other characters.
    page.goto(f"{address}/weekly?area={area}&lang=en")
    printed = pypdf.PdfReader(io.BytesIO(page.pdf(prefer_css_page_size=True)))
    assert 1 <= len(printed.pages) <= 3
    width, height = (float(part) for part in printed.pages[0].mediabox[2:])
    assert (round(width), round(height)) == (595, 842)
    for one in printed.pages:
        text = one.extract_text().replace(" ", "")
        assert SNAPSHOT in text
        assert f"/{len(printed.pages)}" in text
    first = printed.pages[0].extract_text().replace("\xa0", " ")
    assert page.locator("h1").inner_text() in first
    assert "Version 2, corrected" in first
    for control in ("Earlier", "Live page", "Word"):
        assert control not in first


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_maps_are_not_blank_on_paper(signed, theme):
    page, address = signed
    page.goto(f"{address}/weekly?theme={theme}")
    page.emulate_media(media="print")
    try:
        for one in page.locator("svg.map").all():
            assert page.evaluate("one => one.getBBox().width", one.element_handle()) > 300
            fills = one.locator("a path").evaluate_all(
                "all => all.map(a => a.getAttribute('fill'))"
            )
            assert all(fill.startswith("url(#k") for fill in fills)
            assert one.bounding_box()["height"] > 100
        ground = page.evaluate(
            "() => getComputedStyle(document.querySelector('.report')).backgroundColor"
        )
        assert ground == "rgb(255, 255, 255)"
    finally:
        page.emulate_media(media="screen")

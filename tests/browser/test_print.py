"""The pages on paper: sheets, words, the map's picture, whole tables, and the screen afterwards."""

import datetime as dt
import re
import zlib

import pytest
from playwright.sync_api import Browser, Page

from dashboard.desk import grid
from tests.browser.opened import PAINT_MS
from tests.browser.probes import RENDERERS

pytestmark = pytest.mark.browser

A4 = {"landscape": (842, 595), "portrait": (595, 842)}
"""Points."""

PAPER = {
    "": "landscape", "areas": "portrait", "hotspots": "landscape", "index": "landscape",
    "forecast": "landscape", "data": "landscape",
}  # fmt: skip

CONTROLS = [".site-nav", ".search", ".toolbar", ".account-slot", ".map-zoom", ".map-switch",
            ".measures", ".layer-list", ".map-play", ".grid-tools", ".desk-grid", ".step"]  # fmt: skip


def sheets(pdf: bytes) -> list[tuple[int, int]]:
    """Width and height of every page, points."""
    unpacked = [pdf]
    for packed in re.findall(rb"/ObjStm.*?stream\r?\n(.*?)endstream", pdf, re.DOTALL):
        unpacked.append(zlib.decompressobj().decompress(packed))
    boxes = re.findall(rb"/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]", b"".join(unpacked))
    return [(round(float(width)), round(float(height))) for width, height in boxes]


@pytest.fixture
def page(browser: Browser):
    page = browser.new_page(
        viewport={"width": 1366, "height": 768}, reduced_motion="reduce", locale="zh-CN"
    )
    page.set_default_timeout(PAINT_MS)
    yield page
    page.close()


def opened(page: Page, address: str, search: str) -> None:
    page.goto(address + search)
    page.wait_for_selector("html[data-page]", state="attached")
    if page.get_attribute("html", "data-page") == "map":
        page.wait_for_selector("#map[data-painted]", state="attached")
    else:
        page.wait_for_selector(".desk-head")
    page.wait_for_load_state("networkidle")


def on_paper(page: Page) -> None:
    """As the page stands while it is printed."""
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")


@pytest.mark.parametrize("path", PAPER)
def test_every_page_fills_sheets_of_its_own_kind(page, address, path):
    opened(page, address, path)
    found = sheets(page.pdf(prefer_css_page_size=True))
    width, height = A4[PAPER[path]]
    assert found
    assert all(abs(w - width) <= 2 and abs(h - height) <= 2 for w, h in found)
    assert len(found) <= 14


@pytest.mark.parametrize("path", PAPER)
def test_a_sheet_says_what_where_when_and_whose(page, address, path, snapshot):
    opened(page, address, path)
    on_paper(page)
    said = page.inner_text(".app")
    assert "平安地图" in said
    assert snapshot.id in said
    assert "全部为合成数据" in said  # the notice of the city
    last = snapshot.manifest.last_period + dt.timedelta(days=6)
    assert f"{last.month:02d}月{last.day:02d}日" in said
    for control in CONTROLS:
        for one in page.locator(control).all():
            assert not one.is_visible(), control
    marks = page.locator(".watermark")
    assert marks.is_visible()
    assert marks.evaluate("e => getComputedStyle(e).printColorAdjust") == "exact"


@pytest.mark.parametrize("path", PAPER)
def test_nothing_is_wider_than_the_sheet(page, address, path):
    opened(page, address, path)
    on_paper(page)
    width = {"landscape": 1032, "portrait": 703}[PAPER[path]]
    page.set_viewport_size({"width": width, "height": 700})
    over = page.evaluate(
        "width => Array.from(document.querySelectorAll('.app *')).filter((e) => {"
        " const box = e.getBoundingClientRect();"
        " return e.checkVisibility({ visibilityProperty: true }) && box.width && box.right > width + 1"
        " && !e.closest('.chart svg, .visually-hidden'); }).map((e) => e.className)",
        width,
    )
    assert over == []


@pytest.mark.parametrize("renderer", RENDERERS)
def test_the_map_is_a_picture_in_its_colours(page, address, renderer):
    opened(page, address, f"?renderer={renderer}&level=township")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    colours = page.evaluate(
        """() => {
          const picture = document.querySelector('.map-printed');
          const pixels = picture.getContext('2d').getImageData(0, 0, picture.width, picture.height).data;
          const counts = {};
          for (let at = 0; at < pixels.length; at += 4) {
            const key = [pixels[at], pixels[at + 1], pixels[at + 2]].join();
            counts[key] = (counts[key] || 0) + 1;
          }
          return Object.entries(counts).filter((one) => one[1] > 400).map((one) => one[0]);
        }"""
    )
    blue = [134, 182, 228]  # --blue of the light theme
    near = [
        colour
        for colour in colours
        if max(abs(a - b) for a, b in zip(map(int, colour.split(",")), blue, strict=True)) <= 3
    ]
    assert near, colours
    assert len(colours) >= 3


def test_a_table_is_printed_with_all_its_rows(page, address):
    opened(page, address, "index?level=grid")
    page.wait_for_selector("#grid-index .ag-row")
    rows = page.evaluate("dash_ag_grid.getApi('grid-index').getDisplayedRowCount()")
    assert rows > grid.MOST_ROWS  # more than the box on the screen holds
    on_paper(page)
    table = page.locator("#grid-index + .printed-table")
    assert table.is_visible()
    assert table.locator("tbody tr").count() == rows
    first = page.evaluate("dash_ag_grid.getApi('grid-index').getDisplayedRowAtIndex(0).data.name")
    assert first in table.locator("tbody tr").first.inner_text()


def test_afterwards_the_screen_is_as_it_was(page, address):
    opened(page, address, "index?theme=dark")
    before = page.evaluate("document.querySelectorAll('*').length")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.get_attribute("html", "data-theme") == "light"
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.get_attribute("html", "data-theme") == "dark"
    assert page.evaluate("document.querySelectorAll('*').length") == before

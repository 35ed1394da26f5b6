"""The pages beside the map in a real Chromium: links, the way back, tables, what is loaded."""

import csv
import re
from collections.abc import Iterator
from contextlib import suppress
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect
from playwright.sync_api import TimeoutError as TimedOutError

from data.store import Snapshot

pytestmark = pytest.mark.browser
WAIT_MS = 30_000
# A busy machine may take its time; what never comes still fails.
expect.set_options(timeout=WAIT_MS)
PAGES = ("areas", "hotspots", "index", "forecast", "data")
DRAWN = "#page:not([aria-busy]) .desk-title"


class Desk:
    """One open window: what a reader does in it, and what went wrong meanwhile."""

    def __init__(self, page: Page, address: str) -> None:
        self.page, self.address = page, address
        self.complaints: list[str] = []
        self.asked: list[str] = []
        page.set_default_timeout(WAIT_MS)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", self._hear)
        page.on("request", lambda request: self.asked.append(request.url))
        page.add_init_script(
            "document.addEventListener('securitypolicyviolation', (event) => "
            "console.error('policy: ' + event.violatedDirective + ' ' + event.blockedURI));"
        )

    def _hear(self, message) -> None:
        if message.type == "error":
            self.complaints.append(message.text)

    def open(self, path: str) -> None:
        self.page.goto(self.address + path)
        self.drawn()

    def drawn(self) -> None:
        self.page.wait_for_selector(DRAWN)

    def go(self, name: str) -> None:
        """Follow the navigation to a page of the desk."""
        self.page.click(f"#nav-{name}")
        self.page.wait_for_function("name => location.pathname === `/${name}`", arg=name)
        self.drawn()
        expect(self.page.locator(".site-nav [aria-current]")).to_have_id(f"nav-{name}")

    @property
    def query(self) -> dict[str, list[str]]:
        return parse_qs(urlsplit(self.page.url).query)

    def rows(self, grid: str) -> list[str]:
        """Names in a table, from the top."""
        cells = self.page.locator(f"#grid-{grid} .ag-row [col-id='name']")
        order = cells.evaluate_all(
            "cells => cells.map(c => [+c.closest('.ag-row').getAttribute('row-index'), c.innerText])"
        )
        return [name for _, name in sorted(order)]

    def ready(self, grid: str) -> None:
        """Every row that is there shows its name: the grid draws rows first, cells a moment later."""
        self.page.wait_for_function(
            "cells => { const all = [...document.querySelectorAll(cells)];"
            " return all.length > 0 && all.every(cell => cell.innerText.trim()); }",
            arg=f"#grid-{grid} .ag-row [col-id='name']",
        )

    def ordered(self, grid: str, names: list[str]) -> None:
        """The table comes to stand in this order: rows move a moment after the heading is marked."""
        self.page.wait_for_function(
            "([cells, names]) => JSON.stringify(names) === JSON.stringify("
            "[...document.querySelectorAll(cells)]"
            ".map(c => [+c.closest('.ag-row').getAttribute('row-index'), c.innerText.trim()])"
            ".sort((a, b) => a[0] - b[0]).map(pair => pair[1]))",
            arg=[f"#grid-{grid} .ag-row [col-id='name']", names],
        )

    def quiet(self) -> None:
        """Nothing was complained of, and nobody else was asked."""
        assert self.complaints == []
        assert [
            url for url in self.asked if urlsplit(url).hostname not in {"127.0.0.1", None}
        ] == []


@pytest.fixture
def desk(browser: Browser, address: str) -> Iterator[Desk]:
    context = browser.new_context(viewport={"width": 1366, "height": 768}, locale="zh-CN",
                                  accept_downloads=True)  # fmt: skip
    yield Desk(context.new_page(), address)
    context.close()


@pytest.fixture(scope="module")
def county(snapshot: Snapshot) -> tuple[str, str]:
    """Code and name of a county."""
    row = snapshot.areas[snapshot.areas["level"] == "county"].iloc[0]
    return row["code"], row["name"]


@pytest.mark.parametrize("name", PAGES)
def test_a_deep_link_opens_the_page_for_its_area(desk, county, name):
    code, shown = county
    desk.open(f"{name}?area={code}&theme=dark")
    expect(desk.page.locator("html")).to_have_attribute("data-theme", "dark")
    expect(desk.page.locator(".desk-crumbs .current")).to_have_text(shown)
    expect(desk.page.locator("#map")).not_to_be_visible()
    expect(desk.page.locator(".account-menu")).to_be_visible()
    desk.quiet()


def test_the_way_from_page_to_page_and_back_keeps_area_and_week(desk, county, snapshot):
    code, _ = county
    label = re.compile(r"2\d{3}-W\d{2}")
    end = label.search(snapshot.manifest.last_period.strftime("%G-W%V")).group()
    desk.open(f"hotspots?area={code}&end={end}")
    for name in ("index", "forecast", "data", "areas"):
        desk.go(name)
        assert desk.query == {"area": [code], "end": [end]}, name
    desk.page.go_back()
    desk.page.wait_for_function("() => location.pathname === '/data'")
    desk.drawn()
    desk.page.click("#nav-map")
    desk.page.wait_for_selector("#map[data-painted]")
    expect(desk.page.locator("#map")).to_be_visible()
    expect(desk.page.locator("#page")).not_to_be_visible()
    assert desk.query == {"area": [code], "end": [end]}
    desk.go("hotspots")
    desk.quiet()


def test_the_map_does_not_load_the_tables(desk):
    desk.page.goto(desk.address)
    desk.page.wait_for_selector("#map[data-painted]")
    desk.page.wait_for_load_state("networkidle")
    assert not [url for url in desk.asked if "dash_ag_grid" in url]
    desk.go("index")
    loaded = [urlsplit(url).path.rpartition("/")[2] for url in desk.asked if "dash_ag_grid" in url]
    assert len(loaded) == 2, loaded  # the component and the grid, once each
    desk.go("hotspots")
    assert len([url for url in desk.asked if "dash_ag_grid" in url]) == 2
    desk.quiet()


def test_a_table_is_sorted_filtered_and_given_out(desk, snapshot, tmp_path):
    desk.open("index?level=county")
    desk.ready("index")
    names = sorted(snapshot.areas[snapshot.areas["level"] == "county"]["name"])
    assert sorted(desk.rows("index")) == names
    desk.page.click("#grid-index .ag-header-cell[col-id='name'] .ag-header-cell-text")
    desk.page.wait_for_selector("#grid-index [col-id='name'][aria-sort='ascending']")
    desk.ordered("index", names)
    desk.page.click("#grid-index .ag-header-cell[col-id='name'] .ag-header-cell-text")
    desk.page.wait_for_selector("#grid-index [col-id='name'][aria-sort='descending']")
    desk.ordered("index", names[::-1])
    desk.page.fill("#find-index", names[0])
    expect(desk.page.locator("#grid-index .ag-row [col-id='name']")).to_have_count(1)
    desk.page.once("dialog", lambda dialog: dialog.accept("周会研判材料"))
    with desk.page.expect_download() as caught:
        desk.page.click(".grid-export")
    file = tmp_path / "table.csv"
    caught.value.save_as(file)
    stamp, heads, *rows = csv.reader(file.read_text(encoding="utf-8-sig").splitlines())
    assert snapshot.id in stamp[0]
    assert heads[0] == "区域"
    assert [row[0] for row in rows] == [names[0]]
    desk.quiet()


def test_the_filter_of_a_column_speaks_chinese(desk):
    desk.open("index?level=county")
    desk.ready("index")
    menu = desk.page.locator(".ag-filter")
    for _ in range(5):  # the grid closes it where its width still settles
        desk.page.hover("#grid-index .ag-header-cell[col-id='risk']")
        desk.page.click("#grid-index .ag-header-cell[col-id='risk'] .ag-header-cell-filter-button")
        expect(menu).to_contain_text("等于")
        with suppress(TimedOutError, AssertionError):
            menu.locator("input[type=number]").first.fill("-1", timeout=WAIT_MS / 10)
            expect(desk.page.locator("#grid-index .ag-row")).to_have_count(0, timeout=WAIT_MS / 10)
            break
    expect(desk.page.locator("#grid-index .ag-row")).to_have_count(0)
    desk.quiet()


def test_a_row_opens_the_glass_box_by_pointer_and_keyboard(desk):
    desk.open("index?level=county")
    desk.ready("index")
    first, second = desk.rows("index")[:2]
    desk.page.click("#grid-index .ag-row[row-index='0'] [col-id='risk']")
    expect(desk.page.locator(".desk-crumbs .current")).to_have_text(first)
    desk.drawn()
    desk.ready("index")
    desk.page.click("#grid-index .ag-row[row-index='0'] [col-id='name']", position={"x": 2, "y": 2})
    desk.page.keyboard.press("ArrowDown")
    desk.page.keyboard.press("Enter")
    expect(desk.page.locator(".desk-crumbs .current")).to_have_text(second)
    desk.quiet()


def test_the_keyboard_skips_to_the_content(desk):
    desk.open("data")
    desk.page.keyboard.press("Tab")
    expect(desk.page.locator(".skip-link")).to_be_focused()
    desk.page.keyboard.press("Enter")
    expect(desk.page.locator("#page")).to_be_focused()
    assert "#" not in desk.page.url
    desk.quiet()


def test_what_is_found_is_shown_on_the_page_where_one_is(desk, county):
    code, name = county
    desk.open("hotspots")
    desk.page.fill("#area-search", name)
    desk.page.click(f"#area-search-results a:has-text('{name}')")
    expect(desk.page.locator(".desk-crumbs .current")).to_have_text(name)
    assert urlsplit(desk.page.url).path == "/hotspots"
    assert desk.query["area"] == [code]
    desk.quiet()


@pytest.mark.parametrize("name", PAGES)
def test_a_page_fits_a_phone(desk, name):
    desk.page.set_viewport_size({"width": 390, "height": 844})
    desk.open(name)
    width = desk.page.evaluate("() => document.documentElement.scrollWidth")
    assert width <= 390
    for link in desk.page.locator(".site-nav a").all():
        link.scroll_into_view_if_needed()
        expect(link).to_be_in_viewport()
    desk.quiet()


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_no_interval_of_a_forecast_is_cut(desk, lang):
    desk.page.set_viewport_size({"width": 1366, "height": 768})
    desk.open(f"forecast?level=county&lang={lang}")
    desk.ready("forecast")
    cells = desk.page.locator("#grid-forecast .ag-row [col-id^='lower_']")
    expect(cells.first).to_contain_text("–")
    assert cells.evaluate_all("all => all.every(one => one.scrollWidth <= one.clientWidth)")
    desk.quiet()

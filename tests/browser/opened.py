"""One open page of the served product: what a user does on it, and what went wrong meanwhile."""

import time
from contextlib import suppress
from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import Locator, Page, expect

from data.store import Snapshot
from tests.browser.probes import KEEP_ENGINE

PAINT_MS = 30_000


class App:
    """One open page: what a user does on it, and what went wrong meanwhile."""

    def __init__(self, page: Page, address: str, snapshot: Snapshot, renderer: str) -> None:
        self.page, self.address, self.snapshot = page, address, snapshot
        self.renderer = renderer
        self.complaints: list[str] = []
        self.outside: list[str] = []
        page.set_default_timeout(PAINT_MS)
        page.add_init_script(KEEP_ENGINE)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", self._hear)
        page.route("**/*", self._gate)

    def _hear(self, message) -> None:
        if message.type == "error":
            self.complaints.append(message.text)

    def _gate(self, route) -> None:
        """Every request to another host is noted and cut."""
        parts = urlsplit(route.request.url)
        if parts.scheme in {"http", "https", "ws", "wss"} and parts.hostname != "127.0.0.1":
            self.outside.append(route.request.url)
            route.abort()
        else:
            route.continue_()

    def open(self, search: str = "") -> None:
        asked = f"renderer={self.renderer}"
        self.page.goto(f"{self.address}{search}{'&' if search else '?'}{asked}")
        self.painted()
        assert self.page.get_attribute("#map", "data-renderer") == self.renderer

    def painted(self, shown: str | None = None) -> None:
        selector = f"#map[data-shown='{shown}']" if shown else "#map[data-painted]"
        self.page.wait_for_selector(selector, state="attached")

    def settled_camera(self) -> None:
        self.page.wait_for_function("() => window.engine && window.engine.map && !probe.moving()")

    def click_area(self, level: str, index: int) -> None:
        self.settled_camera()
        area = self.area(level, index)
        x, y = self.page.evaluate(
            "([lng, lat]) => { const [x, y] = probe.project(lng, lat);"
            " const box = engine.map.getContainer().getBoundingClientRect();"
            " return [box.x + x, box.y + y]; }",
            [area.lng, area.lat],
        )
        self.page.mouse.click(x, y)

    def area(self, level: str, index: int):
        areas = self.snapshot.areas
        return areas[areas["level"] == level].iloc[index]

    def query(self) -> dict[str, list[str]]:
        return parse_qs(urlsplit(self.page.url).query)

    def count(self) -> Locator:
        return self.page.locator(".kpi").first.locator(".kpi-value")

    def crumbs(self) -> Locator:
        return self.page.locator(".breadcrumb")


def wait_until(page: Page, asked: str, seconds: float = PAINT_MS / 1000) -> None:
    """Ask the page until its promise comes true; `wait_for_function` takes any promise for true."""
    end = time.monotonic() + seconds
    while not page.evaluate(asked):
        assert time.monotonic() < end, f"never true: {asked}"
        page.wait_for_timeout(100)


def point_until(page: Page, x: float, y: float, told: Locator, text: str) -> None:
    """Move the pointer about a spot until it is told what is there: a slow card draws late."""
    for _ in range(10):
        page.mouse.move(x - 3, y - 3)
        page.mouse.move(x, y)
        with suppress(AssertionError):
            expect(told).to_have_text(text, timeout=PAINT_MS / 10)
            return
    expect(told).to_have_text(text)

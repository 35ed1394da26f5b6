"""Two headless Chromiums for the tests of a worker: without a graphics card, and with one played."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Playwright, sync_playwright

from dashboard.vendor import missing_vendor_files
from data.store import Snapshot, Store
from tests.browser import served_app
from tests.browser.opened import App

CHROMIUM = Path("/usr/bin/chromium")
PLAIN = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-3d-apis",
         "--disable-background-networking"]  # fmt: skip
SOFTWARE_GL = ["--headless=new", "--no-sandbox", "--use-angle=swiftshader",
               "--enable-unsafe-swiftshader", "--disable-background-networking"]  # fmt: skip


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    if not CHROMIUM.is_file():
        pytest.skip("no Chromium here")
    if missing_vendor_files():
        pytest.skip("the map library is missing: run make test")
    with sync_playwright() as found:
        yield found


@pytest.fixture(scope="session")
def plain_browser(playwright: Playwright) -> Iterator[Browser]:
    """That of a computer without a graphics card."""
    browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=PLAIN)
    yield browser
    browser.close()


@pytest.fixture(scope="session")
def gl_browser(playwright: Playwright) -> Iterator[Browser]:
    """With a graphics card that the processor plays, which takes several times as long."""
    browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=SOFTWARE_GL)
    yield browser
    browser.close()


@pytest.fixture
def renderer() -> str:
    """The engine of the map; `both` runs a test on each."""
    return "canvas"


@pytest.fixture
def browser(request: pytest.FixtureRequest, renderer: str) -> Browser:
    """The browser in which the engine draws."""
    found: Browser = request.getfixturevalue(f"{'gl' if renderer == 'gl' else 'plain'}_browser")
    return found


@pytest.fixture(scope="module")
def home(demo_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy: the server writes into it."""
    return shutil.copytree(demo_home, tmp_path_factory.mktemp("app") / "home")


@pytest.fixture(scope="module")
def snapshot(home: Path) -> Snapshot:
    return Store(home).current()


@pytest.fixture(scope="module")
def address(home: Path) -> Iterator[str]:
    with served_app.serve(home) as url:
        yield url


@pytest.fixture
def app(browser: Browser, address: str, snapshot: Snapshot, renderer: str) -> Iterator[App]:
    context = browser.new_context(
        viewport={"width": 1366, "height": 768}, reduced_motion="reduce", locale="zh-CN"
    )
    found = App(context.new_page(), address, snapshot, renderer)
    yield found
    context.close()
    assert found.complaints == []
    assert found.outside == []

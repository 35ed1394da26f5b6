"""One headless Chromium for the tests of a worker."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from dashboard.vendor import missing_vendor_files

CHROMIUM = Path("/usr/bin/chromium")
SOFTWARE_GL = ["--headless=new", "--no-sandbox", "--use-angle=swiftshader",
               "--enable-unsafe-swiftshader", "--disable-background-networking"]  # fmt: skip


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if not CHROMIUM.is_file():
        pytest.skip("no Chromium here")
    if missing_vendor_files():
        pytest.skip("the map library is missing: run make test")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=SOFTWARE_GL)
        yield browser
        browser.close()

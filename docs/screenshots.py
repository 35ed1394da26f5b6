"""
Photograph the product in Chromium.

`make screenshots` takes the README's pictures. `python -m docs.screenshots FOLDER` takes every
page in both themes, both languages and three sizes into a folder, to be looked at, not committed.
"""

from __future__ import annotations

import argparse
import io
import itertools
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from PIL import Image
from playwright.sync_api import Error, sync_playwright

from data.store import Store
from tests.browser import served_app

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page

ROOT = Path(__file__).resolve().parents[1]
HOME = ROOT / "build" / "screenshots" / "home"
PICTURES = ROOT / "docs" / "screenshots"
CHROMIUM = "/usr/bin/chromium"
SOFTWARE_GL = [
    "--headless=new",
    "--no-sandbox",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--disable-background-networking",
]
SIZES = {"1920": (1920, 1080), "1366": (1366, 768), "390": (390, 844)}
PATIENCE_MS = 90_000
SETTLE_MS = 1_500
"""Names of areas come after their colours."""

COLOURS = 256
"""Of a committed picture: a third of the bytes, and no difference that the README shows."""

LAYERS = "overlays=cells.50,lines_township,much,clusters,more,signals"


class Shot(NamedTuple):
    """One page: its address, who opens it, and which engines of the map draw it."""

    address: str
    account: str = "leader"
    engines: tuple[str, ...] = ("",)


def pages(township: str) -> dict[str, Shot]:
    """Every page, and the map in the states that look most different."""
    engines = ("gl", "canvas")
    return {
        "map": Shot("", engines=engines),
        "map-layers": Shot(f"?level=township&{LAYERS}", engines=engines),
        "map-index": Shot(f"?area={township}&measure=index", engines=engines),
        "map-cells": Shot("?layer=cells", engines=engines),
        "map-twin": Shot("?level=township&compare=before", engines=engines),
        "areas": Shot(f"areas?area={township}"),
        "hotspots": Shot("hotspots?level=township"),
        "index": Shot("index?level=township"),
        "forecast": Shot("forecast"),
        "data": Shot("data"),
        "weekly": Shot("weekly"),
        "letters": Shot("letters"),
        "command": Shot("command", "command"),
        "facilities": Shot("facilities", "command"),
        "special": Shot("special", "command"),
        "screen": Shot("screen", "command"),
        "phone": Shot("m", "grid_chief"),
        "methods": Shot("methods"),
        "image": Shot(f"image?{LAYERS}"),
        "views": Shot("views?level=township"),
        "account": Shot("account"),
        "share": Shot("share", "command"),
        "signin": Shot("signin"),
        "audit": Shot("audit", "audit_admin"),
        "users": Shot("users", "security_admin"),
        "settings": Shot("settings", "system_admin"),
    }


def readme(township: str) -> dict[str, tuple[str, Shot]]:
    """Size and page of each committed picture, by file name."""
    layers = "&overlays=lines_township,much,clusters,more"
    return {
        "city-light-1366": ("1366", Shot("?theme=light&level=township")),
        "heat-dark-1920": ("1920", Shot(f"?theme=dark&layer=cells{layers}")),
        "township-light-1366": ("1366", Shot(f"?theme=light&area={township}&measure=index")),
        "index-dark-en-1366": ("1366", Shot("index?theme=dark&lang=en&level=township")),
        "phone-light-390": ("390", Shot(f"?theme=light&area={township}")),
    }


def busiest_township(home: Path) -> str:
    """Code of the township with the highest ratio in the newest window."""
    snapshot = Store(home).current()
    risk = snapshot.read("area_risk")
    newest = risk[(risk["level"] == "township") & (risk["period_end"] == risk["period_end"].max())]
    index = int(newest.sort_values("ratio")["area_index"].iloc[-1])
    townships = snapshot.areas[snapshot.areas["level"] == "township"]
    return str(townships["code"].iloc[index])


@contextmanager
def opened(browser: Browser, address: str, shot: Shot, size: str) -> Iterator[Page]:
    """Open a page and wait until it is drawn."""
    width, height = SIZES[size]
    context = browser.new_context(
        viewport={"width": width, "height": height}, locale="zh-CN", reduced_motion="reduce"
    )
    context.add_cookies([{"name": "pingan_demo", "value": shot.account, "url": address}])
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    page.goto(address + shot.address)
    if page.locator("#react-entry-point").count():
        drawn(page)
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(SETTLE_MS)
    yield page
    context.close()


def drawn(page: Page) -> None:
    """Wait for the map and both charts, or for a page beside the map."""
    page.wait_for_selector("html[data-page]", state="attached")
    if page.get_attribute("html", "data-page") == "map":
        page.wait_for_selector("#map[data-painted]", state="attached")
        page.wait_for_selector(".chart .chart-plot path", state="attached")
    else:
        page.wait_for_selector(".desk:not([aria-busy='true']) > :not(.skeleton)")


def take_all(browser: Browser, address: str, folder: Path, wanted: dict[str, Shot]) -> None:
    """Photograph every page in every look; name the engine where two can draw it."""
    for (name, shot), size, theme, lang in itertools.product(
        wanted.items(), SIZES, ("light", "dark"), ("zh", "en")
    ):
        for engine in shot.engines:
            look = f"theme={theme}&lang={lang}" + (f"&renderer={engine}" if engine else "")
            asked = f"{shot.address}{'&' if '?' in shot.address else '?'}{look}"
            picture = folder / f"{'-'.join(filter(None, (name, engine, theme, lang, size)))}.png"
            try:
                with opened(browser, address, shot._replace(address=asked), size) as page:
                    page.screenshot(path=picture)
                print(picture)
            except Error as error:
                print(picture, "FAILED", str(error).splitlines()[0])


def take_readme(browser: Browser, address: str, home: Path) -> None:
    """Photograph what the README shows, in few colours."""
    for name, (size, shot) in readme(busiest_township(home)).items():
        with opened(browser, address, shot, size) as page:
            png = Image.open(io.BytesIO(page.screenshot()))
        # A rare colour, such as one band of the legend, must not turn into its neighbour.
        small = png.convert("RGB").quantize(
            COLOURS, method=Image.Quantize.MAXCOVERAGE, kmeans=1, dither=Image.Dither.NONE
        )
        small.save(PICTURES / f"{name}.png", optimize=True)
        print(PICTURES / f"{name}.png")


def main() -> None:
    """Build, serve, photograph."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", help="take every page into this folder")
    parser.add_argument("--home", type=Path, default=HOME, help="a built home; else a demo city")
    parser.add_argument("--only", default="", help="names of pages, comma between")
    asked = parser.parse_args()
    if not (asked.home / "CURRENT").is_file():
        served_app.pingan(asked.home, "demo", "--no-serve")
    with (
        served_app.serve(asked.home, PINGAN_AUTH="demo") as address,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=SOFTWARE_GL)
        if asked.folder is None:
            PICTURES.mkdir(parents=True, exist_ok=True)
            take_readme(browser, address, asked.home)
        else:
            asked.folder.mkdir(parents=True, exist_ok=True)
            every = pages(busiest_township(asked.home))
            names = asked.only.split(",") if asked.only else list(every)
            take_all(browser, address, asked.folder, {name: every[name] for name in names})
        browser.close()


if __name__ == "__main__":
    main()

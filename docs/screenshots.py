"""Take the README's pictures: build the demo city, serve it, photograph it in Chromium."""

from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from data.store import Store
from tests.browser import served_app

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


def busiest_township() -> str:
    """Code of the township with the highest ratio in the newest window."""
    snapshot = Store(HOME).current()
    risk = snapshot.read("area_risk")
    newest = risk[(risk["level"] == "township") & (risk["period_end"] == risk["period_end"].max())]
    index = int(newest.sort_values("ratio")["area_index"].iloc[-1])
    townships = snapshot.areas[snapshot.areas["level"] == "township"]
    return str(townships["code"].iloc[index])


def views() -> dict[str, tuple[str, str]]:
    """Size and address of each picture, by file name."""
    township = busiest_township()
    return {
        "city-light-1366": ("1366", "?theme=light&level=township"),
        "heat-dark-1920": ("1920", "?theme=dark&layer=cells"),
        "township-light-1366": ("1366", f"?theme=light&area={township}"),
        "city-dark-en-1366": ("1366", "?theme=dark&lang=en"),
        "grids-light-1920": ("1920", "?theme=light&level=grid"),
        "phone-light-390": ("390", f"?theme=light&area={township}"),
        "phone-dark-390": ("390", "?theme=dark&layer=cells"),
    }


def take(browser: Browser, address: str, name: str, size: str, search: str) -> None:
    """Photograph one view once the map is painted and both charts are drawn."""
    width, height = SIZES[size]
    page = browser.new_page(viewport={"width": width, "height": height}, locale="zh-CN")
    page.goto(address + search)
    page.wait_for_selector("#map[data-painted]", state="attached")
    page.wait_for_selector(".js-plotly-plot .main-svg", state="attached")
    page.wait_for_load_state("networkidle")
    page.screenshot(path=PICTURES / f"{name}.png")
    page.close()


def main() -> None:
    """Build, serve, photograph."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    served_app.pingan(HOME, "demo", "--no-serve")
    with served_app.serve(HOME) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=SOFTWARE_GL)
        for name, (size, search) in views().items():
            take(browser, address, name, size, search)
            print(PICTURES / f"{name}.png")
        browser.close()


if __name__ == "__main__":
    main()

"""
Time the phone's page as a grid chief's phone opens it: a slow processor on a slow line.

Run from the root of the project: ``python -m benchmarks.phone --home /path/of/PINGAN_HOME``. Chromium
is slowed down four times, the line carries 1.6 Mbit/s with 150 ms there and back. Each round is a
browser that knows nothing yet. Usable = the class of a report can be chosen and every script has run;
whole = the small map is drawn too. The home is only read, but for the row that each view leaves.
"""

import argparse
import os
import statistics
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

from benchmarks.browser import CHROMIUM, FLAGS
from benchmarks.opening import linked
from tests.browser.served_app import serve

PHONE = {"width": 390, "height": 844}
SLOWER = 4
LINE = {
    "offline": False,
    "latency": 150,
    "downloadThroughput": 1_600_000 / 8,
    "uploadThroughput": 750_000 / 8,
}
CITY = Path(__file__).parents[1] / "data" / "cities" / "demo"
ACCOUNTS = ("grid_chief", "community", "township")
PAINTED = "() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime"
USABLE = "() => performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd || null"
BYTES = """() => performance.getEntries().filter(one => one.transferSize !== undefined)
    .filter(one => one.startTime < window.firstPaint || one.entryType === 'navigation')
    .reduce((sum, one) => sum + one.transferSize, 0)"""
ALL_BYTES = "() => performance.getEntries().reduce((sum, one) => sum + (one.transferSize || 0), 0)"
DRAWN = '() => document.querySelector("#phone-map[data-drawn]") && performance.now()'


def opened(browser, address, account):
    """First paint, usable, map drawn (ms), bytes until the first paint and bytes in all."""
    context = browser.new_context(viewport=PHONE, has_touch=True, is_mobile=True)
    context.add_cookies([{"name": "pingan_demo", "value": account, "url": address}])
    page = context.new_page()
    page.set_default_timeout(60_000)
    session = context.new_cdp_session(page)
    session.send("Network.enable")
    session.send("Network.emulateNetworkConditions", LINE)
    session.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
    page.goto(f"{address}m", wait_until="commit")
    usable = page.wait_for_function(USABLE).json_value()
    painted = page.wait_for_function(PAINTED).json_value()
    drawn = page.wait_for_function(DRAWN).json_value()
    page.evaluate("at => { window.firstPaint = at; }", painted)
    found = (painted, usable, drawn, page.evaluate(BYTES), page.evaluate(ALL_BYTES))
    context.close()
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--rounds", type=int, default=9)
    asked = parser.parse_args()
    print(f"load before: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    with (
        tempfile.TemporaryDirectory(dir=asked.home.parent, prefix="phone-") as folder,
        sync_playwright() as playwright,
        serve(linked(asked.home, Path(folder)), PINGAN_CITY=str(CITY)) as address,
    ):
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        for account in ACCOUNTS:
            opened(browser, address, account)  # the server loads what it needs
            rounds = [opened(browser, address, account) for _ in range(asked.rounds)]
            painted, usable, drawn, first, every = map(statistics.median, zip(*rounds, strict=True))
            print(
                f"{account}: first paint {painted:.0f} ms, usable {usable:.0f} ms, "
                f"with the map {drawn:.0f} ms; {first:,.0f} bytes until the first paint, "
                f"{every:,.0f} in all (median of {asked.rounds})"
            )
        browser.close()


if __name__ == "__main__":
    main()

"""A page that is open while incidents are pushed and the server goes away and comes back."""

import datetime as dt
import json
import shutil
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from data.state.database import open_state
from data.state.migrate import upgrade
from data.store import Store
from data.tokens import TokenStore
from etl.arriving.feed import Feed
from tests.browser import served_app

pytestmark = pytest.mark.browser

CITY = Path(__file__).parents[2] / "data" / "cities" / "demo"
LISTEN = """() => {
  window.told = []; window.states = [];
  document.addEventListener("pingan:live", (e) => { window.told.push(...e.detail.incidents); });
  document.addEventListener("pingan:live-state", (e) => { window.states.push(e.detail.state); });
}"""


class Served:
    """One installation on one port, whatever happens to its server."""

    def __init__(self, home) -> None:
        self.home, self.port, self.process = home, served_app.free_port(), None
        self.address = f"http://127.0.0.1:{self.port}"
        self.database = open_state("", home)
        upgrade(self.database)
        self.feed = Feed(CITY, home, self.database)
        self.now = dt.datetime.now(dt.UTC)
        tokens = TokenStore(self.database)
        _, self.secret = tokens.create("live-test", ["grid_app"], now=self.now)

    def start(self):
        command = [sys.executable, "-m", "gunicorn", "dashboard.app:create_server()", "--bind",
                   f"127.0.0.1:{self.port}", "--threads", "4"]  # fmt: skip
        environ = served_app.environment(self.home, PINGAN_CITY=str(CITY), PINGAN_AUTH="demo")
        log = self.home.parent / "live.log"
        with log.open("w") as stream:
            self.process = subprocess.Popen(
                command, cwd=served_app.ROOT, env=environ, stdout=stream, stderr=stream
            )
        served_app.wait_for(f"{self.address}/healthz", self.process, log)

    def stop(self):
        self.process.kill()
        self.process.wait()

    def push(self, number):
        areas = Store(self.home).current().areas
        grid = areas[areas["level"] == "grid"].iloc[number]
        row = {"taskId": f"live-{number}", "discoverTime": "2026-11-15T10:30:00+0800",
               "classCode": "M102", "gridCode": str(grid["code"])}  # fmt: skip
        asked = urllib.request.Request(
            f"{self.address}/api/v1/incidents",
            json.dumps({"source": "grid_app", "rows": [row]}).encode(),
            {
                "Authorization": f"Bearer {self.secret}",
                "Idempotency-Key": f"live-{number}",
                "Content-Type": "application/json",
            },
        )
        with urllib.request.urlopen(asked) as answer:
            assert answer.status == 202
        assert self.feed.round(self.now) == []


@pytest.fixture
def served(demo_home, tmp_path):
    home = tmp_path / "home"
    shutil.copytree(demo_home, home, symlinks=True)
    served = Served(home)
    served.feed.round(served.now)
    served.start()
    yield served
    served.stop()
    served.database.close()


def test_what_is_pushed_appears_and_goes_on_after_a_restart(browser, served):
    page = browser.new_page()
    page.set_default_timeout(60_000)
    page.goto(f"{served.address}/methods")
    page.evaluate(LISTEN)
    page.add_script_tag(url="/assets/live_feed.js")
    page.evaluate("() => pinganLive.start({every: 200, lang: 'zh'})")
    page.wait_for_function("() => states.length === 1")
    page.evaluate("() => { told = []; }")

    served.push(1)
    page.wait_for_function("() => told.length === 1")
    one = page.evaluate("() => told[0]")
    assert (one["at"], one["class_code"], one["is_new"]) == ("10:30", "M102", True)
    assert " · " in one["place"]

    served.stop()
    page.wait_for_function("() => states.at(-1) === 'off'")
    served.start()
    served.push(2)
    page.wait_for_function("() => states.at(-1) === 'on' && told.length === 2")
    # The line came back to where it was: nothing of before is sent again.
    assert len({one["seq"] for one in page.evaluate("() => told")}) == 2
    page.close()

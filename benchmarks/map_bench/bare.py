"""
A Chromium whose page nobody records, for the memory of a tab.

A test tool that follows a page's requests keeps their answers in the process of that page: 200
drills leave tens of megabytes there that the page never held. This one sends the input, asks the
page questions, and keeps nothing.
"""

import itertools
import json
import re
import subprocess
import tempfile
import time
import urllib.request
from contextlib import contextmanager, suppress

import websocket

from benchmarks.browser import CHROMIUM, CLOCK, GRAPHICS, LONGEST_MS, OFFLINE, VIEWPORT
from benchmarks.map_bench.page import ENGINES, PAINTS, UNDER
from tests.browser.probes import KEEP_ENGINE

POLL_SECONDS = 0.02
MIDDLE = """(what) => {
  const found = document.querySelector(what);
  const box = found && found.getBoundingClientRect();
  return box && [box.x + box.width / 2, box.y + box.height / 2];
}"""


class Channel:
    """One connection of the browser's own protocol."""

    def __init__(self, address):
        self.socket = websocket.create_connection(address, timeout=LONGEST_MS / 1000)
        self.numbers = itertools.count(1)

    def send(self, method, **told):
        """Ask for one thing and wait for its answer."""
        number = next(self.numbers)
        self.socket.send(json.dumps({"id": number, "method": method, "params": told}))
        while (answer := json.loads(self.socket.recv())).get("id") != number:
            pass  # an event
        if "error" in answer:
            raise SystemExit(f"{method}: {answer['error']['message']}")
        return answer["result"]


class BarePage:
    """The product's page; the same clock as in `Ours`, none of its records."""

    def __init__(self, browser, page, address, engine):
        self.browser, self.page = browser, page
        page.send("Page.enable")
        script = CLOCK + KEEP_ENGINE + PAINTS
        page.send("Page.addScriptToEvaluateOnNewDocument", source=script)
        page.send(
            "Emulation.setDeviceMetricsOverride", **VIEWPORT, deviceScaleFactor=1, mobile=False
        )
        page.send("Page.navigate", url=f"{address}?renderer={engine}")
        self.wait("() => Boolean(window.clock) && clock.paints.length > 0")

    def evaluate(self, function, *arguments):
        """What a function of the page gives; None while the page is on its way."""
        given = ",".join(json.dumps(argument) for argument in arguments)
        answer = self.page.send(
            "Runtime.evaluate", expression=f"({function})({given})", returnByValue=True
        )
        return None if "exceptionDetails" in answer else answer["result"].get("value")

    def wait(self, function, *arguments):
        """Wait until a function of the page gives something true."""
        start = time.monotonic()
        while not (found := self.evaluate(function, *arguments)):
            if time.monotonic() - start > LONGEST_MS / 1000:
                raise SystemExit(f"never came true: {function} {arguments}")
            time.sleep(POLL_SECONDS)
        return found

    def spot(self, areas):
        """Which of the areas can be clicked, and where; None if something covers all of them."""
        return self.evaluate(UNDER, areas[["lng", "lat"]].to_numpy().tolist())

    def press_on(self, selector):
        self.press(*self.wait(MIDDLE, selector))

    def press(self, x, y):
        for kind, button in (("Moved", "none"), ("Pressed", "left"), ("Released", "left")):
            self.page.send(
                "Input.dispatchMouseEvent",
                type=f"mouse{kind}",
                x=x,
                y=y,
                button=button,
                clickCount=1,
            )


@contextmanager
def bare_page(address, engine):
    """The page in one engine, in a browser of its own."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        command = [
            CHROMIUM,
            *OFFLINE,
            *GRAPHICS[ENGINES[engine]],
            "--lang=zh-CN",
            "--remote-debugging-port=0",
            "--remote-allow-origins=*",
            f"--user-data-dir={folder}",
            "about:blank",
        ]
        process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        try:
            told = (re.search(r"ws://([^/]+)/devtools/\S+", line) for line in process.stderr)
            found = next(match for match in told if match)
            with urllib.request.urlopen(f"http://{found[1]}/json") as answer:
                page = next(entry for entry in json.load(answer) if entry["type"] == "page")
            yield BarePage(
                Channel(found[0]), Channel(page["webSocketDebuggerUrl"]), address, engine
            )
        finally:
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(10)
            process.kill()

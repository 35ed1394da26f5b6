"""
A Chromium that reaches nothing but this machine, and a clock from the user's act to the frame.

The clock runs inside the page: an act is the time stamp of the pointer's release (or of the
navigation), a frame counts when the graphics process has finished it (a GL fence), not when the
script has handed it over. Other hosts are cut off by the resolver, not by intercepting requests,
because interception would switch the browser's cache off.
"""

import math
import statistics
import time
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar
from urllib.parse import urlsplit

from playwright.sync_api import sync_playwright

CHROMIUM = "/usr/bin/chromium"
OFFLINE = [
    "--headless=new",
    "--no-sandbox",
    "--disable-background-networking",
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
]
GRAPHICS = {
    "emulated": ["--use-angle=swiftshader", "--enable-unsafe-swiftshader"],
    "none": ["--disable-gpu", "--disable-3d-apis"],
}
"""
How the browser draws: by a graphics card that the processor plays, or as on a computer without one.

Without one there is no WebGL at all and pages are put together by the processor, which is the
faster of the two on such a computer; only components that draw without WebGL work there.
"""
FLAGS = OFFLINE + GRAPHICS["emulated"]
VIEWPORT = {"width": 1366, "height": 768}
LONGEST_MS = 60_000

CLOCK = """
window.clock = { acts: [], paints: [], calls: [], renders: [] };
document.addEventListener('pointerup', (e) => clock.acts.push(e.timeStamp), true);
performance.setResourceTimingBufferSize(20000);
const plainFetch = window.fetch;
window.fetch = function (address, options) {
  let output = null;
  try { output = JSON.parse(options.body).output; } catch (e) { output = null; }
  if (!output) return plainFetch.apply(this, arguments);
  const call = { start: performance.now(), output: output };
  clock.calls.push(call);
  return plainFetch.apply(this, arguments).finally(() => { call.end = performance.now(); });
};
window.watchMap = (map) => map.on('render', () => {
  const frame = { at: performance.now(), loaded: map.loaded() };
  clock.renders.push(frame);
  const gl = map.getCanvas().getContext('webgl2');
  const fence = gl.fenceSync(gl.SYNC_GPU_COMMANDS_COMPLETE, 0);
  gl.flush();
  const poll = () => {
    if (gl.getSyncParameter(fence, gl.SYNC_STATUS) !== gl.SIGNALED) { setTimeout(poll, 2); return; }
    gl.deleteSync(fence);
    frame.done = performance.now();
  };
  setTimeout(poll, 0);
});
window.wholeSince = (act) => {
  const after = clock.renders.filter((r) => r.at > act);
  if (!after.length || !after.every((r) => r.done)) return null;
  const broken = after.map((r) => r.loaded).lastIndexOf(false);
  return after[broken < 0 ? after.length - 1 : Math.min(broken + 1, after.length - 1)].done;
};
"""
"""
Recorded in every page, ours and the peer's: acts, callbacks, frames of the map.

`wholeSince(act)` is the end of the first whole frame after the last that still lacked tiles.
"""


class Watched:
    """One page in a context of its own, so with an empty cache."""

    opened: ClassVar[list["Watched"]] = []
    """Every page of the run, to count what any of them asked of other hosts."""

    def __init__(self, browser, script=""):
        self.browser = browser
        self.context = browser.new_context(viewport=VIEWPORT, locale="zh-CN")
        self.page = self.context.new_page()
        self.page.set_default_timeout(LONGEST_MS)
        self.page.add_init_script(CLOCK + script)
        self.requests, self.outside, self.complaints = [], [], []
        Watched.opened.append(self)
        self.page.on("request", self._see)
        self.page.on("requestfinished", lambda request: self.requests.append(request))  # noqa: PLW0108
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _see(self, request):
        parts = urlsplit(request.url)
        if parts.scheme in {"http", "https", "ws", "wss"} and parts.hostname != "127.0.0.1":
            self.outside.append(request.url)

    def evaluate(self, script, argument=None):
        return self.page.evaluate(script, argument)

    def settle(self, quiet=0.5, longest=40.0):
        """Wait until no callback is open and no frame or request has come for a while."""
        state, since, start = None, time.monotonic(), time.monotonic()
        while time.monotonic() - start < longest:
            page_now = self.evaluate(
                "() => [clock.paints.length, clock.calls.filter((c) => !c.end).length"
                " + clock.renders.filter((r) => !r.done).length,"
                " clock.calls.length, clock.renders.length]"
            )
            now = [*page_now, len(self.requests)]
            if now != state or now[1]:
                state, since = now, time.monotonic()
            elif time.monotonic() - since > quiet:
                return
            self.page.wait_for_timeout(60)

    def pan(self, seconds):
        """Frames a second while the map is dragged about its middle."""
        mouse = self.page.mouse
        x, y = self.middle()
        mouse.move(x, y)
        mouse.down()
        mouse.move(x + 8, y + 8)
        self.evaluate("() => { clock.ticks = []; const tick = (at) => {"
                      " if (clock.ticks) { clock.ticks.push(at); requestAnimationFrame(tick); } };"
                      " requestAnimationFrame(tick); }")  # fmt: skip
        start, step = time.monotonic(), 0
        while time.monotonic() - start < seconds:
            step += 1
            mouse.move(x + 160 * math.sin(step / 9), y + 90 * math.cos(step / 7))
        frames = self.evaluate(
            "() => { const t = clock.ticks; clock.ticks = null;"
            " return t.length < 2 ? 0 : (t.length - 1) * 1000 / (t[t.length - 1] - t[0]); }"
        )
        mouse.up()
        return frames

    def middle(self):
        """The middle of the map."""
        box = self.page.locator("#map").bounding_box()
        return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2

    def press(self, x, y):
        """A click as a hand makes it: the pointer rests on the spot before it presses."""
        self.page.mouse.move(x, y)
        self.settle(0.35)
        self.page.mouse.down()
        self.page.mouse.up()

    def press_on(self, locator):
        """Click the middle of what is found; a panel that is drawn anew is waited for."""
        locator.wait_for(state="visible")
        while (box := locator.bounding_box()) is None:
            self.settle(0.05)
        self.press(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)

    def loaded(self):
        """Every finished request: address, end in ms since the navigation, bytes on the wire."""
        origin = self.evaluate("() => performance.timeOrigin")
        return [
            {
                "url": request.url,
                "body": request.post_data or "",
                "end": request.timing["startTime"] + request.timing["responseEnd"] - origin,
                "bytes": wire_bytes(request),
            }
            for request in self.requests
        ]

    def close(self):
        self.context.close()


def wire_bytes(request):
    """Headers and compressed body; a worker's own script tells its length only in a header."""
    response = request.response()
    if response is None or response.from_service_worker:
        return 0
    sizes = request.sizes()
    body = sizes["responseBodySize"] or int(response.headers.get("content-length", 0))
    return body + sizes["responseHeadersSize"]


@contextmanager
def browsers():
    """A Chromium of each kind of `GRAPHICS`."""
    if not Path(CHROMIUM).is_file():
        raise SystemExit(f"{CHROMIUM} is missing: apt-get install chromium")
    with sync_playwright() as playwright:
        opened = {
            graphics: playwright.chromium.launch(executable_path=CHROMIUM, args=OFFLINE + flags)
            for graphics, flags in GRAPHICS.items()
        }
        yield opened
        for browser in opened.values():
            browser.close()


def median(values):
    return statistics.median(values) if values else float("nan")

"""
Push incidents and watch them arrive on a screen, with servers killed in mid-stream.

Run from the root of the project: ``python -m benchmarks.live --home HOME``. A copy of the home is
served by two processes of eight threads with ``pingan watch`` beside it, and a real Chromium has a
page open that runs ``live_feed.js``. `stream` pushes at the given rate and compares what was
accepted with what the screen shows, row by row: latency is from before the push is sent until the
frame after its line is in the page. `killed` does the same while the web server, one of its
processes and the feed are killed with SIGKILL. `screens` polls like a hundred screens. `held` holds
a hundred streams of server-sent events instead. Loopback only.
"""

import argparse
import asyncio
import contextlib
import datetime as dt
import http.client
import json
import os
import random
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from urllib.parse import urlencode

from playwright.sync_api import sync_playwright

from benchmarks.viewers import Connection, get
from data.city import read_city
from data.settings import Settings
from data.state.database import open_state
from data.state.migrate import upgrade
from data.store import Store
from data.tokens import TokenStore
from tests.browser.served_app import ROOT, environment, free_port, wait_for

CITY = ROOT / "data" / "cities" / "demo"
SOURCE = "grid_app"
CHROMIUM = "/usr/bin/chromium"
PATIENCE_S = 90
SENDERS = 4
"""Connections of the sending system: one would wait for each answer."""

TICK_S = os.sysconf("SC_CLK_TCK")
SCREEN = """
() => {
  window.told = []; window.states = []; window.answers = 0;
  const list = document.createElement("ol"), count = document.createElement("b");
  document.body.prepend(count, list);
  document.addEventListener("pingan:live-state", (e) => states.push([e.detail.state, Date.now()]));
  document.addEventListener("pingan:live", (e) => {
    answers += 1;
    const from = told.length;
    if (e.detail.is_whole && answers > 1) window.renewed = (window.renewed || 0) + 1;
    if (e.detail.is_whole) return;
    for (const one of e.detail.incidents) {
      const line = document.createElement("li");
      line.textContent = [one.at, one.class, one.place].join(" ");
      list.append(line);
      if (list.children.length > 50) list.firstChild.remove();
      told.push([one.seq, 0]);
    }
    count.textContent = told.length;
    requestAnimationFrame(() => requestAnimationFrame(() => {
      for (const one of told.slice(from)) one[1] = one[1] || Date.now();
    }));
  });
}
"""


class Product:
    """A copy of a home, served with `pingan watch` beside it; parts of it may be killed."""

    def __init__(self, home, folder, application="dashboard.app:create_server()", threads=8):
        self.home, self.port = folder / "home", free_port()
        shutil.copytree(home, self.home, symlinks=True)
        database = open_state("", self.home)
        upgrade(database)
        self.secret = TokenStore(database).create(
            f"bench{time.time_ns()}", [SOURCE], now=dt.datetime.now(dt.UTC)
        )[1]
        database.close()
        self.environ = environment(self.home, PINGAN_CITY=str(CITY), PINGAN_AUTH="demo")
        self.log = (folder / "log").open("w+")
        self.web_command = [
            sys.executable, "-m", "gunicorn", application, "--bind", f"127.0.0.1:{self.port}",
            "--workers", "2", "--threads", str(threads), "--log-level", "warning",
            "--no-control-socket",
        ]  # fmt: skip
        self.watch_command = [sys.executable, "-m", "etl", "watch", "--city", str(CITY)]
        self.web = self.watch = None

    def start(self, command):
        return subprocess.Popen(
            command, cwd=ROOT, env=self.environ, stdout=self.log, stderr=self.log,
            start_new_session=True,
        )  # fmt: skip

    def start_web(self):
        self.web = self.start(self.web_command)

    def wait(self):
        wait_for(f"http://127.0.0.1:{self.port}/healthz", self.web, Path(self.log.name))

    def kill_web(self):
        os.killpg(self.web.pid, signal.SIGKILL)
        self.web.wait()

    def kill_worker(self):
        """Kill one process of the web server."""
        os.kill(children_of(self.web.pid)[0], signal.SIGKILL)

    def kill_feed(self):
        """Kill the process that feeds the screens; the one above it starts it again."""
        (keeper,) = [pid for pid in children_of(self.watch.pid) if is_spawned(pid)]
        (feed,) = [pid for pid in children_of(keeper) if is_spawned(pid)]
        os.kill(feed, signal.SIGKILL)

    def cpu(self, process):
        """Processor seconds of a process and its children."""
        total = 0.0
        for pid in [process.pid, *children_of(process.pid)]:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            total += (int(fields[11]) + int(fields[12])) / TICK_S
        return total

    def __enter__(self):
        self.start_web()
        self.wait()
        self.watch = self.start(self.watch_command)
        return self

    def __exit__(self, *_):
        for process in (self.web, self.watch):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def children_of(pid):
    return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def is_spawned(pid):
    """Whether a process was spawned, not forked, and is no helper of Python's own."""
    return b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()


class Sender:
    """Pushes at a rate; a push that fails is sent again under the same key."""

    def __init__(self, product, *, incidents, rate, rows):
        self.product, self.rate, self.rows = product, rate, rows
        self.pushes = incidents // rows
        areas = Store(product.home).current().areas
        self.grids = areas[areas["level"] == "grid"][["lng", "lat", "code"]].to_numpy()
        as_of = read_city(CITY, home=product.home).as_of
        self.day = as_of or dt.datetime.now(dt.UTC).date()
        self.chance = random.Random(1)
        self.accepted, self.took, self.again = [], [], 0
        self.mark = time.time_ns()

    def body(self, push):
        rows = []
        for n in range(self.rows):
            lng, lat, code = self.grids[self.chance.randrange(len(self.grids))]
            clock = f"{self.day}T{8 + n % 3:02d}:{push % 60:02d}:00+0800"
            rows.append({"taskId": f"{self.mark}-{push}-{n}", "discoverTime": clock,
                         "classCode": "M102", "lng": lng, "lat": lat, "gridCode": code})  # fmt: skip
        return json.dumps({"source": SOURCE, "rows": rows}).encode()

    def run(self):
        started = time.monotonic()
        bodies = [self.body(push) for push in range(self.pushes)]
        threads = [
            threading.Thread(target=self.send, args=(bodies, first, started))
            for first in range(SENDERS)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def send(self, bodies, first, started):
        connection = None
        for push in range(first, len(bodies), SENDERS):
            due = started + push * self.rows / self.rate
            time.sleep(max(0.0, due - time.monotonic()))
            body, sent = bodies[push], time.time()
            while True:
                connection = connection or http.client.HTTPConnection(
                    "127.0.0.1", self.product.port, timeout=20
                )
                batch = self.try_once(connection, body, push)
                if batch:
                    break
                connection, self.again = None, self.again + 1
                time.sleep(0.3)
            self.took.append(time.time() - sent)
            self.accepted.append((batch, sent))

    def try_once(self, connection, body, push):
        headers = {"Authorization": f"Bearer {self.product.secret}",
                   "Idempotency-Key": f"{self.mark}-{push}", "Content-Type": "application/json"}  # fmt: skip
        try:
            connection.request("POST", "/api/v1/incidents", body, headers)
            answer = connection.getresponse()
            told = json.loads(answer.read())
        except (OSError, http.client.HTTPException, ValueError):
            return 0
        return told["batch"] if answer.status == 202 else 0


def at(values, share):
    return statistics.quantiles(values, n=100, method="inclusive")[round(share * 100) - 1]


def stream(product, *, incidents, rate, rows, kills=()):
    """Push while a screen is open; what was accepted against what it shows."""
    sender = Sender(product, incidents=incidents, rate=rate, rows=rows)
    warm = Sender(product, incidents=rows, rate=rate, rows=rows)
    with sync_playwright() as tool:
        browser = tool.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page()
        page.goto(f"http://127.0.0.1:{product.port}/methods")
        page.evaluate(SCREEN)
        page.add_script_tag(url="/assets/live_feed.js")
        page.evaluate("() => pinganLive.start({every: 2000, lang: 'zh'})")
        page.wait_for_function("() => window.answers > 0")
        warm.run()  # the feed reads the city and its boundaries at its start
        page.wait_for_function(f"() => told.length >= {rows}", timeout=PATIENCE_S * 1000)
        page.evaluate("() => { told = []; }")
        thread = threading.Thread(target=sender.run)
        began = time.monotonic()
        thread.start()
        for after, kill in kills:
            time.sleep(max(0.0, began + after - time.monotonic()))
            kill()
        while thread.is_alive():
            page.wait_for_timeout(200)
        spent = time.monotonic() - began
        expected = len(sender.accepted) * rows
        with contextlib.suppress(Exception):
            page.wait_for_function(
                f"() => told.length >= {expected} && told.every((one) => one[1])",
                timeout=PATIENCE_S * 1000,
            )
        told, states = page.evaluate("() => told"), page.evaluate("() => states")
        renewed = page.evaluate("() => window.renewed || 0")
        browser.close()
    sent = [moment for _, moment in sorted(sender.accepted) for _ in range(rows)]
    late = [one[1] / 1000 - moment for one, moment in zip(told, sent, strict=False)]
    distinct = len({one[0] for one in told})
    print(f"{expected:,} incidents accepted in {spent:.0f} s ({expected / spent:.0f}/s, "
          f"{rows} a push); on the screen {distinct:,}, twice {len(told) - distinct:,}, "
          f"lost {expected - distinct:,}")  # fmt: skip
    if len(late) > 1:
        print(f"push -> painted: p50 {at(late, .5):.2f} s, p95 {at(late, .95):.2f} s, "
              f"longest {max(late):.2f} s")  # fmt: skip
    print(f"push -> 202: p50 {at(sender.took, .5) * 1000:.0f} ms, p95 "
          f"{at(sender.took, .95) * 1000:.0f} ms; sent again {sender.again}")  # fmt: skip
    print(f"states of the line: {[state for state, _ in states]}; begun anew {renewed}")
    print(f"load of the machine: {os.getloadavg()[0]:.0f} on {os.cpu_count()} cores")
    return expected == distinct == len(told)


def killed(product, **options):
    """The same, while parts are killed: the web server whole, one process of it, the feed."""

    def whole():
        product.kill_web()
        time.sleep(2)
        product.start_web()

    kills = ((5, whole), (22, product.kill_worker), (30, product.kill_feed))
    return stream(product, kills=kills, **options)


async def poll(port, until, log, number):
    line, cursor = Connection(port), ""
    await asyncio.sleep(number * 0.02)
    while asyncio.get_running_loop().time() < until:
        began = time.perf_counter()
        query = urlencode({"lang": "zh"} | ({"after": cursor} if cursor else {}))
        try:
            status, _, body = await line.ask(get(port, f"/live?{query}"))
        except (OSError, asyncio.IncompleteReadError):
            status, body = 0, b""
        log.append((time.perf_counter() - began, status, len(body)))
        if status == 200:
            cursor = json.loads(body)["cursor"]
        await asyncio.sleep(max(0.0, 2.0 - (time.perf_counter() - began)))


def screens(product, *, count, seconds, rate, rows):
    """So many screens, first with nothing new, then while incidents arrive."""

    async def crowd(log):
        until = asyncio.get_running_loop().time() + seconds
        await asyncio.gather(*(poll(product.port, until, log, n) for n in range(count)))

    for name, pushed in (("nothing new", 0), (f"{rate}/s arriving", rate * seconds)):
        sender = Sender(product, incidents=pushed, rate=rate, rows=rows)
        thread = threading.Thread(target=sender.run)
        log, before = [], product.cpu(product.web)
        thread.start()
        asyncio.run(crowd(log))
        used = (product.cpu(product.web) - before) / seconds
        thread.join()
        took = [one[0] * 1000 for one in log]
        wrong = [one[1] for one in log if one[1] not in (200, 204)]
        sizes = [one[2] for one in log if one[1] == 200] or [0]
        print(f"{count} screens, {name}: {len(log):,} polls in {seconds} s, p50 "
              f"{at(took, .5):.1f} ms, p95 {at(took, .95):.1f} ms, errors {len(wrong)} {set(wrong) or ''}; "
              f"web processes {used:.2f} of one core ({used / len(log) * seconds * 1000:.1f} ms a poll); "
              f"largest answer {max(sizes) / 1000:.0f} kB")  # fmt: skip


def create_streams():
    """The product with `/stream` beside: the same news as server-sent events."""
    from flask import Response

    from dashboard import guard
    from dashboard.app import create_app
    from data.arrivals import ArrivalStore

    guard.PERMISSIONS["stream"] = "anyone"
    settings = Settings.from_env(os.environ)
    server = create_app(settings, Store(settings.home)).server
    arrivals = ArrivalStore(open_state(settings.state, settings.home))
    server._got_first_request = False  # noqa: SLF001 - the product has warmed up already

    @server.get("/stream", endpoint="stream")
    def stream_events():
        def events():
            while True:
                yield f"data: {arrivals.newest()}\n\n"
                time.sleep(2)

        return Response(events(), mimetype="text/event-stream")

    return server


def held(product, *, count, seconds):
    """So many held streams: how many are answered, and whether anybody else still is."""

    async def one(answered):
        reader, writer = await asyncio.open_connection("127.0.0.1", product.port)
        writer.write(get(product.port, "/stream"))
        with contextlib.suppress(TimeoutError, ConnectionError, asyncio.IncompleteReadError):
            async with asyncio.timeout(seconds):
                await reader.readuntil(b"data: ")
                answered.append(1)
                await asyncio.sleep(seconds)
        writer.close()

    async def other(times):
        await asyncio.sleep(seconds / 2)
        began = time.perf_counter()
        with contextlib.suppress(TimeoutError, ConnectionError, asyncio.IncompleteReadError):
            async with asyncio.timeout(seconds / 2):
                await Connection(product.port).ask(get(product.port, "/healthz"))
                times.append(time.perf_counter() - began)

    async def all_of_them(answered, times):
        await asyncio.gather(other(times), *(one(answered) for _ in range(count)))

    answered, times, before = [], [], product.cpu(product.web)
    asyncio.run(all_of_them(answered, times))
    used = (product.cpu(product.web) - before) / seconds
    told = f"{times[0] * 1000:.0f} ms" if times else f"none within {seconds / 2:.0f} s"
    print(f"{count} held streams: {len(answered)} answered; another request: {told}; "
          f"web processes {used:.2f} of one core")  # fmt: skip


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("what", choices=("stream", "killed", "screens", "held"))
    parser.add_argument("--home", type=Path, required=True, help="a built PINGAN_HOME")
    parser.add_argument("--incidents", type=int, default=10_000)
    parser.add_argument("--rate", type=int, default=200)
    parser.add_argument("--rows", type=int, default=10, help="incidents of one push")
    parser.add_argument("--screens", type=int, default=100)
    parser.add_argument("--seconds", type=int, default=30)
    parser.add_argument("--threads", type=int, default=8)
    chosen = parser.parse_args()
    application = {"screens": "benchmarks.viewers:create_server()",
                   "held": "benchmarks.live:create_streams()"}.get(
        chosen.what, "dashboard.app:create_server()"
    )  # fmt: skip
    pushed = {"rate": chosen.rate, "rows": chosen.rows}
    is_right = True
    with tempfile.TemporaryDirectory() as folder:
        product = Product(chosen.home.resolve(), Path(folder), application, chosen.threads)
        with product:
            if chosen.what in ("stream", "killed"):
                run = stream if chosen.what == "stream" else killed
                is_right = run(product, incidents=chosen.incidents, **pushed)
            elif chosen.what == "screens":
                screens(product, count=chosen.screens, seconds=chosen.seconds, **pushed)
            else:
                held(product, count=chosen.screens, seconds=chosen.seconds)
    raise SystemExit(0 if is_right else 1)


if __name__ == "__main__":
    main()

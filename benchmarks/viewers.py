"""
Two hundred viewers at once, each with a click every five seconds, against the served product.

Run from the root of the project: ``python -m benchmarks.viewers --home HOME``. A click sends what
the page sends: the callback that moves the view and draws the map, then the one that draws
everything beside it, over connections that stay open. Viewers walk areas, periods, categories and layers at random by a seed; tiles and scripts
are left out, because a browser holds them. The peer is the floor of this machine: the same number
of viewers and requests, all of them to ``/healthz``. Both run for the same time, on loopback only.
"""

import argparse
import asyncio
import json
import os
import random
import statistics
import time
from pathlib import Path
from urllib.parse import urlencode, urlsplit

from benchmarks.report import Row, print_rows
from dashboard.app import create_app
from dashboard.limits import BURST_S, PER_SECOND, Limits
from data.settings import Settings
from data.store import Store
from tests.browser import served_app

LIMIT_VIEWERS, LIMIT_SECONDS = 500, 300
SERVER = "benchmarks.viewers:create_server()"
PANELS = ("panels-markup.data",)
"""One output of each callback that follows a painted map; who sees the city has nothing to compare."""
WEEKS = (1, 4, 13, 26, 52)


def create_server():
    """The product, with the shares of many accounts for the one that all viewers sign in with."""
    settings = Settings.from_env(os.environ)
    shares = Limits(
        in_flight=settings.threads,
        burst=BURST_S * LIMIT_VIEWERS,
        per_second=PER_SECOND * LIMIT_VIEWERS,
    )
    return create_app(settings, Store(settings.home), limits=shares).server


class Connection:
    """One HTTP/1.1 connection that stays open, and opens anew when the server has closed it."""

    def __init__(self, port):
        self.port, self.reader, self.writer = port, None, None

    async def ask(self, request):
        """Status and body; a connection closed while idle is renewed once, as a browser does."""
        fresh = self.writer is None
        try:
            if fresh:
                await self.open()
            return await self.exchange(request)
        except (ConnectionError, asyncio.IncompleteReadError):
            self.close()
            if fresh:
                raise
        await self.open()
        return await self.exchange(request)

    async def open(self):
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port)

    async def exchange(self, request):
        self.writer.write(request)
        await self.writer.drain()
        head = (await self.reader.readuntil(b"\r\n\r\n")).lower()
        status = int(head.split(b" ", 2)[1])
        length = 0
        if b"content-length:" in head:
            length = int(head.split(b"content-length:", 1)[1].split(b"\r\n", 1)[0])
        body = await self.reader.readexactly(length)
        if b"connection: close" in head:
            self.close()
        return status, head, body

    def close(self):
        if self.writer is not None:
            self.writer.close()
        self.reader = self.writer = None


class Log:
    """Seconds of every click and request of one run, and what failed."""

    def __init__(self):
        self.clicks, self.requests, self.errors, self.sizes = [], [], [], []


class Callbacks:
    """Bodies of the page's callbacks, from the description that the server gives of them."""

    def __init__(self, specifications):
        self.by_output = {}
        for spec in specifications:
            for output in spec["output"].strip(".").split("..."):
                self.by_output[output] = spec

    def body(self, output, values, changed):
        spec = self.by_output[output]
        targets = [name.rsplit(".", 1) for name in spec["output"].strip(".").split("...")]
        return {
            "output": spec["output"],
            "outputs": [{"id": name, "property": prop} for name, prop in targets],
            "inputs": filled(spec["inputs"], values),
            "state": filled(spec["state"], values),
            "changedPropIds": [changed],
        }


def filled(items, values):
    named = [(item["id"], item["property"]) for item in items]
    return [
        {"id": name, "property": prop, "value": values.get(f"{name}.{prop}")}
        for name, prop in named
    ]


class City:
    """What a viewer may do: the children of every area, the categories."""

    def __init__(self, snapshot):
        areas = snapshot.areas
        self.shown = snapshot.id
        self.levels = [entry["level"] for entry in snapshot.manifest.levels]
        current = areas[areas["valid_to"].isna()]
        self.codes = {
            level: dict(zip(rows["area_index"].tolist(), rows["code"], strict=True))
            for level, rows in current.groupby("level")
        }
        self.children = {}
        for level, index, parent in current[["level", "area_index", "parent_index"]].itertuples(
            index=False
        ):
            self.children.setdefault((level, int(parent)), []).append(int(index))
        self.categories = ["", *snapshot.categories["code"].tolist()]


class Viewer:
    """One reader of the map: where he is, and his next click."""

    def __init__(self, city, chance):
        self.city, self.chance = city, chance
        self.path, self.weeks, self.category, self.layer = [0], 4, "", "areas"

    def search(self):
        depth = len(self.path) - 1
        pairs = {
            "area": self.city.codes[self.city.levels[depth]][self.path[-1]] if depth else "",
            "layer": self.layer if self.layer != "areas" else "",
            "periods": str(self.weeks) if self.weeks != 4 else "",
            "category": self.category,
        }
        query = urlencode([(name, value) for name, value in pairs.items() if value])
        return f"?{query}" if query else ""

    def controls(self):
        return {
            "url.search": self.search(),
            "url.pathname": "/",
            "shown.data": self.city.shown,
            "layer.value": self.layer,
            "level.value": "",
            "periods.value": self.weeks,
            "end.value": "",
            "category.value": self.category,
            "severity.value": "",
            "language.value": "zh",
            "theme.value": "auto",
        }

    def click(self):
        """Values and trigger of the callback that moves the view; then the viewer is where the click led."""
        values, kind = self.controls(), self.chance.random()
        depth = len(self.path)
        below = self.city.levels[depth] if depth < len(self.city.levels) - 1 else None
        children = self.city.children.get((below, self.path[-1]), []) if below else []
        if kind < 0.6 and self.layer == "areas" and children:
            index = self.chance.choice(children)
            self.path.append(index)
            values["map-event.data"] = {
                "kind": "click", "layer": "areas", "level": below, "index": index, "counter": 1
            }  # fmt: skip
            return values, "map-event.data"
        if kind < 0.6 and depth > 1:
            self.path.pop()
            values["map-event.data"] = {"kind": "up", "counter": 1}
            return values, "map-event.data"
        if kind < 0.8:
            self.weeks = self.chance.choice([n for n in WEEKS if n != self.weeks])
            values["periods.value"] = self.weeks
            return values, "periods.value"
        if kind < 0.95:
            self.category = self.chance.choice(
                [c for c in self.city.categories if c != self.category]
            )
            values["category.value"] = self.category
            return values, "category.value"
        self.layer = "cells" if self.layer == "areas" else "areas"
        values["layer.value"] = self.layer
        return values, "layer.value"


def post(port, body):
    content = json.dumps(body).encode()
    head = (
        "POST /_dash-update-component HTTP/1.1\r\n"
        f"Host: 127.0.0.1:{port}\r\nOrigin: http://127.0.0.1:{port}\r\n"
        "Content-Type: application/json\r\nAccept-Encoding: br\r\n"
        f"Content-Length: {len(content)}\r\n\r\n"
    )
    return head.encode() + content


def get(port, path):
    return f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode()


async def timed(connection, request, log):
    start = time.perf_counter()
    try:
        status, _, body = await connection.ask(request)
    except (OSError, asyncio.IncompleteReadError) as error:
        log.errors.append(type(error).__name__)
        return None
    log.requests.append(time.perf_counter() - start)
    log.sizes.append(len(body))
    if status != 200:
        log.errors.append(f"HTTP {status}")
    return status


async def click_map(viewer, connections, callbacks, port, log):
    values, changed = viewer.click()
    await timed(connections[0], post(port, callbacks.body("map-view.data", values, changed)), log)
    asked, address = {"panels-address.data": viewer.search()}, "panels-address.data"
    await asyncio.gather(
        *(
            timed(line, post(port, callbacks.body(part, asked, address)), log)
            for line, part in zip(connections, PANELS, strict=True)
        )
    )


async def click_floor(connections, port, log):
    await timed(connections[0], get(port, "/healthz"), log)
    await asyncio.gather(*(timed(line, get(port, "/healthz"), log) for line in connections))


async def live(act, chance, until, log):
    """Click, wait for all the answers, think for four to six seconds, click again."""
    loop = asyncio.get_running_loop()
    await asyncio.sleep(chance.uniform(0, 5))
    while loop.time() < until:
        start = time.perf_counter()
        await act()
        log.clicks.append(time.perf_counter() - start)
        think = chance.uniform(4, 6) - (time.perf_counter() - start)
        await asyncio.sleep(max(0.0, think))


async def crowd(address, city, *, viewers, seconds, seed, floor):
    port, log = urlsplit(address).port, Log()
    line = Connection(port)
    _, _, described = await line.ask(get(port, "/_dash-dependencies"))
    callbacks = Callbacks(json.loads(described))
    line.close()
    until = asyncio.get_running_loop().time() + seconds
    async with asyncio.TaskGroup() as group:
        for number in range(viewers):
            chance = random.Random(seed * 1_000_003 + number)
            viewer, connections = Viewer(city, chance), [Connection(port) for _ in PANELS]

            async def act(viewer=viewer, connections=connections):
                if floor:
                    await click_floor(connections, port, log)
                else:
                    await click_map(viewer, connections, callbacks, port, log)

            group.create_task(live(act, chance, until, log))
    return log


def quantile(values, share):
    return statistics.quantiles(values, n=100, method="inclusive")[round(share * 100) - 1] * 1000


def measure(home, *, viewers, seconds, seed):
    city = City(Store(home).current())
    options = {"viewers": viewers, "seconds": seconds, "seed": seed}
    with served_app.serve(home, workers=2, application=SERVER) as address:
        floor = asyncio.run(crowd(address, city, floor=True, **options))
        asyncio.run(crowd(address, city, floor=False, viewers=20, seconds=8, seed=seed + 1))
        ours = asyncio.run(crowd(address, city, floor=False, **options))
    name = f"{viewers} viewers for {seconds} s"
    rows = [
        Row(f"{name}: one callback, p{share}", "ms", 300 if share == 95 else None,
            [quantile(ours.requests, share / 100)], [quantile(floor.requests, share / 100)], floor=True)
        for share in (50, 95, 99)
    ] + [
        Row(f"{name}: click → every panel answered, p{share}", "ms", None,
            [quantile(ours.clicks, share / 100)], [quantile(floor.clicks, share / 100)], floor=True)
        for share in (50, 95, 99)
    ]  # fmt: skip
    rows += [
        Row(f"{name}: errors", "", 0, [len(ours.errors)], [len(floor.errors)]),
        Row(f"{name}: requests", "", None, [len(ours.requests)], [len(floor.requests)]),
        Row(f"{name}: largest answer", "kB", 50, [max(ours.sizes) / 1000]),
    ]
    return rows, {"errors": sorted(set(ours.errors)), "floor_errors": sorted(set(floor.errors))}


HEAD = ["what", "budget", "measured", "", "floor (/healthz)", "ours / floor", "budget is"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--home", type=Path, required=True, help="a built PINGAN_HOME")
    parser.add_argument("--viewers", type=int, default=200)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path, help="write the rows to this file")
    parser.add_argument("--markdown", action="store_true", help="print rows of docs/budgets.md")
    arguments = parser.parse_args()
    if arguments.viewers > LIMIT_VIEWERS or arguments.seconds > LIMIT_SECONDS:
        parser.error(f"at most {LIMIT_VIEWERS} viewers and {LIMIT_SECONDS} seconds")
    rows, notes = measure(
        arguments.home.resolve(),
        viewers=arguments.viewers,
        seconds=arguments.seconds,
        seed=arguments.seed,
    )
    print_rows(rows, markdown=arguments.markdown, head=HEAD)
    if arguments.json:
        arguments.json.write_text(json.dumps([vars(row) for row in rows], ensure_ascii=False))
    for name, kinds in notes.items():
        if kinds:
            print(f"{name}: {kinds}")


if __name__ == "__main__":
    main()

"""
The map beside its peers: first load, recolour, frames while panning, bytes; both engines.

All take turns in every round, so that noise meets all alike. A recolour of ours asks its server
for another period; a recolour of a peer takes values that lie ready.
"""

import json
from contextlib import ExitStack

from benchmarks.browser import Watched, median
from benchmarks.map_bench import peer_data, peers
from benchmarks.map_bench.page import Ours
from benchmarks.report import Row
from tests.browser import served_app

PAN_SECONDS = 1.5
WEEKS = (13, 26, 52, 1)
OURS = {
    "gl": ("gl", "emulated"),
    "canvas": ("canvas", "none"),
    "canvas, GPU emulated": ("canvas", "emulated"),
}
THEIRS = {
    "plotly": ("plotly", "emulated"),
    "dash-leaflet": ("dash-leaflet", "none"),
    "dash-leaflet, GPU emulated": ("dash-leaflet", "emulated"),
    "deck.gl": ("deck.gl", "emulated"),
}
"""Who takes part, and with what graphics: plotly and deck.gl draw by WebGL alone."""
WANTED = {"areas": 6, "cells": 10}
"""How many times faster than plotly a recolour has to be."""
CANVAS_FPS = 50


class PeerPage(Watched):
    """A peer's page."""

    def __init__(self, browser, address, kind):
        super().__init__(browser, peers.CLOCKS + peers.WATCHED[kind])
        self.address = address

    def open(self):
        """The ms from the navigation to the painted map."""
        self.page.goto(self.address, wait_until="commit")
        self.page.wait_for_function(
            "() => performance.getEntriesByType('resource').some("
            "(r) => r.name.endsWith('.geojson') && clock.renders.some("
            "(f) => f.at > r.responseEnd && f.loaded && f.done))"
        )
        self.settle(1.0)
        return self.evaluate("() => wholeSince(0)")

    def recolour(self):
        """The ms from the button's release to the painted frame."""
        self.settle()
        acts = self.evaluate("() => clock.acts.length")
        self.press_on(self.page.locator("#recolour"))
        self.page.wait_for_function(
            "(n) => { const call = clock.calls[clock.calls.length - 1];"
            " return clock.acts.length > n && call && call.end > clock.acts[n] &&"
            " clock.renders.some((r) => r.at > call.end && r.loaded && r.done); }",
            arg=acts,
        )
        self.settle(0.8)
        return self.evaluate("(n) => wholeSince(clock.acts[n]) - clock.acts[n]", acts)


def measure(stage):
    """Rows of both sets of polygons."""
    folder, names = peer_data.prepare(stage.city)
    page = Ours(stage, "gl")
    page.open()
    size = page.evaluate("() => [map.clientWidth, map.clientHeight]")
    page.close()
    rows = []
    for shape, name in names.items():
        with ExitStack() as stack:
            addresses = {
                kind: stack.enter_context(
                    serve(stage.city.home, kind=kind, folder=str(folder), name=name, size=size)
                )
                for kind, version in peers.installed().items()
                if version
            }
            found = {}
            for turn in range(stage.rounds):
                for who, how in OURS.items():
                    note(found, who, one_of_ours(stage, *how, shape, turn))
                for who, (kind, graphics) in THEIRS.items():
                    if place := addresses.get(kind):
                        note(found, who, one_of_theirs(stage, place, kind, graphics))
        rows += table(stage.city, shape, found)
    return rows


def serve(home, **told):
    return served_app.serve(
        home,
        application="benchmarks.map_bench.peers:create_server()",
        **{peers.PLACE: json.dumps(told)},
    )


def note(found, who, figures):
    for what, value in figures.items():
        found.setdefault(who, {}).setdefault(what, []).append(value)


def one_of_ours(stage, engine, graphics, shape, turn):
    page = Ours(stage, engine, graphics)
    if shape == "areas":
        figures = {"first load": page.open(f"?level={stage.city.finest}")}
    else:
        page.open("?layer=cells")
        figures = {"geometry on an open page": page.show_cells(stage.city.resolution)}
    page.settle(0.8)
    figures["bytes of the first load"] = sum(r["bytes"] for r in page.loaded()) / 1000
    figures["recolour"] = page.act(page.choose_weeks, WEEKS[turn % len(WEEKS)])
    figures["bytes of a recolour"] = page.answer_kb()
    page.settle()
    figures["pan"] = page.pan(PAN_SECONDS)
    page.close()
    return figures


def one_of_theirs(stage, address, kind, graphics):
    page = PeerPage(stage.browsers[graphics], address, kind)
    figures = {"first load": page.open()}
    figures["bytes of the first load"] = sum(r["bytes"] for r in page.loaded()) / 1000
    figures["recolour"] = page.recolour()
    calls = [r["bytes"] for r in page.loaded() if "_dash-update" in r["url"]]
    figures["bytes of a recolour"] = calls[-1] / 1000
    page.settle()
    figures["pan"] = page.pan(PAN_SECONDS)
    page.close()
    return figures


UNITS = {
    "first load": "ms",
    "geometry on an open page": "ms",
    "recolour": "ms",
    "pan": "frames/s",
    "bytes of the first load": "kB",
    "bytes of a recolour": "kB",
}


def table(city, shape, found):
    count = city.counts[city.finest] if shape == "areas" else city.cells
    what = f"{count:,} {'grids' if shape == 'areas' else 'cells'}"
    rows = []
    for name, unit in UNITS.items():
        for who, figures in found.items():
            if name in figures:
                limit, at_least = limit_of(name, who)
                rows.append(
                    Row(f"{name}, {what}: {who}", unit, limit, figures[name], at_least=at_least)
                )
    for name in ("recolour", "first load"):
        for us in OURS:
            for them in THEIRS:
                ours, theirs = found[us].get(name), found.get(them, {}).get(name)
                if ours and theirs:
                    limit = WANTED[shape] if (name, them) == ("recolour", "plotly") else None
                    times = [median(theirs) / median(ours)]
                    title = f"{name}, {what}: {them} ÷ {us}"
                    rows.append(Row(title, "×", limit, times, at_least=True))
    return rows


def limit_of(name, who):
    """Limit of one figure, and whether it is a lower one."""
    if name == "pan" and who == "canvas":
        return CANVAS_FPS, True
    if who not in OURS:
        return None, False
    return {"recolour": 800, "bytes of a recolour": 20}.get(name), False

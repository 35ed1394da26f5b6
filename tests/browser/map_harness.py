"""The map engine alone: the real assets and tiles of the real Merseyside, without Dash."""

import json
import mimetypes
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import geopandas
import numpy as np
import shapely

from dashboard.app import NOT_INJECTED
from dashboard.map.values import written
from geo.cell_tiles import cell_tile
from geo.cells import assign_cells, cell_centres, cell_polygons
from geo.tiles import cut_tiles, read_tile

ROOT = Path(__file__).resolve().parents[2]
ASSETS = ROOT / "dashboard" / "assets"
DATA = ROOT.parent / "shared" / "data" / "merseyside"
PAGE = Path(__file__).with_name("map_harness.html")
LEVELS = {
    "city": "region",
    "county": "boroughs",
    "township": "msoa",
    "community": "lsoa",
    "grid": "oa",
}
PARENT_CODE = {"township": "LAD13CD", "community": "MSOA11CD", "grid": "LSOA11CD"}
CODE = {"county": "LAD13CD", "township": "MSOA11CD", "community": "LSOA11CD", "grid": "OA11CD"}
ZOOMS = (7, 13)
RESOLUTION = 8
CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; connect-src 'self'; worker-src 'self' blob:"
)
STUB = """
window.sent = [];
window.dash_clientside = { no_update: {}, set_props: (id, props) =>
  window.sent.push(Object.assign({ store: id }, props.data)) };
"""


@dataclass(frozen=True)
class Level:
    """Polygons of one level; `parents` are positions in the level above."""

    polygons: np.ndarray
    parents: list[int]


@cache
def levels() -> dict[str, Level]:
    found: dict[str, Level] = {}
    above: list[str] = []
    for level, file in LEVELS.items():
        areas = geopandas.read_file(DATA / f"{file}.geojson")
        polygons = shapely.make_valid(areas.geometry.to_numpy())
        if level in PARENT_CODE:
            parents = [above.index(code) for code in areas[PARENT_CODE[level]]]
        else:
            parents = [-1 if level == "city" else 0] * len(areas)
        above = areas[CODE[level]].tolist() if level in CODE else []
        found[level] = Level(polygons, parents)
    return found


@cache
def cell_names() -> np.ndarray:
    points = shapely.point_on_surface(levels()["grid"].polygons)
    found = assign_cells(shapely.get_x(points), shapely.get_y(points), resolution=RESOLUTION)
    return np.unique(found.astype(str))


@cache
def cells() -> np.ndarray:
    return cell_polygons(cell_names())


def cut_all(folder: Path) -> None:
    for level, areas in levels().items():
        path = folder / f"{level}.mbtiles"
        cut_tiles(areas.polygons, path=path, layer="areas", min_zoom=ZOOMS[0], max_zoom=ZOOMS[1])


def names_of(level: str) -> dict[str, list[Any]]:
    areas = levels()[level]
    points = shapely.point_on_surface(areas.polygons)
    return {
        "names": [f"测试区{i + 1}" for i in range(len(points))],
        "lng": shapely.get_x(points).round(5).tolist(),
        "lat": shapely.get_y(points).round(5).tolist(),
        "parent": areas.parents,
    }


def bounds_of(level: str, index: int) -> list[float]:
    return [float(edge) for edge in shapely.bounds(levels()[level].polygons[index])]


def make_view(level: str = "county", focus: tuple[str, int] = ("city", 0), **changes: Any) -> dict:
    tiles = {"minzoom": ZOOMS[0], "maxzoom": ZOOMS[1]}
    view = {
        "boundary": "b1",
        "levels": [
            {"level": name, "tiles": f"/tiles/b1/{name}/{{z}}/{{x}}/{{y}}.pbf", **tiles,
             "count": len(areas.polygons)}
            for name, areas in levels().items()
        ],
        "cells": {
            str(RESOLUTION): {"tiles": f"/tiles/b1/cells_{RESOLUTION}/{{z}}/{{x}}/{{y}}.pbf",
                              **tiles, "count": len(cells())}
        },
        "level": level,
        "focus": {"level": focus[0], "index": focus[1], "bounds": bounds_of(*focus)},
        "city_bounds": bounds_of("city", 0),
        "layer": "areas",
        "resolution": RESOLUTION,
        "selected": None,
        "camera": None,
        "names": f"/names/b1/{level}.json",
        "palette": {
            "areas": ["var(--blue)", "var(--yellow)", "var(--orange)", "var(--red)"],
            "cells": [f"var(--heat-{step})" for step in range(1, 8)],
            "no_data": "var(--no-data)",
        },
        "theme": "light",
        "lang": "zh",
        "labels": {"bands": {"areas": ["蓝色 低", "黄色 中", "橙色 较高", "红色 高"]}},
    }  # fmt: skip
    return view | changes


def make_values(subject: str, bands: np.ndarray, version: str, *, boundary: str = "b1") -> dict:
    layer, name = subject.split(":")
    where = {"level": name} if layer == "areas" else {"resolution": int(name)}
    small = ((bands & 128) > 0) & (bands < 254)
    counts = np.where(small, 2, 3 + np.arange(len(bands)) * 3)
    return {
        "layer": layer,
        **where,
        "boundary": boundary,
        "n": len(bands),
        "bands": written(np.where(small, bands & 127, bands)),
        "counts": written(counts),
        "small": 3,
        "version": version,
    }


def level_bands(level: str, *, seed: int = 1) -> np.ndarray:
    """Bands 1..4; every ninth area small, every eleventh without data."""
    n = len(levels()[level].polygons)
    bands = np.random.default_rng(seed).integers(1, 5, n).astype("u1")
    bands[8::9] |= 128
    bands[10::11] = 0
    return bands


def page_html() -> bytes:
    html = PAGE.read_text()
    names = [p.name for p in sorted(ASSETS.iterdir()) if not re.match(NOT_INJECTED, p.name)]
    css = [f'<link rel="stylesheet" href="/assets/{n}">' for n in names if n.endswith(".css")]
    js = [f'<script src="/assets/{n}"></script>' for n in names if n.endswith(".js")]
    return html.replace("STYLESHEETS", "\n".join(css)).replace("SCRIPTS", "\n".join(js)).encode()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    tiles: Path

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        tile = re.fullmatch(r"/tiles/b\d/(\w+)/(\d+)/(\d+)/(\d+)\.pbf", path)
        names = re.fullmatch(r"/names/b\d/(\w+)\.json", path)
        if tile:
            z, x, y = map(int, tile.groups()[1:])
            archive = self.tiles / f"{tile[1]}.mbtiles"
            if archive.is_file():
                body = read_tile(archive, z=z, x=x, y=y)
            else:
                body = cell_tile(cell_names(), *cell_centres(cell_names()), z=z, x=x, y=y)
            self.answer(body, "application/x-protobuf", gzipped=True)
        elif names:
            self.answer(json.dumps(names_of(names[1])).encode(), "application/json")
        elif path.startswith("/assets/"):
            file = ASSETS / path.removeprefix("/assets/")
            kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
            self.answer(file.read_bytes(), kind)
        elif path == "/stub.js":
            self.answer(STUB.encode(), "text/javascript")
        else:
            self.answer(page_html(), "text/html; charset=utf-8")

    def answer(self, body: bytes | None, kind: str, *, gzipped: bool = False) -> None:
        self.send_response(200 if body else 204)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Security-Policy", CSP)
        self.send_header("Content-Length", str(len(body or b"")))
        if gzipped and body and body[:2] == b"\x1f\x8b":
            self.send_header("Content-Encoding", "gzip")
        if gzipped:
            self.send_header("Cache-Control", "max-age=31536000, immutable")
        self.end_headers()
        self.wfile.write(body or b"")

    def log_message(self, *args: object) -> None:
        pass


class Server(ThreadingHTTPServer):
    def handle_error(self, *args: object) -> None:
        """Nothing to say: the browser drops requests for tiles it no longer needs."""


@contextmanager
def serve(tiles: Path) -> Iterator[str]:
    """The harness on a free port; gives its address."""
    handler = type("TilesHandler", (Handler,), {"tiles": tiles})
    server = Server(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()

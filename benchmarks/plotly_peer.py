"""
The peer: the same areas and colours as a Plotly `choroplethmap` in a plain Dash page.

Geometry goes by URL, compressed once and ahead; a recolour sends a `Patch` of values computed
ahead of time. That is the best a Plotly map can do: its server does no work that ours does. The
map has the pixels and the place of ours.
"""

import gzip
import json
import os
from pathlib import Path

import numpy as np
import shapely
from dash import Dash, Input, Output, Patch, dcc, html
from flask import Response
from flask_compress import Compress

from data.access import Grant, Scope
from data.city import read_city
from data.periods import Window
from data.store import Store
from etl import boundaries

FOLDER = "PLOTLY_PEER_FOLDER"
LEVEL = "PLOTLY_PEER_LEVEL"
COLOURS = ["#c3c9d1", "#4f8fd0", "#f2c744", "#ef8c34", "#d6403a"]
WINDOWS = (4, 13, 26, 52, 1)
PADDING_PX = 28

FIND_MAP = """
const known = new WeakSet();
setInterval(() => {
  const plot = document.querySelector('.js-plotly-plot');
  const layout = plot && plot._fullLayout;
  const map = layout && layout.map && layout.map._subplot && layout.map._subplot.map;
  if (map && !known.has(map)) { known.add(map); watchMap(map); }
}, 5);
document.addEventListener('DOMContentLoaded', () => new MutationObserver(() => {
  const plot = document.querySelector('.js-plotly-plot');
  if (!plot || !plot.on || known.has(plot)) return;
  known.add(plot);
  plot.on('plotly_afterplot', () => clock.paints.push({ at: performance.now() }));
}).observe(document.body, { childList: true, subtree: true }));
"""
"""Watches the frames of Plotly's own map; `plotly_afterplot` tells that a change has gone through."""


def prepare(home: Path, city_folder: Path, folder: Path, levels) -> None:
    """Write geometry and values of each level; the polygons are those that our tiles are cut of."""
    built = boundaries.read_boundaries(read_city(city_folder, home=home))
    snapshot = Store(home).current()
    for level in levels:
        shapes = boundaries._drawn(built.geometries[level], built.level_areas(level))  # noqa: SLF001
        current = built.level_areas(level)["valid_to"].isna().to_numpy()
        features = [
            {
                "type": "Feature",
                "id": index,
                "properties": {},
                "geometry": shapely.set_precision(shapes[index], 1e-5).__geo_interface__,
            }
            for index in np.flatnonzero(current).tolist()
        ]
        text = json.dumps(
            {"type": "FeatureCollection", "features": features}, separators=(",", ":")
        )
        (folder / f"{level}.geojson.gz").write_bytes(gzip.compress(text.encode(), 6))
        city = built.level_areas(built.levels[0]).iloc[0]
        (folder / f"{level}.json").write_text(
            json.dumps(
                {
                    "ids": np.flatnonzero(current).tolist(),
                    "bounds": [float(city[edge]) for edge in ("west", "south", "east", "north")],
                    "z": [bands(snapshot, level, weeks)[current].tolist() for weeks in WINDOWS],
                }
            )
        )


def bands(snapshot, level: str, weeks: int):
    from dashboard import queries

    everyone = Scope(user="benchmark", grants=frozenset({Grant("leader")}))
    end = snapshot.manifest.last_period
    selection = queries.Selection(Window(end, weeks, snapshot.manifest.grain), None, 0)
    return queries.level_rates(everyone, snapshot, level, selection).band


def create(level: str, folder: Path, size: tuple[int, int]) -> Dash:
    stored = json.loads((folder / f"{level}.json").read_text())
    geometry = (folder / f"{level}.geojson.gz").read_bytes()
    app = Dash("plotly_peer", serve_locally=True)
    Compress(app.server)
    app.server.config["COMPRESS_MIMETYPES"] = [
        "text/html",
        "text/css",
        "application/javascript",
        "application/json",
        "text/javascript",
    ]

    @app.server.get("/areas.geojson")
    def areas() -> Response:
        answer = Response(geometry, mimetype="application/geo+json")
        answer.headers["Content-Encoding"] = "gzip"
        answer.headers["Cache-Control"] = "private, max-age=31536000, immutable"
        return answer

    centre, zoom = fitted(stored["bounds"], size)
    figure = {
        "data": [
            {
                "type": "choroplethmap",
                "geojson": "/areas.geojson",
                "locations": stored["ids"],
                "z": stored["z"][0],
                "zmin": -0.5,
                "zmax": 4.5,
                "colorscale": [
                    [edge / 5, colour]
                    for band, colour in enumerate(COLOURS)
                    for edge in (band, band + 1)
                ],
                "marker": {"line": {"width": 0.5}},
                "showscale": False,
            }
        ],
        "layout": {
            "map": {"style": "white-bg", "zoom": zoom, "center": centre},
            "margin": {"l": 0, "r": 0, "t": 0, "b": 0},
            "uirevision": "keep",
        },
    }
    app.layout = html.Div(
        [
            html.Button("recolour", id="recolour"),
            dcc.Graph(
                id="graph",
                figure=figure,
                config={"displayModeBar": False},
                style={"width": f"{size[0]}px", "height": f"{size[1]}px"},
            ),
        ]
    )

    @app.callback(
        Output("graph", "figure"), Input("recolour", "n_clicks"), prevent_initial_call=True
    )
    def recolour(clicks: int) -> Patch:
        patch = Patch()
        patch["data"][0]["z"] = stored["z"][clicks % len(WINDOWS)]
        return patch

    return app


def fitted(bounds, size):
    """Centre and zoom (512-pixel tiles) that show the bounds with our padding."""
    west, south, east, north = np.radians(bounds)
    low, high = (np.log(np.tan(np.pi / 4 + angle / 2)) for angle in (south, north))
    middle = np.degrees(2 * np.arctan(np.exp((low + high) / 2)) - np.pi / 2)
    width, height = (pixels - 2 * PADDING_PX for pixels in size)
    zoom = min(
        np.log2(width * 2 * np.pi / (512 * (east - west))),
        np.log2(height * 2 * np.pi / (512 * (high - low))),
    )
    return {"lon": float(np.degrees((west + east) / 2)), "lat": float(middle)}, float(zoom)


def create_server():
    """The WSGI application for gunicorn, from the environment."""
    width, height = os.environ["PLOTLY_PEER_SIZE"].split("x")
    app = create(os.environ[LEVEL], Path(os.environ[FOLDER]), (int(width), int(height)))
    app.server.add_url_rule("/healthz", "health", lambda: "ok\n")
    app.server.test_client().get("/healthz")
    return app.server

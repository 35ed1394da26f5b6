"""
The peers: the same polygons and colours in a plain Dash page of another map component.

Each gets the best that its component offers: geometry by URL, compressed ahead, cached for good; a
recolour sends nothing but values that were computed ahead. There is no state, no query, no panel,
so every comparison favours the peer. Each stands for a way to draw polygons in Dash: plotly's own
map (MapLibre inside), dash-leaflet's canvas, deck.gl.
"""

import importlib.metadata
import json
import os
from pathlib import Path

import numpy as np
from dash import Dash, Input, Output, Patch, dcc, html
from flask import Response
from flask_compress import Compress

PLACE = "MAP_PEER"
COLOURS = ["#c3c9d1", "#4f8fd0", "#f2c744", "#ef8c34", "#d6403a", "#a02020", "#702020", "#401010"]
PADDING_PX = 28
PACKAGES = {"plotly": "plotly", "dash-leaflet": "dash-leaflet", "deck.gl": "deckgl-dash"}
WATCHED = {"plotly": "watchPlotly();", "dash-leaflet": "watchFlat();", "deck.gl": "watchGl();"}
"""Which of the clocks below tells that a peer's frame is done."""

CLOCKS = """
function watchPlotly() {
  const known = new WeakSet();
  setInterval(() => {
    const plot = document.querySelector('.js-plotly-plot');
    const layout = plot && plot._fullLayout;
    const map = layout && layout.map && layout.map._subplot && layout.map._subplot.map;
    if (map && !known.has(map)) { known.add(map); watchMap(map); }
  }, 5);
}
function watchDrawing(prototype, names, finished) {
  let open = null;
  names.forEach((name) => {
    const draw = prototype[name];
    prototype[name] = function () {
      if (!open) {
        const frame = open = { at: performance.now(), loaded: true };
        clock.renders.push(frame);
        Promise.resolve().then(() => {
          open = null;
          finished(this, () => { frame.done = performance.now(); });
        });
      }
      return draw.apply(this, arguments);
    };
  });
}
function watchFlat() {
  watchDrawing(CanvasRenderingContext2D.prototype, ['fill'], (context, done) =>
    requestAnimationFrame(() => requestAnimationFrame(done)));
}
function watchGl() {
  watchDrawing(WebGL2RenderingContext.prototype, ['drawElements', 'drawArrays',
    'drawElementsInstanced', 'drawArraysInstanced'], (gl, done) => {
    const fence = gl.fenceSync(gl.SYNC_GPU_COMMANDS_COMPLETE, 0);
    gl.flush();
    const poll = () => {
      if (gl.getSyncParameter(fence, gl.SYNC_STATUS) !== gl.SIGNALED) { setTimeout(poll, 2); return; }
      gl.deleteSync(fence);
      done();
    };
    setTimeout(poll, 0);
  });
}
"""
"""Record the frames of a peer, as those of our map: done when the graphics process is."""


def installed():
    """The peers that can run here: name and version; the others: name and None."""
    found = {}
    for name, package in PACKAGES.items():
        try:
            found[name] = f"{package} {importlib.metadata.version(package)}"
        except importlib.metadata.PackageNotFoundError:
            found[name] = None
    return found


class Peer:
    """A set of polygons in a page of one component."""

    def __init__(self, folder, name, size):
        told = json.loads((folder / f"{name}.json").read_text())
        self.ids, self.bands = told["ids"], told["bands"]
        self.bounds, self.size = told["bounds"], size
        self.geometry = (folder / f"{name}.geojson.gz").read_bytes()
        self.style = {"width": f"{size[0]}px", "height": f"{size[1]}px"}

    def camera(self):
        """Centre and zoom (512-pixel tiles) that show the bounds with our padding."""
        west, south, east, north = np.radians(self.bounds)
        low, high = (np.log(np.tan(np.pi / 4 + angle / 2)) for angle in (south, north))
        middle = np.degrees(2 * np.arctan(np.exp((low + high) / 2)) - np.pi / 2)
        width, height = (pixels - 2 * PADDING_PX for pixels in self.size)
        zoom = min(
            np.log2(width * 2 * np.pi / (512 * (east - west))),
            np.log2(height * 2 * np.pi / (512 * (high - low))),
        )
        return float(np.degrees((west + east) / 2)), float(middle), float(zoom)


def plotly(peer):
    lng, lat, zoom = peer.camera()
    last = len(COLOURS) - 1
    bands = np.array(peer.bands)[:, peer.ids].tolist()
    trace = {
        "type": "choroplethmap",
        "geojson": "/areas.geojson",
        "locations": peer.ids,
        "z": bands[0],
        "zmin": -0.5,
        "zmax": last + 0.5,
        "colorscale": [
            [edge / (last + 1), colour]
            for band, colour in enumerate(COLOURS)
            for edge in (band, band + 1)
        ],
        "marker": {"line": {"width": 0.5}},
        "showscale": False,
    }
    layout = {
        "map": {"style": "white-bg", "zoom": zoom, "center": {"lon": lng, "lat": lat}},
        "margin": {"l": 0, "r": 0, "t": 0, "b": 0},
        "uirevision": "keep",
    }
    graph = dcc.Graph(
        id="map",
        figure={"data": [trace], "layout": layout},
        config={"displayModeBar": False},
        style=peer.style,
    )

    def recolour(clicks):
        patch = Patch()
        patch["data"][0]["z"] = bands[clicks % len(bands)]
        return patch

    return graph, "figure", recolour, ""


def leaflet(peer):
    import dash_leaflet as dl

    west, south, east, north = peer.bounds
    layer = dl.GeoJSON(
        id="areas",
        url="/areas.geojson",
        style={"variable": "peer.style"},
        hideout=written(peer.bands[0]),
    )
    shown = dl.Map(
        [layer],
        id="map",
        preferCanvas=True,
        attributionControl=False,
        zoomControl=False,
        zoomSnap=0,
        bounds=[[south, west], [north, east]],
        style=peer.style,
    )
    script = f"""
    const colours = {json.dumps(COLOURS)};
    window.peer = {{ style: (feature, context) => ({{ weight: 0.5, color: '#666', fillOpacity: 1,
      fillColor: colours[context.hideout.charCodeAt(feature.properties.i) - 48] }}) }};
    """
    return shown, ("areas", "hideout"), lambda n: written(peer.bands[n % len(peer.bands)]), script


def deck(peer):
    from deckgl_dash import DeckGL

    lng, lat, zoom = peer.camera()
    shown = DeckGL(
        id="map",
        layers=[
            {
                "@@type": "GeoJsonLayer",
                "id": "areas",
                "data": "/areas.geojson",
                "stroked": False,
                "getFillColor": accessor(peer.bands[0]),
                "updateTriggers": {"getFillColor": 0},
            }
        ],
        initial_view_state={"longitude": lng, "latitude": lat, "zoom": zoom},
        style=peer.style | {"position": "relative"},
    )

    def recolour(clicks):
        patch = Patch()
        patch[0]["getFillColor"] = accessor(peer.bands[clicks % len(peer.bands)])
        patch[0]["updateTriggers"] = {"getFillColor": clicks}
        return patch

    colours = [[int(c[at : at + 2], 16) for at in (1, 3, 5)] + [255] for c in COLOURS]
    return shown, "layers", recolour, f"window.colours = {json.dumps(colours)};"


def accessor(bands):
    """An expression that holds the values themselves: one digit an area on the wire."""
    return f"@@=window.colours['{written(bands)}'.charCodeAt(d.properties.i) - 48]"


def written(bands):
    """One digit an area."""
    return "".join(str(band) for band in bands)


KINDS = {"plotly": plotly, "dash-leaflet": leaflet, "deck.gl": deck}


def create(kind: str, folder: Path, name: str, size: tuple[int, int]) -> Dash:
    peer = Peer(folder, name, size)
    shown, prop, recolour, script = KINDS[kind](peer)
    app = Dash("map_peer", serve_locally=True, update_title=None)
    Compress(app.server)
    app.server.config["COMPRESS_MIMETYPES"] = [
        "text/html",
        "text/css",
        "application/javascript",
        "application/json",
        "text/javascript",
    ]
    app.index_string = app.index_string.replace(
        "{%metas%}", f"<script>{script}</script>{{%metas%}}"
    )

    @app.server.get("/areas.geojson")
    def areas() -> Response:
        answer = Response(peer.geometry, mimetype="application/geo+json")
        answer.headers["Content-Encoding"] = "gzip"
        answer.headers["Cache-Control"] = "private, max-age=31536000, immutable"
        return answer

    app.layout = html.Div([html.Button("recolour", id="recolour"), html.Div(shown, id="place")])
    target = prop if isinstance(prop, tuple) else ("map", prop)
    app.callback(Output(*target), Input("recolour", "n_clicks"), prevent_initial_call=True)(
        recolour
    )
    return app


def create_server():
    """The WSGI application for gunicorn, from the environment."""
    told = json.loads(os.environ[PLACE])
    app = create(told["kind"], Path(told["folder"]), told["name"], tuple(told["size"]))
    app.server.add_url_rule("/healthz", "health", lambda: "ok\n")
    app.server.test_client().get("/healthz")
    return app.server

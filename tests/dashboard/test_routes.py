import gzip
import hashlib
import json
import re
from base64 import b64encode

import numpy as np
import pytest

from dashboard import cells
from dashboard.app import create_app
from tests.dashboard.squares import CITY, COUNTY, EMPTY, SCRIPT, FixedProvider, body_of, client

PATHS = [
    "/", "/_dash-layout", "/_dash-dependencies", "/tiles/b1/county/0/0/0.pbf", "/names/b1/county.json",
    "/assets/base.css", "/_favicon.ico", "/_reload-hash", "/static/x", "/anything/else",
    "/_dash-component-suites/dash/dcc/dash_core_components.js",
]  # fmt: skip


def test_a_tile_travels_as_stored_and_may_be_kept_for_ever(app):
    answer = client(app).get("/tiles/b1/county/0/0/0.pbf")
    assert answer.status_code == 200
    assert gzip.decompress(answer.data) == b"tile"
    assert answer.headers["Content-Encoding"] == "gzip"
    assert answer.headers["Cache-Control"] == "private, max-age=31536000, immutable"
    assert client(app).get("/tiles/b1/county/5/9/9.pbf").status_code == 204


@pytest.mark.parametrize(
    "path",
    ["/tiles/b2/county/0/0/0.pbf", "/tiles/b1/village/0/0/0.pbf", "/tiles/b1/cells_9/0/0/0.pbf",
     "/tiles/b1/..%2fcounty/0/0/0.pbf", "/tiles/b1/county/-1/0/0.pbf", "/names/b2/county.json",
     "/names/b1/village.json", "/assets/../app.py", "/assets/%2e%2e/app.py"],
)  # fmt: skip
def test_what_there_is_not_is_404(app, path):
    assert client(app).get(path).status_code == 404


def cell_address(snapshot, zoom=10):
    """Tile that holds the first cell of the register."""
    first = snapshot.read("cells_8").iloc[0]
    down = 0.5 - np.arctanh(np.sin(np.radians(first["lat"]))) / (2 * np.pi)
    return f"{zoom}/{int((first['lng'] / 360 + 0.5) * 2**zoom)}/{int(down * 2**zoom)}"


def test_every_scope_has_cell_tiles_of_its_own(app, county_app, snapshot):
    place = cell_address(snapshot, 8)
    city, county = (
        f"/tiles/{cells.version(scope, snapshot)}/cells_8/{place}.pbf" for scope in (CITY, COUNTY)
    )
    whole, own = client(app).get(city), client(county_app).get(county)
    assert (whole.status_code, own.status_code) == (200, 200)
    assert own.headers["Cache-Control"] == "private, max-age=31536000, immutable"
    assert own.data != whole.data
    assert client(county_app).get(city).status_code == 404
    assert client(app).get(county).status_code == 404
    assert client(county_app).get("/tiles/b1/county/0/0/0.pbf").status_code == 200


def test_a_cell_tile_is_drawn_from_the_register_and_may_be_kept_for_ever(app, snapshot):
    answer = client(app).get(f"/tiles/c1/cells_8/{cell_address(snapshot)}.pbf")
    assert gzip.decompress(answer.data)[:1] == b"\x1a"
    assert answer.headers["Content-Encoding"] == "gzip"
    assert answer.headers["Cache-Control"] == "private, max-age=31536000, immutable"
    deeper = client(app).get(f"/tiles/c1/cells_8/{cell_address(snapshot, 11)}.pbf")
    assert deeper.status_code == 204
    other = client(app).get(f"/tiles/b1/cells_8/{cell_address(snapshot)}.pbf")
    assert other.status_code == 404


def test_names_keep_to_the_scope_and_are_asked_for_again(app, county_app):
    whole = client(app).get("/names/b1/county.json")
    assert whole.get_json()["names"] == ["county区0", SCRIPT, "county区2", "county区3"]
    own = client(county_app).get("/names/b1/county.json").get_json()
    assert own["names"] == [None, SCRIPT, None, None]
    assert own["parent"] == [None, 0, None, None]
    assert client(app).get("/names/b1/county.json?lang=en").get_json()["names"][0] == "County 0"
    assert whole.headers["Cache-Control"] == "private, no-cache"
    tag = whole.headers["ETag"]
    assert (
        client(app).get("/names/b1/county.json", headers={"If-None-Match": tag}).status_code == 304
    )
    assert (
        client(county_app).get("/names/b1/county.json", headers={"If-None-Match": tag}).status_code
        == 200
    )


def test_an_empty_scope_gets_no_shape(settings, store):
    app = create_app(settings, store, provider=FixedProvider(EMPTY))
    assert client(app).get("/tiles/b1/county/0/0/0.pbf").status_code == 403


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "asked",
    [
        {"environ_base": {"REMOTE_ADDR": "10.0.0.7"}},
        {"headers": {"X-Forwarded-For": "127.0.0.1"}},
        {"headers": {"Forwarded": "for=127.0.0.1"}},
        {"headers": {"Host": "evil.example:8050"}},
        {"headers": {"Host": "127.0.0.1.evil.example"}},
    ],
    ids=["remote", "proxied", "forwarded", "rebound", "lookalike"],
)
def test_nobody_else_than_this_machine_gets_anything(app, path, asked):
    answer = client(app).get(path, **asked)
    assert answer.status_code == 403
    assert answer.headers["Cache-Control"] == "private, no-store"


@pytest.mark.parametrize(
    "output", ["url.search", "map-view.data", "panels-markup.data", "comparison-markup.data"]
)
def test_nobody_else_calls_a_callback(app, output):
    body = body_of(app, output, {"url.search": ""}, [])
    answer = client(app).post(
        "/_dash-update-component", json=body, environ_base={"REMOTE_ADDR": "10.0.0.7"}
    )
    assert answer.status_code == 403


@pytest.mark.parametrize("path", ["/_reload-hash", "/static/x", "/anything/else", "/secret"])
def test_what_the_framework_offers_beside_the_page_is_closed(app, path):
    assert client(app).get(path).status_code == 404


def test_health_is_for_anyone_and_tells_nothing(app):
    answer = client(app).get("/healthz", environ_base={"REMOTE_ADDR": "10.0.0.7"})
    assert (answer.status_code, answer.data) == (200, b"ok\n")


@pytest.mark.parametrize("path", PATHS)
def test_every_answer_is_guarded_by_headers(app, path):
    headers = client(app).get(path, buffered=True).headers
    policy = headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    scripts = policy.split("script-src ")[1].split(";")[0]
    assert "unsafe" not in scripts
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"


def test_the_pages_inline_scripts_are_admitted_by_hash(app):
    answer = client(app).get("/")
    scripts = answer.headers["Content-Security-Policy"].split("script-src ")[1].split(";")[0]
    page = re.sub(r"<!--.*?-->", "", answer.get_data(as_text=True), flags=re.DOTALL)
    inline = re.findall(r"<script[^>]*>(.*?)</script>", page, flags=re.DOTALL)
    run = [text for text in inline if text and not text.lstrip().startswith("{")]
    assert run
    for text in run:
        digest = b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in scripts
    assert "http://" not in page
    assert "https://" not in page


def test_big_answers_are_compressed_and_kept_once(app):
    path = "/_dash-component-suites/dash/dcc/dash_core_components.js"
    ask = {"headers": {"Accept-Encoding": "br"}}
    first, second = client(app).get(path, **ask), client(app).get(path, **ask)
    assert first.headers["Content-Encoding"] == "br"
    assert first.data == second.data
    page = client(app).get("/_dash-layout", **ask)
    assert page.headers["Content-Encoding"] == "br"
    assert page.headers["Cache-Control"] == "private, no-store"


def test_vendored_files_are_not_injected(app):
    page = client(app).get("/").get_data(as_text=True)
    scripts = re.findall(r"<script[^>]*>", page)
    assert scripts
    assert not any(".mjs" in script or "plotly" in script for script in scripts)
    assert "assets/map_glue.js" in page


def test_errors_say_nothing(app, monkeypatch, store):
    monkeypatch.setattr(type(store), "current", lambda _: json.loads("{"))
    app.server.config["PROPAGATE_EXCEPTIONS"] = False
    answer = client(app).get("/names/b1/county.json")
    assert answer.status_code == 500
    assert b"Expecting" not in answer.data

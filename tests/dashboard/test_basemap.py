"""The base map: a folder, an archive or a server of the city's own, always asked from our host."""

import http.server
import sqlite3
import threading

import pytest

from dashboard import basemap, startup
from dashboard.app import create_app
from dashboard.basemap import Basemap, BasemapError
from data.settings import Settings
from tests.dashboard.squares import EMPTY, FixedProvider, call, client

PNG = b"\x89PNG\r\n\x1a\n" + b"one tile"
KEY = "a-key-that-no-browser-sees"


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "8" / "210").mkdir(parents=True)
    (tmp_path / "8" / "210" / "100.png").write_bytes(PNG)
    (tmp_path / "8" / "210" / "101.png").write_bytes(b"<html>no image</html>")
    return tmp_path


@pytest.fixture
def upstream():
    """A tile service that wants a key, and notes what it is asked."""
    asked = []

    class Service(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            found = {"/8/210/100": (200, PNG), "/8/210/101": (404, b""), "/8/210/102": (403, b"no"),
                     "/8/210/103": (302, b"")}  # fmt: skip
            status, content = found[self.path.partition("?")[0]]
            self.send_response(status)
            self.send_header("Location", "http://127.0.0.2/")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_):
            pass

    server = http.server.HTTPServer(("127.0.0.1", 0), Service)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/{{z}}/{{x}}/{{y}}?tk={{key}}", asked
    server.shutdown()
    thread.join()
    server.server_close()


def app_with(home, store, source, **more):
    return create_app(Settings(home=home, basemap=str(source), **more), store)


def test_a_folder_serves_its_tiles_and_nothing_else(home, store, folder):
    browser = client(app_with(home, store, folder))
    found = browser.get("/basemap/8/210/100")
    assert (found.status_code, found.data, found.mimetype) == (200, PNG, "image/png")
    assert browser.get("/basemap/8/210/99").status_code == 204
    assert browser.get("/basemap/8/999/100").status_code == 204
    assert browser.get("/basemap/8/210/101").status_code == 502  # no image
    assert browser.get("/basemap/8/..%2f210/100").status_code == 404


def test_an_archive_counts_its_rows_from_the_south(tmp_path):
    path = tmp_path / "base.mbtiles"
    with sqlite3.connect(path) as archive:
        archive.execute("CREATE TABLE tiles (zoom_level, tile_column, tile_row, tile_data)")
        archive.execute("INSERT INTO tiles VALUES (8, 210, ?, ?)", ((1 << 8) - 1 - 100, PNG))
    archive.close()
    assert Basemap(str(path)).tile(8, 210, 100) == PNG
    assert Basemap(str(path)).tile(8, 210, 101) is None
    path.write_bytes(b"not an archive" * 100)
    with pytest.raises(BasemapError):
        Basemap(str(path)).tile(8, 210, 100)


def test_a_service_gets_the_key_and_the_browser_does_not(home, store, upstream):
    address, asked = upstream
    app = app_with(home, store, address, basemap_key=KEY)
    browser = client(app)
    assert browser.get("/basemap/8/210/100").data == PNG
    assert asked == [f"/8/210/100?tk={KEY}"]
    assert browser.get("/basemap/8/210/101").status_code == 204
    for refused in (102, 103):
        answer = browser.get(f"/basemap/8/210/{refused}")
        assert answer.status_code == 502
        assert KEY not in answer.get_data(as_text=True)
    drawn = call(app, "map-view.data", {"url.search": "?overlays=base.50"}, ["address.data"])
    assert KEY not in str(drawn)
    assert drawn["map-view"]["data"]["base"]["tiles"] == "/basemap/{z}/{x}/{y}"
    assert drawn["map-view"]["data"]["base"]["opacity"] == 0.5


def test_it_is_off_until_it_is_set_and_asked_for(app, home, store, folder):
    assert client(app).get("/basemap/8/210/100").status_code == 404
    plain = call(app, "map-view.data", {"url.search": "?overlays=base"}, ["address.data"])
    assert plain["map-view"]["data"]["base"] is None
    notice = "审图号 GS(2026)0001号"
    with_base = app_with(home, store, folder, basemap_notice=notice)
    off = call(with_base, "map-view.data", {"url.search": ""}, ["address.data"])
    assert off["map-view"]["data"]["base"] is None
    for search, shown in (("", False), ("?overlays=base", True)):
        panels = call(with_base, "panels-markup.data", {"panels-address.data": search}, [])
        assert (notice in panels["panels-markup"]["data"]["map-note"]) is shown


def test_who_has_no_map_gets_no_tile(home, store, folder):
    app = create_app(Settings(home=home, basemap=str(folder)), store, provider=FixedProvider(EMPTY))
    assert client(app).get("/basemap/8/210/100").status_code == 403


@pytest.mark.parametrize(
    ("source", "said"),
    [("https://tiles.example/{z}/{x}", "{y}"), ("https://tiles.example/{z}/{x}/{y}/{home}", "only"),
     ("/nowhere/base.mbtiles", "does not exist")],
)  # fmt: skip
def test_a_wrong_setting_stops_the_start(home, source, said):
    settings = Settings(home=home, basemap=source)
    assert said in basemap.faults(settings)[0]
    with pytest.raises(startup.UnsafeError, match="PINGAN_BASEMAP"):
        startup.check_settings(settings)

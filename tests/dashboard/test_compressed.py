from functools import partial

import brotli
import pytest
from flask import Flask, request, send_from_directory
from flask_compress import Compress

from dashboard.compressed import Compressed, compress_files, page_files

SCRIPT = b"export const map = 1;\n" * 200


@pytest.fixture
def files(tmp_path):
    folder = tmp_path / "vendor"
    folder.mkdir()
    (folder / "map.mjs").write_bytes(SCRIPT)
    return folder


@pytest.fixture
def get(files, tmp_path):
    compress_files([files / "map.mjs"], tmp_path / "br")
    server = Flask("server", static_folder=None)
    server.config.update(COMPRESS_ALGORITHM=["br", "gzip"], COMPRESS_MIMETYPES=["text/javascript"])
    server.config["COMPRESS_STREAMS"] = False
    Compress(server)
    compressed = Compressed(tmp_path / "br")

    @server.get("/assets/vendor/<path:name>")
    def asset(name):
        return send_from_directory(files, name)

    @server.get("/page")
    def page():
        return SCRIPT

    @server.after_request
    def send_compressed(answer):
        return compressed.apply(request, answer)

    return partial(server.test_client().get, buffered=True)


def test_the_stored_form_is_sent_to_whoever_takes_it(get, tmp_path):
    answer = get("/assets/vendor/map.mjs", headers={"Accept-Encoding": "gzip, br"})
    (stored,) = (tmp_path / "br").iterdir()
    assert answer.data == stored.read_bytes()
    assert brotli.decompress(answer.data) == SCRIPT
    assert answer.headers["Content-Encoding"] == "br"
    assert answer.headers["Content-Type"].startswith("text/javascript")
    assert int(answer.headers["Content-Length"]) == len(answer.data)
    assert "Accept-Encoding" in answer.headers["Vary"]


@pytest.mark.parametrize(("asked", "encoding"), [("identity", None), ("gzip", "gzip")])
def test_others_get_what_they_take(get, asked, encoding):
    answer = get("/assets/vendor/map.mjs", headers={"Accept-Encoding": asked})
    assert answer.headers.get("Content-Encoding") == encoding
    assert encoding or answer.data == SCRIPT


def test_a_known_file_is_not_sent_again(get):
    asked = {"Accept-Encoding": "br"}
    tag = get("/assets/vendor/map.mjs", headers=asked).headers["ETag"]
    again = get("/assets/vendor/map.mjs", headers=asked | {"If-None-Match": tag})
    assert (again.status_code, again.data) == (304, b"")


def test_a_changed_file_is_never_answered_by_its_old_form(get, files):
    (files / "map.mjs").write_bytes(SCRIPT + b"// newer")
    answer = get("/assets/vendor/map.mjs", headers={"Accept-Encoding": "br"})
    assert brotli.decompress(answer.data) == SCRIPT + b"// newer"


def test_a_page_is_left_alone(get):
    answer = get("/page", headers={"Accept-Encoding": "br"})
    assert "Content-Encoding" not in answer.headers


def test_files_are_compressed_once(files, tmp_path):
    assert len(compress_files([files / "map.mjs"], tmp_path / "br")) == 1
    assert compress_files([files / "map.mjs"], tmp_path / "br") == []


def test_every_pattern_of_the_page_finds_files_of_dash(files):
    names = {path.name for path in page_files(files)}
    assert {"map.mjs", "dash_renderer.min.js", "dash_core_components.js", "async-graph.js"} <= names
    assert any(name.startswith("react-dom@") for name in names)

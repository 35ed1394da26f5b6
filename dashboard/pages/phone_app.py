"""What makes the phone's page an app: its manifest, and the worker that keeps it readable."""

from __future__ import annotations

import json
from importlib import resources
from typing import TYPE_CHECKING, Any, Final

from flask import Response

from dashboard.pages import render

if TYPE_CHECKING:
    from flask import Flask

SCOPE: Final = "/m"
WORKER: Final = "phone_worker.js"

ICONS: Final = (
    {"src": "/assets/phone_192.png", "sizes": "192x192", "type": "image/png"},
    {"src": "/assets/phone_512.png", "sizes": "512x512", "type": "image/png"},
    {"src": "/assets/icon.svg", "sizes": "any", "type": "image/svg+xml"},
)


def register(server: Flask) -> None:
    """Add the two files; neither holds anything of the city."""
    server.add_url_rule("/m/app.webmanifest", "phone_manifest", show_manifest)
    server.add_url_rule("/m/worker.js", "phone_worker", show_worker)


def show_manifest() -> Response:
    """Name, icon and first page of the app."""
    told = render.words()
    content: dict[str, Any] = {
        "id": SCOPE,
        "name": told("phone_app"),
        "short_name": told("brand"),
        "lang": "en" if told.lang == "en" else "zh-CN",
        "start_url": render.address("phone"),
        "scope": SCOPE,
        "display": "standalone",
        "background_color": "#f1f4f8",
        "theme_color": "#1b5fc1",
        "icons": list(ICONS),
    }
    text = json.dumps(content, ensure_ascii=False)
    return _kept(Response(text, mimetype="application/manifest+json"))


def show_worker() -> Response:
    """
    Answer with the worker's script from a path under which it may work.

    A worker may work below its own path only; `/m` itself lies above `/m/`, so it is allowed here.
    """
    text = resources.files("dashboard").joinpath("assets", WORKER).read_text(encoding="utf-8")
    answer = _kept(Response(text, mimetype="text/javascript"))
    answer.headers["Service-Worker-Allowed"] = SCOPE
    return answer


def _kept(answer: Response) -> Response:
    answer.headers["Cache-Control"] = "public, no-cache"
    answer.add_etag()
    return answer

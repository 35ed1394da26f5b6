"""Answers that are not callbacks: tiles, names, health; headers and compression of all answers."""

from __future__ import annotations

import hashlib
import json
import logging
from typing import TYPE_CHECKING, Any, Final

from flask import Response, abort, request
from flask_compress import Compress
from werkzeug.middleware.proxy_fix import ProxyFix

from dashboard import audited, basemap
from dashboard.areas import hierarchy
from dashboard.cells import of_snapshot
from dashboard.compressed import STATIC, Compressed
from dashboard.guard import current_scope
from dashboard.map.frames import frames
from dashboard.map.tiles import tile
from dashboard.map.view import area_names
from dashboard.state import MAX_ADDRESS
from data.access import NotVisibleError
from data.archive import Archive
from data.manifest import SnapshotError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flask import Flask

    from data.access import Scope
    from data.store import Snapshot, Store

LARGEST_BODY: Final = 256 * 1024
LARGEST_CACHE: Final = 200
log = logging.getLogger("dashboard.routes")

IMMUTABLE: Final = "private, max-age=31536000, immutable"


class StaticCache:
    """Compressed scripts and style sheets, so that each is compressed once per process."""

    def __init__(self) -> None:
        self._kept: dict[str, bytes] = {}

    def get(self, key: str) -> bytes | None:
        """Compressed bytes of a static file; None for anything else."""
        return self._kept.get(key)

    def set(self, key: str, value: bytes) -> None:
        """Keep a static file; answers to users are never kept."""
        if not key.endswith(";") and len(self._kept) < LARGEST_CACHE:
            self._kept[key] = value


def register(server: Flask, store: Store) -> None:
    """Add the routes to a Flask server; each is admitted by the guard first."""
    server.config["MAX_CONTENT_LENGTH"] = LARGEST_BODY

    @server.get("/tiles/<version>/<name>/<int:z>/<int:x>/<int:y>.pbf", endpoint="tile")
    def one_tile(version: str, name: str, z: int, x: int, y: int) -> Response:
        snapshot = _of_version(store, version)
        return tile_answer(current_scope(), snapshot, version, name, (z, x, y))

    @server.get("/names/<version>/<level>.json", endpoint="names")
    def names(version: str, level: str) -> Response:
        audited.describe("query", f"names {level}")
        lang = "en" if request.args.get("lang") == "en" else "zh"
        snapshot = _of_version(store, version)
        return names_answer(current_scope(), snapshot, version, level, lang)

    @server.get("/basemap/<int:z>/<int:x>/<int:y>", endpoint="basemap")
    def base_tile(z: int, x: int, y: int) -> Response:
        return base_answer(z, x, y)

    @server.get("/frames", endpoint="frames")
    def film() -> Response:
        search = request.query_string.decode("ascii", errors="replace")
        audited.describe("query", f"frames {search}"[:MAX_ADDRESS])
        if len(search) > MAX_ADDRESS:
            abort(400)
        try:
            found = frames(current_scope(), store.current(), search)
        except NotVisibleError:
            abort(404)
        return Response(json.dumps(found, ensure_ascii=False), mimetype="application/json")

    @server.get("/healthz", endpoint="health")
    def health() -> Response:
        try:
            store.current()
        except SnapshotError:
            return Response("no snapshot\n", status=503, mimetype="text/plain")
        return Response("ok\n", mimetype="text/plain")


def _of_version(store: Store, version: str) -> Snapshot:
    """Snapshot that a page's address is about: a page may be older or newer than this process."""
    try:
        return Archive(store).of_version(of_snapshot(version))
    except SnapshotError:
        abort(404)


def base_answer(z: int, x: int, y: int) -> Response:
    """One tile of the base map; 204 where it has none, 404 without a base map, 502 if it fails."""
    found = basemap.present()
    if found is None:
        abort(404)
    try:
        content = found.tile(z, x, y)
    except basemap.BasemapError as error:
        log.warning("%s", error)
        abort(502)
    kind = basemap.kind(content) if content else None
    if content and kind is None:
        log.warning("the base map answered something else than an image")
        abort(502)
    answer = Response(content or b"", status=200 if content else 204, mimetype=kind)
    answer.headers["Cache-Control"] = "private, max-age=86400"
    return answer


def tile_answer(
    scope: Scope, snapshot: Snapshot, version: str, name: str, address: tuple[int, int, int]
) -> Response:
    """One vector tile, gzipped; 204 where it is empty, 404 where there are no such tiles."""
    try:
        content = tile(scope, snapshot, version, name, address)
    except SnapshotError:
        abort(404)
    answer = Response(content or b"", status=200 if content else 204)
    answer.headers["Cache-Control"] = IMMUTABLE
    if content:
        answer.headers["Content-Type"] = "application/vnd.mapbox-vector-tile"
        answer.headers["Content-Encoding"] = "gzip"
    return answer


def names_answer(scope: Scope, snapshot: Snapshot, version: str, level: str, lang: str) -> Response:
    """Names of one level, asked for again at each use: a scope may shrink at any time."""
    levels = hierarchy(scope, snapshot).order
    if level not in levels or version != snapshot.manifest.boundary_version:
        abort(404)
    key = repr((snapshot.id, scope.cache_key, level, lang))
    tag = hashlib.sha256(key.encode()).hexdigest()[:32]
    if request.if_none_match.contains(tag):
        answer = Response(status=304)
    else:
        names = area_names(scope, snapshot, level, lang)
        answer = Response(json.dumps(names, ensure_ascii=False), mimetype="application/json")
    answer.set_etag(tag)
    answer.headers["Cache-Control"] = "private, no-cache"
    return answer


def trust_proxies(server: Flask, count: int) -> None:
    """Believe the address, host and scheme that so many proxies in front tell of; 0 = none."""
    if count:
        wrapped: Any = server
        wrapped.wsgi_app = ProxyFix(server.wsgi_app, x_for=count, x_proto=count, x_host=count)


def secure(server: Flask, script_hashes: Sequence[str], *, is_https: bool) -> None:
    """
    Add the security headers to every answer, and compress what is not compressed yet.

    Parameters
    ----------
    is_https
        Browsers reach the application by https: they are told to stay with it.
    """
    policy = content_policy(script_hashes)

    @server.after_request
    def add_headers(answer: Response) -> Response:
        answer.headers["Content-Security-Policy"] = policy
        answer.headers["X-Content-Type-Options"] = "nosniff"
        answer.headers["X-Frame-Options"] = "DENY"
        answer.headers["Referrer-Policy"] = "same-origin"
        answer.headers["Cross-Origin-Resource-Policy"] = "same-origin"
        answer.headers["Cross-Origin-Opener-Policy"] = "same-origin"
        # A page that is used in the street may ask where it is.
        answer.headers.setdefault("Permissions-Policy", "geolocation=(), camera=(), microphone=()")
        if is_https:
            answer.headers["Strict-Transport-Security"] = "max-age=31536000"
        if answer.status_code >= 400 or not request.path.startswith(STATIC):
            answer.headers.setdefault("Cache-Control", "private, no-store")
        return answer

    server.config.update(
        COMPRESS_ALGORITHM=["br", "gzip"],
        COMPRESS_BR_LEVEL=5,
        COMPRESS_MIN_SIZE=700,
        COMPRESS_CACHE_BACKEND=StaticCache,
        COMPRESS_CACHE_KEY=lambda asked: asked.full_path if asked.path.startswith(STATIC) else "",
        COMPRESS_MIMETYPES=[
            "text/html",
            "text/css",
            "text/javascript",
            "application/javascript",
            "application/json",
            "image/svg+xml",
        ],
    )
    Compress(server)
    compressed = Compressed()

    # Runs before the compression of what it leaves as it is: the last one added goes first.
    @server.after_request
    def send_compressed(answer: Response) -> Response:
        return compressed.apply(request, answer)


def content_policy(script_hashes: Sequence[str]) -> str:
    """Content security policy: this host only; inline scripts by their hash, no `eval`."""
    scripts = " ".join(["'self'", *script_hashes])
    return "; ".join(
        (
            "default-src 'self'",
            f"script-src {scripts}",
            # MapLibre and Leaflet set styles on their own elements.
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data: blob:",
            "worker-src 'self' blob:",
            "connect-src 'self'",
            "font-src 'self'",
            "object-src 'none'",
            "base-uri 'self'",
            "form-action 'self'",
            "frame-ancestors 'none'",
        )
    )

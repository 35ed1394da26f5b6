"""`GET /live?after=…`: what an open screen lacks, 204 where that is nothing; or a snapshot's id."""

from __future__ import annotations

import hashlib
import json
import threading
import time
from importlib import resources
from typing import TYPE_CHECKING, Any, Final

from flask import Response, abort, request

from dashboard import audited
from dashboard.guard import current_scope
from dashboard.live.board import Board
from dashboard.live.cursor import Seal
from dashboard.live.difference import Feed, difference
from dashboard.live.scoped import Views
from data.manifest import SnapshotError
from data.secrets import derived

if TYPE_CHECKING:
    import datetime as dt
    from importlib.resources.abc import Traversable

    from flask import Flask

    from dashboard.pages.context import PageContext
    from data.access import Scope
    from data.store import Store

ENDPOINT: Final = "live"
_MINUTE_S: Final = 60
_MOST_KNOWN: Final = 10_000


class Minutes:
    """
    Whether a reader is told something for the first time in a minute.

    One row of the audit stands for the differences of a minute: a hundred walls in a busy hour
    would write fifty a second otherwise, and say no more.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: dict[tuple[str, str], int] = {}

    def is_first(self, scope: Scope) -> bool:
        """Whether this is the reader's first difference of the minute."""
        minute, reader = int(time.monotonic() // _MINUTE_S), (scope.user, scope.session)
        with self._lock:
            if self._known.get(reader) == minute:
                return False
            if len(self._known) >= _MOST_KNOWN:
                self._known.clear()
            self._known[reader] = minute
            return True


def register(server: Flask, context: PageContext) -> None:
    """Add the endpoint to a server; the guard admits each request first."""
    board = Board(context.store, context.database, now=context.clock)
    seal = Seal(derived(context.key, "live"))
    feed = Feed(board, Views(board), context.database, seal, revision())
    minutes = Minutes()

    @server.get("/live", endpoint=ENDPOINT)
    def live() -> Response:
        if request.args.get("only") == "snapshot":
            return published(context.store)
        return answer(feed, minutes, now=context.clock())


def answer(feed: Feed, minutes: Minutes, *, now: dt.datetime) -> Response:
    """Answer one poll."""
    scope, after = current_scope(), request.args.get("after", "")
    lang = "en" if request.args.get("lang") == "en" else "zh"
    if not after:
        audited.describe("query", "live")
    try:
        told = difference(feed, scope, after, lang=lang, now=now)
    except SnapshotError:
        abort(503)
    if told is None:
        return Response(status=204)
    if told["is_whole"]:
        audited.describe("query", "live", f"{len(told['incidents'])} incidents")
    elif minutes.is_first(scope):
        audited.describe("query", "live", "what is new, for a minute from now")
    return _json(told)


def published(store: Store) -> Response:
    """Id of the snapshot that is shown now, for pages that only say that theirs is older."""
    try:
        return _json({"snapshot": store.current().id})
    except SnapshotError:
        abort(503)


def _json(told: dict[str, Any]) -> Response:
    content = json.dumps(told, ensure_ascii=False, separators=(",", ":"))
    return Response(content, mimetype="application/json")


def revision() -> str:
    """Version of scripts, styles, words and templates, as they were at the start."""
    digest = hashlib.sha256()
    package = resources.files("dashboard")
    for part in (package / "assets", package / "pages" / "templates", package / "text.toml"):
        for name, content in _files(part):
            digest.update(f"{name} {len(content)} ".encode() + content)
    return digest.hexdigest()[:16]


def _files(part: Traversable) -> list[tuple[str, bytes]]:
    if part.is_file():
        return [(part.name, part.read_bytes())]
    inside = sorted(part.iterdir(), key=lambda one: one.name)
    return [found for one in inside for found in _files(one)]
